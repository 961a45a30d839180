"""Sparse Llama: rates against sparsity (the rows of tests/bench/compare_sparsity.py --json), perplexity against
sparsity (the record of the shipped training, or results of prune and evaluate)."""
import re
import statistics

from . import surface, svg_theme
from .documents import SCHEMAS, check_schema, parse_json, read_json, text_of
from .errors import InputError
from .parts import Cell, Missing, Picture, Section, Table, Text
from .results import SOURCE, plain_model_name
from .svg_theme import FAINT, MARKERS, SERIES, inline, legend
from .wording import number

ROWS_SCHEMA = SCHEMAS / "sparsity_rows.schema.json"
FORMATS = {"two_four": "2:4", "csr": "CSR", "bit_mask": "bit mask"}
RECORD = SOURCE / "inputs/llama/training_record.json"
SHIPPED = SOURCE / "results/reference"  # sparsity_*.json: points of the surface, by study.sh
# Stages of the record that are models of one sparsity: name, curve, share of weights cut.
RECOVERED = (
    ("stage1", 0.5, "trained on"),
    ("stage2", 0.7, "trained on"),
    ("stage1-distilled", 0.5, "with distillation"),
    ("stage2-distilled", 0.7, "with distillation"),
    ("stage1-long", 0.5, "with distillation, longer"),
    ("stage2-long", 0.7, "with distillation, longer"),
)


def read_rows(path):
    """(rows of compare_sparsity.py, points of the surface), either may be []. Raises InputError."""
    content = parse_json(text_of(path), path)
    rows = content.get("rows") if isinstance(content, dict) else content
    points = surface.points_of(content, path)
    if not rows and not points:
        raise InputError(f"{path}: found no rows, expected the list that compare_sparsity.py --json writes")
    return check_schema(rows, ROWS_SCHEMA, f"{path}: row") if rows else [], points


def model_name(row):
    """A sweep may take the first layers of a model only."""
    return plain_model_name(str(row["model"])) + (f", first {row['layers']} layers" if row.get("layers") else "")


def medians(rows, key):
    """(sparsity in percent, median over repeats), by sparsity."""
    cells = {}
    for r in rows:
        if r[key] is not None:
            cells.setdefault(round(100 * r["sparsity"], 1), []).append(r[key])
    return [(s, statistics.median(v)) for s, v in sorted(cells.items())]


def rate_pictures(rows):
    found = []
    for model in dict.fromkeys(map(model_name, rows)):
        mine = [r for r in rows if model_name(r) == model]
        for key, label in (("ratio_to_dense", "tokens/s against dense"), ("tokens_per_second", "tokens per second")):
            if len({round(r["sparsity"], 3) for r in mine if r[key] is not None}) < 2:
                continue
            fig, axes = svg_theme.figure()
            for k, curve in enumerate(dict.fromkeys((r["format"], r["value"]) for r in mine)):
                points = medians([r for r in mine if (r["format"], r["value"]) == curve], key)
                if points:
                    axes.plot(
                        *zip(*points),
                        label=curve_name(*curve),
                        color=SERIES[k % len(SERIES)],
                        marker=MARKERS[k % len(MARKERS)],
                        ms=6,
                    )
            if key == "ratio_to_dense":
                axes.axhline(1, color=FAINT, lw=1, ls=":")
            axes.set_ylim(
                0, 1.12 * max([r[key] for r in mine if r[key] is not None] + ([1.0] if key == "ratio_to_dense" else []))
            )
            axes.set_xlabel("weights cut / %")
            axes.set_ylabel(label)
            found.append(
                Picture(
                    inline(fig, f"{label}, {model}"),
                    f"{model}: decoding, {label}; medians of the runs.",
                    ("measured",),
                    legend=legend(axes),
                )
            )
    return found


def curve_name(form, value):
    return f"{FORMATS.get(form, form)} {value}"


def rate_table(rows):
    table = []
    for key in dict.fromkeys((model_name(r), r["format"], r["value"], round(r["sparsity"], 3)) for r in rows):
        mine = [r for r in rows if (model_name(r), r["format"], r["value"], round(r["sparsity"], 3)) == key]

        def middle(name, digits=3):
            values = [r[name] for r in mine if r[name] is not None]
            return number(statistics.median(values), digits) if values else "-"

        ratios = [r["ratio_to_dense"] for r in mine if r["ratio_to_dense"] is not None]
        spread = (
            f" ({number(min(ratios), 3)} ... {number(max(ratios), 3)})"
            if len(ratios) > 1 and min(ratios) != max(ratios)
            else ""
        )
        shares = [r["bandwidth_share"] for r in mine if r["bandwidth_share"] is not None]
        table.append(
            [
                key[0],
                FORMATS.get(key[1], key[1]),
                str(key[2]),
                f"{100 * key[3]:.0f} %",
                str(len(mine)),
                Cell(middle("tokens_per_second", 4), "measured"),
                middle("ratio_to_dense") + spread,
                middle("bits_per_weight"),
                f"{100 * statistics.median(shares):.0f} %" if shares else "-",
            ]
        )
    return Table(
        [
            "model",
            "format",
            "value",
            "weights cut",
            "runs",
            "tokens/s",
            "against dense",
            "bits a weight",
            "share of memory bandwidth",
        ],
        table,
        "Decoding: medians of the runs",
        numeric_from=3,
    )


def perplexity_points(record):
    """Curves of (share cut, perplexity) by name."""
    dense = record["dense"]["perplexity"]
    curves = {}
    for stage, content in record.items():
        match = re.fullmatch(r"(magnitude|wanda|sparsegpt)-(\d+)", stage)
        if match:
            name = {"magnitude": "magnitude", "wanda": "Wanda", "sparsegpt": "SparseGPT"}[match[1]] + ", one shot"
            curves.setdefault(name, [(0.0, dense)]).append((float(match[2]) / 100, content["perplexity"]))
    for stage, share, name in RECOVERED:
        if stage in record:
            curves.setdefault(name, [(0.0, dense)]).append((share, record[stage]["perplexity"]))
    return {name: sorted(points) for name, points in curves.items()}


def perplexity_parts(record):
    curves = perplexity_points(record)
    fig, axes = svg_theme.figure()
    for k, (name, points) in enumerate(curves.items()):
        axes.plot(
            [100 * s for s, _ in points],
            [p for _, p in points],
            label=name,
            color=SERIES[k % len(SERIES)],
            marker=MARKERS[k % len(MARKERS)],
            ms=6,
        )
    axes.set_xlabel("weights cut / %")
    axes.set_ylabel("held-out perplexity (lower is better)")
    axes.set_ylim(0, 1.08 * max(p for points in curves.values() for _, p in points))
    rows = [
        [name, f"{100 * share:.0f} %", Cell(number(p), "recorded"), f"{100 * (p / points[0][1] - 1):+.1f} %"]
        for name, points in curves.items()
        for share, p in points
        if share > 0
    ]
    longer = record.get("longer", {}).get("perplexity")
    dense = record["dense"]["perplexity"]
    note = (
        [
            Text(
                (
                    f"The dense model has {number(dense)}. Trained on for as many tokens as the stages took it has"
                    f" {number(longer)}: that is what the recovered models are to be held against."
                ),
                "note",
            )
        ]
        if longer
        else []
    )
    return [
        Picture(
            inline(fig, "Perplexity against sparsity"),
            (
                "A Llama of 1.17 million weights on the King James Bible, as recorded when the shipped models were"
                " trained (inputs/llama/training_record.json): one run each."
            ),
            ("recorded",),
            legend=legend(axes),
        ),
        Table(["pruned by, then", "weights cut", "perplexity", "against dense"], rows),
        *note,
    ]


def own_model(result):
    """The name of the model that a result is about: what prune and recover made is called after their folder. Perplexities of another
    protocol stand in a row of their own: they do not compare."""
    if result.command in ("prune", "recover", "train"):
        return result.name
    evaluation = result.json.get("evaluation", {})
    path = evaluation.get("model") or result.json.get("model", {}).get("name") or ""
    protocol = evaluation.get("protocol", "whole")
    return plain_model_name(path) + ("" if protocol == "whole" else f" ({protocol})")


def own_models(results):
    """A user's models beside each other, whatever command said something of them. None where fewer than two were seen."""
    rows = {}
    for r in results:
        if r.app == "sparse_llama" and r.valid and own_model(r) and ":" not in own_model(r):
            row = rows.setdefault(own_model(r), {})
            for name in ("sparsity", "perplexity", "perplexity_change", "bits_per_weight", "decode_tokens_per_second"):
                if r.value(name) is not None:
                    row.setdefault((name, r.target), []).append(r.figures[name])
    if len(rows) < 2:
        return None

    def cell(row, name, target="cluster", factor=1):
        found = row.get((name, target))
        return Cell(number(factor * statistics.median(f.value for f in found)), found[0].kind) if found else "-"

    return Table(
        ["model", "weights cut / %", "perplexity", "more than before", "bits a weight", "decode tokens/s", "on the wafer, tokens/s"],
        [
            [name, cell(row, "sparsity", factor=100), cell(row, "perplexity"), cell(row, "perplexity_change"),
             cell(row, "bits_per_weight"), cell(row, "decode_tokens_per_second"), cell(row, "decode_tokens_per_second", "wafer")]
            for name, row in sorted(rows.items())
        ],
        "Models of these results beside each other; perplexities compare only on the same text. Medians of the runs",
    )


def sparsity_section(results, files, record):
    """`files`: JSON files of compare_sparsity.py and wafer_sparsity.py, `record`: the training record; [] and None for the shipped ones when
    any result is of sparse_llama."""
    section = Section("sparsity", "Sparsity")
    own = own_models(results)
    if own:
        section.parts.append(own)
    points = []
    if not files and any(r.app == "sparse_llama" for r in results):
        files = sorted(SHIPPED.glob("sparsity_*.json"))
        if files:
            section.parts.append(Text("The surface below is what ships with Wafermark; files of --sparsity take its place.", "note"))
    for path in files:
        rows, of_file = read_rows(path)
        points += of_file
        if rows:
            section.parts += rate_pictures(rows) + [rate_table(rows)]
    section.parts += surface.surface_parts(points)
    shown = record or (
        RECORD if RECORD.exists() and (section.parts or any(r.app == "sparse_llama" for r in results)) else None
    )
    if shown:
        section.parts += perplexity_parts(read_json(shown, SCHEMAS / "training_record.schema.json"))
    return (
        section
        if section.parts
        else Missing("Sparsity", "no result of sparse_llama and no file of compare_sparsity.py (--sparsity FILE)")
    )
