"""Rates and ratios of the answer in words: a ratio is quoted with its interval, or not at all and why."""
from . import answer
from .wording import count, number, times


def with_interval(rate):
    """"1,021 (880 to 1,150)", or "1,021" without a band."""
    if not rate.has_band:
        return number(rate.value)
    return f"{number(rate.value)} ({number(rate.low, 3)} to {number(rate.high, 3)})"


def ratio_words(ratio):
    """A ratio with its interval; no number where the interval holds 1, or where there is none."""
    if ratio.low is None:
        return "no band: not quoted"
    if not ratio.decided:
        return "undecided"
    return f"{times(ratio.value)} ({times(ratio.low)} to {times(ratio.high)})"


def size_words(rival, point):
    at_most = "up to " if rival.kind == "published" else ""
    return at_most + count(point.workers, rival.worker)


def options_words(options):
    """"list_reuse_steps=10, squared_tables=True" as "list reuse steps 10, squared tables"."""
    return options.replace("=True", "").replace("=", " ").replace("_", " ")


def quoted_ratio(wafer, rival, quotable):
    """A wafer run over the best point of a cluster, if both sides keep the run rules."""
    why = quotable.why_not(wafer, *rival.runs)
    return f"not quoted: {why}" if why else ratio_words(answer.ratio(answer.Rate.of(wafer), rival.best.rate))
