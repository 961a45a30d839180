#!/usr/bin/env python3
"""Training with sparse_llama against PyTorch: the same model, batch and optimiser, side by side on this machine.

usage: compare_torch.py --text FILE [--binary SPARSE_LLAMA] [--shapes small,wide] [--steps 6] [--rounds 3] [--threads 2]
                        [--python PROGRAM] [--json FILE]

The text is only a stream of tokens. In turn, --rounds times: PyTorch of PROGRAM with --threads threads (Debian: python3-torch; attention by its
fused function where it has one), as it starts by itself and with OpenMP threads that sleep while they wait, of which the faster counts, since a BLAS
with threads of its own (Debian's default) is kept from the cores by threads that do not; sparse_llama with as many threads, and with as many ranks
of one thread each. **Give PyTorch Debian's libopenblas0-openmp**, which is faster than both. Prints tokens/s by the clock and by processor time
(start-up and first step left out on both sides) and the ratios round by round; processor time says more on a machine that others use too.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side_runs import SPARSE_LLAMA, launch

MODEL = Path(__file__).resolve().parents[2] / "inputs/llama/dense"  # whose tokenizer cuts the text
# layers, dim, hidden, heads, key/value heads, sequences, tokens of each
SHAPES = {"small": (6, 128, 352, 4, 2, 8, 256), "wide": (6, 512, 1408, 8, 4, 8, 256)}
WAITING = {"PyTorch": {}, "PyTorch, sleeping threads": {"OMP_WAIT_POLICY": "passive"}}
DECK = """[text]
train = "{text}"
tokenizer = "{tokenizer}"
[model]
layers = {0}
dim = {1}
hidden = {2}
heads = {3}
kv_heads = {4}
context = {6}
[training]
steps = {steps}
report_every = {steps}
batch_sequences = {5}
sequence_tokens = {6}
"""


def torch_side(layers, dim, hidden, heads, kv_heads, batch, length, vocabulary, steps, threads):
    """In a process of its own: trains, prints {"wall": s, "processor": s} of all steps but the first."""
    import math
    import time
    import torch
    from torch import nn
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    head = dim // heads

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(dim))

        def forward(self, x):
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight

    angles = torch.arange(length).float()[:, None] * 10000 ** (-torch.arange(0, head, 2).float() / head)[None]
    cosine, sine = angles.cos(), angles.sin()

    def rope(x):
        a, b = x.chunk(2, -1)
        return torch.cat((a * cosine - b * sine, b * cosine + a * sine), -1)

    fused = getattr(nn.functional, "scaled_dot_product_attention", None)  # since 2.0
    hidden_future = torch.full((length, length), float("-inf")).triu(1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            kv = kv_heads * head
            self.attention_norm, self.feed_forward_norm = Norm(), Norm()
            self.q, self.k, self.v, self.o, self.gate, self.up, self.down = (nn.Linear(i, o, bias=False) for i, o in (
                (dim, dim), (dim, kv), (dim, kv), (dim, dim), (dim, hidden), (dim, hidden), (hidden, dim)))

        def forward(self, x):
            def split(y, n):
                return y.view(batch, length, n, head).transpose(1, 2)
            y = self.attention_norm(x)
            q, k, v = rope(split(self.q(y), heads)), rope(split(self.k(y), kv_heads)), split(self.v(y), kv_heads)
            k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
            if fused:
                y = fused(q, k, v, is_causal=True)
            else:
                y = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(head) + hidden_future, -1) @ v
            x = x + self.o(y.transpose(1, 2).reshape(batch, length, dim))
            y = self.feed_forward_norm(x)
            return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))

    embedding, blocks, norm = nn.Embedding(vocabulary, dim), nn.ModuleList(Block() for _ in range(layers)), Norm()
    model = nn.ModuleList([embedding, blocks, norm])
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, 0, 0.02)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    for step in range(steps):
        if step == 1:
            wall, processor = time.perf_counter(), time.process_time()
        tokens = torch.randint(vocabulary, (batch, length + 1))
        x = embedding(tokens[:, :-1])
        for block in blocks:
            x = block(x)
        logits = norm(x) @ embedding.weight.t()
        loss = nn.functional.cross_entropy(logits.view(-1, vocabulary), tokens[:, 1:].reshape(-1))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    blas = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "blas" in line.split()[-1]}
    about = f"{torch.__version__}, {', '.join(sorted(blas)) or 'BLAS of its own'}"
    print(json.dumps({"about": about, "wall": time.perf_counter() - wall, "processor": time.process_time() - processor}))


def run_torch(args, shape, vocabulary, steps, waiting):
    words = [*map(str, shape), str(vocabulary), str(steps), str(args.threads)]
    return json.loads(launch([args.python, str(Path(__file__).resolve()), "--torch-side", *words], dict(os.environ, **WAITING[waiting])))


def run_ours(args, deck, steps, ranks, threads):
    """A step's seconds by the clock and of processors: of a run of `steps` less one of a single step."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND="false", OMPI_MCA_hwloc_base_binding_policy="none",
                       OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1")
    start = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
    spent = {}
    for count in (1, steps):
        with tempfile.TemporaryDirectory() as out:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            launch([*start, str(args.binary), "train", str(deck), "--out", out, "--set", f"training.steps={count}"], environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            figures = {f["name"]: f["value"] for f in json.loads(Path(out, "result.json").read_text())["figures"]}
        spent[count] = (figures["training_seconds"], after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall": spent[steps][0] - spent[1][0], "processor": spent[steps][1] - spent[1][1]}


def spread(values):
    return f"{statistics.median(values):.4g} ({min(values):.4g} ... {max(values):.4g})"


def compare(args, name):
    shape = SHAPES[name]
    tokens = (args.steps - 1) * shape[5] * shape[6]
    sides = {side: [] for side in (*WAITING, "threads", "ranks")}
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder, "deck.toml")
        deck.write_text(DECK.format(*shape, text=Path(args.text).resolve(), tokenizer=MODEL / "tokenizer.model", steps=args.steps))
        vocabulary = json.loads((MODEL / "config.json").read_text())["vocab_size"]
        for _ in range(args.rounds):
            for waiting in WAITING:
                sides[waiting].append(run_torch(args, shape, vocabulary, args.steps, waiting))
            sides["threads"].append(run_ours(args, deck, args.steps, 1, args.threads))
            sides["ranks"].append(run_ours(args, deck, args.steps, args.threads, 1))
    print(f"{name}: {shape[5]} x {shape[6]} tokens a step, {args.threads} cores; PyTorch {sides['PyTorch'][0]['about']}; median (smallest ... largest) of {args.rounds} rounds")
    fastest = sides[min(WAITING, key=lambda side: statistics.median(r["wall"] for r in sides[side]))]
    for side, rounds in sides.items():
        line = f"  {side:<25}"
        for clock in ("wall", "processor"):
            rates = [tokens / r[clock] for r in rounds]
            line += f"  {spread(rates)} tokens/s {'by the clock' if clock == 'wall' else 'a processor second'}"
            if side not in WAITING:
                line += f", x {spread([p[clock] / r[clock] for p, r in zip(fastest, rounds)])}"
        print(line, flush=True)
    return sides


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--torch-side":
        return torch_side(*map(int, sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=SPARSE_LLAMA)
    parser.add_argument("--text", required=True)
    parser.add_argument("--shapes", default="small,wide")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json")
    args = parser.parse_args()
    names = args.shapes.split(",")
    if unknown := [n for n in names if n not in SHAPES]:
        sys.exit(f"compare_torch: --shapes: found {unknown[0]}, expected some of {', '.join(SHAPES)}")
    if not shutil.which(args.python) or subprocess.run([args.python, "-c", "import torch"], capture_output=True).returncode:
        sys.exit(f"compare_torch: {args.python} has no torch, expected one that has it (Debian: python3-torch)")
    if not shutil.which(str(args.binary)):
        sys.exit(f"compare_torch: found no program {args.binary}, expected sparse_llama")
    found = {name: compare(args, name) for name in names}
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1) + "\n")


main()
