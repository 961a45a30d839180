#!/usr/bin/env python3
"""`sparse_llama run` with the prompts of a file: each says what it says alone; waiting, latencies, logits and bad lines.

usage: test_prompts.py SPARSE_LLAMA MPIEXEC
"""
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from calls import call, called, check, finish
from made_model import make_model
from reference_model import Reference

BOS = 256
SIZES = {"hidden_size": 24, "num_attention_heads": 6, "num_key_value_heads": 3, "num_hidden_layers": 2, "head_dim": 6}
LINES = ["first", "a second prompt", "x", "the fourth", "five", "six and more than six", "7"]
FP32 = ["--format", "dense", "--value", "fp32"]


def ran(out, *words, ranks=1):
    return called("run", out, *words, ranks=ranks)


def test_waiting(scratch, model, reference):
    lengths = [3 + 5 * i % 11 for i in range(len(LINES))]
    expected = [reference.greedy([BOS, *line.encode()], length) for line, length in zip(LINES, lengths)]
    end = expected[1][-1]
    cut = [made[:made.index(end)] if end in made else made for made in expected]
    (model / "generation_config.json").write_text(json.dumps({"eos_token_id": end}))
    (scratch / "prompts.jsonl").write_text("\r\n".join(json.dumps({"prompt": line, "tokens": length}) for line, length in zip(LINES, lengths)))
    (scratch / "prompts.txt").write_text("\n".join(LINES) + "\n\n")
    for sequences, ranks in ((1, 1), (2, 2), (3, 3), (7, 1), (9, 2)):
        record, figures, done = ran(scratch / f"waiting{sequences}", "--model", model, "--prompt-file", scratch / "prompts.jsonl", "--sequences", sequences, *FP32, ranks=ranks)
        check(record and record["tokens"] == cut, f"{len(LINES)} prompts in {sequences} slots on {ranks} ranks say what they say alone {done.stderr.strip()[-200:]}")
        if record and sequences < len(LINES):
            check(figures["decode_tokens_per_second"] is None and figures["made_tokens_per_second"] > 0 and 0.3 < figures["slots_busy"] <= 1
                  and 0 < figures["time_to_first_token_mean"] <= figures["latency_mean"] <= figures["latency_p95"], f"rates of {sequences} slots: busy {figures['slots_busy']:.2f}")
        elif record:
            check(figures["decode_tokens_per_second"] > 0 and "latency_mean" not in figures, "nobody waits: rates of prefill and decoding")
    record, _, done = ran(scratch / "lines", "--model", model, "--prompt-file", scratch / "prompts.txt", "--tokens", 4, "--ignore-end", "--sequences", 2, *FP32)
    check(record and record["tokens"] == [reference.greedy([BOS, *line.encode()], 4) for line in LINES] and record["generation"]["prompts"] == 7
          and done.stdout.count("\n[") + done.stdout.startswith("[") >= 7, f"a line each {done.stderr}")
    alone = [ran(scratch / f"drawn{i}", "--model", model, "--prompt", line, "--tokens", 6, "--temperature", 0.8, "--seed", 4, *FP32)[0]["tokens"][0] for i, line in enumerate(LINES[:3])]
    (scratch / "three.txt").write_text("\n".join(LINES[:3]))
    record, _, _ = ran(scratch / "drawn", "--model", model, "--prompt-file", scratch / "three.txt", "--tokens", 6, "--temperature", 0.8, "--seed", 4, "--sequences", 2, *FP32)
    check(record["tokens"] == alone, "drawn tokens too")
    (scratch / "later.jsonl").write_text('{"prompt": "now", "tokens": 2}\n{"prompt": "later", "tokens": 2, "arrival": 0.3}')
    record, figures, _ = ran(scratch / "later", "--model", model, "--prompt-file", scratch / "later.jsonl", "--sequences", 2, *FP32, ranks=2)
    check(record and figures["slots_busy"] < 0.5 and figures["latency_p95"] < 0.3, "an arrival is waited for, and its latency counts from then on")


def test_logits(scratch, model, reference):
    for target, ranks in (("cluster", 1), ("cluster", 2), ("wafer", 1)):
        file = scratch / f"{target}{ranks}.npy"
        words = ["--target", "wafer", "--tiles", "32x32", "--format", "dense", "--value", "fp32"] if target == "wafer" else FP32
        record, _, done = ran(scratch / f"logits{target}{ranks}", "--model", model, "--prompt-file", scratch / "three.txt", "--sequences", 3, "--tokens", 4, "--ignore-end", *words,
                              "--print-logits", file, "--print-tokens", ranks=ranks)
        if not record:
            check(False, done.stderr)
            continue
        rows, worst = np.load(file), 0
        for n, line in enumerate(LINES[:3]):
            own = rows[rows["sequence"] == n]
            all_tokens = [BOS, *line.encode(), *record["tokens"][n]]
            expected = reference.logits(all_tokens[:-1])[-4:]
            worst = max(worst, np.abs(own["logits"] - expected).max() / np.abs(expected).max())
            check(own["token"].tolist() == all_tokens[-5:-1] and own["position"].tolist() == list(range(len(all_tokens) - 5, len(all_tokens) - 1))
                  and own["logits"].argmax(-1).tolist() == record["tokens"][n], f"{target}: rows of sequence {n}")
            check(f"sequence {n}: prompt [{', '.join(map(str, all_tokens[:-4]))}], made [{', '.join(map(str, record['tokens'][n]))}]" in done.stdout, "printed tokens")
        check(worst < 1e-4, f"{target} on {ranks} ranks: logits are the reference's, largest error {worst:.2g}")


def test_bad_files(scratch, model):
    cases = [("a.jsonl", "", "found no line"), ("a.txt", "\n \n", "found no line"), ("a.jsonl", '{"prompt": 3}', "line 1: prompt = 3"), ("a.jsonl", '{"prompt": "a"}\nx', "line 2: found text that is not JSON"),
             ("a.jsonl", '{"text": "a"}', 'found the key "text", expected prompt, tokens or arrival'), ("a.jsonl", '["a"]', "expected an object"),
             *(("a.jsonl", json.dumps({"prompt": "a", "tokens": n}), "line 1: tokens = ") for n in (0, -1, 1.5, "3", 1e12, True)),
             *(("a.jsonl", json.dumps({"prompt": "a", "arrival": n}), "line 1: arrival = ") for n in (-1, "now", 1e9, [])),
             ("a.jsonl", '{"prompt": "a"}\n' + json.dumps({"prompt": "b" * 40, "tokens": 30}), "line 2: 41 tokens of prompt and 30 more: expected at most the model's context of 64"),
             ("a.txt", "short\n" + "long" * 20, "line 2: 81 tokens of prompt"), ("a.txt", "<s>ok\n", "")]

    def tried(number, name, text, expected):
        folder = scratch / f"bad{number}"
        folder.mkdir()
        (folder / name).write_text(text)
        done = call("run", "--model", model, "--prompt-file", folder / name, "--tokens", 4, "--out", folder / "out")
        if not expected:
            return done.returncode == 0, f"{text!r} runs {done.stderr}"
        return (done.returncode == 2 and expected in done.stderr and name in done.stderr and done.stderr.strip().count("\n") == 0 and not (folder / "out/result.json").exists(),
                f"{text[:40]!r}: {done.stderr.strip()}")
    with ThreadPoolExecutor(4) as pool:
        for good, what in pool.map(lambda item: tried(item[0], *item[1]), enumerate(cases)):
            check(good, what)
    for words, expected in ((("--target", "wafer"), "--target wafer: found 3 prompts for 1 sequences"), (("--prompt", "a"), "excludes"), (("--print-logits", "l.txt"), ".npy")):
        done = call("run", "--model", model, "--prompt-file", scratch / "three.txt", "--tokens", 2, *words)
        check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0, f"{words}: {done.stderr.strip()}")


with tempfile.TemporaryDirectory() as folder:
    scratch = Path(folder)
    model = make_model(scratch / "model", config=SIZES, tokenizer_config={"add_bos_token": True}, seed=3)
    reference = Reference(model)
    test_waiting(scratch, model, reference)
    test_logits(scratch, model, reference)
    test_bad_files(scratch, model)

finish()
