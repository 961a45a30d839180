#!/usr/bin/env python3
"""Runs that are cut, repeated or too large: nothing half passes for whole, nothing older is lost.

usage: test_cut_runs.py SPARSE_LLAMA
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_model import make_model

binary = sys.argv[1]
failures = 0

DECK = """[text]
train = "text.txt"
tokenizer = "model/tokenizer.json"
[model]
dim = 16
layers = 1
heads = 2
hidden = 32
context = 32
[training]
steps = 12
batch_sequences = 2
sequence_tokens = 16
warmup_steps = 2
report_every = 2
checkpoint_every = 4
"""


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def run(*words):
    return subprocess.run([binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ)


def record(folder):
    return json.loads(Path(folder, "result.json").read_text())


def refused(done, expected, what):
    check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0,
          f"{what}: exit {done.returncode}: {done.stderr.strip()[-300:]}")


def weights(folder):
    run("export", folder, "-o", f"{folder}_x", "--dtype", "fp32", "--overwrite")
    return Path(f"{folder}_x", "model.safetensors").read_bytes()


def training(scratch):
    make_model(scratch / "model")
    (scratch / "text.txt").write_text("In the beginning there was a text, and it was short. " * 20)
    (scratch / "d.toml").write_text(DECK)
    def train(out, *words):
        return run("train", scratch / "d.toml", "--out", scratch / out, *words)
    check(train("whole").returncode == 0, "a run without a stop")
    check((scratch / "whole" / "state.previous.h5").exists(), "the checkpoint before the last one is kept")
    check(train("parts", "--set", "training.steps=8").returncode == 0, "the first 8 of 12 steps")
    before = (scratch / "parts" / "state.h5").read_bytes()
    for key, value in (("training.batch_sequences", 4), ("training.seed", 7), ("training.learning_rate", 0.5), ("model.hidden", 48),
                       ("text.train", '"model/tokenizer.json"')):
        refused(train("parts", "--restart", "--set", f"{key}={value}"), "in the checkpoint, found", f"a restart with another {key}")
    refused(train("parts", "--restart", "--set", "training.steps=4"), "is at step 8", "fewer steps than are done")
    check((scratch / "parts" / "state.h5").read_bytes() == before, "a refused restart leaves the checkpoint")
    done = train("parts", "--restart", "--set", "training.steps=8")
    check(done.returncode == 0 and "nothing is left to do" in done.stdout, "a restart of a finished run does nothing")
    check(record(scratch / "parts")["status"] == "complete" and len(record(scratch / "parts")["loss_history"]) == 4, "and keeps its result")
    check(train("parts", "--restart").returncode == 0 and len(record(scratch / "parts")["loss_history"]) == 6, "a restart keeps the history")

    shutil.copytree(scratch / "whole", scratch / "damaged")
    state = scratch / "damaged" / "state.h5"
    state.write_bytes(state.read_bytes()[:500])
    done = train("damaged", "--restart")
    check(done.returncode == 0 and "note: " in done.stdout and "state.previous.h5" in done.stdout, f"the older checkpoint helps {done.stderr[-200:]}")
    check(weights(scratch / "damaged") == weights(scratch / "whole"), "bit for bit as the run without a stop")
    run("prune", scratch / "whole", "--method", "magnitude", "--out", scratch / "pruned")
    refused(run("train", scratch / "d.toml", "--out", scratch / "pruned", "--restart"), "no training run has written", "a restart from a pruned model")


def signals(scratch):
    model = make_model(scratch / "model", config={"max_position_embeddings": 100000})
    shown = scratch / "shown.txt"
    with open(shown, "wb") as out:
        process = subprocess.Popen([binary, "run", "--model", model, "--prompt", "hi", "--tokens", "99000", "--ignore-end", "--out",
                                    scratch / "cut"], stdout=out, stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while shown.stat().st_size < 20 and time.time() < deadline:  # until there are tokens
        time.sleep(0.05)
    check(record(scratch / "cut")["status"] == "incomplete" and not record(scratch / "cut")["valid"], "a run under way is not valid")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    r = record(scratch / "cut")
    check(r["status"] == "incomplete" and not r["valid"] and 0 < len(r.get("tokens", [[]])[0]) < 99000 and "stopped by a signal" in r["status_note"],
          f"a run that was cut says so: {r['status_note']}")


def exports(scratch):
    model = make_model(scratch / "model")
    out = scratch / "out"
    check(run("export", model, "-o", out).returncode == 0, "a new folder")
    old = (out / "model.safetensors").read_bytes()
    refused(run("export", make_model(scratch / "other", seed=2), "-o", out), "found a model there", "a folder with a model")
    check((out / "model.safetensors").read_bytes() == old, "the older model stays")
    (out / "notes.txt").write_text("mine")
    check(run("export", scratch / "other", "-o", out, "--overwrite").returncode == 0 and (out / "model.safetensors").read_bytes() != old
          and (out / "notes.txt").read_text() == "mine", "--overwrite replaces it, and it alone")
    check(not list(scratch.glob("*.new-*")), "nothing is left beside it")
    (scratch / "folder.h5").mkdir()
    refused(run("convert", "--model", model, "--out", scratch / "folder.h5"), "not a folder", "a folder as a packed file")


def sizes(scratch):
    model = make_model(scratch / "model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "hidden_size": 1 << 24, "num_attention_heads": 1 << 17, "num_key_value_heads": 1 << 17,
                                                   "num_hidden_layers": 4000}))
    refused(run("run", "--model", model), "are available", "a model of 2^24 columns")
    refused(run("run", "--synthetic", "llama2-70b:sparsity=0", "--value", "fp32", "--format", "dense"), "are available", "70 billion weights")
    refused(run("run", "--synthetic", "tinyllama-1.1b:layers=1", "--prompt-tokens", 10 ** 9), "at most", "a billion tokens of prompt")
    refused(run("run", "--synthetic", "tinyllama-1.1b:layers=1,context=1000000", "--prompt-tokens", 10 ** 6 - 8, "--tokens", 2, "--sequences", 1000),
            "are available", "a thousand sequences of a million tokens")
    (scratch / "text.txt").write_text("text " * 300)
    (scratch / "d.toml").write_text(DECK.replace("dim = 16", "dim = 1000000").replace("heads = 2", "heads = 100"))
    refused(run("train", scratch / "d.toml", "--out", scratch / "t"), "are available", "training of a million columns")


with tempfile.TemporaryDirectory() as name:
    for part in (training, signals, exports, sizes):
        folder = Path(name, part.__name__)
        folder.mkdir()
        part(folder)

print(f"{failures} failed")
sys.exit(1 if failures else 0)
