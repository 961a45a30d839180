#!/usr/bin/env python3
"""Prints two results of one app side by side, and says of each figure whether it was measured or emulated.

usage: side_by_side.py FIRST SECOND [--names native,wafer]     (folders that hold result.json)
"""
import argparse
import sys
from pathlib import Path

try:
    from wafermark_report.errors import Arguments, InputError, one_line
    from wafermark_report.results import read_result
except ImportError as error:
    print(f"side_by_side.py: {error}, expected Python 3.11 with jsonschema", file=sys.stderr)
    sys.exit(2)

FIGURES = ("atoms", "steps", "simulated_ps", "steps_per_second", "atom_steps_per_second", "joules_per_atom_step",
           "energy_per_atom_start_ev", "energy_per_atom_end_ev", "temperature_end_k",
           "decode_tokens_per_second", "prefill_tokens_per_second", "time_to_first_token", "sparsity", "bits_per_weight",
           "weight_bytes", "bytes_per_token", "bandwidth_share", "joules_per_token")
RATES = ("steps_per_second", "decode_tokens_per_second")


def cell(figure):
    if figure is None or figure.value is None:
        return "not known"
    return f"{figure.value:.7g} {figure.unit} ({figure.kind})"


def main():
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--names", default="native,wafer", help="what the two are called")
    args = parser.parse_args()
    names = args.names.split(",")
    if len(names) != 2:
        parser.error(f"--names {args.names}: expected two names")
    results = [read_result(Path(folder, "result.json")) for folder in (args.first, args.second)]
    for folder, result in zip((args.first, args.second), results):
        if not result.valid:
            print(one_line(f"{folder} is not valid ({result.why_not_valid}): its figures are not to be used"))
    print(f"{'':<26} {names[0]:<36} {names[1]:<36}".rstrip())
    for name in FIGURES:
        if any(name in r.figures for r in results):
            first, second = (cell(r.figures.get(name)) for r in results)
            print(f"{name:<26} {first:<36} {second:<36}".rstrip())
    for name in RATES:
        rates = [r.value(name) if r.valid else None for r in results]
        if all(rates):
            print(f"{names[1]} over {names[0]}, {name}: {rates[1] / rates[0]:.4g}")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"side_by_side.py: {one_line(error)}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
