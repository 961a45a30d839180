#!/usr/bin/env python3
"""Monte Carlo exchanges of elements on a crystal at rest, against LAMMPS' fix atom/swap: the same mean energy and the same share of
unlike neighbours within what both scatter. Needs its package MC (skipped without).

usage: test_swaps_against_lammps.py TUNGSTEN_MD RANKS
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

ELEMENTS, MASSES = ("Ni", "Al"), (58.69, 26.98)
CONSTANT, CELLS, SHARE = 3.55, (4, 4, 4), 0.25
TEMPERATURE, STEPS, ATTEMPTS, EVERY = 2500.0, 2000, 10, 10
SIGMAS = 4.0
"""The crystal stands still: a step takes 1e-7 ps, and LAMMPS has nothing that moves atoms."""


def start(folder, seed):
    x, _, box = ref.shaken_crystal("fcc", CONSTANT, CELLS, 1, 0.0, seed=1)
    kinds = np.ones(len(x), int)
    kinds[np.random.default_rng(seed).choice(len(x), int(SHARE * len(x)), replace=False)] = 2
    ref.write_data(folder / "start.data", x, kinds, box, MASSES, np.zeros_like(x))
    return x, box


def neighbours_of(x, box):
    d = x[:, None] - x[None]
    d -= box * np.round(d / box)
    near = np.linalg.norm(d, axis=2)
    return np.argwhere((near > 0.1) & (near < 1.2 * CONSTANT / np.sqrt(2.0)))


def unlike(kinds, pairs):
    return np.mean(kinds[pairs[:, 0]] != kinds[pairs[:, 1]])


def mean_and_error(values, blocks=10):
    """Of the second half, whose blocks are taken as independent."""
    means = [np.mean(b) for b in np.array_split(values[len(values) // 2:], blocks)]
    return np.mean(means), np.std(means, ddof=1) / np.sqrt(blocks)


def frames_of(path):
    """Types by id of each frame of a LAMMPS dump with columns id type."""
    found, lines = [], iter(Path(path).read_text().split("\n"))
    for line in lines:
        if line.startswith("ITEM: NUMBER OF ATOMS"):
            n = int(next(lines))
        if line.startswith("ITEM: ATOMS"):
            names = line.split()[2:]
            table = np.array([next(lines).split() for _ in range(n)])
            order = np.argsort(table[:, names.index("id")].astype(int))
            found.append(table[order, names.index("type")].astype(int))
    return found


def theirs(folder, potential, seed):
    script = f"""units metal
boundary p p p
atom_style atomic
atom_modify map array
read_data start.data
pair_style eam/alloy
pair_coeff * * {potential} {' '.join(ELEMENTS)}
fix 1 all atom/swap 1 {ATTEMPTS} {seed} {TEMPERATURE} ke no types 1 2
thermo_style custom step pe
thermo_modify format float %.12g norm no
thermo {EVERY}
dump 1 all custom {EVERY} theirs.dump id type
run {STEPS}
"""
    try:
        rows = ref.thermo_rows(ref.lammps(folder, script), 2)
    except RuntimeError as error:
        if "Unrecognized fix style" in str(error) or "package MC" in str(error):
            ref.skip("this LAMMPS has no package MC")
        raise
    return rows[:, 1], frames_of(folder / "theirs.dump")


def ours(binary, ranks, folder, potential, seed):
    rows, _ = ref.run_deck(binary, ranks, folder, f"""[structure]
file = "start.data"
[potential]
file = "{potential}"
elements = {list(ELEMENTS)}
[run]
steps = {STEPS}
timestep_ps = 1e-7
seed = {seed}
[temperature]
initial_k = 0.0
[swaps]
every_steps = 1
attempts = {ATTEMPTS}
temperature_k = {TEMPERATURE}
[output]
thermo_every_steps = {EVERY}
trajectory_every_steps = {EVERY}
trajectory_formats = ["dump"]
""", f"ours_{seed}")
    return rows["potential_ev"], frames_of(next((folder / f"ours_{seed}").glob("*.dump")))


def main():
    binary, ranks = sys.argv[1], int(sys.argv[2])
    ref.find_lammps()
    potential = ref.potential("NiAlH_jea.eam.alloy")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        x, box = start(folder, seed=3)
        pairs = neighbours_of(x, box)
        found = {"theirs": theirs(folder, potential, 7), "ours": ours(binary, ranks, folder, potential, 7)}
        for what, series in (("energy", lambda run: run[0]), ("unlike", lambda run: [unlike(k, pairs) for k in run[1]])):
            values = {name: np.array(series(run)) for name, run in found.items()}
            means = {name: mean_and_error(v) for name, v in values.items()}
            error = np.hypot(means["ours"][1], means["theirs"][1])
            change = means["theirs"][0] - values["theirs"][0]
            same_start = abs(values["ours"][0] - values["theirs"][0]) < 1e-6 * max(1.0, abs(values["theirs"][0]))
            apart = abs(means["ours"][0] - means["theirs"][0])
            good &= ref.report(same_start and apart < SIGMAS * error and SIGMAS * error < 0.3 * abs(change),
                               f"{what}: {means['ours'][0]:.5g} +- {means['ours'][1]:.2g}, LAMMPS {means['theirs'][0]:.5g} +- "
                               f"{means['theirs'][1]:.2g}, at the start {values['theirs'][0]:.5g}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
