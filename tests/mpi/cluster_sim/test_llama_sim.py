#!/usr/bin/env python3
"""sparse_llama on a simulated cluster: the tokens of a native run, a clock that does not depend on this computer, hollow weights
that take as long as full ones, and mistakes that end in one line.

usage: test_llama_sim.py SOURCE SPARSE_LLAMA MPIEXEC
Skipped (exit code 77) without SimGrid or without build/cluster-sim (jobscripts/test.sh makes it).
"""
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE, BINARY, MPIEXEC = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
SCRIPT = SOURCE / "jobscripts/cluster_sim.sh"
PROGRAM = SOURCE / "build/cluster-sim/apps/sparse_llama/sparse_llama"
LENGTH = ("--prompt-tokens", "3", "--tokens", "4")
failures = []


def expect(condition, text):
    print("ok  " if condition else "FAIL", text, flush=True)
    if not condition:
        failures.append(text)


def simulate(folder, model, ranks, *options):
    """(the run, its result or None)"""
    run = subprocess.run([SCRIPT, "--llama", model, "--machine", "frontier", "--ranks", str(ranks), "--no-build", "--out", folder, "--", *LENGTH,
                          *options], capture_output=True, text=True, timeout=300)
    path = folder / f"frontier_ranks_{ranks}/result.json"
    return run, json.loads(path.read_text()) if path.exists() else None


def figure(document, name):
    return next((f["value"] for f in document["figures"] if f["name"] == name), None)


def calls(folder, ranks):
    """Of every kernel, copy and fence but those that fill new arrays: hollow weights have none."""
    with open(folder / f"frontier_ranks_{ranks}/kernels.csv") as file:
        return {row["label"]: int(row["calls"]) for row in csv.DictReader(file) if "View::initialization" not in row["label"]}


def tokens_are_those_of_a_native_run(folder):
    model = "tinyllama-1.1b:layers=1,sparsity=0.7"
    run, simulated = simulate(folder / "full", model, 2, "--format", "bit_mask")
    expect(run.returncode == 0, f"two simulated ranks end well: {run.stderr.strip()[-300:]}")
    subprocess.run([MPIEXEC, "-np", "2", BINARY, "run", "--synthetic", model, "--format", "bit_mask", *LENGTH, "--quiet", "--out", folder / "native"],
                   check=True, capture_output=True, timeout=300)
    native = json.loads((folder / "native/result.json").read_text())
    expect(simulated["tokens"] == native["tokens"], f"the tokens of a native run: {simulated['tokens']}")
    expect(simulated["target"] == "simulated" and simulated["simulation"]["machine"] == "frontier", "the result names the machine")
    expect(all(f["kind"] == "simulated" for f in simulated["figures"] if f["name"].endswith("per_second")), "rates are simulated")
    expect(figure(simulated, "memory_read_bandwidth") is None, "nothing is said of this computer's memory")
    rate, prompt, joules = (next(f for f in simulated["figures"] if f["name"] == name)
                            for name in ("decode_tokens_per_second", "prefill_tokens_per_second", "joules_per_token"))
    expect(rate["band"][0] < rate["value"] < rate["band"][1] and "band" not in prompt and simulated["simulation"]["sensitivity"],
           f"decoding has a band, {rate.get('band')}; the prompt, which is not recorded, has none")
    # Two of Frontier's eight GCDs on one node.
    expect(joules["kind"] == "simulated" and 100 < joules["value"] * rate["value"] < 3000, f"{joules['value']} J a token: {joules['note']}")
    again = simulate(folder / "again", model, 2, "--format", "bit_mask")[1]
    expect(figure(simulated, "decode_tokens_per_second") == figure(again, "decode_tokens_per_second") and simulated["regions"] == again["regions"],
           "the same seconds twice")
    hollow = simulate(folder / "hollow", model + ",hollow=1", 2, "--format", "bit_mask")[1]
    off = figure(hollow, "decode_tokens_per_second") / figure(simulated, "decode_tokens_per_second") - 1
    expect(abs(off) < 1e-3, f"hollow sparse weights take as long, but for how many are stored: {off:.1e}")


def hollow_weights_take_as_long(folder):
    for name, value, ranks in (("dense", "bf16", 4), ("dense", "int8", 1), ("csr", "bf16", 2)):
        model = "tinyllama-1.1b:layers=1"
        full, hollow = (simulate(folder / f"{name}{value}{kind}", model + kind, ranks, "--format", name, "--value", value)[1]
                        for kind in ("", ",hollow=1"))
        seconds = [figure(r, "decode_tokens_per_second") for r in (full, hollow)]
        prompt = [figure(r, "time_to_first_token") for r in (full, hollow)]
        # Some weights that are drawn are zero, and csr does not store them.
        close = all(abs(b / a - 1) < (1e-5 if name == "csr" else 1e-12) for a, b in (seconds, prompt))
        expect(close, f"{name} {value} on {ranks}: {seconds} tokens/s, prompt {prompt} s")
        expect(calls(folder / f"{name}{value}", ranks) == calls(folder / f"{name}{value},hollow=1", ranks), "the same kernels and fences")


def many_gpus(folder):
    one, sixty_four = (simulate(folder / f"large{n}", "llama3-70b:hollow=1", n, "--format", "dense")[1] for n in (1, 64))
    rates = [figure(r, "decode_tokens_per_second") for r in (one, sixty_four)]
    # 141 GB of weights at the 1,200 GB/s of a worker: 8.5 tokens/s, less launches and fences.
    expect(6 < rates[0] < 8.5, f"Llama-3-70B on one GPU waits for its weights: {rates[0]:.3g} tokens/s")
    expect(0 < rates[1] < 32 * rates[0], f"64 GPUs wait for 161 sums a token: {rates[1]:.3g} tokens/s")
    weights = [figure(r, "weight_bytes") for r in (one, sixty_four)]
    expect(weights[0] > 1.4e11 and weights[0] < weights[1] < 1.15 * weights[0], f"shared key/value heads are counted with each rank: {weights}")


def mistakes_end_in_one_line(folder):
    for words, said in (
            (("tinyllama-1.1b:layers=1", 6), "4 key/value heads"),
            (("tinyllama-1.1b:layers=1,hollow=2", 2), "hollow = '2'"),
            (("tinyllama:layers=1", 2), "found model 'tinyllama'"),
            (("tinyllama-1.1b:layers=1", 2, "--target", "wafer"), "found a simulated cluster"),
            (("tinyllama-1.1b:layers=1", 2, "--format", "dense", "--activation-threshold", "0.1"), "found a simulated cluster")):
        run, made = simulate(folder / "bad", *words)
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        expect(run.returncode == 2 and len(lines) == 1 and said in lines[0], f"{words}: {run.returncode}, {lines}")
        expect(made is None, "nothing is left behind")
    run = subprocess.run([BINARY, "run", "--synthetic", "tinyllama-1.1b:layers=1,hollow=1"], capture_output=True, text=True, timeout=60)
    expect(run.returncode == 2 and "simulated clusters only" in run.stderr, f"no hollow weights on a real machine: {run.stderr.strip()}")
    for words, said in ((["--llama", "llama2-7b", "deck.toml"], "one of the two"), (["--llama", "llama2-7b", "--set", "run.steps=1"], "--set"),
                        ([SOURCE / "inputs/tungsten/sc24_W.toml", "--", "--tokens", "2"], "--llama only")):
        run = subprocess.run([SCRIPT, "--machine", "frontier", "--ranks", "2", "--no-build", "--out", folder / "bad", *words], capture_output=True, text=True)
        expect(run.returncode == 2 and said in run.stderr and run.stderr.count("\n") == 1, f"{words}: {run.stderr.strip()}")


def main():
    if shutil.which("smpirun") is None:
        print("SKIPPED: no smpirun (Debian: libsimgrid-dev)")
        return 77
    if not PROGRAM.exists():
        print("SKIPPED: build/cluster-sim is not built (cmake --preset cluster-sim && cmake --build --preset cluster-sim)")
        return 77
    with tempfile.TemporaryDirectory(prefix="wafermark-llama-sim-") as name:
        for test in (tokens_are_those_of_a_native_run, hollow_weights_take_as_long, many_gpus, mistakes_end_in_one_line):
            test(Path(name))
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
