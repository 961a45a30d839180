"""What the report writes: never in place of an input or of what is no regular file, whole or not at all; and what it says
of runs that did not end."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from made_results import REPORT, SOURCE, result, write
from wafermark_report import documents, output
from wafermark_report.errors import InputError
from wafermark_report.results import read_results

sys.path.insert(0, str(Path(__file__).parent))


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)
        documents.read_here.clear()

    def refused(self, path, word):
        before = os.lstat(path) if os.path.lexists(path) else None
        with self.assertRaisesRegex(InputError, word):
            output.write_text(path, "x")
        after = os.lstat(path) if os.path.lexists(path) else None
        self.assertEqual(before and (before.st_ino, before.st_size), after and (after.st_ino, after.st_size))


class Outputs(WithFolder):
    def test_only_regular_files_are_replaced(self):
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        (self.folder / "circle").symlink_to("circle")
        (self.folder / "to_null").symlink_to("/dev/null")
        (self.folder / "to_folder").symlink_to("folder")
        (self.folder / "to_nowhere").symlink_to("no/such/place")
        for name, word in (
            ("folder", "found a folder"),
            ("pipe", "found a pipe"),
            ("circle", "link in a circle"),
            ("to_null", "found a device"),
            ("to_folder", "found a folder"),
            ("to_nowhere", "found no folder"),
            ("no/folder/x", "found no folder"),
            ("pipe/x", "found no folder"),
        ):
            self.refused(self.folder / name, word)
        self.refused("/dev/null", "found a device")
        self.refused("", "found a folder")

    def test_a_link_stays_and_its_file_is_written(self):
        (self.folder / "page.html").write_text("old")
        (self.folder / "link").symlink_to("page.html")
        output.write_text(self.folder / "link", "new")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual((self.folder / "page.html").read_text(), "new")

    def test_inputs_and_files_of_results_are_kept(self):
        write(self.folder, result())
        run = self.folder / "run00"
        (run / "thermo.csv").write_text("step\n")
        os.link(run / "result.json", self.folder / "hard_link")
        read_results([self.folder])
        for name in ("run00/result.json", "hard_link"):
            self.refused(self.folder / name, "found a file that is read here")
        self.refused(run / "thermo.csv", "found a file of a result")
        output.write_text(run / "report.html", "x")
        output.write_text(run / "report.html", "y")
        self.assertEqual((run / "report.html").read_text(), "y")

    def test_a_failed_write_leaves_the_former_file_and_nothing_else(self):
        path = self.folder / "page.html"
        path.write_text("old")
        path.chmod(0o640)
        with self.assertRaises(InputError), output.replacing(path) as temporary:
            Path(temporary).write_text("half")
            raise OSError(28, "No space left on device")
        self.assertEqual((path.read_text(), os.listdir(self.folder)), ("old", ["page.html"]))
        output.write_text(path, "new \udcff")
        self.assertEqual(path.read_text(), "new \\udcff")
        self.assertEqual((stat.S_IMODE(path.stat().st_mode), os.listdir(self.folder)), (0o640, ["page.html"]))

    def test_the_commands_refuse_before_they_work(self):
        write(self.folder / "r", result())
        names = {"pipe": self.folder / "pipe", "input": self.folder / "r/run00/result.json"}
        os.mkfifo(names["pipe"])
        commands = [[REPORT, self.folder / "r", "-o", path] for path in names.values()]
        commands += [
            [REPORT, "check", self.folder / "r", "--write-reference", "--reference", path] for path in names.values()
        ]
        running = [subprocess.Popen(map(str, c), stderr=subprocess.PIPE, text=True) for c in commands]
        for process, command in zip(running, commands):
            error = process.communicate(timeout=60)[1]
            self.assertEqual((process.returncode, error.count("\n")), (2, 1), (command, error))


class Incomplete(WithFolder):
    def test_runs_that_did_not_end_are_named_and_not_quoted(self):
        cut = result(rate=98765.0, ranks=2, status="incomplete", status_note="SIGTERM at step 40 of 100")
        write(self.folder / "r", result(rate=100.0), cut, result("wafer", rate=25000.0))
        page = self.folder / "page.html"
        done = subprocess.run([REPORT, self.folder / "r", "-o", page], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        html = page.read_text()
        self.assertIn("run01 (incomplete: SIGTERM at step 40 of 100)", html)
        self.assertIn("INCOMPLETE", html)
        self.assertNotRegex(html, "98,?765")
        self.assertIn("the emulated wafer (wse2, 20 x 100 tiles) does 25,000 steps/s", html)

    def test_they_are_neither_compared_nor_made_a_reference(self):
        whole, cut = result(), result(status="incomplete")
        a, b = write(self.folder / "a", whole), write(self.folder / "b", cut)
        reference = self.folder / "reference.toml"
        for words, code in (
            (["compare", a, b], 2),
            (["check", b, "--reference", reference, "--write-reference"], 2),
            (["check", a, "--reference", reference, "--write-reference"], 0),
            (["check", b, "--reference", reference], 1),
        ):
            done = subprocess.run([REPORT, *map(str, words)], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn("incomplete", done.stdout)
        both = subprocess.run(
            [sys.executable, SOURCE / "apps/report/side_by_side.py", a / "run00", b / "run00"],
            capture_output=True,
            text=True,
        )
        self.assertIn("is not valid (incomplete)", both.stdout)
        self.assertNotIn("wafer over native", both.stdout)

    def test_a_result_without_a_status_is_complete(self):
        old = result()
        self.assertNotIn("status", old)
        (read,) = read_results([write(self.folder / "r", old)])
        self.assertTrue(read.complete and read.valid)
        (read,) = read_results([write(self.folder / "s", json.loads(json.dumps(old)) | {"status": "incomplete"})])
        self.assertFalse(read.complete or read.valid)


if __name__ == "__main__":
    unittest.main()
