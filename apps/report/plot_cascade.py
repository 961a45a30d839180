#!/usr/bin/env python3
"""Draws a displacement cascade: where the defects are at the peak and at the end, and how many there are in time.

  plot_cascade.py RESULT_DIR -o cascade.png        (or .svg, .pdf)

Reads RESULT_DIR/defects.json (written by `tungsten_md run` and `tungsten_md defects`) and, where there is one,
result.json for the title, the recoil's place and its time. Needs numpy, matplotlib and jsonschema.
"""
import argparse
import pathlib
import sys

try:
    import numpy as np

    from wafermark_report.errors import Arguments, as_program
    from wafermark_report.output import save_picture
    from wafermark_report.results import read_defects, read_result
except ImportError as error:
    print(f"plot_cascade.py: {error}, expected Python 3.11 with numpy, matplotlib and jsonschema", file=sys.stderr)
    sys.exit(2)

KINDS = {"vacancies": "vacancy", "interstitials": "interstitial"}
VACANCY, INTERSTITIAL, SHADOW, TEXT = "#2b6cb0", "#d9480f", "#c9ccd1", "#333333"
# Predictions in the order of the legend: name in the file, line style.
MODELS = {"arc-dpa": "-", "NRT": "--", "Setyawan 2015": "-.", "He": ":"}


def series_of(document):
    """The columns of defects.json that are drawn, as arrays."""
    columns = document["series"]["columns"]
    return {name: np.array(columns[name]) for name in ("step", "time_ps", "vacancies", "interstitials")}


def recoil_time(deck, series):
    """Time of the first recoil, from the deck or else the last moment without a defect."""
    recoils = deck.get("pka", [])
    if recoils:
        return min(float(r.get("time_ps", 0.0)) for r in recoils)
    pairs = np.minimum(series["vacancies"], series["interstitials"])
    first = int(np.argmax(pairs > 0)) if np.any(pairs > 0) else 0
    return series["time_ps"][max(first - 1, 0)]


def positions(snapshot, kind, box, centre):
    """Positions relative to `centre`, the nearest periodic image in the box of that moment."""
    box = snapshot.get("box", box)
    d = np.array(snapshot[kind]["position"], dtype=float).reshape(-1, 3) - centre
    lengths = np.array(box["hi_angstrom"]) - np.array(box["lo_angstrom"])
    return d - np.where(box["periodic"], np.round(d / lengths) * lengths, 0.0)


def centre_of(result, box, snapshots):
    """The recoil's place; without one, the mean of the defects as the box has them."""
    recoils = result.get("recoils", [])
    if recoils:
        return np.array(recoils[0]["position_angstrom"])
    points = [p for s in snapshots if s for kind in KINDS for p in s[kind]["position"]]
    if points:
        return np.mean(points, axis=0)
    return 0.5 * (np.array(box["lo_angstrom"]) + np.array(box["hi_angstrom"]))


def cube_of(snapshots, box, centre):
    """Middle and half edge of one cube for both pictures: it holds all defects and is at least 20 Angstrom wide."""
    points = np.concatenate([positions(s, kind, box, centre) for s in snapshots if s for kind in KINDS])
    if len(points) == 0:
        return np.zeros(3), 10.0
    low, high = points.min(axis=0), points.max(axis=0)
    return 0.5 * (low + high), max(0.5 * 1.15 * (high - low).max(), 10.0)


def draw_defects(axes, snapshot, box, centre, cube, title):
    """Defects in a cube, with their shadows on the three far walls. Places are relative to the recoil's."""
    middle, half = cube
    axes.set_title(title, fontsize=11, color=TEXT, y=1.09)
    axes.set_proj_type("persp", focal_length=0.6)
    axes.view_init(elev=20, azim=-52)
    walls = (middle[0] - half, middle[1] + half, middle[2] - half)
    for kind, colour, filled in (("vacancies", VACANCY, False), ("interstitials", INTERSTITIAL, True)):
        points = positions(snapshot, kind, box, centre)
        count = len(points)
        for axis, wall in enumerate(walls):
            shadow = points.copy()
            shadow[:, axis] = wall
            axes.scatter(*shadow.T, s=14, c=SHADOW, marker="o" if filled else "s", linewidths=0, depthshade=False)
        axes.scatter(*points.T, s=42, marker="o" if filled else "s", depthshade=False,
                     facecolors=colour if filled else "white", edgecolors=colour, linewidths=1.3,
                     label=f"{count} {kind if count != 1 else KINDS[kind]}")
    for set_limits, at in zip((axes.set_xlim, axes.set_ylim, axes.set_zlim), middle):
        set_limits(at - half, at + half)
    axes.set_box_aspect((1, 1, 1), zoom=1.02)
    for name, label in (("x", axes.set_xlabel), ("y", axes.set_ylabel), ("z", axes.set_zlabel)):
        label(f"{name} / Å", fontsize=8, labelpad=-4, color=TEXT)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((0.975, 0.978, 0.985, 1.0))
        axis._axinfo["grid"].update(color="#e3e6ea", linewidth=0.6)
        axis.set_major_locator(nice_ticks())
    axes.tick_params(labelsize=7, pad=-2, colors=TEXT)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 0.92), ncol=2, fontsize=9, frameon=False,
                handletextpad=0.1)


def nice_ticks():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=True)


def draw_series(axes, series, origin, document):
    time = series["time_ps"] - origin
    shown = time > 0
    if not np.any(shown):
        time, shown = series["time_ps"], np.ones(len(series["time_ps"]), dtype=bool)
    elif np.count_nonzero(shown) > 1 and time[shown][-1] > 20 * time[shown][0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda value, _: "")
    time = time[shown]
    vacancies, interstitials = series["vacancies"][shown], series["interstitials"][shown]
    axes.plot(time, vacancies, color=VACANCY, lw=1.8, label="vacancies", drawstyle="steps-post")
    axes.plot(time, interstitials, color=INTERSTITIAL, lw=1.8, ls=(0, (4, 3)), label="interstitials",
              drawstyle="steps-post")
    count = axes.legend(loc="upper left", fontsize=8, frameon=False)

    predictions = document.get("predicted_frenkel_pairs", {})
    handles = [axes.axhline(predictions[name], color="#7a828c", lw=1.0, ls=style, zorder=1,
                            label=f"{name}: {predictions[name]:.1f}")
               for name, style in MODELS.items() if name in predictions]
    if handles:
        axes.add_artist(count)
        axes.legend(handles=handles, title="Frenkel pairs expected", title_fontsize=8, loc="upper right", fontsize=8,
                    frameon=False)

    pairs = np.minimum(vacancies, interstitials)
    peak = int(np.argmax(pairs))
    note = dict(textcoords="offset points", fontsize=8, color=TEXT,
                bbox=dict(facecolor="white", edgecolor="none", alpha=0.85, pad=1))
    if pairs[peak] > pairs[-1]:
        axes.annotate(f"peak {pairs[peak]}", (time[peak], pairs[peak]), xytext=(0, 8), ha="center", **note)
    if len(pairs) > 1:
        axes.annotate(f"{pairs[-1]} pairs at the end", (time[-1], pairs[-1]), xytext=(-3, 12), ha="right", **note)
    top = max(pairs.max(), vacancies.max(), interstitials.max(), *(predictions.values() or [0]), 1)
    axes.set_ylim(0, 1.32 * top)
    axes.set_xlim(time[0], time[-1] if time[-1] > time[0] else time[0] + 1)
    axes.set_xlabel("time since the recoil / ps", fontsize=9, color=TEXT)
    axes.set_ylabel("number of defects", fontsize=9, color=TEXT)
    axes.yaxis.set_major_locator(nice_ticks())
    axes.tick_params(labelsize=8, colors=TEXT)
    axes.grid(color="#e3e6ea", lw=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw(directory, output):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["text.parse_math"] = False  # a title may hold a dollar
    document = read_defects(directory / "defects.json")
    there = (directory / "result.json").exists()
    result = read_result(directory / "result.json") if there else None
    series = series_of(document)
    deck = result.deck if result else {}
    origin = recoil_time(deck, series)
    box = document["box"]
    snapshots = [document["peak_snapshot"], document["last_snapshot"]]
    centre = centre_of(result.json if result else {}, box, snapshots)

    cube = cube_of(snapshots, box, centre)

    figure = plt.figure(figsize=(14, 4.8), dpi=150)
    figure.patch.set_facecolor("white")
    for place, (snapshot, name) in enumerate(zip(snapshots, ("peak", "end"))):
        axes = figure.add_axes([0.005 + 0.325 * place, 0.02, 0.32, 0.80], projection="3d")
        if snapshot is None:
            axes.set_axis_off()
            axes.set_title(f"{name}: positions were not recorded", fontsize=11, color=TEXT)
            continue
        time = snapshot["row"]["time_ps"] - origin
        draw_defects(axes, snapshot, box, centre, cube, f"{name}, {time:.2g} ps after the recoil")
    draw_series(figure.add_axes([0.71, 0.12, 0.275, 0.74]), series, origin, document)
    title = deck.get("title") or f"Displacement cascade ({directory.name})"
    figure.suptitle(title, fontsize=13, color=TEXT, y=0.975)
    save_picture(figure, output)


def main():
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, help="folder of a run or of `tungsten_md defects`")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="picture to write; default DIRECTORY/cascade.png")
    options = parser.parse_args()
    draw(options.directory, options.output or options.directory / "cascade.png")


if __name__ == "__main__":
    as_program("plot_cascade.py", main)
