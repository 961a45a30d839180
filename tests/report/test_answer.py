"""Wafer against clusters: ratios have the interval that both bands leave, none is quoted that holds 1 or comes from an
invalid run, and the shipped results say what the documents say."""
import math
import tempfile
import unittest
from pathlib import Path

from made_results import banded, result, write
from test_page import WithFolder
from wafermark_report import answer, curves
from wafermark_report.answer import Rate, ratio
from wafermark_report.errors import InputError
from wafermark_report.replays import read_replays
from wafermark_report.results import read_results

FRONTIER = {
    "potential": "Ta_li2003", "atoms": 2000, "machine": "Frontier 2023", "system": "cluster", "worker": "GCD", "workers": 256,
    "steps_per_second": 1000.0, "source": "a paper",
}  # fmt: skip
WAFER = {"potential": "Ta_li2003", "atoms": 2000, "machine": "WSE-2", "system": "wafer", "steps_per_second": 179e3,
         "source": "a paper"}  # fmt: skip


def slab(document):
    """The same result with the potential that has published rates."""
    toml = document["deck"]["toml"].replace("model = 'ackland_thetford_1987'", "file = 'a/b/Ta_li2003.eam.alloy'")
    return document | {"deck": document["deck"] | {"toml": toml}}


def simulated(rate, ranks=64, machine="frontier", started="2026-01-02T03:04:05Z", more="", **simulation):
    document = result("simulated", ranks=ranks, rate=rate, more=more, started=started)
    return slab(document | {"simulation": {"machine": machine} | simulation})


def emulated(rate, low=0.75, high=1.02, **changes):
    return slab(banded(result("wafer", rate=rate, **changes), low, high))


class Ratios(unittest.TestCase):
    def test_a_side_without_a_band_adds_nothing(self):
        r = ratio(Rate(1000.0, 750.0, 1020.0), Rate(10.0))
        self.assertAlmostEqual(r.value, 100.0)
        self.assertAlmostEqual(r.low, 75.0)
        self.assertAlmostEqual(r.high, 102.0)

    def test_two_bands_add_as_squares_of_logarithms(self):
        r = ratio(Rate(1000.0, 500.0, 2000.0), Rate(10.0, 5.0, 20.0))
        self.assertAlmostEqual(r.low, 100.0 * math.exp(-math.hypot(math.log(2), math.log(2))))
        self.assertAlmostEqual(r.high, 100.0 * math.exp(math.hypot(math.log(2), math.log(2))))

    def test_the_wafer_low_meets_the_cluster_high(self):
        r = ratio(Rate(100.0, 100.0, 100.0), Rate(10.0, 9.0, 20.0))
        self.assertAlmostEqual(r.low, 5.0)
        self.assertAlmostEqual(r.high, 100 / 9)

    def test_a_ratio_is_decided_when_its_interval_leaves_out_one(self):
        self.assertTrue(ratio(Rate(20.0, 11.0, 30.0), Rate(10.0)).decided)
        self.assertFalse(ratio(Rate(20.0, 9.0, 30.0), Rate(10.0)).decided)
        self.assertTrue(ratio(Rate(5.0, 4.0, 9.0), Rate(10.0)).decided)
        self.assertFalse(ratio(Rate(20.0), Rate(10.0)).decided)  # nobody knows how sure it is

    def test_a_band_that_leaves_out_its_own_value_is_none(self):
        self.assertFalse(Rate(10.0, 11.0, 12.0).has_band)
        self.assertFalse(Rate(10.0, 0.0, 12.0).has_band)


class Words(WithFolder):
    def answer(self, *results, replays=()):
        text, missing, html = self.made(*results, evidence=answer.Evidence([], [FRONTIER, WAFER], list(replays)))
        return text.get("answer", ""), missing, html

    def test_published_and_simulated_clusters_stand_beside_the_wafer(self):
        text, _, html = self.answer(emulated(1e5), banded(simulated(500.0), 0.9, 1.1))
        self.assertIn("In 1 problem the emulated wafer makes 100 times (75 to 102) the steps per second of the fastest published", text)
        self.assertIn("200 times (148 to 223) the steps per second of the fastest simulated cluster", text)
        self.assertRegex(text, r"Frontier 2023 up to 256 GCDs 1,000 published 100 \(75 to 102\) 179 published")
        self.assertLess(html.index('id="answer"'), html.index('id="summary"'))

    def test_no_ratio_where_the_interval_holds_one(self):
        text, _, _ = self.answer(emulated(1.1e3))
        self.assertIn("In 1 problem the numbers cannot tell it from", text)
        self.assertIn("undecided", text)
        self.assertNotIn("1.1 (", text)

    def test_no_ratio_without_any_band(self):
        text, _, _ = self.answer(slab(result("wafer", rate=1e5)), simulated(500.0))
        self.assertIn("no band: not quoted", text)
        self.assertNotIn("100 times", text)

    def test_a_slower_wafer_is_called_that(self):
        text, _, _ = self.answer(emulated(500.0))
        self.assertIn("0.5 (0.38 to 0.51)", text)

    def test_a_simulation_without_a_band_says_so(self):
        text, _, _ = self.answer(emulated(1e5), simulated(500.0))
        self.assertIn("Simulated without a band, so that ratios to them hold the wafer's uncertainty only: frontier", text.replace("&#39;", "'"))

    def test_invalid_runs_are_named_and_not_used(self):
        text, _, _ = self.answer(emulated(1e5), simulated(500.0), simulated(90.0, ranks=128) | {"valid": False})
        self.assertIn("Left out because they are not valid: run02", text)
        self.assertNotIn("128", text)
        bad = emulated(1e5) | {"status": "incomplete"}
        _, missing, _ = self.answer(bad)
        self.assertIn("When does a wafer beat a cluster?", missing)

    def test_the_best_size_counts_and_all_are_in_the_table(self):
        text, _, _ = self.answer(emulated(1e5), *[simulated(r, p) for p, r in ((8, 300.0), (64, 500.0), (512, 400.0))])
        self.assertIn("frontier 64 workers 500 simulated 200", text)
        for size in ("8 workers 300", "512 workers 400"):
            self.assertIn(size, text)

    def test_a_replay_has_the_workers_that_it_replayed(self):
        replay = slab(result("simulated", ranks=4, rate=500.0, simulation={"machine": "quartz", "ranks": 14400}))
        text, _, _ = self.answer(emulated(1e5), replay)
        self.assertIn("14,400 workers", text)

    def test_profiles_are_other_clusters(self):
        text, _, _ = self.answer(emulated(1e5), simulated(500.0), simulated(250.0, profile="lammps_kokkos_2023"))
        self.assertIn("frontier, LAMMPS of 2023 with KOKKOS 64 workers 250 simulated 400", text)
        self.assertIn("frontier 64 workers 500 simulated 200", text)

    def test_the_list_and_the_cut_make_no_other_problem_but_the_potential_does(self):
        own = simulated(500.0)
        own["deck"]["toml"] = own["deck"]["toml"].replace("[run]", "[run]\nskin_angstrom = 1.0\nneighbour_list = 'full'")
        text, _, _ = self.answer(emulated(1e5), own)
        self.assertIn("frontier 64 workers", text)
        other = result("simulated", ranks=64, rate=500.0, simulation={"machine": "frontier"})
        text, _, _ = self.answer(emulated(1e5), other)
        self.assertNotIn("64 workers", text)

    def test_other_atoms_have_no_published_rate(self):
        _, missing, _ = self.answer(emulated(1e5, cells=12))
        self.assertIn("When does a wafer beat a cluster?", missing)

    def test_the_newest_of_equal_runs_counts(self):
        old, new = simulated(500.0), simulated(400.0, started="2026-02-02T03:04:05Z")
        for order in ((old, new), (new, old)):
            text, _, _ = self.answer(emulated(1e5), *order)
            self.assertIn("64 workers 400", text)
            self.assertNotIn("64 workers 500", text)


REPLAYED = {
    "schema": "wafermark-result-1", "app": "cluster_replay", "command": "replay", "target": "simulated",
    "started": "2026-01-02T03:04:05Z", "valid": True, "status": "complete", "machine": {"ranks": 14400, "nodes": 400},
    "simulation": {"machine": "quartz", "profile": "lammps_cpu_2023", "workload": "w", "potential": "Ta_li2003", "ranks": 14400},
    "figures": [{"name": "steps_per_second", "value": 4000.0, "unit": "1/s", "kind": "simulated", "band": [2000.0, 5000.0]},
                {"name": "atoms", "value": 2000, "unit": "", "kind": "simulated"}], "checks": [],
}  # fmt: skip


class Replays(WithFolder):
    def read(self, *documents):
        return read_replays([write(self.folder / f"replays{len(list(self.folder.iterdir()))}", *documents)])

    def answer(self, *documents):
        return self.made(emulated(1e5), evidence=answer.Evidence([], [FRONTIER], self.read(*documents)))[0]

    def test_a_replay_is_a_cluster_with_its_band(self):
        text = self.answer(REPLAYED)
        self.assertRegex(text["answer"], r"quartz, LAMMPS of 2023 on CPUs 14,400 workers 4,000 \(2,000 to 5,000\) simulated 25 \(")
        self.assertIn("quartz, lammps_cpu_2023 14,400 simulated", text["appendix"])

    def test_modelled_steps_are_called_that(self):
        modelled = REPLAYED | {"target": "modelled", "figures": [f | {"kind": "modelled"} for f in REPLAYED["figures"]]}
        self.assertIn("4,000 (2,000 to 5,000) modelled", self.answer(modelled)["answer"])
        written = modelled | {"target": "simulated"}  # as cluster_replay.py --modelled does
        self.assertIn("quartz, lammps_cpu_2023 14,400 modelled", self.answer(written)["appendix"])

    def test_other_slabs_and_invalid_replays_are_left_out(self):
        other = REPLAYED | {"simulation": REPLAYED["simulation"] | {"potential": "W_zhou_short"}}
        self.assertNotIn("quartz", self.answer(other)["answer"])
        text = self.answer(REPLAYED | {"valid": False})["answer"]
        self.assertIn("Left out because they are not valid: run00", text)

    def test_replays_alone_make_no_report(self):
        place = write(self.folder / "alone", REPLAYED)
        with self.assertRaisesRegex(InputError, "found replays of simulated clusters only"):
            read_results([place])
        self.assertEqual(len(read_replays([place])), 1)

    def test_damaged_replays_are_refused_with_the_key(self):
        for change, message in (({"machine": {"ranks": 0}}, "machine.ranks"), ({"simulation": {}}, "simulation.machine"),
                                ({"figures": [{"name": "steps_per_second", "value": "fast"}]}, "figures.0"),
                                ({"target": "cluster"}, "target")):  # fmt: skip
            with self.assertRaisesRegex(InputError, message):
                self.read(REPLAYED | change)


class Shipped(unittest.TestCase):
    def test_published_rates_are_those_of_the_papers(self):
        rates = answer.read_reference().published
        known = {(r["machine"], r["potential"]): r["steps_per_second"] for r in rates}
        for metal, wafer, frontier, quartz in (("Ta_li2003", 274016, 1530, 4938), ("Cu_u6", 106313, 973, 3120),
                                               ("W_zhou_short", 96140, 998, 3633)):  # fmt: skip
            self.assertEqual(known["WSE-2", metal], wafer)
            self.assertEqual(known["Frontier 2023", metal], frontier)
            self.assertEqual(known["Quartz 2023", metal], quartz)

    def test_shipped_results_are_valid_and_have_bands_on_the_wafer(self):
        evidence = answer.read_reference()
        self.assertTrue(evidence.results)
        for r in evidence.results + evidence.replays:
            self.assertTrue(r.valid, r.name)
            self.assertFalse(r.json.get("build", {}).get("commit", "").endswith("-dirty"), r.name)
        problems = answer.problems(evidence.results, evidence)
        slabs = [p for p in problems if p.published_wafer]
        self.assertEqual({p.atoms for p in slabs}, {801792})
        self.assertEqual({answer.potential_stem(p.wafer) for p in slabs}, {"Ta_li2003", "Cu_u6", "W_zhou_short"})
        for p in slabs:
            self.assertLessEqual({"published", "simulated"}, {r.kind for r in p.rivals}, p.label)
        for p in problems:
            self.assertTrue(all(Rate.of(w).has_band for w in p.wafers))
            self.assertTrue(all(r.best.rate.has_band for r in p.rivals if r.kind == "simulated"))
        curves_found = {(c.label.split(",")[0], c.axis, len(c.problems)) for c in curves.curves_of(problems)}
        self.assertLessEqual({("W", "atoms", 5), ("W", "cells", 5), ("Ta", "atoms", 5), ("Ta", "cells", 5)}, curves_found)

    def test_a_folder_of_ones_own(self):
        with tempfile.TemporaryDirectory() as name:
            place = write(Path(name) / "own", result("wafer"))
            evidence = answer.read_reference(place)
            self.assertEqual((len(evidence.results), evidence.published, evidence.replays), (1, [], []))
            (place / "published.toml").write_text("[[rate]]\npotential = 'x'\n")
            with self.assertRaisesRegex(InputError, "published.toml: rate.0.atoms: not found"):
                answer.read_reference(place)
            with self.assertRaisesRegex(InputError, "nowhere: not found"):
                answer.read_reference(Path(name) / "nowhere")


if __name__ == "__main__":
    unittest.main()
