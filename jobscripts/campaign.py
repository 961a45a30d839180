#!/usr/bin/env python3
"""Campaigns of cascades: one deck over energies, directions, temperatures and seeds, and the means of what was left; and searches for
threshold displacement energies. `tungsten_md campaign` starts this script.

  campaign.py inputs/damage/campaign_1_2kev.toml --out results/campaign                      here, two at a time on two cores
  campaign.py FILE --out DIR --site frontier --ranks 8 --sbatch='--account=ABC123'             a job array
  campaign.py FILE --out DIR --prepare                                                         what would be run, and why
  campaign.py FILE --out DIR --collect --report campaign.html                                  what is there, and a page of it

Each run has a folder in DIR. The same line again makes only the runs that have no valid result; those that were cut go on. A
cascade whose hot atoms (above 10 eV) reached the border of the box is repeated with another seed and left out. With --site repeat the line when
the jobs are done: what follows from their results (repeats, the next step of a bisection) is then submitted. DIR/campaign.json and
campaign.csv hold what was found; another file, or other arguments for the runs, need another DIR. docs/damage.md has an example. What
campaign.py does not know goes to `tungsten_md run`.
"""
import argparse
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import campaign_results
import sweep
from app_options import known_to_the_app
from campaign_file import OWN_KEYS, read_campaign
from campaign_plan import NotDone
from made_by import InputError, as_program, inputs_of
from sites import scheduler_of


class Runs:
    """The runs of a campaign by their trials, and what is known of them."""

    def __init__(self, campaign, options, passed):
        self.campaign, self.options, self.passed = campaign, options, passed
        self.binary, build = sweep.find_build(options)
        site = Path(options.site).stem if options.site else f"here, {sweep.this_cpu()}"
        self.record = {"site": site, "build": build, "inputs": inputs_of(campaign.deck_file, campaign.deck, passed)}
        self.line = campaign_results.line_of(options.out, campaign, passed)
        campaign_results.require_own(options.out, self.line)
        self.known = {}  # trial -> (folder name, outcome), of runs that stand

    def run_of(self, trial):
        words = [*self.passed, *trial.words(self.campaign.with_thermostat)]
        folder = self.options.out / f"{trial.name()}_{self.campaign.key(words)}"
        command = [self.binary, "run", str(self.campaign.deck_file), *words, "--out", str(folder)]
        deck = sweep.with_changes(self.campaign.deck, words)
        return sweep.Run(self.options.ranks, command, folder, deck, self.record, self.options.any_build)

    def look(self, trial):
        """The outcome of a trial, None where there is none that stands."""
        if trial not in self.known:
            run = self.run_of(trial)
            if run.why_not_done():
                return None
            self.known[trial] = (run.folder.name, campaign_results.outcome_of(run.folder))
        return self.known[trial][1]

    def wanted(self):
        """[(task, run)] that are to be made now: at most one for each task."""
        found = {}
        for task in self.campaign.tasks:
            try:
                task.resolve(self.look)
            except NotDone as missing:
                run = self.run_of(missing.trial)
                found.setdefault(run.folder, (task, run))  # two tasks may want the same run
        return list(found.values())


def carry_out(runs, task):
    """Runs what a task wants until it is resolved or a run fails; True when it is."""
    while True:
        try:
            task.resolve(runs.look)
            return True
        except NotDone as missing:
            run = runs.run_of(missing.trial)
            sweep.make_ready(run)
            if not sweep.run_here(run):
                print(f"{run.folder.name}: failed ({run.why_not_done()}), see {run.folder}/log.txt", flush=True)
                return False
            outcome = runs.look(missing.trial)
            print(f"{run.folder.name}: {outcome.pairs_peak:g} pairs at the peak, {outcome.pairs_end:g} at the end"
                  + (" (hot atoms reached the border)" if outcome.hot else ""), flush=True)


def run_all(runs):
    options = runs.options
    if options.parallel > 1:  # else every mpirun binds its first rank to the same core
        os.environ.setdefault("OMPI_MCA_hwloc_base_binding_policy", "none")
        os.environ.setdefault("PRTE_MCA_hwloc_default_binding_policy", "none")
    with ThreadPoolExecutor(options.parallel) as pool:
        jobs = [pool.submit(carry_out, runs, task) for task, _ in runs.wanted()]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def check_first(runs, wanted):
    """Every deck of another size or temperature is looked at by the program before anything is run."""
    seen = set()
    for task, run in wanted:
        if (task.settings, task.temperature_k) in seen:
            continue
        seen.add((task.settings, task.temperature_k))
        words = run.command[3:-2]
        known_to_the_app(runs.binary, "tungsten_md", str(runs.campaign.deck_file), words)
        if not run.deck.get("output", {}).get("defects_every_steps"):
            raise InputError(f"{runs.campaign.deck_file}: output.defects_every_steps: found none, expected a number of steps: a campaign "
                             "counts defects")


def submit(runs, wanted):
    waiting = [run for _, run in wanted if sweep.queued(run)]
    to_do = [run for _, run in wanted if not sweep.queued(run)]
    for run in to_do:
        sweep.make_ready(run)
    if to_do:
        sweep.submit(runs.options, runs.options.ranks, to_do)
    if waiting:
        print(f"{len(waiting)} runs are in the queue")


def prepare_only(runs, wanted):
    for _, run in wanted:
        print(f"{run.ranks} rank{'s' if run.ranks > 1 else ''} ({run.why_not_done()}): {shlex.join(run.command)}")
    if runs.options.site and wanted:
        for command, _ in sweep.submissions(runs.options, runs.options.ranks, [run for _, run in wanted]):
            print(f"  {sweep.scheduler_says([*command[:2], '--dry-run', *command[2:]]).strip()}")


def collect(runs):
    """Writes campaign.json and campaign.csv and prints the table; True when nothing is missing."""
    document = campaign_results.document_of(runs.campaign, runs.line, runs.look, runs.known)
    campaign_results.write(runs.options.out, document)
    print(campaign_results.summary_of(document))
    options = runs.options
    if options.report and document["runs"]:
        command = [sweep.SOURCE / "apps/report/wafermark-report", options.out, "-o", options.report]
        if subprocess.run(command).returncode != 0:
            raise InputError(f"--report {options.report}: the report was not written")
    return document["complete"]


def read_options(arguments):
    sweep.no_control_characters(arguments)
    parser = sweep.Arguments(prog="campaign.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                             allow_abbrev=False)
    parser.add_argument("file", help="campaign file (TOML)")
    parser.add_argument("--out", type=Path, required=True, help="folder of all runs")
    parser.add_argument("--ranks", type=int, default=1, help="MPI ranks of each run (default: 1)")
    parser.add_argument("--parallel", type=int, help="runs at a time here (default: cores over ranks)")
    parser.add_argument("--binary", help="the app (default: build/release, then PATH)")
    parser.add_argument("--site", help="submit to Slurm, Flux or PBS: a name in slurm/sites/, or such a file")
    parser.add_argument("--sbatch", type=shlex.split, default=[], help="more options of the scheduler: --sbatch='--account=A --time=10'")
    parser.add_argument("--any-build", action="store_true", help="take results of other builds as done, too")
    parser.add_argument("--prepare", action="store_true", help="only print the runs that are to be made")
    parser.add_argument("--collect", action="store_true", help="only look at what is there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a page of what was found")
    options, passed = parser.parse_known_args(arguments)
    options.app = "tungsten_md"
    if not 1 <= options.ranks <= sweep.MOST:
        raise InputError(f"--ranks {options.ranks}: expected 1 to {sweep.MOST:,}")
    options.parallel = max(1, (os.cpu_count() or 1) // options.ranks) if options.parallel is None else options.parallel
    if not 1 <= options.parallel <= 10_000:
        raise InputError(f"--parallel {options.parallel}: expected 1 to 10,000")
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"--out {options.out}: found a file, expected a folder")
    if options.site:
        scheduler_of(options.site)  # an error before anything is printed
    return options, passed


def refuse_own_keys(passed):
    for k, word in enumerate(passed):
        setting = word.removeprefix("--set=") if word.startswith("--set=") else word if k and passed[k - 1] == "--set" else ""
        key = setting.partition("=")[0].strip()
        if key.startswith(OWN_KEYS):
            raise InputError(f"--set {setting}: found {key}, which the campaign sets, expected another key")


def main():
    options, passed = read_options(sys.argv[1:])
    refuse_own_keys(passed)
    campaign = read_campaign(options.file)
    runs = Runs(campaign, options, passed)
    wanted = [] if options.collect else runs.wanted()
    check_first(runs, wanted)
    if options.prepare:
        prepare_only(runs, wanted)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    if options.site:
        submit(runs, wanted)
    elif wanted:
        run_all(runs)
    complete = collect(runs)
    return 0 if complete or options.site else 1


if __name__ == "__main__":
    as_program("campaign", main)
