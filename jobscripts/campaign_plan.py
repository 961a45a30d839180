"""What a campaign is to do: its file, and the runs that follow from it.

A campaign file names a deck with one recoil and says over what it is repeated. `Cascade` is one recoil of the set (of an energy, a
direction, a temperature and a seed), `Threshold` one search for the energy that displaces an atom for good. Both are resolved from the
outcomes of runs that are there; the first one that is not there is raised as NotDone, so that the same walk serves runs here, jobs in a
queue, and a look at what there is.
"""
import hashlib
import json
import math
import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from made_by import InputError

AXES = ("directions", "temperatures_k", "thermal_expansion", "seeds")
KEYS = {
    "": {"title", "deck", "set", "again", "energy", "threshold", *AXES},
    "energy": {"ev", "cells", "duration_ps", "set", *AXES},
    "threshold": {"lowest_ev", "highest_ev", "step_ev", "cells", "duration_ps", "set", *AXES},
}
# What the campaign itself sets in each run; `set` may not.
OWN_KEYS = ("pka.0.energy_ev", "pka.0.direction", "run.seed", "temperature.initial_k", "temperature.draw_k", "thermostat.temperature_k")
MOST_RUNS = 1_000_000
LARGEST_EV = 1e9
ANOTHER_SEED = 1_000_003  # between a seed and the one that takes its place


@dataclass(frozen=True)
class Direction:
    """`vector` None: drawn for each run, from its seed, energy and temperature."""

    name: str
    vector: tuple | None

    @property
    def group(self):
        """What its recoils are counted with: an isotropic set is one."""
        return "isotropic" if self.name.startswith("isotropic") else self.name

    @property
    def label(self):
        """For names of folders."""
        return re.sub(r"[^0-9A-Za-z.-]+", "_", self.name).strip("_")


@dataclass(frozen=True)
class Trial:
    """One run of the deck."""

    energy_ev: float
    direction: Direction
    temperature_k: float
    seed: int
    settings: tuple  # "key=value", in the order of --set

    @property
    def vector(self):
        """Of the recoil. A random one is uniform on the sphere."""
        if self.direction.vector:
            return self.direction.vector
        draw = random.Random(f"{self.seed} {self.energy_ev!r} {self.temperature_k!r}")
        z, angle = draw.uniform(-1.0, 1.0), draw.uniform(0.0, 2.0 * math.pi)
        s = math.sqrt(1.0 - z * z)
        return (s * math.cos(angle), s * math.sin(angle), z)

    def words(self, with_thermostat):
        """The --set words of the run."""
        own = [f"pka.0.energy_ev={self.energy_ev!r}", f"pka.0.direction={list(self.vector)!r}", f"run.seed={self.seed}",
               f"temperature.initial_k={self.temperature_k!r}", f"temperature.draw_k={2 * self.temperature_k!r}"]
        own += [f"thermostat.temperature_k={self.temperature_k!r}"] if with_thermostat else []
        return [word for setting in (*self.settings, *own) for word in ("--set", setting)]

    def name(self):
        return f"{self.energy_ev:g}eV_{self.direction.label}_{self.temperature_k:g}K_s{self.seed}"


class NotDone(Exception):
    """There is no outcome of this trial yet."""

    def __init__(self, trial):
        super().__init__(trial)
        self.trial = trial


@dataclass(frozen=True)
class Settled:
    """A recoil whose hot atoms stayed inside the box, and the trials that were left out before it; None where all were."""

    outcome: object
    left_out: tuple
    answered = property(lambda self: self.outcome is not None)


@dataclass(frozen=True)
class Bracket:
    """A threshold lies between the highest energy that left no Frenkel pair and the lowest that left one; None where the ladder has no
    such energy. `why`: in words, where the search cannot end."""

    none_ev: float | None
    pair_ev: float | None
    why: str = ""
    answered = property(lambda self: not self.why)


@dataclass(frozen=True)
class Task:
    """What a cascade and a search for a threshold share. resolve(look) gives what was found, or raises NotDone; `look` says the outcome
    of a trial (campaign_results.Outcome), None where there is none."""

    direction: Direction
    temperature_k: float
    seed: int
    settings: tuple
    again: int

    def settled(self, energy_ev, look):
        """One recoil, with the seeds that are tried for it in turn."""
        left_out = []
        for k in range(self.again + 1):
            trial = Trial(energy_ev, self.direction, self.temperature_k, self.seed + k * ANOTHER_SEED, self.settings)
            outcome = look(trial)
            if outcome is None:
                raise NotDone(trial)
            if not outcome.hot:
                return Settled(outcome, tuple(left_out))
            left_out.append(trial)
        return Settled(None, tuple(left_out))


@dataclass(frozen=True)
class Cascade(Task):
    energy_ev: float

    def resolve(self, look):
        return self.settled(self.energy_ev, look)


@dataclass(frozen=True)
class Threshold(Task):
    """Bisection on a ladder of energies, from its highest rung."""

    ladder: tuple

    def resolve(self, look):
        low, high = -1, len(self.ladder) - 1
        rung = high
        while True:
            found = self.settled(self.ladder[rung], look).outcome
            if found is None:
                return Bracket(None, None, f"hot atoms reached the border at {self.ladder[rung]:g} eV with every seed")
            if found.pairs_end > 0:
                high = rung
            elif rung == len(self.ladder) - 1:
                return Bracket(self.ladder[rung], None)
            else:
                low = rung
            if high - low == 1:
                return Bracket(self.ladder[low] if low >= 0 else None, self.ladder[high])
            rung = (low + high) // 2


@dataclass(frozen=True)
class Campaign:
    file: Path
    title: str
    deck_file: Path
    deck_text: str
    deck: dict
    tasks: tuple

    @property
    def with_thermostat(self):
        return self.deck.get("thermostat", {}).get("kind", "none") != "none"

    def key(self, words):
        """Of a run's folder: another deck or other arguments have another."""
        return hashlib.sha256(json.dumps([words, self.deck_text]).encode()).hexdigest()[:8]


class Table:
    """A table of the file, whose values are asked for with what they must be."""

    def __init__(self, file, name, values, above=None):
        if not isinstance(values, dict):
            raise InputError(f"{file}: {name}: found {values!r}, expected a table")
        self.file, self.name, self.values, self.above = file, name, values, above
        unknown = sorted(set(values) - KEYS[name.partition(" ")[0]])
        if unknown:
            known = ", ".join(sorted(KEYS[name.partition(" ")[0]]))
            raise InputError(f"{file}: {self.place(unknown[0])}: unknown key, expected one of {known}")

    def place(self, key):
        return f"{self.name}.{key}" if self.name else key

    def fail(self, key, expected):
        raise InputError(f"{self.file}: {self.place(key)}: found {self.values.get(key)!r}, expected {expected}")

    def get(self, key, fallback):
        if key in self.values:
            return self.values[key], self
        return (self.above.get(key, fallback) if self.above else (fallback, self))

    def number(self, key, low, high, fallback=None):
        value = self.values.get(key, fallback)
        if type(value) not in (int, float) or not low <= value <= high:
            self.fail(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, key, low, high, fallback):
        value, owner = self.get(key, fallback)
        good = isinstance(value, list) and value and all(type(v) in (int, float) and low <= v <= high for v in value)
        if not good or len(set(value)) < len(value) and key != "thermal_expansion":
            owner.fail(key, f"a list of numbers from {low:g} to {high:g}, each once")
        return [float(v) for v in value]

    def settings(self):
        value = self.values.get("set", [])
        if not isinstance(value, list) or not all(isinstance(v, str) and "=" in v for v in value):
            self.fail("set", 'a list of changes to the deck, as "run.precision=mixed"')
        for setting in value:
            key = setting.partition("=")[0].strip()
            if key.startswith(OWN_KEYS):
                raise InputError(f"{self.file}: {self.place('set')}: found {setting!r}, expected no {key}: the campaign sets it")
            if any(not c.isprintable() for c in setting):
                raise InputError(f"{self.file}: {self.place('set')}: found {setting!r}, expected a line of text")
        return value

    def own_settings(self):
        """Those of `set` and of the keys that stand for some."""
        found = list(self.settings())
        if "cells" in self.values:
            cells = self.values["cells"]
            if not isinstance(cells, list) or len(cells) != 3 or not all(type(c) is int and 1 <= c <= 10**6 for c in cells):
                self.fail("cells", "three whole numbers of at least 1")
            found.append(f"structure.cells={cells!r}")
        if "duration_ps" in self.values:
            found.append(f"run.duration_ps={self.number('duration_ps', 1e-6, 1e6)!r}")
        return found

    def seeds(self):
        value, owner = self.get("seeds", 1)
        if type(value) is int and 1 <= value <= MOST_RUNS:
            return list(range(1, value + 1))
        good = isinstance(value, list) and value and all(type(v) is int and 0 <= v <= 10**9 for v in value)
        if not good or len(set(value)) < len(value):
            owner.fail("seeds", f"how many (1 to {MOST_RUNS}), or a list of whole numbers from 0 to 1e9, each once")
        return value

    def directions(self):
        value, owner = self.get("directions", ["random"])
        if not isinstance(value, list) or not value:
            owner.fail("directions", 'a list of "random", "isotropic:20", "<110>" and [1, 3, 5]')
        found = [d for v in value for d in directions_of(owner, v)]
        if len({d.name for d in found}) < len(found) or len({d.label for d in found}) < len(found):
            owner.fail("directions", "each direction once")
        return found

    def temperatures(self):
        """[(temperature, its settings)]"""
        kelvin = self.numbers("temperatures_k", 0.0, 1e5, [300.0])
        factors, owner = self.get("thermal_expansion", None)
        if factors is None:
            return [(t, []) for t in kelvin]
        factors = self.numbers("thermal_expansion", 0.1, 10.0, None)
        if len(factors) != len(kelvin):
            owner.fail("thermal_expansion", f"{len(kelvin)} factors, one for each of temperatures_k")
        return [(t, [f"structure.thermal_expansion={f!r}"]) for t, f in zip(kelvin, factors)]


def directions_of(table, value):
    if value == "random":
        return [Direction("random", None)]
    if isinstance(value, str):
        isotropic = re.fullmatch(r"isotropic:([1-9]\d{0,4})", value)
        if isotropic:
            return isotropic_set(int(isotropic.group(1)))
        digits = re.fullmatch(r"<(-?\d)(-?\d)(-?\d)>", value)
        vector = tuple(float(d) for d in digits.groups()) if digits else (0.0, 0.0, 0.0)
    else:
        numbers = isinstance(value, list) and len(value) == 3 and all(type(v) in (int, float) and abs(v) <= 1e6 for v in value)
        vector = tuple(float(v) for v in value) if numbers else (0.0, 0.0, 0.0)
    if not math.hypot(*vector) > 1e-6:
        raise InputError(f"{table.file}: {table.place('directions')}: found {value!r}, expected random, isotropic:N, <110> or three "
                         "numbers that are not all zero")
    return [Direction(value if isinstance(value, str) else " ".join(f"{v:g}" for v in vector), vector)]


def isotropic_set(n):
    """n directions that cover the sphere evenly: the points of a Fibonacci spiral, each for an equal area (Swinbank and Purser,
    Q. J. R. Meteorol. Soc. 132 (2006) 1769)."""
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    found = []
    for k in range(n):
        z = 1.0 - (2.0 * k + 1.0) / n
        s, angle = math.sqrt(1.0 - z * z), 2.0 * math.pi * k / golden
        found.append(Direction(f"isotropic {k + 1} of {n}", (s * math.cos(angle), s * math.sin(angle), z)))
    return found


def read_toml(path, what):
    try:
        text = Path(path).read_text()
        return text, tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}, expected {what}") from None


def energies_of(top):
    entries = top.values.get("energy", [])
    if not isinstance(entries, list):
        top.fail("energy", "tables [[energy]]")
    tables = [Table(top.file, "energy" if len(entries) == 1 else f"energy {k + 1}", e, top) for k, e in enumerate(entries)]
    found = [(table.number("ev", 1e-3, LARGEST_EV), table) for table in tables]
    if len({ev for ev, _ in found}) < len(found):
        raise InputError(f"{top.file}: energy: found one ev twice, expected each energy once")
    return found


def ladder_of(table):
    lowest, highest = table.number("lowest_ev", 1e-3, LARGEST_EV), table.number("highest_ev", 1e-3, LARGEST_EV)
    step = table.number("step_ev", 1e-6, LARGEST_EV)
    if not lowest < highest:
        table.fail("highest_ev", f"more than lowest_ev, {lowest:g}")
    rungs = math.ceil((highest - lowest) / step - 1e-9)
    if rungs > 10**6:
        table.fail("step_ev", f"at least {(highest - lowest) / 1e6:g}")
    return tuple(round(lowest + k * step, 9) for k in range(rungs + 1))


def tasks_of(top):
    again = top.values.get("again", 3)
    if type(again) is not int or not 0 <= again <= 100:
        top.fail("again", "how often a run whose hot atoms reached the border is repeated, 0 to 100")
    common = top.settings()
    tasks = []
    sources = [(table, ev) for ev, table in energies_of(top)]
    if "threshold" in top.values:
        sources.append((Table(top.file, "threshold", top.values["threshold"], top), None))
    if not sources:
        raise InputError(f"{top.file}: found neither [[energy]] nor [threshold], expected what to do")
    for table, ev in sources:
        own, ladder = table.own_settings(), None if ev is not None else ladder_of(table)
        directions, temperatures, seeds = table.directions(), table.temperatures(), table.seeds()
        if len(tasks) + len(directions) * len(temperatures) * len(seeds) > MOST_RUNS:
            raise InputError(f"{top.file}: found more than {MOST_RUNS:,} runs, expected fewer")
        for kelvin, of_temperature in temperatures:
            settings = (*common, *own, *of_temperature)
            for direction in directions:
                for seed in seeds:
                    head = (direction, kelvin, seed, settings, again)
                    tasks.append(Cascade(*head, ev) if ladder is None else Threshold(*head, ladder))
    return tuple(tasks)


def read_campaign(path):
    """Reads and checks the file; raises InputError."""
    path = Path(path)
    top = Table(str(path), "", read_toml(path, "a campaign (TOML)")[1])
    name = top.values.get("deck")
    if not isinstance(name, str) or not name or "\0" in name:
        top.fail("deck", "the deck of a recoil, beside this file")
    deck_file = (path.parent / name).resolve()
    text, deck = read_toml(deck_file, "a deck (TOML)")
    recoils = deck.get("pka", [])
    if not isinstance(recoils, list) or len(recoils) != 1:
        raise InputError(f"{deck_file}: found {len(recoils) if isinstance(recoils, list) else recoils!r} tables [[pka]], expected one: "
                         "the campaign says its energy and direction")
    title = top.values.get("title", path.stem)
    if not isinstance(title, str):
        top.fail("title", "a text")
    return Campaign(path, title, deck_file, text, deck, tasks_of(top))
