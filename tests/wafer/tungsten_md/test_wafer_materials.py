#!/usr/bin/env python3
"""Alloys, structure files, relaxation and checkpoints of the other target, as users run them on --target wafer.

usage: test_wafer_materials.py TUNGSTEN_MD MPIEXEC
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DECK = """title = "materials"
[structure]
lattice_constant_angstrom = 3.1652
cells = [8, 8, 3]
boundary = ["periodic", "periodic", "open"]
composition = ["Ta 0.2"]
[potential]
model = "zhou_2004"
elements = ["W", "Ta"]
[wafer]
swap_every_steps = 10
[run]
steps = 20
timestep_ps = 0.001
[temperature]
initial_k = 300.0
draw_k = 300.0
[output]
thermo_every_steps = 10
checkpoint_every_steps = 20
start_state = true
final_state = true
[check]
energy_tolerance_ev_per_atom = 1e-3
"""
FROM_FILE = DECK.replace('lattice_constant_angstrom = 3.1652\ncells = [8, 8, 3]\n', 'file = "FILE"\n').replace('composition = ["Ta 0.2"]\n', "")

WRONG = (('structure.composition=["Ta"]', "structure.composition"), ('structure.composition=["Ta x"]', "structure.composition"),
         ('structure.composition=["Ta 1.5"]', "structure.composition"), ('structure.composition=["Ta 0"]', "structure.composition"),
         ('structure.composition=["Ta -0.1"]', "structure.composition"), ('structure.composition=["Ta nan"]', "structure.composition"),
         ('structure.composition=["Ta 0.1","Ta 0.1"]', "each element once"), ('structure.composition=["W 0.1"]', "each element once"),
         ('structure.composition=["Ta 0.9","Cu 0.9"]', "at most 1 together"), ('structure.composition=["Cu 0.1"]', "potential.elements"),
         ('structure.composition=[" 0.1"]', "each element once"), ("relax.max_steps=10", "fp32"),
         ("structure.cells=[3,8,3]", "periodic axis x"))


def main():
    binary, mpiexec = sys.argv[1:3]
    outcomes = []

    def check(good, what):
        print(("ok   " if good else "FAIL ") + what, flush=True)
        outcomes.append(bool(good))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        (folder / "alloy.toml").write_text(DECK)

        def command(*words, ranks=1):
            start = [mpiexec, "-np", str(ranks)] if ranks > 1 else []
            done = subprocess.run([*start, binary, *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            return done.returncode, done.stdout

        def run(deck, out, *more, target="wafer", ranks=1):
            return command("run", deck, "--target", target, "--out", out, *more, ranks=ranks)

        def result(out):
            return json.loads((folder / out / "result.json").read_text())

        def elements(file):
            rows = (folder / file).read_text().split("Atoms")[1].split("Velocities")[0].splitlines()[2:]
            return dict(tuple(map(int, row.split()[:2])) for row in rows if row.strip())

        def refused(number_and_case):
            number, (option, words) = number_and_case
            code, text = run("alloy.toml", f"wrong{number}", "--set", option)
            one_line = len(text.strip().splitlines()) == 1
            return code == 2 and words in text and one_line and not (folder / f"wrong{number}/result.json").exists(), option, text

        with ThreadPoolExecutor(2) as workers:
            for good, option, text in workers.map(refused, enumerate(WRONG)):
                check(good, f"{option} is refused in one line: {text.strip()[:120]}")

        for out, target, ranks in (("native", "cluster", 2), ("one", "wafer", 1), ("three", "wafer", 3)):
            code, text = run("alloy.toml", out, target=target, ranks=ranks)
            check(code == 0, f"the alloy runs on {target}, {ranks} ranks (exit code {code}){'' if code == 0 else text[-600:]}")
        check((folder / "one/final.data").read_bytes() == (folder / "three/final.data").read_bytes(), "three ranks: the same bits as one")
        types = elements("native/start.data")
        share = sum(t == 2 for t in types.values()) / len(types)
        check(types == elements("one/start.data"), "both targets draw the same alloy")
        check(abs(share - 0.2) < 4 * (0.2 * 0.8 / len(types)) ** 0.5, f"{100 * share:.1f} % of its atoms are tantalum")
        code, text = command("info", "alloy.toml", "--target", "wafer")
        check(code == 0 and "of 2 elements" in text and "potential tables" in text, "info tells the tables of two elements")

        # The other target's checkpoints.
        for out, source, target in (("from_native", "native", "wafer"), ("from_wafer", "three", "cluster")):
            code, text = run("alloy.toml", out, "--restart", f"{source}/checkpoint.h5", "--set", "run.steps=40", target=target, ranks=2)
            good = code == 0 and result(out)["restarted_from_step"] == 20 and result(out)["valid"]
            check(good, f"{target} goes on from {source}'s checkpoint (exit code {code}){'' if good else text[-600:]}")
            check(good and elements(f"{out}/final.data") == types, "with the same elements")
        # A relaxation that is done asks for no tolerance.
        relaxed = ("--set", "relax.max_steps=50", "--set", "relax.force_tolerance_ev_per_angstrom=1e-5", "--set", "run.steps=20")
        code, _ = run("alloy.toml", "relaxed", *relaxed, target="cluster")
        code, text = run("alloy.toml", "from_relaxed", "--restart", "relaxed/checkpoint.h5", *relaxed[:4], "--set", "run.steps=30")
        check(code == 0, f"the wafer goes on behind a native relaxation (exit code {code}){'' if code == 0 else text[-400:]}")
        code, text = run("alloy.toml", "native", "--restart", "auto", "--set", "run.steps=40")
        check(code == 2 and "target" in text, f"but not in the other's folder: {text.strip()[:120]}")
        code, text = run("alloy.toml", "other", "--restart", "native/checkpoint.h5", "--set", "run.seed=5", "--set", "run.steps=40")
        check(code == 2 and "run.seed" in text, f"nor with another case: {text.strip()[:120]}")

        # From a file, relaxed.
        (folder / "file.toml").write_text(FROM_FILE.replace("FILE", "native/final.data"))
        relax = ("--set", "relax.max_steps=300", "--set", "relax.force_tolerance_ev_per_angstrom=1e-3")
        for ranks in (1, 2):
            code, text = run("file.toml", f"file{ranks}", *relax, ranks=ranks)
            check(code == 0, f"a structure file is relaxed and runs on {ranks} ranks (exit code {code}){'' if code == 0 else text[-600:]}")
        check((folder / "file1/final.data").read_bytes() == (folder / "file2/final.data").read_bytes(), "with the same bits")
        value = {f["name"]: f["value"] for f in result("file1")["figures"]}
        check(0 < value["relaxation_steps"] <= 300 and value["relaxation_cycles_per_step"] > 0 and 0.8 < value["occupied_tiles"] <= 1,
              f"{value['relaxation_steps']:.0f} steps of relaxation, {100 * value['occupied_tiles']:.0f} % of the tiles hold an atom")
        code, text = command("info", "file.toml", "--target", "wafer")
        check(code == 0 and "placed atom by atom" in text, "info tells how good the placement is")
        code, text = run("file.toml", "gone", "--restart", "file1/checkpoint.h5", *relax, "--set", "run.steps=30")
        check(code == 0 and result("gone")["restarted_from_step"] == 20, f"and its run goes on from a checkpoint (exit code {code})")
        code, text = run("file.toml", "small", "--tiles", "10x10")
        check(code == 2 and "10 x 10" in text, f"too few tiles are told: {text.strip()[:120]}")
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    sys.exit(not all(outcomes))


main()
