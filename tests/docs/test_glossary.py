#!/usr/bin/python3
"""docs/glossary.md explains every figure and check that a program writes, and none that there is not."""
import re
import sys
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1))
NAME = r'(?:add_figure|add_check|emulated|measured)\(\s*(?:fmt::format\()?"([a-z_A-Z]+)"'
# Names that are put together: the beginning stands for all.
FAMILIES = ("frenkel_pairs_", "virial_", "decode_ratio_", "prefill_ratio_", "steps_per_second_", "missed_interactions_")


def written_names():
    texts = [p.read_text() for folder in ("apps", "common") for p in (SOURCE / folder).rglob("*.cpp")]
    return {name for text in texts for name in re.findall(NAME, text) if not name.endswith("_")}


def explained_names():
    rows = [line for line in (SOURCE / "docs/glossary.md").read_text().splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-zA-Z_]+)`", row.split("|")[1])}


class Glossary(unittest.TestCase):
    def test_every_figure_is_explained(self):
        self.assertGreater(len(written_names()), 60)
        self.assertEqual(sorted(written_names() - explained_names()), [])

    def test_nothing_is_explained_that_there_is_not(self):
        stale = {n for n in explained_names() - written_names() if not n.startswith(FAMILIES)}
        self.assertEqual(sorted(stale), [])


if __name__ == "__main__":
    unittest.main()
