"""Damaged inputs of every kind: each key in turn is deleted or given another value. What comes of it is a report, or one
line that names the file; never a traceback, a warning or a page of "nan".

usage: test_mutations.py [--all]     (all mutations in place of a sample: minutes)
"""
import copy
import json
import os
import random
import sys
import tempfile
import tomllib
import unittest
import unittest.mock
import warnings
from pathlib import Path

import h5py
import numpy as np
from made_results import DECK, banded, moves, of_cells, result, streamed, write
from made_results import llama as made_llama
from test_submit import SYSTEM
from wafermark_report import answer, campaigns, page, regression, sheet, sheet_files, sheet_page, sparsity, svg_theme
from wafermark_report.errors import InputError, one_line
from wafermark_report.results import read_defects, read_result
from wafermark_report.system import System, read_system

ALL = "--all" in sys.argv
DELETED = object()
VALUES = (
    DELETED, None, True, "text", "$x^{\n\x1b[31m\x00", "\ud800", "", [], {}, [1], {"a": 1}, -1, 0, 0.5, 2, 1e-320, 1e-9,
    1e12, 1e29, 1e308, 10**400, float("nan"), float("-inf"),
)  # fmt: skip
RECOIL = "[[pka]]\nenergy_ev = 1000.0\ntime_ps = 0.1\n[wafer]\nblocks = 2"
SITES = {"position": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}
COLUMNS = {"step": [0, 1, 2], "time_ps": [0.0, 0.1, 0.2], "vacancies": [0, 3, 2], "interstitials": [0, 3, 2],
           "at_rest": [0, 0, 1], "dpa": [0.0, 0.01, 0.02]}
DEFECTS = {
    "box": {"lo_angstrom": [0, 0, 0], "hi_angstrom": [30, 30, 30], "periodic": [True, True, False]},
    "series": {"columns": COLUMNS},
    "peak_snapshot": {"row": {"time_ps": 0.1}, "vacancies": SITES, "interstitials": SITES},
    "last_snapshot": {"row": {"time_ps": 0.2}, "vacancies": SITES, "interstitials": SITES},
    "predicted_frenkel_pairs": {"NRT": 3.5},
}
ROW = {
    "model": "m", "value": "bf16", "format": "csr", "sparsity": 0.5, "tokens_per_second": 3.0, "ratio_to_dense": 1.5,
    "bits_per_weight": 9.0, "bandwidth_share": 0.7, "layers": 2,
}  # fmt: skip
PUBLISHED = [{
    "potential": "", "atoms": 2000, "machine": "Frontier 2023", "system": "cluster", "worker": "GCD", "workers": 256,
    "steps_per_second": 900.0, "source": "s",
}]  # fmt: skip
MEAN = {"mean": 2.5, "error": 0.5, "values": [2.0, 3.0]}
GROUP = {"energy_ev": 1000.0, "temperature_k": 300.0, "direction": "random", "runs": 2, "missing": 0, "given_up": 0, "repeated_for_hot_atoms": 1,
         "models": {"NRT": 3.8, "He": 3.9}, "pairs_peak": MEAN, "pairs_end": MEAN, "replacements": MEAN, "mixing_angstrom2": MEAN,
         "clustered_vacancy_fraction": MEAN, "clustered_interstitial_fraction": MEAN, "largest_vacancy_cluster": MEAN,
         "largest_interstitial_cluster": None, "vacancy_clusters_by_size": {"1": 2.0, "3": 0.5}, "interstitial_clusters_by_size": {}}  # fmt: skip
CAMPAIGN = {
    "format": "wafermark-campaign-1", "title": "t", "deck": "d.toml", "complete": False, "notes": ["n"], "groups": [GROUP, GROUP | {"energy_ev": 5e3}],
    "fits": [{"temperature_k": 300.0, "direction": "random", "quantity": "pairs_end", "a": 2.0, "a_error": 0.1, "b": 0.7, "b_error": None, "points": 2}],
    "thresholds": [{"direction": "<100>", "temperature_k": 36.0, "missing": 0, "threshold_ev": MEAN,
                    "searches": [{"seed": 1, "none_at_ev": 35.0, "pair_at_ev": 40.0}, {"seed": 2, "none_at_ev": None, "pair_at_ev": 20.0}]}],
    "threshold_averages": [{"directions": "all", "temperature_k": 36.0, "lowest_ev": 37.5, "without_threshold": 1,
                            "threshold_ev": MEAN}],
    "runs": [{"folder": "f", "energy_ev": 1e3, "temperature_k": 300.0, "direction": "random", "seed": 1, "hot": False, "left_out": False,
              "core_seconds": 9.0}],
}  # fmt: skip
REFERENCE = {"reference": [{"case": "c", "figure": "f", "value": 1.0, "unit": "s", "lower": -0.1, "upper": 0.2}]}
POINT = {
    "side": "wafer, resident", "model": "m", "format": "bit_mask", "arriving": 2, "sparsity": 0.7, "together": 4, "rate_over_dense": 1.5,
    "energy_over_dense": None,
}


def documents():
    """A result of each kind that the report tells apart."""
    figure = {"name": "frenkel_pairs_survivors", "value": 2.0, "unit": "", "kind": "measured"}
    cascade = result(more=RECOIL, recoils=[{"position_angstrom": [1.0, 2.0, 3.0], "energy_ev": 1000.0}])
    cascade["figures"] += [figure, figure | {"name": "frenkel_pairs_NRT", "kind": "modelled"}]
    cascade["figures"] += [figure | {"name": "temperature_end_k", "value": 900.0}, figure | {"name": "simulated_ps", "value": 0.2}]
    cascade |= {"end": {"step": 100, "time_ps": 0.2}, "restarted_from_step": 7}
    cascade["dose"] = {"method": "recoils", "events": 2, "dpa": 0.02, "dpa_arc": None, "ended_by": ""}
    cascade["defects"] = {"survivors": {"largest_vacancy_cluster": 1, "replacements": 4}}
    wafer = result("wafer", rate=1e5, status="complete", status_note="")
    number = {"value": 850.0, "kind": "published", "source": "s"}
    wafer["wafer"]["numbers"] = {"core.clock_mhz": number, "grid.width": number, "grid.height": number}
    wafer["wafer"]["machine_changes"] = []  # of a changed machine nothing is compared
    check = {"name": "steps_per_second_Ta", "value": 2.9e5, "reference": 2.7e5, "tolerance": 4e4, "unit": "1/s"}
    validated = result("wafer", checks=[check | {"pass": True}]) | {"command": "validate"}
    rates = [("decode_tokens_per_second", 9.0), ("sparsity", 0.7), ("perplexity", 12.0), ("joules_per_token", None)]
    llama = result("wafer") | {
        "app": "sparse_llama",
        "figures": [{"name": n, "value": v, "unit": "", "kind": "emulated"} for n, v in rates],
        "model": {"name": "tiny:sparsity=0.7", "format": "csr", "value": "bf16", "sequences": 1, "prompt_tokens": 2},
        "generation": {"tokens_asked_for": 64},
        "evaluation": {"model": "models/tiny"},
        "floor_plan": [{"name": "layer 0", "x": 0, "y": 0, "width": 20, "height": 10}],
    }
    simulation = {"machine": "frontier", "profile": "lammps", "ranks": 64}
    simulated = banded(result("simulated", ranks=8, rate=500.0, simulation=simulation), 0.9, 1.1)
    return {"native": result(joules=20.0), "simulated": simulated, "wafer": wafer, "cascade": cascade, "validate": validated, "llama": llama,
            "streamed": streamed(0.7, 8192, 200.0, [moves("a", 1.2, 0.5)], joules=0.1),
            "streamed_dense": streamed(0.0, 8192, 100.0, [moves("a", 1.1, 0.5)], joules=0.2),
            "decoded": made_llama("llama2-7b:hollow=1", 30.0, "simulated")}


def beside():
    """What ships beside them: two samples of other sizes, which make a curve with the third, and a model that others decoded."""
    simulation = {"machine": "frontier", "profile": "", "ranks": 64}
    sizes = [(10, 12, 12), (10, 14, 14)]
    return [*[of_cells(banded(result("wafer", rate=1e5), 0.8, 1.1), s) for s in sizes],
            *[of_cells(banded(result("simulated", rate=500.0, simulation=simulation), 0.9, 1.1), s) for s in sizes],
            made_llama("llama2-7b:seed=1", 3000.0)]


def places(value, here=()):
    """All places in a document below its top."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*here, key)
            yield from places(inner, (*here, key))


def mutations(document, share):
    """(what was done, changed document), for a share of all places and values."""
    draw = random.Random(19)
    for place in places(document):
        for value in VALUES:
            if not ALL and draw.random() > share:
                continue
            changed = copy.deepcopy(document)
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            if value is DELETED:
                del inner[place[-1]]
            else:
                inner[place[-1]] = value
            told = "deleted" if value is DELETED else repr(value)[:30]
            yield f"{'.'.join(map(str, place))} {told}", changed


def as_toml(value):
    """A table of simple values as TOML; enough for machine files and decks."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return "1979-05-27" if value is None else json.dumps(value)


class Mutations(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("error")
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)
        self.refused = self.accepted = 0
        self.systems = [System(self.folder / "system.toml", tomllib.loads(SYSTEM))]
        inline = svg_theme.inline

        def sometimes(fig, title):  # drawing takes most of the time of a page, and one in ten tells as much
            if ALL or self.accepted % 10 == 0:
                return inline(fig, title)
            svg_theme.plt.close(fig)
            return "<svg></svg>"

        beside_it = write(self.folder / "beside", *beside())
        self.evidence = answer.Evidence([read_result(p) for p in sorted(beside_it.rglob("result.json"))], PUBLISHED)
        for module in (page.answer_page, page.answer_page.curve_page, page.answer_page.llama_answer_page, page.cascades, page.claim, page.scaling_plots, page.sparsity, page.wafer_maps):
            self.addCleanup(setattr, module, "inline", inline)
            module.inline = sometimes

    def tried(self, what, path, use):
        """`use` either works or names the file in one line that can be printed."""
        with self.subTest(what):
            try:
                use()
                self.accepted += 1
            except InputError as error:
                self.refused += 1
                self.assertIn(str(path), str(error))
                self.assertNotIn("\n", one_line(error))

    def both(self, least_accepted=1):
        """The mutations are neither all refused nor all taken: the test sees both sides."""
        self.assertGreater(self.refused, 10)
        self.assertGreaterEqual(self.accepted, least_accepted)

    def page_of(self, folder, partner):
        results = [read_result(folder / "result.json"), partner]
        parts, _ = page.sections(results, self.evidence)
        parts += self.sheet_of(results)
        html = page.render("t", parts, [partner])
        self.assertNotRegex(html, r"\b(nan|inf)\b")

    def sheet_of(self, results):
        """The result sheet, against the results themselves; all of it as cells of a table as well."""
        rows, without_rate = sheet.rows_of(results, self.systems)
        found = sheet.improvements(rows, sheet.references_of(rows))
        cells = list(sheet_files.cells_of(rows, found, "itself"))
        self.assertTrue(all(len(row) == len(sheet_files.COLUMNS) for row in cells))
        self.assertNotRegex(json.dumps(cells), r"\b(NaN|Infinity)\b")
        return sheet_page.sections(rows, without_rate, results, self.systems, found, "itself")

    def test_descriptions(self):
        path = self.folder / "system.toml"
        results = [read_result(write(self.folder / "native", result(joules=20.0)) / "run00/result.json")]

        def use():
            self.systems = [read_system(path)]
            html = page.render("t", self.sheet_of(results), results)
            self.assertNotRegex(html, r"\b(nan|inf)\b")

        for what, changed in mutations(tomllib.loads(SYSTEM), 0.5):
            path.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in changed.items()), errors="backslashreplace")
            self.tried(what, path, use)
        self.both(10)

    def test_results(self):
        kinds = documents()
        partners = {name: read_result(write(self.folder / name, r) / "run00/result.json") for name, r in kinds.items()}
        for name, partner in (("native", "wafer"), ("simulated", "wafer"), ("wafer", "native"), ("cascade", "wafer"), ("validate", "native"),
                              ("llama", "native"), ("streamed", "streamed_dense"), ("decoded", "wafer")):  # fmt: skip
            folder = self.folder / f"{name}_changed"
            folder.mkdir()
            (folder / "defects.json").write_text(json.dumps(DEFECTS))
            for what, changed in mutations(kinds[name], 0.05):
                (folder / "result.json").write_text(json.dumps(changed))
                self.tried(f"{name}: {what}", folder / "result.json", lambda: self.page_of(folder, partners[partner]))
        self.both(10)

    def test_decks(self):
        deck = tomllib.loads(DECK.format(cells=10, steps=100, more=RECOIL))
        partner = read_result(write(self.folder / "wafer", result("wafer")) / "run00/result.json")
        for what, changed in mutations(deck, 0.15):
            text = "\n".join(f"{key} = {as_toml(value)}" for key, value in changed.items())
            folder = self.folder / "changed"
            folder.mkdir(exist_ok=True)
            (folder / "result.json").write_text(json.dumps(result(deck={"file": "d", "toml": text})))
            self.tried(what, folder / "result.json", lambda: self.page_of(folder, partner))
        self.both(10)

    def test_defects(self):
        folder = write(self.folder / "cascade", documents()["cascade"]) / "run00"
        cascade = read_result(folder / "result.json")
        for what, changed in mutations(DEFECTS, 0.1):
            (folder / "defects.json").write_text(json.dumps(changed))
            self.tried(what, folder / "defects.json", lambda: [page.cascades.pictures(cascade), page.doses.dose_section([cascade])])
        self.both()

    def test_rows_records_references_and_published_rates(self):
        record = json.loads(sparsity.RECORD.read_text())
        record = {key: record[key] for key in ("dense", "magnitude-50", "stage1", "longer")}
        published = tomllib.loads((answer.REFERENCE / "published.toml").read_text())
        published["rate"] = [published["rate"][0], published["rate"][-1]]
        path = self.folder / "x.json"
        for document, use in (
            ([ROW, ROW | {"sparsity": 0.7}], lambda: sparsity.sparsity_section([], [path], None)),
            ({"surface": [POINT, POINT | {"together": 64, "energy_over_dense": 2.0}]}, lambda: sparsity.sparsity_section([], [path], None)),
            (record, lambda: sparsity.sparsity_section([], [], path)),
            (REFERENCE, lambda: regression.judge(regression.read_reference(path), [])),
        ):
            for what, changed in mutations(document, 0.1):
                path.write_text(json.dumps(changed))
                self.tried(what, path, use)
        self.both()
        path = self.folder / "campaign.json"
        for what, changed in mutations(CAMPAIGN, 0.02):
            path.write_text(json.dumps(changed))
            self.tried(what, path, lambda: campaigns.campaign_section(campaigns.read_campaigns([self.folder])))
        self.both()
        path = self.folder / "cascades.toml"
        with unittest.mock.patch.object(campaigns, "PUBLISHED_CASCADES", path):
            for what, changed in mutations(tomllib.loads((answer.REFERENCE / "cascades.toml").read_text()), 0.3):
                path.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in changed.items()))
                self.tried(what, path, lambda: campaigns.parts_of(CAMPAIGN, campaigns.published_sets()))
        self.both()
        place = write(self.folder / "reference", result("wafer", rate=1e5))
        path = place / "published.toml"
        for what, changed in mutations(published, 0.3):
            path.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in changed.items()))
            self.tried(what, path, lambda: answer.read_reference(place))
        self.both()


class HeatMaps(unittest.TestCase):
    def test_every_dataset_and_attribute(self):
        with tempfile.TemporaryDirectory() as folder:
            place = write(Path(folder), documents()["wafer"]) / "run00"
            wafer = read_result(place / "result.json")
            good = np.arange(12.0).reshape(3, 4)
            for busy in (good, None, "text", good[0], -good, good * np.nan, good * 1e300, good[:0], good.astype("S4"),
                         np.array([["x"]], dtype=h5py.string_dtype()), h5py.SoftLink("/phases"),
                         h5py.ExternalLink("/etc/passwd", "/x")):  # fmt: skip
                for steps, wait in ((2, good), (0, None), ("text", None), (None, None), (-1, None), (np.nan, None),
                                    ([1, 2], None), (2, good[:2]), (2, "text")):  # fmt: skip
                    with h5py.File(place / "wafer.h5", "w") as file:
                        phases = file.create_group("phases")
                        if busy is not None:
                            file["busy"] = busy
                        if steps is not None:
                            phases.attrs["steps"] = steps
                        if wait is not None:
                            phases["wait_for_neighbours"] = wait
                    try:
                        page.wafer_maps.heat_map(wafer)
                        self.assertIs(busy, good)
                    except InputError as error:
                        self.assertIn("wafer.h5: ", str(error))
                        self.assertFalse(busy is good and steps in (0, 2) and not isinstance(wait, str) and wait is good)


class Files(unittest.TestCase):
    """What is wrong with a whole file."""

    def refused(self, path, *words):
        with self.assertRaises(InputError) as caught:
            read_result(path)
        for word in words:
            self.assertIn(word, one_line(caught.exception))

    def test_files_that_are_none(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "result.json"
            self.refused(path, "No such file")
            path.mkdir()
            self.refused(path, "found a folder")
            path.rmdir()
            os.mkfifo(path)
            self.refused(path, "found a pipe")
            path.unlink()
            path.symlink_to(path)
            self.refused(path, "cannot be read")
            path.unlink()
            path.symlink_to("/dev/zero")
            self.refused(path, "found a device")

    def test_texts_that_are_none(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "result.json"
            good = json.dumps(result())
            for content, word in (
                (b"", "result.json:1"),
                (good.encode("utf-16"), "not UTF-8"),
                (b"\xef\xbb\xbf" + good.encode(), "BOM"),
                (good.encode() + b"{}", "Extra data"),
                (good.replace("abc", "a\x01c").encode(), "Invalid control character"),
                (b"[" * 100000, "tables in more than"),
                (b'{"schema": "wafermark-result-1", "schema": 1}', "appears twice"),
                (good.replace("wafermark-result-1", "wafermark-result-2").encode(), "found schema 'wafermark-result-2'"),
                (good.replace('"value": 1000.0', '"value": ' + "9" * 5000).encode(), "figures.3.value: found inf"),
                (good.replace('"name": "steps"', '"name": "atoms"').encode(), "figures.1.name: found 'atoms' for the se"),
                (good.replace("title = 'made'", "x = 1e999").encode(), "deck.toml: x: found inf"),
                (good.replace("title = 'made'", "x = " + "9" * 5000).encode(), "deck.toml"),
                (good.replace("title = 'made'", "x = " + "[" * 5000).encode(), "deck.toml"),
            ):
                path.write_bytes(content)
                self.refused(path, word)

    def test_a_result_is_cut_at_every_byte(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "result.json"
            good = json.dumps(result())
            for length in range(len(good)):
                path.write_text(good[:length])
                self.refused(path, "result.json:")
            path = Path(name) / "defects.json"
            for length in range(0, len(json.dumps(DEFECTS)), 7):
                path.write_text(json.dumps(DEFECTS)[:length])
                self.assertRaises(InputError, read_defects, path)


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--all"])
