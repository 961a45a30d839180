"""Means over runs with their standard errors, and the law N = a E^b through them."""
import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Mean:
    """Of `values`; the standard error is that of the mean, None for fewer than two."""

    values: tuple

    @property
    def mean(self):
        return statistics.fmean(self.values)

    @property
    def deviation(self):
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def error(self):
        return None if self.deviation is None else self.deviation / math.sqrt(len(self.values))

    def to_json(self):
        return {"mean": self.mean, "error": self.error, "values": list(self.values)}


def mean_of(values):
    """None where there are none."""
    known = tuple(float(v) for v in values if v is not None)
    return Mean(known) if known else None


def power_law(points):
    """N = a (E / keV)^b by least squares of ln N over ln E, for [(E in eV, Mean)]; None for fewer than two energies.

    Single cascades of any energy scatter by about the same share of their mean, so one relative deviation is taken from all points
    together, s^2 = sum (n - 1) s_i^2 / m_i^2 / sum (n - 1), and a point of n runs has s / sqrt(n): few runs of one energy that happen to
    agree do not get all the weight. Errors are those of the straight line with these deviations; None where s is not known."""
    points = [(energy, m) for energy, m in points if m is not None and m.mean > 0]
    if len({energy for energy, _ in points}) < 2:
        return None
    freedom = sum(len(m.values) - 1 for _, m in points)
    share = math.sqrt(sum((len(m.values) - 1) * (m.deviation / m.mean) ** 2 for _, m in points if m.deviation is not None) / freedom) \
        if freedom else 0.0
    x = [math.log(energy / 1000.0) for energy, _ in points]
    y = [math.log(m.mean) for _, m in points]
    w = [float(len(m.values)) for _, m in points]
    total = sum(w)
    centre = sum(wi * xi for wi, xi in zip(w, x)) / total
    height = sum(wi * yi for wi, yi in zip(w, y)) / total
    spread = sum(wi * (xi - centre) ** 2 for wi, xi in zip(w, x))
    b = sum(wi * (xi - centre) * (yi - height) for wi, xi, yi in zip(w, x, y)) / spread
    log_a = height - b * centre
    known = share > 0
    b_error = share / math.sqrt(spread) if known else None
    a_error = math.exp(log_a) * share * math.sqrt(1.0 / total + centre**2 / spread) if known else None
    return {"a": math.exp(log_a), "a_error": a_error, "b": b, "b_error": b_error, "points": len(points)}
