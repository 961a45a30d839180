"""Files of UF3 potentials with made-up numbers, as LAMMPS' pair style uf3 reads them."""
import itertools

import numpy as np

HEAD = "#UF3 POT UNITS: metal DATE: 2026-11-29 AUTHOR: made_uf3.py CITATION:\n"


def knots(begin, end, intervals, spacing):
    """Four times the ends; denser near the begin where `spacing` is nk (not uniform)."""
    x = np.linspace(0.0, 1.0, intervals + 1) ** (1.0 if spacing == "uk" else 1.4)
    return np.concatenate([[begin] * 3, begin + (end - begin) * x, [end] * 3])


def line(numbers):
    return " ".join(repr(float(v)) for v in numbers) + "\n"


def write(path, elements, spacing, seed=1):
    """All 2B and 3B blocks. Energies end smoothly: the last three coefficients are zero."""
    random = np.random.default_rng(seed)
    text = ""
    for k, (a, b) in enumerate(itertools.combinations_with_replacement(elements, 2)):
        t = knots(0.2, 5.0 - 0.1 * k, 14, spacing)
        c = 5.0 * np.exp(-0.6 * np.arange(len(t) - 4)) + random.uniform(-0.05, 0.05, len(t) - 4)
        c[-3:] = 0.0
        text += f"{HEAD}2B {a} {b} 0 3 {spacing}\n{t[-1]!r} {len(t)}\n{line(t)}{len(c)}\n{line(c)}#\n"
    for centre in elements:
        for k, (a, b) in enumerate(itertools.combinations_with_replacement(elements, 2)):
            cutoff = 3.6 - 0.25 * k
            t, far = knots(0.4, cutoff, 7, spacing), knots(0.4, 2 * cutoff, 11, spacing)
            c = random.uniform(-0.3, 0.3, (len(t) - 4, len(t) - 4, len(far) - 4))
            c[-3:], c[:, -3:] = 0.0, 0.0
            if a == b:
                c = 0.5 * (c + c.swapaxes(0, 1))
            text += (f"{HEAD}3B {centre} {a} {b} 0 3 {spacing}\n{2 * cutoff!r} {cutoff!r} {cutoff!r} {len(far)} {len(t)} {len(t)}\n"
                     f"{line(far)}{line(t)}{line(t)}{' '.join(map(str, c.shape))}\n")
            text += "".join(line(row) for row in c.reshape(-1, c.shape[2])) + "#\n"
    path.write_text(text)
