#!/usr/bin/env python3
"""The whole way of the shipped model with 5 times fewer steps (the small model: 100 times): text, tokenizer, dense training,
one-shot pruning by each method, two recovery stages with and without distillation. Checks the order of the results. Wanda
comes before magnitude for the shipped dense model only: one that is trained less is better cut by magnitude.

  test_compression_pipeline.py SPARSE_LLAMA    (77: no Bible text on this machine)
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[4]


def figure(folder, name):
    result = json.loads((folder / "result.json").read_text())
    return next(f["value"] for f in result["figures"] if f["name"] == name)


def main():
    if not shutil.which("bible"):
        print("SKIPPED: no program 'bible' (Debian packages bible-kjv, bible-kjv-text)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for shrink, part in (("5", "text tokenizer dense oneshot stage1 stage2 stage1-distilled stage2-distilled"), ("100", "small")):
            subprocess.run([SOURCE / "jobscripts/train_llama.sh", folder], check=True,
                           env=dict(os.environ, SPARSE_LLAMA=sys.argv[1], SHRINK=shrink, STAGES=part, RANKS="2"))
        stages = sorted(p.parent.name for p in folder.glob("*/result.json"))
        perplexity = {stage: figure(folder / stage, "perplexity") for stage in stages}
        zeros = {stage: figure(folder / stage, "weights_not_pruned") for stage in ("dense", "stage1", "stage2", "small")}
    for stage, value in sorted(perplexity.items(), key=lambda item: item[1]):
        print(f"{stage:28} {value:9.3f}")

    wrong = []

    def expect(true, what):
        if not true:
            wrong.append(what)

    p = perplexity
    for share in ("50", "70"):
        expect(p["dense"] < p[f"sparsegpt-{share}"] < min(p[f"wanda-{share}"], p[f"magnitude-{share}"]),
               f"one-shot at {share} %: SparseGPT before Wanda and magnitude")
    for method in ("sparsegpt", "wanda", "magnitude"):
        expect(p[f"{method}-50"] < p[f"{method}-70"], f"{method}: 70 % costs more than 50 %")
    expect(p["stage1"] < p["sparsegpt-50"], "stage 1 recovers")
    expect(p["stage2-pruned"] < p["sparsegpt-70"], "pruning in two stages beats one-shot")
    expect(p["stage2"] < p["stage2-pruned"], "stage 2 recovers")
    expect(p["stage2-distilled"] < p["stage2-distilled-pruned"], "stage 2 with distillation recovers")
    expect(p["stage2"] < 1.02 * p["dense"], "the recovered 70 % model is within 2 % of the dense one")
    blocks = 1105920  # weights in the matrices of the dense model's blocks
    expect(zeros["dense"] - zeros["stage1"] == blocks / 2, "stage 1 keeps its mask")
    expect(abs(zeros["dense"] - zeros["stage2"] - 0.7 * blocks) < 42, "stage 2 keeps its mask")
    expect(abs(zeros["small"] / zeros["stage2"] - 1) < 0.01, "the small model is of equal size")
    for what in wrong:
        print(f"NOT SO: {what}")
    return 1 if wrong else 0


sys.exit(main())
