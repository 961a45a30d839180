"""The scaling claim, steps per second against the size of the machine, and the models that carry it beyond what was
run."""
import numpy as np

from . import scaling, svg_theme
from .cluster_model import BAND, TERMS, TRUSTED_FACTOR, TooFewPoints, error_left_out, fit
from .parts import Cell, Missing, Picture, Section, Table, Text
from .scaling import RATE
from .scaling_plots import style_of, with_ranges
from .svg_theme import NATIVE, WAFER, inline, legend, log_axis
from .wording import count, number, percent

MODEL_LIMIT = 2**20  # workers up to which a fitted model is drawn


def fits(results):
    """For each problem and machine: (runs, model or None, why not, error of foretelling the largest runs)."""
    found = []
    for group in scaling.by_problem(scaling.native_runs(results)):
        data = ([r.atoms for r in group], [r.workers for r in group], [1.0 / r.value(RATE) for r in group])
        try:
            found.append((group, fit(*data), None, error_left_out(*data)))
        except TooFewPoints as error:
            found.append((group, None, str(error), None))
    return found


def trust(group, model, left_out):
    """How far the extrapolation may be trusted, in words."""
    hosts = len({h for r in group for h in r.hosts})
    name = group[0].worker_name
    sentences = [
        f"Fitted to {count(model.runs, 'run')} on up to {count(model.workers_max, name)}, "
        f"{count(hosts, 'host')}; its errors there: {100 * np.sqrt(np.mean(model.relative_errors**2)):.0f} % "
        f"(root mean square), {100 * np.max(np.abs(model.relative_errors)):.0f} % at worst."
    ]
    if hosts == 1:
        sentences.append(
            "All of it ran inside one host: no message crossed a network, so its latency and surface terms are those of"
            " shared memory, and a real cluster saturates earlier and lower."
        )
    if model.worker_counts < 3:
        sentences.append(
            f"Only {model.worker_counts} numbers of {name}s were run: how the terms grow with more cannot be checked at"
            " all, and the band shows the noise of the fit, not that ignorance."
        )
    elif left_out is not None:
        sentences.append(f"Without its largest runs the model foretells their step time {percent(left_out)} off.")
    sentences.append(
        f"Beyond {count(TRUSTED_FACTOR * model.workers_max, name)} ({TRUSTED_FACTOR} times the largest run) take the"
        " curve as a question to measure, not as a figure to decide by."
    )
    return " ".join(sentences)


def claim_plot(problem_runs, wafers, model, atoms):
    """Steps per second against the size of the machine, atoms fixed."""
    first = wafers[0]
    fig, axes = svg_theme.figure(6.4, 4.6)
    points = [p for p in scaling.points_of(problem_runs) if p.atoms == atoms]
    kinds = {"emulated"}
    if points:
        with_ranges(
            axes,
            [p.workers for p in points],
            points,
            color=NATIVE,
            marker="o",
            ms=7,
            ls="-",
            zorder=5,
            label=f"{problem_runs[0].machine}, measured",
        )
        kinds.add("measured")
    if model is not None:
        counts = 2.0 ** np.arange(0, np.log2(min(atoms, MODEL_LIMIT)) + 1e-9)
        near = counts[counts <= TRUSTED_FACTOR * model.workers_max]
        far = counts[counts >= near[-1]]
        low, high = model.band(atoms, counts)
        axes.fill_between(counts, low, high, color=NATIVE, alpha=0.13, lw=0)
        axes.plot(near, model.rate(atoms, near), color=NATIVE, ls=(0, (5, 3)), label="model fitted to it (band: 90 %)")
        axes.plot(far, model.rate(atoms, far), color=NATIVE, ls=(0, (1, 3)), lw=1.3, label="the same, too far to trust")
        kinds.add("modelled")
    for w in wafers:
        tiles = w.json.get("wafer", {}).get("tiles")
        used = tiles[0] * tiles[1] if tiles else w.atoms
        axes.plot(
            [used],
            [w.value(RATE)],
            marker="*",
            ms=15,
            color=WAFER,
            ls="none",
            zorder=6,
            label=f"emulated {w.machine}, {used:,} tiles" + (f" ({w.wafer_options})" if w.wafer_options else ""),
        )
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)
    axes.set_xlabel("size of the machine: cores, GPUs or tiles")
    axes.set_ylabel("steps per second")
    order = [k for k in ("measured", "emulated", "modelled") if k in kinds]
    return Picture(
        inline(fig, f"Steps per second against machine size, {atoms:,} atoms"),
        (
            f"{first.label}, {atoms:,} atoms: more of the cluster stops helping where the curve bends; the wafer has"
            " one atom on each tile. Dashed lines are models, never measurements."
        ),
        tuple(order),
        wide=True,
        legend=legend(axes),
    )


def size_plot(native, wafers):
    """Steps per second against atoms: what a larger crystal costs on either machine."""
    fig, axes = svg_theme.figure(6.4, 4.2)
    points = scaling.points_of(native)
    for k, workers in enumerate(sorted({p.workers for p in points})):
        same = [p for p in points if p.workers == workers]
        with_ranges(
            axes,
            [p.atoms for p in same],
            same,
            label=f"{count(workers, native[0].worker_name)}, measured",
            **style_of(k),
        )
    cells = sorted((w.atoms, w.value(RATE)) for w in wafers if not w.wafer_options)
    axes.plot(
        *zip(*cells), color=WAFER, marker="*", ms=12, label=f"emulated {wafers[0].machine}, as many tiles as atoms"
    )
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)
    axes.set_xlabel("atoms")
    axes.set_ylabel("steps per second")
    return Picture(
        inline(fig, "Steps per second against atoms"),
        (
            f"{wafers[0].label}: on a cluster of fixed size a step takes as long as it has atoms; on the wafer the"
            " atoms bring their tiles with them. What lowers its rate is the reach of a neighbourhood in tiles (b),"
            " which grows with the thickness of the crystal."
        ),
        ("measured", "emulated"),
        wide=True,
        legend=legend(axes),
    )


def claim_section(results):
    wafers = scaling.wafer_runs(results)
    if not wafers:
        return Missing("The scaling claim", "no molecular dynamics on the emulated wafer among the results")
    section = Section("claim", "The scaling claim: runs of this machine and the wafer")
    known = {(g[0].problem, g[0].machine): (g, m, why, out) for g, m, why, out in fits(results)}
    native = scaling.native_runs(results)
    sized, refused = set(), []
    largest = sorted(wafers, key=lambda w: -w.atoms)
    here = {r.problem for r in native}
    for problem in dict.fromkeys(w.problem for w in largest if w.problem in here):
        mine = [w for w in wafers if w.problem == problem]
        machines_here = sorted({r.machine for r in native if r.problem == problem})
        group, model, why, left_out = known[(problem, machines_here[0])]
        # The largest size both sides ran; without one, the largest that the wafer ran.
        both = {w.atoms for w in mine} & {r.atoms for r in group}
        atoms = max(both or {w.atoms for w in mine})
        chosen = {(w.machine, w.wafer_options): w for w in mine if w.atoms == atoms}
        section.parts.append(claim_plot(group, list(chosen.values()), model, atoms))
        if model is not None:
            section.parts.append(Text(trust(group, model, left_out), "note"))
        else:
            refused.append(f"{group[0].label} ({why})")
        if problem not in sized and len({w.atoms for w in mine}) > 1 and len({r.atoms for r in group}) > 1:
            sized.add(problem)
            section.parts.append(size_plot(group, mine))
    if not section.parts:
        return Missing("The scaling claim", "no native run of a problem that the emulated wafer ran")
    if refused:
        section.parts.append(Text("Not fitted, because the runs do not suffice: " + "; ".join(refused) + ".", "note"))
    return section


def model_section(results):
    found = fits(results)
    section = Section("model", "The cluster model")
    rows = []
    for group, model, _, _ in found:
        if model is None:
            continue
        low, high = np.percentile(model.draws, BAND[0], axis=0), np.percentile(model.draws, BAND[1], axis=0)
        for k, term in enumerate(TERMS):
            unit = {
                "compute": "ns an atom",
                "launch": "us a step",
                "latency": "us a doubling of the workers",
                "surface": "ns x (atoms a worker)^(2/3)",
            }[term]
            scale = 1e9 if unit.startswith("ns") else 1e6
            rows.append(
                [
                    f"{group[0].label} on {group[0].machine}" if k == 0 else "",
                    term,
                    Cell(number(scale * model.coefficients[k], 3), "modelled"),
                    f"{number(scale * low[k], 3)} ... {number(scale * high[k], 3)}",
                    unit,
                ]
            )
    text = Text(
        "t = compute x N/P + launch + latency x log2 P + surface x (N/P)^(2/3) for P > 1: non-negative least squares"
        f" on relative errors; the band is the {BAND[0]}th to {BAND[1]}th percentile of refits to redrawn residuals."
    )
    if rows:
        section.parts += [
            text,
            Table(["problem and machine", "term", "value", "90 % of refits", "unit"], rows, numeric_from=2),
        ]
    elif found:
        section.parts.append(
            Text("No model was fitted: " + "; ".join(dict.fromkeys(why for _, _, why, _ in found if why)) + ".")
        )
    if not section.parts:
        return Missing("The cluster model", "no native runs of molecular dynamics")
    return section
