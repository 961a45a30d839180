#!/usr/bin/env python3
"""Fills the tables of docs/study.md from results/reference and draws its pictures, as the report shows them. A table stands between the lines
`<!-- study: NAME -->` and `<!-- end -->`; the words around them are a person's.

usage: study_document.py [--document docs/study.md] [--reference FOLDER] [--check]

--check changes nothing: exit code 1 and the names of the tables that are not what the results say.
"""
import argparse
import re
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "apps/report"))
try:
    from wafermark_report import answer, answer_page, curve_page, curves, llama_answer, llama_answer_page
    from wafermark_report.answer_words import with_interval
    from wafermark_report.parts import Cell, Table
    from wafermark_report.quotable import Quotable
    from wafermark_report.wording import number
except ImportError as error:
    print(f"study_document.py: {error}, expected Python 3.11 with what wafermark-report needs", file=sys.stderr)
    sys.exit(2)


def markdown(table):
    def text(cell):
        return (f"{cell.text} *{cell.kind}*" if cell.kind else cell.text) if isinstance(cell, Cell) else str(cell)

    rows = [table.columns, ["---"] * len(table.columns), *[[text(c) for c in row] for row in table.rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def work_rows(problem, evidence):
    """What the same steps cost on each size of machine: atom-steps per second, and joules of an atom-step by the machine files."""
    stem, key = answer.potential_stem(problem.wafer), answer.sample(problem.wafer)
    runs = [r for r in evidence.replays if not r.profile and (r.potential, r.atoms) == (stem, problem.atoms)]
    runs += [r for r in answer.simulated_runs(evidence.results) if not r.profile and answer.sample(r) == key]
    for run in [problem.wafer, *sorted(runs, key=lambda r: (r.machine, r.workers))]:
        figures = run.figures
        joules = figures["joules_per_step"].value if "joules_per_step" in figures else None
        size = f"{run.workers:,} workers" if run is not problem.wafer else "the wafer"
        yield [problem.label.split(",")[0], run.machine, size, Cell(with_interval(answer.Rate.of(run)), figures["steps_per_second"].kind),
               number(problem.atoms * figures["steps_per_second"].value / 1e9, 3), number(1e6 * joules / problem.atoms, 3) if joules else "-"]


def tables(evidence):
    problems = answer.problems(evidence.results, evidence)
    quotable = Quotable((evidence.results, evidence.systems))
    alone = [p for p in problems if p.published_wafer]
    streamed = llama_answer.passes(evidence.results)
    made = {part.caption: part for part in answer_page.slab_parts(alone, quotable) if isinstance(part, Table)}
    slabs, offs = made.values()
    work = [row for p in alone for row in work_rows(p, evidence)]
    found = {"slabs": slabs, "off": offs}
    lines = curves.curves_of(problems)
    found |= {f"{c.label.split(',')[0]} {c.axis}": Table(["", "atoms", "cells", "wafer, steps/s", "fastest cluster", "cluster, steps/s", "wafer / cluster"],
                                                         list(curve_page.rows(c, quotable))) for c in lines}
    for table in list(found.values())[2:]:
        table.columns, table.rows = table.columns[1:], [row[1:] for row in table.rows]
    found["work"] = Table(["", "machine", "size", "steps/s", "billion atom-steps/s", "uJ an atom-step"], work)
    decoding = llama_answer.decodings(evidence.results)
    if decoding:
        found["decoding"] = Table(["model", "sequences", "wafer, tokens/s", "cluster", "its best size", "cluster, tokens/s", "wafer / cluster"],
                                  [row for one in decoding for row in llama_answer_page.decode_rows(one, quotable)])
    if streamed:
        found["streamed"] = Table(["model", "tokens together", "tokens/s", "over dense", "mJ a token", "less than dense"],
                                  list(llama_answer_page.pass_rows(streamed, quotable)))
    return found, alone, lines, streamed, quotable


def keep(drawn, title, path):
    fig, axes = drawn
    axes.set_title(title)
    marks, names = axes.get_legend_handles_labels()
    axes.legend(marks, [textwrap.fill(name, 52) for name in names], fontsize=8, ncol=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    fig.set_size_inches(7.6, 5.4)
    fig.savefig(path, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    print(path)


def draw(folder, alone, lines, streamed, quotable):
    for p in alone:
        keep(answer_page.plot(p), f"{p.label}, {p.atoms:,} atoms", folder / f"study_{p.label.split(',')[0]}.png")
    for c in lines:
        keep(curve_page.plot(c), curve_page.named(c), folder / f"study_{c.label.split(',')[0]}_{c.axis}.png")
    drawn = llama_answer_page.plot(streamed, quotable)
    if drawn:
        keep(drawn, "Weights that stream through the wafer", folder / "study_llama.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--document", type=Path, default=SOURCE / "docs/study.md")
    parser.add_argument("--reference", help="default: results/reference of this source")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    found, *drawn = tables(answer.read_reference(args.reference))
    old = args.document.read_text()
    places = re.findall(r"<!-- study: ([\w ]+) -->\n(.*?)<!-- end -->", old, re.S)
    unknown = [name for name, _ in places if name not in found]
    if unknown:
        sys.exit(f"study_document.py: {args.document}: found no results for {', '.join(unknown)}, expected some of: {', '.join(found)}")
    if args.check:
        stale = [name for name, text in places if text.strip() != markdown(found[name]).strip()]
        sys.exit(f"study_document.py: {args.document}: out of date: {', '.join(stale)}" if stale else 0)
    args.document.write_text(re.sub(r"(<!-- study: ([\w ]+) -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{markdown(found[m[2]])}\n{m[3]}", old, flags=re.S))
    draw(args.document.parent, *drawn)


main()
