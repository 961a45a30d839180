"""All sections as one HTML file that needs nothing else: no network, no fonts, no scripts."""
from pathlib import Path

import jinja2

from . import (
    answer, answer_page, campaigns, cascades, claim, doses, long_runs, scaling_plots, sheet_page, sparsity, tables, verdict,
    wafer_maps,
)
from .parts import Cell, Missing
from .quotable import Quotable

TEMPLATE = Path(__file__).resolve().parent / "page.html.j2"


def sections(results, evidence=None, sparsity_files=(), record=None, command="wafermark-report", systems=(), of_campaigns=()):
    """(sections in order, what is missing). Every section comes from the results alone; the first one also from the
    `evidence` that clusters give (answer.read_reference), and `of_campaigns` (campaigns.read_campaigns) have their own."""
    evidence = evidence or answer.Evidence()
    mine = {r.folder.resolve() for r in results}
    others = [r for r in evidence.results if r.folder.resolve() not in mine]
    together = [*others, *results]
    quotable = Quotable((others, evidence.systems), (results, systems))
    made = [
        answer_page.answer_section(together, evidence, results, quotable),
        verdict.summary(results, quotable),
        sheet_page.official_section(results, systems),
        tables.merit_section(results),
        scaling_plots.scaling_section(results, weak=False),
        scaling_plots.scaling_section(results, weak=True),
        claim.claim_section(results),
        claim.model_section(results),
        tables.energy_section(results),
        long_runs.long_runs_section(together, evidence.replays),
        wafer_maps.wafer_section(results),
        cascades.cascade_section(results),
        campaigns.campaign_section(of_campaigns),
        doses.dose_section(results),
        sparsity.sparsity_section(results, sparsity_files, record),
        tables.validation_section(results),
    ]
    missing = [s for s in made if isinstance(s, Missing)]
    there = [s for s in made if not isinstance(s, Missing)]
    return there + [tables.appendix(results, missing, command, others, evidence.replays)], missing


def as_cell(cell):
    return cell if isinstance(cell, Cell) else Cell(str(cell))


def css_text(text):
    """What may stand in a string of the style sheet: everything but letters, digits and blanks as an escape."""
    return "".join(c if c.isalnum() or c in " .,:-_" else f"\\{ord(c):x} " for c in text)


def render(title, parts, results):
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals.update(as_cell=as_cell, css_text=css_text, kind_of=lambda part: type(part).__name__)
    hosts = sorted({h for r in results for h in r.hosts})
    commits = sorted({r.json["build"]["commit"] for r in results})
    started = [r.started for r in results]
    return environment.from_string(TEMPLATE.read_text()).render(
        title=title,
        sections=parts,
        results=len(results),
        hosts=", ".join(hosts) if len(hosts) < 5 else f"{len(hosts)} hosts",
        commits=", ".join(commits),
        first=min(started).replace("T", " ").rstrip("Z"),
        last=max(started).replace("T", " ").rstrip("Z"),
    )
