#!/usr/bin/env python3
"""Prints the result of a native run and that of a wafer run of the same deck side by side, and says of each figure
whether it was measured or emulated.

usage: side_by_side.py NATIVE WAFER     (folders that hold result.json)
"""
import json
import sys
from pathlib import Path

FIGURES = ("atoms", "steps", "simulated_ps", "steps_per_second", "atom_steps_per_second", "joules_per_atom_step",
           "energy_per_atom_start_ev", "energy_per_atom_end_ev", "temperature_end_k")


def figures(folder):
    path = Path(folder, "result.json")
    try:
        return {f["name"]: f for f in json.loads(path.read_text())["figures"]}
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"side_by_side: {path}: found no readable result ({error}), expected one that tungsten_md run wrote")


def cell(figure):
    if figure is None or figure["value"] is None:
        return "not known"
    return f"{figure['value']:.7g} {figure['unit']} ({figure['kind']})"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    native, wafer = figures(sys.argv[1]), figures(sys.argv[2])
    print(f"{'':<26} {'native':<36} {'wafer':<36}")
    for name in FIGURES:
        print(f"{name:<26} {cell(native.get(name)):<36} {cell(wafer.get(name)):<36}".rstrip())
    rates = [r.get("steps_per_second", {}).get("value") for r in (native, wafer)]
    if all(rates):
        print(f"the emulated wafer would make {rates[1] / rates[0]:.4g} times the steps per second of this machine")


main()
