#!/usr/bin/env python3
"""The launcher of a portable build: which level's program it becomes, and what it says where there is none. Shells stand in
for the programs: they tell their name, their file and their words.

usage: test_cpu_launcher.py LAUNCHER PROGRAM MPIEXEC NUMPROC_FLAG
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LAUNCHER, PROGRAM, MPIEXEC, NUMPROC_FLAG = sys.argv[1:5]
del sys.argv[1:5]
LEVELS = ("x86-64-v3", "x86-64-v4", "x86-64-v4-vnni")
TELL = 'echo "$0|$(readlink /proc/$$/exe)|$*"'


class Launcher(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.prefix = Path(temporary.name).resolve()
        (self.prefix / "bin").mkdir()
        self.launcher = self.prefix / "bin/tungsten_md"
        shutil.copy(LAUNCHER, self.launcher)
        for level in LEVELS:
            folder = self.prefix / "libexec/wafermark" / level
            folder.mkdir(parents=True)
            shutil.copy(shutil.which("dash") or shutil.which("sh"), folder / "tungsten_md")
        self.runs = [level for level in LEVELS if self.start(level)[0] == 0]

    def start(self, level=None, program=None, before=(), words=("-c", TELL, "tungsten_md", "a word", "")):
        environment = {key: value for key, value in os.environ.items() if key != "WAFERMARK_CPU_LEVEL"}
        if level is not None:
            environment["WAFERMARK_CPU_LEVEL"] = level
        done = subprocess.run([*before, program or self.launcher, *words], env=environment, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def expect_refusal(self, told, *words, **start):
        code, said, errors = self.start(*words, **start)
        self.assertEqual((code, said), (2, ""), errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertIn(told, errors)

    def test_each_level_that_runs_can_be_forced_and_the_best_is_the_default(self):
        self.assertTrue(self.runs, "this machine runs no level")
        for level, wanted in [*((level, level) for level in self.runs), (None, self.runs[-1]), ("", self.runs[-1])]:
            code, said, errors = self.start(level)
            self.assertEqual((code, errors), (0, ""))
            self.assertEqual(said, f"tungsten_md|{self.prefix}/libexec/wafermark/{wanted}/tungsten_md|a word \n")

    def test_its_own_name_reaches_the_program_and_links_lead_to_it(self):
        link = self.prefix / "other"
        link.symlink_to(self.launcher)
        code, said, _ = self.start(program=link, words=("-c", "echo $0"))
        self.assertEqual((code, said), (0, f"{link}\n"))

    def test_what_is_not_built_or_not_there_is_one_line(self):
        built = "expected a level that was built: " + ", ".join(LEVELS)
        for level in ("x86-64-v9", "native", "x86-64-v3 ", ",", "../../bin"):
            self.expect_refusal(f"tungsten_md: WAFERMARK_CPU_LEVEL: found '{level}', {built}", level)
        self.expect_refusal("found 'a\\nb\\x1b', " + built, "a\nb\x1b")
        for level in LEVELS:
            if level not in self.runs:
                self.expect_refusal("which this CPU does not run", level)
        missing = self.prefix / "libexec/wafermark" / self.runs[-1] / "tungsten_md"
        missing.unlink()
        self.expect_refusal(f"{missing}: No such file or directory, expected the program for {self.runs[-1]}")
        missing.mkdir()
        self.expect_refusal(f"{missing}: Permission denied")

    def test_ranks_start_the_same_program_and_one_of_them_speaks(self):
        mpirun = (MPIEXEC, NUMPROC_FLAG, "2")
        code, said, errors = self.start(before=mpirun)
        self.assertEqual(code, 0, errors)
        self.assertEqual(said.count(f"libexec/wafermark/{self.runs[-1]}/tungsten_md"), 2, said)
        code, _, errors = self.start("x86-64-v9", before=mpirun)
        self.assertEqual((code, errors.count("found 'x86-64-v9'")), (2, 1), errors)

    def test_a_program_for_one_cpu_is_not_chosen_by_level(self):
        code, _, errors = self.start("x86-64-v3", program=PROGRAM, words=("all", "good"))
        self.assertEqual(code, 2)
        self.assertIn("found 'x86-64-v3', expected none: this program was built for one CPU", errors)


if __name__ == "__main__":
    unittest.main()
