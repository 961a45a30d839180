"""The answer: wafer against clusters, as the page's first section. Numbers come from answer.py."""

from . import answer, svg_theme
from .parts import Cell, Missing, Picture, Section, Table, Text
from .svg_theme import MARKERS, PUBLISHED, SERIES, WAFER, inline, legend, log_axis
from .wording import count, number, percent, times

TITLE = "When does a wafer beat a cluster?"


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


def plain_wafer(problem):
    """The wafer run that stands for the problem: without options where there is one, the fastest machine."""
    plain = [w for w in problem.wafers if not w.wafer_options] or problem.wafers
    return max(plain, key=lambda w: answer.Rate.of(w).value)


def draw_rivals(axes, problem):
    colours = [c for c in SERIES[1:]]
    for k, rival in enumerate(r for r in problem.rivals if r.kind != "published"):
        xs = [p.workers for p in rival.points]
        style = dict(color=colours[k % len(colours)], marker=MARKERS[1 + k % (len(MARKERS) - 1)], ms=5)
        banded = [p for p in rival.points if p.rate.has_band]
        if banded:
            axes.fill_between(
                [p.workers for p in banded], [p.rate.low for p in banded], [p.rate.high for p in banded],
                color=style["color"], alpha=0.18, lw=0,
            )
        missing = "" if banded else ", without a band"
        axes.plot(xs, [p.rate.value for p in rival.points], label=f"{rival.name}, {rival.kind}{missing}",
                  ls=":" if rival.kind == "modelled" else "-", **style)
    published = [r for r in problem.rivals if r.kind == "published"]
    for k, rival in enumerate(published):
        axes.plot(
            [p.workers for p in rival.points], [p.rate.value for p in rival.points], color=PUBLISHED, ls="none", ms=9,
            marker="DPv<"[k % 4], label=f"{rival.name}, published", zorder=6,
        )


def draw_wafer(axes, problem):
    for wafer in problem.wafers:
        rate = answer.Rate.of(wafer)
        name = f"emulated {wafer.machine}" + (f" ({wafer.wafer_options})" if wafer.wafer_options else "")
        if rate.has_band:
            axes.axhspan(rate.low, rate.high, color=WAFER, alpha=0.15, lw=0)
        axes.axhline(rate.value, color=WAFER, lw=2, label=f"{name}, {wafer.atoms:,} atoms")
    if problem.published_wafer is not None:
        axes.axhline(problem.published_wafer, color=PUBLISHED, lw=1.4, ls=":", label="WSE-2, published")


def picture(problem):
    fig, axes = svg_theme.figure()
    draw_rivals(axes, problem)
    draw_wafer(axes, problem)
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)
    axes.set_xlabel("size of the cluster: GPUs, half GPUs or cores")
    axes.set_ylabel("steps per second")
    workers = [p.workers for r in problem.rivals for p in r.points]
    if min(workers) == max(workers):
        axes.set_xlim(min(workers) / 2, max(workers) * 2)
    kinds = ["emulated"] + [k for k in ("simulated", "modelled", "published") if any(r.kind == k for r in problem.rivals)]
    return Picture(
        inline(fig, f"{problem.label}: steps per second against size of the cluster, {problem.atoms:,} atoms; the table"
                    " below has the numbers"),
        f"{problem.label}, {problem.atoms:,} atoms. The wafer is one machine, whatever the cluster: a line, with its band.",
        tuple(kinds),
        legend=legend(axes),
    )


def ratio_rows(problem):
    wafer = plain_wafer(problem)
    rate = answer.Rate.of(wafer)
    rows = []
    for rival in sorted(problem.rivals, key=lambda r: (r.kind, -r.best.rate.value)):
        best = rival.best
        published = problem.published_ratios.get(rival.name) if rival.kind == "published" else None
        rows.append(
            [
                problem.label,
                Cell(with_interval(rate), "emulated") if not rows else "the same",
                rival.name,
                size_words(rival, best),
                Cell(with_interval(best.rate), rival.kind, title=rival.source),
                ratio_words(answer.ratio(rate, best.rate)),
                Cell(times(published), "published", title=problem.published_source) if published else "-",
            ]
        )
    return rows


def point_rows(problem):
    return [
        [problem.label, rival.name, size_words(rival, p), Cell(with_interval(p.rate), rival.kind)]
        for rival in problem.rivals
        for p in rival.points
    ]


def span(ratios):
    """Of ratios with their intervals: "27 to 55 times (intervals 20 to 56)"."""
    values = sorted({times(r.value) for r in ratios}, key=lambda text: float(text.replace(",", "")))
    low, high = times(min(r.low for r in ratios)), times(max(r.high for r in ratios))
    if len(ratios) == 1:
        return f"{values[0]} times ({low} to {high})"
    return (f"{values[0]} to {values[-1]}" if len(values) > 1 else values[0]) + f" times (intervals within {low} to {high})"


def lead(problems):
    """The answer in one sentence: against the fastest cluster that was measured, and the fastest that was simulated."""
    sentences = []
    for kind in ("published", "simulated"):
        ratios = []
        for problem in problems:
            rivals = [r for r in problem.rivals if r.kind == kind]
            if rivals:
                best = max(rivals, key=lambda r: r.best.rate.value).best.rate
                ratios.append(answer.ratio(answer.Rate.of(plain_wafer(problem)), best))
        decided = [r for r in ratios if r.decided]
        if not ratios:
            continue
        words = f"the steps per second of the fastest {kind} cluster"
        told = f"In {count(len(decided), 'problem')} the emulated wafer makes {span(decided)} {words}" if decided else ""
        open_ones = len(ratios) - len(decided)
        if open_ones:
            told += ("; in " if told else "In ") + f"{count(open_ones, 'problem')} the numbers cannot tell it from {words}"
        sentences.append(told + ".")
    return " ".join(sentences)


def simulated_against_published(problem):
    """How far a simulation is from a published rate of the machine that it is named after."""
    rows = []
    for published in (r for r in problem.rivals if r.kind == "published"):
        for rival in (r for r in problem.rivals if r.kind == "simulated"):
            if rival.name.split(",")[0].lower() != published.name.split()[0].lower():
                continue
            same = [p for p in rival.points if p.workers == published.best.workers]
            if same:
                off = same[0].rate.value / published.best.rate.value - 1
                rows.append([problem.label, rival.name, size_words(published, published.best),
                             Cell(with_interval(same[0].rate), "simulated"),
                             Cell(number(published.best.rate.value), "published", title=published.source), percent(off)])
    return rows


def notes(problems):
    yield (
        "The best size is the best of those in the table below: a cluster may be faster at a size that nobody ran."
        " Intervals are the 5th to the 95th percentile of what the machines' numbers leave open; both sides' are combined as"
        " independent. A ratio is quoted only where its interval leaves out 1, and from valid runs only. Published rates"
        " have no interval: there the wafer's alone counts. They are the best of machines up to the size that is named."
    )
    bare = sorted({r.name for p in problems for r in p.rivals if r.kind != "published" and not r.best.rate.has_band})
    if bare:
        yield f"Simulated without a band, so that ratios to them hold the wafer's uncertainty only: {', '.join(bare)}."


def answer_section(results, evidence):
    """`results`: the user's and those that ship; those that are not valid are named, and nothing is drawn from them."""
    problems = answer.problems(results, evidence)
    if not problems:
        return Missing(TITLE, "no problem that the emulated wafer ran has a simulated or published cluster beside it")
    section = Section("answer", TITLE)
    section.parts.append(Text(lead(problems), "lead"))
    section.parts += [picture(p) for p in problems]
    section.parts.append(
        Table(
            ["problem", "wafer, steps/s", "cluster", "its best size", "cluster, steps/s", "wafer / cluster", "published ratio"],
            [row for p in problems for row in ratio_rows(p)],
            "The emulated wafer against each cluster at the size where it is fastest",
            numeric_from=3,
        )
    )
    offs = [row for p in problems for row in simulated_against_published(p)]
    if offs:
        section.parts.append(
            Table(
                ["problem", "simulated cluster", "size", "simulated, steps/s", "published best, steps/s", "off"],
                offs,
                "How far the simulated clusters are from published rates, which nothing was fitted to",
                numeric_from=2,
            )
        )
    section.parts.append(
        Table(
            ["problem", "cluster", "size", "steps/s"],
            [row for p in problems for row in point_rows(p)],
            "The points of the pictures",
            numeric_from=2,
        )
    )
    section.parts += [Text(t, "note") for t in notes(problems)]
    invalid = [r for r in results if r.app == "tungsten_md" and r.target in ("wafer", "simulated") and not r.valid]
    invalid += [r for r in evidence.replays if not r.valid]
    if invalid:
        section.parts.append(
            Text("Left out because they are not valid: " + ", ".join(r.name for r in invalid) + ".", "alarm")
        )
    return section
