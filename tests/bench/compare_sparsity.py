#!/usr/bin/env python3
"""Decoding with sparse weights beside dense ones at the shapes of a published model, in turn within one process
(`sparse_llama compare`), so that both sides meet the machine in the same state.

usage: compare_sparsity.py [--binary SPARSE_LLAMA] [--model tinyllama-1.1b] [--value bf16] [--sparsity 0.7] [--rounds 9]
                           [--tokens 16] [--ranks 1] [--threads N] [--sweep] [--layers N] [--json FILE] [--plot FILE]

First the whole model: dense and bit mask at the given sparsity; --rounds 0 leaves it out. With --sweep also the speed-up
over dense from 0 to 95 % for bit mask, CSR and 2:4, with `--sweep-rounds` rounds each. --layers takes the first few layers
only: faster, but the dense head then counts for more than it does in the model.
"""
import argparse
import json
import os
import statistics
import sys
from pathlib import Path

from side_by_side_runs import SPARSE_LLAMA, sparse_llama

SPARSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def compare(args, formats, weights, rounds):
    """Rows, one a format, the first of them the one that the ratios refer to; the table is printed as it comes."""
    keys = [weights] + ([f"layers={args.layers}"] if args.layers else [])
    result, table = sparse_llama(args.binary, ["compare", "--synthetic", f"{args.model}:{','.join(keys)}", "--formats", ",".join(formats),
                                               "--value", args.value, "--rounds", rounds, "--tokens", args.tokens], args.threads, args.ranks)
    print(table, flush=True)
    medians = {"tokens_per_second": "decode_tokens_per_second", "prefill_tokens_per_second": "prefill_tokens_per_second",
               "bandwidth_share": "bandwidth_share", "memory_read_bandwidth": "memory_read_bandwidth",
               "ratio_to_dense": "decode_ratio", "prefill_ratio_to_dense": "prefill_ratio"}
    exact = ("value", "format", "sparsity", "bits_per_weight", "weight_bytes", "rounds")
    return [{"model": args.model, "layers": args.layers} | {key: f[key] for key in exact}
            | {key: f[name] and f[name]["median"] for key, name in medians.items()} for f in result["formats"]]


def sweep(args):
    """Speed-up against sparsity."""
    rows = []
    for sparsity in SPARSITIES:
        rows += compare(args, ("dense", "bit_mask", "csr"), f"sparsity={sparsity}", args.sweep_rounds)[1:]
    rows += compare(args, ("dense", "two_four"), "two_four=1", args.sweep_rounds)[1:]
    for form in ("bit_mask", "csr"):
        faster = [r["sparsity"] for r in rows if r["format"] == form and r["ratio_to_dense"] >= 1]
        print(f"{form}: " + (f"breaks even by {100 * min(faster):.0f} % sparsity" if faster else "is never faster than dense"))
    return [row | {"sweep": True} for row in rows]


def surface(args):
    """Rates and joules over dense by sequences that decode together."""
    points = []
    for sparsity in args.sparsities:
        words = ["compare", "--synthetic", f"{args.model}:sparsity={sparsity}" + (f",layers={args.layers}" if args.layers else ""), "--value",
                 args.value, "--rounds", args.rounds, "--tokens", args.tokens, "--prompt-tokens", 8, "--together", ",".join(map(str, args.together))]
        result, table = sparse_llama(args.binary, words, args.threads, args.ranks)
        print(table, flush=True)
        dense, sparse = ({b["sequences"]: b for b in f["together"]} for f in result["formats"])
        for n in args.together:
            joules = [side[n]["rounds"]["joules_per_token"] for side in (dense, sparse)]
            # Rounds of both in turn; none without a meter, or where it missed a round.
            less = sorted(before / after for before, after in zip(*joules)) if len(joules[0]) == len(joules[1]) else []
            ratio = sparse[n]["decode_ratio"]
            point = {"side": "native", "model": args.model, "sparsity": sparsity, "together": n, "rate_over_dense": ratio["median"],
                     "rate_low": ratio["smallest"], "rate_high": ratio["largest"], "energy_over_dense": statistics.median(less) if less else None}
            points.append(point | ({"energy_low": less[0], "energy_high": less[-1]} if less else {}))
    return points


def plot(rows, path, args):
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for form, mark in (("bit_mask", "o-"), ("csr", "s-"), ("two_four", "D")):
        points = sorted((r["sparsity"], r["ratio_to_dense"]) for r in rows if r["format"] == form and r.get("sweep"))
        axes.plot([100 * x for x, _ in points], [y for _, y in points], mark, label=form.replace("_", " "))
    axes.axhline(1, color="gray", linewidth=1)
    axes.set(xlabel="zeros among the weights, %", ylabel="decoding rate over dense", title=f"{args.model}, {args.value} values")
    axes.legend()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=SPARSE_LLAMA)
    parser.add_argument("--model", default="tinyllama-1.1b")
    parser.add_argument("--value", default="bf16", choices=["fp32", "bf16", "int8", "int4"])
    parser.add_argument("--sparsity", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tokens", type=int, default=16, help="of each round, behind a prompt of 64")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each rank")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--sweep-rounds", type=int, default=5)
    parser.add_argument("--together", type=lambda text: [int(word) for word in text.split(",")],
                        help="sequences that decode together, as 1,4,16: the report's surface, at --sparsities")
    parser.add_argument("--sparsities", type=lambda text: [float(word) for word in text.split(",")], default=[0.5, 0.7, 0.9])
    parser.add_argument("--layers", type=int, help="default: all")
    parser.add_argument("--json")
    parser.add_argument("--plot", help="picture of the sweep")
    args = parser.parse_args()
    if args.plot:
        try:
            import matplotlib
            matplotlib.use("Agg")
        except ImportError:
            sys.exit(f"compare_sparsity: --plot: found no matplotlib for {sys.executable}, expected one (Debian: /usr/bin/python3)")
    rows = []
    if args.rounds > 0 and not args.together:
        rows += compare(args, ("dense", "bit_mask"), f"sparsity={args.sparsity}", args.rounds)
    if args.sweep:
        rows += sweep(args)
    points = surface(args) if args.together else []
    if args.json:
        Path(args.json).write_text(json.dumps({"rows": rows, "surface": points} if points else rows, indent=1) + "\n")
    if args.plot and args.sweep:
        plot(rows, args.plot, args)


main()
