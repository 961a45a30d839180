"""Reads a campaign file, which names a deck with one recoil and says over what it is repeated. Whatever is wrong is told with the file,
the key, what was found and what was expected.
"""
import math
import re
import tomllib
from pathlib import Path

from campaign_plan import Campaign, Cascade, Direction, Threshold
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
