"""What is installed works from the PATH of a stranger: test_installed.py CMAKE BUILD."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMAKE, BUILD = sys.argv.pop(1), sys.argv.pop(1)


class Installed(unittest.TestCase):
    def test_the_report_is_found_and_reads_what_ships(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix, page = Path(folder) / "prefix", Path(folder) / "page.html"
            # Spack and other tools copy or link a prefix whole, so a copy that was moved has to do.
            subprocess.run([CMAKE, "--install", BUILD, "--component", "Unspecified", "--prefix", f"{folder}/first"], check=True,
                           stdout=subprocess.DEVNULL)
            Path(folder, "first").rename(prefix)
            shipped = sorted((prefix / "share/wafermark/results/reference").glob("curve_W_*_wafer"))
            Path(folder, "json.py").write_text("raise SystemExit('a file of the caller was taken for a module')")
            done = subprocess.run(["wafermark-report", str(shipped[0]), "-o", str(page)], cwd=folder, text=True, stderr=subprocess.PIPE,
                                  env={**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("<html", page.read_text())


if __name__ == "__main__":
    unittest.main()
