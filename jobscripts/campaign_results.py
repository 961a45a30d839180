"""What the runs of a campaign found, together: means over seeds and directions, thresholds, power laws; campaign.json and
campaign.csv."""
import csv
import io
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from campaign_plan import Cascade, NotDone
from campaign_statistics import mean_of, power_law
from made_by import InputError, read_json

FORMAT = "wafermark-campaign-1"
MODEL_PREFIX, COUNTS = "frenkel_pairs_", ("frenkel_pairs_peak", "frenkel_pairs_survivors")
# Quantities of a group, in the order of the tables: key -> attribute of an Outcome.
QUANTITIES = ("pairs_peak", "pairs_end", "replacements", "mixing_angstrom2", "clustered_vacancy_fraction",
              "clustered_interstitial_fraction", "largest_vacancy_cluster", "largest_interstitial_cluster")


@dataclass(frozen=True)
class Outcome:
    """What one run found. Quantities that it does not hold are None."""

    hot: bool  # an atom above 10 eV was seen at the border
    pairs_peak: float
    pairs_end: float
    replacements: float | None
    mixing_angstrom2: float | None
    clustered_vacancy_fraction: float | None
    clustered_interstitial_fraction: float | None
    largest_vacancy_cluster: float | None
    largest_interstitial_cluster: float | None
    vacancy_cluster_sizes: tuple
    interstitial_cluster_sizes: tuple
    temperature_end_k: float | None
    models: dict
    core_seconds: float | None


def outcome_of(folder):
    """Of a run that is complete and valid. Raises InputError where it does not hold what a recoil is judged by."""
    result = read_json(folder / "result.json")
    try:
        figures = {f["name"]: f["value"] for f in result["figures"]}
        models = {f["name"].removeprefix(MODEL_PREFIX): f["value"] for f in result["figures"]
                  if f["name"].startswith(MODEL_PREFIX) and f["name"] not in COUNTS}
        end = result["defects"]["survivors"]
        if len(result["recoils"]) != 1:
            raise InputError(f"{folder}/result.json: recoils: found {len(result['recoils'])}, expected one that was fired: is "
                             "run.steps or run.duration_ps too small?")
        snapshot = (read_json(folder / "defects.json") or {}).get("last_snapshot") or {}
        sizes = [tuple(snapshot.get(kind, {}).get("cluster_sizes", ())) for kind in ("vacancies", "interstitials")]
        seconds = figures.get("loop_seconds")
        return Outcome(
            hot=figures["looks_with_hot_atoms_at_border"] > 0,
            pairs_peak=figures[COUNTS[0]],
            pairs_end=figures[COUNTS[1]],
            replacements=end.get("replacements"),
            mixing_angstrom2=end.get("mixing_angstrom2"),
            **{key: end.get(key) for key in QUANTITIES[4:]},
            vacancy_cluster_sizes=sizes[0],
            interstitial_cluster_sizes=sizes[1],
            temperature_end_k=figures.get("temperature_end_k"),
            models=models,
            core_seconds=None if seconds is None else seconds * result["machine"]["ranks"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/result.json: found no {error}, expected a run with one recoil that counts defects "
                         "(output.defects_every_steps)") from None


def sizes_of(outcomes, kind):
    """{size: mean number of clusters of that size a cascade}, single defects included."""
    total = {}
    for sizes in (getattr(o, f"{kind}_cluster_sizes") for o in outcomes):
        for size in sizes:
            total[size] = total.get(size, 0) + 1
    return {str(size): total[size] / len(outcomes) for size in sorted(total)}


def group_of(cascades, resolved, head):
    """One row of the table: cascades of an energy, a temperature and a direction (or all)."""
    there = [resolved[c] for c in cascades if resolved[c] is not None]
    outcomes = [found.outcome for found in there if found.answered]
    group = head | {
        "runs": len(outcomes),
        "missing": len(cascades) - len(there),
        "given_up": len(there) - len(outcomes),
        "repeated_for_hot_atoms": sum(len(found.left_out) for found in there),
        "models": dict(outcomes[0].models) if outcomes else {},
    }
    for key in QUANTITIES:
        found = mean_of([getattr(o, key) for o in outcomes])
        group[key] = found.to_json() if found else None
    for kind in ("vacancy", "interstitial"):
        group[f"{kind}_clusters_by_size"] = sizes_of(outcomes, kind) if outcomes else {}
    return group, outcomes


def cascade_groups(cascades, resolved):
    """(groups, fits), by temperature and energy; directions on their own where there are several kinds."""
    groups, fits = [], []
    for kelvin in dict.fromkeys(c.temperature_k for c in cascades):
        here = [c for c in cascades if c.temperature_k == kelvin]
        names = list(dict.fromkeys(c.direction.group for c in here))
        for name in ["all", *names] if len(names) > 1 else names:
            of_name = [c for c in here if name in ("all", c.direction.group)]
            points = {key: [] for key in ("pairs_peak", "pairs_end")}
            for ev in sorted({c.energy_ev for c in of_name}):
                head = {"energy_ev": ev, "temperature_k": kelvin, "direction": name}
                group, outcomes = group_of([c for c in of_name if c.energy_ev == ev], resolved, head)
                groups.append(group)
                for key in points:
                    points[key].append((ev, mean_of([getattr(o, key) for o in outcomes])))
            for key, values in points.items():
                law = power_law(values)
                if law:
                    fits.append({"temperature_k": kelvin, "direction": name, "quantity": key, **law})
    return groups, fits


def threshold_average(directions, kelvin, of_direction):
    """Over directions that were searched; one whose threshold lies outside the ladder for every seed is counted, not averaged: the mean
    then leaves out the highest or the lowest."""
    means = [m.mean for m in of_direction if m is not None]
    return {"directions": directions, "temperature_k": kelvin, "lowest_ev": min(means), "threshold_ev": mean_of(means).to_json(),
            "without_threshold": len(of_direction) - len(means)}


def threshold_rows(searches, resolved):
    """One row a direction and temperature, and the averages over directions."""
    rows, averages = [], []
    for kelvin in dict.fromkeys(t.temperature_k for t in searches):
        here = [t for t in searches if t.temperature_k == kelvin]
        of_direction = {}
        for name in dict.fromkeys(t.direction.name for t in here):
            mine = [t for t in here if t.direction.name == name]
            found = [(t.seed, resolved[t]) for t in mine if resolved[t] is not None and resolved[t].answered]
            middles = [(b.none_ev + b.pair_ev) / 2 for _, b in found if None not in (b.none_ev, b.pair_ev)]
            mean = mean_of(middles)
            of_direction[name] = (mine[0].direction.group, mean)
            rows.append({"direction": name, "temperature_k": kelvin, "missing": len(mine) - len(found),
                         "searches": [{"seed": s, "none_at_ev": b.none_ev, "pair_at_ev": b.pair_ev} for s, b in found],
                         "outside_ladder": len(found) - len(middles), "threshold_ev": mean.to_json() if mean else None})
        for group in dict.fromkeys(g for g, _ in of_direction.values()):
            of_group = [m for g, m in of_direction.values() if g == group]
            if group == "isotropic" and any(of_group):
                averages.append(threshold_average(group, kelvin, of_group))
        everywhere = [m for _, m in of_direction.values()]
        if any(everywhere) and len(everywhere) > 1 and not any(a["temperature_k"] == kelvin for a in averages):
            averages.append(threshold_average("all", kelvin, everywhere))
    return rows, averages


def resolve_all(campaign, look):
    """{task: what it resolved to; None where runs are missing}"""
    resolved = {}
    for task in campaign.tasks:
        try:
            resolved[task] = task.resolve(look)
        except NotDone:
            resolved[task] = None
    return resolved


def document_of(campaign, made_by, look, known):
    """campaign.json. `made_by`: line_of its runs; `known`: {trial: (folder name, outcome)} of every run that `look` has found."""
    resolved = resolve_all(campaign, look)
    cascades = [t for t in campaign.tasks if isinstance(t, Cascade)]
    groups, fits = cascade_groups(cascades, resolved)
    searches = [t for t in campaign.tasks if not isinstance(t, Cascade)]
    thresholds, averages = threshold_rows(searches, resolved)
    notes = [f"Threshold along {t.direction.name}, seed {t.seed}: {resolved[t].why}." for t in searches
             if resolved[t] is not None and resolved[t].why]
    left_out = {trial for c in cascades if resolved[c] is not None for trial in resolved[c].left_out}
    runs = [
        {"folder": folder, "energy_ev": t.energy_ev, "temperature_k": t.temperature_k, "direction": t.direction.name,
         "vector": list(t.vector), "seed": t.seed, "hot": o.hot, "left_out": t in left_out, "temperature_end_k": o.temperature_end_k,
         "core_seconds": o.core_seconds, **{key: getattr(o, key) for key in QUANTITIES}}
        for t, (folder, o) in known.items()
    ]
    return {"format": FORMAT, "title": campaign.title, "deck": campaign.deck_file.name, "complete": all(v is not None and v.answered for v in resolved.values()),
            "made_by": made_by,
            "notes": notes, "groups": groups, "fits": fits, "thresholds": thresholds, "threshold_averages": averages,
            "runs": sorted(runs, key=lambda r: (r["energy_ev"], r["temperature_k"], r["direction"], r["seed"]))}


def line_of(folder, campaign, passed):
    """What asks for the runs of a folder: the campaign file, as seen from there so that both may be moved together, and what is passed on
    to every run."""
    return shlex.join([os.path.relpath(campaign.file.resolve(), folder.resolve()), *passed])


def require_own(folder, made_by):
    """campaign.json of a folder is of one file with one set of arguments: others would find none of its runs and write over what they
    found. Raises InputError. Documents of older versions do not say what made them."""
    there = (read_json(folder / "campaign.json") or {}).get("made_by", made_by)
    if there != made_by:
        raise InputError(f"{folder}/campaign.json: made_by: found {there}, expected {made_by} (files as seen from there), or another --out")


def csv_of(document):
    """The runs as a table."""
    text = io.StringIO()
    columns = list(document["runs"][0]) if document["runs"] else ["folder"]
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    for run in document["runs"]:
        table.writerow(run | {"vector": " ".join(f"{v:.9g}" for v in run["vector"])})
    return text.getvalue()


def write_whole(path, text):
    """Under another name first: a reader finds the old one or the new one."""
    temporary = Path(f"{path}.tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def write(folder, document):
    write_whole(folder / "campaign.json", json.dumps(document, indent=1) + "\n")
    write_whole(folder / "campaign.csv", csv_of(document))


def plus_minus(value, digits=2):
    if value is None:
        return "-"
    return f"{value['mean']:.{digits}f}" + (f" +- {value['error']:.{digits}f}" if value["error"] is not None else "")


def summary_of(document):
    """The tables as text."""
    lines = []
    if document["groups"]:
        lines.append(f"{'eV':>8} {'K':>6} {'direction':<12} {'runs':>4} {'pairs, peak':>15} {'pairs, end':>13} {'clustered v / i':>16}  "
                     "models")
        for g in document["groups"]:
            shares = [g[f"clustered_{kind}_fraction"] for kind in ("vacancy", "interstitial")]
            shares = " / ".join(f"{s['mean']:.2f}" if s else "-" for s in shares)
            models = ", ".join(f"{name} {value:.1f}" for name, value in g["models"].items() if value is not None)
            lines.append(f"{g['energy_ev']:>8g} {g['temperature_k']:>6g} {g['direction']:<12} {g['runs']:>4} "
                         f"{plus_minus(g['pairs_peak'], 1):>15} {plus_minus(g['pairs_end']):>13} {shares:>16}  {models}"
                         + (f"; {g['missing']} missing" if g["missing"] else "")
                         + (f"; {g['repeated_for_hot_atoms']} repeated for hot atoms at the border" if g["repeated_for_hot_atoms"] else "")
                         + (f"; {g['given_up']} given up for hot atoms" if g["given_up"] else ""))
    for fit in document["fits"]:
        errors = [fit["a_error"], fit["b_error"]]
        a, b = (f"{v:.3g}" + (f" +- {e:.2g}" if e is not None else "") for v, e in zip((fit["a"], fit["b"]), errors))
        lines.append(f"fit, {fit['direction']}, {fit['temperature_k']:g} K: {fit['quantity']} = ({a}) (E/keV)^({b})")
    for row in document["thresholds"]:
        found = ", ".join(bracket_text(s) for s in row["searches"])
        lines.append(f"threshold {row['direction']}, {row['temperature_k']:g} K: {plus_minus(row['threshold_ev'], 1)} eV ({found})"
                     + (f"; {row['missing']} searches not done" if row["missing"] else "")
                     + (f"; {row['outside_ladder']} outside the ladder, not in the mean" if row["outside_ladder"] else ""))
    for row in document["threshold_averages"]:
        lines.append(f"threshold, mean over {row['directions']} directions, {row['temperature_k']:g} K: {plus_minus(row['threshold_ev'], 1)} eV, "
                     f"lowest {row['lowest_ev']:g} eV"
                     + (f"; {row['without_threshold']} directions have none on the ladder" if row["without_threshold"] else ""))
    return "\n".join([*lines, *document["notes"]])


def bracket_text(search):
    low, high = search["none_at_ev"], search["pair_at_ev"]
    if high is None:
        return f"above {low:g}"
    return f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
