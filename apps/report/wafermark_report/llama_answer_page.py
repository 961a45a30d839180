"""Sparse Llama in the answer: decoding on the wafer and on clusters, and what zeros bring on the wafer by tokens together."""
from . import svg_theme
from .answer import Rate, ratio
from .answer_words import ratio_words, size_words, with_interval
from .llama_answer import DECODE, JOULES, decodings, dense_beside, paired_ratio, paired_saving, passes
from .parts import Cell, Picture, Table, Text
from .svg_theme import FAINT, MARKERS, SERIES, inline, legend, log_axis
from .wording import number, times


def decode_rows(one, quotable):
    rate = Rate.of(one.wafer, DECODE)
    for rival in sorted(one.rivals, key=lambda r: (r.kind, -r.best.rate.value)):
        why = quotable.why_not(one.wafer, *rival.runs)
        yield [one.model.label, str(one.model.sequences), Cell(with_interval(rate), "emulated"), rival.name, size_words(rival, rival.best),
               Cell(with_interval(rival.best.rate), rival.kind), f"not quoted: {why}" if why else ratio_words(ratio(rate, rival.best.rate))]


def lead(found, quotable):
    """Against the fastest simulated cluster, model by model."""
    for one in found:
        simulated = [r for r in one.rivals if r.kind == "simulated"]
        if not simulated or quotable.why_not(one.wafer):
            continue
        best = max(simulated, key=lambda r: r.best.rate.value)
        quoted = ratio(Rate.of(one.wafer, DECODE), best.best.rate)
        if quoted.decided:
            yield (f"{one.model.label}, {one.model.sequences} at once: the emulated wafer decodes {times(quoted.value)}"
                   f" ({times(quoted.low)} to {times(quoted.high)}) times the tokens per second of the fastest simulated cluster"
                   f" ({best.name}, {size_words(best, best.best)}).")


def pass_rows(found, quotable):
    for p in found:
        dense = dense_beside(p, found)
        faster = less = "-"
        if dense and p.model.zeros:
            why = quotable.why_not(p.run, dense.run)
            saving = paired_saving(p.run, dense.run)
            faster = f"not quoted: {why}" if why else ratio_words(paired_ratio(p.run, dense.run))
            less = f"not quoted: {why}" if why else ratio_words(saving) if saving else "-"
        joules = p.run.value(JOULES)
        yield [p.model.label, f"{p.tokens:,}", Cell(with_interval(Rate.of(p.run, "prefill_tokens_per_second")), "emulated"), faster,
               Cell(number(1e3 * joules), "emulated") if joules else "-", less]


def plot(found, quotable):
    """(figure, axes): rate over dense against tokens together, a line for each share of zeros; None of fewer than two sizes."""
    curves = {}
    for p in found:
        dense = dense_beside(p, found)
        if dense and p.model.zeros and not quotable.why_not(p.run, dense.run):
            curves.setdefault(p.model.label, []).append((p.tokens, paired_ratio(p.run, dense.run)))
    if len({tokens for points in curves.values() for tokens, _ in points}) < 2:
        return None
    fig, axes = svg_theme.figure()
    for k, (label, points) in enumerate(curves.items()):
        places, colour = [t for t, _ in points], SERIES[k % len(SERIES)]
        if all(r.low is not None for _, r in points):
            axes.fill_between(places, [r.low for _, r in points], [r.high for _, r in points], color=colour, alpha=0.13, lw=0)
        axes.plot(places, [r.value for _, r in points], color=colour, marker=MARKERS[k % len(MARKERS)], ms=6, label=label)
    axes.axhline(1, color=FAINT, lw=1, ls=":")
    log_axis(axes.xaxis)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("tokens together")
    axes.set_ylabel("tokens per second, over dense weights")
    return fig, axes


def surface(found, quotable):
    """The picture; None where there is nothing to draw."""
    drawn = plot(found, quotable)
    if drawn is None:
        return None
    fig, axes = drawn
    return Picture(inline(fig, "Weights that stream through the wafer: rate over dense weights against tokens together; the table below has the"
                               " numbers"),
                   "What zeros bring where weights stream through the wafer. Bands: every number of the machine file at the ends of its"
                   " range, in both runs alike.", ("emulated",), legend=legend(axes))


def parts(results, quotable):
    """The parts of the answer about Llama; none without results that say something."""
    found, streamed = decodings(results), passes(results)
    made = [Text(text, "lead") for text in lead(found, quotable)]
    if found:
        made.append(Table(["model", "sequences", "wafer, tokens/s", "cluster", "its best size", "cluster, tokens/s", "wafer / cluster"],
                          [row for one in found for row in decode_rows(one, quotable)],
                          "Decoding: the emulated wafer against each cluster at the size where it is fastest", numeric_from=9))
    picture = surface(streamed, quotable)
    if picture:
        made.append(picture)
    if any(p.model.zeros and dense_beside(p, streamed) for p in streamed):
        made.append(Table(["model", "tokens together", "tokens/s", "over dense", "mJ a token", "less than dense"], list(pass_rows(streamed, quotable)),
                          "Weights that stream through the emulated wafer: one pass of so many tokens", numeric_from=1))
    return made
