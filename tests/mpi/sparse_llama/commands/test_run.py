#!/usr/bin/env python3
"""`sparse_llama run`, compare, info and evaluate as users call them: results, tokens on 1 and 2 ranks, bad input.

usage: test_run.py SPARSE_LLAMA MODEL_FOLDER
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

binary, model = sys.argv[1:3]
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def run(*words, ranks=1, **environment):
    command = (["mpirun", "-np", str(ranks)] if ranks > 1 else []) + [binary, *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | environment)


def result(folder):
    record = json.loads(Path(folder, "result.json").read_text())
    return record, {f["name"]: f["value"] for f in record["figures"]}


with tempfile.TemporaryDirectory() as scratch:
    def generate(name, *words, ranks=1):
        done = run("run", "--model", model, "--prompt", "And the LORD said", "--tokens", "40", "--ignore-end", "--out", f"{scratch}/{name}",
                   *words, ranks=ranks)
        check(done.returncode == 0, f"{name} ends well {done.stderr.strip()[-200:]}")
        return (*result(f"{scratch}/{name}"), done.stdout)

    one, figures, text = generate("one")
    record = one
    check(text.startswith("And the LORD said"), "the text begins with the prompt")
    check(len(record["tokens"]) == 1 and len(record["tokens"][0]) == 40, "one sequence of 40 tokens")
    check(abs(figures["sparsity"] - 0.7) < 1e-3 and 5.5 < figures["bits_per_weight"] < 6.5, "70 % sparse, some 6 bits a weight")
    check(figures["decode_tokens_per_second"] > 0 and figures["prefill_tokens_per_second"] > 0, "both rates are there")
    check(record["figures"][0]["kind"] == "measured", "rates are measured")
    two, _, _ = generate("two", ranks=2)
    check(two["tokens"] == record["tokens"], "the same greedy tokens on 2 ranks")
    check(two["machine"]["device_sums"].startswith(("MPI (", "NCCL ")), f"what sums is named: {two['machine']['device_sums']}")
    # Before weights are read: these are no numbers, which would be said otherwise.
    no_numbers = shutil.copytree(model, f"{scratch}/no_numbers")
    weights = max(Path(no_numbers).glob("*.safetensors"), key=lambda file: file.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:-64] + b"\xc0\x7f" * 32)
    for variable, refusal in (("WAFERMARK_NCCL", "WAFERMARK_NCCL = 'yes': expected 0 or 1"),
                              ("WAFERMARK_BF16_PRODUCTS", "WAFERMARK_BF16_PRODUCTS: found 'yes', expected fp32 or pairs"),
                              ("WAFERMARK_BATCH_PRODUCTS", "WAFERMARK_BATCH_PRODUCTS: found 'yes', expected warps or library")):
        bad = run("run", "--model", no_numbers, "--out", f"{scratch}/bad", **{variable: "yes"})
        check(bad.returncode == 2 and refusal in bad.stderr and not os.path.exists(f"{scratch}/bad/result.json"),
              f"another wish is refused: {bad.stderr.strip()[-200:]}")
    dense, dense_figures, _ = generate("dense", "--format", "dense", "--value", "fp32")
    packed, _, _ = generate("packed", "--format", "bit_mask", "--value", "fp32")
    csr, _, _ = generate("csr", "--format", "csr", "--value", "fp32")
    check(dense["tokens"] == packed["tokens"] == csr["tokens"], "dense, bit mask and CSR in fp32: the same tokens")
    drawn, _, _ = generate("drawn", "--temperature", "1", "--top-p", "0.9", "--seed", "5")
    again, _, _ = generate("again", "--temperature", "1", "--top-p", "0.9", "--seed", "5")
    other, _, _ = generate("other", "--temperature", "1", "--top-p", "0.9", "--seed", "6")
    check(drawn["tokens"] == again["tokens"] != other["tokens"], "draws follow the seed")
    three, _, _ = generate("three", "--sequences", "3", "--temperature", "1")
    check(len({tuple(s) for s in three["tokens"]}) == 3, "three sequences draw for themselves")

    exact, exact_figures, _ = generate("exact", "--activation-threshold", "0", "--value", "fp32")
    check(exact["tokens"] == packed["tokens"] and 0 < exact_figures["inactive_hidden_units"] < 0.2,
          "threshold 0: the same tokens; units that pruning left without weights are skipped")
    skipping, skipping_figures, _ = generate("skipping", "--activation-threshold", "0.05", "--value", "fp32")
    two, two_figures, _ = generate("skipping2", "--activation-threshold", "0.05", "--value", "fp32", ranks=2)
    check(0.1 < skipping_figures["inactive_hidden_units"] < 0.9, f"{skipping_figures['inactive_hidden_units']:.0%} of hidden units skipped")
    check(skipping["tokens"] == two["tokens"] and abs(skipping_figures["inactive_hidden_units"] - two_figures["inactive_hidden_units"]) < 1e-3,
          "skipped alike on 2 ranks")
    check(skipping_figures["bytes_per_token"] < exact_figures["bytes_per_token"], "skipped weights are not counted as read")

    caches = {name: [generate(f"cache_{name}{ranks}", "--cache", name, ranks=ranks)[:2] for ranks in (1, 2)] for name in ("fp32", "bf16", "int8")}
    for name, of_ranks in caches.items():
        check(of_ranks[0][0]["tokens"] == of_ranks[1][0]["tokens"], f"cache in {name}: the same tokens on 2 ranks")
        check(all(r["model"]["cache"] == name and f["cache_bytes"] == of_ranks[0][1]["cache_bytes"] for r, f in of_ranks), f"{name} and its bytes are named")
    size = {name: of_ranks[0][1]["cache_bytes"] for name, of_ranks in caches.items()}
    check(size["fp32"] == 2 * size["bf16"] and size["bf16"] / 2 < size["int8"] < 0.6 * size["bf16"], f"16 bits take half, 8 bits and their scales little more than a quarter {size}")
    check(caches["bf16"][0][0]["tokens"] == one["tokens"] and one["model"]["cache"] == "bf16", "bf16 beside bf16 weights unless told otherwise")
    check(packed["model"]["cache"] == "fp32", "fp32 beside fp32 weights")

    for ranks in (1, 2):
        file = f"{scratch}/packed{ranks}.h5"
        done = run("convert", "--model", model, "--value", "int8", "--out", file, ranks=ranks)
        check(done.returncode == 0, f"convert on {ranks} ranks {done.stderr.strip()[-200:]}")
        fresh = run("run", "--model", model, "--value", "int8", "--prompt-tokens", "20", "--tokens", "30", "--out",
                    f"{scratch}/fresh{ranks}", ranks=ranks)
        loaded = run("run", "--model", file, "--prompt-tokens", "20", "--tokens", "30", "--out", f"{scratch}/loaded{ranks}",
                     ranks=ranks)
        check(fresh.returncode == 0 and loaded.returncode == 0, f"both run on {ranks} ranks {loaded.stderr.strip()[-200:]}")
        a, b = result(f"{scratch}/fresh{ranks}"), result(f"{scratch}/loaded{ranks}")
        check(a[0]["tokens"] == b[0]["tokens"] and a[1]["bits_per_weight"] == b[1]["bits_per_weight"], f"the file holds the weights of {ranks} ranks")
    done = run("run", "--model", f"{scratch}/packed2.h5")
    check(done.returncode == 2 and "packed for 2 ranks, expected 1" in done.stderr, "a file for other ranks is refused")
    whole = Path(f"{scratch}/packed1.h5").read_bytes()
    Path(f"{scratch}/cut.h5").write_bytes(whole[:len(whole) // 2])
    done = run("run", "--model", f"{scratch}/cut.h5")
    check(done.returncode == 2 and "cut.h5" in done.stderr, f"half a file: {done.stderr.strip()}")

    for ranks in (1, 2):
        done = run("compare", "--model", model, "--formats", "dense,bit_mask,csr", "--value", "int8", "--rounds", "3", "--tokens", "4",
                   "--prompt-tokens", "8", "--out", f"{scratch}/compare{ranks}", ranks=ranks)
        check(done.returncode == 0 and done.stdout.count("\n") == 5, f"compare on {ranks} ranks {done.stderr.strip()[-200:]}")
        record, compared = result(f"{scratch}/compare{ranks}")
        forms = {f["format"]: f for f in record["formats"]}
        check(list(forms) == ["dense", "bit_mask", "csr"], "one entry a format")
        check(all(set(forms["dense"][key].values()) == {1.0} for key in ("decode_ratio", "prefill_ratio")), "the first is the measure of the others")
        check(forms["bit_mask"]["sparsity"] > 0.69 and forms["dense"]["sparsity"] == 0, "the same weights, stored with and without zeros")
        check(all(f["decode_ratio"]["smallest"] <= f["decode_ratio"]["median"] <= f["decode_ratio"]["largest"] for f in forms.values()), "spreads")
        check(all(len(f["rounds"][key]) == 3 and statistics.median(f["rounds"][key]) == f[key]["median"] for f in forms.values()
                  for key in ("decode_tokens_per_second", "prefill_tokens_per_second", "memory_read_bandwidth", "bandwidth_share")),
              "each round is kept")
        low, high = (forms["csr"]["decode_tokens_per_second"][a] / forms["dense"]["decode_tokens_per_second"][b]
                     for a, b in (("smallest", "largest"), ("largest", "smallest")))
        check(low <= forms["csr"]["decode_ratio"]["median"] == compared["decode_ratio_csr"] <= high, "ratios are of one round's rates")
        check(all(f["memory_read_bandwidth"]["median"] > 1e8 for f in forms.values()), "each beside a probe")

    words = ("compare", "--model", model, "--value", "bf16", "--rounds", "1", "--tokens", "2", "--prompt-tokens", "5")
    done = run(*words, "--out", f"{scratch}/bf16", ranks=2, WAFERMARK_BF16_PRODUCTS="fp32")
    record = result(f"{scratch}/bf16")[0] if done.returncode == 0 else None
    on_cpu = record is not None and record["machine"]["device_messages"] == "host memory"
    check(record is not None and (", bf16 by fp32" if on_cpu else "warps of a device") in record["model"]["instructions"],
          "bf16 products as asked for, which devices are not asked")
    done = run(*words, WAFERMARK_BF16_PRODUCTS="fast")
    check(done.returncode == 2 and "WAFERMARK_BF16_PRODUCTS: found 'fast', expected fp32 or pairs" in done.stderr
          and done.stderr.count("\n") == 1, f"or refused: {done.stderr.strip()}")

    done = run("compare", "--model", model, "--rounds", "1", "--tokens", "2", "--prompt-tokens", "5", "--out", f"{scratch}/crippled",
               OPENBLAS_CORETYPE="Prescott")
    record, compared = result(f"{scratch}/crippled")
    if record["model"]["blas"].startswith("OpenBLAS Prescott, slower"):  # another BLAS does not listen
        check(all(f["prefill_ratio"] is None for f in record["formats"]) and compared["prefill_ratio_bit_mask"] is None
              and compared["decode_ratio_bit_mask"] > 0, "no ratio to what a crippled BLAS multiplied")

    done = run("compare", "--model", model, "--together", "1,3", "--rounds", "2", "--tokens", "3", "--prompt-tokens", "5", "--out", f"{scratch}/together")
    record, compared = result(f"{scratch}/together")
    check(done.returncode == 0 and done.stdout.count("\n") == 6, f"compare --together {done.stderr.strip()[-200:]}")
    for form in record["formats"]:
        check([b["sequences"] for b in form["together"]] == [1, 3], "a batch for each number of sequences")
        check(form["decode_tokens_per_second"] == form["together"][0]["decode_tokens_per_second"], "what is said of one batch is that of the first")
        check(all((b["joules_per_token"] is None) == (not b["rounds"]["joules_per_token"]) and len(b["rounds"]["decode_tokens_per_second"]) == 2
                  for b in form["together"]), "joules where a meter counts them, else why not")
    check("decode_ratio_bit_mask_together_3" in compared and "decode_ratio_bit_mask" in compared, "ratios of both batches")

    made = run("run", "--synthetic", "tinyllama-1.1b:sparsity=0.5,two_four=1,layers=1", "--format", "two_four", "--value", "int8", "--tokens", "2",
               "--prompt-tokens", "3", "--out", f"{scratch}/made")
    check(made.returncode == 0 and abs(result(f"{scratch}/made")[1]["bits_per_weight"] - 5.15) < 0.1, "2:4 int8 takes 5.1 bits a weight")
    shown = run("info", "--synthetic", "llama2-7b:sparsity=0.7")
    check(shown.returncode == 0 and "3.52        3.119" in shown.stdout, "info: bit mask and int8 take 3.1 GB")

    for words, expected in (
        (("run",), "neither of --model and --synthetic"),
        (("run", "--model", model, "--synthetic", "llama2-7b"), "both --model and --synthetic"),
        (("run", "--model", "/nowhere"), "/nowhere: found no such file"),
        (("run", "--model", model, "--activation-threshold", "-1"), "--activation-threshold"),
        (("run", "--model", model, "--activation-threshold", "0", "--format", "csr"), "found format csr, expected dense or bit_mask"),
        (("run", "--model", model, "--activation-threshold", "0", "--target", "wafer"), "found --target wafer, expected cluster"),
        (("run", "--model", model, "--cache", "int8", "--target", "wafer"), "--cache int8: found --target wafer, expected cluster"),
        (("run", "--model", f"{scratch}/packed1.h5", "--activation-threshold", "0"), "found weights packed by outputs"),
        (("run", "--model", model, "--format", "coo"), "--format: found 'coo', expected dense"),
        (("run", "--model", model, "--value", "fp8"), "--value: found 'fp8', expected fp32"),
        (("run", "--model", model, "--tokens", "100000"), "at most the model's context"),
        (("run", "--model", model, "--prompt", "x", "--tokenizer", "/nowhere.model"), "/nowhere.model: cannot be read"),
        (("run", "--model", model, "--prompt-file", "/nowhere.txt"), "/nowhere.txt: cannot be read"),
        (("run", "--model", model, "--format", "two_four"), "more than 2 of 4"),
        (("run", "--synthetic", "llama9"), "found model 'llama9', expected tinyllama-1.1b"),
        (("run", "--synthetic", "llama2-7b:sparsity=1.5"), "expected a number from 0 to 1"),
        (("run", "--synthetic", "llama2-7b:layer=2"), "found 'layer=2', expected"),
        (("run", "--model", model, "--top-p", "2"), "--top-p"),
        (("compare",), "neither of --model and --synthetic"),
        (("compare", "--model", model, "--formats", "dense"), "--formats: found 1, expected two or more"),
        (("compare", "--model", model, "--together", "0"), "--together"),
        (("compare", "--model", model, "--together", "1,x"), "--together"),
        (("compare", "--model", model, "--formats", "dense,coo"), "--formats: found 'coo', expected dense"),
        (("compare", "--model", model, "--formats", "dense,two_four"), "more than 2 of 4"),
        (("compare", "--model", f"{scratch}/packed1.h5"), "found weights packed in one format, expected a checkpoint"),
        (("compare", "--model", model, "--tokens", "100000"), "at most the model's context"),
        (("compare", "--model", model, "--tokens", "1"), "--tokens"),
        (("compare", "--model", model, "--rounds", "0"), "--rounds"),
        (("compare", "--model", model, "--value", "fp8"), "--value: found 'fp8', expected fp32"),
        (("evaluate", model, "/nowhere.txt"), "/nowhere.txt: cannot be read"),
    ):
        done = run(*words)
        check(done.returncode == 2 and expected in done.stderr and done.stderr.strip().count("\n") == 0,
              f"{' '.join(words)}: {done.stderr.strip()}")
    done = run("run", "--model", model, ranks=3)
    check(done.returncode == 2 and "2 key/value heads" in done.stderr, "more ranks than key/value heads")

print(f"{failures} failed")
sys.exit(1 if failures else 0)
