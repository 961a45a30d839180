#!/usr/bin/env python3
"""Sparse Llama on the emulated wafer: dense, 2:4 and unstructured weights of 50 to 90 %.

usage: wafer_sparsity.py --binary SPARSE_LLAMA [--model tinyllama-1.1b] [--tiles 320x435] [--value bf16] [--sequences 1]
                         [--rows-together 1] [--prompt-tokens 4] [--tokens 4] [--options "..."] [--out DIR] [--json FILE]
       wafer_sparsity.py --binary SPARSE_LLAMA --together 1,4,16,64,256 [--arriving 2,9,16,25,43] [--cache-tokens 8] ...
       wafer_sparsity.py --binary SPARSE_LLAMA --streamed --model llama2-7b:context=4096 --tiles "" ...
       wafer_sparsity.py --binary SPARSE_LLAMA --product 12288x12288 --together 8192,131072 --tiles ""

Weights are made up in the model's shapes. The first form runs one model after the other with resident weights, a line each.
--together: resident weights, so many tokens in each of the passes that fill all regions, a layer on the clocks of all its tiles; by the
cycles that pass before an arriving weight's multiply-adds, where tiles send their stored weights to themselves (`--stored-weights
sent`), and with scalar code that finds them. --streamed: a layer with streamed weights, by tokens together. Both write rows for
`wafermark-report --sparsity FILE`. --product: one product with streamed weights. Ratios have the interval that the machine's numbers leave
open, each moved through its range on both sides at once; the first form's are to the first of --cases. Joules are of the whole machine:
idle power of all tiles, used or not, and counted operations, words and hops. All figures but the host's seconds are emulated, so one run each is exact.
"""
import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "apps/report"))
try:
    from wafermark_report.llama_answer import paired_interval
except ImportError as error:
    print(f"wafer_sparsity.py: {error}, expected Python 3.11 with what wafermark-report needs", file=sys.stderr)
    sys.exit(2)

CASES = [("dense", 0.0), ("two_four", 0.5), *(("bit_mask", s) for s in (0.5, 0.6, 0.7, 0.8, 0.9))]


def run(args, form, sparsity):
    keys = f"sparsity={sparsity}" + (",two_four=1" if form == "two_four" else "")
    with tempfile.TemporaryDirectory() as scratch:
        out = f"{args.out}/{form}_{round(100 * sparsity)}" if args.out else scratch
        command = [args.binary, "run", "--synthetic", f"{args.model}:{keys}", "--target", "wafer", "--format", form, "--value",
                   args.value, "--prompt-tokens", args.prompt_tokens, "--tokens", args.tokens, "--sequences", args.sequences,
                   "--rows-together", args.rows_together, "--out", out]
        command += (["--tiles", args.tiles] if args.tiles else []) + shlex.split(args.options)
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"wafer_sparsity: {' '.join(map(str, command))} ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")
        result = json.loads(Path(out, "result.json").read_text())
    f = {x["name"]: x["value"] for x in result["figures"]}
    phases = {p["phase"]: p for p in result["wafer"]["phases_cycles_per_step"]}
    all_cycles = sum(p["mean"] for p in phases.values())
    return {"model": args.model, "tiles": result["wafer"]["tiles"], "format": form, "sparsity": f["sparsity"],
            "region": result["wafer"]["region"], "layers_per_region": result["wafer"]["layers_per_region"],
            "tokens_per_second": f["decode_tokens_per_second"], "prefill_tokens_per_second": f["prefill_tokens_per_second"],
            "joules_per_token": f["joules_per_token"], "dynamic_joules_per_token": f["dynamic_joules_per_token"],
            "waiting": phases["wait"]["mean"] / all_cycles, "balance": f.get("balance"), "balance_even": f.get("balance_even"),
            "of_rate": result["wafer"]["sensitivity"], "of_joules": result["wafer"]["energy_sensitivity"],
            "bits_per_weight": f["bits_per_weight"], "sram_high_water": f["sram_high_water"], "cache_capacity": f["cache_capacity"],
            "host_seconds": f["load_seconds"] + f["emulator_seconds"]}


def info(args, words):
    """result.json of `sparse_llama info` on the wafer; None where the tiles' memory does not hold it."""
    with tempfile.TemporaryDirectory() as out:
        command = [args.binary, "info", "--target", "wafer", "--value", args.value, *words, "--out", out]
        command += (["--tiles", args.tiles] if args.tiles else []) + shlex.split(args.options)
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 2 and "found no place" in done.stderr:
            return None
        if done.returncode:
            sys.exit(f"wafer_sparsity: {' '.join(map(str, command))} ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")
        return json.loads(Path(out, "result.json").read_text())


def info_of_model(args, form, sparsity, words):
    keys = f"sparsity={sparsity}" + (",two_four=1" if form == "two_four" else "")
    return info(args, ["--synthetic", f"{args.model}{',' if ':' in args.model else ':'}{keys}", "--format", form, *words])


@dataclass(frozen=True)
class Taken:
    """What a pass takes, and what its time and energy depend on: lists of influences, as results have them."""

    seconds: float
    joules_per_token: float
    of_seconds: list
    of_joules: list

    @classmethod
    def of(cls, seconds, joules_per_token, section):
        return cls(seconds, joules_per_token, section["time_sensitivity"], section["energy_sensitivity"])


def surface_row(args, side, sparsity, together, taken, dense):
    """A point of the surface; `dense`: what the same tokens take, None where they do not fit."""
    row = {"side": side, "model": args.model, "sparsity": sparsity, "together": together, "tokens_per_second": together / taken.seconds,
           "joules_per_token": taken.joules_per_token, "rate_over_dense": None, "energy_over_dense": None}
    if dense:
        rate = paired_interval(dense.seconds / taken.seconds, dense.of_seconds, taken.of_seconds)
        energy = paired_interval(dense.joules_per_token / taken.joules_per_token, dense.of_joules, taken.of_joules)
        row |= {"rate_over_dense": rate.value, "rate_low": rate.low, "rate_high": rate.high,
                "energy_over_dense": energy.value, "energy_low": energy.low, "energy_high": energy.high}
    return row


def bracketed(value, low, high):
    return f"{value:.2f}" + (f" [{low:.2f} {high:.2f}]" if low else "")


def shown(row, what):
    return bracketed(row[f"{what}_over_dense"], row[f"{what}_low"], row[f"{what}_high"])


def crossing(points, level):
    """Where a curve of (tokens together, ratio) first reaches a level, between two points by the logarithm of the tokens."""
    before = None
    for tokens, ratio in points:
        if ratio is not None and ratio >= level:
            if before is None:
                return f"<= {tokens}"
            share = (level - before[1]) / (ratio - before[1])
            return f"{before[0] * (tokens / before[0]) ** share:.0f}"
        if ratio is not None:
            before = (tokens, ratio)
    return "-"


def resident_surface(args):
    """Resident weights, the pipeline full."""
    def point(form, sparsity, together, how):
        result = info_of_model(args, form, sparsity, ["--for-throughput", "--rows-together", together, "--cache-tokens", args.cache_tokens, *how])
        if not result:
            return None
        f = {x["name"]: x["value"] for x in result["figures"]}
        return Taken.of(together / f["emulated_tokens_per_second_of_all"], f["emulated_joules_per_token_of_all"], result["pipeline"])

    ways = [("scalar", [])] + [(cycles, ["--stored-weights", "sent", "--machine-set", f"core.arriving_weight_cycles.value={cycles}"])
                               for cycles in args.arriving]
    dense = {n: point("dense", 0.0, n, []) for n in args.together}
    print("tokens together: " + ", ".join(map(str, args.together)) +
          "; tokens/s over dense (J less than dense), in brackets what the machine's numbers leave open")
    print("dense, tokens/s: " + ", ".join(f"{n / dense[n].seconds:.0f}" if dense[n] else "no room" for n in args.together), flush=True)
    rows = [surface_row(args, "wafer, resident", 0.0, n, dense[n], dense[n]) for n in args.together if dense[n]]
    for way, words in ways:
        for form, sparsity in CASES[1:]:
            points = []
            cells = []
            for n in args.together:
                got = point(form, sparsity, n, words)
                if got:
                    row = surface_row(args, "wafer, resident", sparsity, n, got, dense[n]) | {"format": form, "arriving": way}
                    rows.append(row)
                    points.append((n, row["rate_over_dense"]))
                cells.append("no room" if not got else f"{n / got.seconds:.0f} tokens/s" if not dense[n]
                             else f"{shown(row, 'rate')} ({shown(row, 'energy')})")
            print(f"{way!s:>6} {form:<9} {100 * sparsity:3.0f} %: {', '.join(cells)}; even at {crossing(points, 1)}, twice at {crossing(points, 2)}", flush=True)
    return rows


def streamed_surface(args):
    """Streamed weights, a layer."""
    def points(form, sparsity):
        result = info_of_model(args, form, sparsity, ["--weights", "streamed"])
        return {r["tokens"]: Taken.of(r["seconds"], r["joules_per_token"], r) for r in result["layer"]["rows"]}

    dense = points("dense", 0.0)
    rows = [surface_row(args, "wafer, streamed", 0.0, n, dense[n], dense[n]) for n in dense]
    for form, sparsity in CASES[1:]:
        for n, got in points(form, sparsity).items():
            rows.append(surface_row(args, "wafer, streamed", sparsity, n, got, dense.get(n)) | {"format": form})
            if dense.get(n):
                print(f"{form:<9} {100 * sparsity:3.0f} %, {n:>7} tokens: {shown(rows[-1], 'rate')} / {shown(rows[-1], 'energy')}", flush=True)
    return rows


def one_pass_after_the_other(args):
    """Whole runs with resident weights, a line each; ratios to the first."""
    chosen = args.cases.split(",") if args.cases else None
    rows = []
    print(f"{'format':<9} {'zeros':>6} {'bits':>6} {'tokens/s':>9} {'x':>16} {'J/token':>9} {'less':>16} {'dynamic J':>10} {'waiting':>8} "
          f"{'balance':>8} {'in order':>8} {'cache':>8} {'host s':>7}")
    for form, sparsity in CASES:
        if chosen and form not in chosen and f"{form}_{round(100 * sparsity)}" not in chosen:
            continue
        r = run(args, form, sparsity)
        rows.append(r)
        first = rows[0]
        rate = paired_interval(r["tokens_per_second"] / first["tokens_per_second"], r["of_rate"], first["of_rate"])
        less = paired_interval(first["joules_per_token"] / r["joules_per_token"], first["of_joules"], r["of_joules"])
        balance = lambda key: f"{r[key]:8.3f}" if r[key] is not None else f"{'-':>8}"
        print(f"{form:<9} {100 * r['sparsity']:5.1f}% {r['bits_per_weight']:6.2f} {r['tokens_per_second']:9.1f} "
              f"{bracketed(rate.value, rate.low, rate.high):>16} {r['joules_per_token']:9.4f} "
              f"{bracketed(less.value, less.low, less.high):>16} {r['dynamic_joules_per_token']:10.5f} {100 * r['waiting']:7.1f}% "
              f"{balance('balance')} {balance('balance_even')} {r['cache_capacity']:8.0f} {r['host_seconds']:7.1f}", flush=True)
    return rows


def print_products(args):
    """One product with streamed weights: time and energy over dense."""
    result = info(args, ["--weights", "streamed", "--product", args.product, "--product-tokens", ",".join(map(str, args.together))])
    dense = {}
    for r in result["products"]["rows"]:
        taken = Taken.of(r["cycles"], r["joules"] / r["tokens"], r)
        if r["sparsity"] == 0:
            dense[r["tokens"]] = taken
            continue
        row = surface_row(args, "", r["sparsity"], r["tokens"], taken, dense[r["tokens"]])
        print(f"{args.product}, {100 * r['sparsity']:3.0f} %, {r['tokens']:>7} tokens: {shown(row, 'rate')} / {shown(row, 'energy')}", flush=True)


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", default="tinyllama-1.1b")
    parser.add_argument("--tiles", default="320x435", help="empty: all tiles of the machine")
    parser.add_argument("--value", default="bf16", choices=["fp32", "bf16"])
    for name, default in (("sequences", 1), ("rows-together", 1), ("prompt-tokens", 4), ("tokens", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--options", default="", help="more options of sparse_llama run")
    parser.add_argument("--cases", help="some of dense,two_four_50,bit_mask_50,...; default: all")
    parser.add_argument("--out", help="folder for the runs' results")
    parser.add_argument("--json")
    parser.add_argument("--together", type=numbers, help="numbers of tokens: resident weights, or of --product")
    parser.add_argument("--arriving", type=numbers, default=[2, 9, 16, 25, 43], help="cycles before an arriving weight's multiply-adds")
    parser.add_argument("--cache-tokens", type=int, default=8)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--product", help="OUTPUTSxINPUTS")
    args = parser.parse_args()
    if args.product:
        if not args.together:
            parser.error("--product: found no --together, expected numbers of tokens")
        return print_products(args)
    if args.together or args.streamed:
        rows = streamed_surface(args) if args.streamed else resident_surface(args)
        if args.json:
            Path(args.json).write_text(json.dumps({"surface": rows}, indent=1) + "\n")
        return
    rows = one_pass_after_the_other(args)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


main()
