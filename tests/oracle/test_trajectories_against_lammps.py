#!/usr/bin/env python3
"""Trajectories against LAMMPS: 500 steps of NVE of tungsten, 100 of a melting Lennard-Jones crystal, and the first 0.1 ps of a 1 keV cascade.

Both programs start from the same positions and velocities and take the same fixed steps, so they differ by rounding
only, which the crystal's chaos has no time to blow up. LAMMPS rounds amu A^2/ps^2 in eV to eight digits; its masses are
scaled so that the inertia is the same.

usage: test_trajectories_against_lammps.py TUNGSTEN_MD RANKS nve|cascade
"""
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

MASS = {"W": 183.84, "Ar": 39.95}
ENERGY_TOLERANCE = 1e-6  # relative, of potential, kinetic and total energy
POSITION_TOLERANCE = 1e-5  # Angstrom, of every coordinate at the end; a cascade doubles rounding differences every few fs


class Eam:
    """Tungsten, and how each program is told so."""
    element, skin, lists, our_lists = "W", 0.5, "delay 0 every 1 check yes", 0

    def __init__(self, path):
        self.lammps = f"pair_style eam/alloy\npair_coeff * * {path} W"
        self.ours = f'file = "{path}"'


class LennardJones:
    """Argon with lists of bench/in.lj's kind: at fixed steps. Both programs then know the same pairs only where the skin is wide."""
    element, skin, lists, our_lists = "Ar", 3.0, "delay 0 every 20 check no", 20
    lammps = "pair_style lj/cut 8.5125\npair_coeff 1 1 0.010323565 3.405\npair_modify shift yes"
    ours = 'model = "lj/cut"\nepsilon_ev = 0.010323565\nsigma_angstrom = 3.405\nshifted = true'


def thermal_velocities(n, kelvin, seed, element="W"):
    v = np.random.default_rng(seed).normal(0.0, np.sqrt(ref.BOLTZMANN * kelvin / (MASS[element] * ref.AMU_A2_PER_PS2)), (n, 3))
    return v - v.mean(axis=0)


def run_lammps(folder, box, x, v, potential, boundary, steps, timestep, every):
    """Rows of step, potential and kinetic energy; positions at the end."""
    kinds = np.ones(len(x), int)
    ref.write_data(folder / "lammps.data", x, kinds, box,
                   [MASS[potential.element] * ref.AMU_A2_PER_PS2 / ref.LAMMPS_MVV2E], v)
    out = ref.lammps(folder, f"""units metal
boundary {'p p p' if boundary == 'periodic' else 'f f f'}
atom_style atomic
atom_modify map array
read_data lammps.data
{potential.lammps}
neighbor {potential.skin} bin
neigh_modify {potential.lists}
timestep {timestep}
fix 1 all nve
thermo {every}
thermo_style custom step pe ke
thermo_modify format float %.17g norm no
run {steps}
write_dump all custom lammps.dump id type x y z modify sort id format float %.17g
""")
    return ref.thermo_rows(out, 3), ref.vectors(ref.read_dump(folder / "lammps.dump"), "xyz")


def run_ours(binary, ranks, folder, box, x, v, potential, boundary, steps, timestep, every, extra=""):
    """The same, and result.json."""
    ref.write_data(folder / "ours.data", x, np.ones(len(x), int), box, [MASS[potential.element]], v)
    (folder / "deck.toml").write_text(f"""[structure]
file = "ours.data"
boundary = ["{boundary}", "{boundary}", "{boundary}"]
[potential]
{potential.ours}
elements = ["{potential.element}"]
[run]
skin_angstrom = {potential.skin}
list_every_steps = {potential.our_lists}
steps = {steps}
timestep_ps = {timestep}
[output]
thermo_every_steps = {every}
final_state = true
{extra}""")
    ref.run([*(["mpirun", "-np", ranks] if ranks > 1 else []), binary, "run", "deck.toml", "--out", "ours", "--overwrite"], folder)
    table = np.genfromtxt(folder / "ours/thermo.csv", delimiter=",", names=True)
    rows = np.column_stack([table["step"], table["potential_ev"], table["kinetic_ev"]])
    return rows, ref.read_data_atoms(folder / "ours/final.data"), json.loads((folder / "ours/result.json").read_text())


def judge(name, ours, theirs, x_ours, x_theirs, box, periodic):
    assert np.array_equal(ours[:, 0], theirs[:, 0]), "the two programs printed different steps"
    total = [r[:, 1] + r[:, 2] for r in (ours, theirs)]
    difference = x_ours - x_theirs
    if periodic:
        difference -= box * np.round(difference / box)
    errors = {
        "potential": (np.abs(ours[:, 1] - theirs[:, 1]) / np.abs(theirs[:, 1])).max(),
        "kinetic": (np.abs(ours[:, 2] - theirs[:, 2]) / theirs[:, 2]).max(),
        "total": (np.abs(total[0] - total[1]) / np.abs(total[1])).max(),
    }
    apart = np.abs(difference).max()
    good = all(e < ENERGY_TOLERANCE for e in errors.values()) and apart < POSITION_TOLERANCE
    print(f"{'ok  ' if good else 'FAIL'} {name}: {len(x_ours)} atoms, {len(ours)} energies, relative differences "
          + ", ".join(f"{k} {e:.1e}" for k, e in errors.items()) + f"; positions {apart:.1e} Angstrom", flush=True)
    return good


def nve(binary, ranks, folder, boundary):
    """300 K from a perfect lattice that is stretched by 0.3 %, W_zhou, 500 steps of 2 fs."""
    potential = Eam(ref.potential("W_zhou.eam.alloy"))
    gap = 0.0 if boundary == "periodic" else 6.0
    x, _, box = ref.shaken_crystal("bcc", 3.175, (9, 7, 7), 1, 0.0, seed=1, gap=gap)
    v = thermal_velocities(len(x), 600.0, seed=2)
    theirs, x_theirs = run_lammps(folder, box, x, v, potential, boundary, 500, 0.002, 50)
    ours, x_ours, _ = run_ours(binary, ranks, folder, box, x, v, potential, boundary, 500, 0.002, 50)
    return judge(f"NVE, {boundary}, {ranks} ranks", ours, theirs, x_ours, x_theirs, box, boundary == "periodic")


def melt(binary, ranks, folder):
    """An argon crystal that melts: 100 steps of bench/in.lj's length, from its temperature."""
    potential = LennardJones()
    x, _, box = ref.shaken_crystal("fcc", 5.719025, (6, 6, 6), 1, 0.0, seed=1)
    v = thermal_velocities(len(x), 172.512, 4, "Ar")
    theirs, x_theirs = run_lammps(folder, box, x, v, potential, "periodic", 100, 0.010782, 10)
    ours, x_ours, _ = run_ours(binary, ranks, folder, box, x, v, potential, "periodic", 100, 0.010782, 10)
    return judge(f"Lennard-Jones melt, {ranks} ranks", ours, theirs, x_ours, x_theirs, box, True)


def cascade(binary, ranks, folder):
    """Our primary knock-on atom against a velocity set by hand, Ackland-Thetford W (its core is part of it)."""
    path = folder / "W_ackland_thetford.eam.alloy"
    ref.run([binary, "potential", "generate", "--model", "ackland_thetford_1987", "-o", path], folder)
    potential = Eam(path)
    x, _, box = ref.shaken_crystal("bcc", 3.1652, (14, 14, 14), 1, 0.0, seed=1)
    v = thermal_velocities(len(x), 600.0, seed=3)
    steps, timestep = 2000, 5e-5
    pka = """[[pka]]
energy_ev = 1000.0
direction = [1.0, 3.0, 5.0]
"""
    ours, x_ours, result = run_ours(binary, ranks, folder, box, x, v, potential, "periodic", steps, timestep, 100, pka)
    recoil = result["recoils"][0]
    direction, i = np.array([1.0, 3.0, 5.0]) / np.sqrt(35.0), recoil["atom"] - 1
    before = np.sum(v[i]**2)
    along = v[i] @ direction
    v[i] += (np.sqrt(along**2 + 2.0 * 1000.0 / (MASS["W"] * ref.AMU_A2_PER_PS2)) - along) * direction
    gained = 0.5 * MASS["W"] * ref.AMU_A2_PER_PS2 * (np.sum(v[i]**2) - before)
    assert abs(gained - 1000.0) < 1e-9 and abs(recoil["energy_ev"] - 1000.0) < 1e-9, "the recoil did not gain 1 keV"
    theirs, x_theirs = run_lammps(folder, box, x, v, potential, "periodic", steps, timestep, 100)
    travelled = x_theirs[i] - x[i]
    travelled = np.linalg.norm(travelled - box * np.round(travelled / box))
    print(f"     the recoil moved {travelled:.2f} Angstrom; {theirs[-1, 2]:.2f} of {theirs[0, 2]:.2f} eV are still kinetic")
    assert travelled > 3.0, "no cascade: the recoil stayed in its cell"
    # Step 0 is left out: one program counts it before the knock, the other after.
    return judge(f"cascade, {ranks} ranks", ours[1:], theirs[1:], x_ours, x_theirs, box, True)


def main():
    binary, ranks, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    ref.find_lammps()
    with tempfile.TemporaryDirectory() as name:
        if what == "nve":
            good = all([nve(binary, ranks, Path(name), boundary) for boundary in ("periodic", "open")] +
                       [melt(binary, ranks, Path(name))])
        else:
            good = cascade(binary, ranks, Path(name))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
