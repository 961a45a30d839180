#!/usr/bin/env python3
"""Fits numbers of a simulated cluster to published Lennard-Jones runs of LAMMPS-KOKKOS, by the modelled step (cluster_step), and
prints the fit and what is left of every published rate. The EAM rates of SC24, which the machines are tested on, enter nothing.

  calibrate.py frontier                  fits, prints the numbers; writes no file
  calibrate.py frontier --check          only compares the machine file as it is
  calibrate.py frontier --data FOLDER    with the two tables, lammps_kokkos_lj_one_gpu.csv and lammps_kokkos_lj_scaling.csv
                                         (arXiv 2508.13523, artifact megmcca/p3hpc_ad_lmp-kk)
"""
import argparse
import csv
import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

try:
    import numpy as np
except ImportError as error:
    print(f"calibrate.py: {error}, expected Python 3.11 with numpy", file=sys.stderr)
    sys.exit(2)

SOURCE = Path(__file__).resolve().parents[2]
INPUTS = SOURCE / "inputs/clusters"
SIGMA_CELL = (4 / 0.8442) ** (1 / 3)  # edge of the fcc cell at density 0.8442
LEAST_ATOMS_OF_A_WORKER, MOST_ATOMS_OF_A_WORKER = 1000, 5e6  # beyond: no data, or memory is short


@dataclass(frozen=True)
class Fit:
    device: str  # in the table of one GPU
    workloads: dict  # atoms: workload
    free: tuple  # numbers that are fitted, within the ranges of the machine file
    tied: dict = field(default_factory=dict)  # number: (number, factor)
    most_workers: int = 1024
    profile: str = "lammps_kokkos_lj"


DEVICE = ("device.launch_us", "device.floor_us", "device.host_copy_us", "device.plain_candidate_ns", "device.search_ns")
EXCHANGE = ("network.send_us", "network.link_gb_per_s")
BOTH_ENDS = {"network.receive_us": ("network.send_us", 1.0)}
FITS = {
    "frontier": Fit("mi250x_gcd", {10061824: "lj_10m", 1000188000: "lj_1g_frontier"}, DEVICE + EXCHANGE, BOTH_ENDS),
    "alps": Fit("h100", {8192000: "lj_8m", 1048576000: "lj_1g"}, DEVICE + EXCHANGE + ("network.eager_us",), BOTH_ENDS, 8192),
    "eos": Fit("", {8192000: "lj_8m", 1048576000: "lj_1g"},
               ("device.plain_candidate_ns", "device.search_ns") + EXCHANGE, BOTH_ENDS),
}


@dataclass(frozen=True)
class Point:
    name: str
    workload: str
    changes: tuple  # of the workload
    workers: int
    step_us: float  # published


def table(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def points_of(machine, fit, data, workers_of_node):
    points = []
    for row in table(data / "lammps_kokkos_lj_one_gpu.csv"):
        if row["device"] == fit.device:
            atoms = int(row["atoms"])
            edge = SIGMA_CELL * (atoms / 4) ** (1 / 3)
            points.append(Point(f"1 GPU, {atoms} atoms", "lj_one", (f"atoms={atoms}", f"box=[{edge},{edge},{edge}]"), 1,
                                atoms / float(row["million_atom_steps_per_second"])))
    for row in table(data / "lammps_kokkos_lj_scaling.csv"):
        atoms, workers = int(row["atoms"]), int(row["nodes"]) * workers_of_node
        if row["machine"] == machine and workers <= fit.most_workers:
            points.append(Point(f"{row['nodes']} nodes, {atoms} atoms", fit.workloads[atoms], (), workers,
                                1e6 / float(row["steps_per_second"])))
    return points


def fitted(point):
    """Whether the load is one that the model is meant for; others are shown only."""
    atoms = float(point.name.split(", ")[1].split()[0]) / point.workers
    return LEAST_ATOMS_OF_A_WORKER <= atoms <= MOST_ATOMS_OF_A_WORKER


class Model:
    def __init__(self, program, machine, fit):
        self.program, self.machine, self.fit = program, machine, fit

    def step_us(self, point, values):
        command = [self.program, "--machine", self.machine, "--profile", INPUTS / f"profiles/{self.fit.profile}.toml", "--workload",
                   INPUTS / f"workloads/{point.workload}.toml", "--ranks", str(point.workers)]
        settings = dict(values)
        settings |= {key: factor * values[other] for key, (other, factor) in self.fit.tied.items() if other in values}
        for key, value in settings.items():
            command += ["--set", f"{key}.value={value:.12g}"]
        for change in point.changes:
            command += ["--workload-set", change]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr.strip())
        return json.loads(done.stdout)["step_us"]

    def residuals(self, points, values):
        """Logarithms of modelled over published time."""
        with ThreadPoolExecutor(2) as pool:
            return np.array([math.log(t / p.step_us) for t, p in zip(pool.map(lambda p: self.step_us(p, values), points), points)])


def numbers_of(machine_file):
    """key: (value, low, high)"""
    import tomllib
    tables = tomllib.loads(Path(machine_file).read_text())
    return {f"{t}.{k}": (q["value"], *q["range"]) for t, keys in tables.items() if isinstance(keys, dict)
            for k, q in keys.items() if isinstance(q, dict)}


def fit_numbers(model, points, keys, ranges, rounds=6):
    """Least squares in logarithms, by Gauss and Newton; a number that the data do not fix stays near where it was."""
    x = np.log([ranges[k][0] for k in keys])
    start = x.copy()
    low, high = np.log([ranges[k][1] for k in keys]), np.log([ranges[k][2] for k in keys])
    values = lambda at: dict(zip(keys, np.exp(at)))
    r = model.residuals(points, values(x))
    for _ in range(rounds):
        slope = np.array([(model.residuals(points, values(x + 0.05 * e)) - r) / 0.05 for e in np.eye(len(x))]).T
        prior = 0.1 * np.eye(len(x))
        step = np.linalg.lstsq(np.vstack([slope, prior]), -np.concatenate([r, prior @ (x - start)]), rcond=None)[0]
        for shorter in (1.0, 0.5, 0.25):
            new = np.clip(x + shorter * step, low, high)
            r_new = model.residuals(points, values(new))
            if r_new @ r_new < r @ r:
                x, r = new, r_new
                break
        else:
            break
    return values(x)


def show(model, points, values):
    worst = 0.0
    print(f"{'':38} {'published':>10} {'modelled':>10}   off   (us a step)")
    for point in points:
        t = model.step_us(point, values)
        off = t / point.step_us - 1
        used = fitted(point)
        if used and point.workers > 1:
            worst = max(worst, abs(point.step_us / t - 1))
        print(f"{point.name:38} {point.step_us:10.1f} {t:10.1f} {100 * off:+6.1f} %{'' if used else '  (not fitted)'}")
    print(f"largest error of a rate on many workers: {100 * worst:.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("machine", choices=sorted(FITS))
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--data", type=Path, default=SOURCE.parent / "shared/data/clusters")
    parser.add_argument("--program", type=Path, default=SOURCE / "build/release/tools/kernel_clock/cluster_step")
    options = parser.parse_args()
    fit = FITS[options.machine]
    machine_file = INPUTS / f"simulated/{options.machine}.toml"
    ranges = numbers_of(machine_file)
    model = Model(options.program, machine_file, fit)
    points = points_of(options.machine, fit, options.data, int(ranges["nodes.workers"][0]))
    values = {}
    if not options.check:
        values = fit_numbers(model, [p for p in points if fitted(p)], fit.free, ranges)
        for key, value in values.items():
            print(f"{key:28} {value:10.4g}   from {ranges[key][1]:g} to {ranges[key][2]:g}")
    show(model, points, values)
    return 0


sys.exit(main())
