"""The page on paper, printed by Chromium and read by Poppler: size, page numbers, everything within the margins and not shrunk, folded
parts open; and a text for every picture. Exit code 77 (skipped) without Chromium or poppler-utils."""
import html
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, result, sweep, write
from wafermark_report import browser

PAPER = {"A4": (595, 842), "Letter": (612, 792)}  # points
LONG = "a_very_long_host_name_that_no_table_has_room_for." + "x" * 60
TITLE = "A \"title\" \\ of </style> it's"
MARGIN = 13 / 25.4 * 72  # as in page.html.j2
HEADING = 9.0  # points: the height of a heading's letters, which a page that does not fit would lose to shrinking


def printed(folder, paper):
    done = subprocess.run([REPORT, folder / "r", "-o", folder / f"{paper}.html", "--pdf", "--paper", paper, "--title", TITLE],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    boxes = subprocess.run(["pdftotext", "-bbox", folder / f"{paper}.pdf", "-"], capture_output=True, text=True, check=True).stdout
    pages = []
    for page in re.findall(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', boxes, re.S):
        words = [(*map(float, w[:4]), html.unescape(w[4])) for w in
                 re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page[2])]
        pages.append((float(page[0]), float(page[1]), words))
    return pages


class Print(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        folder = Path(cls.temporary.name)
        wide = result(rate=50.0, ranks=3, host=LONG) | {"build": result()["build"] | {"flags": "-O3 " * 12 + "z" * 90}}
        write(folder / "r", *sweep(ranks=(1, 2, 4)), result("wafer", cells=32, rate=1e5), result("wafer", rate=2e5, joules=None), wide)
        cls.pages = {paper: printed(folder, paper) for paper in PAPER}
        cls.html = (folder / "A4.html").read_text()

    def test_pages_are_of_the_paper_and_numbered(self):
        for paper, (width, height) in PAPER.items():
            pages = self.pages[paper]
            self.assertGreaterEqual(len(pages), 3)
            for number, (w, h, words) in enumerate(pages, 1):
                self.assertLess(abs(w - width) + abs(h - height), 2, f"{paper}, page {number}: {w} x {h}")
                foot = " ".join(word[4] for word in words if word[1] > h - 17 / 25.4 * 72)
                self.assertTrue(foot.endswith(f"{number} / {len(pages)}"), f"{paper}, page {number}: {foot!r}")
                self.assertIn(TITLE, foot)

    def test_all_is_within_the_margins_and_of_full_size(self):
        for paper, pages in self.pages.items():
            for number, (width, height, words) in enumerate(pages, 1):
                out = [w for w in words if w[0] < MARGIN - 2 or w[2] > width - MARGIN + 2 or w[1] < 0 or w[3] > height]
                self.assertEqual(out[:3], [], f"{paper}, page {number}")
            headings = [w[3] - w[1] for *_, words in pages for w in words if w[4] in ("Validation", "Summary")]
            self.assertGreater(max(headings), HEADING, f"{paper}: shrunk")

    def test_folded_parts_are_open_and_wide_cells_are_whole(self):
        self.assertIn("<details>", self.html)  # folded on a screen
        for paper, pages in self.pages.items():
            text = "".join(w[4] for *_, words in pages for w in words)
            self.assertIn("lattice_constant_angstrom=3.1652", text, f"{paper}: the deck")
            self.assertIn("z" * 90, re.sub(r"[^z]", "", text), f"{paper}: the flags")

    def test_every_picture_has_a_text_and_keys_have_none(self):
        pictures = re.findall(r"<svg ([^>]*)>", self.html)
        self.assertGreater(len(pictures), 5)
        for attributes in pictures:
            named = re.search(r'role="img" aria-label="[^"]{8,}"', attributes)
            self.assertTrue(named or 'aria-hidden="true"' in attributes, attributes)


if __name__ == "__main__":
    if browser.find() is None or shutil.which("pdftotext") is None:
        print("SKIPPED: no Chromium or no pdftotext (Debian: chromium, poppler-utils)")
        sys.exit(77)
    unittest.main()
