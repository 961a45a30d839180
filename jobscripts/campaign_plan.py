"""What a campaign is to do: the runs that follow from its file (campaign_file.py).

`Cascade` is one recoil of the set (of an energy, a direction, a temperature and a seed), `Threshold` one search for the energy that
displaces an atom for good. Both are resolved from the outcomes of runs that are there; the first one that is not there is raised as
NotDone, so that the same walk serves runs here, jobs in a queue, and a look at what there is.
"""
import hashlib
import json
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path

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


def drawn_vector(seed):
    """Uniform on the sphere; the same for the same text."""
    draw = random.Random(seed)
    z, angle = draw.uniform(-1.0, 1.0), draw.uniform(0.0, 2.0 * math.pi)
    s = math.sqrt(1.0 - z * z)
    return (s * math.cos(angle), s * math.sin(angle), z)


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
        """Of the recoil."""
        return self.direction.vector or drawn_vector(f"{self.seed} {self.energy_ev!r} {self.temperature_k!r}")

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


def known_outcome(trial, look):
    outcome = look(trial)
    if outcome is None:
        raise NotDone(trial)
    return outcome


@dataclass(frozen=True)
class Cascade(Task):
    """One recoil, with the seeds that are tried for it in turn."""

    energy_ev: float

    def resolve(self, look):
        left_out = []
        for k in range(self.again + 1):
            trial = Trial(self.energy_ev, self.direction, self.temperature_k, self.seed + k * ANOTHER_SEED, self.settings)
            outcome = known_outcome(trial, look)
            if not outcome.hot:
                return Settled(outcome, tuple(left_out))
            left_out.append(trial)
        return Settled(None, tuple(left_out))


@dataclass(frozen=True)
class Threshold(Task):
    """Bisection on a ladder of energies, of one direction and one seed. The ends of the ladder are run only where the search comes to
    them. A recoil whose hot atoms reached the border still says on which side the threshold lies; another seed would not help it, since
    the direction is the same. Only next to the threshold itself must none have."""

    ladder: tuple

    def resolve(self, look):
        low, high = -1, len(self.ladder)  # no pair at low, one at high; both lie outside to begin with
        hot = set()
        while high - low > 1:
            rung = (low + high) // 2
            outcome = known_outcome(Trial(self.ladder[rung], self.own_direction, self.temperature_k, self.seed, self.settings), look)
            if outcome.hot:
                hot.add(rung)
            if outcome.pairs_end > 0:
                high = rung
            else:
                low = rung
        if hot & {low, high}:
            return Bracket(None, None, f"hot atoms reached the border at {self.ladder[min(hot & {low, high})]:g} eV, next to the "
                                       "threshold: it takes a larger box")
        energy = dict(enumerate(self.ladder)).get
        return Bracket(energy(low), energy(high))

    @property
    def own_direction(self):
        """One for all energies, of a random direction too."""
        vector = self.direction.vector or drawn_vector(f"{self.seed} {self.temperature_k!r}")
        return Direction(self.direction.name, vector)


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
