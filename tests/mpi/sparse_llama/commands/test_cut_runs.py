#!/usr/bin/env python3
"""Runs that are cut, repeated or too large: nothing half passes for whole, nothing older is lost.

usage: test_cut_runs.py SPARSE_LLAMA
"""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
    # Reports do not fall on checkpoints: what was summed before the stop counts.
    long = ("--set", "training.steps=600", "--set", "training.report_every=7", "--set", "training.checkpoint_every=5")
    check(train("straight", *long).returncode == 0, "a longer run")
    process = subprocess.Popen([binary, "train", scratch / "d.toml", "--out", scratch / "pieces", *long], stdout=subprocess.DEVNULL)
    deadline = time.time() + 60
    while not (scratch / "pieces" / "state.h5").exists() and time.time() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    check(process.wait(60) == 0 and record(scratch / "pieces")["status"] == "incomplete", record(scratch / "pieces")["status_note"])
    check(train("pieces", *long, "--restart").returncode == 0 and
          record(scratch / "pieces")["loss_history"] == record(scratch / "straight")["loss_history"], "the history is that of a run without a stop")
    check(weights(scratch / "pieces") == weights(scratch / "straight"), "and so are the weights")

    shutil.copytree(scratch / "whole", scratch / "damaged")
    state = scratch / "damaged" / "state.h5"
    state.write_bytes(state.read_bytes()[:500])
    done = train("damaged", "--restart")
    check(done.returncode == 0 and "note: " in done.stdout and "state.previous.h5" in done.stdout, f"the older checkpoint helps {done.stderr[-200:]}")
    check(weights(scratch / "damaged") == weights(scratch / "whole"), "bit for bit as the run without a stop")
    run("prune", scratch / "whole", "--method", "magnitude", "--out", scratch / "pruned")
    refused(run("train", scratch / "d.toml", "--out", scratch / "pruned", "--restart"), "holds a model", "a restart from a pruned model")


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
    # A killed one leaves what the next clears; two at a time are refused.
    packed, pieces = scratch / "m.h5", scratch / "t.model"
    (scratch / "text.txt").write_text("one two three " * 100)
    commands = ((out, ("export", scratch / "other", "-o", f"{out}/", "--overwrite")), (packed, ("convert", "--model", model, "--out", packed)),
                (pieces, ("tokenizer", scratch / "text.txt", "--vocabulary", 28, "-o", pieces)))
    (scratch / "out.unfinished-export").mkdir()
    for path, words in commands:
        with open(f"{path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            refused(run(*words), "is writing there", f"two programs that {words[0]}")
        done = run(*words)
        check(done.returncode == 0, f"{words[0]} behind a killed one {done.stderr[-200:]}")
    check(not [*scratch.glob("*.unfinished*"), *scratch.glob("*.lock"), *out.glob(".lock")], "nothing is left beside them")
    (scratch / "folder.h5").mkdir()
    refused(run("convert", "--model", model, "--out", scratch / "folder.h5"), "not a folder", "a folder as a packed file")


def earlier_results(scratch):
    """What an earlier run left: refused, replaced by --overwrite, and by the same command where it is of a run that was killed."""
    model = make_model(scratch / "model")
    (scratch / "text.txt").write_text("text " * 300)
    (scratch / "d.toml").write_text(DECK.replace("steps = 12", "steps = 2"))
    tiny = ("--tokens", 2, "--prompt-tokens", 2)
    commands = {
        "run": ("run", "--model", model, *tiny), "wafer": ("run", "--model", model, *tiny, "--target", "wafer", "--tiles", "8x8"),
        "compare": ("compare", "--model", model, *tiny, "--rounds", 1), "evaluate": ("evaluate", model, scratch / "text.txt"),
        "prune": ("prune", model, "--method", "magnitude"), "train": ("train", scratch / "d.toml"),
        "info": ("info", "--model", model, "--target", "wafer", "--tiles", "8x8"), "validate": ("validate",),
    }
    def tried(name):
        out, words = scratch / name, commands[name]
        ends = 3 if name == "validate" else 0  # one row of its measurements is missed (docs/wafer.md)
        done = run(*words, "--out", out)
        check(done.returncode == ends and record(out)["status"] == "complete", f"{name}: {done.stderr[-200:]}")
        kept = {p.name: p.read_bytes() for p in out.iterdir() if p.name != ".lock"}
        for other in ("run", "prune", "train"):
            refused(run(*commands[other], "--out", out), "holds a model" if name in ("prune", "train") and other != name else "result.json",
                    f"{other} into the folder of {name}")
        refused(run(*words, "--out", out), "of an earlier run, expected another folder", f"{name} again")
        check({p.name: p.read_bytes() for p in out.iterdir() if p.name != ".lock"} == kept, "nothing there was touched")
        if name in ("prune", "train"):
            refused(run(*commands["run"], "--out", out, "--overwrite"), "holds a model", "--overwrite of a model by figures")
        check(run(*words, "--out", out, "--overwrite").returncode == ends and record(out)["status"] == "complete", f"{name} --overwrite")
        (out / "result.json").write_text(json.dumps({**record(out), "status": "incomplete"}))
        done = run(*words, "--out", out)
        if name == "train":
            refused(done, "--restart to go on", "a training that was killed and has a checkpoint")
        else:
            check(done.returncode == ends and record(out)["status"] == "complete", f"{name} once more where it was killed {done.stderr[-200:]}")
        with open(out / ".lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            refused(run(*words, "--out", out, "--overwrite"), "is writing there", f"two programs in the folder of {name}")
    with ThreadPoolExecutor(4) as pool:  # a refusal waits for other ranks, asleep
        list(pool.map(tried, commands))
    # An earlier result stays when the input turns out to be bad.
    for words, expected in (((*commands["train"], "--set", "training.batch_sequences=2000000"), "batch_sequences"),
                            ((*commands["train"], "--set", "training.logit_distillation=1"), "expected a teacher"),
                            ((*commands["train"], "--set", "model.context=10000", "--set", "training.sequence_tokens=10000"), "expected at least 10000"),
                            (("prune", model, "--method", "wanda"), "calibration"),
                            (("prune", scratch / "prune", "--method", "magnitude"), "found the folder of the model"),
                            (("prune", model, "--method", "magnitude", "--evaluate", scratch / "nowhere.txt"), "cannot be read")):
        out = scratch / words[0]
        weights = out / ("model.safetensors" if words[0] == "prune" else "state.h5")
        before = weights.read_bytes(), (out / "result.json").read_bytes()
        refused(run(*words, "--out", out, "--overwrite"), expected, " ".join(map(str, words)))
        check((weights.read_bytes(), (out / "result.json").read_bytes()) == before, "the earlier model stays")
    # So it does when a weight, which is looked at as rows are packed, is no number.
    bad = shutil.copytree(model, scratch / "bad")
    with open(bad / "model.safetensors", "r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\xc0\x7f")
    for name in ("run", "wafer", "compare", "evaluate", "prune"):
        words = [bad if word == model else word for word in commands[name]]
        kept = {p.name: p.read_bytes() for p in (scratch / name).iterdir() if p.name != ".lock"}
        refused(run(*words, "--out", scratch / name, "--overwrite"), "found nan as element", f"{name} of a weight that is no number")
        check({p.name: p.read_bytes() for p in (scratch / name).iterdir() if p.name != ".lock"} == kept, f"the earlier result of {name} stays")
    refused(run("export", model, "-o", scratch / "train", "--overwrite"), "found a training state", "an export over a training state")
    refused(run("export", model, "-o", model, "--overwrite"), "found the folder of the model", "an export onto its own model")
    refused(run("train", scratch / "d.toml", "--out", model, "--overwrite"), "holds a model", "training into a Hugging Face folder")
    for words, expected in ((("convert", "--model", model, "--out", scratch / "train/state.h5"), "is there already"),
                            (("convert", "--model", scratch / "train", "--out", scratch / "train/state.h5", "--overwrite"), "found what is read"),
                            (("tokenizer", scratch / "text.txt", "--vocabulary", 300, "-o", scratch / "text.txt"), "found what is read")):
        refused(run(*words), expected, " ".join(map(str, words)))


def sizes(scratch):
    model = make_model(scratch / "model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "hidden_size": 1 << 24, "num_attention_heads": 1 << 17, "num_key_value_heads": 1 << 17,
                                                   "num_hidden_layers": 4000}))
    refused(run("run", "--model", model), "found no tensor model.layers.1.", "4000 layers, by config.json alone")
    refused(run("run", "--synthetic", "llama2-70b:sparsity=0", "--value", "fp32", "--format", "dense"), "are available", "70 billion weights")
    refused(run("run", "--synthetic", "tinyllama-1.1b:layers=1", "--prompt-tokens", 10 ** 9), "at most", "a billion tokens of prompt")
    refused(run("run", "--synthetic", "tinyllama-1.1b:layers=1,context=1000000", "--prompt-tokens", 10 ** 6 - 8, "--tokens", 2, "--sequences", 1000),
            "are available", "a thousand sequences of a million tokens")
    (scratch / "text.txt").write_text("text " * 300)
    (scratch / "d.toml").write_text(DECK.replace("dim = 16", "dim = 1000000").replace("heads = 2", "heads = 100"))
    refused(run("train", scratch / "d.toml", "--out", scratch / "t"), "are available", "training of a million columns")


with tempfile.TemporaryDirectory() as name:
    for part in (training, signals, exports, earlier_results, sizes):
        folder = Path(name, part.__name__)
        folder.mkdir()
        part(folder)

print(f"{failures} failed")
sys.exit(1 if failures else 0)
