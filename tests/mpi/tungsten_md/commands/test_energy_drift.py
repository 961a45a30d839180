#!/usr/bin/env python3
"""Secular drift of the total energy: below 1e-6 of the kinetic energy per 1,000 steps of 2 fs in double precision; mixed
precision is measured beside it.

usage: test_energy_drift.py TUNGSTEN_MD [STEPS]

NVE of 2,000 tungsten atoms at about 300 K with EAM4, whose functions end smoothly: potentials with kinks at their
cut-offs (Ackland-Thetford, Zhou) wander by some 1e-5 at this step, in every code. The drift is the slope of a straight line
through total energy against step, after 5,000 steps of equilibration.
"""
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DECK = """title = "drift"
[structure]
lattice_constant_angstrom = 3.14339
cells = [10, 10, 10]
[potential]
file = "W_marinica2013_eam4.eam.alloy"
table_points = 5001
[run]
timestep_ps = 0.002
[temperature]
initial_k = 300.0
draw_k = 600.0
[output]
thermo_every_steps = 5
[check]
energy_tolerance_ev_per_atom = 1e-3
"""
LIMIT = {"double": 1e-6, "mixed": 2e-5}


def slope(x, y):
    n, mx, my = len(x), sum(x) / len(x), sum(y) / len(y)
    b = sum((a - mx) * (c - my) for a, c in zip(x, y)) / sum((a - mx) ** 2 for a in x)
    residual = sum((c - my - b * (a - mx)) ** 2 for a, c in zip(x, y)) / (n - 2)
    return b, (residual / sum((a - mx) ** 2 for a in x)) ** 0.5


def drift(binary, precision, steps):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.toml").write_text(DECK)
        subprocess.run([binary, "run", "case.toml", "--out", "out", "--set", f"run.steps={steps}", "--set",
                        f"run.precision={precision}"], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                       capture_output=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
        with open(Path(folder, "out/thermo.csv"), encoding="utf8") as table:
            rows = [r for r in csv.DictReader(table) if int(r["step"]) >= 5000]
    kinetic = sum(float(r["kinetic_ev"]) for r in rows) / len(rows)
    b, error = slope([float(r["step"]) for r in rows], [float(r["total_ev"]) for r in rows])
    return 1000 * b / kinetic, 1000 * error / kinetic


def main():
    binary, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    known = subprocess.run([binary, "potential", "info", "W_marinica2013_eam4.eam.alloy"], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL)
    if known.returncode != 0:
        print(f"SKIPPED: {known.stderr.strip()}")
        sys.exit(77)
    failed = 0
    for precision, limit in LIMIT.items():
        value, error = drift(binary, precision, steps)
        good = abs(value) < limit
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {precision}: drift {value:+.1e} +- {error:.0e} of the kinetic energy per 1,000 "
              f"steps of 2 fs over {steps} steps (limit {limit:.0e})")
    print(f"{len(LIMIT) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
