"""Comparison of two sets and the regression check: verdicts given the spread, exit codes, bad references."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, SOURCE, result, write
from wafermark_report import compare
from wafermark_report.results import read_results


def call(*words):
    return subprocess.run([REPORT, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def runs(self, name, rates, **options):
        return write(self.folder / name, *[result(rate=r, **options) for r in rates])


class Compare(WithFolder):
    def verdict(self, a, b, figure="steps_per_second", **options):
        sets = [
            read_results([self.runs(f"{k}{len(list(self.folder.iterdir()))}", rates, **options)])
            for k, rates in (("a", a), ("b", b))
        ]
        return next(r for r in compare.compare(*sets) if r.figure == figure)

    def test_a_difference_beyond_the_spread_is_one(self):
        row = self.verdict([100, 102, 98], [150, 148, 152])
        self.assertEqual(row.verdict, "faster")
        self.assertAlmostEqual(row.ratio, 1.5, places=2)
        self.assertTrue(row.low < row.ratio < row.high)
        self.assertEqual(self.verdict([150, 148, 152], [100, 102, 98]).verdict, "slower")

    def test_a_difference_within_the_spread_is_none(self):
        self.assertEqual(self.verdict([100, 140, 80], [130, 95, 110]).verdict, "no difference")

    def test_one_run_gives_no_verdict(self):
        self.assertEqual(self.verdict([100], [200, 201, 199]).verdict, "no verdict: one run")

    def test_equal_runs_do_not_differ(self):
        self.assertEqual(self.verdict([100, 100], [100, 100]).verdict, "no difference")

    def test_less_energy_is_better(self):
        a, b = (read_results([self.runs(n, [100, 101, 99], joules=j)]) for n, j in (("hot", 50.0), ("cool", 10.0)))
        row = next(r for r in compare.compare(a, b) if r.figure == "joules_per_atom_step")
        self.assertEqual(row.verdict, "better")

    def test_emulated_rates_have_no_spread(self):
        self.assertEqual(self.verdict([1000.0], [1001.0], target="wafer").verdict, "faster")

    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        import random

        source, hits, tries = random.Random(5), 0, 400
        for _ in range(tries):
            a, b = ([100 * source.lognormvariate(0, 0.1) for _ in range(4)] for _ in range(2))
            _, low, high = compare.interval(a, b, False)
            hits += low <= 1.0 <= high
        self.assertGreater(hits / tries, 0.92)
        self.assertLess(hits / tries, 0.999)

    def test_the_command(self):
        a, b = self.runs("a", [100, 101, 99]), self.runs("b", [50, 51, 49])
        done = call("compare", a, b)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"steps_per_second .* 0\.500 .* slower")

    def test_nothing_in_common_is_refused(self):
        done = call("compare", self.runs("a", [100]), self.runs("b", [100], cells=20))
        self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1))
        self.assertIn("expected at least one", done.stderr)

    def test_invalid_runs_are_left_out(self):
        done = call("compare", self.runs("a", [100, 100]), self.runs("b", [100], valid=False))
        self.assertEqual(done.returncode, 2)
        both = write(self.folder / "c", result(rate=100), result(rate=900, valid=False))
        done = call("compare", self.runs("d", [100]), both)
        self.assertIn("its checks fail)", done.stdout)
        self.assertRegex(done.stdout, r"1\.000")


class Check(WithFolder):
    def reference(self, name="ref.toml", rates=(100, 104, 96), **options):
        file = self.folder / name
        done = call(
            "check",
            self.runs("first_" + name, rates),
            "--reference",
            file,
            "--write-reference",
            *options.get("words", ()),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return file

    def test_within_and_outside_the_limits_in_both_formats(self):
        for name in ("ref.toml", "ref.json"):
            file = self.reference(name)
            for rate, code in ((95, 0), (1000, 0), (85, 1)):
                done = call("check", self.runs(f"{name}{rate}", [rate]), "--reference", file)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertEqual("FAIL" in done.stdout, code == 1)

    def test_the_tolerance_is_the_one_asked_for(self):
        file = self.reference(words=("--tolerance", "0.3"))
        self.assertEqual(call("check", self.runs("now", [75]), "--reference", file).returncode, 0)
        self.assertEqual(call("check", self.runs("worse", [65]), "--reference", file).returncode, 1)

    def test_a_missing_case_fails(self):
        done = call("check", self.runs("now", [100], cells=20), "--reference", self.reference())
        self.assertEqual(done.returncode, 1)
        self.assertIn("not among the results", done.stdout)

    def test_a_folder_of_results_is_a_reference_of_what_was_run_here_too(self):
        there = write(self.folder / "there", result(rate=100.0), result(rate=500.0, ranks=8))
        self.assertEqual(call("check", self.runs("same", [95]), "--reference", there).returncode, 0)
        done = call("check", self.runs("slow", [80]), "--reference", there)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("8 ranks", done.stdout)
        done = call("check", self.runs("other", [95], cells=20), "--reference", there)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))
        self.assertIn("found no result of a case that is among these", done.stderr)
        self.assertEqual(call("check", self.runs("x", [95]), "--write-reference").returncode, 2)

    def test_what_ships_is_the_reference_where_none_is_named(self):
        shipped = SOURCE / "results/reference/sc24_Ta_wafer"
        done = call("check", shipped)
        self.assertEqual(done.returncode, 0, done.stderr)
        bent = json.loads((shipped / "result.json").read_text())
        next(f for f in bent["figures"] if f["name"] == "steps_per_second")["value"] *= 0.999
        done = call("check", write(self.folder / "bent", bent))
        self.assertEqual(done.returncode, 1)
        self.assertIn("below the limit", done.stdout)

    def test_an_invalid_result_fails_and_makes_no_reference(self):
        bad = self.runs("bad", [100], valid=False)
        self.assertEqual(call("check", bad, "--reference", self.reference()).returncode, 1)
        done = call("check", bad, "--reference", self.folder / "new.toml", "--write-reference")
        self.assertEqual(done.returncode, 2)
        self.assertFalse((self.folder / "new.toml").exists())

    def test_another_unit_fails(self):
        file = self.reference()
        file.write_text(file.read_text().replace('unit = "1/s"', 'unit = "steps/ns"'))
        done = call("check", self.runs("now", [100]), "--reference", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected 'steps/ns'", done.stdout)

    def test_bad_references_are_refused(self):
        now = self.runs("now", [100])
        good = {"case": "c", "figure": "f", "value": 1.0, "unit": "s", "lower": -0.1}
        for change, message in (
            ({"lower": 0.1}, "lower: found 0.1"),
            ({"value": 0}, "value: found 0"),
            ({"value": "1"}, "expected a number"),
            ({"case": None}, "case: found None"),
            ({"lower": None}, "neither lower nor upper"),
            ({"lowest": -1}, "lowest: unknown key"),
            ({"upper": -0.5}, "upper: found -0.5"),
        ):
            file = self.folder / "bad.json"
            file.write_text(json.dumps({"reference": [good | change]}))
            done = call("check", now, "--reference", file)
            self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)
            self.assertIn(message, done.stderr)
        for text, message in (("[[reference", "expected TOML"), ("x = 1", "reference: not found")):
            (self.folder / "bad.toml").write_text(text)
            done = call("check", now, "--reference", self.folder / "bad.toml")
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr)
        self.assertEqual(call("check", now, "--reference", self.folder / "none.toml").returncode, 2)
        self.assertEqual(
            call(
                "check", now, "--reference", self.folder / "x.toml", "--write-reference", "--tolerance", "2"
            ).returncode,
            2,
        )


if __name__ == "__main__":
    unittest.main()
