"""Curves of the answer: the wafer and the best clusters against the number of atoms and against the thickness."""
from . import answer, svg_theme
from .answer_words import quoted_ratio, size_words, with_interval
from .parts import Cell, Picture, Table, Text
from .svg_theme import MARKERS, PUBLISHED, SERIES, WAFER, inline, legend, log_axis
from .wording import listing, number, times

COLOURS = {"measured": SERIES[0], "simulated": SERIES[1], "modelled": SERIES[2], "published": PUBLISHED}


def named(curve):
    return f"{curve.label}, " + (f"{curve.fixed} cells thick" if curve.axis == "atoms" else f"{curve.fixed:,} atoms")


def draw(axes, places, rates, **style):
    banded = [(x, r) for x, r in zip(places, rates) if r.has_band]
    if banded:
        axes.fill_between([x for x, _ in banded], [r.low for _, r in banded], [r.high for _, r in banded], color=style["color"],
                          alpha=0.16, lw=0)
    axes.plot(places, [r.value for r in rates], ms=6, **style)


def plot(curve):
    """(figure, axes): steps per second of the wafer and of the fastest clusters."""
    fig, axes = svg_theme.figure()
    places = [curve.place(p) for p in curve.problems]
    draw(axes, places, [answer.Rate.of(p.wafer) for p in curve.problems], color=WAFER, marker="o", label="emulated wafer")
    for k, (kind, colour) in enumerate(COLOURS.items()):
        best = [(curve.place(p), p.best_rival(kind).best.rate) for p in curve.problems if p.best_rival(kind)]
        if best:
            draw(axes, *zip(*best), color=colour, marker=MARKERS[k + 1], label=f"fastest cluster, {kind}",
                 ls="none" if kind == "published" else "-")
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)
    axes.set_xlabel("atoms" if curve.axis == "atoms" else "thickness in cells")
    axes.set_ylabel("steps per second")
    return fig, axes


def picture(curve):
    fig, axes = plot(curve)
    kinds = [k for k in COLOURS if any(p.best_rival(k) for p in curve.problems)]
    what = "atoms" if curve.axis == "atoms" else "thickness"
    return Picture(inline(fig, f"{named(curve)}: steps per second of the wafer and of the fastest clusters against {what}; the"
                               " table below has the numbers"),
                   f"{named(curve)}. Of each cluster the size at which it is fastest.", ("emulated", *kinds), legend=legend(axes))


def cells_words(problem):
    """"29 x 30 x 29, layers of 1 cell" where the wafer had it so."""
    layers = problem.wafer.layers_in_words
    return " x ".join(map(str, problem.cells)) + (f", {layers}" if layers else "")


def rows(curve, quotable):
    for p in curve.problems:
        best = p.best_rival("measured", "simulated", "modelled", "published")
        yield [named(curve), f"{p.atoms:,}", cells_words(p), Cell(with_interval(answer.Rate.of(p.wafer)), "emulated"),
               f"{best.name}, {size_words(best, best.best)}", Cell(with_interval(best.best.rate), best.kind, title=best.source),
               quoted_ratio(p.wafer, best, quotable)]


def sentence(curve, quotable):
    """How the ratio changes along the curve; empty where fewer than two ratios may be quoted."""
    known = []
    for p in curve.problems:
        best = p.best_rival("measured", "simulated", "modelled", "published")
        ratio = answer.ratio(answer.Rate.of(p.wafer), best.best.rate)
        if ratio.decided and not quotable.why_not(p.wafer, *best.runs):
            known.append((curve.place(p), ratio, best.kind))
    if len(known) < 2:
        return ""
    (a, first, _), (b, last, _) = known[0], known[-1]
    unit = "atoms" if curve.axis == "atoms" else "cells of thickness"
    kinds = listing(sorted({kind for *_, kind in known}))
    return (f"{named(curve)}: from {number(a)} to {number(b)} {unit} the wafer goes from {times(first.value)} ({times(first.low)} to"
            f" {times(first.high)}) to {times(last.value)} ({times(last.low)} to {times(last.high)}) times the steps of the fastest"
            f" cluster ({kinds}).")


def parts(curves, quotable):
    """Pictures, what they say, and their numbers."""
    if not curves:
        return []
    told = [s for s in (sentence(c, quotable) for c in curves) if s]
    table = [row for c in curves for row in rows(c, quotable)]
    return [Text("How the answer changes with size and thickness:"), *(picture(c) for c in curves), *map(Text, told),
            Table(["curve", "atoms", "cells", "wafer, steps/s", "fastest cluster", "cluster, steps/s", "wafer / cluster"], table,
                  "The points of the curves", numeric_from=9)]
