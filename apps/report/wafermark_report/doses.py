"""Irradiation to a dose: defects against displacements per atom, of runs with [dose]."""
from . import svg_theme
from .parts import Cell, Missing, Picture, Section, Table
from .results import read_defects
from .svg_theme import SERIES, inline, legend
from .wording import number

METHODS = {"recoils": "overlapping cascades", "insertion": "creation-relaxation"}


def doses_of(results):
    """Runs of a dose that say what they left."""
    return [r for r in results if r.complete and r.json.get("dose") and (r.folder / "defects.json").exists()]


def counts_at_rest(result):
    """[(dpa, Frenkel pairs)], one for each recoil or relaxation, and where the sample began."""
    columns = read_defects(result.folder / "defects.json")["series"]["columns"]
    rows = zip(*(columns.get(k, []) for k in ("dpa", "at_rest", "vacancies", "interstitials")))
    return [(dpa, min(v, i)) for k, (dpa, at_rest, v, i) in enumerate(rows) if dpa is not None and (at_rest or k == 0)]


def method_of(result):
    return METHODS.get(result.json["dose"]["method"], result.json["dose"]["method"])


def draw(axes, runs):
    """Pairs an atom in percent against dpa."""
    for k, r in enumerate(runs):
        points = counts_at_rest(r)
        if points and r.atoms:
            dpa, pairs = zip(*points)
            axes.plot(dpa, [100 * p / r.atoms for p in pairs], color=SERIES[k % len(SERIES)], ls="-" if r.json["dose"]["method"] == "recoils" else "--",
                      label=f"{method_of(r)}, {r.atoms:,} atoms" + (f" ({r.name})" if len(runs) > 2 else ""))  # fmt: skip
    axes.set_xlabel("dose / dpa (NRT; inserted pairs an atom)")
    axes.set_ylabel("Frenkel pairs an atom / %")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def dose_table(runs):
    rows = []
    for r in runs:
        dose, end = r.json["dose"], r.json.get("defects", {}).get("survivors") or {}
        rows.append(
            [
                f"{r.name}, {method_of(r)}",
                f"{r.atoms or 0:,}",
                str(dose["events"]),
                Cell(number(dose["dpa"]), "modelled"),
                Cell(number(dose["dpa_arc"]), "modelled") if dose["dpa_arc"] is not None else "-",
                Cell(number(r.value("frenkel_pairs_survivors")), "counted"),
                f"{end.get('largest_vacancy_cluster', '-')} / {end.get('largest_interstitial_cluster', '-')}",
                dose["ended_by"] or "steps or time",
            ]
        )
    caption = ("Irradiation to a dose: recoils (or inserted pairs), dose by NRT (or inserted pairs an atom) and by arc-dpa, Frenkel pairs at the "
               "end, largest clusters of vacancies (v) and interstitials (i), and what ended the run.")  # fmt: skip
    columns = ["run", "atoms", "events", "dpa", "arc-dpa", "pairs, end", "clusters v / i", "ended by"]
    return Table(columns, rows, caption)


def dose_section(results):
    runs = doses_of(results)
    if not runs:
        return Missing("Dose", "no run with [dose] in its deck")
    fig, axes = svg_theme.figure(6.4, 4.0)
    draw(axes, runs)
    keys = legend(axes)
    caption = "Frenkel pairs against dose, counted when each recoil (or relaxation) had come to rest."
    picture = Picture(inline(fig, "Frenkel pairs against dose"), caption, ("counted", "modelled"), wide=True, legend=keys)
    return Section("dose", "Irradiation to a dose", [picture, dose_table(runs)])
