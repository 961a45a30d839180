#!/usr/bin/env python3
"""Two sigma-5 (310)[001] symmetric tilt boundaries in a periodic bcc box, made from geometry alone, as LAMMPS data.

One grain fills x < 0 with its [310] axis along x and [001] along z; the other is its mirror image. Both boundaries lie
across x. Where atoms of the two grains meet closer than --closest, one of them stays, in the middle.

usage: make_grain_boundary.py OUT [--lattice-constant 3.14339] [--cells 3,4,6] [--shift 0,0] [--gap 0] [--closest 1.6]
  --cells   repeats of a grain along x ([310], 10^(1/2) a), along y ([-130], 10^(1/2) a) and along z ([001], a)
  --shift   of the second grain along y and z, in repeats
  --gap     between the grains, Angstrom at each boundary
"""
import argparse
import itertools
import math


def grain(a, cells):
    """Sites of one grain, 0 <= x < its length: bcc turned by atan(1/3) about z."""
    nx, ny, nz = cells
    period = math.sqrt(10.0) * a
    reach = 4 * max(nx, ny) + 4
    sites = []
    for i, j in itertools.product(range(-reach, reach + 1), repeat=2):
        for half in (0.0, 0.5):
            u, v = i + half, j + half
            x, y = (3 * u + v) * a / math.sqrt(10.0), (3 * v - u) * a / math.sqrt(10.0)
            if -1e-6 <= x < nx * period - 1e-6 and -1e-6 <= y < ny * period - 1e-6:
                sites += [(x, y, (k + half) * a) for k in range(nz)]
    return sites


def boundary_atoms(a, cells, shift, gap, closest):
    period = math.sqrt(10.0) * a
    length = (2 * (cells[0] * period + gap), cells[1] * period, cells[2] * a)
    one = grain(a, cells)
    atoms = [(x + 0.5 * gap, y, z) for x, y, z in one]
    atoms += [(length[0] - (x + 0.5 * gap), y + shift[0] * period, z + shift[1] * a) for x, y, z in one]
    atoms = [tuple(c % l for c, l in zip(at, length)) for at in atoms]

    def apart(p, q):
        return [(s - t) - round((s - t) / l) * l for s, t, l in zip(p, q, length)]

    # Only atoms beside a boundary can meet.
    left = [at for at in atoms if min(at[0], abs(at[0] - 0.5 * length[0]), length[0] - at[0]) >= closest]
    inside = len(left)
    for at in sorted(set(atoms) - set(left)):
        near = next((n for n in range(inside, len(left)) if math.hypot(*apart(at, left[n])) < closest), None)
        if near is None:
            left.append(at)
        else:
            left[near] = tuple((c + 0.5 * s) % l for c, s, l in zip(left[near], apart(at, left[near]), length))
    return length, left


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda kind: lambda text: tuple(kind(word) for word in text.split(","))
    parser.add_argument("out")
    parser.add_argument("--lattice-constant", type=float, default=3.14339)
    parser.add_argument("--cells", type=numbers(int), default=(3, 4, 6))
    parser.add_argument("--shift", type=numbers(float), default=(0.0, 0.0))
    parser.add_argument("--gap", type=float, default=0.0)
    parser.add_argument("--closest", type=float, default=1.6)
    o = parser.parse_args()
    length, atoms = boundary_atoms(o.lattice_constant, o.cells, o.shift, o.gap, o.closest)
    with open(o.out, "w") as out:
        out.write("two sigma-5 (310)[001] tilt boundaries in tungsten, by make_grain_boundary.py\n\n"
                  f"{len(atoms)} atoms\n1 atom types\n\n")
        for lo_hi, l in zip("xyz", length):
            out.write(f"0.0 {l:.10f} {lo_hi}lo {lo_hi}hi\n")
        out.write("\nMasses\n\n1 183.84 # W\n\nAtoms # atomic\n\n")
        for number, at in enumerate(atoms, 1):
            out.write(f"{number} 1 " + " ".join(f"{c:.8f}" for c in at) + "\n")
    print(f"{o.out}: {len(atoms)} atoms, {' x '.join(f'{l:.2f}' for l in length)} Angstrom")


main()
