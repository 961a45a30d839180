#!/usr/bin/env python3
"""How long `sparse_llama run` takes from its start to its first token, beside a plain read of the same file.

usage: time_to_first_token.py MODEL_FOLDER [--binary SPARSE_LLAMA] [--value int8] [--rounds 5] [--threads N] [--warm] [--json FILE]

In turn, --rounds times: reads all *.safetensors of the folder once, in pieces of 4 MiB; then runs with a prompt of one token
and one token to write. Before each the files are dropped from the kernel's cache (not with --warm). The program's time is that of
the whole process. On a machine that others use too, `chrt -r 1` before this command gives it the cores (root; keep it short).
"""
import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from side_by_side_runs import SPARSE_LLAMA, sparse_llama


def drop_from_cache(files):
    for path in files:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)  # pages that are not on the disk yet would stay
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def plain_read(files):
    start = time.perf_counter()
    for path in files:
        with open(path, "rb", buffering=0) as file:
            buffer = bytearray(4 << 20)
            while file.readinto(buffer):
                pass
    return time.perf_counter() - start


def first_token(args):
    words = ["run", "--model", args.model, "--format", "bit_mask", "--value", args.value, "--prompt-tokens", 1, "--tokens", 1]
    start = time.perf_counter()
    result, _ = sparse_llama(args.binary, words, args.threads)
    whole = time.perf_counter() - start
    figures = {f["name"]: f["value"] for f in result["figures"]}
    return whole, figures["load_seconds"]


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g} ... {max(values):.3g})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--binary", default=SPARSE_LLAMA)
    parser.add_argument("--value", default="int8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    files = sorted(Path(args.model).glob("*.safetensors"))
    if not files:
        sys.exit(f"time_to_first_token: {args.model}: found no *.safetensors, expected a folder with a model")
    rounds = []
    for _ in range(args.rounds):
        if not args.warm:
            drop_from_cache(files)
        read = plain_read(files)
        if not args.warm:
            drop_from_cache(files)
        whole, load = first_token(args)
        rounds.append({"read": read, "first_token": whole, "load": load})
    size = sum(f.stat().st_size for f in files)
    print(f"{size / 1e9:.2f} GB {'in' if args.warm else 'not in'} the cache; seconds, median (smallest ... largest) of {args.rounds} rounds")
    for name, what in (("read", "plain read"), ("load", "loading alone"), ("first_token", "start to first token")):
        ratio = "" if name == "read" else f"   x {spread([r[name] / r['read'] for r in rounds])}"
        print(f"  {what:<22}{spread([r[name] for r in rounds])}{ratio}")
    if args.json:
        Path(args.json).write_text(json.dumps(rounds, indent=1) + "\n")


main()
