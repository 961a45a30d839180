"""The answer: wafer against clusters, as the page's first section. Numbers come from answer.py."""

from . import answer, curve_page, curves, llama_answer_page, svg_theme
from .answer_words import options_words, quoted_ratio, size_words, with_interval
from .parts import Cell, Missing, Picture, Section, Table, Text
from .svg_theme import MARKERS, NATIVE, PUBLISHED, SERIES, WAFER, inline, legend, log_axis
from .wording import count, listing, number, percent, times

TITLE = "When does a wafer beat a cluster?"
USUAL_WAFER = "wse2"  # the machine that was published; another one is named


def draw_rivals(axes, problem):
    colours = [c for c in SERIES[1:]]
    for k, rival in enumerate(r for r in problem.rivals if r.kind != "published"):
        measured = rival.kind == "measured"
        xs = [p.workers for p in rival.points]
        style = dict(color=NATIVE if measured else colours[k % len(colours)], marker=MARKERS[1 + k % (len(MARKERS) - 1)], ms=5)
        banded = [p for p in rival.points if p.rate.has_band]
        if banded:
            axes.fill_between(
                [p.workers for p in banded], [p.rate.low for p in banded], [p.rate.high for p in banded],
                color=style["color"], alpha=0.18, lw=0,
            )
        missing = "" if banded or measured else ", without a band"
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
        name = f"emulated {wafer.machine}" + (f" ({options_words(wafer.wafer_options)})" if wafer.wafer_options else "")
        if rate.has_band:
            axes.axhspan(rate.low, rate.high, color=WAFER, alpha=0.15, lw=0)
        axes.axhline(rate.value, color=WAFER, lw=2, ls="-" if wafer is problem.wafer else "--", label=f"{name}, {wafer.atoms:,} atoms")
    if problem.published_wafer is not None:
        axes.axhline(problem.published_wafer, color=PUBLISHED, lw=1.4, ls=":", label="WSE-2, published")


def plot(problem):
    """(figure, axes): steps per second against the size of the cluster."""
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
    return fig, axes


def picture(problem):
    fig, axes = plot(problem)
    kinds = ["emulated"] + [k for k in ("measured", "simulated", "modelled", "published") if any(r.kind == k for r in problem.rivals)]
    return Picture(
        inline(fig, f"{problem.label}: steps per second against size of the cluster, {problem.atoms:,} atoms; the table"
                    " below has the numbers"),
        f"{problem.label}, {problem.atoms:,} atoms. The wafer is one machine, whatever the cluster: a line, with its band.",
        tuple(kinds),
        legend=legend(axes),
    )


def ratio_rows(problem, quotable):
    rate = answer.Rate.of(problem.wafer)
    rows = []
    for rival in sorted(problem.rivals, key=lambda r: -r.best.rate.value):
        best = rival.best
        published = problem.published_ratios.get(rival.name) if rival.kind == "published" else None
        rows.append(
            [
                problem.label,
                Cell(with_interval(rate), "emulated") if not rows else "the same",
                rival.name,
                size_words(rival, best),
                Cell(with_interval(best.rate), rival.kind, title=rival.source),
                quoted_ratio(problem.wafer, rival, quotable),
                Cell(times(published), "published", title=problem.published_source) if published else "-",
            ]
        )
    best = problem.best_rival("measured", "simulated", "modelled", "published")
    for wafer in problem.wafers:
        if wafer.wafer_options and wafer is not problem.wafer:
            rows.append([f"{problem.label}, wafer with {options_words(wafer.wafer_options)}", Cell(with_interval(answer.Rate.of(wafer)), "emulated"), best.name,
                         size_words(best, best.best), Cell(with_interval(best.best.rate), best.kind, title=best.source),
                         quoted_ratio(wafer, best, quotable), "-"])
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


def lead(problems, quotable):
    """The answer in one sentence: against the fastest cluster that others measured, and the fastest that was simulated. Runs that
    break a rule make no ratio."""
    sentences = []
    machines = sorted({p.wafer.machine for p in problems})
    wafer = "the emulated wafer" + ("" if machines == [USUAL_WAFER] else f" ({listing(machines)})")
    for kind in ("published", "simulated"):
        ratios = []
        for problem in problems:
            best = problem.best_rival(kind)
            if best and not quotable.why_not(problem.wafer, *best.runs):
                ratios.append(answer.ratio(answer.Rate.of(problem.wafer), best.best.rate))
        decided = [r for r in ratios if r.decided]
        if not ratios:
            continue
        words = f"the steps per second of the fastest {kind} cluster"
        told = f"In {count(len(decided), 'problem')} {wafer} makes {span(decided)} {words}" if decided else ""
        open_ones = len(ratios) - len(decided)
        if open_ones:
            told += ("; in " if told else "In ") + f"{count(open_ones, 'problem')} the numbers cannot tell it from {words}"
        sentences.append(told + ".")
    return " ".join(sentences)


def simulated_against_published(problem):
    """How far a simulation is from a published rate of the machine that it is named after. Published clusters ran LAMMPS: this
    program's own step on them is another program's, and no matter of right or wrong."""
    rows = []
    for published in (r for r in problem.rivals if r.kind == "published"):
        for rival in (r for r in problem.rivals if r.kind in ("simulated", "modelled") and r.profile):
            if rival.name.split(",")[0].lower() != published.name.split()[0].lower():
                continue
            same = [p for p in rival.points if p.workers == published.best.workers]
            if same:
                off = same[0].rate.value / published.best.rate.value - 1
                rows.append([problem.label, rival.name, size_words(published, published.best),
                             Cell(with_interval(same[0].rate), rival.kind),
                             Cell(number(published.best.rate.value), "published", title=published.source), percent(off)])
    return rows


def notes(problems):
    yield (
        "The best size is the best of those in the table below: a cluster may be faster at a size that nobody ran."
        " Intervals are the 5th to the 95th percentile of what the machines' numbers leave open; both sides' are combined as"
        " independent. A ratio is quoted only where its interval leaves out 1, and from valid runs only. Published rates"
        " have no interval: there the wafer's alone counts. They are the best of machines up to the size that is named."
    )
    bare = sorted({r.name for p in problems for r in p.rivals if r.kind in ("simulated", "modelled") and not r.best.rate.has_band})
    if bare:
        yield f"Simulated without a band, so that ratios to them hold the wafer's uncertainty only: {', '.join(bare)}."


def drawn_alone(problems, found):
    """Problems with a picture of their own: those on no curve, those that others published, and the largest of each family."""
    on_curves = {id(p) for c in found for p in c.problems}
    largest = {p.family: p for p in reversed(problems)}  # the largest stand first
    return [p for p in problems if id(p) not in on_curves or p.published_wafer or largest[p.family] is p]


def by_owner(problems, mine):
    """(problems whose wafer run is among the user's, the others)."""
    folders = {r.folder.resolve() for r in mine}
    own = [p for p in problems if any(w.folder.resolve() in folders for w in p.wafers)]
    return own, [p for p in problems if not any(p is o for o in own)]


def left_out(results, evidence):
    """Texts on runs that nothing was drawn from."""
    predicted = [r for r in results if r.app == "tungsten_md" and r.target in ("wafer", "simulated")]
    invalid = [r for r in predicted if not r.valid] + [r for r in evidence.replays if not r.valid]
    if invalid:
        yield Text("Left out because they are not valid: " + ", ".join(r.name for r in invalid) + ".", "alarm")
    changed = [r for r in predicted if r.valid and r.machine_changes]
    if changed:
        yield Text("Left out because --machine-set changed their machines: " + ", ".join(r.name for r in changed) + ".", "note")


def measured_here(mine, quotable):
    """What the user's own native runs are worth; empty where there are none."""
    runs = [r for r in mine if r.target == "cluster" and r.command == "run" and r.valid]
    if not runs:
        return ""
    good = sum(not quotable.why_not(r) for r in runs)
    sizes = sorted({count(r.workers, r.worker_name) for r in runs})
    machines = sorted({r.machine for r in runs})
    kept = f"{good} of {count(len(runs), 'run')} {'keeps' if good == 1 else 'keep'} the run rules" if good else "no run keeps the run rules"
    return (f"Measured here: {'; '.join(machines)}, on {' or '.join(sizes)}; {kept}, and a ratio to these is quoted from no other"
            " (the section Official or not says which rule fails).")


def slab_parts(problems, quotable):
    """Pictures and ratios of the samples that stand for themselves, and how far simulations are off."""
    yield from (picture(p) for p in problems)
    yield Table(
        ["problem", "wafer, steps/s", "cluster", "its best size", "cluster, steps/s", "wafer / cluster", "published ratio"],
        [row for p in problems for row in ratio_rows(p, quotable)],
        "The emulated wafer against each cluster at the size where it is fastest",
        numeric_from=3,
    )
    offs = [row for p in problems for row in simulated_against_published(p)]
    if offs:
        yield Table(
            ["problem", "simulated cluster", "size", "simulated, steps/s", "published best, steps/s", "off"],
            offs,
            "How far simulated clusters with the step of LAMMPS are from published rates, which nothing was fitted to",
            numeric_from=2,
        )


def answer_section(results, evidence, mine, quotable):
    """`results`: the user's, `mine`, and those that ship; those that are not valid are named, and nothing is drawn from them."""
    problems = answer.problems(results, evidence)
    llama = llama_answer_page.parts(results, quotable)
    if not problems and not llama:
        return Missing(TITLE, "no problem that the emulated wafer ran has a simulated or published cluster beside it")
    section = Section("answer", TITLE)
    found = curves.curves_of(problems)
    shown = drawn_alone(problems, found)
    own, shipped = by_owner(shown, mine)
    shown = own + shipped
    if shown:
        for whose, some in (("Of these results: ", own), ("Of those that ship: ", shipped)):
            said = lead(some, quotable) if some else ""
            if said:
                section.parts.append(Text((whose if own and shipped else "") + said, "lead"))
        section.parts += slab_parts(shown, quotable)
    section.parts += curve_page.parts(found, quotable)
    section.parts += llama
    here = measured_here(mine, quotable)
    if here:
        section.parts.append(Text(here))
    if shown:
        section.parts.append(
            Table(
                ["problem", "cluster", "size", "steps/s"],
                [row for p in shown for row in point_rows(p)],
                "The points of the pictures",
                numeric_from=2,
            )
        )
    section.parts += [Text(t, "note") for t in notes(problems)]
    section.parts += left_out(results, evidence)
    return section
