#!/usr/bin/env python3
"""Every option of `sparse_llama run`, alone and together with others: the result records what was used, and it was used.

usage: test_run_options.py SPARSE_LLAMA
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from made_model import make_model

binary = sys.argv[1]
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def call(*words):
    return subprocess.run([binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ)


def at(record, *keys):
    for key in keys:
        record = record[key]
    return record


with tempfile.TemporaryDirectory() as name:
    scratch = Path(name)
    model = make_model(scratch / "model", tokenizer_config={"add_bos_token": True})
    (scratch / "prompt.txt").write_text("abc")
    other = make_model(scratch / "other", seed=2)
    # option: words that go with it, and where else than in "options" the result shows that it was used
    options = {
        "--model": ([model], lambda r: at(r, "model", "name") == str(model)),
        "--synthetic": (["tinyllama-1.1b:layers=1,context=64"], lambda r: at(r, "model", "name") == "tinyllama-1.1b:layers=1,context=64"),
        "--format": (["dense"], lambda r: at(r, "model", "format") == "dense"),
        "--value": (["fp32"], lambda r: at(r, "model", "value") == "fp32"),
        "--cache": (["int8"], lambda r: at(r, "model", "cache") == "int8"),
        "--activation-threshold": ([0.25], lambda r: at(r, "model", "activation_threshold") == 0.25),
        "--target": (["wafer"], lambda r: r["target"] == "wafer"),
        "--prompt": (["abcd"], lambda r: at(r, "model", "prompt_tokens") == 5 and at(r, "generation", "prompt") == "--prompt"),
        "--print-logits": ([scratch / "logits.npy"], lambda r: (scratch / "logits.npy").stat().st_size == 256 + (12 + 4 * 258) * len(r["tokens"][0])),
        "--print-tokens": ([], lambda r: True),
        "--prompt-file": ([scratch / "prompt.txt"], lambda r: at(r, "model", "prompt_tokens") == 4),
        "--prompt-tokens": ([7], lambda r: at(r, "model", "prompt_tokens") == 7),
        "--tokens": ([3], lambda r: at(r, "generation", "tokens_asked_for") == 3 and len(r["tokens"][0]) <= 3),
        "--sequences": ([2], lambda r: at(r, "model", "sequences") == 2 and len(r["tokens"]) == 2),
        "--tokenizer": ([other], lambda r: at(r, "generation", "tokenizer") == str(other / "tokenizer.json")),
        "--temperature": ([0.5], lambda r: at(r, "generation", "temperature") == 0.5),
        "--top-p": ([0.5], lambda r: at(r, "generation", "top_p") == 0.5),
        "--seed": ([9], lambda r: at(r, "generation", "seed") == 9),
        "--ignore-end": ([], lambda r: at(r, "generation", "ignore_end") is True and at(r, "generation", "end_tokens") == []),
        "--quiet": ([], lambda r: True),
        "--out": ([], lambda r: True),
        "--overwrite": ([], lambda r: True),
        # of the wafer
        "--machine": (["wse3"], lambda r: "wse3" in json.dumps(r["wafer"]).lower().replace("-", "")),
        "--machine-set": (["core.clock_mhz.value=500"], lambda r: "500" in json.dumps(r["wafer"])),
        "--tiles": (["300x300"], lambda r: at(r, "wafer", "tiles") == [300, 300]),
        "--cache-tokens": ([64], lambda r: True),
        "--rows-together": ([2], lambda r: at(r, "wafer", "rows_together") == 2),
        "--layers-per-region": ([1], lambda r: at(r, "wafer", "layers_per_region") == 1),
        "--strips": ([1], lambda r: at(r, "wafer", "strips") == 1),
        "--for-throughput": ([], lambda r: True),
        "--rows-in-order": ([], lambda r: True),
        "--stored-weights": (["sent"], lambda r: at(r, "wafer", "stored_weights") == "sent"),
        "--trace": (["0,0"], lambda r: True),
        "--weights": (["streamed"], lambda r: at(r, "wafer", "weights") == "streamed"),
        "--tile-sums": (["fp32"], lambda r: at(r, "wafer", "tile_sums") == "fp32"),
        "--edge-code": (["mask"], lambda r: True),
        "--groups": ([1], lambda r: at(r, "wafer", "groups") == 1),
        "--outputs-ahead": ([3], lambda r: True),
        "--sums-together": ([4], lambda r: at(r, "wafer", "sums_together") == 4),
        "--worked-out": ([1], lambda r: not r["tokens"] or not r["tokens"][0]),
    }
    listed = set(re.findall(r"(?m)^ +(?:-\w,)?(--[a-z-]+)", call("run", "--help").stdout)) - {"--help"}
    check(listed == set(options), f"each option has a line here: {sorted(listed ^ set(options))}")
    wafer = {"--target", "--machine", "--machine-set", "--tiles", "--cache-tokens", "--rows-together", "--layers-per-region", "--strips",
             "--for-throughput", "--rows-in-order", "--stored-weights", "--trace", "--weights"}
    streamed = {"--tile-sums", "--edge-code", "--groups", "--outputs-ahead", "--sums-together", "--worked-out"}
    wafer |= streamed

    def words_of(option):
        return [option, *options[option][0]] if option != "--out" else []

    def tried(option, beside):
        out = scratch / f"out{option}{len(beside)}"
        base = [] if option in ("--model", "--synthetic") else ["--model", model]
        prompt = [] if option.startswith("--prompt") else ["--prompt-tokens", 4]
        length = [] if option == "--tokens" else ["--tokens", 1 if option == "--worked-out" else 2]
        target = ["--target", "wafer"] if option in wafer - {"--target"} else []
        target += ["--tiles", "16x16"] if option in {"--strips", "--weights", *streamed} else []
        target += ["--weights", "streamed"] if option in streamed else []
        done = call("run", *base, *prompt, *length, *target, *words_of(option), *beside, "--out", out, *(["--overwrite"] if option == "--print-logits" else []))
        if done.returncode != 0:
            return False, f"{option} beside {beside}: {done.stderr.strip()[-300:]}"
        record = json.loads((out / "result.json").read_text())
        given = [str(w) for w in options[option][0]]
        used = record["options"][option.lstrip("-")] if option.lstrip("-") in record["options"] else record["options"][option]
        right = option == "--out" or (used == given if isinstance(used, list) else used is True if not given else used == given[0])
        return right and options[option][1](record), f"{option} beside {beside}: {used}"

    jobs = []
    with ThreadPoolExecutor(2) as pool:
        for option in sorted(options):
            if option == "--activation-threshold":
                besides = [[], ["--seed", 3]]
            elif option in wafer:
                besides = [[], ["--machine-set", "core.clock_mhz.value=400"] if option not in ("--machine-set", "--target") else ["--seed", 3]]
            else:
                besides = [[], ["--temperature", "0.7"] if option != "--temperature" else ["--seed", 3]]
            jobs += [pool.submit(tried, option, beside) for beside in besides]
        for job in jobs:
            check(*job.result())

print(f"{failures} failed")
sys.exit(1 if failures else 0)
