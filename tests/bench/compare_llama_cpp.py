#!/usr/bin/env python3
"""sparse_llama against llama.cpp at the shapes of one model, side by side on this machine.

usage: compare_llama_cpp.py [--binary SPARSE_LLAMA] [--llama-bench llama-bench] [--model tinyllama-1.1b] [--types F16,Q8_0,Q4_0]
                            [--values bf16,int8,int4] [--sparsity 0.7] [--prompts 64] [--sequences 1] [--rounds 5] [--tokens 48]
                            [--threads N] [--json FILE]

llama.cpp (Debian: package llama.cpp-tools) runs dense weights of each type, from GGUF files with made-up weights that this
script writes; sparse_llama runs bit masks of each value type. Tasks: reading prompts of so many tokens, and decoding --tokens tokens of
so many sequences at once. For each task all of them run in turn, --rounds times. Each line gives the median rate and the ratio to
llama.cpp's types, round by round, and to the best of them. Of several sequences llama-bench knows nothing: it reads a prompt of as many tokens,
which multiplies the same and attends to fewer positions.
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

BESIDE = 16  # tokens of prompt behind which sequences are decoded
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


def run_llama_cpp(args, path, task, number):
    """Tokens/s."""
    decoding = task == "decode" and number == 1
    words = ["-p", "0", "-n", str(args.tokens)] if decoding else ["-p", str(number), "-n", "0"]
    again = 1 if decoding else max(1, 256 // number)  # short prompts are over too soon for one look at the clock
    row, = json.loads(launch([args.llama_bench, "-m", str(path), *words, "-t", str(args.threads), "-r", str(again), "-o", "json"]))
    return row["avg_ts"]


def run_ours(args, value, task, number):
    """Tokens/s."""
    words = ["--prompt-tokens", number, "--tokens", 1]
    if task == "decode":
        words = ["--prompt-tokens", BESIDE, "--tokens", args.tokens + 1, "--sequences", number]
    model = f"{args.model}:sparsity={args.sparsity},context=8192"
    result, _ = sparse_llama(args.binary, ["run", "--synthetic", model, "--format", "bit_mask", "--value", value, *words], args.threads)
    figures = {f["name"]: f["value"] for f in result["figures"]}
    return figures["decode_tokens_per_second" if task == "decode" else "prefill_tokens_per_second"]


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} ... {max(values):.2f})"


def over(own, other):
    return spread([a / b for a, b in zip(own, other)])


def show(args, task, number, rates, types, values):
    what = f"prompt of {number}" if task == "prompt" else f"{number} sequence{'s' * (number > 1)} together"
    print(f"{args.model}, {what}, tokens/s: median (smallest ... largest) of {args.rounds} rounds")
    for kind in types:
        print(f"  llama.cpp {kind:<6} {spread(rates[kind])}")
    best = [max(of_round) for of_round in zip(*(rates[kind] for kind in types))]
    for value in values:
        print(f"  {args.sparsity:.0%} zeros, {value:<5}{spread(rates[value]):<26}" + "".join(
            f"   x {over(rates[value], rates[kind])} {kind}" for kind in types) + f"   x {over(rates[value], best)} the best", flush=True)


def numbers(text, option):
    found = text.split(",") if text else []
    if not all(number.isdecimal() and 1 <= int(number) <= 4096 for number in found):
        sys.exit(f"compare_llama_cpp: {option}: found {text}, expected whole numbers from 1 to 4096, as 64,512")
    return [int(number) for number in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=SPARSE_LLAMA)
    parser.add_argument("--llama-bench", default="llama-bench")
    parser.add_argument("--model", default="tinyllama-1.1b", choices=MODELS)
    parser.add_argument("--types", default="F16,Q8_0,Q4_0")
    parser.add_argument("--values", default="bf16,int8,int4")
    parser.add_argument("--sparsity", type=float, default=0.7)
    parser.add_argument("--prompts", default="64", help="lengths, as 64,512,1500,2048; '' for none")
    parser.add_argument("--sequences", default="1", help="numbers of sequences that are decoded together; '' for none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json")
    args = parser.parse_args()
    types, values = args.types.split(","), args.values.split(",")
    tasks = [("decode", n) for n in numbers(args.sequences, "--sequences")] + [("prompt", n) for n in numbers(args.prompts, "--prompts")]
    for kind in types:
        if kind not in TYPES:
            sys.exit(f"compare_llama_cpp: --types: found {kind}, expected some of {', '.join(TYPES)}")
    for program in (args.binary, args.llama_bench):
        if not shutil.which(program):
            sys.exit(f"compare_llama_cpp: found no program {program}, expected one (llama-bench: Debian's llama.cpp-tools)")
    record = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in types:
            write_gguf(Path(folder, kind), args.model, kind)
        for task, number in tasks:
            rates = {name: [] for name in types + values}
            for _ in range(args.rounds):
                for kind in types:
                    rates[kind].append(run_llama_cpp(args, Path(folder, kind), task, number))
                for value in values:
                    rates[value].append(run_ours(args, value, task, number))
            show(args, task, number, rates, types, values)
            record.append({"task": task, "number": number, "tokens_per_second": rates})
    if args.json:
        Path(args.json).write_text(json.dumps(record, indent=1) + "\n")


main()
