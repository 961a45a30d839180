"""Strong-scaling model of a native machine, fitted to measured runs and extrapolated.

Seconds of a step of N atoms on P workers:

  t = c_compute N/P  +  c_launch  +  c_latency log2 P  +  c_surface [P > 1] (N/P)^(2/3)

compute: arithmetic per atom; launch: what every step costs whatever its size; latency: messages and reductions, whose
number grows like the depth of a tree; surface: ghost atoms, which are sent, received and computed with. All
coefficients are >= 0. They minimise the squared relative errors: a step of 10 us counts as much as one of 10 s. The
band comes from refits to data redrawn from the fit and its own residuals (bootstrap).
"""
import itertools
from dataclasses import dataclass

import numpy as np

TERMS = ("compute", "launch", "latency", "surface")
# The smallest number of runs, of loads N/P and of worker counts that can tell the terms apart.
LEAST_RUNS, LEAST_LOADS, LEAST_WORKER_COUNTS = 6, 3, 2
DRAWS, BAND = 300, (5, 95)
# Beyond so many times the largest run, the curve is a question and not an answer.
TRUSTED_FACTOR = 4


class TooFewPoints(ValueError):
    """What a fit lacks, in one line."""


def terms(atoms, workers):
    """The four functions of the model as columns; shape (points, 4)."""
    load = np.asarray(atoms, float) / np.asarray(workers, float)
    workers = np.asarray(workers, float) + 0 * load
    return np.stack([load, np.ones_like(load), np.log2(workers), np.where(workers > 1, load ** (2 / 3), 0.0)], axis=-1)


def nonnegative_least_squares(a, b):
    """min |a x - b| over x >= 0, exactly: the best of the least-squares solutions over all sets of columns that are
    nowhere negative. For a handful of columns."""
    best, best_error = np.zeros(a.shape[1]), float(b @ b)
    for size in range(1, a.shape[1] + 1):
        for columns in itertools.combinations(range(a.shape[1]), size):
            part = a[:, columns]
            scale = np.linalg.norm(part, axis=0)
            if np.any(scale == 0):
                continue
            x = np.linalg.lstsq(part / scale, b, rcond=1e-10)[0] / scale
            if np.any(x < 0):
                continue
            error = float(np.sum((part @ x - b) ** 2))
            if error < best_error * (1 - 1e-9):
                best, best_error = np.zeros(a.shape[1]), error
                best[list(columns)] = x
    return best


@dataclass
class ClusterModel:
    """`coefficients`: seconds, in the order of TERMS. `draws`: refits of the bootstrap, (draws, 4)."""

    coefficients: np.ndarray
    draws: np.ndarray
    relative_errors: np.ndarray
    runs: int
    workers_max: int
    worker_counts: int
    atoms_per_worker_min: float

    def seconds(self, atoms, workers):
        return terms(atoms, workers) @ self.coefficients

    def rate(self, atoms, workers):
        return 1.0 / self.seconds(atoms, workers)

    def band(self, atoms, workers):
        """5th and 95th percentile of the rate."""
        rates = 1.0 / np.maximum(terms(atoms, workers) @ self.draws.T, 1e-300)
        return tuple(np.percentile(rates, q, axis=-1) for q in BAND)

    def trusted(self, workers):
        return workers <= TRUSTED_FACTOR * self.workers_max

    def best_workers(self, atoms, limit):
        """The number of workers (a power of two up to `limit`, at least one atom each) with the highest rate."""
        counts = 2.0 ** np.arange(0, np.log2(max(1, min(limit, atoms))) + 1e-9)
        return int(counts[np.argmax(self.rate(atoms, counts))])

    def saturation(self, atoms, limit, efficiency=0.5):
        """The smallest power of two at which the efficiency has fallen below a half; None up to `limit`."""
        one = float(self.rate(atoms, 1))
        for k in range(1, int(np.log2(max(2, min(limit, atoms)))) + 1):
            if float(self.rate(atoms, 2**k)) / (one * 2**k) < efficiency:
                return 2**k
        return None


def solve(columns, seconds):
    return nonnegative_least_squares(columns / seconds[:, None], np.ones_like(seconds))


def fit(atoms, workers, seconds, seed=1):
    """The model of measured steps. Raises TooFewPoints."""
    atoms, workers, seconds = (np.asarray(x, float) for x in (atoms, workers, seconds))
    loads, counts = len(np.unique(np.round(atoms / workers))), len(np.unique(workers))
    for have, need, what in (
        (len(seconds), LEAST_RUNS, "run"),
        (loads, LEAST_LOADS, "different load"),
        (counts, LEAST_WORKER_COUNTS, "different number"),
    ):
        if have < need:
            of = {"run": "", "different load": " (atoms per worker)", "different number": " of workers"}[what]
            raise TooFewPoints(
                f"found {have} {what}{'' if have == 1 else 's'}{of}, expected at least {need} to tell the model's terms"
                " apart"
            )
    columns = terms(atoms, workers)
    best = solve(columns, seconds)
    fitted = columns @ best
    errors = seconds / fitted - 1
    # Residuals of a fit are smaller than the noise that it was made from.
    free = max(1, len(seconds) - int(np.count_nonzero(best)))
    inflated = errors * np.sqrt(len(seconds) / free)
    random = np.random.default_rng(seed)
    draws = [
        solve(columns, np.maximum(fitted * (1 + random.choice(inflated, len(seconds))), 0.05 * fitted))
        for _ in range(DRAWS)
    ]
    return ClusterModel(
        best, np.array(draws), errors, len(seconds), int(workers.max()), counts, float((atoms / workers).min())
    )


def error_left_out(atoms, workers, seconds):
    """How well runs on fewer workers foretell those on the most: the mean of predicted over measured seconds, less one.
    None where the rest does not suffice for a fit."""
    atoms, workers, seconds = (np.asarray(x, float) for x in (atoms, workers, seconds))
    rest = workers < workers.max()
    try:
        model = fit(atoms[rest], workers[rest], seconds[rest])
    except TooFewPoints:
        return None
    return float(np.mean(model.seconds(atoms[~rest], workers[~rest]) / seconds[~rest]) - 1)
