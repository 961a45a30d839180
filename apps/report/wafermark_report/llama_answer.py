"""Sparse Llama on the emulated wafer against clusters, and against dense weights on the same wafer: numbers only;
llama_answer_page.py shows them."""
import math
from dataclasses import dataclass

from .answer import Point, Rate, Ratio, Rival
from .results import plain_model_name

DECODE, PREFILL, JOULES = "decode_tokens_per_second", "prefill_tokens_per_second", "joules_per_token"
NOT_THE_MODEL = ("sparsity", "seed", "hollow", "context", "two_four")  # keys of --synthetic that change no shape


@dataclass(frozen=True)
class Model:
    """What both sides must share: shapes, type of the values, share of zeros in percent, sequences at once."""

    name: str
    value: str
    zeros: int
    sequences: int

    @property
    def label(self):
        return f"{plain_model_name(self.name)}, {self.value}, " + (f"{self.zeros} % zeros" if self.zeros else "dense")


def model_of(result):
    model = result.json.get("model", {})
    name, _, keys = model.get("name", "").partition(":")
    kept = [k for k in keys.split(",") if k and k.split("=")[0] not in NOT_THE_MODEL]
    zeros = round(100 * (result.value("sparsity") or 0))
    value = str(model.get("value")) + (f", cache in {result.own_cache}" if result.own_cache else "")
    return Model(name + (f" ({', '.join(kept)})" if kept else ""), value, zeros,
                 model.get("sequences") or 1)


def runs(results, target, rate):
    return [r for r in results if r.app == "sparse_llama" and r.command == "run" and r.valid and r.target == target and r.value(rate)]


def rivals_of(model, results):
    """Clusters that decode the same model: at each size the fastest format."""
    found = {}
    for target, kind in (("simulated", "simulated"), ("cluster", "measured")):
        for r in runs(results, target, DECODE):
            if model_of(r) == model:
                points = found.setdefault((r.machine, kind, r.worker_name if kind == "measured" else "worker"), {})
                points.setdefault(r.workers, []).append(r)
    return [
        Rival(machine, kind, worker,
              [Point(n, Rate.of(max(rs, key=lambda r: r.value(DECODE)), DECODE)) for n, rs in sorted(points.items())],
              runs=[r for rs in points.values() for r in rs] if kind == "measured" else [])
        for (machine, kind, worker), points in sorted(found.items())
    ]


@dataclass
class Decoding:
    """One model that the emulated wafer decoded, and the clusters that did."""

    model: Model
    wafer: object
    rivals: list


def decodings(results):
    """The newest wafer run of each model that some cluster decoded too."""
    newest = {model_of(r): r for r in sorted(runs(results, "wafer", DECODE), key=lambda r: r.started)}
    found = [Decoding(m, r, rivals_of(m, results)) for m, r in newest.items()]
    return sorted((d for d in found if d.rivals), key=lambda d: (d.model.name, d.model.value, d.model.zeros))


@dataclass(frozen=True)
class Pass:
    """One pass of many tokens with streamed weights."""

    model: Model
    tokens: int
    run: object


def passes(results):
    """The newest run with streamed weights of each model and number of tokens together."""
    found = {}
    for r in sorted(runs(results, "wafer", PREFILL), key=lambda r: r.started):
        wafer = r.json.get("wafer", {})
        if wafer.get("weights") == "streamed" and wafer.get("tokens_of_pass"):
            model = model_of(r)
            key = (r.machine, r.wafer_options, model.name, model.value, model.zeros, wafer["tokens_of_pass"])
            found[key] = Pass(model, wafer["tokens_of_pass"], r)
    return [p for _, p in sorted(found.items(), key=lambda item: item[0])]


def dense_beside(one, found):
    """The pass of the same shapes and tokens without zeros; None where there is none."""
    return next((p for p in found if p.tokens == one.tokens and not p.model.zeros and p.run.machine == one.run.machine
                 and (p.model.name, p.model.value) == (one.model.name, one.model.value)), None)


def paired_ratio(sparse, dense, rate=PREFILL):
    """Rates of two runs on the same machine file, whose numbers move both at once (paired_interval)."""
    return paired_interval(sparse.value(rate) / dense.value(rate), influences(sparse, "sensitivity"), influences(dense, "sensitivity"))


def paired_saving(sparse, dense):
    """How many times less energy a token than dense, in the same way; None where a run has none."""
    joules = [r.value(JOULES) for r in (dense, sparse)]
    if not all(joules):
        return None
    return paired_interval(joules[0] / joules[1], influences(dense, "energy_sensitivity"), influences(sparse, "energy_sensitivity"))


def influences(result, name):
    return result.json.get("wafer", {}).get(name, ())


def paired_interval(value, above, below):
    """A ratio whose two sides depend on the same numbers, each by its influences (a list as results have it): every number at the ends of
    its range, in both at once, and the logarithms added up as squares; no interval where a side does not say what moves it."""
    moved = [{s["number"]: s for s in side} for side in (above, below)]
    if not all(moved):
        return Ratio(value, None, None)
    down = up = 0.0
    for number in moved[0].keys() | moved[1].keys():
        pairs = [(moved[0].get(number, {}).get(end, 1.0), moved[1].get(number, {}).get(end, 1.0)) for end in ("at_low", "at_high")]
        if any(a <= 0 or b <= 0 for a, b in pairs):
            return Ratio(value, None, None)
        ends = [math.log(a / b) for a, b in pairs]
        down, up = math.hypot(down, min(0.0, *ends)), math.hypot(up, max(0.0, *ends))
    return Ratio(value, value * math.exp(-down), value * math.exp(up))
