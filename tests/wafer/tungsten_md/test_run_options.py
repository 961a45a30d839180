#!/usr/bin/env python3
"""Every option of tungsten_md run, alone, before and behind --set: it is used, and the result says so. And what options are
refused together, or for the other target, in run, info and validate.

usage: test_run_options.py TUNGSTEN_MD
"""
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WAFERS = Path(__file__).resolve().parents[3] / "inputs/wafers"
DECK = """[structure]
lattice_constant_angstrom = 3.1652
cells = [4, 4, 2]
boundary = ["open", "open", "open"]
[wafer]
margin_angstrom = 1.0
[run]
steps = 4
[temperature]
initial_k = 300.0
[output]
checkpoint_every_steps = 2
[check]
energy_tolerance_ev_per_atom = 1e-3
"""
STEPS = ["--set", "run.steps=6"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def figure(result, name):
    return next(f["value"] for f in result["figures"] if f["name"] == name)


def main():
    binary = sys.argv[1]
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "case.toml").write_text(DECK)
        (folder / "mine.toml").write_text((WAFERS / "wse3.toml").read_text().replace('"wse3"', '"mine"'))

        def call(*words):
            return subprocess.run([binary, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)

        def run(out, *words):
            done = call("run", "case.toml", "--out", out, *words)
            path = folder / out / "result.json"
            return json.loads(path.read_text()) if done.returncode == 0 else done.stderr

        plain = run("plain", "--target", "wafer")
        rate = figure(plain, "steps_per_second")
        # What each option does to the result, with --target wafer.
        effects = {
            "--out": (["--target", "wafer"], lambda r: True),
            "--target": (["--target", "wafer"], lambda r: r["target"] == "wafer"),
            "--set": (["--target", "wafer", "--set", "title=other"], lambda r: "'other'" in r["deck"]["toml"] or '"other"' in r["deck"]["toml"]),
            "--tiles": (["--target", "wafer", "--tiles", "90x80"], lambda r: re.search(r"tiles = \[ 90, 80 \]", r["deck"]["toml"])),
            "--machine": (["--target", "wafer", "--machine", "wse3"],
                          lambda r: r["wafer"]["machine"] == "wse3" and r["wafer"]["machine_sha256"] == digest(WAFERS / "wse3.toml")),
            "--machine-set": (["--target", "wafer", "--machine-set", "core.clock_mhz.value=425", "--machine-set", "energy.hop_pj.value=9"],
                              lambda r: abs(figure(r, "steps_per_second") / rate - 0.5) < 0.05 and
                              r["wafer"]["machine_changes"] == ["core.clock_mhz.value=425", "energy.hop_pj.value=9"]),
            "--overwrite": (["--target", "wafer", "--overwrite"], lambda r: r["status"] == "complete"),
            "--restart": (["--target", "wafer", "--restart", "plain/checkpoint.h5"], lambda r: r.get("restarted_from_step", 0) > 0),
        }
        options = set(re.findall(r"^ +(?:-\w,)?(--(?!kokkos)[\w-]+)", call("run", "--help").stdout, re.M)) - {"--help"}
        if options != set(effects):
            problems.append(f"options of run {sorted(options)}, tested here {sorted(effects)}")
        for option, (words, seen) in effects.items():
            for order, line in (("alone", words), ("before --set", words + STEPS), ("behind --set", STEPS + words)):
                result = run(f"{option}_{order}".replace(" ", "_"), *line)
                if isinstance(result, str):
                    problems.append(f"{option} {order}: {result.strip()}")
                elif not seen(result):
                    problems.append(f"{option} {order}: has no effect")
                elif order != "alone" and not re.search(r"steps = 6\b", result["deck"]["toml"]):
                    problems.append(f"{option} {order}: --set has no effect")
                elif option != "--machine" and result["wafer"]["machine_sha256"] != digest(WAFERS / "wse2.toml"):
                    problems.append(f"{option} {order}: another machine, {result['wafer']['machine_file']}")

        def refused(words, *expected):
            done = call(*words)
            lines = done.stderr.splitlines()
            if done.returncode != 2 or len(lines) != 1 or not all(e in lines[0] for e in expected):
                problems.append(f"{' '.join(words)}: expected one line with {expected}, exit code 2; found {done.returncode}: {done.stderr}")

        refused(["run", "case.toml", "--out", "plain", "--target", "wafer"], "--out plain", "earlier run", "--overwrite")
        if isinstance(again := run("plain", "--target", "wafer", "--overwrite", *STEPS), str) or figure(again, "steps") != 6:
            problems.append(f"--overwrite does not begin anew: {again}")

        wafer = ["run", "case.toml", "--out", "bad", "--target", "wafer"]
        one_step = ["--set", "run.steps=1"]
        for more in ([], one_step):
            refused([*wafer, "--machine", "nosuch", *more], "'nosuch'", "mine, wse2, wse3")
            refused([*wafer, *more, "--machine", "nosuch"], "'nosuch'", "mine, wse2, wse3")
            refused([*wafer, "--tiles", "1x1", *more], "tiles")
            refused([*wafer, *more, "--tiles", "800x1000"], "found 800 tiles", "at most the 769 x 1044 of wse2")
        for tiles in ("8by8", "8x", "x8", "0x8", "-1x8", "1e3x8", "8x8x8", "99999999999x8", "8x8 ", ""):
            refused([*wafer, "--tiles", tiles], "--tiles", f"'{tiles}'")
        refused([*wafer, "--machine", "wse3", "--set", "wafer.machine=wse2"], "--machine", "--set wafer.machine=wse2", "both")
        refused([*wafer, "--tiles", "8x8", "--set", "wafer.tiles=[8, 8]"], "--tiles", "--set", "both")
        refused([*wafer, "--machine-set", "a=1", "--set", 'wafer={changes=["a=1"]}'], "--machine-set", "--set", "both")
        refused([*wafer, "--machine-set", "core.clock_mhz.value=1e300"], "core.clock_mhz.value' = 1e300", "from 1 to 100000")
        refused([*wafer, "--machine", ""], "--machine", "''")
        refused([*wafer, "--machine", "x" * 5000], "xxx...", "mine, wse2, wse3")
        for option in (["--tiles", "8x8"], ["--machine", "wse2"], ["--machine-set", "core.clock_mhz.value=425"]):
            refused(["run", "case.toml", "--out", "bad", *option], option[0], "found --target cluster, expected --target wafer")
            refused(["info", "case.toml", *option], option[0], "found --target cluster, expected --target wafer")
            refused(["info", *option], option[0])
        refused(["info", "--set", "run.steps=1"], "--set", "no deck")
        refused(["info", "--target", "wafer"], "no deck")
        refused([*wafer, "--set", "wafer.neighbourhood=128"], "= 128", "from 0 to 127")
        refused([*wafer, "--set", "wafer.trace=[{x=99,y=99}]"], "wafer.trace", "99,99")
        if (folder / "bad/result.json").exists():
            problems.append("a refused run left a result")

        told = call("info", "case.toml", "--target", "wafer", "--machine", "mine.toml", "--set", "run.steps=1").stdout
        if "machine           mine" not in told:
            problems.append(f"info --machine mine.toml says {told[:300]}")

        for metal in ("Ta", "Cu", "W"):
            (folder / f"sc24_{metal}.toml").write_text(DECK)
        done = call("validate", "--decks", ".", "--steps", "1", "--out", "validation", "--machine", "mine.toml")
        if done.returncode != 0 or "no published figure for mine" not in done.stdout or "published 699000" in done.stdout:
            problems.append(f"validate --machine mine.toml: exit code {done.returncode}, {done.stdout[:600]} {done.stderr}")
        refused(["validate", "--decks", ".", "--steps", "1", "--out", "v", "--set", "run.steps=3"], "--steps", "both")
    for problem in problems:
        print("FAIL", problem)
    print("every option is used" if not problems else f"{len(problems)} problems")
    sys.exit(bool(problems))


main()
