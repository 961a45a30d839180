"""The tables of a report: figures of merit by machine, energy, validation, reproduction."""
import shlex
import statistics

from .parts import Cell, Listing, Missing, Section, Table, Text
from .scaling import RATE
from .wording import count, number, percent, watts

# Figure, heading, factor from the figure's unit to the heading's.
MERIT = {
    "tungsten_md": (
        (RATE, "steps/s", 1),
        ("atom_steps_per_second", "million atom-steps/s", 1e-6),
        ("joules_per_atom_step", "uJ an atom-step", 1e6),
    ),
    "sparse_llama": (
        ("decode_tokens_per_second", "decode tokens/s", 1),
        ("prefill_tokens_per_second", "prefill tokens/s", 1),
        ("joules_per_token", "J a token", 1),
        ("perplexity", "perplexity", 1),
        ("bits_per_weight", "bits a weight", 1),
    ),
}
JOULES = ("joules_per_atom_step", "joules_per_token", "joules_per_decode_token", "joules_per_prefill_token")
NO_METER = "no meter"


def figure_cell(result, name, factor=1):
    """A figure with its badge; "no meter" where energy could not be had; "-" where the run has no such figure."""
    figure = result.figures.get(name)
    if figure is None:
        return "-"
    if figure.value is None:
        return Cell(NO_METER if "joules" in name else "not known", title=figure.note)
    return Cell(with_band(figure.value, figure, factor), figure.kind, title=figure.note)


def with_band(value, figure, factor=1):
    """A value of the figure, and the figure's band where it is a prediction with one."""
    if figure.band is None:
        return number(factor * value)
    low, high = (number(factor * bound, 2) for bound in figure.band)
    return f"{number(factor * value)} ({low} to {high})"


def median_cell(group, name, factor=1):
    """The median of a figure over repeats; as figure_cell says where no repeat has a value."""
    values = [r.value(name) for r in group if name in r.figures and r.value(name) is not None]
    if not values:
        return figure_cell(group[0], name)
    known = next(r.figures[name] for r in group if name in r.figures and r.value(name) is not None)
    return Cell(with_band(statistics.median(values), known, factor), known.kind, title=known.note)


def size_of(result):
    if result.atoms:
        return f"{result.atoms:,} atoms"
    model = result.json.get("model")
    if model and model.get("sequences"):
        return f"{model['sequences']} sequences"
    return ""


def machine_size(result):
    if result.target == "wafer":
        tiles = result.json.get("wafer", {}).get("tiles")
        return (f"{tiles[0]} x {tiles[1]} tiles" if tiles else "") + (
            f", {result.wafer_options}" if result.wafer_options else ""
        )
    if result.target == "simulated":
        return count(result.workers, "worker")
    return f"{result.workers} {result.worker_name}{'' if result.workers == 1 else 's'}"


def validity_cell(result):
    if result.valid and not result.checks:
        return Cell("no checks", state="warn", title="the run did not check itself")
    if result.valid:
        return Cell("valid", state="pass")
    return Cell("NOT VALID" if result.complete else "INCOMPLETE", state="fail", title=result.why_not_valid)


def told_apart(groups):
    """A function from a result to what tells it from others of its problem: ", 100 steps", ", commit abc"."""
    lengths, builds = {}, {}
    for r in (g[0] for g in groups):
        lengths.setdefault((r.problem, r.atoms), set()).add(r.value("steps"))
        builds.setdefault((r.problem, r.atoms), set()).add(r.build_key)

    def words(r):
        own = (r.problem, r.atoms)
        steps = f", {r.value('steps'):,.0f} steps" if len(lengths[own]) > 1 and r.value("steps") is not None else ""
        known = [set(values) for values in zip(*builds[own])]
        differs = [value for value, all_values in zip(r.build_key, known) if len(all_values) > 1]
        return steps + "".join(f", {'commit ' if value == r.build_key[0] else ''}{value}" for value in differs)

    return words


def merit_section(results):
    section = Section("merit", "Figures of merit")
    for app, figures in MERIT.items():
        runs = [r for r in results if r.app == app and any(n in r.figures for n, _, _ in figures)]
        for machine in dict.fromkeys(r.machine for r in sorted(runs, key=lambda r: (r.target, r.machine))):
            mine = sorted((r for r in runs if r.machine == machine), key=lambda r: (r.label, r.atoms or 0, r.workers))
            shown = [(n, t, f) for n, t, f in figures if any(n in r.figures for r in mine)]
            what = {"wafer": "emulated machine ", "simulated": "simulated machine "}.get(mine[0].target, "")
            # Repeats stand in one line: their medians, and how many there were.
            groups = {}
            for r in mine:
                key = (r.label, r.problem, r.atoms, r.cells, machine_size(r), r.why_not_valid, r.value("steps"), r.build_key)
                groups.setdefault(key, []).append(r)
            several = told_apart(list(groups.values()))
            rows = []
            for group in groups.values():
                r = group[0]
                rows.append(
                    [
                        r.label + (f" ({r.command})" if r.command != "run" else "") + several(r),
                        size_of(r),
                        machine_size(r),
                        str(len(group)),
                        *[median_cell(group, n, f) if r.complete else "-" for n, _, f in shown],
                        validity_cell(r),
                    ]
                )
            section.parts.append(
                Table(
                    ["problem", "size", "machine size", "runs", *[t for _, t, _ in shown], "checks"],
                    rows,
                    f"{app} on {what}{machine}"
                    + (": medians of the runs" if len(mine) > len(rows) else "")
                    + ("; in brackets what the machine's numbers leave open, 5 to 95 %" if what else ""),
                    numeric_from=3,
                )
            )
    return section if section.parts else Missing("Figures of merit", "no result with a figure of merit")


def energy_section(results):
    rows, per, unmetered = [], {}, {}
    for r in results:
        name = next((n for n in JOULES if n in r.figures), None)
        if name and r.figures[name].value is None:
            unmetered.setdefault(r.machine, []).append(r)
        elif name and r.valid:
            per.setdefault((r.problem, r.atoms, r.cells, r.machine, machine_size(r)), []).append((r, name))
    for found in per.values():  # the median run of repeats
        r, name = sorted(found, key=lambda f: f[0].value(f[1]))[(len(found) - 1) // 2]
        energy = r.json["energy"]
        if r.target == "wafer":
            meter, power = f"model of {r.machine}", (
                Cell(watts(r.value("watts")), "emulated") if r.value("watts") else "-"
            )
        else:
            seconds = r.value("loop_seconds") or r.json["wall_seconds"]
            meter = energy["source"]
            power = (
                Cell(watts(energy["joules"] / seconds), "modelled" if meter == "model" else "measured")
                if energy["joules"] is not None and seconds > 0
                else "-"
            )
        per_atom = "atom" in name
        used = r.tiles_used
        rows.append(
            [
                r.label,
                size_of(r),
                r.machine,
                machine_size(r) + (f" of {used[1]:,} ({100 * used[0] / used[1]:.2g} %)" if used else ""),
                figure_cell(r, name, 1e6 if per_atom else 1),
                "uJ an atom-step" if per_atom else "J a token",
                power,
                meter,
            ]
        )
    for machine, mine in unmetered.items():
        rows.append(
            [
                f"all {count(len(mine), 'run')}" if len(mine) > 1 else mine[0].label,
                "",
                machine,
                "",
                Cell(NO_METER, title=mine[0].json["energy"]["note"]),
                "",
                "-",
                NO_METER,
            ]
        )
    if not rows:
        return Missing("Energy", "no result has an energy figure")
    section = Section(
        "energy",
        "Energy",
        [
            Table(
                ["problem", "size", "machine", "machine size", "energy", "per", "power", "meter"], rows, numeric_from=4
            )
        ],
    )
    notes = list(
        dict.fromkeys(
            r.json["energy"]["note"]
            for r in results
            if r.json["energy"]["joules"] is None
            and r.target == "cluster"
            and r.json["energy"]["note"] not in ("", "not measured")
        )
    )
    for note in notes:
        section.parts.append(Text(f"Why there is no meter: {note}. No figure is guessed in its place.", "note"))
    emulated = [r for r in results if r.valid and r.target == "wafer" and r.value("idle_energy_share")]
    if emulated:
        shares = [r.value("idle_energy_share") for r in emulated]
        section.parts.append(
            Text(
                (
                    "The emulated wafer's energy counts operations, words and hops, and the idle power of all its"
                    f" tiles, used or not: {share_words(shares)} of it is idle power."
                    " Energies per operation are estimates of the machine file."
                ),
                "note",
            )
        )
    return section


def share_words(shares):
    """"78 %" or "78 to 91 %"."""
    def digits(share):  # not all of it is 100 %
        return f"{100 * share:.0f}" if share < 0.995 or share == 1 else f"{min(100 * share, 99.99):.4g}"

    low, high = map(digits, (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def named_with_reasons(results):
    return ", ".join(r.name if r.complete else f"{r.name} ({r.why_not_valid})" for r in results)


def validation_section(results):
    with_checks = [r for r in results if r.checks]
    if not with_checks:
        return Missing("Validation", "no result has a check")
    section = Section("validation", "Validation")
    failed = [r for r in results if not r.valid]
    total = sum(len(r.checks) for r in with_checks)
    passed = sum(c.passed for r in with_checks for c in r.checks)
    section.parts.append(
        Text(
            f"{passed} of {total} checks pass, in {len(with_checks)} results"
            + (f"; {count(len(results) - len(with_checks), 'result')} without any" if len(with_checks) < len(results) else "")
            + (
                f". Not valid: {named_with_reasons(failed)}. Their figures are not to be used."
                if failed
                else "."
            )
        )
    )
    against = [r for r in with_checks if r.command == "validate"]
    for r in against:
        rows = [
            [
                c.name.replace("_", " "),
                Cell(number(c.value, 6), "emulated"),
                relative_band(c),
                Cell(number(c.reference, 6), "published" if c.reference else ""),
                percent(c.off) if c.off is not None else "-",
                relative_tolerance(c),
                c.unit,
                verdict_cell(c),
            ]
            for c in r.checks
        ]
        section.parts.append(
            Table(
                ["", "emulated", "5 to 95 %", "published", "off", "tolerance", "unit", ""],
                rows,
                f"{r.app} validate: the emulated machine against published measurements ({r.name})",
                numeric_from=1,
            )
        )
    rows = []
    for name in dict.fromkeys(c.name for r in with_checks if r.command != "validate" for c in r.checks):
        found = [(r, c) for r in with_checks if r.command != "validate" for c in r.checks if c.name == name]
        # Many runs of a sweep pass the same check: the worst stands for them, failures stand alone.
        bad = [(r, c) for r, c in found if not c.passed]
        good = [(r, c) for r, c in found if c.passed]
        if good:
            r, c = max(good, key=lambda rc: abs(rc[1].value - rc[1].reference))
            rows.append(
                [
                    name.replace("_", " "),
                    f"{len(good)} runs, worst: {r.name}" if len(good) > 1 else r.name,
                    number(c.value),
                    number(c.reference),
                    number(c.tolerance),
                    c.unit,
                    verdict_cell(c),
                ]
            )
        for r, c in bad:
            rows.append(
                [
                    name.replace("_", " "),
                    r.name,
                    number(c.value),
                    number(c.reference),
                    number(c.tolerance),
                    c.unit,
                    verdict_cell(c),
                ]
            )
    if rows:
        section.parts.append(
            Table(
                ["check", "result", "value", "reference", "tolerance", "unit", ""],
                rows,
                "What every run checks of itself",
                numeric_from=2,
            )
        )
    return section


def verdict_cell(check):
    return Cell("pass", state="pass") if check.passed else Cell("FAIL", state="fail")


def relative_band(check):
    """What the machine's numbers leave open, in parts of the prediction."""
    if check.band is None or not check.value:
        return "-"
    return " ... ".join(percent(bound / check.value - 1) for bound in check.band)


def relative_tolerance(check):
    """In parts of the reference, where there is one."""
    if check.reference and check.tolerance is not None:
        return f"{100 * check.tolerance / abs(check.reference):.0f} %"
    return number(check.tolerance)


def command_of(result):
    """The line that runs it again, as far as the result knows it."""
    program = f"{result.app} {result.command}"
    words = [program]
    if result.json.get("deck", {}).get("file"):
        words.append(shlex.quote(result.json["deck"]["file"]))
    elif result.json.get("model"):
        m = result.json["model"]
        words += [f"--{k} {shlex.quote(str(m[k]))}" for k in ("format", "value", "cache") if k in m]
    if result.target != "cluster":
        words.append(f"--target {result.target}")
    words.append(f"--out {shlex.quote(result.name)}")
    return f"mpirun -np {result.ranks} " + " ".join(words)


def between(quantity):
    """" [LOW to HIGH]" of a machine's number that has a range."""
    low, high = quantity.get("range", (0, 0))
    return f" [{low:g} to {high:g}]" if low < high else ""


def machine_listings(results):
    """Every number of the wafers' machine files that a figure of this report rests on, with its source."""
    wafers = {r.machine: r.json["wafer"]["numbers"] for r in results if r.json.get("wafer", {}).get("numbers")}
    return [
        Listing(
            f"Machine file: wafer {name}",
            "\n".join(f"{key} = {q['value']:g}{between(q)} ({q['kind']}): {q['source']}" for key, q in numbers.items()),
        )
        for name, numbers in wafers.items()
    ]


def appendix(results, missing, command, references=(), replays=()):
    section = Section("appendix", "How to reproduce this")
    builds = {}
    for r in results:
        b, m = r.json["build"], r.json["machine"]
        builds.setdefault(
            (
                b["commit"],
                b["version"],
                b["compiler"],
                b["flags"] + (f": {b['cpu_level']}" if b.get("cpu_level") else ""),
                b["kokkos"],
                b["backend"],
                b["mpi"],
                m["cpu"],
                ", ".join(r.hosts),
            ),
            [],
        ).append(r)
    section.parts.append(
        Table(
            ["commit", "version", "compiler", "flags", "Kokkos", "back end", "MPI", "CPU", "hosts", "results"],
            [[*key, str(len(rs))] for key, rs in builds.items()],
            "Builds and machines",
            numeric_from=9,
        )
    )
    if any(key[0].endswith("-dirty") for key in builds):
        section.parts.append(
            Text(
                (
                    "A commit that ends in -dirty was built from changed sources: its results cannot be reproduced from"
                    " the commit alone."
                ),
                "note",
            )
        )
    section.parts.append(
        Table(
            ["result", "started (UTC)", "problem", "command"],
            [
                [r.name, r.started.replace("T", " ").rstrip("Z"), r.label, Cell(command_of(r), state="code")]
                for r in results
            ],
            "Results. A deck's keys that --set changed stand in the decks below.",
            numeric_from=9,
        )
    )
    if references:
        section.parts.append(
            Table(
                ["reference result", "started (UTC)", "commit", "problem", "machine", "size"],
                [
                    [r.name, r.started.replace("T", " ").rstrip("Z"), r.json["build"]["commit"], r.label, r.machine, machine_size(r)]
                    for r in references
                ],
                "Results that ship with Wafermark (results/reference; its README.md has the commands)",
                numeric_from=9,
            )
        )
    if replays:
        section.parts.append(
            Table(
                ["replay", "started (UTC)", "workload", "cluster", "workers", "kind"],
                [
                    [r.name, r.started.replace("T", " ").rstrip("Z"), r.json["simulation"]["workload"], r.machine, f"{r.workers:,}", r.kind]
                    for r in replays
                ],
                "Steps of simulated clusters that no program ran (jobscripts/cluster_replay.py)",
                numeric_from=9,
            )
        )
    decks = {}
    for r in results:
        if r.json.get("deck", {}).get("toml"):
            decks.setdefault(r.json["deck"]["toml"].strip(), []).append(r)
    for text, rs in decks.items():
        names = ", ".join(r.name for r in rs)
        section.parts.append(Listing(f"Deck as run: {names}", text))
    section.parts += machine_listings([*results, *references])
    section.parts.append(Text(f"This page: {command}"))
    for m in missing:
        section.parts.append(Text(f"Not in this report: {m.title} ({m.why}).", "note"))
    return section
