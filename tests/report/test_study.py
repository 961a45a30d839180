"""jobscripts/study.sh as far as it goes without hours: bad words, what is there and what is missing, results that stay, failures that do not stop
the rest. And README's headline is what the shipped results say."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from made_results import SOURCE
from wafermark_report import answer, answer_words

WAFER = """#!/bin/sh
while [ "$1" != --out ]; do shift; done
[ ! -e "$FAIL" ] || { echo 'no room' >&2; exit 1; }
mkdir -p "$2"; echo '{"machine_file": "/somewhere/inputs/wafers/wse2.toml"}' >"$2/result.json"
"""


class Study(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "jobscripts").mkdir()
        for name in ("study.sh", "environment.sh"):
            shutil.copy(SOURCE / "jobscripts" / name, self.folder / "jobscripts")
        program = self.folder / "build/release/apps/tungsten_md/tungsten_md"
        program.parent.mkdir(parents=True)
        program.write_text(WAFER)
        program.chmod(0o755)
        self.results = self.folder / "results/reference"

    def study(self, *words):
        environment = os.environ | {"FAIL": str(self.folder / "fail"), "WAFERMARK_PYTHON": "/usr/bin/python3"}
        done = subprocess.run(["bash", "jobscripts/study.sh", *words], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_bad_words_end_in_one_line_before_anything_is_made(self):
        for words, said in ((["slab"], "slab: found no such part, expected some of: slabs records"), (["--outt", "x"], "--outt: no such option"),
                            (["--out"], "--out: found nothing after it")):
            code, _, error = self.study(*words)
            self.assertEqual((code, error.count("\n")), (2, 1), error)
            self.assertIn(said, error)
        self.assertFalse(self.results.exists())

    def test_what_is_there_stays_and_what_failed_is_made_the_next_time(self):
        self.assertIn("0 made, 0 there already, 3 missing", self.study("slabs", "--list")[1])
        (self.folder / "fail").touch()
        code, said, error = self.study("slabs", "--no-build")
        self.assertEqual(code, 1)
        self.assertIn("0 made, 0 there already, 3 failed", said)
        self.assertIn("sc24_Cu_wafer failed: no room", error)
        self.assertEqual(list(self.results.rglob("*")), [])
        (self.folder / "fail").unlink()
        mine = self.results / "sc24_Cu_wafer/result.json"
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        code, said, _ = self.study("slabs", "--no-build")
        self.assertEqual(code, 0)
        self.assertIn("2 made, 1 there already", said)
        self.assertEqual(mine.read_text(), "mine")
        made = (self.results / "sc24_Ta_wafer/result.json").read_text()
        self.assertEqual(made.strip(), '{"machine_file": "inputs/wafers/wse2.toml"}', "named from the top of a source")

    def test_what_the_parts_read_is_there(self):
        script = (SOURCE / "jobscripts/study.sh").read_text()
        named = set(re.findall(r"inputs/[\w./]+\.toml", script))
        self.assertIn("inputs/damage/campaign_1_2kev.toml", named)
        for name in sorted(named):
            self.assertTrue((SOURCE / name).is_file(), f"study.sh names {name}, which is not there")

    def test_results_of_this_machine_have_the_name_that_is_given(self):
        listed = self.study("here", "--list", "--host", "two cores")[1]
        self.assertIn("missing: here_two-cores/sc24_Ta_1", listed)
        code, _, error = self.study("here", "--host")
        self.assertEqual((code, error.count("\n")), (2, 1), error)

    def test_parts_without_simgrid_or_its_build_are_left_out_with_a_line(self):
        code, said, error = self.study("clusters", "--no-build")
        self.assertEqual(code, 0, error)
        self.assertRegex(error, "study.sh: clusters is left out: (smpirun not found|build/cluster-sim is not built)")


class Headline(unittest.TestCase):
    def test_readme_says_what_the_shipped_results_say(self):
        text = re.sub(r"\s+", " ", (SOURCE / "README.md").read_text())
        evidence = answer.read_reference()
        slabs = [p for p in answer.problems(evidence.results, evidence) if p.published_wafer]
        self.assertEqual(len(slabs), 3)
        for p in slabs:
            for kind in ("published", "simulated"):
                words = answer_words.ratio_words(answer.ratio(answer.Rate.of(p.wafer), p.best_rival(kind).best.rate))
                self.assertIn(words, text, f"{p.label}, fastest {kind} cluster")


if __name__ == "__main__":
    unittest.main()
