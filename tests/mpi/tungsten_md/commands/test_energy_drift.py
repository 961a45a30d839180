#!/usr/bin/env python3
"""Secular drift of the total energy: below 1e-6 of the kinetic energy per 1,000 steps of 2 fs in double precision; mixed
precision is measured beside it, and on a slab mixed precision and the emulated wafer, which has fp32 throughout.

usage: test_energy_drift.py TUNGSTEN_MD [STEPS]

NVE of 16,000 tungsten atoms at about 300 K with EAM4, whose functions end smoothly: potentials with kinks at their
cut-offs (Ackland-Thetford, Zhou) wander by some 1e-5 at this step, in every code. The drift is the slope of total energy
against step after 5,000 steps of equilibration. The energy also wanders at random (second derivatives of cubic tables
jump at every point): with 2,000 atoms by as much as the limit, which is why there are 16,000.
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
cells = [20, 20, 20]
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
SLAB = ["--set", "structure.cells=[24, 24, 6]"]
RECORDS = [word for option in ("list_reuse_steps=10", "squared_tables=true", "fused_density=true", "untested_lists=true", "blocking_receives=true")
           for word in ("--set", f"wafer.{option}")]
MODES = {  # options, and the largest drift
    "double": (["--set", "run.precision=double"], 1e-6),
    "mixed": (["--set", "run.precision=mixed"], 2e-5),
    "slab, mixed": (["--set", "run.precision=mixed", *SLAB], 1e-5),
    "slab, wafer (fp32)": (["--target", "wafer", *SLAB], 1e-5),
    "slab, wafer, options of the later records": (["--target", "wafer", *SLAB, *RECORDS], 1e-5),
}


def slope(step, kinetic, total):
    """Of `total` against `step` in a fit total = a + b step + c kinetic, and its standard error. Verlet's energy swings
    with the kinetic energy (its shadow Hamiltonian differs by a term of order dt^2); the fit takes that out."""
    n = len(step)
    centred = [[v - sum(column) / n for v in column] for column in (step, kinetic, total)]
    dot = lambda p, q: sum(u * v for u, v in zip(centred[p], centred[q]))
    ss, kk, sk, st, kt = dot(0, 0), dot(1, 1), dot(0, 1), dot(0, 2), dot(1, 2)
    determinant = ss * kk - sk * sk
    b, c = (st * kk - kt * sk) / determinant, (kt * ss - st * sk) / determinant
    residual = sum((t - b * s - c * k) ** 2 for s, k, t in zip(*centred)) / (n - 3)
    return b, (residual * kk / determinant) ** 0.5


def drift(binary, options, steps):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.toml").write_text(DECK)
        subprocess.run([binary, "run", "case.toml", "--out", "out", "--set", f"run.steps={steps}", *options],
                       cwd=folder, check=True, stdin=subprocess.DEVNULL,
                       capture_output=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
        with open(Path(folder, "out/thermo.csv"), encoding="utf8") as table:
            rows = [r for r in csv.DictReader(table) if int(r["step"]) >= 5000]
    step, kinetic, total = ([float(r[c]) for r in rows] for c in ("step", "kinetic_ev", "total_ev"))
    b, error = slope(step, kinetic, total)
    mean = sum(kinetic) / len(kinetic)
    return 1000 * b / mean, 1000 * error / mean


def main():
    binary, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12000
    known = subprocess.run([binary, "potential", "info", "W_marinica2013_eam4.eam.alloy"], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL)
    if known.returncode != 0:
        print(f"SKIPPED: {known.stderr.strip()}")
        sys.exit(77)
    failed = 0
    for mode, (options, limit) in MODES.items():
        value, error = drift(binary, options, steps)
        good = abs(value) < limit
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {mode}: drift {value:+.1e} +- {error:.0e} of the kinetic energy per 1,000 "
              f"steps of 2 fs over {steps} steps (limit {limit:.0e})")
    print(f"{len(MODES) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
