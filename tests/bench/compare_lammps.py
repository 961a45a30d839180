#!/usr/bin/env python3
"""tungsten_md against one LAMMPS or several on the three SC24 cases, and with a potential of two and three bodies, side by side on
this machine.

All run the same atoms, potential, time step, boundaries, skin and number of ranks, in turn, several times; the table
gives medians of atom-steps per second, and the ratio to each LAMMPS run by run. A ratio counts only when all end with the
same energy, so that all did the same work. The last column names the LAMMPS that was fastest.

  tests/bench/compare_lammps.py --binary build/release/apps/tungsten_md/tungsten_md
  jobscripts/lammps.sh   # the newest LAMMPS of Debian's source, built for this CPU; prints its path
  tests/bench/compare_lammps.py --case W --lammps newest=PATH --args "-sf intel -pk intel 0 mode {precision}" \\
                                         --lammps newest_opt=PATH --args "-sf opt"

  tests/bench/compare_lammps.py --case Nb --potential Nb.uf3 --lammps PATH     # LAMMPS with ML-UF3, whose examples have the file

{precision} stands for the row's precision, double or mixed.
"""
import argparse
import dataclasses
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

# SC24 slabs (Santos et al., arXiv 2405.07898), reduced in x and y: about 50,000 atoms, 6 cells thick.
CASES = {
    "W": dict(deck="sc24_W.toml", mass=183.84, pair="eam/alloy", cells=(64, 65, 6)),
    "Ta": dict(deck="sc24_Ta.toml", mass=180.95, pair="eam/alloy", cells=(64, 65, 6)),
    "Cu": dict(deck="sc24_Cu.toml", mass=63.55, pair="eam", cells=(46, 46, 6)),
}
# The W deck with other atoms, for a potential that is given: not among "all".
UF3_CASES = {
    "Nb": dict(deck="sc24_W.toml", mass=92.906, pair="uf3 3", cells=(16, 16, 6),
               settings=("structure.element=Nb", "structure.lattice_constant_angstrom=3.3005", "structure.thermal_expansion=1.0")),
}
SKIN = 0.5  # Angstrom, the published choice on CPUs
TIMESTEP = 0.002  # ps
# Largest relative difference of the energy per atom, at the start and at the end, between programs that did the same
# work. LAMMPS rounds its units to eight digits; fp32 forces have seven.
TOLERANCE = {"double": 1e-8, "mixed": 2e-6}


@dataclasses.dataclass
class Peer:
    """A LAMMPS and the arguments that choose its pair styles."""
    name: str
    path: str
    args: str = "-sf opt"


def environment():
    return dict(os.environ, OMP_NUM_THREADS="1", OMP_PROC_BIND="false", OMPI_ALLOW_RUN_AS_ROOT="1",
                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")


def launch(command, ranks, folder):
    run = subprocess.run(["mpirun", "-np", str(ranks), *map(str, command)], cwd=folder, env=environment(),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"compare_lammps: {' '.join(map(str, command))} ended with {run.returncode}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.stdout


def our_command(args, case, cells, folder):
    return [args.binary, "run", SOURCE / "inputs/tungsten" / case["deck"], "--out", folder / "ours", "--overwrite",
            *(["--set", f"potential.file={args.potential}"] if args.potential else []),
            *(word for setting in case.get("settings", ()) for word in ("--set", setting)),
            "--set", f"structure.cells=[{', '.join(map(str, cells))}]", "--set", f"run.steps={args.steps}",
            "--set", f"run.skin_angstrom={args.skin}", "--set", f"run.precision={args.precision}",
            "--set", f"output.thermo_every_steps={args.steps}", "--set", "output.final_state=false"]


def run_ours(args, case, cells, folder):
    launch(our_command(args, case, cells, folder), args.ranks, folder)
    result = json.loads((folder / "ours/result.json").read_text())
    figures = {f["name"]: f["value"] for f in result["figures"]}
    return figures["atom_steps_per_second"], figures["atoms"], figures["energy_per_atom_start_ev"], figures["energy_per_atom_end_ev"]


def run_lammps(args, peer, case, potential, folder):
    """Starts from the very atoms and velocities that ours starts from."""
    (folder / "in.lammps").write_text(f"""units metal
boundary s s s
atom_style atomic
atom_modify map array
read_data start.data
mass 1 {case['mass']}
pair_style {case['pair']}
pair_coeff * * {potential} {args.case if case['pair'] != 'eam' else ''}
neighbor {args.skin} bin
neigh_modify delay 0 every 1 check yes
timestep {TIMESTEP}
fix 1 all nve
thermo {args.steps}
thermo_style custom step atoms etotal
thermo_modify format float %.15g lost error
run {args.steps}
""")
    styles = shlex.split(peer.args.replace("{precision}", args.precision))
    out = launch([peer.path, *styles, "-log", "none", "-in", "in.lammps"], args.ranks, folder)
    time, steps, atoms = re.search(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms", out).groups()
    rows = re.findall(r"^\s*(\d+)\s+(\d+)\s+(-?[\d.eE+]+)\s*$", out, re.M)
    energies = [float(e) / int(n) for _, n, e in rows]
    return int(steps) * int(atoms) / float(time), int(atoms), energies[0], energies[-1]


def described(peer):
    """Version, compiler and, where the folder it was built in still lies around it, flags."""
    text = subprocess.run([peer.path, "-h"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    found = [re.search(p, text) for p in (r"Parallel Simulator - (.*)", r"Compiler: (.*)")]
    cache = Path(shutil.which(peer.path)).resolve().parent / "CMakeCache.txt"
    flags = re.findall(r"^CMAKE_CXX_FLAGS(?:_RELEASE)?:\w+=(.+)$", cache.read_text(), re.M) if cache.is_file() else []
    return ", ".join([f.group(1).strip() if f else "unknown" for f in found] + flags)


def cpu():
    out = subprocess.run(["lscpu"], capture_output=True, text=True).stdout
    found = re.search(r"^Model name:\s*(.+)$", out, re.M)
    vectors = "AVX-512" if " avx512f" in out else "AVX2" if " avx2" in out else "no AVX2"
    return f"{found.group(1) if found else 'unknown CPU'}, {vectors}"


def potential_of(args, case):
    """The file that our program finds for the deck, so that both read the same."""
    if args.potential:
        return args.potential
    if args.case in UF3_CASES:
        sys.exit(f"compare_lammps: --case {args.case}: found no --potential, expected its file, as LAMMPS' examples of pair style uf3 have it")
    out = subprocess.run([args.binary, "info", SOURCE / "inputs/tungsten" / case["deck"]], capture_output=True, text=True,
                         env=environment(), stdin=subprocess.DEVNULL)
    found = re.search(r"^\s*potential file\s*:?\s+(\S+)$", out.stdout, re.M)
    if out.returncode != 0 or not found:
        sys.exit(f"compare_lammps: no potential for {case['deck']}: {out.stderr.strip() or out.stdout}\n"
                 "run jobscripts/fetch_potentials.sh, or give --potential FILE")
    return found.group(1)


def require_same_work(args, ours, peer, theirs):
    for when, mine, other in (("start", ours[2], theirs[2]), ("end", ours[3], theirs[3])):
        if not abs(mine - other) <= TOLERANCE[args.precision] * abs(other):
            sys.exit(f"compare_lammps: {args.case}, {args.precision}: energy per atom at the {when} {mine} eV, {peer.name} "
                     f"{other} eV: not the same work")


def compare(args):
    case = (CASES | UF3_CASES)[args.case]
    cells = args.cells or case["cells"]
    potential = Path(potential_of(args, case)).resolve()
    ours, theirs = [], {peer.name: [] for peer in args.peers}
    with tempfile.TemporaryDirectory(prefix="compare_lammps_") as name:
        folder = Path(name)
        # One step that writes the common starting state.
        launch([*our_command(args, case, cells, folder), "--set", "run.steps=1", "--set", "output.start_state=true"],
               args.ranks, folder)
        shutil.copy(folder / "ours/start.data", folder / "start.data")
        for _ in range(args.repeats + 1):
            ours.append(run_ours(args, case, cells, folder))
            for peer in args.peers:
                theirs[peer.name].append(run_lammps(args, peer, case, potential, folder))
    for peer in args.peers:
        require_same_work(args, ours[-1], peer, theirs[peer.name][-1])
    row = dict(case=args.case, precision=args.precision, atoms=ours[-1][1], ranks=args.ranks, steps=args.steps,
               potential=str(potential), ours_atom_steps_per_second=statistics.median(r[0] for r in ours[1:]),
               energy_per_atom_end_ev=ours[-1][3], peers=[])
    for peer in args.peers:
        runs = theirs[peer.name][1:]  # the first round warms caches
        ratios = sorted(a[0] / b[0] for a, b in zip(ours[1:], runs))
        row["peers"].append(dict(name=peer.name, args=peer.args, atom_steps_per_second=statistics.median(r[0] for r in runs),
                                 ratio_median=statistics.median(ratios), ratio_min=ratios[0], ratio_max=ratios[-1],
                                 energy_per_atom_end_ev=runs[-1][3]))
    best = max(row["peers"], key=lambda p: p["atom_steps_per_second"])
    row["best"] = best["name"]
    for p in row["peers"]:
        print(f"{args.case:>4} {args.precision:>9} {int(row['atoms']):>9} {row['ours_atom_steps_per_second'] / 1e6:>10.3f} "
              f"{p['atom_steps_per_second'] / 1e6:>10.3f} {p['ratio_median']:>7.2f}  {p['ratio_min']:.2f} ... {p['ratio_max']:.2f}"
              f"   {row['energy_per_atom_end_ev'] - p['energy_per_atom_end_ev']:+.1e}   {p['name']}"
              f"{', the fastest' if p is best and len(args.peers) > 1 else ''}", flush=True)
    return row


class AddPeer(argparse.Action):
    def __call__(self, parser, options, value, option_string=None):
        peers = getattr(options, "peers", None) or []
        if option_string == "--args":
            if not peers:
                parser.error("--args belongs behind the --lammps that it is for")
            peers[-1].args = value
        else:
            name, _, path = value.rpartition("=")
            peers.append(Peer(name or value, path))
        options.peers = peers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(SOURCE / "build/release/apps/tungsten_md/tungsten_md"))
    parser.add_argument("--lammps", action=AddPeer, metavar="[NAME=]PATH", help="may be given several times (default: lmp)")
    parser.add_argument("--args", action=AddPeer, help='arguments of the LAMMPS before it (default: "-sf opt")')
    parser.add_argument("--case", choices=[*CASES, *UF3_CASES, "all"], default="all")
    parser.add_argument("--precision", choices=["double", "mixed", "both"], default="both")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--skin", type=float, default=SKIN)
    parser.add_argument("--cells", type=lambda s: tuple(map(int, s.split(","))), help="X,Y,Z conventional cells")
    parser.add_argument("--potential", help="file to use instead of the deck's")
    parser.add_argument("--json", help="write the rows to this file")
    args = parser.parse_args()
    args.peers = getattr(args, "peers", None) or [Peer("lmp", "lmp")]
    args.binary = str(Path(args.binary).resolve())
    args.potential = args.potential and str(Path(args.potential).resolve())
    for program in (args.binary, *(peer.path for peer in args.peers)):
        if not shutil.which(program):
            sys.exit(f"compare_lammps: {program}: not found")
    about = dict(cpu=cpu(), peers={peer.name: described(peer) for peer in args.peers})
    print(f"{about['cpu']}; {args.ranks} ranks, {args.steps} steps, {args.repeats} rounds; million atom-steps/s")
    for peer in args.peers:
        print(f"{peer.name}: {about['peers'][peer.name]}; {peer.args}")
    print("case precision     atoms       ours     LAMMPS   ratio  min ... max    end energy difference, eV/atom")
    rows = []
    for name in CASES if args.case == "all" else [args.case]:
        for precision in ["double", "mixed"] if args.precision == "both" else [args.precision]:
            rows.append(compare(argparse.Namespace(**{**vars(args), "case": name, "precision": precision})))
    if args.json:
        Path(args.json).write_text(json.dumps(dict(about, rows=rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
