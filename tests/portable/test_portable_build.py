#!/usr/bin/env python3
"""The portable build: programs of all CPU levels that this machine runs compute the same but for rounding, results name the
level, and ranks of unlike levels are refused. Builds it first, in minutes; what is built already stays.

usage: test_portable_build.py SOURCE BUILD_FOLDER MPIEXEC
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

source, build, mpiexec = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
LEVELS = ["x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"]
DECK = """[structure]
lattice_constant_angstrom = 3.165
cells = [8, 8, 8]
[run]
steps = 40
timestep_ps = 0.002
[temperature]
initial_k = 300.0
[output]
thermo_every_steps = 10
"""
outcomes = []


def check(good, what):
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    outcomes.append(bool(good))


def run(*words, level=None):
    environment = {key: value for key, value in os.environ.items() if key != "WAFERMARK_CPU_LEVEL"}
    if level:
        environment["WAFERMARK_CPU_LEVEL"] = level
    return subprocess.run([str(word) for word in words], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def build_all():
    configured = subprocess.run(["cmake", "--preset", "portable", "-B", build, "-DCMAKE_UNITY_BUILD=ON", "-Wno-dev"], cwd=source)
    return configured.returncode == 0 and subprocess.run(["cmake", "--build", build]).returncode == 0


def last_energy(folder):
    return float(list(csv.DictReader((folder / "thermo.csv").open()))[-1]["total_ev"])


def result(folder):
    return json.loads((folder / "result.json").read_text())


def compare_levels(scratch):
    md, llama = build / "bin/tungsten_md", build / "bin/sparse_llama"
    deck = scratch / "deck.toml"
    deck.write_text(DECK)
    energies, tokens, ran = {}, {}, []
    for level in LEVELS:
        done = run(md, "--version", level=level)
        if done.returncode == 2 and "which this CPU does not run" in done.stderr:
            continue
        check(f"cpu_level: {level}" in done.stdout, f"--version says {level} {done.stderr.strip()}")
        ran.append(level)
        done = run(md, "run", deck, "--out", scratch / f"md_{level}", level=level)
        check(done.returncode == 0, f"tungsten_md for {level} {done.stderr.strip()[-200:]}")
        energies[level] = last_energy(scratch / f"md_{level}")
        check(result(scratch / f"md_{level}")["build"]["cpu_level"] == level, "its result names the level")
        for value in ("fp32", "bf16", "int8"):
            out = scratch / f"llama_{value}_{level}"
            done = run(llama, "run", "--model", source / "inputs/llama/sparse70", "--prompt", "And the LORD said", "--tokens", "24",
                       "--ignore-end", "--value", value, "--out", out, level=level)
            check(done.returncode == 0, f"sparse_llama in {value} for {level} {done.stderr.strip()[-200:]}")
            tokens.setdefault(value, []).append(result(out)["tokens"])
    base = energies[ran[0]]
    check(all(abs(e - base) <= 1e-9 * abs(base) for e in energies.values()), f"energies of all levels agree: {energies}")
    check(all(t == all_of[0] for all_of in tokens.values() for t in all_of), "greedy tokens of all levels agree")
    check(run(md, "--version").stdout.strip().endswith(f"cpu_level: {ran[-1]}"), "the best one starts by itself")
    return md, ran


def refuse_unlike_ranks(md, ran):
    if len(ran) < 2:
        return
    parts = [["-np", "1", "env", f"WAFERMARK_CPU_LEVEL={level}", md, "info"] for level in ran[:2]]
    done = run(mpiexec, *parts[0], ":", *parts[1])
    told = [line for line in done.stderr.splitlines() if "unlike CPU levels" in line]
    check(done.returncode == 2 and len(told) == 1 and f"WAFERMARK_CPU_LEVEL={ran[0]}" in told[0], f"unlike ranks are refused: {told}")


with tempfile.TemporaryDirectory() as folder:
    check(build_all(), "it builds")
    if outcomes[0]:
        refuse_unlike_ranks(*compare_levels(Path(folder)))
sys.exit(not all(outcomes))
