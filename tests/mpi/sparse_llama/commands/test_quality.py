#!/usr/bin/env python3
"""Perplexities as they are published, tasks and logits of `sparse_llama evaluate`, for every architecture, against numpy in double precision.

usage: test_quality.py SPARSE_LLAMA MPIEXEC
"""
import itertools
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from calls import call, called, check, finish
from made_model import make_model
from reference_model import Reference

BOS, CONTEXT = 256, 64  # of made models, whose tokens are bytes
TEXT = "It was a bright cold day in April, and the clocks were striking thirteen. Caf\u00e9 na\u00efve. " * 4
SIZES = {"hidden_size": 24, "num_attention_heads": 6, "num_key_value_heads": 3, "num_hidden_layers": 2, "head_dim": 6}
MODELS = {"llama": {}, "mistral": {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": 11},
          "qwen2": {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "use_sliding_window": False, "sliding_window": 32768},
          "qwen3": {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "tie_word_embeddings": True, "layer_types": ["full_attention"] * 2}}
PACKED = ["--format", "dense", "--value", "fp32"]
TASK = [{"context": "The day was bright and", "endings": ["cold.", "a clock!", "it struck thirteen times"], "label": 0},
        {"context": "One ", "endings": ["two", "three"], "label": "1", "id": 7},
        {"context": "", "endings": ["alone", "together with all the others"], "label": 1},
        {"context": "x" * 100, "endings": ["yes", "no"], "label": 0}]
WORDS = [{"context": "the clocks were striking", "endings": ["thirteen"]}, {"context": "a", "endings": ["b"], "label": 0}]


def near(found, expected, tolerance=2e-4):
    return found is not None and abs(found - expected) <= tolerance * max(1, abs(expected))


def evaluated(out, *words, ranks=1):
    return called("evaluate", out, *words, ranks=ranks)


def windows(protocol, text, window):
    """[(shown, targets, first that counts)], each way from its own publication."""
    if protocol == "whole":
        return [([BOS, *text[i:i + window]][:len(text[i:i + window])], text[i:i + window], 0) for i in range(0, len(text), window)]
    tokens = [BOS, *text]
    cut = [tokens[i * window:(i + 1) * window] for i in range(len(tokens) // window)]
    if protocol == "sparsegpt":  # logits[:, :-1] against tokens[:, 1:]
        return [(w[:-1], w[1:], 0) for w in cut]
    return [([BOS, *w[1:-1]], w[1:], window // 2) for w in cut]  # llama.cpp: first = n_ctx / 2


def published(reference, protocol, text, window):
    values = np.concatenate([reference.log_probabilities(shown, targets)[first:] for shown, targets, first in windows(protocol, text, window)])
    perplexity = np.exp(-values.mean())
    return perplexity, perplexity * np.sqrt(values.var() / (len(values) - 1)), len(values)


def scored(reference, item):
    """ln p of each ending, and whether greedy decoding makes it."""
    out = []
    for ending in item["endings"]:
        context = item["context"].rstrip(" ")
        blank = " " if context else ""
        before, both = [BOS, *context.encode()], [BOS, *(context + blank + ending).encode()]
        shown, targets = both[:-1][-CONTEXT:], both[1:][-CONTEXT:]
        own = len(both) - len(before)
        values = reference.log_probabilities(shown, targets)[-own:]
        most = reference.logits(shown)[-own:].argmax(-1)
        out.append((values.sum(), bool((most == targets[-own:]).all())))
    return out


def test_text(scratch, name, model):
    reference, text, results = Reference(model), list(TEXT.encode()), []
    (scratch / "text.txt").write_text(TEXT)
    for number, (protocol, window, ranks, packed) in enumerate((
            ("whole", 40, 1, []), ("sparsegpt", 40, 1, []), ("llama.cpp", 40, 1, []), ("whole", 64, 1, PACKED), ("sparsegpt", 33, 3, []), ("llama.cpp", 33, 2, []),
            ("sparsegpt", 64, 2, PACKED), ("llama.cpp", 41, 3, PACKED))):
        record, figures, done = evaluated(scratch / f"{name}{number}", model, scratch / "text.txt", "--protocol", protocol, "--window", window, *packed, ranks=ranks)
        value, error, count = published(reference, protocol, text, window)
        results.append((record and near(figures["perplexity"], value) and near(figures["perplexity_standard_error"], error) and figures["tokens_counted"] == count
                        and record["evaluation"]["window"] == window and record["evaluation"]["protocol"] == protocol,
                        f"{name}: {protocol} in windows of {window} on {ranks} ranks{' packed' if packed else ''}: {figures.get('perplexity')}, numpy {value:.5f} +- {error:.4f} "
                        f"{done.stderr.strip()[-200:]}"))
    return results


def test_tokens(scratch, name, model):
    """Prefill and decoding go the reference's way; so does a pruned model."""
    reference, results = Reference(model), []
    prompt = "bright cold"
    expected = reference.greedy([BOS, *prompt.encode()], 30)
    for ranks in (1, 2, 3):
        done = call("run", "--model", model, "--prompt", prompt, "--tokens", 30, "--ignore-end", *PACKED, "--out", scratch / f"{name}run{ranks}", ranks=ranks)
        made = json.loads((scratch / f"{name}run{ranks}/result.json").read_text())["tokens"][0] if done.returncode == 0 else done.stderr
        results.append((made == expected, f"{name}: the reference's 30 tokens on {ranks} ranks {'' if made == expected else made}"))
    pruned = scratch / f"{name}pruned"
    done = call("prune", model, "--method", "sparsegpt", "--sparsity", 0.5, "--calibration", scratch / "text.txt", "--sequences", 4, "--length", 32, "--out", pruned, ranks=2)
    if done.returncode != 0:
        return [*results, (False, f"{name}: prune: {done.stderr}")]
    value = published(Reference(pruned), "sparsegpt", list(TEXT.encode()), 40)[0]
    before = published(reference, "sparsegpt", list(TEXT.encode()), 40)[0]
    record, figures, done = evaluated(scratch / f"{name}prunedresult", pruned, scratch / "text.txt", "--protocol", "sparsegpt", "--window", 40)
    results.append((record and near(figures["perplexity"], value) and not near(value, before) and abs(figures["sparsity"] - 0.5) < 0.01,
                    f"{name}: pruned by half, {figures.get('perplexity')}, numpy {value:.5f}, before {before:.5f} {done.stderr}"))
    config = json.loads((pruned / "config.json").read_text())
    results.append((config["model_type"] == name and config["architectures"] == json.loads((model / "config.json").read_text())["architectures"],
                    f"{name}: stays {config['model_type']} when pruned"))
    if name == "llama":
        return results
    for words in (("run", "--model", model, "--target", "wafer"), ("info", "--model", model, "--target", "wafer"),
                  ("recover", "--set", f"recover.model=\"{model}\"", scratch / "recover.toml", "--out", scratch / "never")):
        done = call(*words)
        results.append((done.returncode == 2 and f"found a model of type {name}, expected llama" in done.stderr and done.stderr.strip().count("\n") == 0,
                        f"{name}: {words[0]} refuses it: {done.stderr.strip()[-200:]}"))
    return results


def test_logits(scratch, model):
    reference = Reference(model)
    for ranks in (1, 2):
        file = scratch / f"logits{ranks}.npy"
        record, _, done = evaluated(scratch / f"withlogits{ranks}", model, scratch / "text.txt", "--protocol", "sparsegpt", "--window", 60, *PACKED, "--print-logits", file,
                                    "--print-tokens", ranks=ranks)
        rows = np.load(file)
        expected = windows("sparsegpt", list(TEXT.encode()), 60)
        worst = 0
        for n, (shown, _, _) in enumerate(expected):
            own = rows[rows["sequence"] == n]
            worst = max(worst, np.abs(own["logits"] - reference.logits(shown)).max()) if own["token"].tolist() == shown else np.inf
        check(worst < 1e-4 and len(rows) == 59 * len(expected), f"logits of {len(rows)} tokens on {ranks} ranks, largest error {worst:.2g}")
        check(f"sequence 1: tokens [{', '.join(map(str, expected[1][0]))}]" in done.stdout, "tokens are printed")
    before = file.read_bytes()
    again = call("evaluate", model, scratch / "text.txt", *PACKED, "--print-logits", file)
    check(again.returncode == 2 and "is there already" in again.stderr and file.read_bytes() == before, f"a file is not written over: {again.stderr.strip()}")
    plain = call("evaluate", model, scratch / "text.txt", "--print-logits", scratch / "p.npy")
    check(plain.returncode == 2 and "expected --format" in plain.stderr and not (scratch / "p.npy").exists(), f"not of unpacked weights: {plain.stderr.strip()}")
    for name in ("nowhere/l.npy", "l.txt", ".npy"):
        done = call("evaluate", model, scratch / "text.txt", *PACKED, "--print-logits", scratch / name if "/" in name else name)
        check(done.returncode == 2 and "--print-logits" in done.stderr and done.stderr.strip().count("\n") == 0, f"{name}: {done.stderr.strip()}")
    check(not list(scratch.glob("*.unfinished")), "nothing half is left")


def test_task(scratch, model):
    reference = Reference(model)
    (scratch / "task.jsonl").write_text("\n".join(json.dumps(item) for item in TASK) + "\n\n", newline="\r\n")
    expected = [scored(reference, item) for item in TASK]
    labels = [int(item["label"]) for item in TASK]
    best = [int(np.argmax([s for s, _ in e])) for e in expected]
    best_by_byte = [int(np.argmax([s / len(ending.encode()) for (s, _), ending in zip(e, item["endings"])])) for e, item in zip(expected, TASK)]
    for ranks, packed in ((1, []), (3, []), (1, PACKED), (2, PACKED)):
        record, figures, done = evaluated(scratch / f"task{ranks}{len(packed)}", model, "--task", scratch / "task.jsonl", *packed, ranks=ranks)
        if not record:
            check(False, done.stderr)
            continue
        items = record["evaluation"]["items"]
        check(all(near(found, s) for item, e in zip(items, expected) for found, (s, _) in zip(item["log_likelihoods"], e)), f"ln p of the endings on {ranks} ranks {packed}")
        check([i["choice"] for i in items] == best and [i["choice_by_byte"] for i in items] == best_by_byte, f"choices {best}, by byte {best_by_byte}")
        for figure, chosen in (("accuracy", best), ("accuracy_normalised", best_by_byte)):
            p = np.mean([a == b for a, b in zip(chosen, labels)])
            check(near(figures[figure], p) and near(figures[figure + "_standard_error"], np.sqrt(p * (1 - p) / 3)), f"{figure} {p}")
        check(record["evaluation"]["endings_with_cut_context"] == 2 and "2 of 9 endings: the context was cut" in done.stdout, "a long context is cut from the left, and said")
    (scratch / "words.jsonl").write_text("\n".join(json.dumps(item) for item in WORDS))
    expected = [scored(reference, item)[0] for item in WORDS]
    record, figures, done = evaluated(scratch / "words", model, "--task", scratch / "words.jsonl")
    check(record and near(figures["ending_perplexity"], np.exp(-np.mean([s for s, _ in expected]))) and near(figures["accuracy"], np.mean([g for _, g in expected])),
          f"one ending: perplexity {figures.get('ending_perplexity')} {done.stderr}")


def test_greedy_endings(scratch, models):
    """A context behind which a model makes white space and a letter: an ending that it makes, and one that it does not."""
    for model in models:
        reference = Reference(model)
        for letters in itertools.islice(itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=3), 3000):
            context = "".join(letters)
            first = reference.greedy([BOS, *context.encode()], 1)[0]
            made = reference.greedy([BOS, *context.encode(), first], 1)[0] if first in list(b" \t\n\r\v\f") else 0
            if 33 <= made < 127:
                endings = [chr(first) + chr(letter) for letter in (made, made ^ 1)]
                (scratch / "made.jsonl").write_text("".join(json.dumps({"context": context, "endings": [ending]}) + "\n" for ending in endings))
                record, figures, done = evaluated(scratch / "made", model, "--task", scratch / "made.jsonl", *PACKED)
                check(record and [i["greedy"] for i in record["evaluation"]["items"]] == [True, False] and figures["accuracy"] == 0.5,
                      f"greedy decoding makes {endings[0]!r} behind {context}, not {endings[1]!r} {done.stderr}")
                return
    check(False, "no model makes a text")


def test_bad_tasks(scratch, model):
    good = json.dumps(TASK[0])
    cases = [("", "found no line"), (good + "\n{", "line 2: found text that is not JSON"), (good + "\n[]", "line 2: found [], expected an object"),
             ('{"endings": ["a", "b"], "label": 0}', "line 1: context = null"), ('{"context": "a", "label": 0}', "line 1: endings = null"),
             ('{"context": "a", "endings": [], "label": 0}', "line 1: endings = []"), ('{"context": "a", "endings": "b", "label": 0}', "line 1: endings = "),
             ('\n\n{"context": "a", "endings": ["b", 3], "label": 0}', "line 3: an ending = 3"), ('{"context": "a", "endings": ["b", " "], "label": 0}', "found an empty ending"),
             *((json.dumps({"context": "a", "endings": ["b", "c"], "label": label}), "line 1: label = ") for label in (2, -1, 1.0, "2", "x", None, True, 10**30)),
             ('{"context": "a", "endings": ["b", "c"]}', "label = null: expected 0 to 1"), (good + '\n{"context": "a", "endings": ["b"]}', "line 2: found 1 endings, but 3 in line 1"),
             (json.dumps({"context": "a", "endings": ["b" * 80]}), "line 1: found an ending of 81 tokens, expected at most the window of 64"),
             ('{"context": "a", "context": "b", "endings": ["b"]}', "twice")]

    def tried(number, text, expected):
        file = scratch / f"bad{number}.jsonl"
        file.write_text(text)
        done = call("evaluate", model, "--task", file, "--out", scratch / f"badout{number}")
        return (done.returncode == 2 and expected in done.stderr and file.name in done.stderr and done.stderr.strip().count("\n") == 0
                and not (scratch / f"badout{number}/result.json").exists(), f"{text[:50]!r}: {done.stderr.strip()}")
    with ThreadPoolExecutor(4) as pool:
        for good_one, what in pool.map(lambda item: tried(item[0], *item[1]), enumerate(cases)):
            check(good_one, what)
    for words, expected in ((("--task", scratch / "nowhere.jsonl"), "nowhere.jsonl"), (("--task", scratch / "task.jsonl", "--protocol", "sparsegpt"), "--protocol"),
                            (("--task", scratch / "task.jsonl", "--window", 65), "--window 65"), ((scratch / "text.txt", "--task", scratch / "task.jsonl"), "found 2 words and --task"),
                            ((), "found 1 words, expected the model and the text, or --task"), ((scratch / "text.txt", "--protocol", "wikitext"), "--protocol"),
                            ((scratch / "text.txt", "--protocol", "sparsegpt", "--window", 1), "expected at least 1 windows of 2"),
                            ((scratch / "short.txt", "--protocol", "llama.cpp", "--window", 3), "expected at least 2 windows"),
                            ((scratch / "short.txt", "--protocol", "sparsegpt", "--window", 5), "found 4 tokens and windows of 5")):
        done = call("evaluate", model, *words)
        check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0, f"{[str(w)[-20:] for w in words]}: {done.stderr.strip()}")


with tempfile.TemporaryDirectory() as folder:
    scratch = Path(folder)
    (scratch / "short.txt").write_text("abc")
    (scratch / "recover.toml").write_text('[text]\ntrain = "text.txt"\ntokenizer = "llama/tokenizer.json"\n[recover]\nmodel = "x"\n[training]\nsteps = 1\nbatch_sequences = 1\nsequence_tokens = 8\n')
    models = {name: make_model(scratch / name, config={**SIZES, **config}, tokenizer_config={"add_bos_token": True}, seed=number) for number, (name, config) in enumerate(MODELS.items())}
    (scratch / "text.txt").write_text(TEXT)
    with ThreadPoolExecutor(3) as pool:
        for results in pool.map(lambda item: item[0](scratch, *item[1]), ((test, item) for item in models.items() for test in (test_text, test_tokens))):
            for good, what in results:
                check(good, what)
    test_logits(scratch, models["qwen3"])
    test_task(scratch, models["llama"])
    test_greedy_endings(scratch, models.values())
    test_bad_tasks(scratch, models["llama"])

finish()
