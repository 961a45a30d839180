#!/usr/bin/env python3
"""The table of the compressed model: held-out perplexity of the dense model, of its one-shot prunings, of each recovery
stage, of the small dense model, and what the stages cost.

  tests/bench/compression_table.py                     the shipped weights (inputs/llama), evaluated and pruned again
                                                       here, beside the recorded values of the stages that do not ship
  tests/bench/compression_table.py --trained DIR       the results of jobscripts/train_llama.sh DIR
  ... --record FILE                                    puts what --trained found into inputs/llama/training_record.json
                                                       or another record; stages that DIR lacks stay as they are there
  ... --json FILE                                      the rows, for other programs
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
ROWS = [  # stage of jobscripts/train_llama.sh, what it is, the shipped folder that holds its weights
    ("dense", "dense", "dense"),
    ("magnitude-50", "50 % one-shot, magnitude", None),
    ("wanda-50", "50 % one-shot, Wanda", None),
    ("sparsegpt-50", "50 % one-shot, SparseGPT", None),
    ("magnitude-70", "70 % one-shot, magnitude", None),
    ("wanda-70", "70 % one-shot, Wanda", None),
    ("sparsegpt-70", "70 % one-shot, SparseGPT", None),
    ("stage1", "stage 1: 50 % (SparseGPT), trained on", None),
    ("stage2-pruned", "stage 1 pruned to 70 %, not yet trained", None),
    ("stage2", "stage 2: 70 %, trained on", None),
    ("stage1-distilled", "stage 1 with distillation", None),
    ("stage2-distilled-pruned", "stage 1 with distillation pruned to 70 %", None),
    ("stage2-distilled", "stage 2 with distillation", None),
    ("stage1-long", "stage 1 with distillation, four times as long", None),
    ("stage2-long-pruned", "the long stage 1 pruned to 70 %", None),
    ("stage2-long", "stage 2 with distillation, eight times as long", "sparse70"),
    ("small", "small dense model, as many weights as 70 % leaves", None),
    ("longer", "dense, trained on, no weight cut", None),
]


def figures(path):
    result = json.loads(Path(path).read_text())
    return {f["name"]: f["value"] for f in result["figures"]}


def trained(folder):
    rows = {}
    for stage, _, _ in ROWS:
        path = folder / stage / "result.json"
        if path.exists() and json.loads(path.read_text())["valid"]:
            f = figures(path)
            rows[stage] = {k: f[k] for k in ("perplexity", "training_tokens", "weights_not_pruned") if k in f}
    if not rows:
        sys.exit(f"compression_table: {folder}: found no stage's result.json, expected a folder of jobscripts/train_llama.sh")
    return rows


def run(program, *words):
    done = subprocess.run([program, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=dict(os.environ, OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"),
                                   OPENBLAS_NUM_THREADS="1", OMP_PROC_BIND="false"))
    if done.returncode != 0:
        sys.exit(f"compression_table: {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr[-500:]}")


def measured(program, models):
    """Perplexities of what can be made of the shipped weights alone."""
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([SOURCE / "jobscripts/bible_text.sh", folder / "text"], check=True)
        text = folder / "text/heldout.txt"
        for stage, _, shipped in ROWS:
            if shipped and (models / shipped).exists():
                run(program, "evaluate", models / shipped, text, "--out", folder / stage)
            elif stage.rpartition("-")[0] in ("magnitude", "wanda", "sparsegpt"):
                method, _, share = stage.partition("-")
                run(program, "prune", models / "dense", "--out", folder / stage, "--method", method, "--sparsity",
                    f"0.{share}", "--tokenizer", models / "dense/tokenizer.model", "--calibration",
                    folder / "text/train.txt", "--evaluate", text)
            else:
                continue
            rows[stage] = {"perplexity": figures(folder / stage / "result.json")["perplexity"]}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=SOURCE / "build/release/apps/sparse_llama/sparse_llama", type=Path)
    parser.add_argument("--models", default=SOURCE / "inputs/llama", type=Path, help="folder of the shipped models")
    parser.add_argument("--trained", type=Path, help="folder of jobscripts/train_llama.sh")
    parser.add_argument("--record", type=Path, help="with --trained: write the values here")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    record = args.models / "training_record.json"
    if args.trained:
        rows = trained(args.trained)
        if args.record:
            kept = json.loads(args.record.read_text()) if args.record.exists() else {}
            rows = {stage: {**kept, **rows}[stage] for stage, _, _ in ROWS if stage in rows or stage in kept}
            args.record.write_text(json.dumps(rows, indent=1) + "\n")
        now = {}
    else:
        rows = json.loads(record.read_text())
        now = measured(args.binary.resolve(), args.models)
    dense = rows.get("dense") or json.loads(record.read_text())["dense"]
    print("| model | weights | perplexity |" + (" measured now |" if now else "") + " against dense | training tokens | tokens of dense training |")
    print("|---|---|---|" + ("---|" if now else "") + "---|---|---|")
    table = []
    for stage, what, _ in ROWS:
        if stage not in rows:
            continue
        row = dict(rows[stage], stage=stage, what=what)
        row["ratio"] = row["perplexity"] / dense["perplexity"]
        if stage in now:
            row["perplexity_now"] = now[stage]["perplexity"]
        tokens = f"{row['training_tokens'] / 1e6:.2f} M" if "training_tokens" in row else ""
        share = ""
        if "training_tokens" in row and stage != "dense":
            share = f"{row['training_tokens'] / dense['training_tokens']:.0%}"
        weights = f"{row['weights_not_pruned'] / 1e3:.0f} k" if "weights_not_pruned" in row else ""
        print(f"| {what} | {weights} | {row['perplexity']:.3f} |"
              + ((f" {row['perplexity_now']:.3f} |" if stage in now else "  |") if now else "")
              + f" {row['ratio'] - 1:+.1%} | {tokens} | {share} |")
        table.append(row)
    if args.json:
        args.json.write_text(json.dumps(table, indent=1) + "\n")
    # Stored in bf16 and run by the packed kernels, the shipped weights must still be what was trained.
    for stage in now:
        if stage in ("dense", "stage2-long") and abs(now[stage]["perplexity"] / rows[stage]["perplexity"] - 1) > 0.005:
            sys.exit(f"compression_table: {stage}: perplexity {now[stage]['perplexity']:.4f} now, "
                     f"{rows[stage]['perplexity']:.4f} recorded: they differ by more than 0.5 %")


main()
