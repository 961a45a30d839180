"""Official or not: made results of every kind of failure, descriptions of machines, and the result sheet."""
import csv
import json
import math
import subprocess
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, SOURCE, banded, result, write
from wafermark_report import answer, run_rules, sheet, suite
from wafermark_report.documents import parse_toml
from wafermark_report.errors import InputError
from wafermark_report.results import read_results
from wafermark_report.submission import systems_in
from wafermark_report.system import as_toml, describe, of_this_node, read_system

SYSTEM = """[system]
name = "made"
nodes = 10
[node]
sockets = 2
cpu = "A CPU"
cores = 64
gpus = 0
memory_gib = 256
[network]
name = "a network"
[storage]
name = "a disk"
[software]
os = "an OS"
compiler = "gcc"
mpi = "Open MPI"
blas = "OpenBLAS"
[power]
meter = "L1"
idle_watts = 300
load_watts = 720
[cost]
currency = "EUR"
price = 1000000
life_years = 5
energy_price_per_kwh = 0.25
pue = 1.2
"""
STRONG = (SOURCE / "inputs/tungsten/strong_scaling.toml").read_text()


def official(rate=30.0, ranks=4, steps=1000, deck=STRONG, atoms=None, **changes):
    """A result of the suite's strong scaling, as it has to be."""
    made = result(rate=rate, ranks=ranks, steps=steps, **changes)
    made["deck"] = {"file": "strong_scaling.toml", "toml": deck}
    cells = parse_toml(deck, "deck")["structure"]["cells"]
    for f in made["figures"]:
        if f["name"] == "atoms":
            f["value"] = atoms or 2 * math.prod(cells)
    return made


def llama(sparsity=0.7, name="llama2-7b:sparsity=0.7,seed=1", tokens=128, rate=5.0):
    made = result()
    made |= {"app": "sparse_llama", "checks": [], "generation": {"tokens_asked_for": tokens}}
    made["model"] = {"name": name, "format": "bit_mask", "value": "int8", "instructions": "AVX2", "sequences": 1}
    made["figures"] = [
        {"name": "decode_tokens_per_second", "value": rate, "unit": "1/s", "kind": "measured"},
        {"name": "sparsity", "value": sparsity, "unit": "", "kind": "measured"},
        {"name": "joules_per_token", "value": 36.0, "unit": "J", "kind": "measured"},
    ]
    made["deck"] = {"file": "", "toml": ""}
    return made


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)
        self.count = 0

    def results(self, *documents, system=SYSTEM):
        """(results, systems) of made documents in a folder of their own."""
        self.count += 1
        place = write(self.folder / f"r{self.count}", *documents)
        if system:
            (place / "system.toml").write_text(system)
        return read_results([place]), systems_in([place], [])

    def failures(self, *documents, system=SYSTEM):
        """Names of the rules that the only case breaks."""
        results, systems = self.results(*documents, system=system)
        describe(results, systems)
        (case,) = run_rules.cases_of(results)
        return [rule.name for rule, v in run_rules.judge(case) if v.state == run_rules.FAIL]


class Rules(WithFolder):
    def test_a_case_that_keeps_every_rule_is_official(self):
        self.assertEqual(self.failures(official(), official(rate=31.0), official(rate=29.0)), [])

    def test_each_rule_is_broken_by_its_own_failure_and_no_other(self):
        good = official()
        deck = STRONG.replace("timestep_ps = 0.002", "timestep_ps = 0.001")
        smaller = STRONG.replace("[74, 74, 74]", "[73, 74, 74]")
        self.assertNotIn(STRONG, (deck, smaller))
        no_checks = good | {"checks": []}
        dirty = json.loads(json.dumps(good))
        dirty["build"]["commit"] += "-dirty"
        unnamed = json.loads(json.dumps(good))
        unnamed["build"]["compiler"] = " "
        other = json.loads(json.dumps(good))
        other["build"]["compiler"] = "clang"
        wide = json.loads(json.dumps(good))
        wide["machine"]["threads_per_rank"] = 17
        for documents, broken in (
            ([good | {"status": "incomplete"}, good, good, good], ["complete"]),
            ([official(valid=False), good, good], ["checks"]),
            ([no_checks, good, good], ["checks"]),
            ([official(deck=deck)] * 3, ["problem"]),
            ([official(deck=smaller)] * 3, ["problem"]),
            ([official(steps=100, rate=3.0)] * 3, ["steps"]),
            ([official(rate=500.0)] * 3, ["time"]),
            ([good, good, good | {"restarted_from_step": 100}], ["one stretch"]),
            ([good, good], ["repeats"]),
            ([good], ["repeats"]),
            ([good, good, official(rate=34.0)], ["spread"]),
            ([good, good, other], ["build"]),
            ([unnamed] * 3, ["build"]),
            ([dirty] * 3, ["sources"]),
            ([wide] * 3, ["machine"]),
        ):
            self.assertEqual(self.failures(*documents), broken)

    def test_descriptions_that_are_missing_or_not_complete(self):
        runs = [official()] * 3
        self.assertEqual(self.failures(*runs, system=None), ["description"])
        self.assertEqual(self.failures(*runs, system='[system]\nname = "x"\n'), ["description"])
        self.assertEqual(self.failures(*runs, system=SYSTEM.replace("gpus = 0", "gpus = 4")), ["description"])
        self.assertEqual(self.failures(*runs, system=SYSTEM.replace('blas = "OpenBLAS"\n', "")), ["description"])
        two_hosts = official()
        two_hosts["machine"]["hosts"] = ["a", "b"]
        self.assertEqual(self.failures(*[two_hosts] * 3, system=SYSTEM.replace("nodes = 10", "nodes = 1")), ["machine"])

    def test_more_workers_must_bring_something(self):
        for rate, good in ((40.0, False), (100.0, True)):
            runs = [official(rate=30.0, ranks=1)] * 3 + [official(rate=rate, ranks=4)] * 3
            results, systems = self.results(*runs)
            describe(results, systems)
            small, large = sorted(run_rules.cases_of(results), key=lambda c: c.first.workers)
            self.assertEqual(run_rules.efficient(small).state, run_rules.NOT_VISIBLE)
            self.assertEqual(run_rules.efficient(large).state, run_rules.PASS if good else run_rules.FAIL)

    def test_a_weak_series_is_judged_by_the_rate_of_a_worker(self):
        deck = (SOURCE / "inputs/tungsten/weak_scaling.toml").read_text()
        twice = deck.replace("[25, 25, 25]", "[50, 25, 25]")
        for rate, state in ((20.0, run_rules.PASS), (10.0, run_rules.FAIL)):
            runs = [official(rate=30.0, ranks=1, deck=deck)] * 3 + [official(rate=rate, ranks=2, deck=twice)] * 3
            results, _ = self.results(*runs)
            large = max(run_rules.cases_of(results), key=lambda c: c.first.workers)
            self.assertEqual(large.name, "weak_scaling")
            self.assertEqual(run_rules.efficient(large).state, state)

    def test_a_busy_node_is_seen_where_it_was_looked_at(self):
        results, _ = self.results(*[official()] * 3)
        (case,) = run_rules.cases_of(results)
        self.assertEqual(run_rules.alone(case).state, run_rules.NOT_VISIBLE)
        for busy, state in ((0.5, run_rules.FAIL), (0.01, run_rules.PASS)):
            for r in results:
                (r.folder / "load.json").write_text(json.dumps({"host": "node1", "cores": 64, "busy": busy, "seconds": 1}))
            self.assertEqual(run_rules.alone(case).state, state)
        (results[0].folder / "load.json").write_text('{"host": "x", "cores": 4, "busy": 7}')
        with self.assertRaisesRegex(InputError, "load.json: busy: found 7"):
            run_rules.alone(case)

    def test_predictions_need_a_band_and_the_suites_machine(self):
        wafer = official(target="wafer", steps=10)
        self.assertEqual(self.failures(wafer, system=None), ["band"])
        self.assertEqual(self.failures(banded(wafer, 0.8, 1.1), system=None), [])
        changed = banded(official(target="wafer", steps=10), 0.8, 1.1)
        changed["wafer"]["machine_changes"] = ["core.clock_mhz=2000"]
        self.assertEqual(self.failures(changed, system=None), ["machine file"])
        self.assertEqual(self.failures(banded(official(target="wafer", steps=9), 0.8, 1.1), system=None), ["steps"])

    def test_llamas_of_the_suite(self):
        self.assertEqual(self.failures(*[llama()] * 3), [])
        self.assertEqual(self.failures(*[llama(name="llama2-7b:sparsity=0.7,layers=1")] * 3), ["problem"])
        self.assertEqual(self.failures(*[llama(tokens=32, rate=1.0)] * 3), ["steps"])
        self.assertEqual(self.failures(*[llama(rate=50.0)] * 3), ["time"])
        unnamed = llama()
        unnamed["model"]["instructions"] = ""
        self.assertEqual(self.failures(*[unnamed] * 3), ["build"])

    def test_every_deck_of_the_suite_is_recognised(self):
        for name in suite.DECKS:
            deck = (SOURCE / f"inputs/tungsten/{name}.toml").read_text()
            (r,) = read_results([write(self.folder / name, official(deck=deck))])
            self.assertEqual(suite.problem_of(r), name)


class References(WithFolder):
    def test_a_measured_machine_goes_by_the_name_of_its_description(self):
        results, systems = self.results(official(rate=30.0), official(rate=31.0), official(rate=29.0))
        evidence = answer.Evidence(results, systems=systems)
        for name in ("made", f"made, {results[0].json['build']['backend']}"):
            (reference,) = sheet.references_of_machine(name, evidence)
            self.assertEqual((reference.problem, reference.kind, reference.machine_nodes), ("strong_scaling", "measured", 10))
            self.assertTrue(reference.rate.low < 30.0 < reference.rate.high)
        self.assertEqual(sheet.references_of_machine("another", evidence), [])

    def test_shipped_slabs_and_llamas_are_references_and_samples_of_curves_are_not(self):
        found = sheet.references_of_machine("wse2", answer.read_reference())
        atoms = {r.problem: r.atoms for r in found}
        slabs = dict.fromkeys(["sc24_Ta", "sc24_Cu", "sc24_W"], 801792)
        llamas = dict.fromkeys(["llama2-7b, 0 % cut, dense bf16", "llama2-7b, 70 % cut, bit_mask bf16"])
        self.assertEqual(atoms, slabs | llamas)


class Systems(WithFolder):
    def test_what_the_machine_tells_is_read_back(self):
        path = self.folder / "system.toml"
        path.write_text(as_toml(of_this_node()).replace("# name = ", "name = ", 1).replace("# nodes = ", "nodes = ", 1))
        system = read_system(path)
        self.assertEqual((system.name, system.nodes), ("my cluster", 100))
        self.assertGreater(system.value("node", "memory_gib"), 0)
        self.assertIn("power.meter", system.missing)

    def test_bad_descriptions_are_one_line(self):
        place = write(self.folder / "r", official())
        for text, word in (
            (SYSTEM.replace("nodes = 10", "nodes = 0"), "system.nodes: found 0"),
            (SYSTEM.replace("nodes = 10", 'nodes = "many"'), "system.nodes: found 'many'"),
            (SYSTEM.replace('"L1"', '"L9"'), "power.meter: found 'L9', expected one of L1, L2, L3, none"),
            (SYSTEM.replace("price = 1000000", "price = nan"), "cost.price: found nan"),
            (SYSTEM.replace("price = 1000000\n", ""), "cost.price: not found"),
            (SYSTEM + "colour = 3\n", "cost.colour: unknown key"),
            ("", "system: not found"),
            ("[system\n", "expected TOML"),
        ):
            (place / "system.toml").write_text(text)
            with self.assertRaises(InputError) as refused:
                read_system(place / "system.toml")
            self.assertIn(word, str(refused.exception))
        for words in (["submit", place, "-o", self.folder / "s.csv"], [place, "-o", self.folder / "r.html"]):
            done = subprocess.run([REPORT, *map(str, words)], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)

    def test_a_description_that_was_filled_in_is_not_written_over(self):
        path = self.folder / "system.toml"
        done = subprocess.run([REPORT, "system", "--out", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        before = path.read_text()
        done = subprocess.run([REPORT, "system", "--out", path], capture_output=True, text=True)
        self.assertEqual((done.returncode, path.read_text()), (2, before))

    def test_two_descriptions_of_one_machine(self):
        a, b = self.folder / "a.toml", self.folder / "b.toml"
        for path in (a, b):
            path.write_text(SYSTEM)
        with self.assertRaisesRegex(InputError, "second description of the machine of native runs"):
            systems_in([], [a, b])
        b.write_text(SYSTEM.replace('name = "made"', 'name = "w"\nmachine = "wse2"'))
        self.assertEqual(len(systems_in([], [a, b])), 2)

    def test_native_runs_of_two_machines_have_a_folder_each(self):
        for name, rate in (("one", 30.0), ("two", 60.0)):
            place = write(self.folder / "machines" / name, *[official(rate=rate)] * 3)
            (place / "system.toml").write_text(SYSTEM.replace('name = "made"', f'name = "{name}"'))
        place = self.folder / "machines"
        results, systems = read_results([place]), systems_in([place], [])
        rows, _ = sheet.rows_of(results, systems)
        self.assertEqual({(r.case.system.name, round(r.rate.value)) for r in rows}, {("one", 30), ("two", 60)})
        self.assertEqual([r.problems for r in rows], [(), ()])
        rivals = answer.measured_rivals(results)
        self.assertEqual([(r.name.split(",")[0], r.points[0].rate.value) for r in rivals], [("one", 30.0), ("two", 60.0)])
        for words in (("check", place / "one", "--reference", place), ("compare", place, place / "one")):
            done = subprocess.run([REPORT, *words], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertRegex(done.stderr, "runs of one case on one, .* and on two, .*, expected one machine")
        done = subprocess.run([REPORT, "check", place / "one", "--reference", place / "one"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        (place / "two/system.toml").write_text(SYSTEM.replace('name = "made"', 'name = "one"'))
        with self.assertRaisesRegex(InputError, "found one a second time"):
            systems_in([place], [])


class Sheet(WithFolder):
    def rows(self, *documents, system=SYSTEM):
        results, systems = self.results(*documents, system=system)
        return sheet.rows_of(results, systems)[0]

    def test_the_interval_is_that_of_students_t(self):
        rate = sheet.interval_of_repeats([9.0, 10.0, 11.0])
        logs = [math.log(x) for x in (9.0, 10.0, 11.0)]
        mean = sum(logs) / 3
        deviation = math.sqrt(sum((x - mean) ** 2 for x in logs) / 2)
        self.assertAlmostEqual(math.log(rate.high / rate.value), 2.92 * deviation / math.sqrt(3), 12)
        self.assertIsNone(sheet.interval_of_repeats([10.0]).low)
        self.assertAlmostEqual(sheet.interval_of_repeats([10.0, 10.0]).low, 10.0)

    def test_energy_and_cost_of_a_simulated_microsecond(self):
        """500 million steps of 2 fs at 30 steps/s on one of ten nodes that draws 720 W."""
        (row,) = self.rows(*[official()] * 3)
        seconds = 1e6 / 0.002 / 30.0
        self.assertAlmostEqual(row.kwh, 720.0 * seconds / 3.6e6, 9)
        self.assertAlmostEqual(row.cost, 1e6 / 10 * seconds / (5 * 365.25 * 86400) + row.kwh * 1.2 * 0.25, 9)
        self.assertEqual((row.nodes, row.currency), (1, "EUR"))
        (metered,) = self.rows(*[official(joules=2000.0)] * 3)  # of 1,000 steps of a made box of 2,000 atoms
        self.assertEqual(metered.energy_from, "rapl")
        self.assertNotAlmostEqual(metered.kwh, row.kwh)
        (bare,) = self.rows(*[official()] * 3, system=SYSTEM.partition("[power]")[0] + '[power]\nmeter = "none"\n')
        self.assertEqual((bare.kwh, bare.cost, bare.official), (None, None, True))

    def test_energy_and_cost_of_a_million_tokens(self):
        (row,) = self.rows(*[llama()] * 3)
        self.assertAlmostEqual(row.kwh, 1e6 * 36.0 / 3.6e6, 9)
        self.assertAlmostEqual(row.cost, 1e5 * 2e5 / (5 * 365.25 * 86400) + row.kwh * 0.3, 9)

    def test_ssi_is_the_geometric_mean_of_c_u_s(self):
        """Twice the rate on half the nodes of a machine three times as large: U = 2 x 3."""
        two = official(rate=30.0)
        two["machine"]["hosts"] = ["a", "b"]
        reference = sheet.references_of(self.rows(*[two] * 3))
        mine = self.rows(*[official(rate=60.0, steps=2000)] * 3, system=SYSTEM.replace("nodes = 10", "nodes = 30"))
        (found,) = sheet.improvements(mine, reference)
        self.assertAlmostEqual(found.speedup.value, 2.0)
        self.assertAlmostEqual(found.utilisation, 6.0)
        self.assertAlmostEqual(sheet.mean_improvement([found], True).value, 12.0)
        self.assertAlmostEqual(sheet.mean_improvement([found], False).value, 2.0)

    def test_the_size_of_a_weak_problem_counts(self):
        deck = (SOURCE / "inputs/tungsten/weak_scaling.toml").read_text()
        reference = sheet.references_of(self.rows(*[official(deck=deck)] * 3))
        (found,) = sheet.improvements(self.rows(*[official(deck=deck.replace("[25, 25, 25]", "[50, 25, 25]"))] * 3), reference)
        self.assertEqual(found.capability, 2.0)
        self.assertAlmostEqual(sheet.mean_improvement([found], False).value, 2.0)

    def test_ssp_is_the_mean_rate_of_a_node_times_the_nodes(self):
        rows = self.rows(*[official()] * 3)
        self.assertAlmostEqual(sheet.sustained(rows, "tungsten_md"), 10 * 30.0 * rows[0].case.first.atoms, 3)
        self.assertIsNone(sheet.sustained(rows, "sparse_llama"))
        self.assertIsNone(sheet.sustained(self.rows(official()), "tungsten_md"))


class Command(WithFolder):
    def submit(self, *words):
        return subprocess.run([REPORT, "submit", *map(str, words)], capture_output=True, text=True, cwd=self.folder)

    def test_the_sheet_in_three_forms(self):
        place = write(self.folder / "r", *[official()] * 3, official(ranks=2, rate=20.0))
        (place / "system.toml").write_text(SYSTEM)
        forms = ["s.html", "s.csv"]
        try:
            import openpyxl
        except ImportError:
            openpyxl = None
        forms += ["s.xlsx"] if openpyxl else []
        done = self.submit(place, *(w for f in forms for w in ("-o", f)), "--against", place)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("1 of 2 cases official", done.stdout)
        with open(self.folder / "s.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([r["official"] for r in rows], ["official", "not official"])
        self.assertAlmostEqual(float(rows[0]["figure of merit"]), 30.0)
        self.assertEqual(rows[1]["why not"], "repeats: 1 complete run with a rate")
        html = (self.folder / "s.html").read_text()
        self.assertIn("1 of 2 cases is official", html)
        self.assertIn("SSI (geometric mean of c U S", html)
        if openpyxl:
            book = openpyxl.load_workbook(self.folder / "s.xlsx")
            self.assertAlmostEqual(book["result sheet"]["I2"].value, 30.0)
            self.assertGreater(book["run rules"].max_row, 20)

    def test_an_official_submission_ends_with_0_and_the_shipped_references_are_found(self):
        slabs = sorted((SOURCE / "results/reference").glob("sc24_*"))  # the curves' samples are no problems of the suite
        done = self.submit(*slabs, "--against", "frontier", "-o", "s.html")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        html = (self.folder / "s.html").read_text()
        self.assertIn("Geometric mean of c S", html)
        self.assertIn("over 3 official problems", html)

    def test_bad_lines_are_one_line(self):
        place = write(self.folder / "r", official())
        for words, word in (
            ([place, "-o", "s.pdf"], "expected an ending of .html, .csv, .xlsx"),
            ([place, "--against", "nowhere"], "--against nowhere: not found"),
            ([place, "--system", "none.toml"], "none.toml: cannot be read"),
            ([self.folder / "no"], "not found"),
            ([], "required"),
        ):
            done = self.submit(*words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(word, done.stderr)

    def test_the_page_says_what_is_official(self):
        place = write(self.folder / "r", *[official()] * 3)
        for system, text in ((SYSTEM, "1 of 1 case is official"), (None, "description: no system.toml")):
            if system:
                (place / "system.toml").write_text(system)
            else:
                (place / "system.toml").unlink()
            done = subprocess.run([REPORT, place, "-o", self.folder / "p.html"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(text, (self.folder / "p.html").read_text())

    def test_texts_are_no_formulas(self):
        from wafermark_report.sheet_files import harmless

        self.assertEqual([harmless(x) for x in ("=1+1", "@x", "a\nb", 3, None)], ["'=1+1", "'@x", "a b", 3, None])


if __name__ == "__main__":
    unittest.main()
