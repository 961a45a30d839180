"""Machine files of clusters (inputs/clusters/*.toml) and what molecular dynamics would do there.

Seconds of a step on P workers: own atoms x (atom + neighbours x pair) + ghosts x ghost + launches x launch + messages x
message + log2 P x reduce + bytes / bandwidth. Ghosts and messages follow from cutting the box into the P blocks that
have the fewest ghosts. No imbalance, no noise, no lists to rebuild: a rate above what a real machine reaches.
`published` rates are for comparison and enter nothing.
"""
import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .documents import SCHEMAS, read_toml
from .errors import InputError
from .results import SOURCE

QUANTITIES = ("nodes", "compute", "step", "network")
ATOMS_PER_CELL = {"sc": 1, "bcc": 2, "fcc": 4}


@dataclass(frozen=True)
class Box:
    """A crystal to be cut: edges (Angstrom), atoms, neighbours inside the cut-off, cut-off and skin (Angstrom)."""

    lengths: tuple
    atoms: int
    neighbours: float
    cutoff: float


# The three slabs of Santos et al. (SC24): cells, lattice constant x thermal factor, neighbours, cut-off + skin of 0.5.
SC24 = {
    "Ta": Box((256 * 3.2989, 261 * 3.2989, 6 * 3.2989), 801792, 14, 3.98371 + 0.5),
    "Cu": Box((174 * 3.6319, 192 * 3.6319, 6 * 3.6319), 801792, 42, 4.95 + 0.5),
    "W": Box((256 * 3.1685, 261 * 3.1685, 6 * 3.1685), 801792, 58, 5.52475 + 0.5),
}


def box_of(result):
    """The box of a wafer run of a crystal, None where the deck has none. The cut-off is that of a sphere that holds
    as many atoms as the run counted neighbours."""
    structure, neighbours = result.deck.get("structure", {}), result.value("neighbours_per_atom")
    if not neighbours or structure.get("file") or "cells" not in structure:
        return None
    a = structure["lattice_constant_angstrom"] * structure.get("thermal_expansion", 1.0)
    lengths = tuple(a * n for n in structure["cells"])
    density = ATOMS_PER_CELL[structure.get("lattice", "bcc")] / a**3
    cutoff = (3 * (neighbours + 1) / (4 * math.pi * density)) ** (1 / 3)
    return Box(lengths, result.atoms, neighbours, cutoff + result.deck.get("run", {}).get("skin_angstrom", 0.5))


@functools.lru_cache(maxsize=4096)
def divisors(n):
    """All of them, in order; n is at most the workers of a machine."""
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return small + [n // d for d in reversed(small) if d * d != n]


@functools.lru_cache(maxsize=4096)
def cuts(lengths, cutoff, workers):
    """Of all ways to cut the box into workers blocks, the one with the fewest ghosts: (ghost volume of an inner
    block, messages of one exchange)."""
    best = None
    for px in divisors(workers):
        rest = workers // px
        for py in divisors(rest):
            grid = (px, py, rest // py)
            edges = [l / p for l, p in zip(lengths, grid)]
            wide = [e + (2 * cutoff if p > 1 else 0) for e, p in zip(edges, grid)]
            ghosts = math.prod(wide) - math.prod(edges)
            messages = sum(2 * math.ceil(cutoff / e) for e, p in zip(edges, grid) if p > 1)
            if best is None or ghosts < best[0]:
                best = (ghosts, messages)
    return best


@dataclass(frozen=True)
class ClusterMachine:
    name: str
    title: str
    worker: str
    file: str
    numbers: dict  # "nodes.count" -> {"value", "kind", "source"}
    published: tuple  # of {"case", "steps_per_second", "source"}

    def __getitem__(self, key):
        return self.numbers[key]["value"]

    @property
    def workers(self):
        return int(self["nodes.count"] * self["nodes.workers_per_node"])

    def nodes(self, workers):
        return math.ceil(workers / self["nodes.workers_per_node"])

    def seconds(self, box, workers):
        ghost_volume, messages = cuts(box.lengths, box.cutoff, workers)
        ghosts = ghost_volume * box.atoms / math.prod(box.lengths)
        own = math.ceil(box.atoms / workers)
        exchanges = self["step.exchanges"]
        return (
            1e-9
            * (
                own * (self["compute.atom_ns"] + box.neighbours * self["compute.pair_ns"])
                + ghosts * self["compute.ghost_ns"]
            )
            + 1e-6
            * (
                self["step.launches"] * self["step.launch_us"]
                + exchanges * messages * self["network.message_us"]
                + math.log2(workers) * self["network.reduce_us"]
            )
            + ghosts * self["step.bytes_per_ghost"] / self["network.bytes_per_second"]
        )

    def curve(self, box):
        """(workers, steps/s), in powers of two up to the machine or one atom a worker."""
        top = int(math.log2(min(self.workers, box.atoms)))
        counts = [2**k for k in range(top + 1)]
        return np.array(counts), np.array([1.0 / self.seconds(box, p) for p in counts])

    def best(self, box):
        """(workers, steps/s) where the modelled rate is highest."""
        counts, rates = self.curve(box)
        k = int(np.argmax(rates))
        return int(counts[k]), float(rates[k])


def read_machine(path):
    """One machine file. Raises InputError."""
    content = read_toml(path, SCHEMAS / "cluster_machine.schema.json")
    numbers = {f"{table}.{key}": content[table][key] for table in QUANTITIES for key in content[table]}
    return ClusterMachine(
        content["name"], content["title"], content["worker"], str(path), numbers, tuple(content.get("published", []))
    )


def read_machines(folder=None):
    """All machine files of a folder; default inputs/clusters of the source or of the installed prefix."""
    paths = sorted(Path(folder or SOURCE / "inputs/clusters").glob("*.toml"))
    if folder and not paths:
        raise InputError(f"--clusters {folder}: found no *.toml in it, expected machine files")
    return [read_machine(path) for path in paths]
