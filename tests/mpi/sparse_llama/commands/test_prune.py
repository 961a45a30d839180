#!/usr/bin/env python3
"""`sparse_llama prune` as users call it: sparsity of each matrix, the keys, 1 and 2 ranks, the same again, bad input.

usage: test_prune.py SPARSE_LLAMA DENSE_MODEL_FOLDER TEXT
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path

binary, model, text = sys.argv[1:4]
calibrated = ("--calibration", text, "--tokenizer", f"{model}/tokenizer.model", "--sequences", "4", "--length", "64")
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def prune(folder, *words, ranks=1, model=model):
    command = (["mpirun", "-np", str(ranks)] if ranks > 1 else []) + [binary, "prune", model, "--out", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ)


def by_matrix(done):
    """name: sparsity, from the lines that the command prints."""
    found = {}
    for line in done.stdout.splitlines():
        if "weights, sparsity" in line:
            found[line.split()[0]] = float(re.search(r"sparsity ([0-9.]+)", line)[1])
    return found


def zeros(folder, tensor):
    """Which numbers of a tensor are zero."""
    content = (folder / "model.safetensors").read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    entry = json.loads(content[8:head])[tensor]
    first, last = entry["data_offsets"]
    numbers = array("I" if entry["dtype"] == "F32" else "H", content[head + first:head + last])
    sign = 1 << (8 * numbers.itemsize - 1)
    return [n in (0, sign) for n in numbers]


with tempfile.TemporaryDirectory() as name:
    scratch = Path(name)
    for method, words in (("magnitude", calibrated[2:4]), ("wanda", calibrated), ("sparsegpt", calibrated)):
        done = prune(scratch / method, "--method", method, "--sparsity", "0.7", *words, "--evaluate", text)
        check(done.returncode == 0, f"{method} ends well {done.stderr.strip()[-200:]}")
        matrices = by_matrix(done)
        check(len(matrices) == 42 and all(abs(s - 0.7) < 0.006 for s in matrices.values()), f"{method}: each of 42 matrices at 70 %")
        figures = {f["name"]: f["value"] for f in json.loads((scratch / method / "result.json").read_text())["figures"]}
        check(figures["perplexity"] > figures["perplexity_before"] and
              abs(figures["perplexity_change"] - figures["perplexity"] + figures["perplexity_before"]) < 1e-3 * figures["perplexity"],
              f"{method}: perplexity {figures['perplexity_before']:.1f} before, {figures['perplexity']:.1f} after")

    whole = by_matrix(prune(scratch / "global", "--method", "magnitude", "--global", "--sparsity", "0.6"))
    check(max(whole.values()) - min(whole.values()) > 0.05 and abs(sum(whole.values()) / len(whole) - 0.6) < 0.1, "--global: matrices differ")
    own = by_matrix(prune(scratch / "own", "--method", "magnitude", "--sparsity", "0.5", "--sparsity-of", "down_proj=0.8", "layers.0.=0.3"))
    check(all(abs(s - (0.3 if ".layers.0." in n else 0.8 if "down_proj" in n else 0.5)) < 0.01 for n, s in own.items()
              if not (".layers.0." in n and "down_proj" in n)), "--sparsity-of: shares by name")
    pattern = by_matrix(prune(scratch / "pattern", "--method", "wanda", "--two-of-four", *calibrated))
    check(all(s == 0.5 for s in pattern.values()), "2:4 leaves half")
    exported = subprocess.run([binary, "export", str(scratch / "pattern"), "-o", str(scratch / "folder")], capture_output=True, text=True)
    packed = subprocess.run([binary, "run", "--model", str(scratch / "folder"), "--format", "two_four", "--tokens", "2", "--prompt-tokens", "2"],
                            capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(exported.returncode == 0 and packed.returncode == 0, f"what was pruned 2:4 runs as 2:4 {packed.stderr.strip()[-200:]}")
    again, two = prune(scratch / "again", "--sparsity", "0.7", *calibrated), prune(scratch / "two", "--sparsity", "0.7", *calibrated, ranks=2)
    check(again.returncode == two.returncode == 0 and by_matrix(again) == by_matrix(two), "SparseGPT on 2 ranks")

    # A run that is killed between two layers goes on to the same bits, on one rank and on two.
    for ranks in (1, 2):
        whole, cut = scratch / f"whole{ranks}", scratch / f"cut{ranks}"
        words = ("--sparsity", "0.6", "--calibration", text, "--sequences", "4", "--length", "256", "--dtype", "fp32")
        check(prune(whole, *words, ranks=ranks).returncode == 0, f"a whole run on {ranks}")
        process = subprocess.Popen(["mpirun", "-np", str(ranks), binary, "prune", model, "--out", str(cut), *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while not (cut / "pruning.json").exists() and process.poll() is None and time.time() < deadline:
            time.sleep(0.001)
        for rank in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(rank), signal.SIGKILL)
        process.wait()
        check((cut / "pruning.json").exists(), f"on {ranks}: layers were finished, not all {list(cut.iterdir())}")
        again = prune(cut, *words, ranks=ranks)
        check(again.returncode == 2 and "--restart to go on with that run" in again.stderr, f"not written over {again.stderr.strip()}")
        other = prune(cut, *words, "--damping", "0.02", "--restart", ranks=ranks)
        check(other.returncode == 2 and "damping = 0.01 in the checkpoint" in other.stderr, f"not gone on with otherwise {other.stderr.strip()}")
        check(prune(cut, *words, "--restart", ranks=ranks).returncode == 0, "a restart")
        same = (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
        check(same and not (cut / "pruning.json").exists(), f"on {ranks}: the same bits as the whole run")
        check("nothing is left to do" in prune(cut, *words, "--restart", ranks=ranks).stdout, "then nothing is left to do")
    errors = [[m["relative_output_error"] for m in json.loads((scratch / f"whole{ranks}/result.json").read_text())["pruning"]["matrices"]]
              for ranks in (1, 2)]
    check(all(abs(a - b) <= 1e-3 * a for a, b in zip(*errors)), "the same errors on two ranks")

    # The weights of bf16 are rounded ones, and later blocks see what they make of the text. The first block sees the same.
    check(prune(scratch / "rounded", *words[:-1], "bf16").returncode == 0, "bf16")
    rounded = [m["relative_output_error"] for m in json.loads((scratch / "rounded/result.json").read_text())["pruning"]["matrices"]]
    check(all(abs(a - b) <= 1e-3 * a for a, b in zip(errors[0][:7], rounded)), "the first block's errors in bf16 are those in fp32")
    check(abs(sum(rounded) / sum(errors[0]) - 1) < 5e-3, "and so are all of them together, nearly")
    names = [f"model.layers.0.{part}_proj.weight" for part in ("self_attn.q", "self_attn.o", "mlp.up", "mlp.down")]
    check(all(zeros(scratch / "whole1", name) == zeros(scratch / "rounded", name) for name in names), "the first block's masks, too")

    for words, expected in (
        (("--method", "best"), "--method: found 'best', expected one of"),
        (("--sparsity", "1.5"), "--sparsity"),
        (("--sparsity", "0.5", "--two-of-four"), "--sparsity excludes --two-of-four"),
        (("--method", "magnitude", "--sparsity-of", "nothing=0.5"), "sparsity of 'nothing': found no such matrix"),
        (("--method", "magnitude", "--sparsity-of", "down_proj"), "expected NAME=SHARE"),
        (("--method", "magnitude", "--sparsity-of", "down_proj=2"), "with a share from 0 to 1"),
        (("--method", "wanda"), "expected a calibration text"),
        (("--calibration", text), "expected at least 128 sequences of 256"),  # by the model's own tokenizer
        (("--method", "wanda", "--global", *calibrated), "--global: expected the magnitude method"),
        ((*calibrated, "--damping", "-1"), "--damping: found"),
        (("--calibration", text, "--tokenizer", f"{model}/tokenizer.model", "--sequences", "100000"), "expected at least 100000 sequences of 256"),
        (("--calibration", "/nowhere.txt", "--tokenizer", f"{model}/tokenizer.model"), "/nowhere.txt: cannot be read"),
    ):
        done = prune(scratch / "bad", *words)
        check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0, f"{' '.join(words)}: {done.stderr.strip()}")
    done = prune(scratch / "bad", model="/nowhere")
    check(done.returncode == 2 and "/nowhere: found no such file" in done.stderr, f"no model: {done.stderr.strip()}")

print(f"{failures} failed")
sys.exit(1 if failures else 0)
