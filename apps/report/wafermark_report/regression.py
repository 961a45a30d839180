"""Regression check of a site: figures against a reference file with limits, as ReFrame has them.

A reference file (TOML or JSON) is a list of `reference` tables: `case` (what was run, by the words of `case_name`),
`figure`, `value`, `lower` and `upper` (relative limits, -0.1 is ten percent below; absent: no limit on that side) and
`unit`.
"""
import hashlib
import json
import statistics
from pathlib import Path

from .compare import LESS_IS_BETTER, table
from .documents import SCHEMAS, read_json, read_toml
from .errors import Arguments, InputError, one_line
from .output import check_output, write_text
from .results import SOURCE, read_results
from .system import of_one_machine
from .tables import MERIT, machine_size, size_of
from .wording import count, number, percent

LIMITS = ("lower", "upper")
REFERENCE = SOURCE / "results/reference"


def case_name(result):
    """What was run, in words that stay the same from run to run: the key of a reference."""
    run = f"{result.value('steps') or 0:g} steps" if result.target == "wafer" else count(result.ranks, "rank")
    deck = hashlib.sha256(result.problem.encode()).hexdigest()[:8]  # two decks may have the same label
    parts = [
        result.app,
        result.command,
        result.label,
        size_of(result),
        result.target,
        machine_size(result),
        run,
        f"deck {deck}",
    ]
    return " | ".join(p for p in parts if p)


def read_reference(path):
    """The rows of a reference file. Raises InputError."""
    read = read_json if Path(path).suffix == ".json" else read_toml
    rows = read(path, SCHEMAS / "reference.schema.json")["reference"]
    for k, row in enumerate(rows):
        where = f"{path}: reference.{k}"
        if row["value"] == 0:
            raise InputError(f"{where}.value: found 0, expected a number that is not 0 (limits are relative)")
        if all(row.get(key) is None for key in LIMITS):
            raise InputError(f"{where}: found neither lower nor upper, expected a limit")
    return rows


def measured(results):
    """(case, figure) -> (median over repeats, unit, number of runs)."""
    cells = {}
    for r in results:
        for figure in r.figures.values():
            if figure.value is not None:
                cells.setdefault((case_name(r), figure.name), []).append((figure.value, figure.unit))
    return {key: (statistics.median(v for v, _ in found), found[0][1], len(found)) for key, found in cells.items()}


def judge(rows, results):
    """[(row, value or None, problem or "")] for each reference; a figure that is not there is a problem."""
    have = measured(results)
    out = []
    for row in rows:
        value, unit, _ = have.get((row["case"], row["figure"]), (None, None, 0))
        problem = ""
        if value is None:
            problem = "not among the results"
        elif unit != row["unit"]:
            problem = f"unit {unit!r}, expected {row['unit']!r}"
        else:
            off = (value - row["value"]) / abs(row["value"])
            if row.get("lower") is not None and off < row["lower"]:
                problem = f"below the limit of {percent(row['lower'])}"
            elif row.get("upper") is not None and off > row["upper"]:
                problem = f"above the limit of {percent(row['upper'])}"
        out.append((row, value, problem))
    return out


def new_reference(results, tolerance):
    """A row for each figure of merit; the limit is on the side that is worse, for emulated ones on both."""
    rows = []
    have = measured(results)
    for r in results:
        for name, _, _ in MERIT[r.app]:
            key = (case_name(r), name)
            if (
                key not in have
                or have[key][0] == 0
                or any(row["case"] == key[0] and row["figure"] == name for row in rows)
            ):
                continue
            value, unit, _ = have[key]
            row = {"case": key[0], "figure": name, "value": value, "unit": unit}
            if r.figures[name].kind == "emulated":
                row |= {"lower": -1e-6, "upper": 1e-6}  # cycles repeat exactly
            elif name in LESS_IS_BETTER:
                row["upper"] = tolerance
            else:
                row["lower"] = -tolerance
            rows.append(row)
    if not rows:
        raise InputError("--write-reference: found no figure of merit in the results")
    return rows


def rows_in_common(folder, results, tolerance):
    """Rows of the valid results in a folder whose case is among `results`."""
    known = {case_name(r) for r in results}
    same = [r for r in read_results([folder]) if r.valid and case_name(r) in known]
    of_one_machine(same, case_name, folder)
    if not same:
        raise InputError(f"{folder}: found no result of a case that is among these, expected one (size, machine and steps count too)")
    return new_reference(same, tolerance)


def as_toml(rows):
    head = (
        "# Reference of `wafermark-report check RESULTS --reference THIS`. lower and upper are relative limits; one"
        " that is absent is\n# not checked.\n"
    )
    return head + "".join(
        "\n[[reference]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in row.items()) for row in rows
    )


def write_reference(path, rows):
    as_json = Path(path).suffix == ".json"
    text = json.dumps({"reference": rows}, indent=1) + "\n" if as_json else as_toml(rows)
    write_text(path, text, "--reference")


def main(arguments):
    parser = Arguments(
        prog="wafermark-report check",
        description=(
            "Medians of the results against a reference file. Exit code 1 when a figure left its limits, "
            "is missing, or a result is not valid."
        ),
    )
    parser.add_argument("folders", nargs="+", help="folders that hold results")
    parser.add_argument("--reference", metavar="FILE|FOLDER",
                        help="TOML, or JSON where it ends in .json; or a folder of results, of which those count that were"
                        " run here too (default: the results that ship, results/reference)")
    parser.add_argument(
        "--write-reference", action="store_true", help="write FILE from these results in place of checking them"
    )
    parser.add_argument(
        "--tolerance", type=float, default=0.1, metavar="X", help="limit that --write-reference sets (default: 0.1)"
    )
    options = parser.parse_args(arguments)
    if not 0 < options.tolerance < 1:
        raise InputError(f"--tolerance {options.tolerance:g}: expected a number between 0 and 1")
    if options.write_reference:
        if options.reference is None:
            raise InputError("--write-reference: found no --reference, expected the file to write")
        check_output(options.reference, "--reference")
    folder = Path(options.reference or REFERENCE)
    rows = None if options.write_reference or folder.is_dir() else read_reference(options.reference)
    results = read_results(options.folders)
    if rows is None and not options.write_reference:
        rows = rows_in_common(folder, results, options.tolerance)
    invalid = [r for r in results if not r.valid]
    if options.write_reference:
        if invalid:
            raise InputError(f"{invalid[0].folder}: {invalid[0].why_not_valid}, expected valid results to make a reference of")
        rows = new_reference(results, options.tolerance)
        write_reference(options.reference, rows)
        print(f"reference: {options.reference} ({len(rows)} figures)")
        return 0
    judged = judge(rows, results)
    cells = [
        [
            row["case"],
            row["figure"],
            number(row["value"]),
            number(value),
            percent((value - row["value"]) / abs(row["value"])) if value is not None else "-",
            f"FAIL: {problem}" if problem else "pass",
        ]
        for row, value, problem in judged
    ]
    print(table(cells, ["case", "figure", "reference", "found", "off", ""]))
    for r in invalid:
        print(one_line(f"FAIL: {r.folder}: {r.why_not_valid}"))
    bad = sum(bool(problem) for _, _, problem in judged) + len(invalid)
    print(
        f"{len(judged) - sum(bool(p) for _, _, p in judged)} of {len(judged)} figures within their limits"
        + (f", {len(invalid)} results not valid" if invalid else "")
    )
    return 1 if bad else 0
