"""`wafermark-report submit`: judges results by the run rules and writes the result sheet. Exit code 1 when a case is not
official."""
from pathlib import Path

from . import answer, page, run_rules, sheet, sheet_files, sheet_page
from .errors import Arguments, InputError
from .output import check_output, write_text
from .results import read_results
from .system import read_system, systems_below
from .wording import count, number

ENDINGS = (".html", ".csv", ".xlsx")


def systems_in(folders, files):
    """The descriptions named, else each system.toml in or below a folder. Two of one machine are an error; native runs of two
    machines have a folder each (system.describe)."""
    systems = [read_system(Path(f)) for f in files] or systems_below(folders)
    for k, s in enumerate(systems):
        machine = s.value("system", "machine")
        place = None if machine else s.path.resolve().parent
        if any(o.value("system", "machine") == machine and place in (None, o.path.resolve().parent) for o in systems[:k]):
            what = f"machine {machine!r}" if machine else "the machine of native runs"
            raise InputError(f"{s.path}: found a second description of {what}, expected one")
        if any(o.name == s.name for o in systems[:k]):
            raise InputError(f"{s.path}: system.name: found {s.name} a second time, expected a name for each machine")
    return systems


def reference_of(name, evidence):
    """References of a folder with results, or of a machine among the shipped ones."""
    if Path(name).exists():
        rows, _ = sheet.rows_of(read_results([name]), systems_in([name], []))
        return sheet.references_of(rows)
    found = sheet.references_of_machine(name, evidence)
    if not found:
        known = sorted({r.machine for r in [*evidence.results, *evidence.replays]})
        raise InputError(f"--against {name}: not found, expected a folder with results or one of: {', '.join(known)}")
    return found


def read_options(arguments):
    parser = Arguments(
        prog="wafermark-report submit",
        description="Judges results by the run rules and writes a result sheet. Exit code 1 when a case is not official.",
    )
    parser.add_argument("folders", nargs="+", help="folders of results; a system.toml in one of them describes the machine")
    parser.add_argument("--system", action="append", default=[], metavar="FILE", help="description of a machine; may be repeated")
    parser.add_argument("--against", metavar="FOLDER|NAME", help="reference system: a folder of results, or a shipped machine")
    parser.add_argument("-o", "--output", action="append", default=[], metavar="FILE",
                        help="sheet to write, .html, .csv or .xlsx; may be repeated (default: submission.html, submission.csv)")
    options = parser.parse_args(arguments)
    options.output = options.output or ["submission.html", "submission.csv"]
    for path in options.output:
        if Path(path).suffix not in ENDINGS:
            raise InputError(f"-o {path}: expected an ending of {', '.join(ENDINGS)}")
        check_output(path)
        if Path(path).suffix == ".xlsx":
            sheet_files.workbook()
    return options


def main(arguments):
    options = read_options(arguments)
    systems = systems_in(options.folders, options.system)
    results = read_results(options.folders)
    rows, without_rate = sheet.rows_of(results, systems)
    if not rows and not without_rate:
        raise InputError(f"{options.folders[0]}: found no result with a rate, expected runs of tungsten_md or sparse_llama")
    references = reference_of(options.against, answer.read_reference()) if options.against else []
    found = sheet.improvements(rows, references)
    cases = [r.case for r in rows] + without_rate
    for path in options.output:
        ending = Path(path).suffix
        if ending == ".html":
            made = sheet_page.sections(rows, without_rate, results, systems, found, options.against)
            write_text(path, page.render("Wafermark: result sheet", made, results))
        elif ending == ".csv":
            sheet_files.write_csv(path, sheet_files.cells_of(rows, found, options.against))
        else:
            rules = [["case", "machine", "rule", "asks for", "found", "verdict"]]
            rules += [[c.name, sheet_page.machine_words(c), rule.name, rule.says, v.found, v.state]
                      for c in cases for rule, v in run_rules.judge(c)]
            sheet_files.write_xlsx(path, sheet_files.cells_of(rows, found, options.against), rules)
    for row in rows:
        said = "official" if row.official else f"not official: {'; '.join(row.problems)}"
        print(f"{row.problem}, {sheet_page.machine_words(row.case)}: {number(row.rate.value)} {row.unit} ({row.kind}): {said}")
    for case in without_rate:
        print(f"{case.name}, {sheet_page.machine_words(case)}: not official: {'; '.join(run_rules.why_not_official(case))}")
    official = sum(r.official for r in rows)
    print(f"submit: {official} of {count(len(cases), 'case')} official; {', '.join(options.output)}")
    return 0 if official == len(cases) else 1
