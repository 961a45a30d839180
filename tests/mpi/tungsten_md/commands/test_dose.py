#!/usr/bin/env python3
"""Irradiation to a dose, by recoils and by insertion: the same on any number of ranks, cut and killed runs end as whole ones, defects
are counted against the first crystal from run to run, and it ends at its dose.

usage: test_dose.py TUNGSTEN_MD MPIEXEC
"""
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CRYSTAL = """[structure]
lattice_constant_angstrom = 3.1652
cells = [6, 6, 6]
"""
RECOILS = CRYSTAL + """[run]
steps = 100000
timestep_ps = 0.001
seed = 5
[temperature]
initial_k = 100.0
draw_k = 200.0
[thermostat]
kind = "langevin"
region = "border"
temperature_k = 100.0
border_width_angstrom = 3.0
[adaptive_timestep]
max_displacement_angstrom = 0.03
max_ps = 0.002
[dose]
method = "recoils"
recoil_energy_ev = 70.0
first_ps = 0.02
hot_energy_ev = 2.0
least_hot_ps = 0.05
rest_ps = 0.05
threshold_ev = 50.0
stop_dpa = 0.011                     # five of 432 atoms
[output]
checkpoint_every_steps = 50
final_state = true
[check]
energy_tolerance_ev_per_atom = 2e-3
"""
INSERTION = CRYSTAL + """[run]
steps = 1000
seed = 5
[relax]
max_steps = 2000
force_tolerance_ev_per_angstrom = 1e-2
[dose]
method = "insertion"
pairs_at_once = 2
stop_dpa = 0.018                     # eight of 432 atoms
[output]
checkpoint_every_steps = 1
final_state = true
"""
outcomes = []


def check(good, what):
    print(("ok   " if good else "FAIL ") + what, flush=True)
    outcomes.append(bool(good))


class Runs:
    def __init__(self, binary, mpiexec, folder):
        self.binary, self.mpiexec, self.folder = binary, mpiexec, folder

    def words(self, deck, out, *more, ranks=1):
        return [self.mpiexec, "-np", str(ranks), self.binary, "run", deck, "--out", out, *more]

    def run(self, deck, out, *more, ranks=1):
        done = subprocess.run(self.words(deck, out, *more, ranks=ranks), cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stderr

    def result(self, out):
        return json.loads((self.folder / out / "result.json").read_text())

    def rows(self, out):
        with open(self.folder / out / "defects.csv") as file:
            return list(csv.DictReader(file))

    def same(self, a, b):
        """The same atoms to the last bit, and the same counts at rest: a piece also counts where it ends."""
        files = [(self.folder / out / "final.data").read_bytes() for out in (a, b)]
        rows = [[row for row in self.rows(out) if row["at_rest"] == "1"] for out in (a, b)]
        return files[0] == files[1] and rows[0] == rows[1]


def it_ends_at_its_dose(r):
    code, errors = r.run("recoils.toml", "recoils1")
    result = r.result("recoils1")
    rows = [row for row in r.rows("recoils1") if row["at_rest"] == "1"]
    check(code == 0 and result["dose"]["ended_by"] == "dose" and len(result["recoils"]) == 5, f"five recoils (exit code {code}) {errors}")
    check([int(row["events"]) for row in rows] == [1, 2, 3, 4, 5] and abs(float(rows[-1]["dpa"]) - 5 / 432) < 1e-12,
          f"each is counted at rest: {[row['dpa'] for row in rows]}")
    check(len({r["atom"] for r in result["recoils"]}) > 3, "at random atoms")
    code, errors = r.run("insertion.toml", "insertion1")
    result, rows = r.result("insertion1"), r.rows("insertion1")
    check(code == 0 and result["dose"]["ended_by"] == "dose" and int(rows[-1]["events"]) == 8, f"eight insertions (exit code {code}) {errors}")
    check(int(rows[-1]["vacancies"]) > 0, f"leave {rows[-1]['vacancies']} pairs")


def ranks_agree(r):
    for method in ("recoils", "insertion"):
        one = r.result(f"{method}1")
        for ranks in (2, 3):
            code, errors = r.run(f"{method}.toml", f"{method}{ranks}", ranks=ranks)
            other = r.result(f"{method}{ranks}")
            same = one["dose"]["events"] == other["dose"]["events"] and one["dose"]["dpa"] == other["dose"]["dpa"]
            if method == "recoils":
                first = [x["recoils"][0]["atom"] for x in (one, other)]
                same = same and first[0] == first[1]
            check(code == 0 and same, f"{method} on {ranks} ranks: the same events (exit code {code}) {errors}")


def pieces_are_the_whole(r):
    for method, half, ranks in (("recoils", 310, 1), ("recoils", 310, 2), ("insertion", 2, 1), ("insertion", 2, 3)):
        out = f"{method}_cut{ranks}"
        code, errors = r.run(f"{method}.toml", out, "--set", f"run.steps={half}", ranks=ranks)
        check(code == 0 and r.result(out)["dose"]["ended_by"] == "", f"{method}: cut at step {half} on {ranks} ranks (exit code {code}) {errors}")
        code, errors = r.run(f"{method}.toml", out, "--restart", "auto", ranks=ranks)
        check(code == 0 and r.same(out, f"{method}{ranks}"), f"and gone on with: the same bits (exit code {code}) {errors}")
    before = (r.folder / "recoils_cut1/result.json").read_bytes()
    code, _ = r.run("recoils.toml", "recoils_cut1", "--restart", "auto")
    check(code == 0 and (r.folder / "recoils_cut1/result.json").read_bytes() == before, "a dose that is complete is left as it is")
    code, _ = r.run("recoils.toml", "recoils_cut1", "--restart", "auto", "--set", "dose.stop_dpa=0.013")
    check(code == 0 and r.result("recoils_cut1")["dose"]["events"] == 6, "and goes on for a larger dose")


def killed_runs_go_on(r):
    for method in ("recoils", "insertion"):
        out = f"{method}_killed"
        command = [r.binary, "run", f"{method}.toml", "--out", out]
        run = subprocess.Popen(command, cwd=r.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None and not (r.folder / out / "checkpoint.h5").exists():
            time.sleep(0.01)
        run.kill()
        run.wait()
        code, errors = r.run(f"{method}.toml", out, "--restart", "auto")
        check(code == 0 and r.same(out, f"{method}1"), f"{method}: killed and gone on with, the same bits (exit code {code}) {errors}")


def the_first_crystal_stays_the_reference(r):
    """A run from the final state of another counts on."""
    more = '[structure]\nfile = "insertion1/final.data"\nreference = "crystal"\nlattice = "bcc"\nlattice_constant_angstrom = 3.1652\n'
    (r.folder / "second.toml").write_text(more + RECOILS.replace(CRYSTAL, "").replace("stop_dpa = 0.011", "stop_dpa = 0.022\nbefore_dpa = 0.0185")
                                          + "\n")
    code, errors = r.run("second.toml", "second", "--set", "output.thermo_every_steps=1000")
    first, last = r.rows("second")[0], r.rows("insertion1")[-1]
    check(code == 0 and first["vacancies"] == last["vacancies"] and first["step"] == "0",
          f"the second run begins with the first one's {last['vacancies']} vacancies: {first['vacancies']} (exit code {code}) {errors}")
    check(float(first["dpa"]) == 0.0185 and r.result("second")["dose"]["events"] == 2, "and with its dose")


VACANCY_EV = 3.63  # Ackland and Thetford, Phil. Mag. A 56 (1987) 15


def stored_energies_are_those_of_defects(r):
    """Above the perfect crystal: nothing for itself, the formation energy for a vacancy, the same at the end of a dose and after it."""
    relax = "[relax]\nmax_steps = 3000\nforce_tolerance_ev_per_angstrom = 1e-4\n[run]\nsteps = 0\n[output]\ndefects_every_steps = 1\n"
    reference = 'reference = "crystal"\nlattice = "bcc"\nlattice_constant_angstrom = 3.1652\n'
    sites = [(i + b, j + b, k + b) for i in range(6) for j in range(6) for k in range(6) for b in (0.25, 0.75)]
    atoms = "".join(f"{n} 1 {' '.join(repr(3.1652 * c) for c in site)}\n" for n, site in enumerate(sites[1:], 1))
    edges = "".join(f"0 {6 * 3.1652!r} {axis}lo {axis}hi\n" for axis in "xyz")
    (r.folder / "vacancy.data").write_text(f"one atom is missing\n\n{len(sites) - 1} atoms\n1 atom types\n{edges}\n"
                                           f"Masses\n\n1 183.84\n\nAtoms # atomic\n\n{atoms}")
    decks = {"perfect": CRYSTAL, "vacancy": f'[structure]\nfile = "vacancy.data"\n{reference}',
             "after": f'[structure]\nfile = "insertion1/final.data"\n{reference}'}
    stored = {}
    for name, crystal in decks.items():
        (r.folder / f"{name}.toml").write_text(crystal + relax)
        code, errors = r.run(f"{name}.toml", name)
        figures = {f["name"]: f["value"] for f in r.result(name)["figures"]} if code == 0 else {}
        stored[name] = figures.get("stored_energy_per_atom_ev", float("nan")) * figures.get("atoms", 0)
        check(code == 0, f"{name}: stored {stored[name]:.6g} eV (exit code {code}) {errors}")
    check(abs(stored["perfect"]) < 1e-6, "a perfect crystal stores nothing")
    check(abs(stored["vacancy"] - VACANCY_EV) < 0.05, f"a vacancy stores {VACANCY_EV} eV")
    figures = {f["name"]: f["value"] for f in r.result("insertion1")["figures"]}
    at_end = figures["stored_energy_per_atom_ev"] * figures["atoms"]
    check(at_end > 5.0 and abs(at_end - stored["after"]) < 0.05, f"a dose says at its end what relaxation finds behind it: {at_end:.6g} eV")


def saturation_ends_it(r):
    code, errors = r.run("insertion.toml", "saturated", "--set", "dose.saturation_events=2", "--set", "dose.saturation_change=1", "--set",
                         "dose.stop_dpa=1")
    check(code == 0 and r.result("saturated")["dose"]["ended_by"] == "saturation", f"a dose may end by saturation (exit code {code}) {errors}")


def spectra_are_drawn_from(r):
    (r.folder / "spectrum.txt").write_text("60 70 1\n90 100 3\n")
    code, errors = r.run("recoils.toml", "spectrum", "--set", "dose.recoil_energy_ev=0", "--set", "dose.spectrum_file=spectrum.txt")
    energies = [x["energy_ev"] for x in r.result("spectrum")["recoils"]]
    check(code == 0 and len(set(energies)) == len(energies) and all(60 <= e <= 70 or 90 <= e <= 100 for e in energies),
          f"energies are of the spectrum: {[round(e) for e in energies]} (exit code {code}) {errors}")
    code, errors = r.run("recoils.toml", "refused", "--target", "wafer")
    check(code == 2 and "dose.method" in errors, f"the wafer refuses a dose: {errors.strip().splitlines()[:1]}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        r = Runs(sys.argv[1], sys.argv[2], Path(folder))
        (r.folder / "recoils.toml").write_text(RECOILS)
        (r.folder / "insertion.toml").write_text(INSERTION)
        it_ends_at_its_dose(r)
        ranks_agree(r)
        pieces_are_the_whole(r)
        killed_runs_go_on(r)
        the_first_crystal_stays_the_reference(r)
        stored_energies_are_those_of_defects(r)
        saturation_ends_it(r)
        spectra_are_drawn_from(r)
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    sys.exit(0 if all(outcomes) else 1)


if __name__ == "__main__":
    main()
