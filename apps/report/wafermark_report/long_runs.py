"""How long a long run takes: the physical time that a day brings, and the days and the energy of an anneal, on every machine that
ran a problem."""
from dataclasses import dataclass

from . import scaling
from .answer import Rate, potential_stem, sample
from .parts import Cell, Missing, Section, Table, Text
from .sheet import JOULES_PER_KWH, seconds_to_solution
from .wording import count, number

TITLE = "Long runs"
ANNEAL_US = 100  # microseconds
DAY = 86_400.0


@dataclass(frozen=True)
class Plan:
    """What an anneal takes at the rate of `run`, a result or a replay, in steps of `of`, the result that says how long they are.
    Energy in kWh, None where the run has no figure of it."""

    of: object
    run: object
    us_per_day: Rate
    days: Rate
    kwh: Rate | None
    energy_kind: str = ""

    kind = property(lambda self: self.run.figures[scaling.RATE].kind)

    @property
    def size(self):
        whole_wafer = self.run is self.of and self.of.target == "wafer"
        return "" if whole_wafer else count(self.run.workers, "worker")


def inverse(rate, factor):
    """factor / rate, with the percentiles changing places."""
    return Rate(factor / rate.value, factor / rate.high, factor / rate.low) if rate.has_band else Rate(factor / rate.value)


def scaled(rate, factor):
    return Rate(rate.value * factor, rate.low * factor, rate.high * factor) if rate.has_band else Rate(rate.value * factor)


def joules_per_step(run):
    """(joules, kind) of a step; None where nothing says them."""
    for name, factor in (("joules_per_step", 1.0), ("joules_per_atom_step", run.atoms)):
        figure = run.figures.get(name)
        if figure and figure.value and figure.value > 0:
            return scaled(Rate.of(run, name), factor), figure.kind
    return None, ""


def plan_of(run, of):
    """None where the result does not say how long its steps are."""
    rate = Rate.of(run)
    seconds = seconds_to_solution(of, rate.value)  # of a simulated microsecond
    if not seconds:
        return None
    us_per_day = scaled(rate, DAY / seconds / rate.value)
    joules, kind = joules_per_step(run)
    kwh = scaled(joules, ANNEAL_US * seconds * rate.value / JOULES_PER_KWH) if joules else None
    return Plan(of, run, us_per_day, inverse(us_per_day, ANNEAL_US), kwh, kind)


def plans(results, replays=()):
    """Of every sample the fastest run on every machine, the shortest anneal first. A replay has the steps of the result of the same
    slab: potential and number of atoms."""
    best = {}

    def consider(run, of):
        plan, key = plan_of(run, of), (sample(of), run.machine)
        if plan and (key not in best or plan.days.value < best[key].days.value):
            best[key] = plan

    runs = [r for target in ("cluster", "simulated", "wafer") for r in scaling.runs_on(results, target)]
    for run in runs:
        consider(run, run)
        for replay in replays:
            if replay.valid and replay.atoms == run.atoms and replay.potential == potential_stem(run):
                consider(replay, run)
    return sorted(best.values(), key=lambda p: (p.of.label, p.of.atoms, p.days.value))


def with_band(rate):
    digits = 3
    text = number(rate.value, digits)
    return f"{text} ({number(rate.low, digits)} ... {number(rate.high, digits)})" if rate.has_band else text


def long_runs_section(results, replays=()):
    rows = []
    for p in plans(results, replays):
        energy = Cell(with_band(p.kwh), p.energy_kind) if p.kwh else "-"
        rows.append([p.of.label, f"{p.of.atoms:,}", p.run.machine, p.size, Cell(with_band(p.us_per_day), p.kind),
                     Cell(with_band(p.days), p.kind), energy])  # fmt: skip
    if not rows:
        return Missing(TITLE, "no run of molecular dynamics says its rate and its time step")
    text = (
        f"What {ANNEAL_US} microseconds of physical time take at each run's own rate and time step, on the fastest size of each"
        " machine. In brackets the 5th and 95th percentile, where a result has them; energies are those of the runs' meters or"
        " models. It is the rate carried on: no run was that long, and no stop for checkpoints or failures is in it."
    )
    columns = ["problem", "atoms", "machine", "size", "microseconds a day", f"days for {ANNEAL_US} us", "energy, kWh"]
    return Section("long-runs", TITLE, [Text(text), Table(columns, rows, numeric_from=4)])
