"""The answer against size and thickness, of Llama, and from which runs no ratio is formed."""
import unittest

from made_results import described, llama, moves, of_cells, repeats, streamed, write
from test_answer import FRONTIER, emulated, simulated, slab
from test_page import WithFolder
from wafermark_report import answer, curves, llama_answer
from wafermark_report.results import plain_model_name, read_results


class Samples(WithFolder):
    def answer(self, *results, **more):
        text, missing, html = self.made(*results, evidence=answer.Evidence([], [FRONTIER]), **more)
        return text.get("answer", ""), missing, html

    def curves_of(self, name, runs):
        return curves.curves_of(answer.problems(read_results([write(self.folder / name, *runs)]), answer.Evidence()))

    def test_a_slab_and_a_cube_of_as_many_atoms_are_two_samples(self):
        text, _, _ = self.answer(emulated(1e5), of_cells(simulated(500.0), (20, 10, 5)))
        self.assertNotIn("frontier 64 workers", text)
        text, _, _ = self.answer(of_cells(emulated(1e5), (20, 10, 5)), of_cells(simulated(500.0), (20, 10, 5)))
        self.assertIn("frontier 64 workers", text)

    def test_published_rates_of_a_slab_are_not_those_of_a_cube(self):
        cube = answer.Evidence([], [FRONTIER | {"cells": [20, 10, 5]}])
        _, missing, _ = self.made(emulated(1e5), evidence=cube)
        self.assertIn("When does a wafer beat a cluster?", missing)

    def test_curves_need_three_samples_and_keep_the_two_axes_apart(self):
        shapes = ((10, 10, 6), (20, 20, 6), (40, 40, 6), (57, 57, 3), (28, 29, 12))  # three of 6 cells, three of some 19,400 atoms
        runs = [of_cells(f(rate), s) for s in shapes for f, rate in ((emulated, 1e5), (simulated, 500.0))]
        found = self.curves_of("x", runs)
        self.assertEqual([(c.axis, len(c.problems), c.fixed) for c in found], [("atoms", 3, 6), ("cells", 3, 19200)])
        text, _, html = self.answer(*runs)
        self.assertIn("from 1,200 to 19,200 atoms the wafer goes from 200 (", text)
        self.assertIn("from 3 to 12 cells of thickness", text)
        self.assertIn("thickness in cells", html)
        self.assertEqual(self.curves_of("y", runs[:4]), [])

    def test_thick_samples_count_in_the_fastest_mapping(self):
        """Layers are a way to place a crystal, lists that serve ten steps another program."""
        columns, layers, lists = (of_cells(emulated(rate), (28, 29, 12)) for rate in (1e5, 2e5, 4e5))
        layers["deck"]["toml"] += '\n[wafer]\nlayer_cells = "auto"\n'
        layers.setdefault("wafer", {})["layer_cells"] = 1
        lists["deck"]["toml"] += "\n[wafer]\nlist_reuse_steps = 10\nlayer_cells = 1\n"
        shapes = ((57, 57, 3), (40, 40, 6))
        runs = [of_cells(f(rate), s) for s in (*shapes, (28, 29, 12)) for f, rate in ((emulated, 1e5), (simulated, 500.0))]
        (thickness,) = self.curves_of("z", [*runs, layers, lists])
        self.assertEqual([(p.cells, answer.Rate.of(p.wafer).value) for p in thickness.problems], [((57, 57, 3), 1e5), ((40, 40, 6), 1e5), ((28, 29, 12), 2e5)])
        text, _, _ = self.answer(*runs, layers, lists)
        self.assertIn("28 x 29 x 12, layers of 1 cell", text)
        self.assertNotIn("40 x 40 x 6, layers", text)

    def test_measured_clusters_are_drawn_and_their_ratio_is_quoted_by_the_rules_only(self):
        native = [slab(r) for r in repeats(100.0, 101.0, 102.0)]
        text, _, _ = self.answer(emulated(1e5), *native, systems=[described(self.folder)])
        self.assertIn("made, OpenMP 1 core 101 (100 to 102) measured 990 (", text)
        self.assertIn("3 of 3 runs keep the run rules", text)
        text, _, _ = self.answer(emulated(1e5), *native)
        self.assertIn("not quoted: description: no system.toml", text)
        self.assertIn("no run keeps the run rules", text)
        self.assertNotIn("990 (", text)

    def test_what_is_the_users_own_comes_first_and_apart(self):
        from_us = read_results([write(self.folder / "ours", of_cells(emulated(3e5), (20, 20, 5)), of_cells(simulated(500.0), (20, 20, 5)))])
        text, _, _ = self.made(emulated(1e5), simulated(500.0), evidence=answer.Evidence(from_us))
        own, shipped = text["answer"].index("Of these results: In 1 problem"), text["answer"].index("Of those that ship: In 1 problem")
        self.assertLess(own, shipped)
        self.assertIn("200 times", text["answer"][own:shipped])
        self.assertIn("600 times", text["answer"][shipped:])

    def test_another_wafer_than_the_published_one_is_named(self):
        mine = emulated(2e5)
        mine["wafer"]["machine"] = "my_wafer"
        text, _, _ = self.answer(emulated(1e5), mine, simulated(500.0))
        self.assertIn("the emulated wafer (my_wafer) makes 200 times", text)
        self.assertIn("the emulated wafer makes 100 times", self.answer(emulated(1e5), simulated(500.0))[0])

    def test_runs_of_a_changed_machine_are_named_and_left_out(self):
        bent = emulated(9e5, started="2027-01-01T00:00:00Z")
        bent["wafer"]["machine_changes"] = ["clock_mhz=9000"]
        text, _, _ = self.answer(emulated(1e5), bent, simulated(500.0))
        self.assertIn("Left out because --machine-set changed their machines: run01", text)
        self.assertNotIn("900,000", text)


class Llama(WithFolder):
    def test_decoding_beside_the_fastest_simulated_cluster(self):
        runs = [llama("llama2-7b:seed=1", 2000.0), llama("llama2-7b:hollow=1", 100.0, "simulated"),
                llama("llama2-7b:hollow=1", 200.0, "simulated", ranks=4), llama("llama2-7b:hollow=1,sparsity=0.7", 900.0, "simulated", sparsity=0.7),
                llama("llama2-7b:layers=2", 9000.0, "simulated"), llama("llama2-7b:hollow=1", 7000.0, "simulated", sequences=8)]
        text, _, _ = self.made(*runs)
        self.assertIn("llama2-7b, bf16, dense, 1 at once: the emulated wafer decodes 10 (", text["answer"])
        self.assertIn("(alps, 4 workers)", text["answer"])
        for other in ("900 (", "9,000", "7,000"):
            self.assertNotIn(other, text["answer"])

    def test_an_interval_that_holds_one_is_not_quoted(self):
        text, _, _ = self.made(llama("m", 100.0), llama("m", 101.0, "simulated"))
        self.assertIn("undecided", text["answer"])
        self.assertNotIn("the emulated wafer decodes", text["answer"])

    def test_simulated_clusters_alone_are_no_fault(self):
        text, missing, _ = self.made(llama("m", 101.0, "simulated"))
        self.assertIn("summary", text)
        self.assertIn("When does a wafer beat a cluster?", missing)

    def test_two_runs_on_one_machine_move_together(self):
        both = [moves("a", 1.2, 0.5)]
        dense, same, other = read_results([write(self.folder / "p", streamed(0.0, 8192, 100.0, both), streamed(0.7, 8192, 200.0, both),
                                                 streamed(0.9, 8192, 300.0, [moves("a", 1.2, 0.5), moves("b", 1.0, 0.8)]))])
        r = llama_answer.paired_ratio(same, dense)
        self.assertAlmostEqual(r.low, 2.0)
        self.assertAlmostEqual(r.high, 2.0)
        r = llama_answer.paired_ratio(other, dense)
        self.assertAlmostEqual(r.low, 2.4)
        self.assertAlmostEqual(r.high, 3.0)
        dense.json["wafer"].pop("sensitivity")
        self.assertIsNone(llama_answer.paired_ratio(same, dense).low)

    def test_the_surface_of_streamed_weights(self):
        made = []
        for tokens, gain in ((8192, 1.0), (32768, 1.7)):
            made += [streamed(0.0, tokens, 100.0, [moves("a", 1.0, 0.9)], joules=0.1),
                     streamed(0.7, tokens, 100.0 * gain, [moves("a", 1.0, 0.95)], joules=0.05)]
        text, _, html = self.made(*made)
        self.assertIn("llama2-7b, bf16, 70 % zeros 32,768 170 (136 to 187) emulated 1.7 (1.7 to 1.8) 50 emulated 2 (2 to 2.1)", text["answer"])
        self.assertIn("8,192 100 (80 to 110) emulated undecided", text["answer"])
        self.assertIn("tokens together", html)
        made[3]["wafer"].pop("energy_sensitivity")
        self.assertIn("50 emulated no band: not quoted", self.made(*made)[0]["answer"])
        made[3]["generation"] = {"tokens_asked_for": 1}  # of each sequence one token: a pass
        self.assertIn("1.7 (1.7 to 1.8)", self.made(*made)[0]["answer"])
        made[3]["build"]["commit"] += "-dirty"
        self.assertRegex(self.made(*made)[0]["answer"], "not quoted: (sources|build): ")


class Names(unittest.TestCase):
    def test_models_are_called_as_people_call_them(self):
        for path, name in (("llama2-7b", "llama2-7b"), ("/scratch/me/models/pruned/", "pruned"), ("", ""), ("/", ""), ("a.gguf", "a.gguf"),
                           ("/x/hub/models--meta-llama--Llama-2-7b-hf/snapshots/01c7f73d771dfac7d292323805ebc428287df4f9", "Llama-2-7b-hf"),
                           ("/x/" + "a" * 50 + "b" * 50, "a" * 19 + "..." + "b" * 19)):  # fmt: skip
            self.assertEqual(plain_model_name(path), name)


if __name__ == "__main__":
    unittest.main()
