"""The summary: sentences made of this report's numbers, and of nothing else."""
import statistics

from . import scaling, claim
from .cluster_model import TRUSTED_FACTOR
from .parts import Cell, Section, Table, Text
from .scaling import RATE
from .tables import machine_size, named_with_reasons
from .wording import count, listing, number, percent, times, watts


LEAST_TILES_USED = 0.5  # of the wafer, for its energy to be that of the problem


def compare(ratio):
    """`ratio` of wafer to cluster in words."""
    if ratio >= 1:
        return f"{times(ratio)} times as fast"
    return f"slower, at {times(ratio)} of that rate"


def pair_sentence(pair, why_not=""):
    """What one problem gave on both sides. `why_not`: the run rule for which no ratio may be quoted."""
    native, wafer = pair.native, pair.wafer
    size = count(native.workers, native.worker_name)
    emulated = wafer.value(RATE)
    return (
        f"{native.label}, {wafer.atoms:,} atoms: on {size} ({native.machine}) we measured"
        f" {number(pair.native_rate)} steps/s; the emulated wafer ({wafer.machine}, {machine_size(wafer)}) does"
        f" {number(emulated)} steps/s" + (f" (no ratio is quoted: {why_not})." if why_not else f": {compare(pair.ratio)}.")
    )


def fit_sentence(pair, fits, why_not=""):
    """What the fitted model says of more of the same cores."""
    for group, model, why, _ in fits:
        if group[0].problem != pair.wafer.problem or group[0].machine != pair.native.machine:
            continue
        if model is None:
            return f"How far more {pair.native.worker_name}s would carry it cannot be said from these runs ({why})."
        atoms, emulated = pair.wafer.atoms, pair.wafer.value(RATE)
        near = TRUSTED_FACTOR * model.workers_max
        rate, (low, high) = float(model.rate(atoms, near)), (float(x) for x in model.band(atoms, near))
        best = model.best_workers(atoms, claim.MODEL_LIMIT)
        far_low, far_high = (float(x) for x in model.band(atoms, best))
        return (
            f"The model fitted to these runs gives {number(rate, 3)} steps/s ({number(low, 3)} ... {number(high, 3)})"
            f" on {count(near, pair.native.worker_name)}, as far as it may be trusted"
            + ("." if why_not else f": the wafer is {compare(emulated / rate)}.")
            + f" Where more {pair.native.worker_name}s would saturate these runs cannot say:"
            f" on {best:,} the band spans {number(far_low, 2)} to {number(far_high, 2)} steps/s"
            + (", with no network in it." if len({h for r in group for h in r.hosts}) == 1 else ".")
        )
    return ""


def power_sentence(pair):
    wafer_power, energy = pair.wafer.value("watts"), pair.native.json["energy"]
    if wafer_power is None:
        return ""
    used, tiles = pair.wafer.tiles_used, pair.wafer.json.get("wafer", {}).get("tiles")
    of_all = f" of {used[1]:,}" if used else ""
    part = f", of which {tiles[0] * tiles[1]:,}{of_all} tiles work," if tiles else ""
    text = f"The whole wafer{part} draws {watts(wafer_power)} for it (emulated)"
    if used and used[0] < LEAST_TILES_USED * used[1]:
        return text + ". Energies are not compared: the wafer's would be the idle power of tiles that do nothing for this problem."
    per, own = (r.value("joules_per_atom_step") for r in (pair.native, pair.wafer))
    if not per:
        return text + "; what the cluster draws is not known: it has no meter."
    if not own:
        return text + "."
    ratio = per / own
    return text + (
        f"; an atom-step costs it {number(own, 3)} J against {number(per, 3)} J measured here ({energy['source']}): "
        + (f"{times(ratio)} times less." if ratio >= 1 else f"{times(1 / ratio)} times more.")
    )


def validate_sentence(results):
    """How far the emulated machine is from the published one, from the results of `validate`."""
    checks = [
        c
        for r in results
        if r.command == "validate" and r.complete
        for c in r.checks
        if c.name.startswith("steps_per_second") and c.off is not None
    ]
    if not checks:
        return (
            "How far the emulated wafer is from a real one is not part of these results (tungsten_md validate says it):"
            " its rates are predictions that were not checked here."
        )
    offs = [c.off for c in checks]
    side = "too high" if min(offs) > 0 else "too low" if max(offs) < 0 else "some too high, some too low"
    return (
        f"Against {count(len(checks), 'published rate')} of the real machine the emulated rates are"
        f" {percent(min(offs))} to {percent(max(offs))} off ({side}); {sum(c.passed for c in checks)} of"
        f" {len(checks)} within their tolerance."
    )


def llama_sentences(results, quotable):
    """For each model: the fastest decoding measured, what dense weights gave, and the emulated wafer."""
    rate, sentences = "decode_tokens_per_second", []
    rates = middle_runs([r for r in results if r.app == "sparse_llama"], rate)
    runs = list(rates)
    for key in dict.fromkeys(r.model_key for r in runs):
        mine = [r for r in runs if r.model_key == key]
        native, wafer = (
            max((r for r in mine if r.target == t), key=lambda r: rates[r], default=None)
            for t in ("cluster", "wafer")
        )
        if native is None and wafer is None:  # simulated clusters alone: the tables have them
            continue
        if native is None:
            sentences.append(
                f"{wafer.label}: the emulated wafer decodes {number(rates[wafer])} tokens/s; there is no native"
                " run to compare with."
            )
            continue
        text = (
            f"{native.label}: on {count(native.workers, native.worker_name)} we measured"
            f" {number(rates[native])} tokens/s of decoding"
        )
        dense = max(
            (r for r in mine if r.target == "cluster" and r.workers == native.workers and not r.value("sparsity")),
            key=lambda r: rates[r],
            default=None,
        )
        if dense and native.value("sparsity"):
            text += (
                f", with dense weights {number(rates[dense])} ({dense.json.get('model', {}).get('value', '')}):"
                f" {times(rates[native] / rates[dense])} times (of separate runs; the section on sparsity has"
                " runs in turn where they were given)"
            )
        if wafer:
            text += (
                f"; the emulated wafer does {number(rates[wafer])} tokens/s ({wafer.label})"
                + ("" if quotable and quotable.why_not(native, wafer) else f": {compare(rates[wafer] / rates[native])}")
            )
        sentences.append(text + ".")
    return sentences


def middle_runs(results, rate):
    """run -> rate: one run of each set of repeats, and the median of their rates, which is what tables show."""
    groups = {}
    for r in results:
        if r.valid and r.value(rate):
            groups.setdefault((r.problem, r.atoms, r.cells, r.machine, r.workers, r.wafer_options, r.build_key, r.value("steps")), []).append(r)
    return {g[0]: statistics.median(r.value(rate) for r in g) for g in groups.values()}


def checks_words(results):
    """"all pass" only where every run checked itself."""
    invalid = [r for r in results if not r.valid]
    checks = sum(len(r.checks) for r in results)
    without = sum(not r.checks for r in results)
    text = f"{count(len(results), 'result')}, {count(checks, 'check')}"
    if invalid:
        return text + f": NOT VALID: {named_with_reasons(invalid)}. Figures of these are not to be used."
    if not checks:
        return text + ": nothing was checked."
    return text + (f": all pass, and {count(without, 'result')} without any." if without else ": all pass.")


def lead_sentence(plain, why_not):
    """The ratios of all pairs that keep the run rules, in one sentence with what they were measured on."""
    good = [p for p in plain if not why_not[id(p)]]
    workers = listing(sorted({count(p.native.workers, p.native.worker_name) for p in good or plain}))
    if not good:
        return (f"{count(len(plain), 'problem')} ran on both sides, but the runs do not keep the run rules"
                f" ({why_not[id(plain[0])]}): no ratio to {workers} is quoted.")
    ratios = [p.ratio for p in good]
    told = f"{times(min(ratios))} to {times(max(ratios))} times" if len(good) > 1 else f"{times(ratios[0])} times"
    return (f"In {count(len(good), 'problem')} that ran on both sides by the run rules, the emulated wafer makes {told} the steps per second"
            f" that were measured on {workers}.")


def summary(results, quotable=None):
    """`quotable`: which runs a ratio may be formed of (all, where None)."""
    section = Section("summary", "Summary")
    invalid = [r for r in results if not r.valid]
    pairs = sorted(scaling.pairs(results), key=lambda p: -p.wafer.atoms)
    plain = [p for p in pairs if not p.wafer.wafer_options] or pairs
    fits = claim.fits(results)
    why_not = {id(p): quotable.why_not(p.native, p.wafer) if quotable else "" for p in plain}
    if plain:
        section.parts.append(Text(lead_sentence(plain, why_not), "lead"))
        section.parts.append(
            Text(
                "These ratios hold one whole wafer against the machine that was here, not against a cluster of the"
                " wafer's price or power. "
                + validate_sentence(results)
            )
        )
        section.parts.append(
            Table(
                [
                    "problem",
                    "atoms",
                    "native machine",
                    "native, steps/s",
                    "wafer, steps/s",
                    "wafer times native",
                    "wafer's power",
                ],
                [
                    [
                        p.wafer.label,
                        f"{p.wafer.atoms:,}",
                        machine_size(p.native),
                        Cell(number(p.native_rate), "measured"),
                        Cell(number(p.wafer.value(RATE)), "emulated"),
                        "not quoted" if why_not[id(p)] else times(p.ratio),
                        Cell(watts(p.wafer.value("watts")), "emulated") if p.wafer.value("watts") else "-",
                    ]
                    for p in plain
                ],
                numeric_from=1,
            )
        )
        # In words: the largest problem, and the one that the cluster model knows most of.
        fitted = {(g[0].problem, g[0].machine) for g, model, _, _ in fits if model is not None}
        largest = plain[0]
        known = next((p for p in plain if (p.native.problem, p.native.machine) in fitted), None)
        told = [largest] + ([known] if known not in (None, largest) else [])
        for p in told:
            section.parts.append(
                Text(" ".join(t for t in (pair_sentence(p, why_not[id(p)]), fit_sentence(p, fits, why_not[id(p)]), power_sentence(p)) if t))
            )
    sentences = llama_sentences(results, quotable)
    for k, sentence in enumerate(sentences):
        section.parts.append(Text(sentence, "lead" if not plain and k == 0 else ""))
    if not plain and not sentences:
        native = [r for r in results if r.valid and r.value(RATE) and r.target == "cluster"]
        wafer = [r for r in results if r.valid and r.value(RATE) and r.target == "wafer"]
        if native and not wafer:
            rates = middle_runs(native, "atom_steps_per_second") or {native[0]: native[0].value(RATE) * native[0].atoms}
            best = max(rates, key=rates.get)
            section.parts.append(
                Text(
                    (
                        f"On {count(best.workers, best.worker_name)} ({best.machine}) we measured"
                        f" {number(rates[best])} atom-steps/s ({best.label}). No result is of"
                        " the emulated wafer, so nothing can be said of it."
                    ),
                    "lead",
                )
            )
        elif wafer:
            section.parts.append(
                Text(
                    f"{count(len(wafer), 'result')} of the emulated wafer and no native run of the same problem and"
                    " size: there is nothing to compare. "
                    + validate_sentence(results),
                    "lead",
                )
            )
        elif any(r.command == "validate" for r in results):
            section.parts.append(Text(validate_sentence(results), "lead"))
        else:
            section.parts.append(Text(f"{count(len(results), 'result')} without a rate: see the tables.", "lead"))
    section.parts.append(Text(checks_words(results), "alarm" if invalid else ""))
    return section
