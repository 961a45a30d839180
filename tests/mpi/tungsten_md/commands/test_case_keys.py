#!/usr/bin/env python3
"""Every key of a deck, as `info --keys` lists them, against what a restart does about it: a key either may change from one
piece of a run to the next (docs/reliability.md lists those), or a restart with another value is refused. A new key
that is in neither table fails the test.

usage: test_case_keys.py TUNGSTEN_MD
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CRYSTAL = """[structure]
lattice_constant_angstrom = 3.1652
cells = [4, 4, 4]
boundary = ["periodic", "periodic", "open"]
"""
FROM_FILE = """[structure]
file = "start.data"
boundary = ["periodic", "periodic", "open"]
"""
EVERYTHING = """[run]
steps = 2
[temperature]
initial_k = 300.0
[thermostat]
kind = "langevin"
region = "border"
border_width_angstrom = 2.0
[stopping]
kind = "sqrt"
coefficient_sqrt_ev_per_angstrom = 0.2
[adaptive_timestep]
max_displacement_angstrom = 0.1
max_energy_change_ev = 10.0
[[pka]]
energy_ev = 30.0
[output]
checkpoint_every_steps = 2
trajectory_every_steps = 1
defects_every_steps = 1
[check]
energy_tolerance_ev_per_atom = 1.0
"""
RELAX = "[relax]\nmax_steps = 2\nforce_tolerance_ev_per_angstrom = 100.0\n"
PRESSED = CRYSTAL.replace("open", "periodic") + """[run]
steps = 2
[thermostat]
kind = "nose_hoover"
[barostat]
kind = "stochastic"
coupling = "axes"
[electrons]
model = "two_temperature"
heat_capacity_j_per_m3_k = 4e4
conductivity_w_per_m_k = 100.0
[relax]
max_steps = 2
force_tolerance_ev_per_angstrom = 100.0
box = "isotropic"
pressure_tolerance_gpa = 900.0
[output]
checkpoint_every_steps = 2
[check]
energy_tolerance_ev_per_atom = 1.0
"""
ELECTRONS = CRYSTAL + """[run]
steps = 2
[electrons]
model = "two_temperature"
file = "metal.txt"
[output]
checkpoint_every_steps = 2
"""
TABLE = EVERYTHING.replace('"sqrt"\ncoefficient_sqrt_ev_per_angstrom = 0.2', '"table"\nfile = "powers.txt"')
WAFER = "[wafer]\nmargin_angstrom = 1.0\n"
# Decks by name, each with its target.
ARGON = """[structure]
lattice = "fcc"
element = "Ar"
lattice_constant_angstrom = 5.3
cells = [4, 4, 4]
[potential]
model = "lj/cut"
epsilon_ev = 0.01
sigma_angstrom = 3.4
[run]
steps = 2
[output]
checkpoint_every_steps = 2
"""
IRRADIATED = CRYSTAL.replace(', "open"]', ', "periodic"]') + """[run]
steps = 2
[check]
energy_tolerance_ev_per_atom = 1.0
[output]
checkpoint_every_steps = 2
[dose]
method = "recoils"
recoil_energy_ev = 30.0
"""
RELAXED = CRYSTAL.replace(', "open"]', ', "periodic"]') + RELAX + """[run]
steps = 2
[output]
checkpoint_every_steps = 2
[dose]
method = "insertion"
"""
DECKS = {"argon": (ARGON, "cluster"), "crystal": (CRYSTAL + EVERYTHING + RELAX, "cluster"), "file": (FROM_FILE + TABLE, "cluster"),
         "pressed": (PRESSED, "cluster"), "irradiated": (IRRADIATED, "cluster"), "relaxed": (RELAXED, "cluster"), "electrons": (ELECTRONS, "cluster"),
         "wafer": (CRYSTAL.replace("[4, 4, 4]", "[8, 8, 3]") + EVERYTHING.replace("trajectory_every_steps = 1\n", "") + WAFER, "wafer")}  # fmt: skip
# Another value of each key that a restart must refuse: {deck: {key: value}}.
CASE = {
    "crystal": {
        "structure.boundary": '["periodic","open","open"]', "structure.lattice": "fcc",
        "structure.lattice_constant_angstrom": "3.17", "structure.thermal_expansion": "1.01", "structure.cells": "[4,4,5]",
        "structure.file": "start.data", "potential.file": "other.eam.alloy", "potential.model": "zhou_2004",
        "potential.core": "zbl_dft", "potential.table_points": "300", "run.timestep_ps": "0.0005", "run.precision": "mixed",
        "run.seed": "2", "temperature.initial_k": "310", "temperature.draw_k": "310", "thermostat.kind": "none",
        "thermostat.region": "box", "thermostat.temperature_k": "310", "thermostat.damping_time_ps": "0.2",
        "thermostat.border_width_angstrom": "2.5", "thermostat.start_ps": "1", "thermostat.stop_ps": "5",
        "electrons.model": "friction", "stopping.kind": "none", "stopping.coefficient_sqrt_ev_per_angstrom": "0.3", "stopping.cutoff_energy_ev": "11",
        "adaptive_timestep.max_displacement_angstrom": "0.2", "adaptive_timestep.max_energy_change_ev": "11",
        "adaptive_timestep.min_ps": "1e-6", "adaptive_timestep.max_ps": "0.002", "adaptive_timestep.growth": "1.1",
        "relax.max_steps": "3", "relax.force_tolerance_ev_per_angstrom": "101",
        "pka.0.energy_ev": "31", "pka.0.direction": "[1,0,0]", "pka.0.site": "random", "pka.0.position_angstrom": "[1,1,1]",
        "pka.0.time_ps": "0.0001", "pka.0.element": "W",
    },
    "irradiated": {
        "dose.recoil_energy_ev": "31", "dose.first_ps": "0.1", "dose.hot_energy_ev": "2", "dose.least_hot_ps": "0.6",
        "dose.most_hot_ps": "9", "dose.rest_ps": "2", "dose.rest_temperature_k": "10", "dose.rest_damping_time_ps": "0.2",
        "dose.threshold_ev": "80", "dose.before_dpa": "0.1", "dose.recoil_element": "W",
    },
    "relaxed": {"dose.pairs_at_once": "2", "dose.method": "none"},
    "argon": {"potential.epsilon_ev": "0.011", "potential.sigma_angstrom": "3.3", "potential.cutoff_angstrom": "8.4",
              "potential.shifted": "true", "run.list_every_steps": "2"},
    "pressed": {
        "thermostat.chain_links": "4", "barostat.kind": "berendsen", "barostat.coupling": "isotropic", "barostat.pressure_gpa": "1",
        "barostat.pressure_axes_gpa": "[1,2,3]", "barostat.relaxation_time_ps": "2", "barostat.compressibility_per_gpa": "0.01",
        "barostat.every_steps": "5", "barostat.start_ps": "1", "barostat.stop_ps": "5", "relax.box": "axes",
        "electrons.coupling_time_ps": "5", "electrons.min_energy_ev": "0.01",
        "electrons.max_energy_ev": "9", "electrons.temperature_k": "10", "electrons.cells": "[1,2,1]",
        "electrons.heat_capacity_j_per_m3_k": "5e4", "electrons.conductivity_w_per_m_k": "10", "relax.pressure_gpa": "1", "relax.pressure_tolerance_gpa": "901",
    },
    "electrons": {"electrons.file": "other_metal.txt"},
    "file": {
        "structure.file": "other.data", "structure.reference": "start", "structure.lattice": "bcc",
        "structure.lattice_constant_angstrom": "3.17", "structure.cells": "[4,4,4]",
        "stopping.file": "others.txt",
    },
    "wafer": {
        "wafer.machine": "wse3", "wafer.changes": '["core.clock_mhz.value=425"]', "wafer.tiles": "[200,200]",
        "wafer.list_reuse_steps": "2", "wafer.margin_angstrom": "1.5", "wafer.neighbourhood": "7", "wafer.table_points": "300",
        "wafer.swap_every_steps": "5", "wafer.force_symmetry": "true", "wafer.tiles_per_atom": "4",
        "wafer.squared_tables": "true", "wafer.fused_density": "true", "wafer.blocking_receives": "true",
    },
}  # fmt: skip
ALLOY = ("stopping.kind=none", "potential.model=zhou_2004", 'structure.composition=["Ta 0.1"]', 'output.trajectory_formats=["xyz"]')
# Keys that stand only beside others: {deck: {key: (all that is set)}}.
CASE_TOGETHER = {
    "crystal": {
        "structure.element": ("potential.model=zhou_2004", "structure.element=Ta"),
        "structure.lost_atoms": ("structure.lost_atoms=drop", 'output.trajectory_formats=["xyz"]'),
        "structure.composition": ("stopping.kind=none", "potential.model=zhou_2004", 'structure.composition=["Ta 0.1"]'),
        "potential.elements": ("stopping.kind=none", "potential.model=zhou_2004", 'potential.elements=["W","Ta"]'),
        "swaps.every_steps": (*ALLOY, "swaps.every_steps=1"),
        "swaps.attempts": (*ALLOY, "swaps.every_steps=1", "swaps.attempts=2"),
        "swaps.temperature_k": (*ALLOY, "swaps.every_steps=1", "swaps.temperature_k=9"),
        "potential.core_inner_angstrom": ("potential.core=zbl", "potential.core_inner_angstrom=1.1"),
        "potential.core_outer_angstrom": ("potential.core=zbl", "potential.core_outer_angstrom=2.1"),
    },
    "pressed": {
        "thermostat.schedule_ps": ("thermostat.schedule_k=[300,400]", "thermostat.schedule_ps=[0,1]"),
        "thermostat.schedule_k": ("thermostat.schedule_ps=[0,1]", "thermostat.schedule_k=[300,400]"),
        "relax.pressure_axes_gpa": ("relax.box=axes", "relax.pressure_axes_gpa=[1,2,3]"),
    },
    "irradiated": {"dose.spectrum_file": ("dose.recoil_energy_ev=0", "dose.spectrum_file=spectrum.txt")},
    "wafer": {
        "wafer.layer_cells": ("wafer.layer_cells=1", "wafer.force_symmetry=false", "wafer.tiles_per_atom=1"),
        "wafer.list_skin_angstrom": ("wafer.list_reuse_steps=2", "wafer.list_skin_angstrom=0.4"),
        "wafer.time_step_every_steps": ("adaptive_timestep.max_energy_change_ev=0", "wafer.time_step_every_steps=4"),
        "wafer.untested_lists": ("wafer.list_reuse_steps=2", "wafer.squared_tables=true", "wafer.fused_density=true",
                                 "wafer.untested_lists=true"),
    },
}
MAY_CHANGE = {
    "crystal": {
        "title": "other", "run.steps": "5", "run.duration_ps": "9", "run.skin_angstrom": "0.6", "run.neighbour_list": "full",
        "run.launch": "kernels",  # the other words are not for decks with a bath; test_pieces.py goes from one to another
        "run.lanes_per_atom": "8", "run.rank_grid": "[1,1,1]", "output.thermo_every_steps": "2", "output.defects_every_steps": "2",
        "output.trajectory_every_steps": "2", "output.trajectory_formats": '["dump"]', "output.checkpoint_every_steps": "1",
        "output.start_state": "true", "output.final_state": "true", "check.energy_tolerance_ev_per_atom": "2",
        "check.momentum_tolerance": "1", "potential.format": "auto", "wafer.machine": "wse3",
    },
    "irradiated": {"dose.stop_dpa": "9", "dose.saturation_events": "50"},
    "relaxed": {"dose.saturation_change": "0.1"},
    "wafer": {"wafer.blocks": "[1,1]", "wafer.trace": "[{x=0,y=0}]"},
}  # fmt: skip
PARTS = {"pka"}  # stand for the keys below them


class Keys:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.failed, self.count = [], 0

    def call(self, *words):
        return subprocess.run([self.binary, *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip

    def expect(self, good, what):
        self.count += 1
        print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
        if not good:
            self.failed.append(what)

    def files(self):
        for model, name in (("zhou_2004", "other.eam.alloy"),):
            made = self.call("potential", "generate", "--model", model, "--elements", "W", "-o", name)
            assert made.returncode == 0, made.stderr
        (self.folder / "powers.txt").write_text("1 0.1\n1e6 9\n")
        (self.folder / "metal.txt").write_text("0 0 200\n1000 137000 150\n")
        (self.folder / "other_metal.txt").write_text("0 0 200\n1000 137000 140\n")
        (self.folder / "spectrum.txt").write_text("10 30 1\n30 50 2\n")
        (self.folder / "others.txt").write_text("1 0.2\n1e6 9\n")
        for name, more in (("start", ()), ("other", ("--set", "run.seed=3"))):
            deck = self.folder / f"{name}.toml"
            deck.write_text(CRYSTAL + "[run]\nsteps = 0\n[temperature]\ninitial_k = 300\n[output]\nfinal_state = true\n")
            made = self.call("run", deck.name, "--out", name, *more)
            assert made.returncode == 0, made.stderr
            (self.folder / name / "final.data").rename(self.folder / f"{name}.data")

    def first_pieces(self):
        for name, (text, target) in DECKS.items():
            (self.folder / f"{name}.toml").write_text(text)
            ended = self.call("run", f"{name}.toml", "--out", f"{name}-out", "--target", target)
            assert ended.returncode in (0, 3), ended.stderr

    def go_on(self, deck, sets, out):
        words = [w for s in sets for w in ("--set", s)]
        ended = self.call("run", f"{deck}.toml", "--restart", f"{deck}-out/checkpoint.h5", "--out", out, "--target",
                          DECKS[deck][1], *words)  # fmt: skip
        lines = [line for line in ended.stderr.splitlines() if line.startswith("tungsten_md: ")]
        return ended.returncode, lines[0][13:] if lines else ""

    def refused(self, deck, key, sets):
        code, line = self.go_on(deck, sets, f"{deck}-{key}-refused")
        self.expect(code == 2 and "is of another case: found " in line and ", now " in line, f"{deck}, {sets[-1]}: {line[:140]}")

    def taken(self, deck, key, value):
        sets = (f"{key}={value}",) if key == "run.steps" else ("run.steps=4", f"{key}={value}")
        code, line = self.go_on(deck, sets, f"{deck}-{key}-taken")
        self.expect(code in (0, 3) and "another case" not in line, f"{deck}, {sets[-1]} may change (exit code {code}) {line[:140]}")

    def all(self):
        listed = {line.split()[0] for line in self.call("info", "--keys").stdout.splitlines() if re.match(r"[a-z]", line)}
        known = PARTS | {k for table in (CASE, CASE_TOGETHER, MAY_CHANGE) for keys in table.values() for k in keys}
        self.expect(listed and not listed - known, f"keys that are in no table of this test: {sorted(listed - known)}")
        self.expect(not known - listed, f"keys of this test that decks no longer have: {sorted(known - listed)}")
        self.files()
        self.first_pieces()
        with ThreadPoolExecutor(3) as pool:
            for deck, keys in CASE.items():
                for key, value in keys.items():
                    pool.submit(self.refused, deck, key, (f"{key}={value}",))
            for deck, keys in CASE_TOGETHER.items():
                for key, sets in keys.items():
                    pool.submit(self.refused, deck, key, sets)
            for deck, keys in MAY_CHANGE.items():
                for key, value in keys.items():
                    pool.submit(self.taken, deck, key, value)
        print(f"{self.count - len(self.failed)} passed, {len(self.failed)} failed")
        return 1 if self.failed else 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        return Keys(str(Path(sys.argv[1]).resolve()), Path(folder).resolve()).all()


if __name__ == "__main__":
    sys.exit(main())
