#!/usr/bin/env python3
"""The simulator against real networks: one deck on four network namespaces of this machine (Open MPI over TCP, links slowed
down by tc), and on a simulated cluster of four nodes with the same rate and latency. Prints steps per second of both, and what the
limit adds to a step: ranks that share two cores with others step slower than those of the simulation, whatever the network.

usage: real_network.py [--binary TUNGSTEN_MD] [--megabits 10,100,1000] [--delay-us 0] [--steps 50] [--repeats 3]

Needs root, and build/cluster-sim (jobscripts/cluster_sim.sh makes it). What is measured here and given to the simulation: the
round trip of a byte, and the seconds of a step on one rank, which sets the cost of kernels on a worker. Nothing is fitted to the
runs on four ranks. --delay-us adds latency by netem, where the kernel has it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from network_namespaces import network

SOURCE = Path(__file__).resolve().parents[2]
BASE = SOURCE / "inputs/clusters/simulated/quartz.toml"
RANKS = 4
FREE_MEGABITS = 40000  # of links that nothing slows down
# Costs of a kernel that follow the processor's speed.
COSTS = ("atom_ns", "candidate_ns", "search_ns")
DECK = """title = "a slab for slow networks"
[structure]
lattice = "bcc"
element = "W"
lattice_constant_angstrom = 3.1652
cells = [{cells}, {cells}, 6]
boundary = ["open", "open", "open"]
[potential]
model = "ackland_thetford_1987"
[run]
steps = {steps}
timestep_ps = 0.001
skin_angstrom = 1.0
neighbour_list = "half"
rank_grid = [0, 0, 1]
seed = 7
[temperature]
initial_k = 300.0
[output]
thermo_every_steps = 0
[check]
energy_tolerance_ev_per_atom = 1
"""


def rate_of(folder):
    figures = json.loads((Path(folder) / "result.json").read_text())["figures"]
    return next(f["value"] for f in figures if f["name"] == "steps_per_second")


def stop(text):
    sys.exit(f"real_network: {text}")


def as_toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value)


def machine_file(path, base, slower, megabits, one_way_us):
    """A cluster of one-core nodes on that network; `slower`: factor on the costs of kernels."""
    machine = json.loads(json.dumps(base))

    def put(table, key, value, source):
        machine[table][key] = {"value": value, "range": [value, value], "kind": "measured", "source": source}

    for key in COSTS:
        put("device", key, machine["device"][key]["value"] * slower, "one rank here")
    put("nodes", "workers", 1, "one rank a namespace")
    put("network", "link_us", one_way_us / 2, "half a round trip, two links")
    put("network", "link_gb_per_s", megabits / 8e3, "tc")
    text = "\n".join(f"{k} = {as_toml(v)}" for k, v in machine.items() if not isinstance(v, dict))
    for table, content in machine.items():
        if isinstance(content, dict):
            text += f"\n[{table}]\n" + "\n".join(f"{k} = {as_toml(v)}" for k, v in content.items()) + "\n"
    Path(path).write_text(text)


def simulate(folder, deck, machine, ranks):
    command = [SOURCE / "jobscripts/cluster_sim.sh", deck, "--no-build", "--overwrite", "--machine", machine, "--ranks", str(ranks), "--out", folder]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        stop(f"{command[0]} ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return rate_of(Path(folder) / f"{Path(machine).stem}_ranks_{ranks}")


def measure(net, binary, deck, folder, ranks):
    code, said = net.mpirun(ranks, binary, "run", deck, "--overwrite", "--out", folder)
    if code:
        stop(f"{ranks} ranks: exit code {code}: {said.strip()[-300:]}")
    return rate_of(folder)


def in_turn(net, binary, deck, folder, megabits, delay_us, repeats):
    """[(rate without a limit, rate with it)]: in turn, since neighbours on this machine come and go."""
    pairs = []
    for _ in range(repeats):
        net.free()
        free = measure(net, binary, deck, folder / "four", RANKS)
        net.shape(megabits, delay_us)
        pairs.append((free, measure(net, binary, deck, folder / "four", RANKS)))
    return pairs


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=SOURCE / "build/release/apps/tungsten_md/tungsten_md", type=Path)
    parser.add_argument("--megabits", default="10,100,1000", help="rates of the links")
    parser.add_argument("--delay-us", default=0.0, type=float, help="latency added to each path, by netem")
    parser.add_argument("--cells", default=40, type=int, help="edge of the slab in unit cells")
    parser.add_argument("--steps", default=50, type=int)
    parser.add_argument("--repeats", default=3, type=int)
    return parser.parse_args()


def main():
    o = arguments()
    if os.geteuid() != 0:
        stop("network namespaces need root (CAP_NET_ADMIN)")
    if not o.binary.exists():
        stop(f"{o.binary}: not found, expected --binary tungsten_md")
    base = tomllib.loads(BASE.read_text())
    base.pop("deck", None)  # the deck below is run as it is, on both sides
    with tempfile.TemporaryDirectory(prefix="wafermark-real-network-") as name, network(RANKS) as net:
        folder = Path(name)
        deck = folder / "deck.toml"
        deck.write_text(DECK.format(cells=o.cells, steps=o.steps))
        if o.delay_us and not net.has_netem():
            stop("--delay-us: found a kernel without netem, expected 0 (rates work without it)")
        alone = statistics.median(measure(net, o.binary, deck, folder / "one", 1) for _ in range(o.repeats))
        machine_file(folder / "here.toml", base, 1.0, FREE_MEGABITS, 10)
        slower = simulate(folder / "sim", deck, folder / "here.toml", 1) / alone
        trip = net.round_trip_us()
        machine_file(folder / "here.toml", base, slower, FREE_MEGABITS, trip / 2)
        free = simulate(folder / "sim", deck, folder / "here.toml", RANKS)
        print(f"one rank: {alone:.4g} steps/s measured; kernels cost {slower:.3g} times what they do on Quartz; round trip {trip:.0f} us;"
              f" four ranks without a limit: {free:.4g} steps/s simulated")
        print("Mbit/s  four ranks measured, steps/s: no limit, limit  simulated  ms a step by the limit: measured, simulated, ratio")
        for megabits in map(int, o.megabits.split(",")):
            pairs = in_turn(net, o.binary, deck, folder, megabits, o.delay_us, o.repeats)
            machine_file(folder / "here.toml", base, slower, megabits, net.round_trip_us() / 2)
            simulated = simulate(folder / "sim", deck, folder / "here.toml", RANKS)
            added = statistics.median(1e3 / limited - 1e3 / unlimited for unlimited, limited in pairs)
            expected = 1e3 / simulated - 1e3 / free
            without, limited = (statistics.median(side) for side in zip(*pairs))
            print(f"{megabits:6}  {without:10.3g} {limited:10.3g}  {simulated:10.3g}  {added:8.3g} {expected:8.3g} {expected / added:6.2f}",
                  flush=True)


if __name__ == "__main__":
    main()
