"""The shipped results of the study, made again in part: what the emulated wafer makes of the SC24 Ta slab and of small slabs, and modelled
clusters. A difference means that results/reference and docs/study.md are out of date: jobscripts/study.sh.

  test_reference.py TUNGSTEN_MD
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from made_results import SOURCE

REFERENCE = SOURCE / "results/reference"
TUNGSTEN_MD = sys.argv.pop(1)
SAME = 1e-3  # cycles are counted; the compiler decides which atoms stand at the very cut-off
ON_WAFER = ["--target", "wafer", "--set", "run.steps=10", "--set", "output.thermo_every_steps=10"]


def figures(document):
    return {f["name"]: f for f in document["figures"]}


class Reference(unittest.TestCase):
    def made(self, *command):
        with tempfile.TemporaryDirectory() as name:
            done = subprocess.run([*map(str, command), "--out", f"{name}/run"], cwd=SOURCE, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(Path(name, "run/result.json").read_text())

    def compare(self, name, now, names):
        shipped = json.loads((REFERENCE / name / "result.json").read_text())
        for figure in names:
            old, new = figures(shipped)[figure], figures(now)[figure]
            self.assertAlmostEqual(new["value"] / old["value"], 1.0, delta=SAME, msg=f"{name}: {figure}")
            for a, b in zip(new.get("band", ()), old.get("band", ())):
                self.assertAlmostEqual(a / b, 1.0, delta=10 * SAME, msg=f"{name}: band of {figure}")
        return shipped

    def wafer(self, name, deck, *changes):
        words = [w for c in changes for w in ("--set", c)]
        now = self.made(TUNGSTEN_MD, "run", f"inputs/tungsten/{deck}.toml", *ON_WAFER, *words)
        shipped = self.compare(name, now, ("steps_per_second", "cycles_per_step", "joules_per_step"))
        self.assertEqual(now["deck"]["toml"], shipped["deck"]["toml"], name)
        # Numbers may have come to the machine file; those that were there are as they were.
        numbers = {k: now["wafer"]["numbers"].get(k, {}).get("value") for k in shipped["wafer"]["numbers"]}
        self.assertEqual(numbers, {k: v["value"] for k, v in shipped["wafer"]["numbers"].items()}, name)

    def test_the_slab_of_tantalum(self):
        self.wafer("sc24_Ta_wafer", "sc24_Ta")

    def test_small_slabs_of_the_curves(self):
        for metal, cells in (("W", "16,16,6"), ("Ta", "16,16,6"), ("Ta", "32,33,6")):
            self.wafer(f"curve_{metal}_{cells.replace(',', 'x')}_wafer", f"sc24_{metal}", f"structure.cells=[{cells}]")

    def test_modelled_clusters(self):
        if not (SOURCE / "build/cluster-sim/tools/kernel_clock/cluster_step").exists():
            self.skipTest("build/cluster-sim is not built")
        for metal in ("Ta", "W"):
            name = f"sc24_{metal}_quartz_lammps_modelled_2304"
            now = self.made(sys.executable, "jobscripts/cluster_replay.py", "--modelled", "--profile", "lammps_cpu_2023", "--workload",
                            f"sc24_{metal}_cpu", "--machine", "quartz", "--ranks", 2304)  # fmt: skip
            self.compare(name, now, ("steps_per_second",))


if __name__ == "__main__":
    unittest.main()
