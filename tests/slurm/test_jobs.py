#!/usr/bin/env python3
"""The job scripts on a real Slurm: a run that its time limit cuts is queued again and ends bit for bit as one that was not
cut; sweeps of both apps and both targets go out as job arrays and are not repeated; every site's file gives a job that runs.

usage: test_jobs.py TUNGSTEN_MD SPARSE_LLAMA      exit code 77: skipped, there is no Slurm to start
"""
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import private_slurm
from small_deck import DECK as LATTICE

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "mpi/tungsten_md/commands"))
from test_restart import DECK  # noqa: E402

JOBSCRIPTS = TESTS.parent / "jobscripts"
SITES = sorted(p.stem for p in (JOBSCRIPTS / "slurm/sites").glob("*.sh") if "\nscheduler=" not in p.read_text())  # of Slurm
LONG_DECK = DECK.replace("[8, 8, 8]", "[12, 12, 12]")  # there is time to stop it in


class Test:
    def __init__(self, slurm, tungsten_md, sparse_llama):
        self.slurm, self.tungsten_md, self.sparse_llama = slurm, tungsten_md, sparse_llama
        self.work = slurm.folder / "work"
        self.work.mkdir()
        self.outcomes, self.start = [], time.monotonic()

    def check(self, good, what):
        print(f"{'ok  ' if good else 'FAIL'} {time.monotonic() - self.start:4.0f} s  {what}", flush=True)
        self.outcomes.append(bool(good))

    def submit(self, site, name, *arguments, options=()):
        """A run in the folder `name`, by submit.sh; its job number."""
        said = self.slurm.run(JOBSCRIPTS / "slurm/submit.sh", site, "--ranks", "2", f"--job-name={name}", *options,
                              f"--output={self.work}/{name}.log", "--", *arguments, "--out", name, cwd=self.work)
        return re.search(r"Submitted batch job (\d+)", said).group(1)

    def wait(self, seconds=400):
        self.slurm.wait_for(lambda: not self.slurm.run("squeue", "--noheader").strip(), seconds, "all jobs to end")

    def result(self, name):
        return json.loads((self.work / name / "result.json").read_text())

    def log(self, name):
        path = self.work / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def ranks_of(self, name):
        """Process numbers of the ranks of a run of tungsten_md."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0] == self.tungsten_md.encode() and name.encode() in words and \
                        os.readlink(entry / "cwd") == str(self.work):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def sweep(self, *arguments):
        return self.slurm.run(JOBSCRIPTS / "sweep.py", *arguments, cwd=self.work)


def runs_on_two_nodes(test):
    (test.work / "case.toml").write_text(LONG_DECK)
    job = test.submit("cpu", "whole", test.tungsten_md, "run", "case.toml")
    test.wait()
    state = test.slurm.job(job)
    test.check(state["JobState"] == "COMPLETED" and state["NodeList"] == "wm[1-2]", f"a job runs on {state['NodeList']}")
    result = test.result("whole")
    test.check(result["valid"] and result["machine"]["ranks"] == 2, "its result is valid, on two ranks")
    energy = result["energy"]
    test.check(energy["source"] != "none" or "Slurm accounts no energy" in energy["note"],
               f"it asked for energy, and Slurm too where it found no meter ({energy['note']})")
    test.submit("cpu", "whole", test.tungsten_md, "run", "case.toml")
    test.wait()
    test.check("has a result already" in test.log("whole"), "a folder with a result is left as it is")


def a_rank_that_dies_ends_the_job(test):
    stub = test.work / "stub"
    stub.write_text("#!/bin/bash\n[ $SLURM_PROCID != 1 ] || kill -SEGV $$\nexec sleep 300\n")
    stub.chmod(0o755)
    job = test.submit("cpu", "dies", stub)
    test.wait(60)
    test.check(test.slurm.job(job)["JobState"] == "FAILED", "a rank that dies ends the job, whatever the others wait for")


def is_signalled(process):
    """It has a SIGTERM waiting, or has ended by it."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in re.findall(r"(?:SigPnd|ShdPnd):\s*(\w+)", status))


def resume(process):
    try:
        os.kill(process, signal.SIGCONT)
    except ProcessLookupError:
        pass  # Slurm sends this one as well


def a_cut_run_ends_as_one_that_was_not(test):
    job = test.submit("cpu", "cut", test.tungsten_md, "run", "case.toml")
    test.slurm.wait_for(lambda: re.search(r"^ +250 ", test.log("cut"), re.M), 120, "step 250")
    # Slurm looks at time limits every 30 s and lets no limit be set below a minute: the ranks are held until it has.
    ranks = test.ranks_of("cut")
    for process in ranks:
        os.kill(process, signal.SIGSTOP)
    minutes = int(test.slurm.job(job)["RunTime"].split(":")[1])
    test.slurm.run("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes + 2}")
    test.slurm.wait_for(lambda: all(map(is_signalled, ranks)), 60, "the time limit's signal")
    test.slurm.run("scontrol", "update", f"JobId={job}", "TimeLimit=30")  # of the second start
    for process in ranks:
        resume(process)
    test.wait()
    state, log = test.slurm.job(job), test.log("cut")
    test.check(len(ranks) == 2 and state["JobState"] == "COMPLETED" and state["Restarts"] == "1",
               f"a job that its time limit cuts is queued again and ends ({state['JobState']}, restarts: {state['Restarts']})")
    stopped = re.findall(r"stopped by a signal after step (\d+)", log)
    test.check(len(stopped) == 1, f"it was cut after step {', '.join(stopped)}")
    if not stopped:
        print(log)
        return
    test.check(test.result("cut").get("restarted_from_step") == int(stopped[0]), "and went on from there")
    for name in ("final.data", "defects.csv"):
        test.check((test.work / "cut" / name).read_bytes() == (test.work / "whole" / name).read_bytes(),
                   f"{name} is bit for bit that of the uninterrupted run")


def sweeps_of_both_apps_and_targets(test):
    deck = test.work / "lattice.toml"
    deck.write_text(LATTICE)
    md = ("--binary", test.tungsten_md, "--site", "cpu", "--out", "sweep")
    lines = (
        ("lattice.toml", "--ranks", "1,2", "--repeats", "2", *md),
        ("lattice.toml", "--ranks", "1,2", "--weak", "--grow", "xy", *md),
        ("lattice.toml", "--ranks", "2", "--target", "wafer", *md),
        ("--app", "sparse_llama", "--ranks", "1,2", "--binary", test.sparse_llama, "--site", "cpu", "--out", "sweep",
         "--synthetic", "tinyllama-1.1b:sparsity=0.7,layers=1", "--format", "bit_mask", "--tokens", "2",
         "--prompt-tokens", "2"),
    )
    for line in lines:
        test.sweep(*line)
    queued = test.sweep(*lines[0])
    test.check("submitted" not in queued, "what is in the queue is not submitted again")
    test.wait()
    names = [p.parent.name for p in sorted(test.work.glob("sweep/*/result.json"))]
    valid = [n for n in names if json.loads((test.work / "sweep" / n / "result.json").read_text())["valid"]]
    test.check(len(valid) == 9, f"job arrays made 9 valid results: {', '.join(valid)}")
    atoms = {}
    for name in valid:
        result = json.loads((test.work / "sweep" / name / "result.json").read_text())
        if "weak" in name:
            atoms[result["machine"]["ranks"]] = next(f["value"] for f in result["figures"] if f["name"] == "atoms")
    test.check(atoms == {1: 160, 2: 320}, f"the weak sweep doubled the atoms ({atoms})")
    said = "".join(test.sweep(*line) for line in lines)
    test.check("submitted" not in said, "the same lines find their results and submit nothing")
    deck.write_text(LATTICE.replace("steps = 10", "steps = 11"))
    test.check(test.sweep(*lines[0], "--prepare").count(" ranks (no result): ") == 4, "a changed deck makes new runs")


def every_site_gives_a_job_that_runs(test):
    # Modules are the site's own: here they do nothing.
    test.slurm.environment["BASH_FUNC_module%%"] = "() { :; }"
    (test.work / "lattice.toml").write_text(LATTICE)
    for site in SITES:
        test.submit(site, f"at_{site}", test.tungsten_md, "run", "lattice.toml", options=("--time=5",))
    test.wait()
    ended = [site for site in SITES if (test.work / f"at_{site}/result.json").exists() and test.result(f"at_{site}")["valid"]]
    test.check(ended == SITES, f"jobs of {', '.join(ended)} ran")
    for site in sorted(set(SITES) - set(ended)):
        print(test.log(f"at_{site}"))


def site_partitions():
    texts = [(JOBSCRIPTS / f"slurm/sites/{site}.sh").read_text() for site in SITES]
    return sorted({name for text in texts for name in re.findall(r"--partition=([\w-]+)", text)})


def main():
    reason = private_slurm.missing()
    if reason:
        print(f"SKIPPED: no Slurm to start here: {reason}")
        return 77
    with private_slurm.PrivateSlurm(site_partitions()) as slurm:
        slurm.environment["WAFERMARK_RANKS_PER_NODE"] = "1"  # of the generic scripts: two nodes
        test = Test(slurm, *(str(Path(program).resolve()) for program in sys.argv[1:3]))
        runs_on_two_nodes(test)
        a_rank_that_dies_ends_the_job(test)
        a_cut_run_ends_as_one_that_was_not(test)
        every_site_gives_a_job_that_runs(test)
        sweeps_of_both_apps_and_targets(test)
        outcomes = test.outcomes
    left = [d.pid for d in slurm.daemons if d.poll() is None]
    outcomes.append(not left and not slurm.folder.exists())
    print(("ok   " if outcomes[-1] else "FAIL ") + "nothing is left behind")
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
