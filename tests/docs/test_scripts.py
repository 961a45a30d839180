"""Every Python program of the source answers --help, or says in one line which module its Python lacks: nobody is shown a traceback."""
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


unittest.main()
