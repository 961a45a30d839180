"""Which runs a ratio may be formed of: those that keep the run rules. The rule of the problem is left out, since both sides of a ratio
ran the same one, that of the band, which the ratio itself looks at, and that of the number of tokens where cycles or a simulated clock are
counted: a pass makes one token of each sequence, and a second token takes what the first took."""
from . import run_rules
from .system import describe

NOT_ASKED = ("problem", "band")


def not_asked(case):
    return (*NOT_ASKED, "steps") if case.first.app == "sparse_llama" and not case.measured else NOT_ASKED


def reasons(results, systems=()):
    """Folder of each run that has a rate -> the first rule that it breaks, in words; empty where it keeps them all."""
    found = {}
    describe(results, systems)
    for case in run_rules.cases_of(results):
        broken = [f"{rule.name}: {v.found}" for rule, v in run_rules.judge(case)
                  if v.state == run_rules.FAIL and rule.name not in not_asked(case)]
        found |= {r.folder.resolve(): broken[0] if broken else "" for r in case.runs}
    return found


class Quotable:
    """Judges a user's results and those that ship apart: neither changes what the other is worth."""

    def __init__(self, *sets):
        """Each set: (results, systems)."""
        self.found = {}
        for results, systems in sets:
            self.found |= reasons(results, systems)

    def why_not(self, *runs):
        """In words; empty where a ratio of these may be quoted. Replays are no runs, and are not asked."""
        return next((why for r in runs if (why := self.found.get(r.folder.resolve(), ""))), "")
