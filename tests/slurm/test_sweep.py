#!/usr/bin/env python3
"""jobscripts/sweep.py on this machine: what it runs, what it leaves out, what it runs again, and what it refuses.

usage: test_sweep.py TUNGSTEN_MD SPARSE_LLAMA
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from small_deck import DECK

JOBSCRIPTS = Path(__file__).resolve().parents[2] / "jobscripts"
sys.path.insert(0, str(JOBSCRIPTS))
import made_by  # noqa: E402
import sweep  # noqa: E402

outcomes = []


def check(good, what):
    print(("ok   " if good else "FAIL ") + what, flush=True)
    outcomes.append(bool(good))


def ranks_are_cut_into_grids():
    grids = {n: sweep.factors(n, 3) for n in (1, 2, 7, 12, 64, 512)}
    check(grids == {1: [1, 1, 1], 2: [2, 1, 1], 7: [7, 1, 1], 12: [3, 2, 2], 64: [4, 4, 4], 512: [8, 8, 8]},
          f"grids are as cubic as can be: {grids}")
    check(sweep.factors(12, 2) == [4, 3], "also in a plane")


class Sweeps:
    def __init__(self, folder, tungsten_md, sparse_llama):
        self.folder, self.tungsten_md, self.sparse_llama = folder, tungsten_md, sparse_llama
        self.deck = folder / "case.toml"
        self.deck.write_text(DECK)

    def run(self, *arguments, binary=None):
        done = subprocess.run([sys.executable, JOBSCRIPTS / "sweep.py", *arguments, "--binary", binary or self.tungsten_md,
                               "--out", "out"], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def results(self):
        return {p.parent.name: json.loads(p.read_text()) for p in self.folder.glob("out/*/result.json")}


def a_sweep_is_run_once(s):
    code, text = s.run("case.toml", "--ranks", "1,2", "--repeats", "2")
    made = s.results()
    check(code == 0 and text.count(": ok") == 4, f"four runs are made (exit code {code})")
    check(sorted(r["machine"]["ranks"] for r in made.values()) == [1, 1, 2, 2], "two on each number of ranks")
    code, text = s.run("case.toml", "--ranks", "1,2", "--repeats", "2")
    check(code == 0 and ": ok" not in text and s.results() == made, "and not made again")
    code, text = s.run("case.toml", "--ranks", "1,2,4", "--repeats", "2", "--prepare")
    check(text.count("\n") == 2 and all(line.startswith("4 ranks") for line in text.splitlines()),
          "a further number of ranks adds its own runs only")
    name = sorted(made)[0]
    made[name]["valid"] = False
    (s.folder / "out" / name / "result.json").write_text(json.dumps(made[name]))
    code, text = s.run("case.toml", "--ranks", "1,2", "--repeats", "2")
    check(code == 0 and text.count(": ok") == 1 and s.results()[name]["valid"], "a result that is not valid is made anew")
    check(f"{name}: not valid: kept as {name}.old1" in text and not s.results()[f"{name}.old1"]["valid"],
          "which says so, and keeps the old one under another name")
    s.deck.write_text(DECK.replace("steps = 10", "steps = 12"))
    code, text = s.run("case.toml", "--ranks", "1", "--collect")
    check(code == 1 and "no valid result" in text, "a changed deck does not take the old results for its own")
    s.deck.write_text(DECK)


def problems_grow_with_the_ranks(s):
    s.run("case.toml", "--ranks", "2", "--weak", "--set", "structure.cells=[4, 4, 4]")
    atoms = [f["value"] for r in s.results().values() for f in r["figures"] if f["name"] == "atoms"]
    check(256 in atoms, f"twice the cells on two ranks ({atoms})")
    code, text = s.run("--app", "sparse_llama", "--ranks", "2", "--weak", "--synthetic", "tinyllama-1.1b:sparsity=0.7,layers=1",
                       "--format", "bit_mask", "--tokens", "2", "--prompt-tokens", "2", binary=s.sparse_llama)
    models = [r["model"] for r in s.results().values() if r["app"] == "sparse_llama"]
    check(code == 0 and [m["sequences"] for m in models] == [2], f"twice the sequences of a Llama (exit code {code})")


def results_of_something_else_are_no_results(s):
    line = ("case.toml", "--ranks", "1", "--set", "run.steps=11")
    s.run(*line)
    (place,) = (p.parent for p in s.folder.glob("out/case_cluster_strong_1_r1_*/result.json")
                if '"value": 11.0' in p.read_text() or '"value":11.0' in p.read_text())
    result, record = (json.loads((place / name).read_text()) for name in ("result.json", "sweep.json"))
    other_deck = result["deck"] | {"toml": result["deck"]["toml"].replace("300", "400")}
    for name, content, reason in (
        ("result.json", result | {"build": result["build"] | {"commit": "0123456789ab"}}, "commit is '0123456789ab'"),
        ("result.json", result | {"build": result["build"] | {"backend": "Cuda"}}, "backend is 'Cuda'"),
        ("result.json", result | {"build": result["build"] | {"flags": "Debug"}}, "flags is 'Debug'"),
        ("result.json", result | {"machine": result["machine"] | {"ranks": 2}}, "it has 2 ranks, not 1"),
        ("result.json", result | {"deck": other_deck}, "its deck differs: temperature.initial_k is 400"),
        ("result.json", result | {"status": "incomplete", "status_note": "cut"}, "incomplete (cut)"),
        ("result.json", result | {"build": None}, "does not say what made it"),
        ("result.json", [1], "cannot be read"),
        ("sweep.json", record | {"site": "frontier"}, "made on site 'frontier'"),
        ("sweep.json", record | {"build": record["build"] | {"compiler": "clang"}}, "compiler was 'clang'"),
        ("sweep.json", record | {"build": record["build"] | {"sha256": "0"}}, "the program has changed since"),
        ("sweep.json", record | {"inputs": {}}, ""),
        ("sweep.json", {}, "made on site None"),
    ):
        (place / name).write_text(json.dumps(content))
        code, text = s.run(*line, "--prepare")
        check(code == 0 and (reason in text and text.count("\n") == 1 if reason else text == ""),
              f"{name}: {reason or 'no inputs'}: {text.strip()[:90]}")
        (place / name).write_text(json.dumps(result if name == "result.json" else record))
    (place / "sweep.json").unlink()
    check("no sweep.json" in s.run(*line, "--prepare")[1], "a result without a record of its start is none")
    (place / "sweep.json").write_text(json.dumps(record | {"build": record["build"] | {"sha256": "0", "commit": "x"}}))
    check(s.run(*line, "--prepare", "--any-build")[1] == "", "unless every build will do")
    code, text = s.run(*line)
    check(code == 0 and ": ok" in text and "commit was 'x'" in text and Path(f"{place}.old1/result.json").exists(),
          "run again, it keeps what was there")


def inputs_of_a_deck_belong_to_it(s):
    potential = s.folder / "one.stopping"
    potential.write_text("x")
    deck = s.folder / "files.toml"
    deck.write_text(DECK.replace("[run]", 'file_that_is_no_key = "one.stopping"\n[run]'))
    record = sweep.inputs_of(str(deck), sweep.read_deck(str(deck))[1], [])
    potential.write_text("y")
    check(list(record) == ["one.stopping"] and record != sweep.inputs_of(str(deck), sweep.read_deck(str(deck))[1], []),
          "files that a deck names are known by their content")


def gpu_sites_take_gpu_builds(s):
    for site, backend, good in (("gpu", "OpenMP", False), ("gpu", "Cuda", True), ("frontier", "Cuda", False),
                                ("frontier", "HIP", True), ("cpu", "Cuda", False), ("lumi-c", "OpenMP", True)):
        program = s.folder / "tungsten_md"
        build = dict.fromkeys(made_by.BUILD, "x") | {"backend": backend}
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{k}: {v}'\n" for k, v in build.items()))
        program.chmod(0o755)
        code, text = s.run("case.toml", "--ranks", "1", "--site", site, "--prepare", binary=program)
        expected = text.startswith("1 ranks") and "\n  sbatch " in text if good else f"({backend}), expected a build for" in text
        check(code == (0 if good else 2) and text.count("\n") == (2 if good else 1) and expected, f"{backend} on {site}: {text.strip()[:100]}")
    program.write_text("#!/bin/sh\necho wafermark 0.1.0\n")
    code, text = s.run("case.toml", "--ranks", "1", binary=program)
    check(code == 2 and "found no version, commit" in text, f"a program that does not say its build: {text.strip()[:100]}")


def no_shell_sees_the_arguments(s):
    sys.path.insert(0, str(Path(__file__).parent))
    made = s.folder / "made"
    evil = f"title='$(touch {made})`touch {made}`;touch {made}'\"\\"
    cases, site = s.folder / "cases.txt", s.folder / "site.sh"
    said = s.folder / "said"
    site.write_text(f"launch=(python3 -c 'import sys,json; open(\"{said}\",\"w\").write(json.dumps(sys.argv[1:]))')\n")
    words = ["tungsten_md", "run", "a deck.toml", "--set", evil, "", "--out", str(s.folder / "nothing")]
    cases.write_text(sweep.shlex.join(words) + "\n")
    subprocess.run([JOBSCRIPTS / "slurm/job.sh", site, "--cases", cases], cwd=s.folder, capture_output=True,
                   env=os.environ | {"SLURM_ARRAY_TASK_ID": "0"})
    check(said.exists() and json.loads(said.read_text())[:len(words)] == words and not made.exists(),
          "a job passes its arguments on as they are")


def failures_and_bad_input_are_told(s):
    code, text = s.run("case.toml", "--ranks", "1", "--set", "run.stepz=1")
    check(code == 1 and "failed, see out/" in text, "a run that fails is named with its log, exit code 1")
    (s.folder / "broken.toml").write_bytes(b"\xff = [")
    for arguments, expected in (
        (("case.toml", "--ranks", "1,x"), "expected numbers with commas"),
        (("--ranks", "1"), "expected a deck"),
        (("none.toml", "--ranks", "1"), "none.toml"),
        (("case.toml", "--ranks", "1", "--weak", "--grow", "xq"), "--grow xq"),
        (("case.toml", "--ranks", "4", "--site", "nowhere"), "expected a file or one of"),
        (("case.toml", "--ranks", "1", "--set", "title='a\nrm x'"), "found a control character"),
        (("case.toml", "--ranks", "1", "--set", "title='\x1b[31m'"), "found a control character"),
        (("ca\nse.toml", "--ranks", "1"), "found a control character"),
        (("case.toml",), "--ranks"),
        (("case.toml", "--ranks", "1", "--repeats", "x"), "invalid int value"),
        (("case.toml", "--ranks", "1" + "0" * 5000), "expected numbers"),
        (("case.toml", "--ranks", "1000000000"), "expected 1 to"),
        (("case.toml", "--ranks", "2", "--weak", "--set", "structure.cells=3"), "structure.cells: found 3"),
        (("broken.toml", "--ranks", "1"), "expected a deck (TOML)"),
        ((".", "--ranks", "1"), "expected a deck (TOML)"),
    ):
        code, text = s.run(*arguments)
        check(code == 2 and expected in text and text.count("\n") == 1, f"{' '.join(arguments)[:60]!r}: {text.strip()[:150]}")
    (s.folder / "taken").write_text("")
    done = subprocess.run([sys.executable, JOBSCRIPTS / "sweep.py", "case.toml", "--ranks", "1", "--binary", s.tungsten_md,
                           "--out", "taken"], cwd=s.folder, capture_output=True, text=True)
    check(done.returncode == 2 and done.stderr.count("\n") == 1, f"a file where a folder is to be: {done.stderr.strip()}")


def main():
    ranks_are_cut_into_grids()
    with tempfile.TemporaryDirectory() as folder:
        s = Sweeps(Path(folder), *sys.argv[1:3])
        a_sweep_is_run_once(s)
        problems_grow_with_the_ranks(s)
        results_of_something_else_are_no_results(s)
        inputs_of_a_deck_belong_to_it(s)
        gpu_sites_take_gpu_builds(s)
        no_shell_sees_the_arguments(s)
        failures_and_bad_input_are_told(s)
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
