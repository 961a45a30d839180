#!/usr/bin/env python3
"""tungsten_md campaign: what it plans, runs, repeats, finds again, collects and refuses.

usage: test_campaign.py TUNGSTEN_MD
"""
import json
import math
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "jobscripts"))
import campaign_file  # noqa: E402
import campaign_plan  # noqa: E402
import campaign_results  # noqa: E402
from campaign_plan import Bracket, Cascade, Direction, NotDone, Threshold  # noqa: E402
from campaign_statistics import Mean, power_law  # noqa: E402

DECK = """[structure]
lattice_constant_angstrom = 3.1652
cells = [6, 6, 6]
[run]
duration_ps = 0.12
steps = 10000
timestep_ps = 0.001
[adaptive_timestep]
max_displacement_angstrom = 0.03
max_ps = 0.002
[thermostat]
kind = "none"
border_width_angstrom = 1.0
[[pka]]
energy_ev = 1.0
time_ps = 0.01
[output]
defects_every_steps = 20
"""
CAMPAIGN = """title = "small"
deck = "deck.toml"
temperatures_k = [30.0]
seeds = 2
directions = ["<135>", "random"]
again = 1
[[energy]]
ev = 30
[[energy]]
ev = 60.0
cells = [6, 6, 7]
"""
THRESHOLD = """deck = "deck.toml"
temperatures_k = [30.0]
seeds = 1
directions = ["<100>", "<111>"]
[threshold]
lowest_ev = 20.0
highest_ev = 90.0
step_ev = 10.0
cells = [10, 10, 10]
"""
outcomes = []


def check(good, what):
    print(("ok   " if good else "FAIL ") + what, flush=True)
    outcomes.append(bool(good))


def found(pairs, hot=False):
    return SimpleNamespace(pairs_end=pairs, hot=hot)


def thresholds_are_bisected():
    ladder = tuple(float(e) for e in range(20, 101, 5))
    for true in (0, 20, 21, 58, 60, 100, 101):
        asked = []

        def look(trial):
            asked.append(trial.energy_ev)
            return found(int(trial.energy_ev >= true))

        bracket = Threshold(Direction("<100>", (1, 0, 0)), 30.0, 1, (), 3, ladder).resolve(look)
        above = next((e for e in ladder if e >= true), None)
        below = next((e for e in reversed(ladder) if e < true), None)
        check((bracket.none_ev, bracket.pair_ev) == (below, above) and len(asked) <= 5, f"threshold {true}: {bracket} in {len(asked)} runs")


def thresholds_are_averaged():
    """What lies outside the ladder is told, not averaged."""
    ladder = (20.0, 40.0, 60.0)
    searches = [Threshold(Direction(name, (1, 0, 0)), 30.0, seed, (), 0, ladder) for name in ("<100>", "<110>") for seed in (1, 2)]
    brackets = [Bracket(20.0, 40.0), Bracket(40.0, 60.0), Bracket(60.0, None), Bracket(60.0, None)]
    rows, averages = campaign_results.threshold_rows(searches, dict(zip(searches, brackets)))
    check(rows[0]["threshold_ev"] == {"mean": 40.0, "error": 10.0, "values": [30.0, 50.0]} and rows[0]["outside_ladder"] == 0,
          f"two seeds have a mean and its error: {rows[0]}")
    check(rows[1]["threshold_ev"] is None and rows[1]["outside_ladder"] == 2, "a direction without a pair has no mean")
    check(averages[0]["threshold_ev"]["mean"] == 40.0 and averages[0]["without_threshold"] == 1, f"and is counted: {averages}")
    text = campaign_results.summary_of({"groups": [], "fits": [], "thresholds": rows, "threshold_averages": averages, "notes": []})
    check("2 outside the ladder, not in the mean" in text and "1 directions have none" in text, "in words, too")
    other = [Threshold(Direction(name, (1, 0, 0)), kelvin, 1, (), 0, ladder) for kelvin in (30.0, 90.0) for name in ("isotropic:2 1", "isotropic:2 2")]
    _, averages = campaign_results.threshold_rows(other, {t: Bracket(20.0, 40.0) for t in other})
    check([a["temperature_k"] for a in averages] == [30.0, 90.0], "each temperature has its average")
    mixed = [Threshold(Direction(name, (1, 0, 0)), kelvin, 1, (), 0, ladder) for kelvin in (30.0, 90.0) for name in ("<100>", "<110>")]
    _, averages = campaign_results.threshold_rows(mixed, {t: Bracket(20.0, 40.0) for t in mixed})
    check([a["temperature_k"] for a in averages] == [30.0, 90.0], "of named directions, too")


def hot_atoms_bring_another_seed():
    task = Cascade(Direction("random", None), 300.0, 5, (), 2, 1000.0)
    seeds = []

    def look(trial):
        seeds.append(trial.seed)
        return found(3, hot=trial.seed == 5)

    settled = task.resolve(look)
    check(settled.answered and len(settled.left_out) == 1 and len(set(seeds)) == 2, f"seed 5 is replaced: {seeds}")
    check(not task.resolve(lambda trial: found(3, hot=True)).answered, "after all seeds it is given up")
    try:
        task.resolve(lambda trial: None)
        check(False, "a missing run is asked for")
    except NotDone as missing:
        check(missing.trial.seed == 5, "a missing run is asked for")


def directions_cover_the_sphere():
    points = [d.vector for d in campaign_file.isotropic_set(500)]
    moments = [sum(p[i] * p[j] for p in points) / len(points) for i in range(3) for j in range(i, 3)]
    isotropic = [1 / 3, 0, 0, 1 / 3, 0, 1 / 3]
    check(all(abs(m - e) < 5e-3 for m, e in zip(moments, isotropic)) and all(abs(math.hypot(*p) - 1) < 1e-12 for p in points),
          "an isotropic set has the second moments of the sphere")
    draws = [campaign_plan.Trial(1e3, Direction("random", None), 300.0, s, ()).vector for s in range(2000)]
    check(all(abs(sum(p[i] for p in draws) / 2000) < 0.05 for i in range(3)), "random ones have no preferred side")


def laws_are_found():
    values = {1e3: (2.0, 2.0, 2.0), 1e4: (8.0, 12.0), 1e5: (50.0,)}
    exact = power_law([(e, Mean(tuple([2.0 * (e / 1e3) ** 0.7]) * 2)) for e in values])
    check(abs(exact["a"] - 2.0) < 1e-9 and abs(exact["b"] - 0.7) < 1e-9 and exact["a_error"] is None, f"a power law is found: {exact}")
    law = power_law([(e, Mean(v)) for e, v in values.items()])
    # The scatter of all points together: s^2 / m^2 = 8 / 100 at 10 keV, with one of three degrees of freedom. In units of ln 10 the
    # energies lie at 0, 1, 2 with weights 3, 2, 1, so their mean is 2/3 and their spread 3 (2/3)^2 + 2 (1/3)^2 + (4/3)^2 = 10/3.
    share = math.sqrt(8 / 100 / 3)
    check(abs(law["b_error"] - share / (math.log(10) * math.sqrt(10 / 3))) < 1e-9, f"with its errors: {law}")
    check(power_law([(1e3, Mean((2.0,)))]) is None, "one energy has no law")


def hot_recoils_guide_a_search():
    """As along <100> in a box of 12 cells, where those of 100 eV reach the border with every seed, and the threshold lies at 40 eV."""
    ladder = tuple(float(e) for e in range(20, 181, 5))
    search = Threshold(Direction("<100>", (1, 0, 0)), 36.0, 1, (), 3, ladder)
    asked = []

    def look(trial):
        asked.append(trial)
        return found(int(trial.energy_ev >= 40), hot=trial.energy_ev >= 60)

    bracket = search.resolve(look)
    check((bracket.none_ev, bracket.pair_ev) == (35.0, 40.0) and len(asked) <= 6 and {t.seed for t in asked} == {1}, f"hot recoils guide: {bracket}")
    near = search.resolve(lambda t: found(int(t.energy_ev >= 40), hot=t.energy_ev >= 40))
    check(not near.answered and "40 eV" in near.why, f"next to the threshold none may be hot: {near.why}")
    everywhere = search.resolve(lambda t: found(1, hot=True))
    check(not everywhere.answered and "20 eV" in everywhere.why, f"nor at the end of the ladder: {everywhere.why}")
    asked.clear()
    for seed in (1, 2):
        Threshold(Direction("random", None), 36.0, seed, (), 3, ladder).resolve(look)
    check(len({t.vector for t in asked}) == 2 and len({t.energy_ev for t in asked}) > 3, "a random direction is one for all energies of a search")


class Campaigns:
    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        (folder / "deck.toml").write_text(DECK)
        (folder / "campaign.toml").write_text(CAMPAIGN)

    def run(self, *words, file="campaign.toml", out="out", environment=None):
        done = subprocess.run([self.binary, "campaign", file, "--out", out, *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout, done.stderr

    def document(self):
        return json.loads((self.folder / "out/campaign.json").read_text())


def a_campaign_is_run_once(c):
    code, text, errors = c.run("--prepare")
    check(code == 0 and len(text.splitlines()) == 8 and not (c.folder / "out").exists(), f"eight runs are to be made (exit code {code}) {errors}")
    code, text, errors = c.run("--parallel", "2")
    document = c.document()
    check(code == 0 and document["complete"], f"they are made (exit code {code}) {errors}")
    groups = {(g["direction"], g["energy_ev"]): g for g in document["groups"]}
    check(set(groups) == {(d, e) for d in ("all", "<135>", "random") for e in (30.0, 60.0)}, "and counted by energy and direction")
    for (direction, _), g in groups.items():
        check(g["runs"] == (4 if direction == "all" else 2) and g["pairs_peak"]["mean"] >= 0 and g["mixing_angstrom2"] is not None,
              f"{direction}: {g['runs']} runs, {g['pairs_peak']['mean']} pairs at the peak")
    runs = document["runs"]
    random_ones = [tuple(r["vector"]) for r in runs if r["direction"] == "random"]
    check(len(set(random_ones)) == len(random_ones) >= 4, "each random recoil has its own direction")
    check((c.folder / "out/campaign.csv").read_text().count("\n") == len(runs) + 1, "campaign.csv has a line a run")
    before = {p: p.stat().st_mtime_ns for p in c.folder.glob("out/*/result.json")}
    code, text, _ = c.run()
    check(code == 0 and {p: p.stat().st_mtime_ns for p in c.folder.glob("out/*/result.json")} == before, "and not made again")
    check(c.document() == document, "the same runs give the same campaign.json")


def results_of_one_file_stay_its_own(c):
    """Another file, or other arguments, would find none of the runs and write over what they found."""
    (c.folder / "other").mkdir()
    (c.folder / "other/campaign.toml").write_text(CAMPAIGN.replace("deck.toml", "../deck.toml"))
    (c.folder / "other.toml").write_text(CAMPAIGN)
    before = [(c.folder / "out" / name).read_bytes() for name in ("campaign.json", "campaign.csv")]
    for file, words in (("other.toml", ()), ("other.toml", ("--collect",)), ("other.toml", ("--prepare",)), ("other/campaign.toml", ("--collect",)),
                        ("campaign.toml", ("--collect", "--set", "run.precision=mixed"))):
        code, _, errors = c.run(*words, file=file)
        check(code == 2 and errors.count("\n") == 1 and "made_by: found ../campaign.toml, expected ../" in errors,
              f"{file} {' '.join(words)} is refused: {errors.strip()!r} (exit code {code})")
    code, _, errors = c.run("--collect", file="other/../campaign.toml", out="./out/.")
    check(code == 0, f"the same file by another way is not (exit code {code}) {errors}")
    check(before == [(c.folder / "out" / name).read_bytes() for name in ("campaign.json", "campaign.csv")], "and nothing changed")


def what_is_lost_is_made_again(c):
    document = c.document()
    victim = sorted(c.folder.glob("out/*/result.json"))[0]
    victim.write_text(victim.read_text()[:100])
    code, text, _ = c.run("--collect")
    check(code == 1 and not c.document()["complete"] and "1 missing" in text, "a damaged result is missing")
    code, text, _ = c.run("--parallel", "1")
    check(code == 0 and text.count("pairs at the peak") == 1, "and made again, alone")
    dropped = ("core_seconds",)
    same = [[{k: v for k, v in r.items() if k not in dropped} for r in d["runs"]] for d in (document, c.document())]
    check(same[0] == same[1], "with the same outcome")


def a_threshold_is_searched_once(c):
    """Each direction's bracket is what its runs say; a search that was cut goes on with what is there."""
    (c.folder / "threshold.toml").write_text(THRESHOLD)
    code, text, errors = c.run("--parallel", "2", file="threshold.toml", out="search")
    document = json.loads((c.folder / "search/campaign.json").read_text())
    check(code == 0 and document["complete"] and len(document["thresholds"]) == 2, f"two searches end (exit code {code}) {errors}")
    for row in document["thresholds"]:
        pairs = {r["energy_ev"]: r["pairs_end"] for r in document["runs"] if r["direction"] == row["direction"]}
        found = row["searches"][0]
        good = (found["pair_at_ev"] is None or pairs[found["pair_at_ev"]] > 0) and (found["none_at_ev"] is None or pairs[found["none_at_ev"]] == 0)
        gap = None if None in (found["none_at_ev"], found["pair_at_ev"]) else found["pair_at_ev"] - found["none_at_ev"]
        check(good and gap in (None, 10.0) and len(pairs) <= 4, f"{row['direction']}: {found} of {pairs}")
    victim = sorted(c.folder.glob("search/*/result.json"))[-1]
    before = {p: p.stat().st_mtime_ns for p in c.folder.glob("search/*/result.json") if p != victim}
    victim.unlink()
    code, text, errors = c.run("--parallel", "1", file="threshold.toml", out="search")
    after = {p: p.stat().st_mtime_ns for p in before}
    again = json.loads((c.folder / "search/campaign.json").read_text())
    check(code == 0 and before == after and again["thresholds"] == document["thresholds"], f"what was lost is made again, alone (exit code {code}) {errors}")


BAD = [
    ("deck", 'deck = "none.toml"\n[[energy]]\nev = 30', "none.toml: "),
    ("no recoil", 'deck = "bare.toml"\n[[energy]]\nev = 30', "found 0 tables [[pka]]"),
    ("nothing", 'deck = "deck.toml"', "neither [[energy]] nor [threshold]"),
    ("key", 'deck = "deck.toml"\nsteps = 3\n[[energy]]\nev = 30', "steps: unknown key"),
    ("key of an energy", 'deck = "deck.toml"\n[[energy]]\nev = 30\nkev = 1', "energy.kev: unknown key"),
    ("energy", 'deck = "deck.toml"\n[[energy]]\nev = -1', "energy.ev: found -1"),
    ("nan", 'deck = "deck.toml"\n[[energy]]\nev = nan', "energy.ev: found nan"),
    ("bool", 'deck = "deck.toml"\n[[energy]]\nev = true', "energy.ev: found True"),
    ("text", 'deck = "deck.toml"\n[[energy]]\nev = "30"', "energy.ev: found '30'"),
    ("twice", 'deck = "deck.toml"\n[[energy]]\nev = 30\n[[energy]]\nev = 30.0', "one ev twice"),
    ("not a table", 'deck = "deck.toml"\nenergy = 3', "tables [[energy]]"),
    ("direction", 'deck = "deck.toml"\ndirections = ["<000>"]\n[[energy]]\nev = 30', "directions: found '<000>'"),
    ("direction twice", 'deck = "deck.toml"\ndirections = ["<100>", "<100>"]\n[[energy]]\nev = 30', "each direction once"),
    ("isotropic 0", 'deck = "deck.toml"\ndirections = ["isotropic:0"]\n[[energy]]\nev = 30', "isotropic:0"),
    ("no direction", 'deck = "deck.toml"\ndirections = []\n[[energy]]\nev = 30', "directions: found []"),
    ("seeds", 'deck = "deck.toml"\nseeds = 0\n[[energy]]\nev = 30', "seeds: found 0"),
    ("huge", 'deck = "deck.toml"\nseeds = 100000000000\n[[energy]]\nev = 30', "seeds: found 1000"),
    ("too many", 'deck = "deck.toml"\nseeds = 1000000\ndirections = ["isotropic:10"]\n[[energy]]\nev = 30', "more than 1,000,000 runs"),
    ("seed twice", 'deck = "deck.toml"\nseeds = [1, 1]\n[[energy]]\nev = 30', "each once"),
    ("temperature", 'deck = "deck.toml"\ntemperatures_k = [-3]\n[[energy]]\nev = 30', "temperatures_k: found [-3]"),
    ("expansion", 'deck = "deck.toml"\nthermal_expansion = [1, 1]\n[[energy]]\nev = 30', "1 factors"),
    ("set", 'deck = "deck.toml"\nset = ["run.seed=3"]\n[[energy]]\nev = 30', "the campaign sets it"),
    ("set of no deck", 'deck = "deck.toml"\nset = ["run.sed=3"]\n[[energy]]\nev = 30', "run.sed"),
    ("cells", 'deck = "deck.toml"\n[[energy]]\nev = 30\ncells = [3, 3]', "energy.cells: found [3, 3]"),
    ("ladder", 'deck = "deck.toml"\n[threshold]\nlowest_ev = 30\nhighest_ev = 20\nstep_ev = 5', "threshold.highest_ev: found 20"),
    ("no step", 'deck = "deck.toml"\n[threshold]\nlowest_ev = 30\nhighest_ev = 40', "threshold.step_ev: found None"),
    ("TOML", "deck = ", "expected a campaign (TOML)"),
    ("defects", 'deck = "uncounted.toml"\n[[energy]]\nev = 30', "output.defects_every_steps"),
]


def bad_files_are_one_line(c):
    (c.folder / "bare.toml").write_text("[structure]\n")
    (c.folder / "uncounted.toml").write_text(DECK.replace("defects_every_steps = 20", "thermo_every_steps = 20"))

    def refused(case):
        name, text, words = case
        file = f"bad_{name.replace(' ', '_')}.toml"
        (c.folder / file).write_text(text)
        code, _, errors = c.run(file=file, out="bad")
        return name, words, code, errors

    with ThreadPoolExecutor(2) as pool:
        for name, words, code, errors in pool.map(refused, BAD):
            check(code == 2 and errors.count("\n") == 1 and words in errors, f"{name}: {errors.strip()!r} (exit code {code})")
    check(not (c.folder / "bad").exists(), "and leave nothing behind")
    for words, expected in ((("--set", "run.seed=3"), "run.seed"), (("--ranks", "0"), "--ranks 0"), (("--parallel", "0"), "--parallel 0"),
                            (("--nothing",), "--nothing"), (("--site", "nowhere"), "nowhere")):
        code, _, errors = c.run(*words, out="bad")
        check(code == 2 and errors.count("\n") == 1 and expected in errors, f"{' '.join(words)}: {errors.strip()!r}")
    code, _, errors = c.run(environment=os.environ | {"OMPI_COMM_WORLD_RANK": "0"})
    check(code == 2 and "no mpirun" in errors, f"under mpirun: {errors.strip()!r}")


def main():
    thresholds_are_bisected()
    thresholds_are_averaged()
    hot_atoms_bring_another_seed()
    hot_recoils_guide_a_search()
    directions_cover_the_sphere()
    laws_are_found()
    with tempfile.TemporaryDirectory() as folder:
        c = Campaigns(Path(folder), str(Path(sys.argv[1]).resolve()))
        a_campaign_is_run_once(c)
        results_of_one_file_stay_its_own(c)
        what_is_lost_is_made_again(c)
        a_threshold_is_searched_once(c)
        bad_files_are_one_line(c)
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    sys.exit(0 if all(outcomes) else 1)


if __name__ == "__main__":
    main()
