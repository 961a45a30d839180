"""How many times the steps of a cluster the emulated wafer makes: problems, their wafers, their rival clusters, and ratios
with intervals. Numbers only; answer_page.py puts them into words and pictures."""
import json
import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from . import scaling
from .documents import SCHEMAS, read_toml
from .replays import read_replays
from .results import SOURCE, read_results
from .scaling import RATE
from .system import describe, systems_below

REFERENCE = SOURCE / "results/reference"
# How a program computes a step, not what it computes: list and cut may differ between the two sides.
METHOD_KEYS = ("skin_angstrom", "neighbour_list", "precision", "steps", "duration_ps", "seed", "rank_grid")


@dataclass(frozen=True)
class Rate:
    """Steps per second, with the 5th and 95th percentile where something says them."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, result, name=RATE):
        figure = result.figures[name]
        return cls(figure.value, *(figure.band or (None, None)))

    @property
    def has_band(self):
        return self.low is not None and 0 < self.low <= self.value <= self.high


@dataclass(frozen=True)
class Ratio:
    """`value` times as fast; between `low` and `high` by the bands of both sides. Without a band on either side nobody
    knows how sure it is: low and high are None."""

    value: float
    low: float | None
    high: float | None

    @property
    def decided(self):
        """Whether the interval leaves out 1: only such a ratio is quoted."""
        return self.low is not None and not self.low <= 1 <= self.high


def ratio(wafer, cluster):
    """Of two rates. Their errors are independent, so the distances to the percentiles add up as squares of logarithms: exact
    for log-normal ones."""
    def distance(a, b):
        return math.log(b / a) if a and b else 0.0

    value = wafer.value / cluster.value
    if not (wafer.has_band or cluster.has_band):
        return Ratio(value, None, None)
    w = (distance(wafer.low, wafer.value), distance(wafer.value, wafer.high)) if wafer.has_band else (0.0, 0.0)
    c = (distance(cluster.low, cluster.value), distance(cluster.value, cluster.high)) if cluster.has_band else (0.0, 0.0)
    return Ratio(value, value * math.exp(-math.hypot(w[0], c[1])), value * math.exp(math.hypot(w[1], c[0])))


@dataclass(frozen=True)
class Point:
    """A cluster of so many workers."""

    workers: int
    rate: Rate


@dataclass
class Rival:
    """A cluster, with points by the number of workers. `profile`: whose step a simulated one makes, empty for this program's
    own."""

    name: str
    kind: str  # "measured", "published", "simulated" or "modelled"
    worker: str
    points: list
    profile: str = ""
    source: str = ""
    runs: list = field(default_factory=list)  # of a measured one

    @property
    def best(self):
        return max(self.points, key=lambda p: p.rate.value)


@dataclass
class Problem:
    """One sample that the emulated wafer ran, and who else did. `family`: a key of samples that differ in size alone; `cells`:
    of the crystal, None of another sample."""

    label: str
    atoms: int
    wafers: list  # results
    rivals: list
    published_wafer: float | None = None
    published_source: str = ""
    family: str = ""
    cells: tuple | None = None

    @property
    def wafer(self):
        """The wafer run that stands for the problem: without options where there is one, the fastest machine and mapping."""
        plain = [w for w in self.wafers if w.is_plain_wafer] or self.wafers
        return max(plain, key=lambda w: Rate.of(w).value)

    def best_rival(self, *kinds):
        """The fastest cluster of these kinds; None where there is none."""
        mine = [r for r in self.rivals if r.kind in kinds]
        return max(mine, key=lambda r: r.best.rate.value, default=None)

    @property
    def published_ratios(self):
        """Published wafer over each published cluster, by the cluster's name."""
        if self.published_wafer is None:
            return {}
        return {r.name: self.published_wafer / r.best.rate.value for r in self.rivals if r.kind == "published"}


def family(result):
    """A key: the same crystal, potential, bath and time step, however a program computes it, in any size."""
    app, command, physics = json.loads(result.problem)
    physics["run"] = {k: v for k, v in physics.get("run", {}).items() if k not in METHOD_KEYS}
    return json.dumps([app, command, physics], sort_keys=True)


def sample(result):
    """A key: a family, and the size and shape of the sample. A slab and a cube of as many atoms are two samples."""
    return json.dumps([family(result), result.atoms, result.cells])


def potential_stem(result):
    return Path(str(result.deck.get("potential", {}).get("file", ""))).name.split(".")[0]


def simulated_runs(results):
    return scaling.runs_on(results, "simulated")


# Whose step a simulated cluster makes, as people say it; other profiles go by their file's name.
PROFILES = {"lammps_kokkos_2023": "LAMMPS of 2023 with KOKKOS", "lammps_cpu_2023": "LAMMPS of 2023 on CPUs"}


def cluster_words(machine, profile):
    return machine.removesuffix(f", {profile}") + f", {PROFILES.get(profile, profile)}" if profile else machine


def simulated_rivals(runs):
    """One for each machine, profile and kind; of repeats the newest counts, for a simulation repeats itself. `runs`: results
    and replays."""
    found = {}
    for r in sorted(runs, key=lambda r: r.started):
        kind = r.figures[RATE].kind
        found.setdefault((r.machine, r.profile, kind), {})[r.workers] = Point(r.workers, Rate.of(r))
    return [
        Rival(cluster_words(name, profile), kind, "worker", [p for _, p in sorted(by_workers.items())], profile)
        for (name, profile, kind), by_workers in sorted(found.items())
    ]


def measured_rivals(runs):
    """Native runs: one cluster for each machine, of its newest build. A point is the median of its repeats; from three on, the
    slowest and the fastest are its band."""
    by_machine = {}
    for r in sorted(runs, key=lambda r: r.started):
        by_machine.setdefault(r.machine, []).append(r)
    found = []
    for name, mine in sorted(by_machine.items()):
        mine = [r for r in mine if r.build_key == mine[-1].build_key]
        rates = {}
        for r in mine:
            rates.setdefault(r.workers, []).append(r.value(RATE))
        points = [
            Point(n, Rate(statistics.median(v), *((min(v), max(v)) if len(v) > 2 else (None, None)))) for n, v in sorted(rates.items())
        ]
        found.append(Rival(name, "measured", mine[0].worker_name, points, runs=mine))
    return found


def published_rivals(rates):
    return [
        Rival(r["machine"], "published", r["worker"], [Point(r["workers"], Rate(r["steps_per_second"]))], source=r["source"])
        for r in rates
        if r["system"] == "cluster"
    ]


@dataclass
class Evidence:
    """What stands beside a user's results: results and replays that ship with the project, rates that others published, and
    the descriptions of the machines on which native ones were measured."""

    results: list = field(default_factory=list)
    published: list = field(default_factory=list)
    replays: list = field(default_factory=list)
    systems: list = field(default_factory=list)

    def __post_init__(self):
        describe(self.results, self.systems)

    def add_replays(self, replays):
        """The user's own, each once."""
        known = {r.folder.resolve() for r in self.replays}
        self.replays += [r for r in replays if r.folder.resolve() not in known]


def problems(results, evidence):
    """Every sample that ran on the emulated wafer and that some cluster, measured, simulated or published, ran too; the
    largest first. `results`: the user's and those of the evidence; the newest of equal runs counts."""
    by_sample = {}
    results = [r for r in results if not r.machine_changes]  # another machine, whatever its name says
    for w in scaling.wafer_runs(results):
        by_sample.setdefault(sample(w), []).append(w)
    simulated = {}
    for r in simulated_runs(results):
        simulated.setdefault(sample(r), []).append(r)
    measured = {}
    for r in scaling.native_runs(results):
        measured.setdefault(sample(r), []).append(r)
    found = []
    for key, wafers in by_sample.items():
        newest = {(w.machine, w.wafer_options): w for w in sorted(wafers, key=lambda w: w.started)}
        first = wafers[0]

        def same_slab(potential, atoms, cells):
            known = cells is None or first.cells is None or tuple(cells) == first.cells
            return potential == potential_stem(first) and atoms == first.atoms and known

        rows = [r for r in evidence.published if same_slab(r["potential"], r["atoms"], r.get("cells"))]
        replays = [r for r in evidence.replays if r.valid and same_slab(r.potential, r.atoms, r.cells)]
        rivals = published_rivals(rows) + simulated_rivals(simulated.get(key, []) + replays) + measured_rivals(measured.get(key, []))
        if not rivals:
            continue
        wafer = next((r for r in rows if r["system"] == "wafer"), {})
        found.append(
            Problem(first.label, first.atoms, list(newest.values()), rivals, wafer.get("steps_per_second"),
                    wafer.get("source", ""), family(first), first.cells)
        )
    return sorted(found, key=lambda p: (-p.atoms, p.label))


def read_reference(folder=None):
    """The Evidence that ships with the project, or of another folder like it; none where there is no such folder."""
    place = Path(folder) if folder else REFERENCE
    if folder is None and not place.is_dir():
        return Evidence()
    file = place / "published.toml"
    rates = read_toml(file, SCHEMAS / "published.schema.json")["rate"] if file.exists() else []
    return Evidence(read_results([place]), rates, read_replays([place]), systems_below([place]))
