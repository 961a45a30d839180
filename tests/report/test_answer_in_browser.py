"""The answer as Chromium shows and prints it: a page of the shipped SC24 results has their ratios on its first screen and its first sheet, a
page of contaminated results names each of them and quotes none. Exit code 77 (skipped) without Chromium or pdftotext."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, result, write
from test_answer import emulated
from test_browser import check, look
from test_print import MARGIN, PAPER, printed
from wafermark_report import answer, answer_words, browser

SLABS = ("Ta", "Cu", "W")


def page_of(folder, *more):
    page = folder / "page.html"
    done = subprocess.run([REPORT, folder / "r", "-o", page, *more], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return page


class Sc24(unittest.TestCase):
    """A user who gives the wafer runs of SC24 and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = Path(cls.temporary.name)
        for metal in SLABS:
            shutil.copytree(answer.REFERENCE / f"sc24_{metal}_wafer", cls.folder / f"r/{metal}")
        evidence = answer.read_reference()
        cls.ratios = [answer_words.ratio_words(answer.ratio(answer.Rate.of(p.wafer), p.best_rival(kind).best.rate))
                      for p in answer.problems(evidence.results, evidence) if p.published_wafer for kind in ("published", "simulated")]

    def test_the_ratios_stand_on_the_page_at_every_width(self):
        page = page_of(self.folder)
        self.assertEqual(len(self.ratios), 6)
        for width in (1200, 390):
            found = look(page, self.folder, width, "light")
            check(found, width, "light", figures=3)
            text = re.sub(r"\s+", " ", found["text"])
            for ratio in self.ratios:
                self.assertRegex(ratio, r"^\d[\d.,]* \(\d[\d.,]* to \d[\d.,]*\)$")
                self.assertIn(ratio, text, f"at {width} pixels")
            self.assertLess(text.index("the emulated wafer makes"), 300, "the answer comes first")

    def test_on_paper_the_answer_is_on_the_first_sheet_and_all_is_within_it(self):
        for paper, (width, height) in PAPER.items():
            pages = printed(self.folder, paper)
            self.assertTrue(4 <= len(pages) <= 60, f"{paper}: {len(pages)} pages")
            first = " ".join(w[4] for w in pages[0][2])
            self.assertIn("When does a wafer beat a cluster?", first)
            self.assertIn("the emulated wafer makes", first)
            for number, (w, h, words) in enumerate(pages, 1):
                self.assertLess(abs(w - width) + abs(h - height), 2, f"{paper}, page {number}")
                out = [x for x in words if x[0] < MARGIN - 2 or x[2] > width - MARGIN + 2 or x[1] < 0 or x[3] > height]
                self.assertEqual(out[:3], [], f"{paper}, page {number}")


class Contaminated(unittest.TestCase):
    def test_each_is_named_and_none_is_quoted(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write(folder / "sound", emulated(1e5), result(rate=100.0))
            bad = {"failed_check": emulated(7.77e5) | {"valid": False}, "cut_run": emulated(8.88e5) | {"status": "incomplete", "status_note": "SIGTERM"},
                   "changed_machine": emulated(9.99e5), "native_failed": result(rate=6.66e5, valid=False)}  # fmt: skip
            bad["changed_machine"]["wafer"]["machine_changes"] = ["clock_mhz=9000"]
            for run, document in bad.items():
                (folder / "r" / run).mkdir(parents=True)
                (folder / "r" / run / "result.json").write_text(json.dumps(document))
            shutil.move(folder / "sound", folder / "r/sound")
            text = look(page_of(folder), folder, 1200, "light")["text"]
            head = text[: text.index("Figures of merit\n")]
            for run in bad:
                self.assertIn(run, head, "named on the first screens")
            for rate in ("777", "888", "999", "666"):
                self.assertNotRegex(head, rf"{rate},000 emulated\s+\d")
            self.assertNotRegex(head, r"(777|888|666|999)(,000)? ?times")


if __name__ == "__main__":
    if browser.find() is None or shutil.which("pdftotext") is None:
        print("SKIPPED: no Chromium or no pdftotext (Debian: chromium, poppler-utils)")
        sys.exit(77)
    unittest.main()
