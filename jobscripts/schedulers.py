"""What sweep.py asks a site's scheduler: how many runs a submission takes, its number in the answer, and whether it is in the
queue. The scheduler's line itself is submit.sh's."""
import re
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Scheduler:
    """`arrays`: one submission may hold many runs of a size. `options_of(log, name)`: words for a log and a name. `number(text)`: the
    job in what the submission printed. `asks(job)`: a command, and `waits(output)` whether its answer means that it is there."""

    name: str
    arrays: bool
    options_of: object
    number: object
    asks: object
    waits: object


SCHEDULERS = {
    "slurm": Scheduler(
        "slurm",
        True,
        lambda log, name: ["--parsable", f"--output={log}", f"--job-name={name}"],
        lambda text: text.strip().split(";")[0],
        lambda job: ["squeue", "--noheader", f"--jobs={job}"],
        lambda output: bool(output.strip()),
    ),
    "flux": Scheduler(
        "flux",
        False,
        lambda log, name: [f"--output={log}", f"--job-name={name}"],
        lambda text: text.strip(),
        lambda job: ["flux", "jobs", "--no-header", "--format={state}", job],
        lambda output: output.strip() not in ("", "INACTIVE"),
    ),
    "pbs": Scheduler(
        "pbs",
        False,
        lambda log, name: ["-j", "oe", "-o", log, "-N", re.sub(r"\W", "_", name)[:15]],
        lambda text: text.strip(),
        lambda job: ["qstat", job],
        lambda output: bool(output.strip()),
    ),
}


def in_queue(scheduler, job):
    """Whether the scheduler, where it answers at all, still has this job."""
    try:
        done = subprocess.run(scheduler.asks(job), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and scheduler.waits(done.stdout)
