#!/usr/bin/env python3
"""Folders as other programs write them: what is read, what is used and recorded, what a new folder keeps.

usage: test_model_folders.py SPARSE_LLAMA
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from made_model import make_model

binary = sys.argv[1]
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def run(*words, ranks=1):
    command = (["mpirun", "-np", str(ranks)] if ranks > 1 else []) + [binary, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ)


def record(folder):
    return json.loads(Path(folder, "result.json").read_text())


def figures(folder):
    return {f["name"]: f["value"] for f in record(folder)["figures"]}


def refused(done, expected, what):
    check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0,
          f"{what}: exit {done.returncode}: {done.stderr.strip()[-300:]}")


def prompts(scratch):
    plain = make_model(scratch / "plain")
    def tokens(name, model, *words):
        done = run("run", "--model", model, "--tokens", 3, "--ignore-end", "--out", scratch / name, *words)
        check(done.returncode == 0, f"{name} {done.stderr.strip()[-200:]}")
        r = record(scratch / name)
        return r["model"]["prompt_tokens"], r["generation"]["prompt"]
    check(tokens("bos", plain, "--prompt", "hi") == (3, "--prompt"), "bos and two bytes")
    check(tokens("twice", plain, "--prompt", "<s>hi")[0] == 3, "bos is not put twice")
    check(tokens("empty", plain, "--prompt", "") == (1, "--prompt"), "an empty prompt is bos alone")
    check(tokens("random", plain, "--prompt-tokens", 5) == (5, "--prompt-tokens, random"), "random tokens where they are asked for")
    without = make_model(scratch / "without", config={"bos_token_id": None})
    check(tokens("no_bos", without, "--prompt", "hi")[0] == 2, "no bos, none put")
    refused(run("run", "--model", without, "--prompt", "", "--tokens", 3), "--prompt: found a text without tokens", "empty without bos")
    (scratch / "nothing.txt").write_text("")
    refused(run("run", "--model", without, "--prompt-file", scratch / "nothing.txt", "--tokens", 3), "nothing.txt: found no line, expected one or more",
            "an empty file without bos")
    refused(run("run", "--model", plain, "--prompt", "a", "--prompt-tokens", 3), "--prompt", "a text and random tokens")
    small = make_model(scratch / "small", config={"vocab_size": 256, "bos_token_id": None, "eos_token_id": None})
    check(tokens("small", small, "--prompt", "hi")[0] == 2, "added tokens need no rows until a text has them")
    refused(run("run", "--model", small, "--prompt", "<s>hi", "--tokens", 3), "found the token 256, expected 0 to 255", "a token without a row")


def ends(scratch):
    plain = make_model(scratch / "plain")
    run("run", "--model", plain, "--prompt", "hi", "--tokens", 6, "--ignore-end", "--out", scratch / "free")
    free = record(scratch / "free")["tokens"][0]
    check(len(free) == 6, "nothing ends a text with --ignore-end")
    ended = make_model(scratch / "ended", generation_config={"eos_token_id": [999, free[2]]})
    run("run", "--model", ended, "--prompt", "hi", "--tokens", 6, "--out", scratch / "cut")
    r = record(scratch / "cut")
    check(r["tokens"][0] == free[:free.index(free[2])] and r["generation"]["end_tokens"] == [999, free[2]], "one of several end tokens ends the text")


def texts(scratch):
    (scratch / "text.txt").write_text("In the beginning there was a short text for a small model.\n" * 8)
    text = scratch / "text.txt"
    without = make_model(scratch / "without", config={"bos_token_id": None})
    for words in ((), ("--format", "dense", "--value", "fp32")):
        for ranks in (1, 2) if not words else (1,):
            done = run("evaluate", without, text, *words, "--window", 32, "--out", scratch / "e", "--overwrite", ranks=ranks)
            check(done.returncode == 0, f"evaluate without bos {words} {ranks} {done.stderr.strip()[-200:]}")
            value = figures(scratch / "e")["perplexity"]
            if not words and ranks == 1:
                first = value
            check(abs(value - first) < 1e-3 * first, f"perplexity {value:.3f}")
    check(record(scratch / "e")["evaluation"]["bos"] is None, "the result says that there is no bos")
    named = run("evaluate", "--model", without, text, "--window", 32, "--out", scratch / "e2")
    check(named.returncode == 0 and abs(figures(scratch / "e2")["perplexity"] - first) < 1e-6 * first, f"--model {named.stderr.strip()[-200:]}")
    run("convert", "--model", without, "--format", "dense", "--value", "fp32", "--out", scratch / "p.h5")
    packed = run("evaluate", scratch / "p.h5", text, "--tokenizer", without, "--window", 32, "--out", scratch / "e3")
    check(packed.returncode == 0 and abs(figures(scratch / "e3")["perplexity"] - first) < 1e-3 * first, f"packed {packed.stderr.strip()[-200:]}")
    refused(run("run", "--model", scratch / "p.h5", "--format", "csr"), "--format csr", "another format than the packed one")
    long = make_model(scratch / "long", config={"max_position_embeddings": 1000000})
    check(run("evaluate", long, text).returncode == 0, "a context of a million costs nothing that is not used")
    check(run("run", "--model", long, "--prompt", "hi", "--tokens", 2).returncode == 0, "nor in run")


def folders(scratch):
    model = make_model(scratch / "whole", config={"my_key": 5, "max_position_embeddings": 64}, tokenizer_config={"bos_token": "<s>"},
                       generation_config={"eos_token_id": 257, "temperature": 0.5})
    pruned, exported = scratch / "pruned", scratch / "exported"
    for done in (run("prune", model, "--method", "magnitude", "--out", pruned), run("export", pruned, "-o", exported, "--dtype", "fp32")):
        check(done.returncode == 0 and "note" not in done.stdout, f"{done.args[1]} {done.stderr.strip()[-200:]}")
    for folder in (pruned, exported):
        check(all((folder / name).exists() for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json")),
              f"{folder.name} is complete")
        config = json.loads((folder / "config.json").read_text())
        check(config["my_key"] == 5 and config["eos_token_id"] == 257, f"{folder.name} keeps unknown keys")
        done = run("run", "--model", folder, "--prompt", "hi", "--tokens", 2, "--out", scratch / f"r_{folder.name}")
        check(done.returncode == 0, f"{folder.name} runs {done.stderr.strip()[-200:]}")
    check(record(scratch / "r_pruned")["tokens"] == record(scratch / "r_exported")["tokens"], "both are the same model")
    refused(run("prune", model, "--method", "magnitude", "--out", model), "holds a model", "prune into the model's own folder")
    (scratch / "text.txt").write_text("A short text for the calibration of a model. " * 20)
    calibrated = run("prune", model, "--method", "wanda", "--calibration", scratch / "text.txt", "--sequences", 2, "--length", 16,
                     "--evaluate", scratch / "text.txt", "--out", scratch / "wanda")
    check(calibrated.returncode == 0, f"texts by the model's own tokenizer {calibrated.stderr.strip()[-200:]}")
    bare = make_model(scratch / "bare")
    (bare / "tokenizer.json").unlink()
    done = run("export", bare, "-o", scratch / "bare_out")
    check(done.returncode == 0 and done.stdout.count("note: ") == 1 and "no tokenizer" in done.stdout, "a folder without tokenizer is told of")


def together(scratch):
    def rates(*words):
        done = run("info", "--synthetic", "tinyllama-1.1b:layers=2", "--target", "wafer", *words)
        found = re.search(r"of a pass of (\d+) tokens?: (\d+), that is ([0-9.e+]+) tokens/s .* at (\d+) MHz; of the slowest region: (\d+), ([0-9.e+]+)", done.stdout)
        check(found is not None, f"info says the rates {done.stderr.strip()[-200:]}")
        return [float(x) for x in found.groups()]
    for count in (1, 4):
        n, cycles, rate, clock, stage, full = rates("--rows-together", count)
        check(n == count and abs(rate - count * clock * 1e6 / cycles) < 2e-3 * rate and abs(full - count * clock * 1e6 / stage) < 2e-3 * full,
              f"{count} rows together: {rate:.4g} and {full:.4g} tokens/s")


with tempfile.TemporaryDirectory() as name:
    for part in (prompts, ends, texts, folders, together):
        folder = Path(name, part.__name__)
        folder.mkdir()
        part(folder)

print(f"{failures} failed")
sys.exit(1 if failures else 0)
