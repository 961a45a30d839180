#!/usr/bin/env python3
"""sparse_llama run and info with --target wafer, as users call them: SPARSE_LLAMA MPIEXEC MODEL"""
import hashlib
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


def expect_influences(what, section):
    """Time depends on cycles alone, energy on prices too: what ratios of two such runs move together."""
    time, energy = ({s["number"]: s for s in section[key]} for key in ("time_sensitivity", "energy_sensitivity"))
    priced = {name for name in energy if name.startswith("energy.")}
    expect("energy.idle_watts" in priced and len(priced) > 2, f"{what}: energy depends on {sorted(energy)}")
    expect("core.vector_restart_cycles" in time and not priced & set(time), f"{what}: time depends on {sorted(time)}")
    idle = energy.get("energy.idle_watts", {"at_low": 0, "at_high": 0})
    expect(0.9 < idle["at_low"] < 1 < idle["at_high"] < 1.1, f"{what}: idle power moves the energy to {idle}")


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

    # The wafer's options, alone and together, in both orders: they are used, and the result says so.
    machine, change, tiles = ["--machine", "wse3"], ["--machine-set", "core.clock_mhz.value=425"], ["--tiles", "17x16"]
    for number, line in enumerate((machine, change, tiles, machine + change, change + machine, tiles + change + machine)):
        out = f"{scratch}/options{number}"
        done = call("info", "--model", model, "--target", "wafer", *line, *([] if tiles[0] in line else ["--tiles", "16x16"]), "--out", out)
        expect(done.returncode == 0, f"{line}: {done.stderr[-300:]}")
        used = figures(out)[0]["wafer"] if done.returncode == 0 else {}
        name = "wse3" if machine[0] in line else "wse2"
        digest = hashlib.sha256((Path(__file__).resolve().parents[3] / f"inputs/wafers/{name}.toml").read_bytes()).hexdigest()
        expect(used.get("machine") == name and used.get("machine_sha256") == digest, f"{line}: ran on {used}")
        expect(used.get("machine_changes") == (change[1:] if change[0] in line else []), f"{line}: changes {used}")
        expect(used.get("tiles") == ([17, 16] if tiles[0] in line else [16, 16]), f"{line}: tiles {used}")
    newer = call("run", "--model", model, *("2" if word == "12" else word for word in wafer), "--out", f"{scratch}/newer", *change, *machine)
    expect(newer.returncode == 0 and figures(f"{scratch}/newer")[0]["wafer"]["machine"] == "wse3", f"run --machine wse3: {newer.stderr[-300:]}")
    valid = call("validate", "--machine", "wse3", "--out", f"{scratch}/valid")
    expect(valid.returncode == 0 and "no published figure for wse3" in valid.stdout and not figures(f"{scratch}/valid")[0]["checks"],
           f"validate --machine wse3: {valid.returncode} {valid.stdout[-300:]} {valid.stderr[-300:]}")

    info = call("info", "--model", model, "--target", "wafer", "--tiles", "16x16", "--out", f"{scratch}/info")
    expect(info.returncode == 0, info.stderr[-300:])
    if info.returncode == 0:
        expect(figures(f"{scratch}/info")[0]["floor_plan"], "info wrote no floor plan")
        expect_influences("a full pipeline", figures(f"{scratch}/info")[0]["pipeline"])
    for word in ("strip", "packed weights", "cycles", "tokens of cache", "dense weights in bf16 fit too"):
        expect(word in info.stdout, f"info --target wafer: no '{word}' in\n{info.stdout}")
    dense = call("info", "--synthetic", "llama2-7b", "--target", "wafer", "--format", "dense", "--cache-tokens", "1000")
    expect(dense.returncode == 0, dense.stderr[-300:])

bad("expected two whole numbers", "run", "--model", model, "--target", "wafer", "--tiles", "8by8")
bad("at most the 769 x 1044", "run", "--model", model, "--target", "wafer", "--tiles", "800x8")
bad("expected fp32, bf16", "run", "--model", model, "--target", "wafer", "--tiles", "8x8", "--value", "int8")
bad("found no place", "run", "--model", model, "--target", "wafer", "--tiles", "2x2")
bad("one of: wse2, wse3", "run", "--model", model, "--target", "wafer", "--machine", "wse9")
bad("core.clock", "run", "--model", model, "--target", "wafer", "--machine-set", "core.clock=3")

bad("--trace 99,99: found no such tile", "run", "--model", model, *wafer, "--trace", "99,99")
bad("--trace: found '3;4'", "run", "--model", model, *wafer, "--trace", "3;4")
for option in (["--tiles", "8x8"], ["--machine", "wse3"], ["--machine-set", "core.clock_mhz.value=425"], ["--cache-tokens", "9"],
               ["--rows-together", "2"], ["--layers-per-region", "1"], ["--strips", "1"], ["--for-throughput"], ["--rows-in-order"],
               ["--weights", "streamed"], ["--groups", "1"], ["--tile-sums", "fp32"], ["--edge-code", "mask"], ["--outputs-ahead", "3"], ["--sums-together", "4"],
               ["--stored-weights", "sent"]):
    for command in ("run", "info"):
        bad(f"{option[0]}: found --target cluster, expected --target wafer", command, "--model", model, *option)
for option in (["--product", "64x64"], ["--sparsity", "0.5"], ["--product-tokens", "9"]):
    bad(f"{option[0]}: found --target cluster, expected --target wafer", "info", "--model", model, *option)
bad("--trace: found --target cluster", "run", "--model", model, "--trace", "3,4")

streamed = ["run", "--model", model, "--target", "wafer", "--tiles", "16x16", "--weights", "streamed", "--quiet", "--tokens"]
bad("--weights", "run", "--model", model, "--target", "wafer", "--weights", "flowing")
bad("--rows-together: found --weights streamed, expected --weights resident", *streamed, "2", "--rows-together", "2")
bad("--groups: found --weights resident, expected --weights streamed", "run", "--model", model, "--target", "wafer", "--groups", "2")
bad("expected --tokens 1", *streamed, "2", "--worked-out", "0")
bad("--groups 17: expected at most 16", *streamed, "1", "--groups", "17")
product = ["info", "--target", "wafer", "--tiles", "20x20", "--weights", "streamed", "--product"]
bad("--sparsity: found no --product", "info", "--model", model, "--target", "wafer", "--sparsity", "0.5")
bad("--product: found a model beside it", *product, "64x64", "--model", model)
bad("--product: found --weights resident", "info", "--target", "wafer", "--product", "64x64")
bad("--format: found --product", *product, "64x64", "--format", "dense")
bad("expected fp32, bf16", *product, "64x64", "--value", "int8")
for words in (["64"], ["0x64"], ["-4x64"], ["64x64x2"], ["64x99999"], ["axb"], [""]):
    bad("--product", *product, *words)
for words in (["--sparsity", "1"], ["--sparsity", "-0.1"], ["--sparsity", "nan"], ["--product-tokens", "0"], ["--product-tokens", "1.5"]):
    bad(words[0], *product, "64x64", *words)
bad("49152", *product, "64x64", "--product-tokens", "100000000")
with tempfile.TemporaryDirectory() as scratch:
    outcomes = []
    for ranks in (1, 2):
        out = f"{scratch}/product{ranks}"
        done = call(*product, "300x200", "--product-tokens", "50,400", "--sparsity", "0.5,0.9", "--out", out, ranks=ranks)
        expect(done.returncode == 0, f"product on {ranks} ranks: {done.stderr[-300:]}")
        outcomes.append(figures(out)[0]["products"]["rows"] if done.returncode == 0 else None)
    expect(outcomes[0] == outcomes[1] and len(outcomes[0] or []) == 6, f"products: {outcomes}")
    for row in outcomes[0] or []:
        over = row["time_over_dense"]
        expect(over == 1 if row["sparsity"] == 0 else over >= 1 - 1e-9, f"a sparse product is slower: {row}")
        expect(row["cycles"] > 0 and row["joules"] > 0 and 0 < row["edge_load"] <= 1, f"{row}")
        expect_influences("a streamed product", row)
    layer = call("info", "--synthetic", "tinyllama-1.1b:layers=1,context=64,sparsity=0.7", "--target", "wafer", "--tiles", "64x64",
                 "--weights", "streamed", "--out", f"{scratch}/layer")
    expect(layer.returncode == 0, layer.stderr[-300:])
    row = figures(f"{scratch}/layer")[0]["layer"]["rows"][0] if layer.returncode == 0 else {"cycles": 0, "time_sensitivity": [], "energy_sensitivity": []}
    expect(row["cycles"] > 0, f"a streamed layer takes {row['cycles']} cycles")
    expect_influences("a streamed layer", row)
with tempfile.TemporaryDirectory() as scratch:
    texts = {}
    for ranks in (1, 3):
        done = call(*streamed, "6", "--prompt", "And the LORD", "--out", f"{scratch}/streamed{ranks}", ranks=ranks)
        expect(done.returncode == 0, f"streamed on {ranks} ranks: {done.stderr[-300:]}")
        if done.returncode == 0:
            result, f = figures(f"{scratch}/streamed{ranks}")
            texts[ranks] = (result["tokens"], f["cycles_per_token"]["value"], f["joules_per_token"]["value"])
            expect(f["joules_per_token"]["kind"] == "emulated" and "band" in f["joules_per_token"], "streamed: no emulated band")
    expect(len(set(map(str, texts.values()))) == 1, f"streamed differs between ranks: {texts}")
    native = call("run", "--model", model, "--tokens", "6", "--prompt", "And the LORD", "--quiet", "--out", f"{scratch}/native")
    expect(native.returncode == 0 and figures(f"{scratch}/native")[0]["tokens"] == texts[1][0], "native and streamed make different tokens")
    priced = call(*streamed, "1", "--prompt-tokens", "100", "--sequences", "3", "--worked-out", "0", "--out", f"{scratch}/priced")
    expect(priced.returncode == 0 and figures(f"{scratch}/priced")[1]["prefill_tokens_per_second"]["value"] > 0, priced.stderr[-300:])

for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
