#!/usr/bin/env python3
"""Draws the pictures of docs/study.md from results/reference, as the report draws them.

usage: study_pictures.py [--out docs] [--reference FOLDER]
"""
import argparse
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "apps/report"))
from wafermark_report import answer, answer_page, curve_page, curves, llama_answer, llama_answer_page  # noqa: E402


def keep(drawn, title, path):
    fig, axes = drawn
    axes.set_title(title)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    fig.set_size_inches(8.6, 3.9)
    fig.patch.set_facecolor("white")
    fig.savefig(path, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SOURCE / "docs")
    parser.add_argument("--reference", help="default: results/reference of this source")
    args = parser.parse_args()
    evidence = answer.read_reference(args.reference)
    problems = answer.problems(evidence.results, evidence)
    for p in problems:
        if p.published_wafer:
            keep(answer_page.plot(p), f"{p.label}, {p.atoms:,} atoms", args.out / f"study_{p.label.split(',')[0]}.png")
    for c in curves.curves_of(problems):
        keep(curve_page.plot(c), curve_page.named(c), args.out / f"study_{c.label.split(',')[0]}_{c.axis}.png")
    drawn = llama_answer_page.plot(llama_answer.passes(evidence.results))
    if drawn:
        keep(drawn, "Weights that stream through the wafer", args.out / "study_llama.png")


main()
