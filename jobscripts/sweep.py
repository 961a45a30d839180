#!/usr/bin/env python3
"""Scaling sweeps: prepares the runs of one problem on many machine sizes, runs them here or submits them to Slurm, leaves out
those that have a valid result, and collects the results into a report.

  sweep.py inputs/tungsten/strong_scaling.toml --ranks 1,2,4 --repeats 3                     here, one after the other
  sweep.py inputs/tungsten/weak_scaling.toml --ranks 1,2,4,8 --weak --site frontier          a job array for each size
  sweep.py inputs/tungsten/sc24_Ta.toml --ranks 2 --target wafer --set run.steps=10
  sweep.py --app sparse_llama --ranks 1,2 --synthetic llama2-7b:sparsity=0.7 --format bit_mask
  sweep.py ... --collect --report report.html                                                the same line, when jobs are done

What sweep.py does not know (--synthetic, --set, --format) goes to the app's `run` as it is. A run's folder is named after
its ranks, its repeat and a hash of its arguments and deck: the same line finds its results again, a changed deck does not.
Repeating a line runs again what has no valid result; runs that were cut go on from their checkpoint.
"""
import argparse
import hashlib
import json
import math
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

JOBSCRIPTS = Path(__file__).resolve().parent
SOURCE = JOBSCRIPTS.parent
RATES = ("steps_per_second", "decode_tokens_per_second")


class InputError(Exception):
    """Bad input: one line, exit code 2."""


@dataclass(frozen=True)
class Run:
    ranks: int
    command: list  # with --out
    folder: Path

    def result(self):
        """The result, when it is there and valid, else None."""
        try:
            result = json.loads((self.folder / "result.json").read_text())
        except (OSError, ValueError):
            return None
        return result if result.get("valid") and result["machine"]["ranks"] == self.ranks else None


def factors(ranks, axes):
    """`ranks` as a product of so many whole numbers, as equal as can be, the largest first."""
    if axes == 1:
        return [ranks]
    best = None
    for first in range(1, ranks + 1):
        if ranks % first == 0:
            rest = factors(ranks // first, axes - 1)
            candidate = sorted([first, *rest], reverse=True)
            if best is None or candidate[0] - candidate[-1] < best[0] - best[-1]:
                best = candidate
    return best


def grown(options, deck, passed, ranks):
    """The arguments that make the problem `ranks` times as large."""
    if options.app == "sparse_llama":
        return ["--sequences", str(ranks)]
    cells = deck.get("structure", {}).get("cells")
    for word in passed:  # --set comes after the deck
        if word.startswith("structure.cells="):
            cells = tomllib.loads(word.replace("structure.cells", "cells", 1))["cells"]
    if not cells:
        raise InputError(f"{options.deck}: found no structure.cells, expected them for --weak")
    grid = [1, 1, 1]
    for axis, factor in zip(options.grow, factors(ranks, len(options.grow))):
        grid["xyz".index(axis)] = factor
    more = ["--set", f"structure.cells={[c * g for c, g in zip(cells, grid)]}"]
    return more if options.target == "wafer" else [*more, "--set", f"run.rank_grid={grid}"]


def find_binary(options):
    built = SOURCE / "build/release/apps" / options.app / options.app
    found = options.binary or (built if built.exists() else shutil.which(options.app))
    if not found or not Path(found).exists():
        raise InputError(f"{found or options.app}: not found, expected a build in build/release, one in PATH, or --binary PATH")
    return str(Path(found).resolve())


def prepare(options, passed):
    """All runs of the sweep."""
    binary, deck, text = find_binary(options), {}, ""
    if options.deck:
        try:
            text = Path(options.deck).read_text()
            deck = tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise InputError(f"{options.deck}: {error}, expected a deck (TOML)") from None
    name = Path(options.deck).stem if options.deck else options.app
    runs = []
    for ranks in options.ranks:
        arguments = [str(Path(options.deck).resolve())] if options.deck else []
        arguments += passed + (["--target", "wafer"] if options.target == "wafer" else [])
        arguments += grown(options, deck, passed, ranks) if options.weak else []
        key = hashlib.sha256(json.dumps([options.app, arguments[bool(options.deck):], text]).encode()).hexdigest()[:8]
        for repeat in range(1, options.repeats + 1):
            folder = options.out / f"{name}_{options.target}_{'weak' if options.weak else 'strong'}_{ranks}_r{repeat}_{key}"
            runs.append(Run(ranks, [binary, "run", *arguments, "--out", str(folder)], folder))
    return runs


def queued(run):
    """Slurm's number of the job that is to make this result, None when there is none in the queue."""
    try:
        job = (run.folder / "job").read_text().strip()
        done = subprocess.run(["squeue", "--noheader", f"--jobs={job}"], capture_output=True, text=True)
    except OSError:
        return None
    return job if done.returncode == 0 and done.stdout.strip() else None


def clear(run):
    """An invalid result goes, and what belongs to it; a run that was cut keeps its checkpoint."""
    if (run.folder / "result.json").exists():
        shutil.rmtree(run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)


def run_here(run):
    environment = JOBSCRIPTS / "environment.sh"
    restart = ["--restart", "auto"] if Path(run.command[0]).name == "tungsten_md" else []
    with open(run.folder / "log.txt", "w") as log:
        subprocess.run(["bash", "-c", '. "$0" && exec mpirun -np "$@"', environment, str(run.ranks), *run.command, *restart],
                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return run.result() is not None


def submit(options, ranks, runs):
    """One job array for the runs of one size."""
    cases = options.out / f"cases_{ranks}_{hashlib.sha256(repr(runs).encode()).hexdigest()[:8]}.txt"
    cases.write_text("".join(shlex.join(r.command) + "\n" for r in runs))
    command = [str(JOBSCRIPTS / "slurm/submit.sh"), options.site, "--ranks", str(ranks), "--parsable",
               f"--array=0-{len(runs) - 1}", f"--output={options.out.resolve()}/job_%A_%a.log",
               f"--job-name={options.app}_{ranks}", *options.sbatch, "--", "--cases", str(cases.resolve())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise InputError(f"{shlex.join(command)}: {done.stderr.strip()}")
    job = done.stdout.strip().split(";")[0]
    for task, run in enumerate(runs):
        (run.folder / "job").write_text(f"{job}_{task}\n")
    print(f"submitted {len(runs)} run{'s' if len(runs) > 1 else ''} on {ranks} ranks: job {job}")


def describe(run):
    result = run.result()
    if not result:
        job = queued(run)
        return f"in the queue as {job}" if job else "no valid result"
    rate = next((f for f in result["figures"] if f["name"] in RATES and f["value"] is not None), None)
    return f"{rate['value']:.5g} {rate['unit']} ({rate['kind']})" if rate else "done"


def collect(options, runs):
    width = max(len(r.folder.name) for r in runs)
    for run in runs:
        print(f"{run.folder.name:<{width}}  {describe(run)}")
    done = [r for r in runs if r.result()]
    if options.report and done:
        command = [SOURCE / "apps/report/wafermark-report", *(r.folder for r in done), "-o", options.report]
        subprocess.run(command, check=True)
    return len(done) == len(runs)


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False, usage="sweep.py [DECK] --ranks 1,2,4 [options] [options of the app]")
    parser.add_argument("--ranks", required=True, help="MPI ranks, comma-separated")
    parser.add_argument("--app", choices=("tungsten_md", "sparse_llama"), default="tungsten_md")
    parser.add_argument("--target", choices=("cluster", "wafer"), default="cluster")
    parser.add_argument("--weak", action="store_true", help="the problem grows with the ranks: structure.cells, or --sequences")
    parser.add_argument("--grow", default="xyz", help="axes along which cells grow; xy for slabs (default: xyz)")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/sweep"), help="folder of all runs (default: results/sweep)")
    parser.add_argument("--binary", help="the app (default: build/release, then PATH)")
    parser.add_argument("--site", help="submit to Slurm: a name in slurm/sites/, or such a file")
    parser.add_argument("--sbatch", type=shlex.split, default=[], help="more options of sbatch: --sbatch='--account=A --time=10'")
    parser.add_argument("--prepare", action="store_true", help="only print the runs that are to be made")
    parser.add_argument("--collect", action="store_true", help="only look at what is there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a page of all valid results of this sweep")
    deck = arguments.pop(0) if arguments and not arguments[0].startswith("-") else None
    options, passed = parser.parse_known_args(arguments)
    options.deck = deck
    try:
        options.ranks = [int(r) for r in options.ranks.split(",")]
    except ValueError:
        raise InputError(f"--ranks {options.ranks}: expected numbers with commas, as 1,2,4") from None
    if min(options.ranks) < 1 or options.repeats < 1:
        raise InputError("--ranks, --repeats: expected 1 or more")
    if not options.grow or not set(options.grow) <= set("xyz"):
        raise InputError(f"--grow {options.grow}: expected some of x, y, z")
    if (options.app == "tungsten_md") != bool(options.deck):
        raise InputError("expected a deck for tungsten_md, and for sparse_llama --synthetic or --model instead")
    return options, passed


def main():
    options, passed = read_options(sys.argv[1:])
    runs = prepare(options, passed)
    to_do = [] if options.collect else [r for r in runs if not r.result() and not queued(r)]
    if options.prepare:
        for run in to_do:
            print(f"{run.ranks} ranks: {shlex.join(run.command)}")
        return 0
    for run in to_do:
        clear(run)
    if options.site:
        for ranks in options.ranks:
            same = [r for r in to_do if r.ranks == ranks]
            if same:
                submit(options, ranks, same)
    else:
        for run in to_do:
            print(f"{run.folder.name}: {'ok' if run_here(run) else f'failed, see {run.folder}/log.txt'}", flush=True)
    complete = collect(options, runs)
    return 0 if complete or options.site else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputError as error:
        print(f"sweep.py: {error}", file=sys.stderr)
        sys.exit(2)
