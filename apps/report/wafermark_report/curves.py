"""Samples that differ in size alone: the rates of the wafer and of the best clusters against the number of atoms at one
thickness, and against the thickness at one number of atoms. Numbers only; answer_page.py shows them."""
from dataclasses import dataclass

SAME_ATOMS = 0.05  # crystals come in whole cells
LEAST_SAMPLES = 3  # of a curve


@dataclass(frozen=True)
class Curve:
    """Problems of one family in the order of `axis`: "atoms", or "cells" across the thickness. `fixed`: what they share."""

    axis: str
    problems: tuple
    fixed: int

    @property
    def label(self):
        return self.problems[0].label

    def place(self, problem):
        return problem.atoms if self.axis == "atoms" else thickness(problem)


def thickness(problem):
    """In cells: the shortest edge, which is what one atom a tile folds into columns."""
    return min(problem.cells)


def families(problems):
    found = {}
    for p in problems:
        if p.cells:
            found.setdefault(p.family, []).append(p)
    return list(found.values())


def curve_of(axis, problems, fixed):
    place = (lambda p: p.atoms) if axis == "atoms" else thickness
    chosen = sorted({place(p): p for p in problems}.values(), key=place)
    return [Curve(axis, tuple(chosen), fixed)] if len(chosen) >= LEAST_SAMPLES else []


def curves_of(problems):
    """The curves that these problems make; a problem may be on one of each kind."""
    found = []
    for family in families(problems):
        for cells in sorted({thickness(p) for p in family}):
            found += curve_of("atoms", [p for p in family if thickness(p) == cells], cells)
        left = sorted(family, key=lambda p: p.atoms)
        while left:
            same = [p for p in left if p.atoms <= left[0].atoms * (1 + SAME_ATOMS)]
            left = [p for p in left if p not in same]
            found += curve_of("cells", same, same[0].atoms)
    return found
