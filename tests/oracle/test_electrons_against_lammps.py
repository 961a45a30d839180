#!/usr/bin/env python3
"""Electrons against LAMMPS, which needs its package EXTRA-FIX (skipped without): what a recoil loses by electronic stopping (fix
electron/stopping, the same table, to 0.5 %), and how hot electrons and atoms come to one temperature (fix ttm, to 2 %: both are noisy).

usage: test_electrons_against_lammps.py TUNGSTEN_MD RANKS
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

MASS, CONSTANT = 183.84, 3.16475  # W_zhou
LOST, WARMED = 5e-3, 2e-2
RECOIL_EV = 500.0
# Two-temperature model: a heat capacity of electrons that is about the atoms', so that both change.
HEAT_CAPACITY, CONDUCTIVITY, HOT_K, TIME_PS = 2e6, 100.0, 1500.0, 1.0  # J/(m^3 K), W/(m K), K, ps
EV = 1.602176634e-19


def theirs(folder, script):
    try:
        return ref.lammps(folder, script)
    except RuntimeError as error:
        if "Unrecognized fix style" in str(error) or "EXTRA-FIX" in str(error):
            ref.skip("this LAMMPS has no package EXTRA-FIX")
        raise


def stopping(binary, ranks, folder, potential):
    """One atom of a cold crystal has all the energy; 0.05 ps."""
    x, _, box = ref.shaken_crystal("bcc", CONSTANT, (10, 10, 10), 1, 0.0, seed=1)
    v = np.zeros_like(x)
    direction = np.array([1.0, 3.0, 5.0]) / np.sqrt(35.0)
    v[len(x) // 2] = np.sqrt(2 * RECOIL_EV / (MASS * ref.LAMMPS_MVV2E)) * direction
    ref.write_data(folder / "start.data", x, np.ones(len(x), int), box, [MASS], v)
    energies = np.concatenate([[1.0], np.geomspace(5.0, 2000.0, 60)])
    (folder / "powers.txt").write_text("".join(f"{e:.9g} {0.2167 * np.sqrt(e):.9g}\n" for e in energies))
    out = theirs(folder, ref.tungsten_head(potential) + """timestep 0.00005
fix 1 all nve
fix 2 all electron/stopping 10.0 powers.txt
thermo_style custom step f_2 etotal
thermo_modify format float %.12g
thermo 1000
run 1000
""")
    rows = np.array(ref.thermo_rows(out, 3))
    lost = rows[-1, 1]
    _, result = ref.run_deck(binary, ranks, folder, f"""[structure]
file = "start.data"
[potential]
file = "{potential}"
[run]
steps = 1000
timestep_ps = 0.00005
[stopping]
kind = "table"
file = "powers.txt"
cutoff_energy_ev = 10.0
""", "stopped")
    ledger = result["energy_ledger_ev"]["stopping"]
    apart = abs(ledger / lost - 1.0)
    return ref.report(apart < LOST and lost > 1.0 and result["valid"],
                      f"electronic stopping of {RECOIL_EV:g} eV on {ranks} ranks: {ledger:.4f} and {lost:.4f} eV lost, {apart:.1e} apart "
                      f"(LAMMPS' total energy: {rows[0, 2] - rows[-1, 2]:.4f})")


def two_temperatures(binary, ranks, folder, potential):
    x, _, box = ref.shaken_crystal("bcc", CONSTANT, (12, 12, 12), 1, 0.0, seed=1)
    v = np.random.default_rng(2).normal(size=x.shape) * np.sqrt(ref.BOLTZMANN * 600.0 / (MASS * ref.LAMMPS_MVV2E))
    ref.write_data(folder / "start.data", x, np.ones(len(x), int), box, [MASS], v - v.mean(axis=0))
    capacity = HEAT_CAPACITY / EV / 1e30  # eV/(A^3 K)
    conductivity = CONDUCTIVITY / EV / 1e10 / 1e12  # eV/(ps A K)
    out = theirs(folder, ref.tungsten_head(potential) + f"""timestep 0.002
fix 1 all nve
fix 2 all ttm 4711 {capacity:.12g} 1.0 {conductivity:.12g} {MASS / TIME_PS:.12g} 0.0 0.0 2 2 2 set {HOT_K}
thermo_style custom step temp f_2[1]
thermo_modify format float %.12g
thermo 20
run 1500
""")
    rows = np.array(ref.thermo_rows(out, 3))
    late = rows[rows[:, 0] > 1000]
    their_atoms, their_electrons = late[:, 1].mean(), late[:, 2].mean() / (capacity * np.prod(box))
    table, result = ref.run_deck(binary, ranks, folder, f"""[structure]
file = "start.data"
[potential]
file = "{potential}"
[run]
steps = 1500
timestep_ps = 0.002
[electrons]
model = "two_temperature"
coupling_time_ps = {TIME_PS}
cells = [2, 2, 2]
temperature_k = {HOT_K}
heat_capacity_j_per_m3_k = {HEAT_CAPACITY}
conductivity_w_per_m_k = {CONDUCTIVITY}
max_energy_ev = 100.0
[output]
thermo_every_steps = 20
[check]
energy_tolerance_ev_per_atom = 1e-3
""", "warmed")
    late = table[table["step"] > 1000]
    atoms, electrons = late["temperature_k"].mean(), late["electron_temperature_k"].mean()
    good = abs(atoms / their_atoms - 1) < WARMED and abs(electrons / their_electrons - 1) < WARMED and result["valid"]
    # Both must have moved, or the comparison says nothing.
    good &= atoms > 500.0 and electrons < 0.8 * HOT_K
    return ref.report(good, f"two temperatures after 3 ps on {ranks} ranks: atoms {atoms:.1f} and {their_atoms:.1f} K, electrons {electrons:.1f} and "
                            f"{their_electrons:.1f} K")


def main():
    ref.find_lammps()
    binary, ranks = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    potential = ref.potential("W_zhou.eam.alloy")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        return all([compare(binary, ranks, folder, potential) for compare in (stopping, two_temperatures)])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
