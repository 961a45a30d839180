#!/usr/bin/env python3
"""Runs whose box follows the pressure, from a lattice constant that the program measures: whole and in pieces, on one rank
and on two, and on the wafer what it can do.

usage: test_pressed_runs.py TUNGSTEN_MD MPIEXEC
"""
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

DECK = """title = "pressed"
[structure]
lattice_constant_angstrom = 3.1652
thermal_expansion = "measure"
cells = [9, 8, 8]
[run]
steps = 300
timestep_ps = 0.002
[temperature]
initial_k = 300.0
draw_k = 600.0
[thermostat]
kind = "langevin"
temperature_k = 300.0
[output]
thermo_every_steps = 5
defects_every_steps = 50
trajectory_every_steps = 50
trajectory_formats = ["h5md", "dump", "xyz"]
checkpoint_every_steps = 50
final_state = true
"""
BAROSTAT = ("barostat.kind=stochastic", "barostat.coupling=axes", "barostat.pressure_axes_gpa=[1,0,0]",
            "barostat.relaxation_time_ps=0.2")


class Runs:
    def __init__(self, binary, mpiexec, folder):
        self.binary, self.mpiexec, self.folder = binary, mpiexec, Path(folder)
        self.failed = 0
        (self.folder / "case.toml").write_text(DECK)

    def check(self, good, what):
        print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
        self.failed += not good

    def run(self, out, ranks, *sets, extra=()):
        words = [w for s in sets for w in ("--set", s)]
        ended = subprocess.run([self.mpiexec, "-np", str(ranks), self.binary, "run", "case.toml", "--out", out, *extra, *words],
                               cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if ended.returncode:
            print(ended.stdout[-500:], ended.stderr[-500:])
        return ended

    def result(self, out):
        return json.loads((self.folder / out / "result.json").read_text())

    def column(self, out, name, behind=0):
        with open(self.folder / out / "thermo.csv", encoding="utf8") as table:
            return [float(row[name]) for row in csv.DictReader(table) if int(row["step"]) > behind]

    def same(self, a, b, names):
        for name in names:
            self.check((self.folder / a / name).read_bytes() == (self.folder / b / name).read_bytes(), f"{a} and {b}: {name}")

    def measured(self):
        ended = self.run("free", 1)
        found = self.result("free")["thermal_expansion"]
        self.check(ended.returncode == 0 and 1.0005 < found["factor"] < 1.0009 and found["standard_error"] < 5e-5,
                   f"the expansion is found: {found}")
        pressures = self.column("free", "pressure_gpa", behind=100)
        mean = sum(pressures) / len(pressures)
        self.check(abs(mean) < 0.15, f"and leaves a pressure of {mean:.3f} GPa")
        self.run("free2", 2)
        self.check(self.result("free2")["thermal_expansion"] == found, "on two ranks it is the same to the last bit")

    def pieces(self):
        for ranks in (1, 2):
            whole, cut = f"whole{ranks}", f"cut{ranks}"
            ended = self.run(whole, ranks, *BAROSTAT)
            self.check(ended.returncode == 0, f"a run under a barostat on {ranks} ranks ends well")
            self.run(cut, ranks, *BAROSTAT, "run.steps=150")
            ended = self.run(cut, ranks, *BAROSTAT, extra=("--restart", "auto"))
            self.check(ended.returncode == 0 and "restarted_from_step" in self.result(cut), "and in two pieces")
            self.same(whole, cut, ("final.data", "thermo.csv", "defects.csv", "defects.json", "trajectory.dump", "trajectory.xyz"))
            for section in ("energy_ledger_ev", "checks", "thermal_expansion", "end"):
                self.check(self.result(whole)[section] == self.result(cut)[section], f"the same {section}")
        lengths = self.column("whole1", "length_x_angstrom")
        self.check(len(set(lengths)) > 20, "the box moves")
        header = next(line for line in reversed((self.folder / "whole1/trajectory.xyz").read_text().splitlines()) if "Lattice" in line)
        self.check(float(header.split('"')[1].split()[0]) == lengths[-1], "and the frames of the trajectory move with it")
        ended = self.run("other", 2, *BAROSTAT, extra=("--restart", "cut1/checkpoint.h5"))
        self.check(ended.returncode == 0, "a checkpoint of one rank goes on on two")
        self.check(self.result("whole1")["defects"]["survivors"]["vacancies"] == 0, "no defect is seen in the box that moved")

    def refused(self, what, expected, *words):
        ended = self.run("refused", 1, *(w for w in words if "=" in w), extra=[w for w in words if "=" not in w])
        lines = [line for line in ended.stderr.splitlines() if line.startswith("tungsten_md: ")]
        self.check(ended.returncode == 2 and len(lines) == 1 and expected in lines[0], f"{what}: {lines}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(sys.argv[1], sys.argv[2], folder)
        runs.measured()
        runs.pieces()
        runs.refused("a barostat on the wafer", "barostat.kind", *BAROSTAT, "structure.thermal_expansion=1.003", "--target", "wafer")
        runs.refused("a chain on the wafer", "thermostat.kind", "thermostat.kind=nose_hoover", "structure.thermal_expansion=1.003",
                     "--target", "wafer")  # fmt: skip
        runs.refused("what melts has no expansion", "found no crystal at 9000 K", "temperature.initial_k=9000", "temperature.draw_k=18000")
        return runs.failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
