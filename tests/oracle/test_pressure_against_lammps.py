#!/usr/bin/env python3
"""Boxes against LAMMPS: relaxed to a stress (fix box/relax, to 2e-6 of the edges), and the lattice constant at 300 K (fix npt
for 30 ps, against the expansion that we measure and against our barostats, to some 1e-4: their fluctuations).

usage: test_pressure_against_lammps.py TUNGSTEN_MD RANKS relax|npt
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

MASS = 183.84
GPA_IN_BAR = 1e4
RELAXED, EXPANDED = 2e-6, 2e-4
CONSTANT = 3.16475  # W_zhou at 0 K


def relax(binary, ranks, folder):
    """A crystal with a vacancy, 2 % too large, to stresses of 1, 2 and 3 GPa."""
    potential = ref.potential("W_zhou.eam.alloy")
    x, _, box = ref.shaken_crystal("bcc", 1.02 * CONSTANT, (6, 6, 6), 1, 0.0, seed=1)
    x = x[1:]
    ref.write_data(folder / "start.data", x, np.ones(len(x), int), box, [MASS])
    out = ref.lammps(folder, ref.tungsten_head(potential) + f"""thermo_style custom step lx ly lz
thermo_modify format float %.15g
fix 1 all box/relax x {1 * GPA_IN_BAR} y {2 * GPA_IN_BAR} z {3 * GPA_IN_BAR} vmax 0.001
min_modify line quadratic
minimize 0 1e-9 5000 20000
minimize 0 1e-9 5000 20000
minimize 0 1e-9 5000 20000
""")
    theirs = np.array(ref.thermo_rows(out, 4))[-1, 1:]
    table, result = ref.run_deck(binary, ranks, folder, f"""[structure]
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
    return ref.report(apart < RELAXED and result["valid"], f"box relaxed to 1, 2, 3 GPa on {ranks} ranks: {ours} and {theirs} Angstrom, {apart:.1e}")


def npt(binary, ranks, folder):
    potential = ref.potential("W_zhou.eam.alloy")
    x, _, box = ref.shaken_crystal("bcc", CONSTANT, (8, 8, 8), 1, 0.0, seed=1)
    ref.write_data(folder / "start.data", x, np.ones(len(x), int), box, [MASS])
    out = ref.lammps(folder, ref.tungsten_head(potential) + """velocity all create 600.0 4711
timestep 0.002
fix 1 all npt temp 300 300 0.2 iso 0 0 1.0
thermo_style custom step lx temp press
thermo 5
run 17500
""")
    rows = np.array(ref.thermo_rows(out, 4))
    settled = rows[rows[:, 0] > 2500]
    theirs = settled[:, 1].mean() / 8 / CONSTANT
    good = True
    deck = f"""[structure]
lattice_constant_angstrom = {CONSTANT}
%s
cells = [8, 8, 8]
[potential]
file = "{potential}"
[run]
steps = %d
timestep_ps = 0.002
[temperature]
initial_k = 300.0
draw_k = 600.0
[output]
thermo_every_steps = 10
[thermostat]
kind = "%s"
temperature_k = 300.0
damping_time_ps = 0.2
%s
"""
    _, result = ref.run_deck(binary, ranks, folder, deck % ('thermal_expansion = "measure"', 10, "langevin", ""), "measured")
    measured = result["thermal_expansion"]
    good &= ref.report(abs(measured["factor"] - theirs) < EXPANDED,
                       f"expansion measured {measured['factor']:.6f} +- {measured['standard_error']:.6f}, fix npt {theirs:.6f}")
    for bath, kind in (("langevin", "berendsen"), ("nose_hoover", "stochastic"), ("langevin", "stochastic")):
        barostat = f'[barostat]\nkind = "{kind}"\n'
        table, result = ref.run_deck(binary, ranks, folder, deck % ("", 17500, bath, barostat), f"{bath}-{kind}")
        late = table[table["step"] > 2500]
        mean, spread = late["length_x_angstrom"].mean() / 8 / CONSTANT, late["length_x_angstrom"].std() / 8 / CONSTANT
        good &= ref.report(abs(mean - theirs) < EXPANDED and result["valid"],
                           f"{bath}, {kind}: {mean:.6f} (spread {spread:.1e}; LAMMPS {settled[:, 1].std() / 8 / CONSTANT:.1e}), "
                           f"pressure {late['pressure_gpa'].mean():+.3f} GPa ({settled[:, 3].mean() / GPA_IN_BAR:+.3f}), "
                           f"{late['temperature_k'].mean():.1f} K ({settled[:, 2].mean():.1f})")
    return good


def main():
    ref.find_lammps()
    binary, ranks, case = Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as name:
        return {"relax": relax, "npt": npt}[case](binary, ranks, Path(name).resolve())


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
