#!/usr/bin/env python3
"""Prints two results of one app side by side, and says of each figure whether it was measured or emulated.

usage: side_by_side.py FIRST SECOND [--names native,wafer]     (folders that hold result.json)
"""
import argparse
import json
import sys
from pathlib import Path

FIGURES = ("atoms", "steps", "simulated_ps", "steps_per_second", "atom_steps_per_second", "joules_per_atom_step",
           "energy_per_atom_start_ev", "energy_per_atom_end_ev", "temperature_end_k",
           "decode_tokens_per_second", "prefill_tokens_per_second", "time_to_first_token", "sparsity", "bits_per_weight",
           "weight_bytes", "bytes_per_token", "bandwidth_share", "joules_per_token")
RATES = ("steps_per_second", "decode_tokens_per_second")


def figures(folder):
    path = Path(folder, "result.json")
    try:
        return {f["name"]: f for f in json.loads(path.read_text())["figures"]}
    except (OSError, ValueError, KeyError) as error:
        print(f"side_by_side: {path}: found no readable result ({error}), expected one that a run wrote", file=sys.stderr)
        sys.exit(2)


def cell(figure):
    if figure is None or figure["value"] is None:
        return "not known"
    return f"{figure['value']:.7g} {figure['unit']} ({figure['kind']})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--names", default="native,wafer", help="what the two are called")
    args = parser.parse_args()
    names = args.names.split(",")
    if len(names) != 2:
        parser.error(f"--names {args.names}: expected two names")
    results = figures(args.first), figures(args.second)
    print(f"{'':<26} {names[0]:<36} {names[1]:<36}".rstrip())
    for name in FIGURES:
        if name in results[0] or name in results[1]:
            print(f"{name:<26} {cell(results[0].get(name)):<36} {cell(results[1].get(name)):<36}".rstrip())
    for name in RATES:
        rates = [r.get(name, {}).get("value") for r in results]
        if all(rates):
            print(f"{names[1]} over {names[0]}, {name}: {rates[1] / rates[0]:.4g}")


main()
