"""What pages once said wrongly, each line with results made to provoke it: medians, energies of idle wafers, cascades that ended
at once or hot, kinds of figures, checks that there are none of, models of a user's own."""
import json
import tempfile
import unittest
from pathlib import Path

from made_results import result, write
from wafermark_report import cascades, page, tables, verdict
from wafermark_report.results import read_results

PKA = "[[pka]]\nenergy_ev = 1000.0\ntime_ps = 0.1\n"


def llama(name, rate, sparsity=0.0, target="cluster", command="run", **changes):
    kind = "measured" if target == "cluster" else "emulated"
    figures = [("decode_tokens_per_second", rate, kind), ("sparsity", sparsity, "measured"), ("bits_per_weight", 9.0, "measured")]
    made = result() | {"app": "sparse_llama", "command": command, "target": target, "checks": []}
    made |= {"model": {"name": name, "format": "bit_mask", "value": "bf16"}, "deck": {"file": "", "toml": ""}} | changes
    made["figures"] = [{"name": n, "value": v, "unit": "", "kind": k} for n, v, k in figures if v is not None]
    return made


def cascade(end_ps, hot_k=310.0, survivors=4, **changes):
    made = result(more=PKA, steps=1000, **changes)
    made["figures"] += [{"name": n, "value": v, "unit": "", "kind": k} for n, v, k in (
        ("frenkel_pairs_peak", 9, "measured"), ("frenkel_pairs_survivors", survivors, "measured"),
        ("frenkel_pairs_NRT", 7.5, "modelled"), ("temperature_end_k", hot_k, "measured"))]
    return made | {"end": {"step": 1000, "time_ps": end_ps}, "recoils": [{"position_angstrom": [0, 0, 0]}]}


def with_grid(made, width, height):
    made["wafer"]["numbers"] = {f"grid.{k}": {"value": v, "kind": "published", "source": "x"} for k, v in
                                (("width", width), ("height", height))}
    return made


class Words(unittest.TestCase):
    def read(self, *documents):
        with tempfile.TemporaryDirectory() as name:
            return read_results([write(Path(name), *documents)])

    def summary(self, *documents):
        return json.dumps([p.text for p in verdict.summary(self.read(*documents)).parts if hasattr(p, "text")])

    def merit_rows(self, *documents):
        return [[getattr(c, "text", c) for c in row] for part in tables.merit_section(self.read(*documents)).parts for row in part.rows]

    def test_headlines_are_the_medians_of_the_tables(self):
        two = (result(rate=100.0), result(rate=120.0))
        self.assertIn("227 times the steps", self.summary(*two, result("wafer", rate=25000.0)))
        self.assertIn("we measured 220,000 atom-steps/s", self.summary(*two))
        text = self.summary(llama("m", 10.0), llama("m", 20.0), llama("m", 30000.0, target="wafer"))
        self.assertIn("we measured 15 tokens/s", text)

    def test_unlike_runs_are_not_merged(self):
        other = result(rate=300.0)
        other["build"]["commit"] = "def"
        rows = self.merit_rows(result(rate=100.0), result(rate=110.0), result(rate=900.0, steps=5000), other)
        self.assertEqual(sorted((row[3], row[4]) for row in rows), [("1", "300"), ("1", "900"), ("2", "105")])
        self.assertEqual(len({row[0] for row in rows}), 3, "rows of one problem are told apart")
        self.assertTrue(any("5,000 steps" in row[0] for row in rows) and any("commit def" in row[0] for row in rows))
        # The pair with the wafer takes runs of one build and one length.
        text = self.summary(result(rate=100.0, steps=5000), result(rate=900.0, steps=50), result("wafer", rate=25000.0))
        self.assertIn("250 times the steps", text)

    def test_the_energy_of_a_wafer_that_idles_is_not_the_problems(self):
        native = result(rate=100.0, joules=500.0)
        idle = with_grid(result("wafer", rate=25000.0), 769, 1044)  # 20 x 100 tiles work
        text = self.summary(native, idle)
        self.assertIn("2,000 of 802,836 tiles work", text)
        self.assertIn("Energies are not compared", text)
        self.assertNotIn("times less", text)
        self.assertIn("times", self.summary(native, with_grid(result("wafer", rate=25000.0), 20, 100)))
        (table,) = [p for p in tables.energy_section(self.read(native, idle)).parts if hasattr(p, "rows")]
        self.assertIn("of 802,836 (0.25 %)", json.dumps([row[3] for row in table.rows]))

    def test_a_share_that_is_not_all_is_not_100_percent(self):
        self.assertEqual(tables.share_words([0.9984, 0.9982]), "99.82 to 99.84 %")
        self.assertEqual(tables.share_words([0.999999]), "99.99 %")
        self.assertEqual(tables.share_words([1.0]), "100 %")
        self.assertEqual(tables.share_words([0.78, 0.91]), "78 to 91 %")

    def cascade_row(self, made):
        (read,) = self.read(made)
        (table,) = [p for p in cascades.cascade_section([read]).parts if hasattr(p, "rows")]
        return [getattr(c, "text", c) for c in table.rows[0]]

    def test_cascades_that_ended_at_once_have_no_pairs_and_no_model_beside_them(self):
        row = self.cascade_row(cascade(0.1008))
        self.assertEqual((row[2], row[3], row[-1]), ("not followed", "not followed", "-"))

    def test_pairs_of_a_hot_sample_are_no_survivors(self):
        self.assertEqual(self.cascade_row(cascade(10.0))[3], "4")
        self.assertEqual(self.cascade_row(cascade(10.0, hot_k=592.7))[3], "4 (hot: 593 K)")
        self.assertEqual(self.cascade_row(cascade(0.6))[3], "4 (hot: 0.5 ps after the recoil)")

    def test_two_empty_boxes_are_not_drawn(self):
        row = {"step": 0, "time_ps": 1.0, "vacancies": 0, "interstitials": 0}
        empty = {"row": row, "vacancies": {"position": []}, "interstitials": {"position": []}}
        self.assertFalse(cascades.has_defects(empty) or cascades.has_defects(None))
        self.assertTrue(cascades.has_defects(empty | {"vacancies": {"position": [[0, 0, 0]]}}))

    def test_what_was_counted_is_not_called_measured(self):
        (read,) = self.read(cascade(10.0))
        self.assertEqual({n: read.figures[n].kind for n in ("atoms", "frenkel_pairs_peak", "steps_per_second", "frenkel_pairs_NRT")},
                         {"atoms": "counted", "frenkel_pairs_peak": "counted", "steps_per_second": "measured",
                          "frenkel_pairs_NRT": "modelled"})
        (read,) = self.read(llama("m", 10.0, 0.7))
        self.assertEqual({n: f.kind for n, f in read.figures.items()},
                         {"decode_tokens_per_second": "measured", "sparsity": "counted", "bits_per_weight": "counted"})

    def test_checks_that_there_are_none_of_do_not_pass(self):
        without = result() | {"checks": []}
        self.assertIn("nothing was checked", self.summary(without))
        self.assertNotIn("all pass.", self.summary(result(), without))
        self.assertIn("all pass, and 1 result without any.", self.summary(result(), without))
        self.assertIn("all pass.", self.summary(result(), result()))
        self.assertEqual(tables.validity_cell(self.read(without)[0]).text, "no checks")
        self.assertIn("1 result without any", tables.validation_section(self.read(result(), without)).parts[0].text)

    def test_a_users_models_stand_beside_each_other(self):
        pruned = llama("", None, 0.5, command="prune")
        pruned["figures"] += [{"name": "perplexity", "value": 12.4, "unit": "", "kind": "measured"}]
        judged = llama("", None, 0.0, command="evaluate", evaluation={"model": "models/dense"}) | {"model": {}}
        judged["figures"] += [{"name": "perplexity", "value": 10.5, "unit": "", "kind": "measured"}]
        results = self.read(pruned, judged, llama("dense", 100.0), llama("run00", 180.0, 0.5), llama("llama2-7b:seed=1", 3.0))
        parts, _ = page.sections(results)
        (sparsity,) = [s for s in parts if s.id == "sparsity"]
        rows = [[getattr(c, "text", c) for c in row] for row in sparsity.parts[0].rows]
        self.assertEqual([(r[0], r[2], r[5]) for r in rows], [("dense", "10.5", "100"), ("run00", "12.4", "180")])


if __name__ == "__main__":
    unittest.main()
