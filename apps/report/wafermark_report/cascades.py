"""Displacement cascades: pictures drawn by plot_cascade.py's functions, and the table of defects."""
import sys

from . import svg_theme
from .parts import Cell, Missing, Picture, Section, Table
from .results import SOURCE, read_defects
from .svg_theme import inline
from .wording import number

CASCADES_DRAWN = 3
LEAST_PS = 0.05  # behind the recoil; a run that ended earlier has no defects yet, which is no result
# Survivors are counted when the heat spike is over and the sample has cooled; before, pairs still recombine.
COOLED_PS = 5.0
COOLED_K = 100.0  # above the bath
PREDICTED = "frenkel_pairs_"


def plotting():
    """The module plot_cascade beside this package."""
    folder = str(SOURCE / "apps/report")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import plot_cascade

    return plot_cascade


def pictures(result):
    """Defects at the peak and at the end, and their number in time."""
    draw = plotting()
    import matplotlib.pyplot as plt

    document = read_defects(result.folder / "defects.json")
    series = draw.series_of(document)
    origin = draw.recoil_time(result.deck, series)
    snapshots = [document["peak_snapshot"], document["last_snapshot"]]
    box = document["box"]
    centre = draw.centre_of(result.json, box, snapshots)
    cube = draw.cube_of(snapshots, box, centre)
    found = []
    for snapshot, name in zip(snapshots, ("peak", "end")):
        if snapshot is None or not any(map(has_defects, snapshots)):  # two empty boxes say nothing
            continue
        fig = plt.figure(figsize=(5.4, 4.7))
        axes = fig.add_axes([0.0, 0.0, 1.0, 0.90], projection="3d")
        axes.patch.set_alpha(0.0)
        time = snapshot["row"]["time_ps"] - origin
        draw.draw_defects(axes, snapshot, box, centre, cube, f"{name}, {time:.2g} ps after the recoil")
        found.append(
            Picture(
                inline(fig, f"Cascade at its {name}"),
                f"{result.label}, {result.name}: defects at the {name}; shadows lie on the far walls.",
                (kind_of(result),),
            )
        )
    fig, axes = svg_theme.figure(6.4, 3.8)
    draw.draw_series(axes, series, origin, document)
    found.append(
        Picture(
            inline(fig, "Number of defects in time"),
            f"{result.label}, {result.name}: defects in time, with what models predict for the mean of many cascades.",
            (kind_of(result), "modelled"),
            wide=True,
        )
    )
    return found


def followed(result):
    """Whether the run went on behind its first recoil; taken for granted where its end is not known."""
    end = result.json.get("end", {}).get("time_ps")
    return end is None or end - min(p.get("time_ps", 0.0) for p in result.deck["pka"]) >= LEAST_PS


def why_hot(result):
    """Why survivors of this run are not final, in words; empty where they are, or where the result does not say."""
    end = result.json.get("end", {}).get("time_ps")
    reasons = []
    if end is not None:
        after = end - max(p.get("time_ps", 0.0) for p in result.deck["pka"])
        if after < COOLED_PS:
            reasons.append(f"{after:.2g} ps after the recoil")
    hot, bath = result.value("temperature_end_k"), result.deck.get("temperature", {}).get("initial_k")
    if hot is not None and bath is not None and hot > bath + COOLED_K:
        reasons.append(f"{hot:.0f} K")
    return ", ".join(reasons)


def survivors_cell(result):
    """Pairs at the end, and that they are not the survivors where the sample was hot."""
    if not followed(result):
        return "not followed"
    hot = why_hot(result)
    return Cell(number(result.value(PREDICTED + "survivors")) + (f" (hot: {hot})" if hot else ""), kind_of(result), "warn" if hot else "")


def has_defects(snapshot):
    return snapshot is not None and any(snapshot[kind]["position"] for kind in ("vacancies", "interstitials"))


def kind_of(result):
    figure = result.figures.get("frenkel_pairs_survivors")
    return figure.kind if figure else "counted"


def cascade_section(results):
    runs = [
        r
        for r in results
        if r.complete and r.deck.get("pka") and r.json.get("recoils") and r.figures.get("frenkel_pairs_survivors")
    ]
    if not runs:
        return Missing("Cascades", "no run in which a recoil was fired and defects were counted")
    models = list(
        dict.fromkeys(
            n[len(PREDICTED) :]
            for r in runs
            for n, f in r.figures.items()
            if n.startswith(PREDICTED) and f.kind == "modelled"
        )
    )
    rows = []
    for r in runs:
        survivors = r.json.get("defects", {}).get("survivors") or {}
        kind = kind_of(r)
        rows.append(
            [
                f"{r.name}, {r.target}",
                ", ".join(f"{p['energy_ev'] / 1000:g} keV" for p in r.deck["pka"]),
                Cell(number(r.value(PREDICTED + "peak")), kind) if followed(r) else "not followed",
                survivors_cell(r),
                (
                    f"{survivors.get('largest_vacancy_cluster', '-')} /"
                    f" {survivors.get('largest_interstitial_cluster', '-')}"
                ),
                str(survivors.get("replacements", "-")),
                *[Cell(number(r.value(PREDICTED + m), 2), "modelled") if followed(r) else "-" for m in models],
            ]
        )
    table = Table(
        ["run", "recoil", "pairs, peak", "pairs, end", "clusters v / i", "replaced", *models],
        rows,
        (
            "Frenkel pairs, largest clusters of vacancies (v) and interstitials (i), replacements; the models predict"
            " the mean of surviving pairs, about which one cascade scatters by 40 %. Not followed: the run ended"
            f" within {LEAST_PS:g} ps of its recoil. Hot: counted within {COOLED_PS:g} ps of it, or more than {COOLED_K:g} K above"
            " the start; such pairs are not yet the survivors that the models are about."
        ),
        numeric_from=2,
    )
    drawn = [r for r in runs if followed(r) and (r.folder / "defects.json").exists()][:CASCADES_DRAWN]
    return Section("cascades", "Displacement cascades", [p for r in drawn for p in pictures(r)] + [table])
