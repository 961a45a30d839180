#!/usr/bin/env python3
"""tungsten_md on a simulated cluster: the physics of a native run, a clock that does not depend on this computer, and mistakes
that end in one line.

usage: test_cluster_sim.py SOURCE TUNGSTEN_MD MPIEXEC
Skipped (exit code 77) without SimGrid or without build/cluster-sim (jobscripts/test.sh makes it).
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DECK = """title = "a slab of 16 x 16 cells"
[structure]
lattice = "bcc"
element = "W"
lattice_constant_angstrom = 3.1652
cells = [{cells}, {cells}, 4]
boundary = ["open", "open", "open"]
[potential]
model = "ackland_thetford_1987"
[run]
steps = {steps}
timestep_ps = 0.002
seed = 7
[temperature]
initial_k = 300.0
draw_k = 600.0
[output]
thermo_every_steps = 5
"""

SOURCE, BINARY, MPIEXEC = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
SCRIPT = SOURCE / "jobscripts/cluster_sim.sh"
failures = []


def expect(condition, text):
    print("ok  " if condition else "FAIL", text, flush=True)
    if not condition:
        failures.append(text)


def simulate(folder, deck, *options):
    return subprocess.run([SCRIPT, deck, "--no-build", "--out", folder, *options], capture_output=True, text=True, timeout=300)


def result(folder):
    return json.loads((folder / "result.json").read_text())


def figure(document, name):
    return next(f for f in document["figures"] if f["name"] == name)


def same_physics_as_native(folder):
    deck = folder / "deck.toml"
    deck.write_text(DECK.format(cells=16, steps=20))
    native = folder / "native"
    subprocess.run([MPIEXEC, "-np", "2", BINARY, "run", deck, "--out", native, "--set", "run.neighbour_list=full", "--set",
                    "run.skin_angstrom=1.0"], check=True, capture_output=True, timeout=300)
    run = simulate(folder / "a", deck, "--machine", "frontier", "--ranks", "36")
    expect(run.returncode == 0, f"36 simulated ranks end well: {run.stderr.strip()[-400:]}")
    a, n = result(folder / "a/frontier_ranks_36"), result(native)
    for name in ("energy_per_atom_start_ev", "energy_per_atom_end_ev"):
        x, y = figure(a, name)["value"], figure(n, name)["value"]
        expect(abs(x - y) < 1e-9 * abs(y), f"{name}: {x} simulated, {y} native")
    expect([c["name"] for c in a["checks"]] == [c["name"] for c in n["checks"]] and a["valid"], "the same checks, passed")
    expect(figure(a, "steps_per_second")["kind"] == "simulated", "rates are marked as simulated")
    expect(figure(n, "steps_per_second")["kind"] == "measured" and "simulation" not in n, "a native run simulates nothing")
    expect(a["simulation"]["machine"] == "frontier" and len(a["simulation"]["machine_sha256"]) == 64
           and "SimGrid" in a["simulation"]["simulator"] and "dragonfly" in a["simulation"]["platform"], "the result names the machine")
    low, high = figure(a, "steps_per_second")["band"]
    expect(low < figure(a, "steps_per_second")["value"] < high and len(a["simulation"]["sensitivity"]) > 5,
           f"rates have a band, and what they hang on: {low} to {high}")
    watts = a["energy"]["joules"] / figure(a, "loop_seconds")["value"]
    expect(36 * 45 + 5 * 680 < watts < 36 * 230 + 5 * 680, f"joules of 36 GCDs on 5 nodes: {watts} W")
    expect(figure(a, "joules_per_atom_step")["value"] > 0, "joules of an atom-step")
    again = simulate(folder / "b", deck, "--machine", "frontier", "--ranks", "36")
    b = result(folder / "b/frontier_ranks_36")
    expect(again.returncode == 0 and figure(a, "loop_seconds") == figure(b, "loop_seconds") and a["regions"] == b["regions"],
           f"the same simulated seconds twice: {figure(a, 'loop_seconds')['value']}")
    return deck, figure(a, "loop_seconds")["value"]


def machine_numbers_count(folder, deck, seconds):
    run = simulate(folder / "slow", deck, "--machine", "frontier", "--ranks", "36", "--machine-set", "device.launch_us.value=60")
    slow = figure(result(folder / "slow/frontier_ranks_36"), "loop_seconds")["value"]
    expect(run.returncode == 0 and slow > 1.5 * seconds, f"slower launches, more seconds: {slow} against {seconds}")


def text_trajectories_are_real_files(folder, deck):
    run = simulate(folder / "f", deck, "--machine", "frontier", "--ranks", "3", "--set", "output.trajectory_every_steps=10", "--set",
                   'output.trajectory_formats=["dump","xyz"]', "--set", "output.final_state=true")
    to = folder / "f/frontier_ranks_3"
    expect(run.returncode == 0, f"text trajectories: {run.stderr.strip()[-400:]}")
    expect((to / "trajectory.dump").read_text().count("ITEM: TIMESTEP") == 3, "a dump of three frames")
    expect(len((to / "final.data").read_text().splitlines()) > 2048, "all atoms at the end")


def sixty_four_ranks(folder):
    deck = folder / "large.toml"
    deck.write_text(DECK.format(cells=32, steps=10))
    run = simulate(folder / "c", deck, "--machine", "quartz", "--ranks", "64", "--set", "check.energy_tolerance_ev_per_atom=1")
    expect(run.returncode == 0, f"64 simulated ranks on Quartz: {run.stderr.strip()[-400:]}")
    expect(result(folder / "c/quartz_ranks_64")["machine"]["ranks"] == 64, "64 ranks")


def several_sizes(folder, deck):
    run = simulate(folder / "e", deck, "--machine", "frontier", "--nodes", "1,2", "--set", "run.steps=5")
    ranks = [result(folder / f"e/frontier_nodes_{n}")["machine"]["ranks"] for n in (1, 2)] if run.returncode == 0 else run.stderr
    expect(ranks == [8, 16], f"nodes are filled with ranks: {ranks}")


def replay(*words):
    return subprocess.run([SOURCE / "jobscripts/cluster_replay.py", *map(str, words)], capture_output=True, text=True, timeout=300)


def rate_of(run, folder):
    expect(run.returncode == 0, f"replay: {run.stderr.strip()[-400:]}")
    return figure(result(folder), "steps_per_second")["value"]


def replays(folder):
    """A record on its own grid takes what the run took; on a larger one what a run there takes."""
    deck = folder / "replayed.toml"
    rates, atoms = {}, 8  # cells along x and y of a subdomain
    for side in (3, 6):
        deck.write_text(DECK.format(cells=atoms * side, steps=10).replace("thermo_every_steps = 5", "thermo_every_steps = 0"))
        to = folder / f"g{side}"
        run = simulate(to, deck, "--machine", "frontier", "--ranks", str(side**2), "--record", "--set",
                       "check.energy_tolerance_ev_per_atom=1")
        expect(run.returncode == 0, f"a recorded run: {run.stderr.strip()[-400:]}")
        rates[side] = figure(result(to / f"frontier_ranks_{side**2}"), "steps_per_second")["value"]
    work = folder / "g3/frontier_ranks_9/work"
    own = rate_of(replay("--work", work, "--machine", "frontier", "--out", folder / "r3"), folder / "r3")
    expect(abs(own / rates[3] - 1) < 0.003, f"9 ranks: {rates[3]} run, {own} replayed")
    large = rate_of(replay("--work", work, "--machine", "frontier", "--grid", "6,6,1", "--out", folder / "r6"), folder / "r6")
    expect(abs(large / rates[6] - 1) < 0.02, f"36 ranks: {rates[6]} run, {large} replayed from 9")
    again = rate_of(replay("--work", work, "--machine", "frontier", "--grid", "6,6,1", "--out", folder / "r6b"), folder / "r6b")
    expect(again == large, "the same seconds twice")
    document = result(folder / "r6")
    modelled = figure(document, "steps_per_second_modelled")["value"]
    expect(abs(modelled / large - 1) < 0.05, f"36 ranks: {large} replayed, {modelled} modelled")
    low, high = figure(document, "steps_per_second")["band"]
    expect(low < large < high and document["simulation"]["sensitivity"], f"a band around it: {low} to {high}")
    profile = replay("--profile", "lammps_kokkos_2023", "--workload", "sc24_W_gpu", "--machine", "frontier", "--ranks", 64, "--out",
                     folder / "l")
    expect(rate_of(profile, folder / "l") > 100 and result(folder / "l")["simulation"]["profile"] == "lammps_kokkos_2023",
           "LAMMPS on 64 ranks by its profile")
    expect(figure(result(folder / "l"), "atoms")["value"] == 801792, "its atoms")
    cut = folder / "cut"
    cut.write_text(work.read_text()[:5000])
    odd = folder / "odd"
    odd.write_text(work.read_text().replace("\nkernel 0", "\nkern 0", 1))
    for words, said in ((["--work", work, "--grid", "2,6,1"], "3 or more"), (["--work", work, "--grid", "6,6,2"], "--grid"),
                        (["--work", work, "--grid", "6,6"], "three numbers"), (["--work", cut], "cut:"), (["--work", odd], "'kern'"),
                        (["--work", folder / "none"], "no such file"), ([], "expected --work"),
                        (["--work", work, "--ranks", 3], "one or the other"),
                        (["--profile", "lammps", "--workload", "sc24_W_gpu", "--ranks", 3], "lammps_kokkos_2023"),
                        (["--work", work, "--out", folder / "r6"], "a result there")):
        run = replay(*words, "--machine", "frontier", *([] if "--out" in words else ["--out", folder / "none"]))
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        expect(run.returncode == 2 and len(lines) == 1 and said in lines[0], f"{said}: {run.returncode}, {lines}")
    expect(not (folder / "none/result.json").exists(), "nothing is left behind by mistakes")


def sweeps(folder, deck):
    words = [deck, "--ranks", "2,4", "--site", "simulated", "--machine", "frontier", "--set", "run.steps=5", "--out", folder / "sweep"]
    def sweep(*more):
        return subprocess.run([SOURCE / "jobscripts/sweep.py", *map(str, [*words, *more])], capture_output=True, text=True, timeout=300)
    first = sweep()
    expect(first.returncode == 0 and first.stdout.count("(simulated)") == 2, f"a sweep of two sizes: {first.stdout} {first.stderr}")
    again = sweep("--prepare")
    expect(again.returncode == 0 and again.stdout == "", f"nothing is left to do: {again.stdout} {again.stderr}")
    other = sweep("--prepare", "--set", "run.seed=8")
    expect(other.stdout.count("no result") == 2, f"a changed deck has no results: {other.stdout}")
    for more, said in ((["--repeats", "2"], "do not vary"), (["--target", "wafer"], "--target")):
        run = sweep(*more)
        expect(run.returncode == 2 and said in run.stderr and len(run.stderr.splitlines()) == 1, f"{more}: {run.stderr}")


def mistakes_end_in_one_line(folder, deck):
    bad = folder / "bad.toml"
    bad.write_text((SOURCE / "inputs/clusters/simulated/frontier.toml").read_text().replace("launch_us = { value = ", "launch_us = { value = -"))
    for words, said in (
            (["--machine", str(bad), "--ranks", "4"], "launch_us"),
            (["--machine", "nowhere", "--ranks", "4"], "frontier generic_cpu"),
            (["--machine", "frontier", "--nodes", "99999"], "1 to 9856"),
            (["--machine", "frontier", "--nodes", "0"], "whole numbers"),
            (["--machine", "frontier", "--nodes", "1,,2"], "whole numbers"),
            (["--machine", "frontier", "--ranks", "2", "--machine-set", "device.lunch_us.value=3"], "launch_us"),
            (["--machine", "frontier", "--ranks", "2", "--set", "output.checkpoint_every_steps=5"], "HDF5"),
            (["--machine", "frontier", "--ranks", "2", "--set", "output.trajectory_every_steps=5"], "HDF5"),
            (["--machine", "frontier", "--ranks", "2", "--set", "run.steps=-1"], "run.steps")):
        run = simulate(folder / "d", deck, *words)
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        expect(run.returncode == 2 and len(lines) == 1 and said in lines[0], f"{' '.join(words[2:])}: {run.returncode}, {lines}")
        expect(not list((folder / "d").rglob("result.json")), "nothing is left behind")


def main():
    if shutil.which("smpirun") is None:
        print("SKIPPED: no smpirun (Debian: libsimgrid-dev)")
        return 77
    if not (SOURCE / "build/cluster-sim/apps/tungsten_md/tungsten_md").exists():
        print("SKIPPED: build/cluster-sim is not built (cmake --preset cluster-sim && cmake --build --preset cluster-sim)")
        return 77
    with tempfile.TemporaryDirectory(prefix="wafermark-cluster-sim-") as name:
        folder = Path(name)
        deck, seconds = same_physics_as_native(folder)
        machine_numbers_count(folder, deck, seconds)
        several_sizes(folder, deck)
        text_trajectories_are_real_files(folder, deck)
        sixty_four_ranks(folder)
        replays(folder)
        sweeps(folder, deck)
        mistakes_end_in_one_line(folder, deck)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
