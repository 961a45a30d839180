#!/usr/bin/env python3
"""Carries out a record of work on a simulated cluster by SimGrid: the messages of all ranks, kernels timed by a machine file, no
arithmetic. The work is what a simulated run has recorded (cluster_sim.sh --record), on its own grid of ranks or a larger one; or
how another program goes about a workload (a profile: LAMMPS), for any number of ranks.

  cluster_replay.py --work FILE --machine frontier --out DIR                          on the grid that was recorded
  cluster_replay.py --work FILE --machine frontier --grid 32,32,1 --out DIR
  cluster_replay.py --profile lammps_kokkos_2023 --workload sc24_W_gpu --machine frontier --ranks 256 --out DIR
  cluster_replay.py ... --modelled                   without SimGrid: the modelled step alone, for ranks beyond its reach

DIR/result.json has steps per second, of kind simulated (or modelled), with the band that follows from the ranges of the machine's
numbers, and joules a step (docs/cluster_sim.md). One number of ranks a run.
"""
import argparse
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
INPUTS = SOURCE / "inputs/clusters"
BUILD = SOURCE / "build/cluster-sim"
TOOLS = BUILD / "tools/kernel_clock"
MOST_RANKS = 10**6
START = time.monotonic()


class InputError(Exception):
    pass


def named(folder, name, option):
    """A file, or the one of that name in a folder of inputs."""
    if name is None or os.path.isfile(name):
        return name and str(Path(name).resolve())
    path = INPUTS / folder / f"{name}.toml"
    if not path.is_file():
        known = " ".join(sorted(p.stem for p in (INPUTS / folder).glob("*.toml")))
        raise InputError(f"{option} {name}: found no such file or name, expected a file or one of: {known}")
    return str(path)


def called(command, **more):
    """stdout of a program that ends well; the InputError that it says, else."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode == 2:
        raise InputError(done.stderr.strip().partition(": ")[2])
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


def modelled(options, problem, band):
    """The line of cluster_step."""
    command = [TOOLS / "cluster_step", "--machine", options.machine, *problem]
    for change in options.machine_set:
        command += ["--set", change]
    return json.loads(called(command + (["--band"] if band else [])))


def replayed(options, record, grid, folder):
    """Simulated seconds of a record on a grid."""
    ranks = grid[0] * grid[1] * grid[2]
    called([TOOLS / "cluster_platform", options.machine, ranks, folder, *options.machine_set])
    out = folder / "seconds.json"
    settings = (folder / "options").read_text().split()
    # A rank needs little: no arithmetic, no files. One copy of the program serves all.
    settings += ["--cfg=smpi/privatization:no", "--cfg=contexts/stack-size:128", "--log=root.thresh:critical"]
    words = [record, options.machine, *map(str, grid), str(out), *options.machine_set]
    called(["smpirun", "-quiet", "-np", ranks, "-platform", folder / "platform.xml", "-hostfile", folder / "hosts", *settings,
            TOOLS / "cluster_replay", *words], cwd=folder)
    return json.loads(out.read_text())["seconds"]


def simulated_step(options, problem, model, folder):
    """Simulated seconds of a step."""
    if options.work:
        return replayed(options, options.work, model["grid"], folder) / model["steps"]
    called([TOOLS / "cluster_step", "--machine", options.machine, *problem, "--write", folder])
    few, more, with_list = (replayed(options, str(folder / f"{name}.work"), model["grid"], folder)
                            for name in ("few", "more", "with_list"))
    steps, steps_of_a_list = map(float, (folder / "steps").read_text().split())
    return (more - few) / steps + (with_list - more) / steps_of_a_list


def relative(path):
    """To the source, where it is inside."""
    return str(Path(path).relative_to(SOURCE)) if Path(path).is_relative_to(SOURCE) else str(path)


def what_is_simulated(options):
    """(atoms, section): of the workload, or of the run whose record it is, as far as its result lies beside it."""
    source = Path(options.work or options.workload)
    section = {"workload": relative(source), "workload_sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    if options.workload:
        load = tomllib.loads(source.read_text())
        section |= {key: load[key] for key in ("potential", "deck") if key in load} | {"profile": Path(options.profile).stem}
        return load["atoms"], section
    try:
        result = json.loads((source.parent / "result.json").read_text())
        atoms = next(f["value"] for f in result["figures"] if f["name"] == "atoms")
        deck = tomllib.loads(result["deck"]["toml"])
        potential, cells = deck.get("potential", {}), deck.get("structure", {}).get("cells")
        name = Path(potential["file"]).name.split(".")[0] if "file" in potential else potential.get("model", "")
        section |= {"potential": name, "deck": relative(result["deck"]["file"])}
    except (OSError, ValueError, KeyError, StopIteration):
        return None, section
    grew = options.grid is not None
    if cells and not grew:
        section["cells"] = cells
    return (None if grew else atoms), section


def record_of(options, model, step, platform):
    kind = "modelled" if options.modelled else "simulated"
    rate, modelled_rate = 1 / step, model["steps_per_second"]
    # How far a number moves the step is worked out by the model.
    band = [rate / modelled_rate * bound for bound in model["band"]]
    joules = model["joules_per_step"] * modelled_rate / rate
    atoms, section = what_is_simulated(options)
    figures = [{"name": "atoms", "value": atoms, "unit": "", "kind": kind},
               {"name": "steps_per_second", "value": rate, "unit": "1/s", "kind": kind, "band": band},
               {"name": "joules_per_step", "value": joules, "unit": "J", "kind": kind}]
    if not options.modelled:
        figures.append({"name": "steps_per_second_modelled", "value": modelled_rate, "unit": "1/s", "kind": "modelled"})
    version = "none" if options.modelled else called(["smpirun", "--version"]).split("\n")[0].strip()
    return {"schema": "wafermark-result-1", "app": "cluster_replay", "command": "replay", "target": "simulated", "wall_seconds": time.monotonic() - START,
            "started": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "build": {key: "" for key in ("version", "commit", "compiler", "flags", "kokkos", "backend", "mpi")} | {"mpi": version},
            "machine": {"hosts": [os.uname().nodename], "cpu": "", "ranks": model["ranks"], "threads_per_rank": 1},
            "simulation": {"machine": model["machine"], "machine_file": relative(options.machine),
                           "machine_sha256": hashlib.sha256(Path(options.machine).read_bytes()).hexdigest(),
                           "machine_changes": options.machine_set, "platform": platform, "simulator": version,
                           "ranks": model["ranks"], "nodes": model["nodes"], "grid": model["grid"], "sensitivity": model["sensitivity"], **section},
            "figures": figures, "checks": [], "regions": [], "energy": {"joules": joules, "source": "model", "note": "of a step"},
            "status": "complete", "status_note": "", "valid": True}


def run(options):
    options.machine = named("simulated", options.machine, "--machine")
    options.profile = named("profiles", options.profile, "--profile")
    options.workload = named("workloads", options.workload, "--workload")
    out = Path(options.out)
    if (out / "result.json").exists() and not options.overwrite:
        raise InputError(f"--out {out}: found a result there, expected another folder or --overwrite")
    if options.work:
        if not os.path.isfile(options.work):
            raise InputError(f"--work {options.work}: found no such file, expected a record")
        options.work = str(Path(options.work).resolve())
        problem = ["--work", options.work] + (["--grid", options.grid] if options.grid else [])
    else:
        problem = ["--profile", options.profile, "--workload", options.workload, "--ranks", options.ranks]
    model = modelled(options, problem, band=True)
    if options.work:
        model["steps"] = int(Path(options.work).open(encoding="utf-8").read(200).split("steps ")[1].split()[0])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wafermark-cluster-replay-") as name:
        folder = Path(name)
        called([TOOLS / "cluster_platform", options.machine, model["ranks"], folder, *options.machine_set])
        platform = (folder / "platform.txt").read_text().strip()
        step = 1 / model["steps_per_second"] if options.modelled else simulated_step(options, problem, model, folder)
    result = record_of(options, model, step, platform)
    new = out / "result.json.new"
    new.write_text(json.dumps(result, indent=2) + "\n")
    new.replace(out / "result.json")
    for figure in result["figures"]:
        if figure["value"] is None:
            continue
        band = f", 5 to 95 %: {figure['band'][0]:.6g} to {figure['band'][1]:.6g}" if "band" in figure else ""
        print(f"  {figure['name']:<34} {figure['value']:>14.6g} {figure['unit']:<6} {figure['kind']}{band}")
    print(f"result: {out / 'result.json'}")


def parsed(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--machine", required=True, help="a name or file of inputs/clusters/simulated")
    parser.add_argument("--machine-set", action="append", default=[], metavar="KEY=VALUE", help="change of the machine file")
    parser.add_argument("--work", help="record of a simulated run")
    parser.add_argument("--grid", help="of ranks, X,Y,Z, where not as recorded")
    parser.add_argument("--profile", help="a name or file of inputs/clusters/profiles")
    parser.add_argument("--workload", help="a name or file of inputs/clusters/workloads")
    parser.add_argument("--ranks", type=int, help="how many, for a profile")
    parser.add_argument("--modelled", action="store_true", help="without SimGrid")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result in DIR")
    parser.add_argument("--out", required=True, metavar="DIR")
    options = parser.parse_args(words)
    of_profile = (options.profile, options.workload, options.ranks)
    if options.work and any(x is not None for x in of_profile):
        raise InputError("--work: found --profile, --workload or --ranks too, expected one or the other")
    if not options.work and (None in of_profile or options.grid):
        raise InputError("expected --work, with or without --grid, or all of --profile, --workload and --ranks")
    if options.ranks is not None and not 1 <= options.ranks <= MOST_RANKS:
        raise InputError(f"--ranks {options.ranks}: expected 1 to {MOST_RANKS}")
    return options


def main():
    try:
        options = parsed(sys.argv[1:])
        if not options.modelled and shutil.which("smpirun") is None:
            raise RuntimeError("smpirun not found: install SimGrid (Debian: libsimgrid-dev)")
        if not (TOOLS / "cluster_step").exists():
            raise RuntimeError("build/cluster-sim is not built: cmake --preset cluster-sim && cmake --build --preset cluster-sim")
        run(options)
    except InputError as error:
        print(f"cluster_replay.py: {error}", file=sys.stderr)
        return 2
    except (RuntimeError, OSError) as error:
        print(f"cluster_replay.py: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
