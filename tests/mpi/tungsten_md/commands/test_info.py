#!/usr/bin/env python3
"""`tungsten_md info` says what a deck will do: baths, recoils, time step, end, output, and how long that takes at given rates.

usage: test_info.py TUNGSTEN_MD
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BINARY = sys.argv.pop(1)
DECK = """[structure]
lattice = "fcc"
element = "Ar"
lattice_constant_angstrom = 5.3
cells = [4, 4, 4]
[potential]
model = "lj/cut"
epsilon_ev = 0.01
sigma_angstrom = 3.4
[run]
steps = 100000
duration_ps = 30.0
timestep_ps = 0.002
[temperature]
initial_k = 30.0
draw_k = 60.0
"""
BATHS = """[thermostat]
kind = "nose_hoover"
temperature_k = 30.0
stop_ps = 5.0
[barostat]
kind = "stochastic"
pressure_gpa = 0.5
start_ps = 1.0
"""
CASCADE = """[thermostat]
kind = "langevin"
region = "border"
border_width_angstrom = 3.0
[adaptive_timestep]
max_displacement_angstrom = 0.01
max_ps = 0.003
[stopping]
kind = "sqrt"
coefficient_sqrt_ev_per_angstrom = 0.2
""" + "".join(f'[[pka]]\nenergy_ev = {e}\ntime_ps = {t}\n' for e, t in ((100, 1), (200, 2), (300, 3), (400, 4), (500, 5))) + """[output]
defects_every_steps = 50
"""


class Info(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def info(self, deck, *words):
        (self.folder / "deck.toml").write_text(deck)
        done = subprocess.run([BINARY, "info", self.folder / "deck.toml", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def rate(self, atoms=256):
        figures = [{"name": "atoms", "value": atoms}, {"name": "steps_per_second", "value": 10.0, "kind": "measured", "band": [5.0, 20.0]}]
        file = self.folder / "result.json"
        file.write_text(json.dumps({"target": "cluster", "machine": {"cpu": "a CPU"}, "valid": True, "figures": figures}))
        return file

    def test_a_plain_run(self):
        said = self.info(DECK)
        self.assertRegex(said, r"\nstart +velocities drawn at 60 K\ntime step +0.002 ps\nends +at 30 ps, or after 100000 steps\n"
                               r"output +thermo every 100 steps\n")
        self.assertNotIn("expected time", said)  # nothing is known of this machine's rate

    def test_baths_with_their_times(self):
        said = self.info(DECK + BATHS)
        self.assertRegex(said, r"thermostat +Nose-Hoover, chain of 3, 30 K, damping 0.1 ps, all atoms, to 5 ps")
        self.assertRegex(said, r"barostat +stochastic cell rescaling, 0.5 0.5 0.5 GPa, isotropic, every 10 steps, from 1 ps")

    def test_recoils_and_the_adaptive_step(self):
        said = self.info(DECK + CASCADE)
        self.assertRegex(said, r"thermostat +Langevin.*atoms within 3 Angstrom of the border\n")
        self.assertRegex(said, r"recoils +100 eV at 1 ps, the centre, along a random direction\n +200 eV at 2 ps.*\n +300 eV.*\n +and 2 more\n")
        self.assertRegex(said, r"time step +adaptive, .* to 0.003 ps, no atom farther than 0.01 Angstrom")
        self.assertIn("defects every 50 steps", said)

    def test_expected_time_at_a_rate(self):
        said = self.info(DECK, "--rates", self.rate())
        self.assertRegex(said, r"expected time +15000 steps\n +a CPU \(measured\): 25 \(12.5 ... 50\) minutes\n")
        self.assertRegex(self.info(DECK + CASCADE, "--rates", self.rate()), r"expected time +at least 10000 steps\n +a CPU .*16.7")
        few = (DECK + CASCADE).replace("steps = 100000", "steps = 400")
        self.assertRegex(self.info(few, "--rates", self.rate()), r"expected time +400 steps\n")  # the steps end it, whatever their length

    def test_rates_of_simulated_clusters(self):
        """A run of the program and a replay describe the simulation differently; both say their ranks as every result does."""
        for more in ({}, {"ranks": 64, "profile": "lammps"}):
            file = self.rate()
            document = json.loads(file.read_text()) | {"target": "simulated", "simulation": {"machine": "alps"} | more}
            document["machine"]["ranks"] = 64
            file.write_text(json.dumps(document))
            self.assertRegex(self.info(DECK, "--rates", file), r"\n +alps, 64 ranks(, lammps)? \(measured\): 25 ")

    def test_expected_time_of_a_dose(self):
        """The dose ends the run, not run.steps; where only the run can say how long it takes, nothing is expected."""
        recoils = DECK.replace("duration_ps = 30.0\n", "") + CASCADE.partition("[[pka]]")[0] + """[dose]
method = "recoils"
recoil_energy_ev = 1000.0
threshold_ev = 50.0
first_ps = 1.0
least_hot_ps = 0.5
rest_ps = 1.0
"""
        rate = self.rate()
        # 256 atoms x 0.04 dpa / (0.8 x at most 1 keV / 2 x 50 eV): two recoils, 1 + 2 x 1.5 ps in steps of at most 3 fs.
        said = self.info(recoils + "stop_dpa = 0.04\n", "--rates", rate)
        self.assertRegex(said, r"\ndose +2 recoils to 0.04 dpa.* ns\n")
        self.assertRegex(said, r"\nexpected time +at least 1334 steps\n")
        self.assertRegex(self.info(recoils + "stop_dpa = 0.04\n", "--rates", rate, "--set", "run.steps=500"), r"\nexpected time +500 steps\n")
        self.assertIn("less where saturation ends it", self.info(recoils + "stop_dpa = 0.04\nsaturation_events = 10\n", "--rates", rate))
        self.assertNotIn("expected time", self.info(recoils + "saturation_events = 10\n", "--rates", rate))
        insertion = DECK.replace("duration_ps = 30.0\n", "").partition("[temperature]")[0] + "[relax]\nmax_steps = 100\n[dose]\nmethod = \"insertion\"\nstop_dpa = 0.1\n"
        self.assertNotIn("expected time", self.info(insertion, "--rates", rate))


unittest.main()
