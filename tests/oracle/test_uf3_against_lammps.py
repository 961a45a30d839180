#!/usr/bin/env python3
"""Energy, every force component and the virial of shaken crystals with UF3 potentials, against LAMMPS' pair style uf3 to 1e-9 relative;
needs its package ML-UF3 (skipped without). Files are made up, and LAMMPS' own Nb.uf3 where it is installed.

usage: test_uf3_against_lammps.py TUNGSTEN_MD RANKS
"""
import sys
import tempfile
from pathlib import Path

import lammps_reference as ref
import made_uf3
from test_forces_against_lammps import compare

CASES = [
    ("uf3, W",                     ["W"],             "uk", "bcc", 3.165, (8, 5, 6), 0.3),
    ("uf3, W, uneven knots",       ["W"],             "nk", "bcc", 3.165, (8, 5, 6), 0.3),
    ("uf3, W-Ta",                  ["W", "Ta"],       "nk", "bcc", 3.2,   (8, 5, 6), 0.2),
    ("uf3, W-Ta-V",                ["W", "Ta", "V"],  "uk", "bcc", 3.2,   (8, 5, 6), 0.2),
]


def main():
    binary, ranks = sys.argv[1], int(sys.argv[2])
    ref.find_lammps()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for k, (name, elements, spacing, *crystal) in enumerate(CASES):
            path = Path(folder) / f"made_{k}.uf3"
            made_uf3.write(path, elements, spacing, seed=k)
            jobs.append((name, "uf3 3", [path], elements, *crystal))
        if (published := ref.POTENTIALS / "Nb.uf3").exists():
            jobs.append(("uf3, Nb", "uf3 3", [published], ["Nb"], "bcc", 3.3005, (6, 6, 7), 0.2))
        for job in jobs:
            for boundary in ("periodic", "open"):
                try:
                    results.append(compare(binary, ranks, job, boundary))
                except RuntimeError as error:
                    if "pair style" in str(error) and not results:
                        ref.skip("this LAMMPS has no package ML-UF3")
                    raise
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
