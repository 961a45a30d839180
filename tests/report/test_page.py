"""What the page says follows from the numbers; sections without data are left out; bad input ends with one line and
code 2."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, described, llama, repeats, result, sweep, write
from test_mutations import CAMPAIGN, DEFECTS
from wafermark_report import doses, page, scaling, surface
from wafermark_report.errors import InputError
from wafermark_report.results import read_results


def call(*words):
    return subprocess.run([REPORT, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def made(self, *results, **options):
        """(text of the page by section id, missing sections)."""
        rs = read_results([write(self.folder / f"set{len(list(self.folder.iterdir()))}", *results)])
        parts, missing = page.sections(rs, **options)
        html = page.render("t", parts, rs)
        texts = dict(re.findall(r'<section id="([\w-]+)">(.*?)</section>', html, re.S))
        plain = {k: re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]*>", " ", v, flags=re.S)) for k, v in texts.items()}
        return plain, [m.title for m in missing], html


class Words(WithFolder):
    def test_campaigns_are_told_with_their_errors(self):
        text, missing, _ = self.made(result(), of_campaigns=[(self.folder, CAMPAIGN)])
        self.assertIn("2.5 ± 0.5", text["campaigns"])
        self.assertIn("a = 2 ± 0.1, b = 0.7", text["campaigns"])
        self.assertIn("35 to 40, at most 20", text["campaigns"])
        self.assertIn("not all of its runs are there", text["campaigns"])
        _, missing, _ = self.made(result())
        self.assertIn("Campaigns", missing)

    def test_doses_of_both_ways_stand_in_one_picture(self):
        dose = {"method": "recoils", "events": 2, "dpa": 0.02, "dpa_arc": 0.015, "ended_by": "dose"}
        runs = write(self.folder / "doses", result(dose=dose), result(dose=dose | {"method": "insertion", "dpa_arc": None}))
        for run in runs.iterdir():
            (run / "defects.json").write_text(json.dumps(DEFECTS))
        results = read_results([runs])
        self.assertEqual(doses.counts_at_rest(results[0]), [(0.0, 0), (0.02, 2)])
        section = doses.dose_section(results)
        html = page.render("t", [section], results)
        for words in ("overlapping cascades, 2,000 atoms", "creation-relaxation, 2,000 atoms", "0.015"):
            self.assertIn(words, html)
        self.assertEqual(doses.dose_section([]).title, "Dose")

    def test_the_verdict_follows_the_ratio(self):
        systems = [described(self.folder)]
        faster, _, _ = self.made(*repeats(100.0, 100.0, 100.0), result("wafer", rate=25000.0), systems=systems)
        self.assertIn("by the run rules, the emulated wafer makes 250 times the steps per second that were measured on 1 core", faster["summary"])
        self.assertIn("we measured 100 steps/s", faster["summary"])
        slower, _, _ = self.made(*repeats(50000.0, 50000.0, 50000.0), result("wafer", rate=25000.0), systems=systems)
        self.assertIn("slower, at 0.5 of that rate", slower["summary"])
        self.assertNotIn("times as fast", slower["summary"].split("For W")[0])

    def test_no_ratio_of_runs_that_break_a_rule(self):
        systems = [described(self.folder)]
        good = [*repeats(100.0, 100.0, 100.0), result("wafer", rate=25000.0)]
        dirty, short = result("wafer", rate=25000.0), result("wafer", rate=25000.0, steps=5)
        dirty["build"]["commit"] = "abc-dirty"
        changed = result("wafer", rate=25000.0)
        changed["wafer"]["machine_changes"] = ["clock_mhz=1"]
        for runs, given, why in ((good, [], "description: no system.toml"), ([result(rate=100.0), good[3]], systems, "steps: 100 steps"),
                                 ([*good[1:]], systems, "repeats: 2 complete runs"), ([*good[:3], dirty], systems, "sources:"),
                                 ([*good[:3], short], systems, "steps: 5 steps"), ([*good[:3], changed], systems, "machine file:"),
                                 ([*repeats(100.0, 80.0, 100.0), good[3]], systems, "spread:")):  # fmt: skip
            text = self.made(*runs, systems=given)[0]["summary"]
            self.assertIn("do not keep the run rules", text, why)
            self.assertIn(why, text)
            self.assertIn("not quoted", text)
            self.assertNotRegex(text, r"(times the steps|times as fast)", why)

    def test_without_the_wafer_nothing_is_said_of_it(self):
        text, missing, _ = self.made(result(), result(ranks=2))
        self.assertIn("nothing can be said of it", text["summary"])
        self.assertIn("The emulated wafer", missing)
        self.assertNotIn("wafer", text)
        self.assertIn("Not in this report: The emulated wafer", text["appendix"])

    def test_different_problems_are_not_compared(self):
        text, _, _ = self.made(result(rate=100.0, cells=10), result("wafer", rate=9e4, cells=12))
        self.assertIn("nothing to compare", text["summary"])

    def test_other_physics_is_another_problem(self):
        rs = read_results(
            [write(self.folder / "x", result(rate=100.0), result("wafer", more="[thermostat]\nkind = 'langevin'\n"))]
        )
        self.assertEqual(scaling.pairs(rs), [])

    def test_no_meter_is_said_and_never_a_number(self):
        text, _, _ = self.made(result(), result("wafer", rate=1e5))
        self.assertIn("no meter", text["energy"])
        self.assertIn("it has no meter", text["summary"])
        metered, _, _ = self.made(result(joules=20.0), result("wafer", rate=1e5))
        self.assertIn("rapl", metered["energy"])
        self.assertNotIn("no meter", metered["energy"])

    def test_long_runs_carry_each_rate_on(self):
        banded = result("wafer", rate=250_000.0)
        figure = next(f for f in banded["figures"] if f["name"] == "steps_per_second")
        figure["band"] = [200_000.0, 260_000.0]
        text, _, _ = self.made(result(rate=100.0), result(rate=200.0, ranks=2), banded)
        # 2 fs a step: 250,000 steps/s are 43.2 microseconds a day; the slower of two native runs is left out.
        self.assertRegex(text["long-runs"], r"43\.2 \(34\.6 \.\.\. 44\.9\) emulated 2\.31 \(2\.23 \.\.\. 2\.89\)")
        self.assertRegex(text["long-runs"], r"2 workers 0\.0346 measured 2,894 measured")
        self.assertNotIn("1 worker ", text["long-runs"])
        _, missing, _ = self.made(result(valid=False))
        self.assertIn("Long runs", missing)

    def test_failed_checks_stand_in_the_summary(self):
        text, _, _ = self.made(result(valid=False), result(ranks=2))
        self.assertIn("NOT VALID: run00", text["summary"])
        self.assertIn("FAIL", text["validation"])
        self.assertIn("NOT VALID", text["merit"])

    def test_efficiency_and_medians(self):
        rates = [(1, 100.0), (1, 110.0), (1, 90.0), (2, 150.0), (4, 200.0)]
        rs = read_results([write(self.folder / "x", *[result(ranks=p, rate=r) for p, r in rates])])
        (series,) = scaling.strong_series(rs)
        self.assertEqual(
            [(p.workers, p.rate, p.low, p.high, p.runs) for p in series.points],
            [(1, 100.0, 90.0, 110.0, 3), (2, 150.0, 150.0, 150.0, 1), (4, 200.0, 200.0, 200.0, 1)],
        )
        self.assertEqual(series.efficiency(), [1.0, 0.75, 0.5])

    def test_figures_of_merit_are_medians_of_repeats(self):
        text, _, _ = self.made(result(rate=100.0), result(rate=120.0))
        self.assertIn("110", text["merit"])
        self.assertNotIn("120", text["merit"])

    def test_the_headline_is_the_median_of_the_table(self):
        runs = [*repeats(105.0, 110.0, 115.0), result("wafer", rate=11000.0)]
        for made in runs[:3]:
            made["figures"][1]["value"] = 2000  # steps
        text, _, _ = self.made(*runs, systems=[described(self.folder)])
        self.assertIn("100 times the steps per second", text["summary"])
        self.assertIn("we measured 110 steps/s", text["summary"])

    def test_a_whole_wafer_and_the_tiles_that_work(self):
        text, _, _ = self.made(result(joules=20.0), result("wafer", rate=1e5))
        self.assertIn("The whole wafer, of which 2,000 tiles work, draws 17.5 kW", text["summary"])
        self.assertIn("used or not: 90 % of it", text["energy"])

    def test_no_check_is_not_all_pass(self):
        text, _, _ = self.made(result(checks=[]), result(ranks=2, checks=[]))
        self.assertIn("2 results, 0 checks: nothing was checked.", text["summary"])
        self.assertNotIn("all pass", text["summary"])

    def test_a_cascade_that_was_not_followed_is_not_drawn(self):
        figures = [{"name": "frenkel_pairs_survivors", "value": 0.0, "unit": "", "kind": "measured"},
                   {"name": "frenkel_pairs_NRT", "value": 7.5, "unit": "", "kind": "modelled"}]  # fmt: skip
        for end, words in ((0.1008, "not followed not followed"), (10.0, "0 counted")):
            cascade = result(more="[[pka]]\nenergy_ev = 1000.0\ntime_ps = 0.1\n", recoils=[{"position_angstrom": [1.0, 2.0, 3.0], "energy_ev": 1000.0}],
                             end={"step": 1, "time_ps": end})  # fmt: skip
            cascade["figures"] += figures
            text, _, _ = self.made(cascade)
            self.assertIn(words, text["cascades"])

    def test_phases_of_a_llama_on_the_wafer_are_drawn(self):
        llama = result("wafer") | {"app": "sparse_llama", "deck": {"file": "", "toml": ""}}
        llama["figures"] = [f for f in llama["figures"] if f["name"] != "atoms"]
        llama["wafer"] = {
            "machine": "wse2",
            "tiles": [8, 8],
            "phases_cycles_per_step": [{"phase": "multiply", "kind": "compute", "min": 1, "mean": 2, "max": 3}],
        }
        text, _, _ = self.made(llama)
        self.assertIn("multiply", text["wafer"])

    def test_weak_series_have_equal_loads(self):
        rs = read_results(
            [
                write(
                    self.folder / "x",
                    result(cells=10, ranks=1, rate=100.0),
                    result(cells=20, ranks=8, rate=80.0),
                    result(cells=20, ranks=2, rate=30.0),
                )
            ]
        )
        (series,) = scaling.weak_series(rs)
        self.assertEqual([p.workers for p in series.points], [1, 8])
        self.assertEqual(series.efficiency(weak=True), [1.0, 0.8])

    def test_a_fitted_model_says_how_far_it_holds(self):
        text, _, _ = self.made(*sweep(), result("wafer", cells=32, rate=1e5))
        self.assertIn("no message crossed a network", text["claim"])
        self.assertIn("Beyond 32 cores", text["claim"])
        self.assertIn("The model fitted to these runs gives", text["summary"])
        few, _, _ = self.made(result(), result(ranks=2), result("wafer", rate=1e5))
        self.assertIn("found 2 runs, expected at least 6", few["claim"])

    def test_more_hosts_are_not_called_one(self):
        runs = [r | {"machine": r["machine"] | {"hosts": ["a", "b"]}} for r in sweep()]
        text, _, _ = self.made(*runs, result("wafer", cells=32, rate=1e5))
        self.assertNotIn("no message crossed a network", text["claim"])

    def test_the_shipped_surface_stands_beside_results_of_llama(self):
        text, _, _ = self.made(llama("tiny", 9.0, "cluster"))
        self.assertIn("what ships with Wafermark", text["sparsity"])
        self.assertIn("wafer, streamed", text["sparsity"])
        self.assertIn("wafer, resident", text["sparsity"])
        text, _, _ = self.made(result())
        self.assertNotIn("sparsity", text)

    def test_sparsity_files_are_drawn(self):
        rows = [
            {
                "model": "m",
                "value": "int8",
                "format": f,
                "sparsity": s,
                "tokens_per_second": 10 / (1.2 - s),
                "ratio_to_dense": 1 / (1.2 - s),
                "bits_per_weight": 3.0,
                "bandwidth_share": 0.8,
            }
            for f in ("bit_mask", "csr")
            for s in (0.5, 0.7)
        ]
        file = self.folder / "s.json"
        file.write_text(json.dumps(rows))
        text, _, _ = self.made(result(), sparsity_files=[file])
        self.assertIn("CSR int8", text["sparsity"])
        self.assertIn("bit mask int8", text["sparsity"])
        self.assertIn("SparseGPT, one shot", text["sparsity"])

    def test_the_surface_of_what_zeros_save_is_drawn_beside_the_claim(self):
        def point(side, share, tokens, rate, energy, **more):
            return {"side": side, "model": "m", "sparsity": share, "together": tokens, "rate_over_dense": rate, "energy_over_dense": energy} | more

        points = [
            point("native", 0.7, 1, 2.0, None), point("native", 0.7, 16, 1.5, None), point("native", 0.0, 1, 1.0, None),
            *(point("wafer, resident", 0.7, n, r, r, format="bit_mask", arriving=a)
              for a, r in ((2, 1.7), (43, 0.4), ("scalar", 0.6)) for n in (1, 4)),
            point("wafer, resident", 0.5, 4, 9.0, 9.0, format="two_four", arriving=2),  # not unstructured: not drawn
            point("wafer, resident", 0.0, 1, 1.0, 1.0),
            point("wafer, streamed", 0.7, 8192, 1.3, 1.4), point("wafer, streamed", 0.7, 131072, 1.9, 2.06),
            point("wafer, resident", 0.7, 64, None, None, format="bit_mask", arriving=2),
        ]
        file = self.folder / "surface.json"
        file.write_text(json.dumps({"surface": points}))
        text, _, _ = self.made(result(), sparsity_files=[file])
        self.assertIn("save at most 2.06 times (wafer, streamed, 131,072 tokens together) where 3.33 times was claimed", text["sparsity"])
        self.assertIn("weights found by scalar code", text["sparsity"])
        for price in (2, 43):  # the picture has the cheapest and the dearest
            self.assertIn(f"70 %, wafer, resident, {price} cycles an arriving weight", text["sparsity"])
        self.assertNotIn("Recovering a model", text["sparsity"])  # nothing is known of 50 %
        points[-2] |= {"energy_low": 1.5, "energy_high": 2.1, "rate_low": 9.0, "rate_high": 9.5}
        file.write_text(json.dumps({"surface": points}))
        text, _, _ = self.made(result(), sparsity_files=[file])
        self.assertIn("save at most 2.06 (1.5 to 2.1) times (wafer, streamed", text["sparsity"])
        self.assertIn("wafer, streamed 2.06 (1.5 to 2.1) emulated energy", text["sparsity"])
        points[-3] |= {"energy_low": 0.9, "energy_high": 2.0}  # 1.4 times with 8,192 tokens: not quoted
        self.assertEqual([surface.decided(p) for p in points[-3:-1]], [False, True])
        self.assertIn("Bands, of 70 % zeros", surface.surface_picture(points).caption)
        self.assertNotIn("Bands", surface.surface_picture(points[:-3]).caption)
        self.assertEqual([row[-1] for row in surface.claim_table(points[-3:-2]).rows], ["undecided"])
        self.assertIn("1 lies in its interval", surface.verdict_text(points[-3:-2]).text)
        self.assertEqual([[str(cell) for cell in row[-2:]] for row in surface.claim_table(points[-3:-1]).rows], [["131,072", "131,072"]])
        points[-3]["energy_high"] = 3.5
        self.assertIn("save 2.06 (1.5 to 2.1) times (wafer, streamed, 131,072 tokens together), and 3.33 times lies in the interval of wafer,"
                      " streamed, 8,192 tokens together", surface.verdict_text(points).text)
        points[-3]["energy_high"] = 2.0
        points[-2]["energy_high"] = 3.4
        file.write_text(json.dumps({"surface": points}))
        text, _, _ = self.made(result(), sparsity_files=[file])
        self.assertIn("The claim is undecided in these runs: 70 % zeros save 2.06 (1.5 to 3.4) times", text["sparsity"])
        self.assertIn("never", text["sparsity"])
        points[-2]["energy_over_dense"] = 4.0
        points.append(point("wafer, streamed", 0.5, 131072, 1.9, 2.0))
        file.write_text(json.dumps({"surface": points}))
        text, _, _ = self.made(result(), sparsity_files=[file])
        self.assertIn("The claim holds (wafer, streamed)", text["sparsity"])
        self.assertIn("would take 2.5 % of the energy", text["sparsity"])  # (50 / 2 + 100 / 4) / 2000
        self.assertIn("with dense weights take 7.5 %", text["sparsity"])
        points[-1] |= {"energy_low": 1.25, "energy_high": 2.5}
        points[-3] |= {"energy_low": 2.0, "energy_high": 5.0}
        self.assertIn("would take 2.5 (2.0 to 4.5) % of the energy", surface.training_text(points).text)
        for broken in ({"side": "moon"}, {"together": 0}, {"energy_over_dense": -1}, {"sparsity": 1.5}, {"rate_over_dense": "2"}):
            file.write_text(json.dumps({"surface": [points[0] | broken]}))
            with self.assertRaisesRegex(InputError, "surface"):
                self.made(result(), sparsity_files=[file])

    def llama(self, rate, sparsity, **changes):
        model = {
            "name": f"tiny:sparsity={sparsity},seed=3",
            "format": "bit_mask" if sparsity else "dense",
            "value": "bf16",
            "instructions": "AVX2",
            "sequences": 1,
        }
        figures = [
            {"name": n, "value": v, "unit": "", "kind": "measured"}
            for n, v in (("decode_tokens_per_second", rate), ("sparsity", sparsity), ("joules_per_token", None))
        ]
        base = result()
        base.pop("deck")
        return base | {"app": "sparse_llama", "model": model, "figures": figures} | changes

    def test_llama_runs_are_put_beside_dense_ones(self):
        text, _, _ = self.made(self.llama(10.0, 0), self.llama(24.0, 0.7))
        self.assertIn(
            (
                "tiny bit_mask bf16 70 % cut: on 1 core we measured 24 tokens/s of decoding, with dense weights 10"
                " (bf16): 2.4 times"
            ),
            text["summary"],
        )
        self.assertIn("no meter", text["energy"])
        self.assertIn("SparseGPT, one shot", text["sparsity"])
        other, _, _ = self.made(self.llama(24.0, 0.7))
        self.assertNotIn("dense weights", other["summary"])

    def test_the_numbers_of_machine_files_stand_with_their_sources(self):
        numbers = {"fabric.hop_cycles": {"value": 1.0, "kind": "published", "source": "somebody's measurement"}}
        text, _, _ = self.made(result("wafer") | {"wafer": result("wafer")["wafer"] | {"numbers": numbers}})
        self.assertIn("fabric.hop_cycles = 1 (published): somebody&#39;s measurement", text["appendix"])
        numbers["fabric.hop_cycles"]["range"] = [1.0, 1.14]
        text, _, _ = self.made(result("wafer") | {"wafer": result("wafer")["wafer"] | {"numbers": numbers}})
        self.assertIn("fabric.hop_cycles = 1 [1 to 1.14] (published): somebody&#39;s measurement", text["appendix"])

    def test_a_prediction_stands_with_its_band(self):
        document = result("wafer")
        rate = next(f for f in document["figures"] if f["name"] == "steps_per_second")
        rate["band"] = [0.75 * rate["value"], 1.02 * rate["value"]]
        check = {"name": "rate", "value": 100.0, "reference": 101.0, "tolerance": 15.0, "unit": "1/s", "pass": True}
        validated = result("wafer") | {"command": "validate", "checks": [check | {"band": [75.0, 102.0]}]}
        text, _, _ = self.made(document, validated)
        self.assertRegex(text["merit"], r"1,000 \(750 to 1,020\) emulated")
        self.assertIn("-25 % ... +2.0 %", text["validation"])

    def test_the_instruction_set_makes_no_other_problem_and_the_sparsity_does(self):
        a, b, c = read_results(
            [
                write(
                    self.folder / "x",
                    self.llama(1, 0.7),
                    self.llama(1, 0.7) | {"model": self.llama(1, 0.7)["model"] | {"instructions": "AVX-512"}},
                    self.llama(1, 0.5),
                )
            ]
        )
        self.assertEqual(a.problem, b.problem)
        self.assertNotEqual(a.problem, c.problem)

    def test_a_cache_that_goes_with_the_weights_makes_no_other_problem_and_another_does(self):
        def kept_in(**cache):
            return self.llama(1, 0.7) | {"model": self.llama(1, 0.7)["model"] | cache}

        unsaid, bf16, int8, fp32 = read_results(
            [write(self.folder / "x", kept_in(), kept_in(cache="bf16"), kept_in(cache="int8"), kept_in(value="fp32", cache="fp32"))]
        )
        self.assertEqual(unsaid.problem, bf16.problem)
        self.assertNotEqual(bf16.problem, int8.problem)
        self.assertEqual((bf16.own_cache, int8.own_cache, fp32.own_cache), (None, "int8", None))
        self.assertTrue(int8.label.endswith("cache in int8"))

    def test_validate_results_are_published_against_emulated(self):
        check = {
            "name": "steps_per_second_Ta",
            "value": 291996.0,
            "reference": 274016.0,
            "tolerance": 41102.0,
            "unit": "1/s",
            "pass": True,
        }
        text, _, _ = self.made(result("wafer") | {"command": "validate", "checks": [check]})
        self.assertIn("+6.6 %", text["validation"])
        self.assertIn("+6.6 %", text["summary"])

    def test_a_floor_plan_is_drawn(self):
        plan = [
            {"name": "layer 0", "x": 0, "y": 0, "width": 20, "height": 10},
            {"name": "layer 1", "x": 20, "y": 0, "width": 20, "height": 10},
        ]
        _, _, html = self.made(result("wafer") | {"floor_plan": plan})
        self.assertIn("layer 1", html)


class Page(WithFolder):
    def test_the_page_needs_nothing_but_itself(self):
        _, _, html = self.made(*sweep(), result("wafer", cells=32, rate=1e5))
        self.assertNotIn("<script", html)
        self.assertNotIn("@import", html)
        for reference in re.findall(r'(?:href|src)="([^"]*)"', html) + re.findall(r"url\(([^)]*)\)", html):
            self.assertRegex(reference, r"^(#|data:)")
        ids = re.findall(r'\bid="([^"]+)"', html)
        self.assertEqual(len(ids), len(set(ids)))
        for target in re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html):
            self.assertIn(target, ids)

    def test_colours_follow_the_scheme(self):
        _, _, html = self.made(*sweep(), result("wafer", cells=32, rate=1e5))
        drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
        self.assertEqual(re.findall(r"(?:fill|stroke): #[0-9a-f]+", drawn), [])
        for name in set(re.findall(r"var\(--([\w]+)\)", html)):
            self.assertRegex(html, rf"--{name}: #")

    def test_text_from_results_is_escaped(self):
        bad = result() | {
            "machine": {"hosts": ["<b>x</b>"], "cpu": "<script>alert(1)</script>", "ranks": 1, "threads_per_rank": 1}
        }
        _, _, html = self.made(bad, bad | {"machine": bad["machine"] | {"ranks": 2}})
        self.assertNotIn("<script>", html)
        self.assertNotIn("<b>x</b>", html)


class Input(WithFolder):
    def refused(self, message, *words):
        done = call(*words, "-o", self.folder / "out.html")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, message)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertFalse((self.folder / "out.html").exists())

    def test_bad_folders_and_files(self):
        (self.folder / "empty").mkdir()
        self.refused("empty: found no result.json", self.folder / "empty")
        self.refused("nowhere: not found", self.folder / "nowhere")
        for name, text, message in (
            ("cut", json.dumps(result())[:200], r"cut/result.json:1: .*expected JSON"),
            (
                "old",
                json.dumps(result() | {"schema": "wafermark-result-0"}),
                "wafermark-result-0.*expected 'wafermark-result-1'",
            ),
            ("list", "[]", "found schema None"),
            (
                "kind",
                json.dumps(result(target="wafer")).replace('"emulated"', '"guessed"'),
                "figures.3.kind: found 'guessed'",
            ),
            ("deck", json.dumps(result() | {"deck": {"file": "x", "toml": "a = = 1"}}), "deck.toml"),
            ("ranks", json.dumps(result(ranks=0)), "machine.ranks"),
        ):
            (self.folder / name).mkdir()
            (self.folder / name / "result.json").write_text(text)
            self.refused(message, self.folder / name)

    def test_bad_sparsity_rows(self):
        write(self.folder / "good", result())
        for text, message in (
            ("{}", "found no rows"),
            ('[{"model": "m"}]', "row: 0.value: not found"),
            ("[", "expected JSON"),
        ):
            (self.folder / "rows.json").write_text(text)
            self.refused(message, self.folder / "good", "--sparsity", self.folder / "rows.json")

    def test_a_broken_heat_map_is_named(self):
        write(self.folder / "good", result("wafer"))
        (self.folder / "good/run00/wafer.h5").write_text("not HDF5")
        self.refused("wafer.h5.*expected the heat map", self.folder / "good")

    def test_no_browser_is_one_line(self):
        write(self.folder / "good", result())
        import os

        done = (
            subprocess.run(
                [REPORT, self.folder / "good", "-o", self.folder / "r.html", "--pdf"],
                capture_output=True,
                text=True,
                env={k: v for k, v in os.environ.items() if k != "WAFERMARK_CHROMIUM"}
                | {"PATH": str(self.folder / "bin")},
            )
            if self.bin()
            else None
        )
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, "no Chromium found")
        self.assertEqual(len(done.stderr.strip().splitlines()), 1)

    def bin(self):
        """A PATH without a browser."""
        import shutil
        import sys

        (self.folder / "bin").mkdir()
        for name in ("bash", "env", "dirname", "readlink"):
            (self.folder / "bin" / name).symlink_to(shutil.which(name))
        (self.folder / "bin/python3").symlink_to(sys.executable)
        return True

    def test_no_modules_is_one_line(self):
        import os

        done = subprocess.run(
            [REPORT, "x"], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(self.hidden())}
        )
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "found no Python with .*jinja2")
        self.assertEqual(len(done.stderr.strip().splitlines()), 1)

    def hidden(self):
        """A folder in which jinja2 cannot be imported."""
        (self.folder / "hidden").mkdir()
        (self.folder / "hidden/jinja2.py").write_text("raise ImportError")
        return self.folder / "hidden"


if __name__ == "__main__":
    unittest.main()
