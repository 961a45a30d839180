#!/usr/bin/env python3
"""How much faster sparse decoding is, by the memory bandwidth that the machine had at the time: for machines on which that
changes from round to round, as it does on virtual ones.

usage: ratio_by_bandwidth.py FILE... [--step GB/S] [--plot FILE]

FILE is what `compare_sparsity.py --json` wrote; rounds of the same weights are put together. A round whose two probes (one
beside each side) differ by more than a tenth is left out: the machine changed between its sides.
"""
import argparse
import json
import statistics
import sys
from collections import defaultdict, namedtuple
from pathlib import Path

Round = namedtuple("Round", "bandwidth ratio dense_share mask_share")


def name_of(row):
    layers = f" ({row['layers']} layers)" if row["layers"] else ""
    return f"{row['model']}{layers}, {row['value']}, {100 * row['sparsity']:.0f} % zeros"


def rounds_of(path):
    """(weights, Round) for each round of dense beside bit mask that the machine did not change in."""
    try:
        rows = [row for row in json.loads(Path(path).read_text()) if not row.get("sweep")]
        pairs = [(name_of(mask), dense["rounds"], mask["rounds"]) for dense, mask in zip(rows[::2], rows[1::2])]
    except (OSError, ValueError, KeyError) as problem:
        sys.exit(f"ratio_by_bandwidth: {path}: {problem}, expected what compare_sparsity.py --json writes")
    keys = ("decode_tokens_per_second", "memory_read_bandwidth", "bandwidth_share")
    for weights, dense, mask in pairs:
        for rate, probe, share, mask_rate, mask_probe, mask_share in zip(*(side[key] for side in (dense, mask) for key in keys)):
            if abs(mask_probe / probe - 1) <= 0.1:
                yield weights, Round((probe + mask_probe) / 2e9, mask_rate / rate, share, mask_share)


def print_table(of_weights, step):
    width = max(map(len, of_weights), default=0) + 2
    print(f"{'weights':<{width}}{'memory, GB/s':<14}{'rounds':>6}{'  ratio, median (smallest ... largest)':<38}{'dense reads':>12}{'sparse reads':>14}")
    for weights, rounds in sorted(of_weights.items()):
        bins = defaultdict(list)
        for r in rounds:
            bins[int(r.bandwidth // step)].append(r)
        for k, some in sorted(bins.items()):
            ratios = [r.ratio for r in some]
            shares = [f"{100 * statistics.median(column):.0f} %" for column in ([r.dense_share for r in some], [r.mask_share for r in some])]
            print(f"{weights:<{width}}{f'{k * step:g} to {(k + 1) * step:g}':<14}{len(some):>6}"
                  f"{f'  {statistics.median(ratios):.2f} ({min(ratios):.2f} ... {max(ratios):.2f})':<38}{shares[0]:>12}{shares[1]:>14}")


def plot(of_weights, path):
    try:
        import matplotlib
    except ImportError:
        sys.exit(f"ratio_by_bandwidth: --plot: found no matplotlib for {sys.executable}, expected one (Debian: /usr/bin/python3)")
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for weights, rounds in sorted(of_weights.items()):
        axes.plot([r.bandwidth for r in rounds], [r.ratio for r in rounds], "o", markersize=4, alpha=0.6, label=weights)
    axes.axhline(1, color="gray", linewidth=1)
    axes.set(xlabel="memory read by the probe, GB/s", ylabel="decoding rate over dense", xlim=(0, None), ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--step", type=float, default=10, help="width of the table's classes, GB/s")
    parser.add_argument("--plot")
    args = parser.parse_args()
    of_weights = defaultdict(list)
    for path in args.files:
        for weights, one in rounds_of(path):
            of_weights[weights].append(one)
    print_table(of_weights, args.step)
    if args.plot:
        plot(of_weights, args.plot)


main()
