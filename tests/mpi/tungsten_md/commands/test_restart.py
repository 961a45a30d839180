#!/usr/bin/env python3
"""A run that is cut by SIGTERM and goes on ends as one that was not: bit for bit on the same ranks, to rounding on
others. A run killed outright (SIGKILL) goes on from its last checkpoint.

usage: test_restart.py TUNGSTEN_MD MPIEXEC
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DECK = """title = "restart"
[structure]
lattice_constant_angstrom = 3.1652
cells = [8, 8, 8]
[run]
steps = 2500
timestep_ps = 0.001
[temperature]
initial_k = 300.0
draw_k = 600.0
[thermostat]
kind = "langevin"
region = "border"
[adaptive_timestep]
max_displacement_angstrom = 0.01
[stopping]
kind = "sqrt"
[[pka]]
energy_ev = 80.0
time_ps = 0.05
[output]
thermo_every_steps = 250
defects_every_steps = 250
checkpoint_every_steps = 500
final_state = true
[check]
energy_tolerance_ev_per_atom = 1e-3
"""


PHYSICS = ("atoms", "steps", "simulated_ps", "energy_per_atom_start_ev", "energy_per_atom_end_ev", "temperature_end_k",
           "looks_with_hot_atoms_at_border", "frenkel_pairs_peak", "frenkel_pairs_survivors")


def figure(result, name):
    return next(f["value"] for f in result["figures"] if f["name"] == name)


class Runs:
    def __init__(self, binary, mpiexec, folder):
        self.binary, self.mpiexec, self.folder = binary, mpiexec, folder

    def start(self, out, ranks, *more):
        return subprocess.Popen([self.mpiexec, "-np", str(ranks), self.binary, "run", "case.toml", "--out", out, *more],
                                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True)

    def finish(self, run):
        text, _ = run.communicate(timeout=300)
        return run.returncode, text

    def cut(self, out, ranks, signal_number):
        """Signals the ranks themselves, as Slurm does, once the run has begun."""
        run = self.start(out, ranks)
        for _ in range(600):
            if Path(self.folder, out, "checkpoint.h5").exists() or run.poll() is not None:
                break
            time.sleep(0.02)
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if entry.name.isdigit() and words[0].decode() == self.binary and words[4:5] == [out.encode()] \
                        and os.readlink(entry / "cwd") == self.folder:
                    os.kill(int(entry.name), signal_number)
            except (OSError, UnicodeDecodeError, IndexError):
                continue
        return self.finish(run)

    def atoms(self, out):
        text = Path(self.folder, out, "final.data").read_text()
        rows = text[text.index("Atoms"):text.index("Velocities")].split("\n")[2:]
        return {int(r.split()[0]): [float(x) for x in r.split()[2:5]] for r in rows if r.strip()}

    def farthest(self, a, b):
        box = 8 * 3.1652
        one, two = self.atoms(a), self.atoms(b)
        return max(abs((x - y + box / 2) % box - box / 2) for i in one for x, y in zip(one[i], two[i]))


def main():
    outcomes = []

    def check(good, what):
        print(("ok   " if good else "FAIL ") + what, flush=True)
        outcomes.append(bool(good))

    with tempfile.TemporaryDirectory() as name:
        folder = os.path.realpath(name)
        Path(folder, "case.toml").write_text(DECK)
        runs = Runs(sys.argv[1], sys.argv[2], folder)
        code, text = runs.finish(runs.start("whole", 2))
        check(code == 0, f"an uninterrupted run ends well (exit code {code})")
        code, text = runs.cut("cut", 2, signal.SIGTERM)
        stopped = re.search(r"stopped by a signal after step (\d+)", text)
        check(code == 0 and stopped is not None, f"SIGTERM ends a run cleanly (exit code {code}, "
              f"{stopped.group(0) if stopped else text[-300:]})")
        result = json.loads(Path(folder, "cut/result.json").read_text())
        check(result["status"] == "incomplete" and not result["valid"], "a run that was cut leaves a result that says so")
        code, text = runs.finish(runs.start("cut", 2, "--restart", "auto"))
        check(code == 0, f"it goes on with --restart auto (exit code {code})")
        check(Path(folder, "cut/final.data").read_bytes() == Path(folder, "whole/final.data").read_bytes(),
              "and ends bit for bit where the other did")
        check(Path(folder, "cut/defects.csv").read_bytes() == Path(folder, "whole/defects.csv").read_bytes(),
              "with the same series of defects")
        check(Path(folder, "cut/thermo.csv").read_bytes() == Path(folder, "whole/thermo.csv").read_bytes(),
              "and the same thermo table")
        whole, pieces = (json.loads(Path(folder, out, "result.json").read_text()) for out in ("whole", "cut"))
        for name in PHYSICS:
            check(figure(whole, name) == figure(pieces, name), f"and the same {name}: {figure(pieces, name)}")
        for section in ("energy_ledger_ev", "recoils", "defects", "checks", "case", "end"):
            check(whole[section] == pieces[section], f"and the same {section} in its result")
        check(len(pieces["recoils"]) == 1 and pieces["valid"] and "restarted_from_step" in pieces, "with its recoil")
        code, text = runs.cut("killed", 2, signal.SIGKILL)
        check(code != 0, f"SIGKILL ends a run (exit code {code})")
        code, text = runs.finish(runs.start("killed", 2, "--restart", "auto"))
        check(code == 0 and runs.farthest("killed", "whole") == 0.0, "which goes on from its last checkpoint, bit for bit")
        code, text = runs.cut("three", 2, signal.SIGTERM)
        code, text = runs.finish(runs.start("three", 3, "--restart", "auto", "--set", "run.steps=2500"))
        apart = runs.farthest("three", "whole")
        check(code == 0 and apart < 1e-3, f"on three ranks it ends {apart:.1e} Angstrom from there")
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    sys.exit(not all(outcomes))


if __name__ == "__main__":
    main()
