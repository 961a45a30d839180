#!/usr/bin/env python3
"""Weak scaling of the emulator itself: tile-steps per second of the host, from a hundred tiles to a whole wafer, on the SC24
Ta slab cut to size.

usage: emulator_scaling.py --binary TUNGSTEN_MD [--ranks 1,2] [--seconds 3] [--json FILE]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = ((4, 4), (10, 10), (28, 28), (85, 85), (256, 261))  # unit cells; 6 layers, two atoms each
DECK = Path(__file__).resolve().parents[2] / "inputs/tungsten/sc24_Ta.toml"


def figures(binary, ranks, cells, steps):
    with tempfile.TemporaryDirectory() as out:
        command = ["mpirun", "-np", str(ranks), binary, "run", str(DECK), "--target", "wafer", "--out", out, "--set",
                   f"structure.cells=[{cells[0]}, {cells[1]}, 6]", "--set", f"run.steps={steps}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"emulator_scaling: {' '.join(command)} ended with exit code {done.returncode}: {done.stdout[-300:]}")
        result = json.loads(Path(out, "result.json").read_text())
    return {f["name"]: f["value"] for f in result["figures"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement, about")
    parser.add_argument("--json")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = []
    print(f"{'atoms':>8} {'ranks':>6} {'steps':>6} {'tile-steps/s':>14} {'tile-cycles/s':>14}")
    for cells in SIZES:
        for ranks in map(int, options.ranks.split(",")):
            atoms = cells[0] * cells[1] * 12
            steps = min(300, max(10, int(options.seconds * 1.0e6 / atoms)))  # small pieces do not keep their shape
            f = figures(options.binary, ranks, cells, steps)
            rows.append({"atoms": f["atoms"], "ranks": ranks, "steps": steps,
                         "tile_steps_per_second": f["emulator_tile_steps_per_second"],
                         "tile_cycles_per_second": f["emulator_tile_cycles_per_second"]})
            print(f"{f['atoms']:>8.0f} {ranks:>6} {steps:>6} {f['emulator_tile_steps_per_second']:>14.3g} "
                  f"{f['emulator_tile_cycles_per_second']:>14.3g}", flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


main()
