#!/usr/bin/env python3
"""sparse_llama against llama.cpp at the shapes of one model, side by side on this machine.

usage: compare_llama_cpp.py [--binary SPARSE_LLAMA] [--llama-bench llama-bench] [--model tinyllama-1.1b] [--types F16,Q8_0,Q4_0]
                            [--values bf16,int8] [--sparsity 0.7] [--rounds 5] [--tokens 48] [--threads N] [--json FILE]

llama.cpp (Debian: package llama.cpp-tools) runs dense weights of each type, from GGUF files with made-up weights that this
script writes; sparse_llama runs bit masks of each value type. All of them in turn, --rounds times; 64 tokens of prompt. Each
line gives the median rate and the ratio to llama.cpp's types, round by round.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import struct
import sys
import tempfile
from pathlib import Path

from side_by_side_runs import SPARSE_LLAMA, launch, sparse_llama

PROMPT = 64
# layers, dim, hidden, heads, key/value heads, vocabulary
MODELS = {"tinyllama-1.1b": (22, 2048, 5632, 32, 4, 32000), "llama2-7b": (32, 4096, 11008, 32, 32, 32000)}
# GGUF (github.com/ggml-org/ggml, docs/gguf.md): number of the type, weights and bytes of a block, number of the file type.
TYPES = {"F32": (0, 1, 4, 0), "F16": (1, 1, 2, 1), "Q4_0": (2, 32, 18, 2), "Q8_0": (8, 32, 34, 7)}
ALIGNMENT = 32


def blocks(kind, count):
    """`count` blocks of small weights."""
    draw = random.Random(1)
    if kind == "F32":
        return struct.pack("<f", 1.0) * count
    if kind == "F16":
        return b"".join(struct.pack("<e", draw.gauss(0, 0.02)) for _ in range(count))
    return b"".join(struct.pack("<e", 0.001) + draw.randbytes(TYPES[kind][2] - 2) for _ in range(count))


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def write_gguf(path, model, kind):
    layers, dim, hidden, heads, kv_heads, vocabulary = MODELS[model]
    kv = dim // heads * kv_heads
    tensors = [("token_embd.weight", (dim, vocabulary)), ("output.weight", (dim, vocabulary)), ("output_norm.weight", (dim,))]
    for k in range(layers):
        tensors += [(f"blk.{k}.{name}.weight", shape) for name, shape in (
            ("attn_norm", (dim,)), ("attn_q", (dim, dim)), ("attn_k", (dim, kv)), ("attn_v", (dim, kv)), ("attn_output", (dim, dim)),
            ("ffn_norm", (dim,)), ("ffn_gate", (dim, hidden)), ("ffn_up", (dim, hidden)), ("ffn_down", (hidden, dim)))]
    u32 = {"general.file_type": TYPES[kind][3], "llama.context_length": 2048, "llama.embedding_length": dim,
           "llama.block_count": layers, "llama.feed_forward_length": hidden, "llama.attention.head_count": heads,
           "llama.attention.head_count_kv": kv_heads, "llama.rope.dimension_count": dim // heads, "llama.vocab_size": vocabulary}
    strings = {"general.architecture": "llama", "tokenizer.ggml.model": "no_vocab"}
    keys = [text(key) + struct.pack("<I", 8) + text(value) for key, value in strings.items()]
    keys += [text(key) + struct.pack("<II", 4, value) for key, value in u32.items()]
    keys.append(text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5))
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys)
    offset, sizes = 0, []
    for name, shape in tensors:
        number, weights, size, _ = TYPES["F32" if len(shape) == 1 else kind]
        header += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        sizes.append((len(shape) == 1, count // weights * size))
        offset += -(-sizes[-1][1] // ALIGNMENT) * ALIGNMENT
    some = {norm: blocks("F32" if norm else kind, 1 << 14) for norm in (True, False)}  # over and over again
    with open(path, "wb") as out:
        out.write(header + bytes(-len(header) % ALIGNMENT))
        for norm, size in sizes:
            piece = some[norm]
            for _ in range(size // len(piece)):
                out.write(piece)
            out.write(piece[:size % len(piece)] + bytes(-size % ALIGNMENT))


def run_llama_cpp(args, path):
    """(decode, prefill) in tokens/s."""
    rows = json.loads(launch([args.llama_bench, "-m", str(path), "-p", str(PROMPT), "-n", str(args.tokens), "-t", str(args.threads),
                              "-r", "1", "-o", "json"]))
    rate = {row["n_gen"] > 0: row["avg_ts"] for row in rows}
    return rate[True], rate[False]


def run_ours(args, value):
    result, _ = sparse_llama(args.binary, ["run", "--synthetic", f"{args.model}:sparsity={args.sparsity}", "--format", "bit_mask",
                                           "--value", value, "--prompt-tokens", PROMPT, "--tokens", args.tokens], args.threads)
    figures = {f["name"]: f["value"] for f in result["figures"]}
    return figures["decode_tokens_per_second"], figures["prefill_tokens_per_second"]


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} ... {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=SPARSE_LLAMA)
    parser.add_argument("--llama-bench", default="llama-bench")
    parser.add_argument("--model", default="tinyllama-1.1b", choices=MODELS)
    parser.add_argument("--types", default="F16,Q8_0,Q4_0")
    parser.add_argument("--values", default="bf16,int8")
    parser.add_argument("--sparsity", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json")
    args = parser.parse_args()
    types, values = args.types.split(","), args.values.split(",")
    for kind in types:
        if kind not in TYPES:
            sys.exit(f"compare_llama_cpp: --types: found {kind}, expected some of {', '.join(TYPES)}")
    for program in (args.binary, args.llama_bench):
        if not shutil.which(program):
            sys.exit(f"compare_llama_cpp: found no program {program}, expected one (llama-bench: Debian's llama.cpp-tools)")
    rates = {name: [] for name in types + values}
    with tempfile.TemporaryDirectory() as folder:
        for kind in types:
            write_gguf(Path(folder, kind), args.model, kind)
        for _ in range(args.rounds):
            for kind in types:
                rates[kind].append(run_llama_cpp(args, Path(folder, kind)))
            for value in values:
                rates[value].append(run_ours(args, value))
    for k, what in enumerate(("decode", "prefill")):
        print(f"{args.model}, {what}, tokens/s: median (smallest ... largest) of {args.rounds} rounds")
        for kind in types:
            print(f"  llama.cpp {kind:<6} {spread([r[k] for r in rates[kind]])}")
        for value in values:
            print(f"  {args.sparsity:.0%} zeros, {value:<5}{spread([r[k] for r in rates[value]]):<26}" + "".join(
                f"   x {spread([a[k] / b[k] for a, b in zip(rates[value], rates[kind])])} {kind}" for kind in types))
    if args.json:
        Path(args.json).write_text(json.dumps({name: [{"decode": d, "prefill": p} for d, p in r] for name, r in rates.items()}, indent=1) + "\n")


main()
