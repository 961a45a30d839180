"""The result sheet of a submission: figures of merit with their 90 % intervals, ratios to a reference system and their mean,
energy and cost. Numbers only; sheet_page.py and sheet_files.py show them.

SSI and SSP are those of public procurements:
- SSI (Scalable System Improvement; NERSC and LANL, APEX/Crossroads, www.nersc.gov, "SSI"): the weighted geometric mean of
  c U S over the problems, with S the ratio of figures of merit, U = (n_ref / n) (N / N_ref) for n nodes used of N, and c how
  many times larger the problem is. By its definition S is at least 1.
- SSP (Sustained System Performance; Kramer, "How to measure useful, sustained performance", 2011): the geometric mean of the
  rate of a node, times the number of nodes. It needs one unit of work, so each app has its own: atom-steps, or tokens.
"""
import math
import statistics
from dataclasses import dataclass

from . import run_rules, suite
from .answer import Rate, Ratio, ratio
from .system import describe

YEAR = 365.25 * 86400.0
JOULES_PER_KWH = 3.6e6
PS_PER_MICROSECOND = 1e6
SHORTEST_STEP_PS = 1e-15  # of a result that is none below
TOKENS_OF_COST = 1e6
# Two-sided 90 % points of Student's t by degrees of freedom; between them the larger one.
STUDENT_90 = {1: 6.31, 2: 2.92, 3: 2.35, 4: 2.13, 5: 2.02, 6: 1.94, 7: 1.89, 8: 1.86, 9: 1.83, 10: 1.81, 15: 1.75, 30: 1.70}


def interval_of_repeats(rates):
    """A Rate: the geometric mean of the repeats with the 90 % interval of the mean; no interval of a single run."""
    logs = [math.log(x) for x in rates]
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return Rate(math.exp(mean))
    t = STUDENT_90[max(k for k in STUDENT_90 if k <= len(logs) - 1)]
    reach = t * statistics.stdev(logs) / math.sqrt(len(logs))
    return Rate(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))


@dataclass(frozen=True)
class Row:
    """One case on the sheet. Energies and costs are of a simulated microsecond or of a million tokens; None where the results
    and the description do not say them."""

    case: run_rules.Case
    problem: str
    rate: Rate
    nodes: int | None
    kwh: float | None
    energy_from: str
    cost: float | None
    currency: str
    problems: tuple  # why it is not official

    @property
    def official(self):
        return not self.problems

    kind = property(lambda self: self.case.first.figures[run_rules.MERIT_OF[self.case.first.app]].kind)
    app = property(lambda self: self.case.first.app)
    unit = property(lambda self: "steps/s" if self.app == "tungsten_md" else "tokens/s")
    solution = property(lambda self: "simulated microsecond" if self.app == "tungsten_md" else "million tokens")


def seconds_to_solution(run, rate):
    """Of a simulated microsecond, or of a million tokens."""
    if run.app == "sparse_llama":
        return TOKENS_OF_COST / rate
    followed, steps = run.value("simulated_ps"), run.value("steps")
    step_ps = followed / steps if followed and followed > 0 and steps else run.deck.get("run", {}).get("timestep_ps")
    return PS_PER_MICROSECOND / step_ps / rate if step_ps and step_ps >= SHORTEST_STEP_PS else None


def nodes_of(run):
    """Nodes that a run used: hosts of a native one, one wafer; of a simulated cluster they are not in the result."""
    return {"cluster": len(run.hosts), "wafer": 1}.get(run.target)


def watts_of(case, rate, nodes):
    """(watts, what says so): the runs' meter, the emulated machine's model, or the description's load."""
    run = case.first
    name = "joules_per_atom_step" if run.app == "tungsten_md" else "joules_per_token"
    joules = [r.value(name) for r in case.runs if r.value(name)]
    work = run.atoms if run.app == "tungsten_md" else 1
    if joules and work:
        source = run.json["energy"]["source"] if case.measured else "model"
        return statistics.median(joules) * work * rate, source
    load = case.system.value("power", "load_watts") if case.system else None
    return (load * nodes, "load_watts of the description") if load and nodes else (None, "")


def cost_of(system, nodes, seconds, kwh):
    """Share of the price over the machine's life, and the energy with what cooling adds to it."""
    cost = system.tables.get("cost") if system else None
    if not cost or not nodes or not system.nodes or seconds is None or kwh is None:
        return None
    machine = cost["price"] * nodes / system.nodes * seconds / (cost["life_years"] * YEAR)
    return machine + kwh * cost.get("pue", 1.0) * cost["energy_price_per_kwh"]


def rate_of(case):
    if case.measured:
        return interval_of_repeats(case.rates)
    return Rate.of(case.first, run_rules.MERIT_OF[case.first.app])  # predictions repeat exactly


def row_of(case):
    rate, nodes = rate_of(case), nodes_of(case.first)
    seconds = seconds_to_solution(case.first, rate.value)
    watts, source = watts_of(case, rate.value, nodes)
    kwh = watts * seconds / JOULES_PER_KWH if watts and seconds else None
    cost = cost_of(case.system, nodes, seconds, kwh)
    currency = (case.system.value("cost", "currency") if case.system else None) or ""
    return Row(case, case.name, rate, nodes, kwh, source, cost, currency, tuple(run_rules.why_not_official(case)))


def rows_of(results, systems=()):
    """A row for each case that has a rate; those without one are second."""
    describe(results, systems)
    cases = run_rules.cases_of(results)
    for case in cases:
        if not case.measured:
            case.system = next((s for s in systems if s.value("system", "machine") == case.first.machine), None)
    return [row_of(c) for c in cases if c.rates], [c for c in cases if not c.rates]


@dataclass(frozen=True)
class Improvement:
    """One problem against the reference system. `nodes` and `machine_nodes` are n and N of both sides, None where unknown."""

    problem: str
    row: Row
    reference: Rate
    reference_kind: str
    speedup: Ratio
    capability: float
    utilisation: float | None


@dataclass(frozen=True)
class Reference:
    """A rate of the reference system."""

    problem: str
    atoms: int | None
    rate: Rate
    kind: str
    nodes: int | None = None
    machine_nodes: int | None = None


def references_of(rows):
    return [Reference(r.problem, r.case.first.atoms, r.rate, r.kind, r.nodes, r.case.system.nodes if r.case.system else None)
            for r in rows]


def references_of_machine(name, evidence):
    """The shipped results of a machine, each size of each problem: an emulated or simulated one, or one that native runs were
    measured on, by the name of its description."""
    runs = [r for r in evidence.results if name in (r.machine, r.description and r.description.name)]
    found = [r for r in references_of(rows_of(runs, evidence.systems)[0]) if r.problem in suite.DECKS or r.atoms is None]
    found += [Reference(suite.problem_of_replay(r), r.atoms, Rate.of(r), r.kind)
              for r in evidence.replays if r.machine == name and r.valid]
    return [r for r in found if r.problem]


def improvements(rows, references):
    """For each problem of the suite that both sides ran: the fastest of both, official ones first."""
    found = []
    for problem in dict.fromkeys(r.problem for r in rows if suite.problem_of(r.case.first)):
        mine = max((r for r in rows if r.problem == problem), key=lambda r: (r.official, r.rate.value))
        grows = suite.DECKS.get(problem, False)
        theirs = [f for f in references if f.problem == problem and (grows or f.atoms == mine.case.first.atoms)]
        if not theirs:
            continue
        best = max(theirs, key=lambda f: f.rate.value)
        system = mine.case.system
        counts = (mine.nodes, system.nodes if system else None, best.nodes, best.machine_nodes)
        utilisation = counts[2] / counts[0] * counts[1] / counts[3] if all(counts) else None
        capability = mine.case.first.atoms / best.atoms if grows and best.atoms else 1.0
        found.append(Improvement(problem, mine, best.rate, best.kind, ratio(mine.rate, best.rate), capability, utilisation))
    return found


def mean_improvement(found, with_utilisation):
    """The geometric mean as a Ratio, equal weights: SSI with the utilisation, else of c S alone. The problems' errors are
    taken as independent."""
    factors = [i.speedup.value * i.capability * (i.utilisation if with_utilisation else 1.0) for i in found]
    value = math.exp(statistics.fmean(math.log(f) for f in factors))
    known = [i.speedup for i in found if i.speedup.low is not None]
    if len(known) < len(found):
        return Ratio(value, None, None)
    down = math.hypot(*(math.log(s.value / s.low) for s in known)) / len(found)
    up = math.hypot(*(math.log(s.high / s.value) for s in known)) / len(found)
    return Ratio(value, value * math.exp(-down), value * math.exp(up))


def sustained(rows, app):
    """SSP of the machine in atom-steps/s (or tokens/s): None where its nodes are not described or there is nothing to take
    the mean of. Measured and official cases of the suite only, the fastest of each problem."""
    best = {}
    for r in rows:
        if r.app == app and r.official and r.case.measured and r.nodes and r.case.system and r.case.system.nodes:
            work = r.case.first.atoms if app == "tungsten_md" else 1
            best[r.problem] = max(best.get(r.problem, 0.0), work * r.rate.value / r.nodes)
    if not best:
        return None
    nodes = next(r.case.system.nodes for r in rows if r.case.system and r.case.measured)
    return nodes * math.exp(statistics.fmean(math.log(v) for v in best.values()))
