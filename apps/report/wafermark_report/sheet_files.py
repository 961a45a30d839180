"""The result sheet as a table for other programs: CSV, and XLSX where Debian's python3-openpyxl is installed."""
import csv
import io

from .errors import InputError
from .output import replacing, write_text
from .tables import machine_size

COLUMNS = (
    "problem", "app", "kind", "machine", "machine size", "atoms", "nodes", "runs", "figure of merit", "unit", "low (90 %)",
    "high (90 %)", "energy to solution, kWh", "solution", "energy from", "cost", "currency", "official", "why not", "reference",
    "reference rate", "ratio", "ratio low (90 %)", "ratio high (90 %)",
)


def cells_of(rows, found, reference_name):
    """A list for each row, in the order of COLUMNS; None is an empty cell."""
    by_row = {id(i.row): i for i in found}
    for row in rows:
        run, i = row.case.first, by_row.get(id(row))
        yield [
            row.problem, row.app, row.kind, run.machine, machine_size(run), run.atoms, row.nodes, len(row.case.runs),
            row.rate.value, row.unit, row.rate.low, row.rate.high, row.kwh, row.solution, row.energy_from or None, row.cost,
            row.currency or None, "official" if row.official else "not official", "; ".join(row.problems) or None,
            *((reference_name, i.reference.value) if i else (None, None)),
            # A ratio is not quoted from what is not official.
            *((i.speedup.value, i.speedup.low, i.speedup.high) if i and row.official else [None] * 3),
        ]


def harmless(cell):
    """A text that a spreadsheet does not take for a formula, and that one line of a file can hold."""
    if not isinstance(cell, str):
        return cell
    text = "".join(c if c.isprintable() else " " for c in cell)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def write_csv(path, cells):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *([harmless(c) for c in row] for row in cells)])
    write_text(path, text.getvalue())


def workbook():
    try:
        import openpyxl
    except ImportError:
        raise InputError("-o *.xlsx: found no openpyxl, expected Debian's python3-openpyxl (or another ending: .csv)") from None
    return openpyxl.Workbook()


def write_xlsx(path, cells, rules):
    """Two sheets: the figures, and every rule of every case (`rules`: rows of text, the head first)."""
    book = workbook()
    first, second = book.active, book.create_sheet("run rules")
    first.title = "result sheet"
    for row in [COLUMNS, *cells]:
        first.append([harmless(c) for c in row])
    for row in rules:
        second.append([harmless(c) for c in row])
    for sheet in (first, second):
        sheet.freeze_panes = "B2"
    with replacing(path) as temporary:
        book.save(temporary)
