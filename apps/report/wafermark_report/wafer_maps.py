"""What the tiles of the wafer did: heat maps from wafer.h5, cycles by phase, and floor plans where a result has one."""
import numpy as np

from . import svg_theme
from .heat_map_file import read_heat_map
from .parts import Cell, Missing, Picture, Section, Table
from .svg_theme import CARD, FAINT, INK, WAFER, inline, legend
from .wording import number

LARGEST_MAP = 260  # cells along an edge of a drawn map; larger ones are averaged in blocks
PHASE_COLOURS = {"compute": svg_theme.SERIES[0], "fabric": WAFER, "wait": FAINT}
MAPS = 4  # heat maps in a report


def shrink(grid):
    """The map, averaged over square blocks of tiles so that no edge is longer than LARGEST_MAP; and the block's
    edge."""
    block = max(1, -(-max(grid.shape) // LARGEST_MAP))
    if block == 1:
        return grid, 1
    h, w = (n // block * block for n in grid.shape)
    return grid[:h, :w].reshape(h // block, block, w // block, block).mean(axis=(1, 3)), block


def draw_map(axes, grid, title):
    drawn, block = shrink(grid)
    height, width = grid.shape
    picture = axes.imshow(
        drawn,
        origin="lower",
        extent=(0, width, 0, height),
        interpolation="nearest",
        cmap="viridis",
        vmin=np.percentile(drawn, 1),
        vmax=np.percentile(drawn, 99),
    )
    axes.set_title(title)
    axes.grid(False)
    axes.set_xlabel("tile" + (f" (means of {block} x {block})" if block > 1 else ""))
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)


def heat_map(result):
    busy, wait = read_heat_map(result.folder / "wafer.h5")
    maps = [(busy, "computing")] + ([(wait, "waiting for neighbours")] if wait is not None else [])
    tall = busy.shape[0] > 1.7 * busy.shape[1]
    fig, axes = svg_theme.figure(6.8, 4.4 if tall else 3.2, panels=len(maps))
    for a, (grid, title) in zip(np.atleast_1d(axes), maps):
        draw_map(a, grid, title)
    return Picture(
        inline(fig, f"Cycles of each tile, {result.label}"),
        (
            f"{size_label(result)} on {busy.shape[1]} x {busy.shape[0]} tiles of {result.machine}:"
            f" cycles a {turn_of(result)} of each tile; colours span 1 to 99 % of them."
        ),
        ("emulated",),
        wide=True,
    )


def size_label(result):
    """The problem with its size: atoms, or what the label of a Llama says already."""
    return f"{result.label}, {result.atoms:,} atoms" if result.atoms else result.label


def short_label(result):
    return f"{result.label.split(',')[0]}, {result.atoms:,} atoms" if result.atoms else result.label


def turn_of(result):
    return "step" if result.atoms else "pass"


def phase_bars(runs):
    """Cycles of a step by phase, one bar a run."""
    fig, axes = svg_theme.figure(6.4, 1.3 + 0.45 * len(runs))
    named = []
    for row, r in enumerate(runs):
        left = 0.0
        for phase in r.json["wafer"]["phases_cycles_per_step"]:
            if phase["mean"] <= 0:
                continue
            axes.barh(
                row,
                phase["mean"],
                left=left,
                height=0.62,
                color=PHASE_COLOURS[phase["kind"]],
                edgecolor=CARD,
                lw=0.8,
                label=phase["kind"] if phase["kind"] not in named else None,
            )
            named.append(phase["kind"])
            left += phase["mean"]
    axes.set_yticks(range(len(runs)), [short_label(r) for r in runs])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(svg_theme.plain)
    axes.set_xlabel("cycles a step or pass, mean over tiles; one box a phase")
    return Picture(
        inline(fig, "Cycles by phase"),
        "Where the cycles of a step (a token's pass) go on the wafer.",
        ("emulated",),
        wide=True,
        legend=legend(axes),
    )


def phase_table(runs):
    names = list(dict.fromkeys(p["phase"] for r in runs for p in r.json["wafer"]["phases_cycles_per_step"]))
    rows = []
    for name in names:
        cells, kind = [], ""
        for r in runs:
            phase = next((p for p in r.json["wafer"]["phases_cycles_per_step"] if p["phase"] == name), None)
            kind = phase["kind"] if phase else kind
            cells.append(
                f"{number(phase['mean'])} ({number(phase['min'])} ... {number(phase['max'])})" if phase else "-"
            )
        rows.append([name.replace("_", " "), kind, *cells])
    for name, title in (
        ("utilisation", "share of cycles computing"),
        ("link_load", "words per link and cycle"),
        ("sram_high_water", "memory of a tile / B"),
        ("watts", "power / W"),
    ):
        rows.append([title, "", *[Cell(number(r.value(name), 3), "emulated") for r in runs]])
    return Table(
        ["phase", "kind", *[short_label(r) for r in runs]],
        rows,
        "Cycles a step, or a token's pass: mean over tiles (smallest ... largest).",
        numeric_from=2,
    )


def floor_plan(result):
    """Rectangles of tiles and what lies on them: result.json's `floor_plan`, a list of {name, x, y, width, height}."""
    from matplotlib.patches import Rectangle

    plan = result.json["floor_plan"]
    fig, axes = svg_theme.figure(7.6, 5.2)
    groups = list(dict.fromkeys(str(r.get("group", r["name"])) for r in plan))
    for r in plan:
        colour = svg_theme.SERIES[groups.index(str(r.get("group", r["name"]))) % len(svg_theme.SERIES)]
        axes.add_patch(
            Rectangle((r["x"], r["y"]), r["width"], r["height"], facecolor=colour, alpha=0.35, edgecolor=INK, lw=0.6)
        )
        if len(plan) <= 60:
            axes.annotate(
                str(r["name"]),
                (r["x"] + r["width"] / 2, r["y"] + r["height"] / 2),
                ha="center",
                va="center",
                fontsize=8,
            )
    axes.set_xlim(0, max(r["x"] + r["width"] for r in plan))
    axes.set_ylim(0, max(r["y"] + r["height"] for r in plan))
    axes.set_aspect("equal")
    axes.grid(False)
    axes.set_xlabel("tile")
    return Picture(
        inline(fig, f"Floor plan, {result.label}"),
        f"{result.label}: what lies on which tiles of {result.machine}.",
        ("emulated",),
        wide=True,
    )


def wafer_section(results):
    runs = {}
    for r in results:
        if r.complete and r.target == "wafer" and r.json.get("wafer", {}).get("phases_cycles_per_step"):
            runs[(r.problem, r.atoms, r.wafer_options)] = r
    chosen = list(runs.values())
    section = Section("wafer", "The emulated wafer")
    if chosen:
        shown = sorted(chosen, key=lambda r: -(r.atoms or 0))[:5]
        section.parts.append(phase_bars(shown))
        section.parts += [heat_map(r) for r in shown if (r.folder / "wafer.h5").exists()][:MAPS]
        section.parts.append(phase_table(shown))
    section.parts += [floor_plan(r) for r in results if r.json.get("floor_plan")]
    return section if section.parts else Missing("The emulated wafer", "no result of --target wafer")
