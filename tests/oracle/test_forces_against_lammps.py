#!/usr/bin/env python3
"""Energy, every force component and the virial of shaken crystals, against LAMMPS to 1e-9 relative.

usage: test_forces_against_lammps.py TUNGSTEN_MD RANKS
"""
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import lammps_reference as ref

TOLERANCE = 1e-9
#       name               pair style   files               elements            lattice a     cells      displacement
LJ = "lj/cut 8.5125"
CASES = [
    (LJ,                    LJ,          [],                   ["Ar"],             "fcc", 5.6, (6, 5, 5), 0.3),
    (LJ + ", shifted",      LJ,          [],                   ["Ar"],             "fcc", 5.3, (6, 5, 5), 0.3),
    ("eam/alloy, W",        "eam/alloy", ["W_zhou.eam.alloy"], ["W"],              "bcc", 3.165, (9, 6, 6), 0.3),
    ("eam/alloy, Cu",       "eam/alloy", ["Cu_mishin1.eam.alloy"], ["Cu"],         "fcc", 3.615, (7, 4, 4), 0.3),
    ("eam/alloy, Cu-Ni",    "eam/alloy", ["CuNi.eam.alloy"], ["Cu", "Ni"],         "fcc", 3.57, (7, 4, 4), 0.2),
    ("eam/alloy, Ni-Al-H",  "eam/alloy", ["NiAlH_jea.eam.alloy"], ["Ni", "Al", "H"], "fcc", 3.9, (7, 4, 4), 0.1),
    ("eam/fs, Fe",          "eam/fs",    ["Fe_mm.eam.fs"], ["Fe"],                 "bcc", 2.87, (9, 5, 5), 0.2),
    ("eam/fs, Al-Fe",       "eam/fs",    ["AlFe_mm.eam.fs"], ["Al", "Fe"],         "bcc", 3.1, (9, 5, 5), 0.2),
    ("eam/fs, Ni-Al-H",     "eam/fs",    ["NiAlH_jea.eam.fs"], ["Ni", "Al", "H"],  "fcc", 3.9, (7, 4, 4), 0.1),
    ("eam/he, Pd-H-He",     "eam/he",    ["PdHHe.eam.he"], ["Pd", "H", "He"],     "fcc", 3.9, (9, 5, 5), 0.15),
    ("funcfl, Cu",          "eam",       ["Cu_u6.eam"], ["Cu"],                    "fcc", 3.615, (7, 4, 4), 0.3),
    ("funcfl, Cu and Ni",   "eam",       ["Cu_u3.eam", "Ni_u3.eam"], ["Cu", "Ni"], "fcc", 3.57, (7, 4, 4), 0.2),
]
MASS = {"W": 183.84, "Ta": 180.95, "V": 50.942, "Nb": 92.906, "Cu": 63.546, "Ni": 58.69, "Al": 26.98, "H": 1.008, "Fe": 55.845, "Ar": 39.95, "Pd": 106.42, "He": 4.0026}
EPSILON, SIGMA = 0.010323565, 3.405


def coefficients(name, style, files, elements):
    if style == LJ:
        return f"pair_coeff 1 1 {EPSILON} {SIGMA}\npair_modify shift {'yes' if 'shifted' in name else 'no'}"
    if style == "eam":
        return "\n".join(f"pair_coeff {k} {k} {f}" for k, f in enumerate(files, 1))
    return f"pair_coeff * * {files[0]} {' '.join(elements)}"


def our_options(name, style, paths):
    if style == LJ:
        return ["--model", "lj/cut", "--epsilon", EPSILON, "--sigma", SIGMA, *(["--shifted"] if "shifted" in name else [])]
    return ["--potential", ",".join(map(str, paths)), "--format", "funcfl" if style == "eam" else style.partition(" ")[0]]


def compare(binary, ranks, case, boundary):
    name, style, files, elements, lattice, a, cells, displacement = case
    paths = [f if isinstance(f, Path) else ref.potential(f) for f in files]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        x, kinds, box = ref.shaken_crystal(lattice, a, cells, len(elements), displacement, seed=len(name),
                                           gap=0.0 if boundary == "periodic" else 4.0)
        ref.write_data(folder / "state.data", x, kinds, box, [MASS[e] for e in elements])
        ref.lammps(folder, f"""units metal
boundary {'p p p' if boundary == 'periodic' else 'f f f'}
atom_style atomic
read_data state.data
pair_style {style}
{coefficients(name, style, paths, elements)}
compute v all pressure NULL virial
thermo_style custom step pe vol c_v[1] c_v[2] c_v[3] c_v[4] c_v[5] c_v[6]
thermo_modify norm no
dump 1 all custom 1 lammps.dump id type x y z fx fy fz
dump_modify 1 sort id format float %.17g
variable e equal pe
variable vol equal vol
variable p1 equal c_v[1]
variable p2 equal c_v[2]
variable p3 equal c_v[3]
variable p4 equal c_v[4]
variable p5 equal c_v[5]
variable p6 equal c_v[6]
run 0
print "$(v_e:%.17g) $(v_vol:%.17g) $(v_p1:%.17g) $(v_p2:%.17g) $(v_p3:%.17g) $(v_p4:%.17g) $(v_p5:%.17g) $(v_p6:%.17g)" file scalars.txt
""")
        ref.run([*(["mpirun", "-np", ranks] if ranks > 1 else []), binary, "forces", "state.data",
                 *our_options(name, style, paths), "--elements", ",".join(elements), "--boundary", ",".join([boundary] * 3), "--out", "ours"], folder)
        theirs = ref.vectors(ref.read_dump(folder / "lammps.dump"), ["fx", "fy", "fz"])
        ours = ref.vectors(ref.read_dump(folder / "ours/forces.dump"), ["fx", "fy", "fz"])
        scalars = np.array((folder / "scalars.txt").read_text().split(), float)
        figures = {f["name"]: f["value"] for f in json.loads((folder / "ours/result.json").read_text())["figures"]}
    bar_a3_in_ev = 1.0 / 1.6021765e6  # LAMMPS' nktv2p in metal units
    virial = scalars[2:] * scalars[1] * bar_a3_in_ev
    our_virial = np.array([figures[f"virial_{c}_ev"] for c in ("xx", "yy", "zz", "xy", "xz", "yz")])
    errors = {
        "energy": abs(figures["energy_ev"] - scalars[0]) / abs(scalars[0]),
        "force": np.abs(ours - theirs).max() / np.abs(theirs).max(),
        "virial": np.abs(our_virial - virial).max() / np.abs(virial).max(),
    }
    good = all(e < TOLERANCE for e in errors.values())
    print(f"{'ok  ' if good else 'FAIL'} {name:<20} {boundary:<9} {ranks} ranks  "
          + "  ".join(f"{k} {e:.1e}" for k, e in errors.items()), flush=True)
    return good


def main():
    binary, ranks = sys.argv[1], int(sys.argv[2])
    ref.find_lammps()
    results = [compare(binary, ranks, case, boundary) for case in CASES for boundary in ("periodic", "open")]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
