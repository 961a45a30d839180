#!/usr/bin/env python3
"""Decoding with sparse weights beside dense ones, alternately, at the shapes of a published model.

usage: compare_sparsity.py --binary SPARSE_LLAMA [--model tinyllama-1.1b] [--value bf16] [--sparsity 0.7] [--rounds 3]
                           [--tokens 48] [--ranks 1] [--threads N] [--sweep] [--layers N] [--json FILE] [--plot FILE]

First the whole model: dense, then bit mask at the given sparsity, `rounds` times in turn; the ratios are of neighbouring runs.
With --sweep also the speed-up over dense from 0 to 95 % for bit mask, CSR and 2:4. --layers takes the first few layers for it:
faster, but the dense head then counts for more than it does in the model.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SPARSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def run(args, form, sparsity, layers=None, prompt=64):
    """The figures of one run; format two_four makes its own pattern."""
    keys = [f"sparsity={sparsity}"] + ([f"layers={layers}"] if layers else []) + (["two_four=1"] if form == "two_four" else [])
    with tempfile.TemporaryDirectory() as out:
        command = ["mpirun", "-np", str(args.ranks), args.binary, "run", "--synthetic", f"{args.model}:{','.join(keys)}", "--format",
                   form, "--value", args.value, "--tokens", str(args.tokens), "--prompt-tokens", str(prompt), "--out", out]
        binding = "spread" if args.ranks == 1 else "false"  # ranks know nothing of each other's cores
        environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads), OMP_PROC_BIND=binding, OMP_PLACES="cores",
                           OMPI_MCA_hwloc_base_binding_policy="none")
        environment.pop("OPENBLAS_CORETYPE", None)  # prompts of dense matrices deserve the kernels of this CPU
        done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"compare_sparsity: {' '.join(command)} ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}")
        figures = {f["name"]: f["value"] for f in json.loads(Path(out, "result.json").read_text())["figures"]}
    return {"model": args.model, "layers": layers, "value": args.value, "format": form, "sparsity": figures["sparsity"],
            "bits_per_weight": figures["bits_per_weight"], "tokens_per_second": figures["decode_tokens_per_second"],
            "prefill_tokens_per_second": figures["prefill_tokens_per_second"], "bandwidth_share": figures["bandwidth_share"],
            "memory_read_bandwidth": figures["memory_read_bandwidth"], "weight_bytes": figures["weight_bytes"]}


def show(row, ratio=None):
    print(f"{row['format']:<9} {row['value']:<5} {100 * row['sparsity']:5.1f} %  {row['bits_per_weight']:6.2f} bits/weight  decode "
          f"{row['tokens_per_second']:8.2f} tokens/s  prefill {row['prefill_tokens_per_second']:8.2f}  "
          f"{100 * row['bandwidth_share']:3.0f} % of {row['memory_read_bandwidth'] / 1e9:.1f} GB/s"
          + (f"   x {ratio:.2f}" if ratio else ""), flush=True)


def whole_model(args):
    """Dense and sparse in turn; returns the rows with their ratios."""
    rows, ratios, prefill = [], [], []
    for _ in range(args.rounds):
        dense, sparse = run(args, "dense", 0), run(args, "bit_mask", args.sparsity)
        ratios.append(sparse["tokens_per_second"] / dense["tokens_per_second"])
        prefill.append(sparse["prefill_tokens_per_second"] / dense["prefill_tokens_per_second"])
        show(dense)
        show(sparse, ratios[-1])
        rows += [dense | {"ratio_to_dense": 1.0}, sparse | {"ratio_to_dense": ratios[-1]}]
    print(f"{args.model}, {args.value}, {args.sparsity:.0%} sparse over dense: decode {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} ... {max(ratios):.2f}), prefill {statistics.median(prefill):.2f} "
          f"({min(prefill):.2f} ... {max(prefill):.2f})")
    return rows


def sweep(args):
    """Speed-up against sparsity; dense runs before and after each sparse one."""
    rows, before = [], run(args, "dense", 0, args.layers, 1)
    for form in ("bit_mask", "csr", "two_four"):
        for sparsity in SPARSITIES if form != "two_four" else (0.5,):
            row, after = run(args, form, sparsity, args.layers, 1), run(args, "dense", 0, args.layers, 1)
            dense = (before["tokens_per_second"] + after["tokens_per_second"]) / 2
            rows.append(row | {"ratio_to_dense": row["tokens_per_second"] / dense, "sweep": True})
            show(row, rows[-1]["ratio_to_dense"])
            before = after
    for form in ("bit_mask", "csr"):
        faster = [r["sparsity"] for r in rows if r["format"] == form and r["ratio_to_dense"] >= 1]
        print(f"{form}: " + (f"breaks even by {100 * min(faster):.0f} % sparsity" if faster else "is never faster than dense"))
    return rows


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
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", default="tinyllama-1.1b")
    parser.add_argument("--value", default="bf16", choices=["fp32", "bf16", "int8"])
    parser.add_argument("--sparsity", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each rank")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--layers", type=int, help="of the sweep; default: all")
    parser.add_argument("--json")
    parser.add_argument("--plot", help="picture of the sweep")
    args = parser.parse_args()
    if args.plot:
        try:
            import matplotlib
            matplotlib.use("Agg")
        except ImportError:
            sys.exit(f"compare_sparsity: --plot: found no matplotlib for {sys.executable}, expected one (Debian: /usr/bin/python3)")
    rows = whole_model(args) if args.rounds > 0 else []
    if args.sweep:
        rows += sweep(args)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    if args.plot and args.sweep:
        plot(rows, args.plot, args)


main()
