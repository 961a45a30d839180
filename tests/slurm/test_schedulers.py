#!/usr/bin/env python3
"""Flux and PBS, which Debian does not have: sweep.py, submit.sh and job.sh against programs that take the documented command lines
(flux-batch(1), flux-run(1), flux-jobs(1), qsub(1B), qstat(1B)) and refuse others; and what fails before anything is queued.

usage: test_schedulers.py TUNGSTEN_MD
"""
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from small_deck import DECK

JOBSCRIPTS = Path(__file__).resolve().parents[2] / "jobscripts"
# Both run a job at once; FAKE_STATE is what they say of it afterwards, FAKE_REFUSAL what they say instead of taking it.
FLUX = """#!/bin/bash
set -eu
command=$1; shift
case $command in
  batch)
    [ -z "${FAKE_REFUSAL:-}" ] || { echo "flux-batch: ERROR: $FAKE_REFUSAL" >&2; exit 1; }
    output=/dev/null nodes=
    while [[ ${1:-} == --* ]]; do
      case $1 in
        --nodes=[0-9]*) nodes=${1#*=} ;; --output=*) output=${1#*=} ;;
        --exclusive | --time-limit=* | --job-name=* | --queue=* | --bank=*) ;;
        *) echo "flux-batch: error: unrecognized arguments: $1" >&2; exit 2 ;;
      esac
      shift
    done
    [ -n "$nodes" ] || { echo "flux-batch: error: --nodes" >&2; exit 2; }
    cp "$1" "$FAKE/script"; shift  # Flux runs a copy
    # A batch script has the number of its job in the one variable, not in the other.
    env -u FLUX_JOB_ID FLUX_ENCLOSING_ID=f1 bash "$FAKE/script" "$@" >"$output" 2>&1 || true
    echo f1 ;;
  run)
    ntasks=
    while [[ $1 == --* ]]; do
      case $1 in
        --ntasks=[0-9]*) ntasks=${1#*=} ;;
        --time-limit=*) echo "flux-run: ERROR: job duration (30m) exceeds remaining instance lifetime (30m)" >&2; exit 1 ;;
        --nodes=[0-9]* | --exclusive | --signal=TERM@[0-9]*s | --cores-per-task=[0-9]* | --gpus-per-task=[0-9]*) ;;
        *) echo "flux-run: error: unrecognized arguments: $1" >&2; exit 2 ;;
      esac
      shift
    done
    exec "$LAUNCH" "$ntasks" "$@" ;;
  jobs) [ "$1" = --no-header ] && [ "$2" = "--format={state}" ] && echo "${FAKE_STATE:-INACTIVE}" ;;
  *) exit 2 ;;
esac
"""
QSUB = """#!/bin/bash
set -eu
[ -z "${FAKE_REFUSAL:-}" ] || { echo "qsub: $FAKE_REFUSAL" >&2; exit 170; }
output=/dev/null select=
while [ "$1" != -- ]; do
  case $1 in
    -l) case $2 in select=[0-9]*) select=$2 ;; place=*:excl | walltime=*:*:* | filesystems=*) ;; *) echo "qsub: illegal -l value" >&2; exit 2 ;; esac; shift ;;
    -o) output=$2; shift ;;
    -N) [[ $2 =~ ^[A-Za-z_][A-Za-z0-9_]{0,14}$ ]] || { echo "qsub: illegal -N value" >&2; exit 2; }; shift ;;
    -j | -q | -A) shift ;;
    *) echo "qsub: usage $1" >&2; exit 2 ;;
  esac
  shift
done
shift
[ -n "$select" ] || exit 2
here=$PWD
(cd / && env -u WAFERMARK_JOBSCRIPTS PBS_O_WORKDIR="$here" PBS_JOBID=7.server "$@") >"$output" 2>&1 || true  # starts at home
echo 7.server
"""
QSTAT = """#!/bin/bash
[ "${FAKE_STATE:-INACTIVE}" != INACTIVE ] || { echo "qstat: 7.server Job has finished" >&2; exit 35; }
echo "7.server tungsten_md user 0 $FAKE_STATE workq"
"""
MPIEXEC = """#!/bin/bash
[ "$1" = -n ] && [ "$3" = --ppn ] || exit 2
n=$2; shift 4
exec "$LAUNCH" "$n" "$@"
"""
LAUNCH = """#!/bin/bash
n=$1; shift
if [ -n "${RECORD:-}" ]; then printf '%s\\0' "$@" >"$RECORD"; exit 0; fi
. "$JOBSCRIPTS/environment.sh" && exec env -u FLUX_JOB_ID mpirun -np "$n" "$@"  # Open MPI would look for a real Flux
"""
AWKWARD = ["two words", "", "it's", "$(touch ran)", "; touch ran", "*", "\\", "gr\u00fcn", "-n"]
outcomes = []


def check(good, what):
    print(("ok   " if good else "FAIL ") + what, flush=True)
    outcomes.append(bool(good))


class Site:
    """A folder with a deck and the programs of a scheduler, which are first in PATH."""

    def __init__(self, folder, tungsten_md):
        self.folder, self.tungsten_md = folder, tungsten_md
        programs = folder / "bin"
        programs.mkdir()
        for name, text in (("flux", FLUX), ("qsub", QSUB), ("qstat", QSTAT), ("mpiexec", MPIEXEC), ("launch", LAUNCH)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (folder / "case.toml").write_text(DECK)
        self.environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "FAKE": str(programs), "LAUNCH": str(programs / "launch"),
                                         "JOBSCRIPTS": str(JOBSCRIPTS), "WAFERMARK_RANKS_PER_NODE": "1"}

    def call(self, *words, **more):
        done = subprocess.run([*map(str, words)], cwd=self.folder, env=self.environment | more, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def sweep(self, *words, **more):
        return self.call(sys.executable, JOBSCRIPTS / "sweep.py", "case.toml", "--binary", self.tungsten_md, *words, **more)

    def submit(self, *words, **more):
        return self.call("bash", JOBSCRIPTS / "slurm/submit.sh", *words, **more)


def sweeps_go_through(s, site):
    line = ("--ranks", "1,2", "--site", site, "--out", f"out_{site}")
    code, text = s.sweep(*line, FAKE_STATE="R")
    check(code == 0 and text.count("submitted 1 run on") == 2, f"{site}: a job for each run: {text.strip()[-120:]!r}")
    made = [json.loads(p.read_text()) for p in sorted(s.folder.glob(f"out_{site}/*/result.json"))]
    check([(r["valid"], r["machine"]["ranks"]) for r in made] == [(True, 1), (True, 2)], f"{site}: valid results on 1 and 2 ranks")
    logs = [p.read_text() for p in s.folder.glob(f"out_{site}/job_*.log")]
    number = {"flux": "f1", "pbs": "7.server"}[site]
    check(len(logs) == 2 and all(f", job {number}, start 1, " in log for log in logs), f"{site}: its log names the job")
    loads = [json.loads(p.read_text()) for p in s.folder.glob(f"out_{site}/*/load.json")]
    check(len(loads) == 2 and all(0 <= load["busy"] <= 1 for load in loads), f"{site}: what else the node did is beside them")
    check("submitted" not in s.sweep(*line)[1], f"{site}: the same line submits nothing")
    for p in s.folder.glob(f"out_{site}/*/result.json"):
        p.unlink()
    check("submitted" not in s.sweep(*line, FAKE_STATE="RUN")[1] and "in the queue as" in s.sweep(*line, "--collect", FAKE_STATE="RUN")[1],
          f"{site}: what is in the queue is not submitted again")
    code, text = s.sweep(*line[:-1], f"refused_{site}", FAKE_REFUSAL="no such account")
    check(code == 2 and text.count("\n") == 1 and "no such account" in text, f"{site}: a refusal is told in one line: {text.strip()[-90:]}")


def words_arrive(s, site):
    command = ["program", "run", *AWKWARD, "--out", "o ut"]
    record = s.folder / "record"
    code, text = s.submit(site, "--ranks=2", "--", *command, RECORD=str(record))
    got = record.read_bytes().decode().split("\0")[:-1] if record.exists() else text
    check(code == 0 and got == command and not (s.folder / "ran").exists(), f"{site}: words arrive as they are")


def lines_are_shown_without_a_scheduler(s):
    environment = {"PATH": "/usr/bin:/bin"}
    for site in sorted(p.stem for p in (JOBSCRIPTS / "slurm/sites").glob("*.sh")):
        for ranks in (["--ranks", "5"], ["--ranks=5"]):
            code, text = s.submit(site, *ranks, "--dry-run", "--", "tungsten_md", "run", "x", "--out", "y", **environment)
            words = shlex.split(text)
            check(code == 0 and words[0] in ("sbatch", "flux", "qsub") and words[-5:] == ["tungsten_md", "run", "x", "--out", "y"],
                  f"{site} {' '.join(ranks)}: {text.strip()[:80]}")
    code, text = s.sweep("--ranks", "3", "--site", "flux", "--prepare", "--out", "out")
    check(code == 0 and "  flux batch --nodes=3 " in text and not (s.folder / "out").exists(),
          "--prepare shows the scheduler's line and writes nothing")
    code, text = s.submit("flux", "--ranks", "1", "--", "p", "run", "--out", "y", **environment)
    check(code == 2 and "flux: not found" in text, f"without it nothing is submitted: {text.strip()}")


def slips_fail_before_anything_is_queued(s):
    end = ("--", "tungsten_md", "run", "x", "--out", "y")
    for words, expected in (
        (("cpu", "--rank=2", *end), "--rank=2: unknown option"),
        (("cpu", "--ranks=two", *end), "--ranks 'two'"),
        (("cpu", "--ranks", *end), "--ranks '--'"),
        (("cpu", "--ranks=0", *end), "--ranks '0'"),
        (("cpu", "--ranks=2", "--dryrun", *end), "--dryrun: unknown option"),
        (("cpu", "frontier", "--ranks=2", *end), "frontier: expected an option"),
        (("cpu", "--ranks=2", "--time=5", "10", *end), "10: expected an option"),
        (("fronteer", "--ranks=2", *end), "not found, expected a file or one of: alps aurora"),
        (("cpu", "--ranks=2", "--", "tungsten_md", "run", "x"), "found no --out DIR"),
        (("cpu", "--ranks=2"), "found no command"),
    ):
        code, text = s.submit(*words)
        check(code == 2 and expected in text and text.count("\n") == 1, f"{' '.join(words)[:50]}: {text.strip()[:100]}")
    for words, expected in (
        (("--site", "fronteer"), "--site fronteer: not found"),
        (("--rpeats", "3"), "--rpeats: unknown here and to tungsten_md run, expected --repeats?"),
        (("--set", "run.stepz=3"), "run.steps"),
        (("--set", "run.steps=-3"), "run.steps"),
    ):
        code, text = s.sweep("--ranks", "1", *words, "--prepare", "--out", "slips")
        check(code == 2 and expected in text and text.count("\n") == 1, f"{' '.join(words)}: {text.strip()[:110]}")
    check(not (s.folder / "slips").exists(), "and leaves nothing")
    site = s.folder / "own.sh"
    site.write_text("scheduler=lsf\nranks_per_node=1\n")
    for code, text in (s.submit(site, "--ranks=1", *end), s.sweep("--ranks", "1", "--site", str(site), "--prepare")):
        check(code == 2 and "lsf" in text and text.count("\n") == 1, f"an unknown scheduler: {text.strip()[-90:]}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        s = Site(Path(folder), str(Path(sys.argv[1]).resolve()))
        for site in ("flux", "pbs"):
            sweeps_go_through(s, site)
            words_arrive(s, site)
        lines_are_shown_without_a_scheduler(s)
        slips_fail_before_anything_is_queued(s)
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
