#!/usr/bin/env python3
"""jobscripts/sweep.py on this machine: what it runs, what it leaves out, what it runs again, and what it refuses.

usage: test_sweep.py TUNGSTEN_MD SPARSE_LLAMA
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

JOBSCRIPTS = Path(__file__).resolve().parents[2] / "jobscripts"
sys.path.insert(0, str(JOBSCRIPTS))
import sweep  # noqa: E402

DECK = """[structure]
lattice_constant_angstrom = 3.1652
cells = [5, 4, 4]
[run]
steps = 10
timestep_ps = 0.001
[temperature]
initial_k = 300.0
"""
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


def failures_and_bad_input_are_told(s):
    code, text = s.run("case.toml", "--ranks", "1", "--set", "run.stepz=1")
    check(code == 1 and "failed, see out/" in text, "a run that fails is named with its log, exit code 1")
    for arguments, expected in (
        (("case.toml", "--ranks", "1,x"), "expected numbers with commas"),
        (("--ranks", "1"), "expected a deck"),
        (("none.toml", "--ranks", "1"), "none.toml"),
        (("case.toml", "--ranks", "1", "--weak", "--grow", "xq"), "--grow xq"),
        (("case.toml", "--ranks", "4", "--site", "nowhere"), "expected a file or one of"),
    ):
        code, text = s.run(*arguments)
        check(code == 2 and expected in text and text.count("\n") == 1, f"{' '.join(arguments)}: {text.strip()}")


def main():
    ranks_are_cut_into_grids()
    with tempfile.TemporaryDirectory() as folder:
        s = Sweeps(Path(folder), *sys.argv[1:3])
        a_sweep_is_run_once(s)
        problems_grow_with_the_ranks(s)
        failures_and_bad_input_are_told(s)
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
