"""The run rules: what makes a case of a submission official. One table, `RULES`; docs/report.md prints what it says.

A case is the repeats of one problem at one size on one machine. A rule looks at a case and says pass, fail or "not visible":
what the results do not hold cannot be held against them, but the sheet says so.
"""
import json
import statistics
from dataclasses import dataclass, field

from .compare import case_of
from .documents import SCHEMAS, read_json
from .suite import LLAMAS, problem_of
from .system import System
from .wording import count, number

LEAST_STEPS = 500
LEAST_EMULATED_STEPS = 10  # cycles are counted, not clocked; the first steps of a list make up most of the differences
LEAST_TOKENS = 64
LEAST_SECONDS = 10.0
LEAST_REPEATS = 3
LARGEST_SPREAD = 0.10  # of the median, from the smallest to the largest
LEAST_EFFICIENCY = 0.5
LARGEST_BUSY = 0.05  # of a node's cores, before the run
PASS, FAIL, NOT_VISIBLE = "pass", "fail", "not visible"
MERIT_OF = {"tungsten_md": "steps_per_second", "sparse_llama": "decode_tokens_per_second"}


@dataclass(frozen=True)
class Verdict:
    state: str
    found: str = ""


@dataclass(eq=False)
class Case:
    """Repeats of one problem at one size. `others`: all cases of the submission; `system`: None without a description."""

    runs: list
    others: list = field(default_factory=list)
    system: System | None = None

    @property
    def first(self):
        """A run that stands for the case: one that ended and has a rate, where there is one."""
        return next((r for r in self.runs if r.complete and r.value(MERIT_OF[r.app])), self.runs[0])

    target = property(lambda self: self.first.target)
    measured = property(lambda self: self.target == "cluster")

    @property
    def name(self):
        return problem_of(self.first) or self.first.label

    @property
    def rates(self):
        return [r.value(MERIT_OF[self.first.app]) for r in self.runs if r.complete and r.value(MERIT_OF[self.first.app])]

    @property
    def median(self):
        return statistics.median(self.rates) if self.rates else None

    @property
    def rate_of_work(self):
        """Atom-steps, or tokens, per second and worker."""
        work = self.first.atoms if self.first.app == "tungsten_md" else 1
        return self.median * work / self.first.workers if self.median and work else None


@dataclass(frozen=True)
class Rule:
    name: str
    says: str
    judge: object  # Case -> Verdict
    only_measured: bool = False


def verdict(good, found):
    return Verdict(PASS if good else FAIL, found)


def complete(case):
    bad = [r for r in case.runs if not r.complete]
    return verdict(not bad, "; ".join(f"{r.name}: {r.why_not_valid}" for r in bad))


def checks_pass(case):
    bad = [r for r in case.runs if not r.json["valid"] or not all(c.passed for c in r.checks)]
    if bad:
        return verdict(False, f"checks fail in {', '.join(r.name for r in bad)}")
    without = [r for r in case.runs if not r.checks]
    if without and case.first.app == "sparse_llama":
        return Verdict(NOT_VISIBLE, "a run of sparse_llama checks nothing")
    return verdict(not without, f"no check in {', '.join(r.name for r in without)}" if without else "")


def of_the_suite(case):
    name = problem_of(case.first)
    if name is None and case.first.app == "sparse_llama":
        return verdict(False, f"{case.first.model_name or 'a model without a name'}, expected one of {', '.join(LLAMAS)}")
    return verdict(name is not None, name or f"{case.first.label}: its deck differs from the suite's in physics or size")


def steps_of(run):
    """Steps of a dynamics, tokens that a Llama made."""
    if run.app == "tungsten_md":
        return run.value("steps") or 0
    return run.json.get("generation", {}).get("tokens_asked_for") or 0


def long_enough(case):
    least = LEAST_TOKENS if case.first.app == "sparse_llama" else LEAST_STEPS if case.measured else LEAST_EMULATED_STEPS
    noun = "tokens" if case.first.app == "sparse_llama" else "steps"
    shortest = min(steps_of(r) for r in case.runs)
    return verdict(shortest >= least, f"{number(shortest)} {noun}, expected {least:,} or more")


def seconds_of(run):
    if run.value("loop_seconds"):
        return run.value("loop_seconds")
    rate = run.value(MERIT_OF[run.app])
    return steps_of(run) / rate if rate else 0.0


def timed_long_enough(case):
    shortest = min(seconds_of(r) for r in case.runs)
    return verdict(shortest >= LEAST_SECONDS, f"{number(shortest, 3)} s")


def in_one_stretch(case):
    bad = [r.name for r in case.runs if r.json.get("restarted_from_step")]
    return verdict(not bad, f"{', '.join(bad)} went on from a checkpoint: the rate is that of the last stretch" if bad else "")


def repeated(case):
    return verdict(len(case.rates) >= LEAST_REPEATS, f"{count(len(case.rates), 'complete run')} with a rate")


def steady(case):
    if not case.rates:
        return Verdict(FAIL, "no rate")
    spread = (max(case.rates) - min(case.rates)) / case.median
    return verdict(spread <= LARGEST_SPREAD, f"{100 * spread:.1f} %")


def efficient(case):
    """Against the smallest machine of the submission that ran the same problem, of the same size or the same load."""
    mine = case.first
    smaller = [
        o
        for o in case.others
        if o.rate_of_work
        and o.first.machine == mine.machine
        and o.first.workers < mine.workers
        and problem_of(o.first) == problem_of(mine)
        and o.first.label == mine.label
    ]
    if not smaller or not case.rate_of_work:
        return Verdict(NOT_VISIBLE, "no run on fewer workers in the submission")
    base = min(smaller, key=lambda o: o.first.workers)
    efficiency = case.rate_of_work / base.rate_of_work
    return verdict(
        efficiency >= LEAST_EFFICIENCY,
        f"{100 * efficiency:.0f} % on {mine.workers:,} {mine.worker_name}s against {base.first.workers:,}",
    )


def one_named_build(case):
    bad = [f"{r.name}: build.{key} is empty" for r in case.runs for key, value in r.json["build"].items() if not value.strip()]
    if len({json.dumps(r.json["build"], sort_keys=True) for r in case.runs}) > 1:
        bad.append("repeats of different builds")
    model = case.first.json.get("model", {})
    if case.first.app == "sparse_llama" and case.measured and not model.get("instructions"):
        bad.append("model.instructions does not name the kernels")
    return verdict(not bad, "; ".join(bad[:3]))


def committed(case):
    bad = sorted({r.json["build"]["commit"] for r in case.runs if r.json["build"]["commit"].endswith("-dirty")})
    return verdict(not bad, f"built from changed sources: {', '.join(bad)}" if bad else "")


def described(case):
    if case.system is None:
        return Verdict(FAIL, "no system.toml in or above its folder (wafermark-report system --out FILE writes a first one)")
    missing = case.system.missing
    return verdict(not missing, f"{case.system.path}: without {', '.join(missing)}" if missing else "")


def fits_machine(case):
    if case.system is None or not case.system.nodes:
        return Verdict(NOT_VISIBLE, "no description with system.nodes")
    hosts = len(case.first.hosts)
    if hosts > case.system.nodes:
        return Verdict(FAIL, f"{hosts} hosts, the description has {case.system.nodes:,} nodes")
    cores, gpus = case.system.workers_of_node
    on_gpu = case.first.worker_name == "GPU"
    of_node = gpus if on_gpu else cores
    if of_node is None:
        return Verdict(NOT_VISIBLE, "no description with the workers of a node")
    most = of_node * hosts
    return verdict(case.first.workers <= most, f"{case.first.workers:,} workers on {most:,} {'GPUs' if on_gpu else 'cores'}")


def alone(case):
    """What jobscripts/node_load.sh saw before the run, in load.json of its folder."""
    seen, bad = 0, []
    for r in case.runs:
        path = r.folder / "load.json"
        if path.exists():
            seen += 1
            busy = read_json(path, SCHEMAS / "load.schema.json")["busy"]
            if busy > LARGEST_BUSY:
                bad.append(f"{r.name}: {100 * busy:.0f} % of the cores were busy before it began")
    if bad or seen == len(case.runs):
        return verdict(not bad, "; ".join(bad[:3]))
    return Verdict(NOT_VISIBLE, f"no load.json in {len(case.runs) - seen} of {len(case.runs)} runs (sweep.py and job.sh write one)")


def own_machine(case):
    """Emulated and simulated machines are the suite's files, unchanged."""
    changes = case.first.machine_changes
    return verdict(not changes, f"changed: {', '.join(map(str, changes))}" if changes else "")


def banded(case):
    if case.measured:
        return Verdict(PASS)
    figure = case.first.figures.get(MERIT_OF[case.first.app])
    return verdict(bool(figure and figure.band), "" if figure and figure.band else "the predicted rate has no band")


RULES = (
    Rule("complete", "every run did all that it was to do", complete),
    Rule("checks", "every run of tungsten_md has checks, and all pass", checks_pass),
    Rule("problem", "physics and size as in a deck of the suite, or a Llama of it; list, precision, cut and seed are free", of_the_suite),
    Rule("steps", f"at least {LEAST_STEPS} steps ({LEAST_EMULATED_STEPS} emulated or simulated ones), {LEAST_TOKENS} tokens",
         long_enough),
    Rule("time", f"at least {LEAST_SECONDS:g} s in the timed loop", timed_long_enough, only_measured=True),
    Rule("one stretch", "a timed run was not cut", in_one_stretch, only_measured=True),
    Rule("repeats", f"at least {LEAST_REPEATS} runs", repeated, only_measured=True),
    Rule("spread", f"at most {100 * LARGEST_SPREAD:.0f} % of the median from the slowest to the fastest", steady, only_measured=True),
    Rule("efficiency", f"at least {100 * LEAST_EFFICIENCY:.0f} % of the rate per worker of the smallest run of the problem",
         efficient, only_measured=True),
    Rule("build", "one build, with compiler, flags, Kokkos, back end, MPI and, of a Llama, the kernels named", one_named_build),
    Rule("sources", "built from a commit, not from changed sources", committed),
    Rule("description", "system.toml is complete; emulated and simulated machines are files of the suite", described, only_measured=True),
    Rule("machine", "not more hosts or workers than the description has", fits_machine, only_measured=True),
    Rule("load", f"at most {100 * LARGEST_BUSY:.0f} % of the first node's cores busy before a run, where it was looked at", alone,
         only_measured=True),
    Rule("machine file", "a machine file of the suite without --machine-set", own_machine),
    Rule("band", "a predicted rate has a band", banded),
)


def cases_of(results):
    """The cases in the order of their first runs. Results without a rate (info, validate) are none."""
    groups = {}
    for r in results:
        if r.app in MERIT_OF and (MERIT_OF[r.app] in r.figures or not r.complete):
            groups.setdefault((case_of(r), r.machine), []).append(r)
    cases = [Case(runs, system=runs[0].description) for runs in groups.values()]
    for case in cases:
        case.others = cases
    return cases


def judge(case):
    """[(rule, verdict)] of the rules that apply to the case."""
    return [(rule, rule.judge(case)) for rule in RULES if case.measured or not rule.only_measured]


def why_not_official(case):
    """One text for each rule that fails; empty for an official case."""
    return [f"{rule.name}: {v.found}" for rule, v in judge(case) if v.state == FAIL]
