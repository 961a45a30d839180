#!/usr/bin/env python3
"""Scaling sweeps: prepares the runs of one problem on many machine sizes, runs them here or submits them to a scheduler,
leaves out those that have a valid result, and collects the results into a report.

  sweep.py inputs/tungsten/strong_scaling.toml --ranks 1,2,4 --repeats 3                     here, one after the other
  sweep.py inputs/tungsten/weak_scaling.toml --ranks 1,2,4,8 --weak --site frontier          a job array for each size
  sweep.py inputs/tungsten/sc24_W.toml --ranks 8,64 --site simulated --machine frontier --set run.steps=10
                                                                                             on a simulated cluster, here
  sweep.py inputs/tungsten/sc24_Ta.toml --ranks 2 --target wafer --set run.steps=10
  sweep.py --app sparse_llama --ranks 1,2 --synthetic llama2-7b:sparsity=0.7 --format bit_mask
  sweep.py ... --collect --report report.html                                                the same line, when jobs are done

What sweep.py does not know (--synthetic, --set, --format) goes to the app's `run` as it is. A run's folder is named after
its ranks, its repeat and a hash of its arguments and deck: the same line finds its results again, a changed deck does not.
Repeating a line runs again what has no valid and complete result of this site, build, deck and number of ranks, and says why
(made_by.py); what lay there is renamed to NAME.old1, nothing is deleted. Runs that were cut go on from their checkpoint.
"""
import argparse
import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from app_options import known_to_the_app
from made_by import InputError, as_program, build_of, hash_of, inputs_of, read_json, set_aside, why_not_done, why_other_record, write_record
from schedulers import SCHEDULERS, in_queue
from sites import backends_of, scheduler_of

JOBSCRIPTS = Path(__file__).resolve().parent
SOURCE = JOBSCRIPTS.parent
MOST = 10**7  # ranks, repeats
RATES = ("steps_per_second", "decode_tokens_per_second")


@dataclass(frozen=True)
class Run:
    ranks: int
    command: list  # with --out
    folder: Path
    deck: dict  # with --set
    record: dict  # site, build and inputs
    any_build: bool = False

    def why_not_done(self):
        """In one line; "" when there is a result that stands for this run."""
        return why_not_done(self.folder, self.record, self.ranks, self.deck, self.any_build)

    def can_go_on(self):
        """Whether it was cut after it had started here with this very program and these inputs, and left a checkpoint."""
        result = read_json(self.folder / "result.json") or {"status": "incomplete"}
        return (result.get("status") == "incomplete" and any(self.folder.glob("checkpoint*"))
                and not why_other_record(self.folder, self.record))


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


def with_changes(deck, words):
    """The deck with `--set table.key=value` as the app understands it; what it will refuse is left to it."""
    changed = json.loads(json.dumps(deck, default=str))
    settings = [w.removeprefix("--set=") for w in words if w.startswith("--set=")]
    settings += [value for word, value in zip(words, words[1:]) if word == "--set"]
    for key, _, value in (s.partition("=") for s in settings):
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            parsed = value  # a bare word is a text
        *tables, last = key.strip().split(".")
        inner = changed
        for table in tables:
            if isinstance(inner, list):  # pka.0.energy_ev
                inner = inner[int(table)] if table.isdigit() and int(table) < len(inner) else None
            else:
                inner = inner.setdefault(table, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[last] = parsed
    return changed


def grown(options, deck, ranks):
    """The arguments that make the problem `ranks` times as large; `deck` with --set."""
    if options.app == "sparse_llama":
        return ["--sequences", str(ranks)]
    cells = deck.get("structure", {}).get("cells")
    if not isinstance(cells, list) or len(cells) != 3 or not all(type(c) is int for c in cells):
        raise InputError(f"{options.deck}: structure.cells: found {cells!r}, expected three whole numbers for --weak")
    grid = [1, 1, 1]
    for axis, factor in zip(options.grow, factors(ranks, len(options.grow))):
        grid["xyz".index(axis)] = factor
    more = ["--set", f"structure.cells={[c * g for c, g in zip(cells, grid)]}"]
    return more if options.target == "wafer" else [*more, "--set", f"run.rank_grid={grid}"]


def find_build(options):
    """(path, build) of the app: --binary, else the first of build/*/apps and PATH whose back end fits the site."""
    wanted = backends_of(options.site)
    if options.binary:
        found = [options.binary]
    else:
        presets = ("release", "cluster-cuda", "cluster-hip")
        found = [SOURCE / f"build/{preset}/apps/{options.app}/{options.app}" for preset in presets]
        found = [p for p in (*found, shutil.which(options.app)) if p and Path(p).exists()]
    if not found or not Path(found[0]).is_file():
        names = "build/release, build/cluster-cuda, build/cluster-hip"
        raise InputError(f"{options.binary or options.app}: not found, expected a build in {names}, one in PATH, or --binary PATH")
    seen = []
    for path in found:
        build = build_of(str(Path(path).resolve()))
        if wanted is None or build["backend"] in wanted:
            return str(Path(path).resolve()), build
        seen.append(f"{path} ({build['backend']})")
    raise InputError(f"--site {options.site}: found {', '.join(seen)}, expected a build for {' or '.join(wanted)} (--binary PATH)")


def simulated_machine(name):
    """The file of a simulated cluster."""
    machines = SOURCE / "inputs/clusters/simulated"
    path = Path(name) if Path(name).is_file() else machines / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in machines.glob("*.toml")))
        raise InputError(f"--machine {name}: not found, expected a file or one of: {known}")
    return path.resolve()


def simulated_build():
    """The program of the simulated clusters does not start by itself, so it cannot say what it is: its hash stands for it."""
    folder = SOURCE / "build/cluster-sim"
    parts = [folder / "apps/tungsten_md/tungsten_md", folder / "tools/kernel_clock/libwafermark_kernel_clock.so"]
    missing = [str(p) for p in parts if not p.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: not found, expected a build: cmake --preset cluster-sim && cmake --build --preset cluster-sim")
    return {"sha256": hashlib.sha256("".join(hash_of(p) for p in parts).encode()).hexdigest()}


def prepare_simulated(options, passed):
    """Runs of jobscripts/cluster_sim.sh, here, one after the other."""
    text, deck = read_deck(options.deck)
    machine = simulated_machine(options.machine)
    # As cluster_sim.sh sets them: the machine's, those that this build cannot do, then the user's.
    of_machine = [word for s in read_deck(machine)[1].get("deck", []) for word in ("--set", s)]
    of_script = ["--set", "output.checkpoint_every_steps=0", "--set", "output.trajectory_every_steps=0"]
    record = {"site": f"simulated {machine.stem}", "build": simulated_build(),
              "inputs": inputs_of(options.deck, deck, [*passed, str(machine)])}
    runs = []
    for ranks in options.ranks:
        arguments = passed + (grown(options, with_changes(deck, passed), ranks) if options.weak else [])
        key = hashlib.sha256(json.dumps([arguments, text, machine.read_text()]).encode()).hexdigest()[:8]
        kind = "weak" if options.weak else "strong"
        folder = options.out.resolve() / f"{Path(options.deck).stem}_{machine.stem}_{kind}_{ranks}_{key}"
        command = [str(JOBSCRIPTS / "cluster_sim.sh"), str(Path(options.deck).resolve()), "--no-build", "--machine", str(machine),
                   "--ranks", str(ranks), "--into", str(folder), *arguments]
        runs.append(Run(ranks, command, folder, with_changes(deck, of_machine + of_script + arguments), record, options.any_build))
    return runs


def this_cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def read_deck(path):
    try:
        text = Path(path).read_text()
        return text, tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}, expected a deck (TOML)") from None


def prepare(options, passed):
    """All runs of the sweep."""
    if options.site == "simulated":
        return prepare_simulated(options, passed)
    if options.site:
        scheduler_of(options.site)  # an error before anything is printed
    text, deck = read_deck(options.deck) if options.deck else ("", {})
    binary, build = find_build(options)
    site = Path(options.site).stem if options.site else f"here, {this_cpu()}"
    record = {"site": site, "build": build, "inputs": inputs_of(options.deck, deck, passed)}
    name = Path(options.deck).stem if options.deck else options.app
    runs = []
    for ranks in options.ranks:
        arguments = [str(Path(options.deck).resolve())] if options.deck else []
        arguments += passed + (["--target", "wafer"] if options.target == "wafer" else [])
        arguments += grown(options, with_changes(deck, passed), ranks) if options.weak else []
        key = hashlib.sha256(json.dumps([options.app, arguments[bool(options.deck):], text]).encode()).hexdigest()[:8]
        changed = with_changes(deck, arguments)
        for repeat in range(1, options.repeats + 1):
            folder = options.out / f"{name}_{options.target}_{'weak' if options.weak else 'strong'}_{ranks}_r{repeat}_{key}"
            command = [binary, "run", *arguments, "--out", str(folder)]
            runs.append(Run(ranks, command, folder, changed, record, options.any_build))
    return runs


def queued(run):
    """The scheduler's number of the job that is to make this result, None when there is none in the queue."""
    try:
        job, _, name = (run.folder / "job").read_text().strip().partition(" ")
    except OSError:
        return None
    return job if in_queue(SCHEDULERS.get(name) or SCHEDULERS["slurm"], job) else None


def make_ready(run):
    """An empty folder for the run, or that of one that was cut; what cannot stand for it is kept under another name."""
    if run.folder.exists() and not run.can_go_on():
        left = [p for p in run.folder.iterdir() if p.name not in ("job", "log.txt", "load.json", "sweep.json", "sweep.json.tmp")]
        if left:
            print(f"{run.folder.name}: {run.why_not_done()}: kept as {set_aside(run.folder).name}")
    run.folder.mkdir(parents=True, exist_ok=True)
    write_record(run.folder, run.record)


def run_simulated(run):
    with open(run.folder / "log.txt", "w") as log:
        subprocess.run(run.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return not run.why_not_done()


def run_here(run):
    environment = JOBSCRIPTS / "environment.sh"
    subprocess.run([JOBSCRIPTS / "node_load.sh", run.folder / "load.json"], stdin=subprocess.DEVNULL)
    restart = ["--restart", "auto"] if Path(run.command[0]).name == "tungsten_md" else []
    with open(run.folder / "log.txt", "w") as log:
        subprocess.run(["bash", "-c", '. "$0" && exec mpirun -np "$@"', environment, str(run.ranks), *run.command, *restart],
                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return not run.why_not_done()


def submissions(options, ranks, runs):
    """[(words of submit.sh, runs)] for the runs of one size: a job array where the scheduler has them, else a job for each."""
    scheduler, log = scheduler_of(options.site), f"{options.out.resolve()}/job"
    head = [str(JOBSCRIPTS / "slurm/submit.sh"), options.site, "--ranks", str(ranks)]
    name = f"{options.app}_{ranks}"
    if not scheduler.arrays:
        return [([*head, *scheduler.options_of(f"{log}_{r.folder.name}.log", name), *options.sbatch, "--", *r.command], [r]) for r in runs]
    cases = options.out / f"cases_{ranks}_{hashlib.sha256(repr(runs).encode()).hexdigest()[:8]}.txt"
    words = scheduler.options_of(f"{log}_%A_%a.log", name)
    return [([*head, *words, f"--array=0-{len(runs) - 1}", *options.sbatch, "--", "--cases", str(cases.resolve())], runs)]


def scheduler_says(command):
    """What submit.sh prints; what it or the scheduler refuses is an error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise InputError(f"{shlex.join(command)}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


def submit(options, ranks, runs):
    scheduler = scheduler_of(options.site)
    for command, together in submissions(options, ranks, runs):
        if scheduler.arrays:
            Path(command[-1]).write_text("".join(shlex.join(r.command) + "\n" for r in together))
        job = scheduler.number(scheduler_says(command))
        for task, run in enumerate(together):
            (run.folder / "job").write_text(f"{job}_{task}\n" if scheduler.arrays else f"{job} {scheduler.name}\n")
        print(f"submitted {len(together)} run{'s' if len(together) > 1 else ''} on {ranks} ranks: job {job}")


def prepare_only(options, to_do):
    """Prints what would be made and why, and the scheduler's line for it."""
    for run in to_do:
        print(f"{run.ranks} ranks ({run.why_not_done()}): {shlex.join(run.command)}")
    if options.site and options.site != "simulated":
        for ranks in options.ranks:
            same = [r for r in to_do if r.ranks == ranks]
            for command, _ in submissions(options, ranks, same) if same else ():
                print(f"  {scheduler_says([*command[:2], '--dry-run', *command[2:]]).strip()}")


def describe(run):
    why = run.why_not_done()
    if why:
        job = queued(run)
        return f"in the queue as {job}" if job else f"no valid result: {why}"
    try:
        figures = read_json(run.folder / "result.json")["figures"]
        rate = next((f for f in figures if f["name"] in RATES and f["value"] is not None), None)
        return f"{rate['value']:.5g} {rate['unit']} ({rate['kind']})" if rate else "done"
    except (KeyError, TypeError, ValueError):
        return "done; its figures cannot be read"


def collect(options, runs):
    width = max(len(r.folder.name) for r in runs)
    for run in runs:
        print(f"{run.folder.name:<{width}}  {describe(run)}")
    done = [r for r in runs if not r.why_not_done()]
    if options.report and done:
        command = [SOURCE / "apps/report/wafermark-report", *(r.folder for r in done), "-o", options.report]
        if subprocess.run(command).returncode != 0:
            raise InputError(f"--report {options.report}: the report was not written")
    return len(done) == len(runs)


class Arguments(argparse.ArgumentParser):
    """A command line whose errors are one line."""

    def error(self, message):
        raise InputError(f"{message} (--help shows the options)")


def no_control_characters(words):
    """They have no place in a command line, and would break the lines of the files that jobs read."""
    for word in words:
        if any(not c.isprintable() for c in word):
            raise InputError(f"{word!r}: found a control character, expected a line of text")


def read_options(arguments):
    no_control_characters(arguments)
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False, usage="sweep.py [DECK] --ranks 1,2,4 [options] [options of the app]")
    parser.add_argument("--ranks", required=True, help="MPI ranks, comma-separated")
    parser.add_argument("--app", choices=("tungsten_md", "sparse_llama"), default="tungsten_md")
    parser.add_argument("--target", choices=("cluster", "wafer"), default="cluster")
    parser.add_argument("--weak", action="store_true", help="the problem grows with the ranks: structure.cells, or --sequences")
    parser.add_argument("--grow", default="xyz", help="axes along which cells grow; xy for slabs (default: xyz)")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/sweep"), help="folder of all runs (default: results/sweep)")
    parser.add_argument("--binary", help="the app (default: build/release, then PATH)")
    parser.add_argument("--site", help="submit to Slurm, Flux or PBS: a name in slurm/sites/, or such a file; simulated: run on --machine")
    parser.add_argument("--machine", help="of --site simulated: a name or file of inputs/clusters/simulated")
    parser.add_argument("--sbatch", type=shlex.split, default=[], help="more options of the scheduler: --sbatch='--account=A --time=10'")
    parser.add_argument("--any-build", action="store_true", help="take results of other builds as done, too")
    parser.add_argument("--prepare", action="store_true", help="only print the runs that are to be made")
    parser.add_argument("--collect", action="store_true", help="only look at what is there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a page of all valid results of this sweep")
    deck = arguments.pop(0) if arguments and not arguments[0].startswith("-") else None
    options, passed = parser.parse_known_args(arguments)
    options.deck = deck
    try:
        options.ranks = list(dict.fromkeys(int(r) for r in options.ranks.split(",")))
    except ValueError:
        raise InputError(f"--ranks {options.ranks}: expected numbers with commas, as 1,2,4") from None
    if not 1 <= min(options.ranks) <= max(options.ranks) <= MOST or not 1 <= options.repeats <= MOST:
        raise InputError(f"--ranks, --repeats: expected 1 to {MOST:,}")
    if not options.grow or not set(options.grow) <= set("xyz") or len(set(options.grow)) < len(options.grow):
        raise InputError(f"--grow {options.grow}: expected some of x, y, z")
    if (options.app == "tungsten_md") != bool(options.deck):
        raise InputError("expected a deck for tungsten_md, and for sparse_llama --synthetic or --model instead")
    if (options.site == "simulated") != bool(options.machine):
        raise InputError("expected --machine with --site simulated, and only there")
    if options.machine and (options.app != "tungsten_md" or options.target != "cluster" or options.binary or options.repeats != 1):
        raise InputError("--site simulated: found --app, --target, --binary or --repeats, expected tungsten_md as it is, once: "
                         "simulated seconds do not vary")
    return options, passed


def main():
    options, passed = read_options(sys.argv[1:])
    runs = prepare(options, passed)
    to_do = [] if options.collect else [r for r in runs if r.why_not_done() and not queued(r)]
    if to_do and (options.prepare or options.site) and options.site != "simulated":
        known_to_the_app(to_do[0].command[0], options.app, options.deck, passed)
    if options.prepare:
        prepare_only(options, to_do)
        return 0
    for run in to_do:
        make_ready(run)
    if options.site and options.site != "simulated":
        for ranks in options.ranks:
            same = [r for r in to_do if r.ranks == ranks]
            if same:
                submit(options, ranks, same)
    else:
        make = run_simulated if options.site == "simulated" else run_here
        for run in to_do:
            print(f"{run.folder.name}: {'ok' if make(run) else f'failed, see {run.folder}/log.txt'}", flush=True)
    complete = collect(options, runs)
    return 0 if complete or options.site not in (None, "simulated") else 1


if __name__ == "__main__":
    as_program("sweep.py", main)
