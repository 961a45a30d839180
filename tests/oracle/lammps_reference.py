"""LAMMPS as an oracle: writes starting states, runs both programs, reads dumps."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

SKIP = 77  # CTest: skipped
POTENTIALS = Path("/usr/share/lammps/potentials")
BOLTZMANN = 8.617333262e-5  # eV/K, CODATA 2018
AMU_A2_PER_PS2 = 1.66053906660e-23 / 1.602176634e-19  # eV, CODATA 2018: ours
LAMMPS_MVV2E = 1.0364269e-4  # eV: LAMMPS' rounded value in metal units


def environment():
    return dict(os.environ, OMP_NUM_THREADS="1", OMP_PROC_BIND="false", OMPI_ALLOW_RUN_AS_ROOT="1",
                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIP)


def find_lammps():
    for name in ("lmp", "lmp_mpi", "lmp_serial"):
        if shutil.which(name):
            return name
    skip("LAMMPS (lmp) is not installed; jobscripts/setup.sh installs it on Debian")


def potential(name):
    path = POTENTIALS / name
    if not path.exists():
        skip(f"{path} is missing; Debian package lammps-data")
    return path


def run(command, folder):
    result = subprocess.run([str(c) for c in command], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {result.returncode}\n"
                           f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    return result.stdout


def shaken_crystal(lattice, a, cells, types, displacement, seed, gap=0.0):
    """Positions, types and box of a randomly displaced crystal; `gap` empties space around it (open surfaces)."""
    basis = {"bcc": [(0, 0, 0), (.5, .5, .5)], "fcc": [(0, 0, 0), (.5, .5, 0), (.5, 0, .5), (0, .5, .5)]}[lattice]
    random = np.random.default_rng(seed)
    cell = np.array([(i, j, k) for i in range(cells[0]) for j in range(cells[1]) for k in range(cells[2])], float)
    x = (cell[:, None, :] + np.array(basis)[None]).reshape(-1, 3) * a + 0.25 * a
    x += random.uniform(-displacement, displacement, x.shape) + gap
    box = np.array(cells) * a + 2 * gap
    return x, random.integers(1, types + 1, len(x)), box


def write_data(path, x, kinds, box, masses, v=None):
    with open(path, "w") as out:
        out.write(f"# made by lammps_reference.py\n\n{len(x)} atoms\n{len(masses)} atom types\n\n")
        for d, axis in enumerate("xyz"):
            out.write(f"0.0 {float(box[d])!r} {axis}lo {axis}hi\n")
        out.write("\nMasses\n\n" + "".join(f"{t + 1} {float(m)!r}\n" for t, m in enumerate(masses)))
        out.write("\nAtoms # atomic\n\n")
        for i, (r, t) in enumerate(zip(x.tolist(), kinds), 1):
            out.write(f"{i} {t} {r[0]!r} {r[1]!r} {r[2]!r}\n")
        if v is not None:
            out.write("\nVelocities\n\n")
            for i, u in enumerate(v.tolist(), 1):
                out.write(f"{i} {u[0]!r} {u[1]!r} {u[2]!r}\n")


def read_dump(path):
    """The last frame: {column: array}, in the order of ids."""
    lines = Path(path).read_text().split("\n")
    starts = [k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS")]
    n = int(lines[[k for k, line in enumerate(lines) if line.startswith("ITEM: NUMBER OF ATOMS")][-1] + 1])
    names = lines[starts[-1]].split()[2:]
    table = np.array([line.split() for line in lines[starts[-1] + 1:starts[-1] + 1 + n]], float)
    table = table[np.argsort(table[:, names.index("id")])]
    return {name: table[:, k] for k, name in enumerate(names)}


def read_data_atoms(path):
    """Positions of a LAMMPS data file (atom_style atomic), in the order of ids."""
    lines = iter(Path(path).read_text().split("\n"))
    n = next(int(line.split()[0]) for line in lines if line.endswith(" atoms"))
    next(line for line in lines if line.startswith("Atoms"))
    next(lines)
    table = np.array([next(lines).split()[:5] for _ in range(n)], float)
    return table[np.argsort(table[:, 0]), 2:5]


def thermo_rows(output, columns):
    """The rows of LAMMPS' thermo output as an array; every row is `columns` plain numbers."""
    rows = [line.split() for line in output.split("\n")]
    return np.array([[float(w) for w in row] for row in rows if len(row) == columns and is_number(row)])


def is_number(words):
    try:
        return all(float(w) is not None for w in words)
    except ValueError:
        return False


def vectors(frame, names):
    return np.column_stack([frame[n] for n in names])


def lammps(folder, script, ranks=1):
    (Path(folder) / "in.lammps").write_text(script)
    command = [find_lammps(), "-log", "none", "-in", "in.lammps"]
    return run(["mpirun", "-np", ranks, *command] if ranks > 1 else command, folder)


def tungsten_head(potential):
    """Of a script that starts from start.data in a periodic box of W."""
    return f"""units metal
boundary p p p
atom_style atomic
atom_modify map array
read_data start.data
pair_style eam/alloy
pair_coeff * * {potential} W
neighbor 1.0 bin
"""


def run_deck(binary, ranks, folder, deck, name):
    """Ours: the table of thermo.csv and result.json."""
    (folder / f"{name}.toml").write_text(deck)
    run([*(["mpirun", "-np", ranks] if ranks > 1 else []), binary, "run", f"{name}.toml", "--out", name], folder)
    return np.genfromtxt(folder / name / "thermo.csv", delimiter=",", names=True), json.loads((folder / name / "result.json").read_text())


def report(good, text):
    print(("ok   " if good else "FAIL ") + text, flush=True)
    return good
