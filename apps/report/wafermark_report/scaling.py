"""Scaling series from results: which runs belong together, their medians over repeats, efficiencies."""
import statistics
from dataclasses import dataclass

RATE = "steps_per_second"
# Atoms per worker of a weak series may differ by this much (crystals come in whole cells).
SAME_LOAD = 0.02


@dataclass(frozen=True)
class Point:
    """Runs of one size on one number of workers: the median rate (1/s), the smallest and the largest."""

    atoms: int
    workers: int
    rate: float
    low: float
    high: float
    runs: int


@dataclass
class Series:
    """Points of one problem on one machine, by the number of workers."""

    label: str
    size: str
    problem: str
    machine: str
    worker_name: str
    points: list

    def efficiency(self, weak=False):
        """Parallel efficiency of each point against the first: rate per worker; for weak scaling the rate itself."""
        first = self.points[0]
        return [p.rate / first.rate / (1.0 if weak else p.workers / first.workers) for p in self.points]


def runs_on(results, target):
    """Valid runs of molecular dynamics that have a rate."""
    return [
        r
        for r in results
        if r.valid and r.app == "tungsten_md" and r.command == "run" and r.target == target and r.value(RATE) and r.atoms
    ]


def native_runs(results):
    return runs_on(results, "cluster")


def wafer_runs(results):
    return runs_on(results, "wafer")


def points_of(runs):
    """Medians over repeats, keyed by (atoms, workers)."""
    cells = {}
    for r in runs:
        cells.setdefault((r.atoms, r.workers), []).append(r.value(RATE))
    return [Point(a, w, statistics.median(v), min(v), max(v), len(v)) for (a, w), v in sorted(cells.items())]


def by_problem(runs):
    """Runs of the same problem on the same machine."""
    groups = {}
    for r in runs:
        groups.setdefault((r.problem, r.machine), []).append(r)
    return list(groups.values())


def series_of(group, points, size):
    first = group[0]
    return Series(
        first.label, size, first.problem, first.machine, first.worker_name, sorted(points, key=lambda p: p.workers)
    )


def strong_series(results):
    """Same problem, same atoms, at least two numbers of workers."""
    found = []
    for group in by_problem(native_runs(results)):
        points = points_of(group)
        for atoms in sorted({p.atoms for p in points}):
            same = [p for p in points if p.atoms == atoms]
            if len(same) > 1:
                found.append(series_of(group, same, f"{atoms:,} atoms"))
    return found


def weak_series(results):
    """Same problem, the same atoms per worker, at least two numbers of workers."""
    found = []
    for group in by_problem(native_runs(results)):
        left = points_of(group)
        while left:
            load = left[0].atoms / left[0].workers
            same = [p for p in left if abs(p.atoms / p.workers / load - 1) <= SAME_LOAD]
            left = [p for p in left if p not in same]
            if len({p.workers for p in same}) > 1:
                found.append(series_of(group, same, f"{load:,.0f} atoms a {group[0].worker_name}"))
    return found


@dataclass(frozen=True)
class Pair:
    """A native machine and a wafer run of the same problem and size: the best native one there is. `native`: one of its
    runs, `native_rate`: the median of their steps per second, as tables show it."""

    native: object
    wafer: object
    native_rate: float

    @property
    def ratio(self):
        return self.wafer.value(RATE) / self.native_rate


def pairs(results):
    """For each wafer run the fastest native machine of the same problem and size: the median of its repeats stands for
    it, so that a lucky run does not."""
    found = []
    native = native_runs(results)
    seen = set()
    for wafer in wafer_runs(results):
        key = (wafer.problem, wafer.atoms, wafer.cells, wafer.machine, wafer.wafer_options)
        if key in seen:
            continue
        cells = {}
        for r in native:
            if (r.problem, r.atoms, r.cells) == (wafer.problem, wafer.atoms, wafer.cells):
                cells.setdefault((r.machine, r.workers, r.build_key), []).append(r)
        if not cells:
            continue
        seen.add(key)
        # A cascade's later steps cost something else than its first: runs of the same length, where there are any.
        same = {k: [r for r in runs if r.value("steps") == wafer.value("steps")] for k, runs in cells.items()}
        longest = {k: max(r.value("steps") or 0 for r in runs) for k, runs in cells.items()}
        cells = {k: runs for k, runs in same.items() if runs} or {
            k: [r for r in runs if (r.value("steps") or 0) == longest[k]] for k, runs in cells.items()
        }

        rate, runs = max(
            ((statistics.median(r.value(RATE) for r in runs), runs) for runs in cells.values()), key=lambda found: found[0]
        )
        nearest = min(runs, key=lambda r: abs(r.value(RATE) - rate))
        found.append(Pair(nearest, wafer, rate))
    return found
