"""The commit that a result names is that of the source at the time of the build (cmake/WriteCommit.cmake, a target of every build)."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, BUILD = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True,
                          text=True).stdout.strip()


@unittest.skipUnless(shutil.which("git"), "found no git")
class Commit(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.header = self.folder / "build/wafermark_commit.hpp"

    def said(self):
        subprocess.run(["cmake", "-D", f"source={self.folder}", "-D", f"header={self.header}", "-P", SOURCE / "cmake/WriteCommit.cmake"],
                       check=True, capture_output=True)
        return self.header.read_text().split('"')[1]

    def test_each_commit_is_named_and_what_is_not_committed_too(self):
        self.assertEqual(self.said(), "unknown")
        git(self.folder, "init", "-q")
        (self.folder / "file").write_text("one")
        git(self.folder, "add", "file")
        git(self.folder, "commit", "-qm", "first")
        first = self.said()
        self.assertEqual(first, git(self.folder, "rev-parse", "--short=12", "HEAD"))
        written = self.header.stat().st_mtime_ns
        self.assertEqual(self.said(), first)
        self.assertEqual(self.header.stat().st_mtime_ns, written, "nothing is built anew for the same commit")
        (self.folder / "file").write_text("two")
        self.assertEqual(self.said(), first + "-dirty")
        git(self.folder, "commit", "-qam", "second")
        self.assertEqual(self.said(), git(self.folder, "rev-parse", "--short=12", "HEAD"))
        self.assertNotEqual(self.said(), first)

    def test_every_build_asks(self):
        rules = BUILD / "build.ninja"
        if not rules.exists():
            self.skipTest("no build by ninja")
        self.assertIn("WriteCommit.cmake", rules.read_text())


unittest.main()
