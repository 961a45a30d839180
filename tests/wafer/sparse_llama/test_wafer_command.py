#!/usr/bin/env python3
"""sparse_llama run and info with --target wafer, as users call them: SPARSE_LLAMA MPIEXEC MODEL"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

program, mpiexec, model = sys.argv[1:]
failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


def call(*arguments, ranks=1):
    command = ([mpiexec, "-n", str(ranks)] if ranks > 1 else []) + [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, env=os.environ)


def figures(folder):
    result = json.loads(Path(folder, "result.json").read_text())
    return result, {f["name"]: f for f in result["figures"]}


def bad(expected, *arguments):
    done = call(*arguments)
    expect(done.returncode == 2, f"{arguments}: exit code {done.returncode}, expected 2: {done.stderr[-300:]}")
    expect(expected in done.stderr, f"{arguments}: expected '{expected}' in '{done.stderr.strip()[-300:]}'")


wafer = ["--target", "wafer", "--tiles", "16x16", "--tokens", "12", "--prompt", "And the LORD", "--quiet"]
with tempfile.TemporaryDirectory() as scratch:
    outcomes = []
    for ranks in (1, 2, 3):
        out = f"{scratch}/wafer{ranks}"
        done = call("run", "--model", model, *wafer, "--out", out, "--trace", "3,4", ranks=ranks)
        expect(done.returncode == 0, f"{ranks} ranks: exit code {done.returncode}: {done.stderr[-300:]}")
        if done.returncode == 0:
            result, f = figures(out)
            outcomes.append((result["tokens"], f["decode_tokens_per_second"]["value"], f["utilisation"]["value"]))
    expect(len(set(map(str, outcomes))) == 1, f"differs between 1, 2 and 3 ranks: {outcomes}")

    result, f = figures(f"{scratch}/wafer1")
    expect(f["decode_tokens_per_second"]["kind"] == "emulated", "rates of the wafer are not marked emulated")
    expect(f["emulator_seconds"]["kind"] == "measured", "the emulator's own time is not marked measured")
    covered = sum(r["width"] * r["height"] for r in result["floor_plan"])
    expect(0 < covered <= 256, f"floor plan covers {covered} of 256 tiles")
    expect(result["wafer"]["tile_memory_bytes"]["packed weights"] > 0, "no packed weights in the ledger")
    trace = json.loads(Path(scratch, "wafer1", "trace.json").read_text())["traceEvents"]
    expect({e["tid"] for e in trace} == {"tile 3,4"}, "the trace is not of the tile that was asked for")
    expect(Path(scratch, "wafer1", "wafer.h5").exists(), "no heat map")

    native = call("run", "--model", model, "--tokens", "12", "--prompt", "And the LORD", "--quiet", "--out", f"{scratch}/native")
    expect(native.returncode == 0, native.stderr[-300:])
    expect(figures(f"{scratch}/native")[0]["tokens"] == result["tokens"], "native and wafer make different tokens")

    slow = call("run", "--model", model, *wafer, "--out", f"{scratch}/slow", "--machine-set", "core.clock_mhz.value=425")
    expect(slow.returncode == 0, slow.stderr[-300:])
    ratio = figures(f"{scratch}/slow")[1]["decode_tokens_per_second"]["value"] / f["decode_tokens_per_second"]["value"]
    expect(abs(ratio - 0.5) < 1e-9, f"half the clock gives {ratio} of the rate")

    info = call("info", "--model", model, "--target", "wafer", "--tiles", "16x16", "--out", f"{scratch}/info")
    expect(info.returncode == 0, info.stderr[-300:])
    if info.returncode == 0:
        expect(figures(f"{scratch}/info")[0]["floor_plan"], "info wrote no floor plan")
    for word in ("strip", "packed weights", "cycles", "tokens of cache", "dense weights in bf16 fit too"):
        expect(word in info.stdout, f"info --target wafer: no '{word}' in\n{info.stdout}")
    dense = call("info", "--synthetic", "llama2-7b", "--target", "wafer", "--format", "dense", "--cache-tokens", "1000")
    expect(dense.returncode == 0, dense.stderr[-300:])

bad("expected two whole numbers", "run", "--model", model, "--target", "wafer", "--tiles", "8by8")
bad("at most the 769 x 1044", "run", "--model", model, "--target", "wafer", "--tiles", "800x8")
bad("fp32 or bf16", "run", "--model", model, "--target", "wafer", "--tiles", "8x8", "--value", "int8")
bad("found no place", "run", "--model", model, "--target", "wafer", "--tiles", "2x2")
bad("wse9", "run", "--model", model, "--target", "wafer", "--machine", "wse9")
bad("core.clock", "run", "--model", model, "--target", "wafer", "--machine-set", "core.clock=3")

for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
