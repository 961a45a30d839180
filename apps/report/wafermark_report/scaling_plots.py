"""Strong and weak scaling: plots and tables of measured series, with the emulated wafer beside them."""
from . import scaling, svg_theme
from .parts import Cell, Missing, Picture, Section, Table
from .scaling import RATE
from .svg_theme import FAINT, MARKERS, SERIES, WAFER, inline, legend, log_axis
from .wording import count, number


def style_of(k):
    return dict(color=SERIES[k % len(SERIES)], marker=MARKERS[k % len(MARKERS)], ms=6)


def with_ranges(axes, xs, points, scale=lambda p, v: v, **style):
    """Medians, with bars from the smallest to the largest repeat."""
    ys = [scale(p, p.rate) for p in points]
    low = [y - scale(p, p.low) for y, p in zip(ys, points)]
    high = [scale(p, p.high) - y for y, p in zip(ys, points)]
    axes.errorbar(xs, ys, yerr=[low, high], capsize=3, elinewidth=1, **style)


def workers_axis(axes, points, name):
    from matplotlib.ticker import FixedLocator

    counts = sorted({p.workers for p in points})
    log_axis(axes.xaxis, base_two=True)
    if len(counts) <= 10:
        axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.set_xlabel(f"{name}s (measured)")


def legend_names(all_series):
    """Names of series for a legend: without the problem where all are of the same one."""
    if len({s.problem for s in all_series}) == 1:
        return [s.size for s in all_series]
    return [f"{s.label}, {s.size}" for s in all_series]


def series_table(all_series, weak):
    rows = []
    for s in all_series:
        for p, e in zip(s.points, s.efficiency(weak)):
            rows.append(
                [
                    f"{s.label}, {s.size}" if weak else s.label,
                    count(p.workers, s.worker_name),
                    f"{p.atoms:,}",
                    Cell(number(p.rate), "measured"),
                    f"{number(p.low)} ... {number(p.high)}" if p.runs > 1 else "one run",
                    f"{100 * e:.0f} %",
                ]
            )
    return Table(
        ["problem", "machine size", "atoms", "steps/s (median)", "spread over repeats", "efficiency"],
        rows,
        numeric_from=2,
    )


def scaling_section(results, weak):
    title = "Weak scaling" if weak else "Strong scaling"
    all_series = scaling.weak_series(results) if weak else scaling.strong_series(results)
    if not all_series:
        return Missing(
            title,
            "no problem was run with "
            + ("the same atoms per worker" if weak else "the same atoms")
            + " on two or more sizes of machine",
        )
    wafers = scaling.wafer_runs(results)
    section = Section("weak-scaling" if weak else "strong-scaling", title)
    for machine in sorted({s.machine for s in all_series}):
        chosen = [s for s in all_series if s.machine == machine]
        fig, axes = svg_theme.figure()
        fig2, axes2 = svg_theme.figure()
        labels, with_wafer = set(), False
        of = f" of {chosen[0].label}" if len({s.problem for s in chosen}) == 1 else ""
        for k, (s, name) in enumerate(zip(chosen, legend_names(chosen))):
            xs = [p.workers for p in s.points]
            with_ranges(axes, xs, s.points, label=name, **style_of(k))
            axes2.plot(xs, [100 * e for e in s.efficiency(weak)], label=name, **style_of(k))
            sizes = {p.atoms for p in s.points}
            for w in wafers:
                if (
                    w.problem == s.problem
                    and w.atoms in sizes
                    and not w.wafer_options
                    and (w.problem, w.atoms) not in labels
                ):
                    labels.add((w.problem, w.atoms))
                    axes.axhline(
                        w.value(RATE),
                        color=style_of(k)["color"] if len(chosen) > 1 else WAFER,
                        ls=(0, (1, 1.4)),
                        lw=1.8,
                        label=f"emulated wafer, {w.atoms:,} atoms",
                    )
                    with_wafer = True
        points = [p for s in chosen for p in s.points]
        name = chosen[0].worker_name
        for a in (axes, axes2):
            workers_axis(a, points, name)
        log_axis(axes.yaxis)
        axes.set_ylabel("steps per second")
        axes2.set_ylabel("parallel efficiency / %")
        axes2.set_ylim(0, 1.12 * max(100, max(100 * e for s in chosen for e in s.efficiency(weak))))
        axes2.axhline(100, color=FAINT, lw=1, ls=":")
        keys = legend(axes)
        kinds = ("measured", "emulated") if with_wafer else ("measured",)
        hint = (
            " Dotted: the emulated wafer with the same atoms (one machine, whatever the number of " + name + "s)."
            if with_wafer
            else ""
        )
        section.parts += [
            Picture(
                inline(fig, f"{title}: steps per second"),
                f"Steps per second{of} on {machine}; bars span the repeats.{hint}",
                kinds,
                legend=keys,
            ),
            Picture(
                inline(fig2, f"{title}: efficiency"),
                f"Efficiency against the smallest number of {name}s.",
                ("measured",),
                legend=legend(axes2),
            ),
        ]
    section.parts.append(series_table(all_series, weak))
    return section
