"""Every program of the source answers --help, and a script one line to a word that it does not know; a Python program says in one line which
module its Python lacks: nobody is shown a traceback, and nothing begins by mistake."""
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(sys.argv.pop(1))
FOLDERS = ["apps", "inputs", "jobscripts", "tests/bench", "tools"]


def programs():
    return [path for folder in FOLDERS for path in sorted((SOURCE / folder).rglob("*.py")) if path.read_text().startswith("#!")]


def scripts():
    """Scripts that are run by hand; jobs go to a scheduler. Those that hand their words on to ctest know none to refuse."""
    return [path for folder in ("jobscripts", "tests/fuzz") for path in sorted((SOURCE / folder).glob("*.sh")) if os.access(path, os.X_OK)]


class Scripts(unittest.TestCase):
    def answer(self, program, *options):
        done = subprocess.run([sys.executable, *options, program, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        lines = done.stderr.splitlines()
        lacks = done.returncode == 2 and len(lines) == 1 and "No module named" in lines[0] and lines[0].startswith(f"{program.name}: ")
        return done.returncode == 0 or lacks, done.stderr

    def test_with_this_python_and_with_one_that_has_no_packages(self):
        self.assertGreater(len(programs()), 10)
        with ThreadPoolExecutor() as several:  # -S: none of the packages that are installed
            for options in ([], ["-S"]):
                for program, (good, said) in zip(programs(), several.map(lambda p: self.answer(p, *options), programs())):
                    self.assertTrue(os.access(program, os.X_OK), f"{program} is not executable")
                    self.assertTrue(good, f"{program} {' '.join(options)}: {said}")

    def test_of_the_shell(self):
        self.assertGreater(len(scripts()), 10)
        for script in scripts():
            done = subprocess.run([script, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), script)
            self.assertIn(script.stem, done.stdout + script.read_text().split("\n")[1], script)
            if "ctest" not in done.stdout:
                done = subprocess.run([script, "--nonsense"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), script)
                self.assertIn("--nonsense", done.stderr, script)


unittest.main()
