#!/usr/bin/env python3
"""A box against LAMMPS: relaxed to a stress of three different pressures (fix box/relax), to 2e-6 of the edges.

usage: test_pressure_against_lammps.py TUNGSTEN_MD RANKS
"""
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

MASS = 183.84
GPA_IN_BAR = 1e4
RELAXED = 2e-6
CONSTANT = 3.16475  # W_zhou at 0 K


def lammps_head(potential, skin=1.0):
    return f"""units metal
boundary p p p
atom_style atomic
read_data start.data
pair_style eam/alloy
pair_coeff * * {potential} W
neighbor {skin} bin
"""


def run_ours(binary, ranks, folder, deck, name):
    (folder / f"{name}.toml").write_text(deck)
    ref.run([*(["mpirun", "-np", ranks] if ranks > 1 else []), binary, "run", f"{name}.toml", "--out", name, "--overwrite"], folder)
    return np.genfromtxt(folder / name / "thermo.csv", delimiter=",", names=True), json.loads((folder / name / "result.json").read_text())


def report(good, text):
    print(("ok   " if good else "FAIL ") + text, flush=True)
    return good


def relax(binary, ranks, folder):
    """A crystal with a vacancy, 2 % too large, to stresses of 1, 2 and 3 GPa."""
    potential = ref.potential("W_zhou.eam.alloy")
    x, _, box = ref.shaken_crystal("bcc", 1.02 * CONSTANT, (6, 6, 6), 1, 0.0, seed=1)
    x = x[1:]
    ref.write_data(folder / "start.data", x, np.ones(len(x), int), box, [MASS])
    out = ref.lammps(folder, lammps_head(potential) + f"""thermo_style custom step lx ly lz
thermo_modify format float %.15g
fix 1 all box/relax x {1 * GPA_IN_BAR} y {2 * GPA_IN_BAR} z {3 * GPA_IN_BAR} vmax 0.001
min_modify line quadratic
minimize 0 1e-9 5000 20000
minimize 0 1e-9 5000 20000
minimize 0 1e-9 5000 20000
""")
    theirs = np.array(ref.thermo_rows(out, 4))[-1, 1:]
    table, result = run_ours(binary, ranks, folder, f"""[structure]
file = "start.data"
[potential]
file = "{potential}"
[run]
steps = 0
[relax]
max_steps = 20000
force_tolerance_ev_per_angstrom = 1e-7
box = "axes"
pressure_axes_gpa = [1, 2, 3]
pressure_tolerance_gpa = 1e-5
""", "relaxed")
    table = np.atleast_1d(table)
    ours = np.array([table[f"length_{d}_angstrom"][-1] for d in "xyz"])
    apart = np.abs(ours / theirs - 1.0).max()
    return report(apart < RELAXED and result["valid"], f"box relaxed to 1, 2, 3 GPa on {ranks} ranks: {ours} and {theirs} Angstrom, {apart:.1e}")


def main():
    ref.find_lammps()
    binary, ranks = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        return relax(binary, ranks, Path(name).resolve())


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
