#!/usr/bin/env python3
"""Steps per second of the emulated wafer against thickness and size of the sample: each sample in the mapping that wafer.layer_cells = "auto"
finds fastest, and with whole columns on one rectangle of tiles. Samples that the JSON file holds already are not run again.

usage: wafer_thickness.py --binary TUNGSTEN_MD --json FILE [--picture FILE.png] [--metals W,Ta,Cu] [--machines wse2,wse3] [--quick]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DECKS = Path(__file__).resolve().parents[2] / "inputs/tungsten"
ATOMS_PER_CELL = {"W": 2, "Ta": 2, "Cu": 4}
THICKNESSES = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # cells
SLAB_ATOMS = 200_000  # of the samples of all thicknesses
CUBES = (8, 12, 16, 20, 25, 32, 40, 50, 60, 68)  # cells along an edge
STEPS = 10


def emulated(binary, metal, machine, cells, layer_cells):
    """The result of a run; None where the sample does not fit the machine so."""
    with tempfile.TemporaryDirectory() as out:
        line = [binary, "run", str(DECKS / f"sc24_{metal}.toml"), "--target", "wafer", "--machine", machine, "--out", out,
                "--set", f"run.steps={STEPS}", "--set", f"structure.cells=[{cells[0]}, {cells[1]}, {cells[2]}]", "--set", f"wafer.layer_cells={layer_cells}"]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 2 and "found" in done.stdout:
            return None
        if done.returncode:
            sys.exit(f"wafer_thickness: {metal} {cells} in layers of {layer_cells} ended with exit code {done.returncode}: {done.stdout[-300:]}")
        return json.loads(Path(out, "result.json").read_text())


def figures_of(result):
    figures = {f["name"]: f for f in result["figures"]}
    return {"steps_per_second": figures["steps_per_second"]["value"], "band": figures["steps_per_second"]["band"],
            "joules_per_step": figures["joules_per_step"]["value"], "tiles": result["wafer"]["tiles"],
            "cycles_by_phase": {p["phase"]: p["mean"] for p in result["wafer"]["phases_cycles_per_step"]}}


def sample(binary, metal, machine, cells):
    """One sample: every mapping's prediction, and what the best and whole columns make when they are emulated."""
    best = emulated(binary, metal, machine, cells, "auto")
    if best is None:
        return None
    hertz = 1e6 * best["wafer"]["numbers"]["core.clock_mhz"]["value"]
    mappings = [{"layer_cells": m["layer_cells"], "b": m["neighbourhood_b"], "candidates": m["candidates"],
                 "predicted_steps_per_second": hertz / m["predicted_cycles_per_step"]} for m in best["wafer"]["mappings"] if "refused" not in m]
    mappings[0] |= figures_of(best)
    columns = next((m for m in mappings[1:] if m["layer_cells"] == 0), None)
    if columns:
        columns |= figures_of(emulated(binary, metal, machine, cells, 0))
    atoms = cells[0] * cells[1] * cells[2] * ATOMS_PER_CELL[metal]
    return {"metal": metal, "machine": machine, "cells": cells, "atoms": atoms, "best_layer_cells": mappings[0]["layer_cells"],
            "mappings": mappings}


def samples(quick):
    for thickness in THICKNESSES[::3] if quick else THICKNESSES:
        for metal, per_cell in ATOMS_PER_CELL.items():
            edge = int((SLAB_ATOMS / (per_cell * thickness)) ** 0.5)
            yield metal, "thickness", (edge, edge, thickness)
    for edge in CUBES[::4] if quick else CUBES:
        for metal in ATOMS_PER_CELL:
            yield metal, "cube", (edge, edge, edge)


def draw(rows, path):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    colours = {"W": "C0", "Ta": "C1", "Cu": "C2"}
    for axis, curve, label in zip(axes, ("thickness", "cube"), ("thickness / cells (200,000 atoms)", "atoms of a cube")):
        for metal in sorted({r["metal"] for r in rows}):
            for machine, dashes in (("wse2", "-"), ("wse3", "--")):
                mine = [r for r in rows if (r["curve"], r["metal"], r["machine"]) == (curve, metal, machine)]
                at = lambda r: r["cells"][2] if curve == "thickness" else r["atoms"]  # noqa: E731
                best = [(at(r), max(m.get("steps_per_second", 0) for m in r["mappings"])) for r in mine]
                columns = [(at(r), m["steps_per_second"]) for r in mine for m in r["mappings"] if m["layer_cells"] == 0]
                if best:
                    axis.plot(*zip(*best), dashes, marker="o", ms=3, color=colours[metal], label=f"{metal}, {machine}: best mapping")
                if columns and machine == "wse2":
                    axis.plot(*zip(*columns), ":", marker="x", ms=4, color=colours[metal], label=f"{metal}, {machine}: whole columns")
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel(label)
    axes[0].set_ylabel("steps per second (emulated)")
    axes[1].legend(fontsize=7)
    fig.tight_layout()
    fig.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--picture")
    parser.add_argument("--metals", default="W,Ta,Cu")
    parser.add_argument("--machines", default="wse2,wse3")
    parser.add_argument("--quick", action="store_true", help="a few samples only")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = json.loads(Path(options.json).read_text()) if Path(options.json).exists() else []
    there = {(r["curve"], r["metal"], r["machine"], tuple(r["cells"])) for r in rows}
    print(f"{'metal':5} {'machine':7} {'cells':>14} {'atoms':>8} {'layers of':>9} {'b':>3} {'candidates':>10} {'steps/s':>9} {'columns':>9}")
    for metal, curve, cells in samples(options.quick):
        for machine in options.machines.split(","):
            wanted = metal in options.metals.split(",") and (curve, metal, machine, cells) not in there
            row = sample(options.binary, metal, machine, cells) if wanted else None
            if row is None:
                continue
            rows.append({"curve": curve, **row})
            best = next(m for m in row["mappings"] if m["layer_cells"] == row["best_layer_cells"])
            columns = next((m.get("steps_per_second") for m in row["mappings"] if m["layer_cells"] == 0), None)
            print(f"{metal:5} {machine:7} {'x'.join(map(str, cells)):>14} {row['atoms']:>8} {best['layer_cells']:>9} {best['b']:>3} "
                  f"{best['candidates']:>10} {best['steps_per_second']:>9,.0f} {columns or 0:>9,.0f}", flush=True)
            Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    if options.picture:
        draw(rows, options.picture)


if __name__ == "__main__":
    main()
