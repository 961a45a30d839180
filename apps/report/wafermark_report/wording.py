"""Numbers in words of a report."""
import math


def number(value, digits=4):
    """1,234 or 0.01235 or 1.2e-07; `digits` significant ones, large whole numbers in full."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10 ** (digits - 1) or (size >= 1000 and value == round(value)):
        return f"{round(value):,}" if size < 1e9 else f"{value:.{digits - 1}e}"
    if size < 1e-3:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{digits}g}"


def times(ratio):
    """How many times: two digits are what a ratio of noisy rates holds, three above 100."""
    digits = 3 if ratio >= 100 else 2
    return number(float(f"{ratio:.{digits}g}"), digits)


def count(n, noun):
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def watts(value):
    return (
        f"{number(value / 1e6, 3)} MW"
        if value >= 1e6
        else f"{number(value / 1e3, 3)} kW" if value >= 1e3 else f"{number(value, 3)} W"
    )


def percent(x):
    return f"{100 * x:+.0f} %" if abs(x) >= 0.095 else f"{100 * x:+.1f} %"


def listing(words):
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
