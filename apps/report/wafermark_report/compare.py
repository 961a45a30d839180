"""Two result sets side by side: ratios of figures of merit, with the spread over repeats, and what may be concluded."""
import math
from dataclasses import dataclass

from .errors import Arguments, InputError, one_line
from .results import read_results
from .system import of_one_machine
from .tables import MERIT, machine_size, size_of
from .wording import count, number

# Figures of which less is better; of the others more is.
LESS_IS_BETTER = {"joules_per_atom_step", "joules_per_token", "perplexity", "bits_per_weight"}
# Figures that the same build repeats to every digit: any difference is one.
EXACT = {"perplexity", "bits_per_weight"}
# Two-sided 95 % points of Student's t by degrees of freedom.
STUDENT = {
    1: 12.71,
    2: 4.30,
    3: 3.18,
    4: 2.78,
    5: 2.57,
    6: 2.45,
    7: 2.36,
    8: 2.31,
    9: 2.26,
    10: 2.23,
    12: 2.18,
    15: 2.13,
    20: 2.09,
    30: 2.04,
}


@dataclass(frozen=True)
class Comparison:
    """One figure of one problem in both sets. `ratio` is B over A (of geometric means), `low` and `high` its 95 %
    interval; None where one of them was run once and nothing is known of its spread."""

    what: str
    figure: str
    kind: str
    a: tuple
    b: tuple
    ratio: float
    low: float | None
    high: float | None

    @property
    def verdict(self):
        """Of B against A."""
        if self.low is None:
            return "no verdict: one run" if self.ratio != 1 else "no difference"
        if self.low <= 1.0 <= self.high:
            return "no difference"
        better = (self.ratio < 1.0) == (self.figure in LESS_IS_BETTER)
        if "per_second" in self.figure:
            return "faster" if better else "slower"
        return "better" if better else "worse"


def student(freedom):
    """The largest tabulated number of degrees of freedom that is not above `freedom`: on the safe side."""
    return STUDENT[max(k for k in STUDENT if k <= max(1, freedom))]


def interval(a, b, exact):
    """Ratio of geometric means of b over a, with its 95 % interval from the scatter of the logarithms (Welch)."""
    la, lb = [math.log(x) for x in a], [math.log(x) for x in b]
    mean_a, mean_b = sum(la) / len(la), sum(lb) / len(lb)
    ratio = math.exp(mean_b - mean_a)
    if exact:
        return ratio, ratio, ratio
    if len(a) < 2 or len(b) < 2:
        return ratio, None, None
    var_a = sum((x - mean_a) ** 2 for x in la) / (len(la) - 1) / len(la)
    var_b = sum((x - mean_b) ** 2 for x in lb) / (len(lb) - 1) / len(lb)
    total = var_a + var_b
    freedom = total**2 / (var_a**2 / (len(a) - 1) + var_b**2 / (len(b) - 1)) if total > 0 else len(a) + len(b) - 2
    reach = student(int(freedom)) * math.sqrt(total)
    return ratio, math.exp(mean_b - mean_a - reach), math.exp(mean_b - mean_a + reach)


def case_of(result):
    """What has to be equal for two runs to be compared: the problem, its size, the target and the size of the
    machine; not the commit, the host or the compiler. An emulated rate repeats exactly, but depends on how many steps
    were run."""
    machine = result.json["machine"]
    size = (
        (result.value("steps"), machine_size(result))
        if result.target == "wafer"
        else (result.ranks, machine["threads_per_rank"])
    )
    return (result.app, result.command, result.problem, result.atoms, result.cells, result.target, *size)


def values(results):
    """(case, figure) -> list of values over repeats, invalid runs left out; and a result of each case."""
    found, example = {}, {}
    for r in results:
        if not r.valid:
            continue
        for name, _, _ in MERIT[r.app]:
            value = r.value(name)
            if value is not None and value > 0:
                found.setdefault((case_of(r), name), []).append(value)
                example[case_of(r)] = r
    return found, example


def compare(set_a, set_b):
    """All figures of merit that both sets have. Raises InputError when there is none."""
    (a, example), (b, _) = values(set_a), values(set_b)
    rows = []
    for key in a:
        if key not in b:
            continue
        case, figure = key
        r = example[case]
        kind = r.figures[figure].kind
        ratio, low, high = interval(a[key], b[key], figure in EXACT or kind == "emulated")
        rows.append(
            Comparison(
                f"{r.label}, {size_of(r) or r.command}, {machine_size(r)}",
                figure,
                kind,
                tuple(a[key]),
                tuple(b[key]),
                ratio,
                low,
                high,
            )
        )
    if not rows:
        raise InputError(
            "compare: found no problem with the same size and machine size, with valid runs, in both sets; expected at"
            " least one"
        )
    return rows


def table(rows, names):
    widths = [max(len(x) for x in column) for column in zip(*rows, names)]
    line = lambda cells: "  ".join(
        c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(cells, widths))
    ).rstrip()  # noqa: E731
    return "\n".join([line(names), *map(line, rows)])


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main(arguments):
    parser = Arguments(
        prog="wafermark-report compare",
        description="B against A: ratios of figures of merit with their 95 % interval over repeats.",
    )
    parser.add_argument("a", help="folder of results (of sweeps, repeats), the reference")
    parser.add_argument("b", help="folder of results to judge")
    options = parser.parse_args(arguments)
    set_a, set_b = read_results([options.a]), read_results([options.b])
    common = {case_of(r) for r in set_a} & {case_of(r) for r in set_b}
    for results, folder in ((set_a, options.a), (set_b, options.b)):
        of_one_machine([r for r in results if case_of(r) in common], case_of, folder)
    rows = compare(set_a, set_b)
    cells = [
        [
            r.what,
            r.figure,
            f"{number(mean(r.a))} ({len(r.a)})",
            f"{number(mean(r.b))} ({len(r.b)})",
            f"{r.ratio:.3f}",
            f"{r.low:.3f} ... {r.high:.3f}" if r.low is not None else "unknown",
            r.verdict,
        ]
        for r in rows
    ]
    print(table(cells, ["problem", "figure", "A (runs)", "B (runs)", "B/A", "95 %", "B is"]))
    alone = [r for r in rows if r.low is None]
    if alone:
        print(
            f"{count(len(alone), 'figure')} without a verdict: one run says nothing of the spread; repeat both sides at"
            " least 3 times"
        )
    dropped = [f"{r.folder} ({r.why_not_valid})" for r in set_a + set_b if not r.valid]
    if dropped:
        print(one_line(f"left out: {', '.join(dropped)}"))
    keys_a, keys_b = set(values(set_a)[0]), set(values(set_b)[0])
    only = len(keys_a ^ keys_b)
    if only:
        print(f"{count(only, 'figure')} in one of the sets only")
    return 0
