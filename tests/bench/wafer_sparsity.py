#!/usr/bin/env python3
"""Sparse Llama on the emulated wafer: dense, 2:4 and unstructured weights of 50 to 90 %, one line each.

usage: wafer_sparsity.py --binary SPARSE_LLAMA [--model tinyllama-1.1b] [--tiles 320x435] [--value bf16] [--sequences 1]
                         [--rows-together 1] [--prompt-tokens 4] [--tokens 4] [--options "..."] [--out DIR] [--json FILE]

Weights are made up in the model's shapes. Every figure but the last column is emulated, so one run each is exact. Joules are of
the whole machine: idle power of all tiles, used or not, and counted operations, words and hops. `waiting`: share of the cycles of
tiles in use. The last column is what the host took.
"""
import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = [("dense", 0.0), ("two_four", 0.5), *(("bit_mask", s) for s in (0.5, 0.6, 0.7, 0.8, 0.9))]


def run(args, form, sparsity):
    keys = f"sparsity={sparsity}" + (",two_four=1" if form == "two_four" else "")
    with tempfile.TemporaryDirectory() as scratch:
        out = f"{args.out}/{form}_{round(100 * sparsity)}" if args.out else scratch
        command = [args.binary, "run", "--synthetic", f"{args.model}:{keys}", "--target", "wafer", "--format", form, "--value",
                   args.value, "--prompt-tokens", args.prompt_tokens, "--tokens", args.tokens, "--sequences", args.sequences,
                   "--rows-together", args.rows_together, "--out", out]
        command += (["--tiles", args.tiles] if args.tiles else []) + shlex.split(args.options)
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"wafer_sparsity: {' '.join(map(str, command))} ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")
        result = json.loads(Path(out, "result.json").read_text())
    f = {x["name"]: x["value"] for x in result["figures"]}
    phases = {p["phase"]: p for p in result["wafer"]["phases_cycles_per_step"]}
    all_cycles = sum(p["mean"] for p in phases.values())
    return {"model": args.model, "tiles": result["wafer"]["tiles"], "format": form, "sparsity": f["sparsity"],
            "region": result["wafer"]["region"], "layers_per_region": result["wafer"]["layers_per_region"],
            "tokens_per_second": f["decode_tokens_per_second"], "prefill_tokens_per_second": f["prefill_tokens_per_second"],
            "joules_per_token": f["joules_per_token"], "dynamic_joules_per_token": f["dynamic_joules_per_token"],
            "waiting": phases["wait"]["mean"] / all_cycles, "balance": f.get("balance"), "balance_even": f.get("balance_even"),
            "bits_per_weight": f["bits_per_weight"], "sram_high_water": f["sram_high_water"], "cache_capacity": f["cache_capacity"],
            "host_seconds": f["load_seconds"] + f["emulator_seconds"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", default="tinyllama-1.1b")
    parser.add_argument("--tiles", default="320x435", help="empty: all tiles of the machine")
    parser.add_argument("--value", default="bf16", choices=["fp32", "bf16"])
    for name, default in (("sequences", 1), ("rows-together", 1), ("prompt-tokens", 4), ("tokens", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--options", default="", help="more options of sparse_llama run")
    parser.add_argument("--cases", help="some of dense,two_four_50,bit_mask_50,...; default: all")
    parser.add_argument("--out", help="folder for the runs' results")
    parser.add_argument("--json")
    args = parser.parse_args()
    chosen = args.cases.split(",") if args.cases else None
    rows = []
    print(f"{'format':<9} {'zeros':>6} {'bits':>6} {'tokens/s':>9} {'x':>5} {'J/token':>9} {'less':>5} {'dynamic J':>10} {'waiting':>8} "
          f"{'balance':>8} {'in order':>8} {'cache':>8} {'host s':>7}")
    for form, sparsity in CASES:
        if chosen and form not in chosen and f"{form}_{round(100 * sparsity)}" not in chosen:
            continue
        r = run(args, form, sparsity)
        rows.append(r)
        first = rows[0]
        balance = lambda key: f"{r[key]:8.3f}" if r[key] is not None else f"{'-':>8}"
        print(f"{form:<9} {100 * r['sparsity']:5.1f}% {r['bits_per_weight']:6.2f} {r['tokens_per_second']:9.1f} "
              f"{r['tokens_per_second'] / first['tokens_per_second']:5.2f} {r['joules_per_token']:9.4f} "
              f"{first['joules_per_token'] / r['joules_per_token']:5.2f} {r['dynamic_joules_per_token']:10.5f} {100 * r['waiting']:7.1f}% "
              f"{balance('balance')} {balance('balance_even')} {r['cache_capacity']:8.0f} {r['host_seconds']:7.1f}", flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


main()
