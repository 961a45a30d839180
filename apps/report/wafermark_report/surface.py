"""Sparse Llama: what zeros save, by tokens together and way of running (the "surface" of tests/bench/wafer_sparsity.py and
compare_sparsity.py), beside the claim of a third of the energy."""
from . import svg_theme
from .documents import SCHEMAS, check_schema
from .parts import Cell, Picture, Table, Text
from .svg_theme import FAINT, MARKERS, SERIES, inline, legend, log_axis
from .wording import number

SURFACE_SCHEMA = SCHEMAS / "sparsity_surface.schema.json"
CLAIM = 1 / 0.3  # 70 % zeros, three tenths of the energy
CLAIMED_ZEROS = 0.7
# Agarwalla et al. 2024 (arXiv 2405.03594), tokens in billions: both stages and their share of zeros; training of Llama-2-7B.
RECOVERY, TRAINING = ((50, 0.5), (100, 0.7)), 2000
KINDS = {"native": "measured", "wafer, resident": "emulated", "wafer, streamed": "emulated"}


def points_of(content, path):
    """The points of a parsed file, [] where it has none. Raises InputError."""
    points = content.get("surface") if isinstance(content, dict) else None
    return check_schema(points, SURFACE_SCHEMA, f"{path}: surface") if points else []


def saving(point):
    """(ratio, whether it is of energy): how many times less than dense. Where nothing counts joules, time stands for energy."""
    if point["energy_over_dense"] is not None:
        return point["energy_over_dense"], True
    return point["rate_over_dense"], False


def interval(point):
    """Of saving(): (low, high), or None where nothing says how sure it is."""
    low, high = (point.get(f"{'energy' if saving(point)[1] else 'rate'}_{end}") for end in ("low", "high"))
    return (low, high) if low is not None and high is not None else None


def decided(point):
    """Whether its interval leaves out 1; only such a ratio is quoted. One without an interval is quoted without."""
    of = interval(point)
    return of is None or not of[0] <= 1 <= of[1]


def times_less(point):
    """"3 (2.2 to 3.1)", "3" without an interval, "undecided" where the interval holds 1."""
    if not decided(point):
        return "undecided"
    of = interval(point)
    return number(saving(point)[0], 3) + (f" ({number(of[0], 3)} to {number(of[1], 3)})" if of else "")


def best_of(points):
    """The point that saves most: one that surely saves, if any does."""
    return max(points, key=lambda p: (decided(p) and saving(p)[0] > 1, saving(p)[0]))


def way(point):
    """How a point was run, in words."""
    arriving = point.get("arriving")
    if arriving is None:
        return point["side"]
    return f"{point['side']}, " + ("weights found by scalar code" if arriving == "scalar" else f"{number(float(arriving), 3)} cycles an arriving weight")


def curves(points):
    """{(way, sparsity): points by tokens together}: unstructured zeros only."""
    found = {}
    for p in points:
        if p["sparsity"] > 0 and saving(p)[0] is not None and p.get("format", "bit_mask") == "bit_mask":
            found.setdefault((way(p), p["sparsity"]), {})[p["together"]] = p
    return {key: [p for _, p in sorted(of.items())] for key, of in found.items()}


def is_claimed(sparsity):
    return abs(sparsity - CLAIMED_ZEROS) <= 0.02


def shown_ways(points):
    """The ways that a picture has room for: of the arriving weights the cheapest and the dearest."""
    ways = {}
    for p in points:
        if p["sparsity"] > 0:  # dense weights do not arrive one by one
            ways.setdefault(p["side"], {})[way(p)] = p.get("arriving", 0)
    shown = []
    for of_side in ways.values():
        by_price = sorted((w for w in of_side if of_side[w] != "scalar"), key=lambda w: of_side[w])
        shown += list(dict.fromkeys([*by_price[:1], *by_price[-1:]])) or list(of_side)
    return shown


def surface_picture(points):
    drawn = {key: curve for key, curve in curves(points).items() if key[0] in shown_ways(points)}
    fig, axes = svg_theme.figure(6.8, 4.8)
    ways = list(dict.fromkeys(key[0] for key in drawn))
    shares = sorted({key[1] for key in drawn})
    for (name, share), curve in drawn.items():
        together, colour = [p["together"] for p in curve], SERIES[shares.index(share) % len(SERIES)]
        if is_claimed(share) and all(map(interval, curve)):  # bands of all shares would hide each other
            axes.fill_between(together, *zip(*map(interval, curve)), color=colour, alpha=0.13, lw=0)
        axes.plot(
            together,
            [saving(p)[0] for p in curve],
            label=f"{100 * share:.0f} %, {name}",
            color=colour,
            marker=MARKERS[ways.index(name) % len(MARKERS)],
            ls=("-", "--", ":", "-.")[ways.index(name) % 4],
            ms=5,
        )
    axes.axhline(1, color=FAINT, lw=1, ls=":")
    axes.axhline(CLAIM, color=FAINT, lw=1, ls="--", label="the claim for 70 %: 3.33 times less")
    log_axis(axes.xaxis)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("tokens together")
    axes.set_ylabel("times less energy a token than dense")
    timed = any(not saving(p)[1] for p in points if p["sparsity"] > 0)
    banded = any(is_claimed(share) and all(map(interval, curve)) for (_, share), curve in drawn.items())
    kinds = tuple(dict.fromkeys(KINDS[p["side"]] for p in points))
    return Picture(
        inline(fig, "Energy a token over dense, against tokens together"),
        "What zeros among the weights save, by tokens together and way of running; above 1 sparse weights win."
        + (" Where no meter counts joules the curve is of time." if timed else "")
        + (" Bands, of 70 % zeros: the table below says what they are." if banded else ""),
        kinds,
        wide=True,
        legend=legend(axes),
    )


def at_claimed_zeros(points):
    """The points that the claim is about: 70 % unstructured zeros, where dense weights fit too."""
    return [p for p in points if is_claimed(p["sparsity"]) and p.get("format", "bit_mask") == "bit_mask" and saving(p)[0] is not None]


def claim_table(points):
    """Of every way: how far 70 % zeros come, and from where they win."""
    rows = []
    ways = {}
    for p in at_claimed_zeros(points):
        ways.setdefault(way(p), []).append(p)
    for name, mine in ways.items():
        best = best_of(mine)
        winning = [p["together"] for p in mine if saving(p)[0] >= 1 and decided(p)]
        rows.append([name, Cell(times_less(best), KINDS[best["side"]]), "energy" if saving(best)[1] else "time", f"{best['together']:,}",
                     f"{min(winning):,}" if winning else "never" if all(map(decided, mine)) else "undecided"])
    if not rows:
        return None
    return Table(
        ["70 % zeros", "times less, at best", "of", "with so many tokens together", "wins from"], rows,
        "The claim is 3.33 times less energy (three tenths). In brackets: of native runs the smallest and the largest round, of the wafer what the"
        " machine's numbers leave open, moved in both runs at once. Undecided: 1 lies in it", numeric_from=1)


def verdict_text(points):
    found = at_claimed_zeros(points)
    if not found:
        return None
    best = best_of(found)
    if not decided(best):
        return Text("The claim is undecided in these runs: whatever 70 % zeros save, 1 lies in its interval.")
    where = f"{way(best)}, {best['together']:,} tokens together"
    if saving(best)[0] >= 0.95 * CLAIM:
        return Text(f"The claim holds ({way(best)}): {times_less(best)} times less with {best['together']:,} tokens together.")
    farthest = max(filter(interval, found), key=lambda p: interval(p)[1], default=None)
    if farthest and interval(farthest)[1] >= CLAIM:
        of_whom = "the interval" if farthest is best else f"the interval of {way(farthest)}, {farthest['together']:,} tokens together"
        return Text(f"The claim is undecided in these runs: 70 % zeros save {times_less(best)} times ({where}), and 3.33 times lies in {of_whom}.")
    return Text(f"The claim is not found in these runs: 70 % zeros save at most {times_less(best)} times ({where}) where 3.33 times was claimed.")


def training_text(points):
    """Both stages that recover a sparse model, by the streamed program: energy in parts of dense training."""
    streamed = [p for p in points if p["side"] == "wafer, streamed" and p["energy_over_dense"] is not None]
    stages = []
    for tokens, share in RECOVERY:
        of_share = [p for p in streamed if abs(p["sparsity"] - share) <= 0.02 and p.get("format", "bit_mask") == "bit_mask" and decided(p)]
        if not of_share:
            return None
        stages.append((tokens, max(of_share, key=lambda p: p["together"])))
    spent = [100 * sum(tokens / times for (tokens, _), times in zip(stages, side)) / TRAINING
             for side in zip(*((saving(p)[0], *reversed(interval(p) or ())) for _, p in stages))]
    dense = sum(tokens for tokens, _ in RECOVERY) / TRAINING
    batches = " and ".join(f"{point['together']:,}" for _, point in stages)
    between = f" ({spent[1]:.1f} to {spent[2]:.1f})" if len(spent) > 1 else ""
    return Text(
        f"Recovering a model (50 billion tokens at 50 % zeros, 100 billion at 70 %) would take {spent[0]:.1f}{between} % of the energy of training"
        f" it dense on 2,000 billion, where the same tokens with dense weights take {100 * dense:.1f} %: modelled from forward passes of"
        f" {batches} tokens together, with backward passes taken to save as much.",
        "note",
    )


def surface_parts(points):
    if not curves(points):
        return []
    return [part for part in (surface_picture(points), verdict_text(points), claim_table(points), training_text(points)) if part]
