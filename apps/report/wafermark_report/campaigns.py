"""Campaigns of cascades: the means of many runs, from campaign.json of jobscripts/campaign.py, beside models and published sets."""
from pathlib import Path

from . import svg_theme
from .documents import SCHEMAS, read_json, read_toml
from .errors import InputError
from .parts import Cell, Missing, Picture, Section, Table, Text
from .results import SOURCE
from .svg_theme import FAINT, MODEL, PUBLISHED, SERIES, WAFER, inline, legend, log_axis
from .wording import count, number

PUBLISHED_CASCADES = SOURCE / "results/reference/cascades.toml"
MODEL_LINES = ("-", "--", "-.", ":")
PUBLISHED_FITS = ("Setyawan 2015", "He")  # of the models in a result: power laws that others fitted to MD
LEAST_DRAWN = 1e-6  # pairs a cascade, on a logarithmic axis
KINDS = {"vacancy": "vacancies", "interstitial": "interstitials"}


def read_campaigns(folders):
    """[(folder, campaign.json)] in these folders and below them."""
    found = {}
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("campaign.json")) if folder.is_dir() else ():
            found.setdefault(path.resolve(), (path.parent, read_json(path, SCHEMAS / "campaign.schema.json")))
    return list(found.values())


def published_sets():
    """What others counted; every column of a set has a number for each energy."""
    sets = read_toml(PUBLISHED_CASCADES, SCHEMAS / "published_cascades.schema.json")["set"] if PUBLISHED_CASCADES.exists() else []
    for k, s in enumerate(sets):
        for column in ("pairs", "errors", "runs"):
            if len(s[column]) != len(s["energies_ev"]):
                expected = f"{len(s['energies_ev'])} numbers, as of energies_ev"
                raise InputError(f"{PUBLISHED_CASCADES}: set.{k}.{column}: found {len(s[column])}, expected {expected}")
    return sets


def plus_minus(value, digits=3):
    """A mean and its standard error in words."""
    if value is None:
        return "-"
    return number(value["mean"], digits) + (f" ± {number(value['error'], 2)}" if value["error"] is not None else "")


def of_all_directions(campaign):
    """Groups over all directions, by temperature: {K: [group, ...]} in the order of energies."""
    found = {}
    for group in campaign["groups"]:
        several = any(g["direction"] == "all" for g in campaign["groups"] if g["temperature_k"] == group["temperature_k"])
        if group["runs"] and group["direction"] == ("all" if several else group["direction"]):
            found.setdefault(group["temperature_k"], []).append(group)
    return {k: sorted(groups, key=lambda g: g["energy_ev"]) for k, groups in found.items()}


def drawable(value):
    return value is not None and value["mean"] > LEAST_DRAWN


def draw_pairs(axes, campaign, sets):
    """Frenkel pairs against the energy of the recoil, both logarithmic."""
    by_temperature = of_all_directions(campaign)
    energies = [g["energy_ev"] for groups in by_temperature.values() for g in groups]
    low, high = min(energies), max(energies)
    for k, (kelvin, groups) in enumerate(by_temperature.items()):
        colour = SERIES[k % len(SERIES)]
        for key, face, words in (("pairs_peak", "none", "at the peak"), ("pairs_end", colour, "at the end")):
            shown = [g for g in groups if drawable(g[key])]
            if not shown:
                continue
            axes.errorbar([g["energy_ev"] / 1e3 for g in shown], [g[key]["mean"] for g in shown],
                          yerr=[g[key]["error"] or 0.0 for g in shown], color=colour, marker="o", mfc=face, ms=7, ls="none",
                          capsize=3, label=f"{words}, {kelvin:g} K", zorder=4)  # fmt: skip
        for fit in campaign["fits"]:
            if fit["temperature_k"] == kelvin and fit["quantity"] == "pairs_end" and fit["direction"] == groups[0]["direction"]:
                ends = [low / 1e3, high / 1e3]
                axes.plot(ends, [fit["a"] * e ** fit["b"] for e in ends], color=colour, lw=1.3, label=f"fit, {kelvin:g} K")
    draw_models(axes, next(iter(by_temperature.values())))
    for s in sets:
        shown = [k for k, e in enumerate(s["energies_ev"]) if low / 2.1 <= e <= high * 2.1]
        if shown:
            axes.errorbar(*[[s[c][k] / scale for k in shown] for c, scale in (("energies_ev", 1e3), ("pairs", 1))],
                          yerr=[s["errors"][k] for k in shown], color=PUBLISHED, marker="s", ms=6, ls="none", capsize=3,
                          label=s["name"])  # fmt: skip
    axes.set_xlabel("energy of the recoil / keV")
    axes.set_ylabel("Frenkel pairs a cascade")
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)


def draw_models(axes, groups):
    names = dict.fromkeys(name for g in groups for name in g["models"])
    for name, style in zip(names, MODEL_LINES):
        points = [(g["energy_ev"] / 1e3, g["models"][name]) for g in groups if (g["models"].get(name) or 0) > LEAST_DRAWN]
        if points:
            axes.plot(*zip(*points), color=PUBLISHED if name in PUBLISHED_FITS else MODEL, ls=style, lw=1.4,
                      marker="" if len(points) > 1 else "_", label=name)  # fmt: skip


def draw_sizes(axes, group):
    """Mean number of clusters of each size that a cascade leaves."""
    for shift, colour, (kind, words) in zip((-0.2, 0.2), (SERIES[0], WAFER), KINDS.items()):
        sizes = {int(size): n for size, n in group[f"{kind}_clusters_by_size"].items()}
        if sizes:
            axes.bar([s + shift for s in sizes], list(sizes.values()), width=0.4, color=colour, label=words)
    axes.set_xlabel("defects in the cluster")
    axes.set_ylabel("clusters a cascade")
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))


def draw_thresholds(axes, rows):
    """A bar from the highest energy without to the lowest with a pair for each search."""
    for k, row in enumerate(rows):
        for search in row["searches"]:
            low, high = search["none_at_ev"], search["pair_at_ev"]
            if low is not None and high is not None:
                axes.plot([k, k], [low, high], color=FAINT, lw=5, alpha=0.5, solid_capstyle="butt")
        if row["threshold_ev"]:
            axes.errorbar([k], [row["threshold_ev"]["mean"]], yerr=[row["threshold_ev"]["error"] or 0.0], color=SERIES[0], marker="o",
                          ms=7, capsize=3)  # fmt: skip
    axes.set_xticks(range(len(rows)), [row["direction"] for row in rows], rotation=30 if len(rows) > 5 else 0)
    axes.set_ylabel("threshold energy / eV")
    axes.set_ylim(bottom=0)


def pictures(campaign, sets):
    found, groups = [], [g for of in of_all_directions(campaign).values() for g in of]
    if any(drawable(g["pairs_end"]) or drawable(g["pairs_peak"]) for g in groups):
        fig, axes = svg_theme.figure(6.4, 4.3)
        draw_pairs(axes, campaign, sets)
        keys = legend(axes)
        caption = (f"{campaign['title']}: Frenkel pairs against energy, with standard errors; lines through the models' values at the "
                   "campaign's energies.")  # fmt: skip
        found.append(Picture(inline(fig, "Frenkel pairs against the energy of the recoil"), caption, ("counted", "modelled", "published"),
                             wide=True, legend=keys))  # fmt: skip
    largest = max((g for g in groups if g["vacancy_clusters_by_size"] or g["interstitial_clusters_by_size"]), default=None,
                  key=lambda g: g["energy_ev"])  # fmt: skip
    if largest:
        fig, axes = svg_theme.figure()
        draw_sizes(axes, largest)
        keys = legend(axes)
        caption = f"Clusters at the end by size, {largest['energy_ev'] / 1e3:g} keV, {largest['temperature_k']:g} K; size 1: single defects."
        found.append(Picture(inline(fig, "Clusters by size"), caption, ("counted",), legend=keys))
    rows = [r for r in campaign["thresholds"] if r["threshold_ev"]]
    if rows and len(rows) <= 24:
        fig, axes = svg_theme.figure()
        draw_thresholds(axes, rows)
        caption = "Threshold displacement energies by direction; grey: from the last rung without a pair to the first with one."
        found.append(Picture(inline(fig, "Threshold displacement energies"), caption, ("counted",)))
    return found


def cascade_table(campaign):
    models = list(dict.fromkeys(name for g in campaign["groups"] for name in g["models"]))
    rows = [
        [
            f"{g['energy_ev'] / 1000:g} keV, {g['temperature_k']:g} K, {g['direction']}",
            str(g["runs"]),
            str(g["repeated_for_hot_atoms"]),
            Cell(plus_minus(g["pairs_peak"]), "counted"),
            Cell(plus_minus(g["pairs_end"]), "counted"),
            f"{plus_minus(g['clustered_vacancy_fraction'], 2)} / {plus_minus(g['clustered_interstitial_fraction'], 2)}",
            plus_minus(g["replacements"]),
            plus_minus(g["mixing_angstrom2"]),
            *[Cell(number(g["models"].get(m), 2), "published" if m in PUBLISHED_FITS else "modelled") for m in models],
        ]
        for g in campaign["groups"]
        if g["runs"]
    ]
    caption = (f"{campaign['title']}: means over cascades ± standard error. Repeated: hot atoms reached the border, and the recoil was "
               "repeated with another seed. In clusters: shares of vacancies / interstitials in clusters of two or more. Mixing: the sum "
               "over all atoms of the squared distance from the site where they began to the one that they are on.")  # fmt: skip
    columns = ["recoil", "cascades", "repeated", "pairs, peak", "pairs, end", "in clusters v / i", "replaced", "mixing / Å²", *models]
    return Table(columns, rows, caption)


def fit_text(fit):
    def term(value, error):
        return number(value, 3) + (f" ± {number(error, 2)}" if error is not None else "")

    place = {"pairs_end": "at the end", "pairs_peak": "at the peak"}[fit["quantity"]]
    return (f"Pairs {place}, {fit['direction']}, {fit['temperature_k']:g} K, from {count(fit['points'], 'energy').replace('energys', 'energies')}: "
            f"N = a (E/keV)^b with a = {term(fit['a'], fit['a_error'])}, b = {term(fit['b'], fit['b_error'])}.")  # fmt: skip


def threshold_table(campaign):
    def words(search):
        low, high = search["none_at_ev"], search["pair_at_ev"]
        if high is None:
            return "-" if low is None else f"above {low:g}"
        return f"at most {high:g}" if low is None else f"{low:g} to {high:g}"

    rows = [[f"{r['direction']}, {r['temperature_k']:g} K", Cell(plus_minus(r["threshold_ev"]), "counted"),
             ", ".join(map(words, r["searches"])) or "-"] for r in campaign["thresholds"]]  # fmt: skip
    for a in campaign["threshold_averages"]:
        rows.append([f"mean of directions ({a['directions']}), {a['temperature_k']:g} K", Cell(plus_minus(a["threshold_ev"]), "counted"),
                     f"lowest {number(a['lowest_ev'])}"
                     + (f"; {count(a['without_threshold'], 'direction')} without one on the ladder" if a.get("without_threshold") else "")])  # fmt: skip
    caption = ("Threshold displacement energies, eV: half-way between the last energy of a bisection that left no Frenkel pair and the first "
               "that left one, mean over seeds ± standard error.")  # fmt: skip
    return Table(["direction", "threshold", "searches"], rows, caption)


def parts_of(campaign, sets):
    parts = pictures(campaign, sets)
    if any(g["runs"] for g in campaign["groups"]):
        parts.append(cascade_table(campaign))
    parts += [Text(fit_text(f)) for f in campaign["fits"]]
    if campaign["thresholds"]:
        parts.append(threshold_table(campaign))
    if not campaign["complete"]:
        parts.append(Text(f"{campaign['title']}: not all of its runs are there yet.", "note"))
    return parts + [Text(note, "note") for note in campaign["notes"]]


def campaign_section(campaigns):
    sets = published_sets() if campaigns else []
    parts = [part for _, campaign in campaigns for part in parts_of(campaign, sets)]
    if not parts:
        return Missing("Campaigns", "no campaign.json (jobscripts/campaign.py) with a run")
    return Section("campaigns", "Campaigns of cascades", parts)
