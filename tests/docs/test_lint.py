#!/usr/bin/python3
"""jobscripts/lint.sh finds what is wrong in a checkout, formats with --fix, and says nothing of a clean one."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1))


class Lint(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for name in ("jobscripts", "apps/report", ".ci"):
            (self.folder / name).mkdir(parents=True)
        shutil.copy(SOURCE / "jobscripts/lint.sh", self.folder / "jobscripts")
        shutil.copy(SOURCE / ".clang-format", self.folder)
        subprocess.run(["git", "init", "--quiet"], cwd=self.folder, check=True)
        (self.folder / "good.cpp").write_text("int x;\n")
        (self.folder / "good.py").write_text("x = 1\n")

    def lint(self, *words):
        done = subprocess.run(["bash", "jobscripts/lint.sh", *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 77 or "is not looked at" in done.stdout:
            self.skipTest("no clang-format 14 or no pyflakes")
        return done.returncode, done.stdout + done.stderr

    def test_a_clean_checkout(self):
        self.assertEqual(self.lint(), (0, "lint: nothing found\n"))

    def test_each_kind_of_fault_fails_alone(self):
        for name, text, word in (("bad.cpp", "int  x ;\n", "bad.cpp:1:"), ("bad.py", "import os\n", "imported but unused"),
                                 ("bad.sh", "if then\n", "syntax error")):
            (self.folder / name).write_text(text)
            code, said = self.lint()
            self.assertEqual(code, 1, name)
            self.assertIn(word, said)
            (self.folder / name).unlink()

    def test_fix_formats(self):
        (self.folder / "bad.cpp").write_text("int  x ;\n")
        self.assertEqual(self.lint("--fix")[0], 0)
        self.assertEqual((self.folder / "bad.cpp").read_text(), "int x;\n")

    def test_unknown_words(self):
        self.assertEqual(self.lint("--all")[0], 2)


if __name__ == "__main__":
    unittest.main()
