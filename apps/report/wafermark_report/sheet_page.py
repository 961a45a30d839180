"""The result sheet as sections of a page: official or not, figures, improvement, run rules, machine."""
from . import run_rules, sheet, suite
from .answer_words import ratio_words
from .parts import Cell, Missing, Section, Table, Text
from .tables import machine_size, size_of
from .wording import count, number, times

LABELS = {run_rules.PASS: "pass", run_rules.FAIL: "fail", run_rules.NOT_VISIBLE: "warn"}


def interval_words(rate):
    """"1,021 (880 to 1,150)"; a single run has no interval."""
    if rate.low is None:
        return f"{number(rate.value)} (no interval)"
    return f"{number(rate.value)} ({number(rate.low, 3)} to {number(rate.high, 3)})"


def machine_words(case):
    return f"{case.first.machine}, {machine_size(case.first)}"


def official_section(results, systems=()):
    """What of these results may be quoted as official, and why the rest may not."""
    rows, without_rate = sheet.rows_of(results, systems)
    if not rows and not without_rate:
        return Missing("Official or not", "no result with a rate")
    official = sum(r.official for r in rows)
    total = len(rows) + len(without_rate)
    section = Section("official", "Official or not")
    lead = f"{official} of {count(total, 'case')} {'is' if official == 1 else 'are'} official by the run rules of the suite."
    section.parts.append(Text(lead if official else f"None of {count(total, 'case')} is official by the run rules of the suite.", "lead"))
    table = []
    for row in rows:
        table.append([row.problem, size_of(row.case.first), machine_words(row.case), Cell(row.kind, row.kind),
                      Cell("official", state="pass") if row.official else Cell("not official", state="fail"),
                      "; ".join(row.problems) or "every rule is kept"])
    for case in without_rate:
        table.append([case.name, size_of(case.first), machine_words(case), "-", Cell("not official", state="fail"),
                      "; ".join(run_rules.why_not_official(case))])
    section.parts.append(Table(["problem", "size", "machine", "kind", "", "why"], table,
                               "Cases: repeats of one problem at one size", numeric_from=9))
    section.parts.append(Text("The rules and what each case shows: wafermark-report submit FOLDER writes them as a result sheet.", "note"))
    return section


def figures_table(rows):
    table = []
    for row in rows:
        table.append([row.problem, size_of(row.case.first), machine_words(row.case), str(row.nodes or "-"), str(len(row.case.runs)),
                      Cell(interval_words(row.rate), row.kind), row.unit,
                      f"{number(row.kwh)} kWh ({row.energy_from})" if row.kwh else "not known",
                      f"{number(row.cost)} {row.currency}" if row.cost is not None else "not known",
                      Cell("official", state="pass") if row.official else Cell("no", state="fail")])
    return Table(
        ["problem", "size", "machine", "nodes", "runs", "figure of merit", "unit", "energy", "cost", "official"],
        table,
        "Figures of merit with 90 % intervals: of the mean of repeats where measured, of what the machine's numbers leave open"
        " where predicted. Energy and cost are those of a simulated microsecond, or of a million tokens",
        numeric_from=3,
    )


def improvement_parts(found, name):
    if not found:
        return [Text(f"No problem of the suite has a rate of {name} beside it.")]
    table = [[i.problem, Cell(interval_words(i.row.rate), i.row.kind), Cell(interval_words(i.reference), i.reference_kind),
              ratio_words(i.speedup) if i.row.official else "not quoted: not official", number(i.capability), number(i.utilisation) if i.utilisation else "not known",
              "yes" if i.row.official else "no"] for i in found]
    parts = [Table(["problem", "here", f"reference: {name}", "S, ratio", "c, size", "U, use of nodes", "official"], table,
                   f"Against {name}", numeric_from=1)]
    quoted = [i for i in found if i.row.official]
    if not quoted:
        return [*parts, Text("No mean is formed: none of these cases is official.", "alarm")]
    with_nodes = all(i.utilisation for i in quoted)
    mean = sheet.mean_improvement(quoted, with_nodes)
    slower = [i.problem for i in quoted if i.speedup.value < 1]
    what = "SSI (geometric mean of c U S, equal weights)" if with_nodes else \
        "Geometric mean of c S (SSI without U: the nodes of one side are not described)"
    interval = f" ({times(mean.low)} to {times(mean.high)})" if mean.low is not None else ", without an interval"
    parts.append(Text(f"{what} over {count(len(quoted), 'official problem')}: {times(mean.value)}{interval}.", "lead"))
    if slower:
        parts.append(Text(f"SSI asks for S of at least 1; here it is below in {', '.join(slower)}.", "alarm"))
    return parts


def sustained_texts(rows):
    for app, unit in (("tungsten_md", "atom-steps/s"), ("sparse_llama", "tokens/s")):
        value = sheet.sustained(rows, app)
        if value:
            yield Text(f"SSP of {app}: {number(value)} {unit} on all nodes (geometric mean of a node's rate over official"
                       " measured problems, times the nodes).")


def rules_table(cases):
    rows = []
    for case in cases:
        for rule, verdict in run_rules.judge(case):
            rows.append([case.name, machine_words(case), rule.name, rule.says, verdict.found or "-",
                         Cell(verdict.state, state=LABELS[verdict.state])])
    return Table(["case", "machine", "rule", "asks for", "found", ""], rows, "Every rule of every case", numeric_from=9)


def system_parts(systems):
    for system in systems:
        rows = [[f"{table}.{key}", str(value)] for table, keys in system.tables.items() for key, value in keys.items()]
        yield Table(["key", "value"], rows, f"{system.name} ({system.path})", numeric_from=9)
        if system.missing:
            yield Text(f"Not described: {', '.join(system.missing)}.", "alarm")


def sections(rows, without_rate, results, systems, found, reference_name):
    figures = Section("sheet", "Result sheet", [figures_table(rows)] if rows else [Text("No case has a rate.")])
    figures.parts += list(sustained_texts(rows))
    made = [official_section(results, systems), figures]
    if reference_name:
        made.append(Section("improvement", f"Improvement over {reference_name}", improvement_parts(found, reference_name)))
    made.append(Section("rules", "Run rules", [rules_table([r.case for r in rows] + without_rate)]))
    if systems:
        made.append(Section("system", "Machine", list(system_parts(systems))))
    missing = [n for n in suite.DECKS if n not in {r.problem for r in rows}]
    if missing:
        figures.parts.append(Text(f"Problems of the suite that are not in the submission: {', '.join(missing)}.", "note"))
    return [s for s in made if not isinstance(s, Missing)]
