"""wafer.h5, the heat map of a wafer run: cycles of each tile. Every value is checked as it is read."""
import h5py
import numpy as np

from .documents import opened
from .errors import InputError

LARGEST_TILES = 2**26
LARGEST_CYCLES = 1e18


def dataset(group, name):
    """The dataset `name` of this very file: links into other files are not followed."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink) or not isinstance(group[name], h5py.Dataset):
        raise ValueError(f"{name}: found no dataset")
    return group[name]


def cycles(group, name, steps):
    """(rows, columns) of cycles per step."""
    stored = dataset(group, name)
    if stored.ndim != 2 or stored.dtype.kind not in "iuf" or not 0 < stored.size <= LARGEST_TILES:
        raise ValueError(f"{name}: found {stored.dtype} of shape {stored.shape}, expected numbers of a grid of tiles")
    if stored.is_virtual or stored.external:
        raise ValueError(f"{name}: found data in another file")
    grid = stored[...].astype(float)
    if not np.all((grid >= 0) & (grid <= LARGEST_CYCLES)):  # also where it is no number
        raise ValueError(f"{name}: found {grid.min():g} to {grid.max():g} cycles, expected 0 to {LARGEST_CYCLES:g}")
    return grid / steps


def step_count(phases):
    # The type first: text of variable length in a damaged file can keep the library busy for ever.
    stored = phases.attrs.get_id("steps") if "steps" in phases.attrs else None
    if stored is None or stored.dtype.kind not in "iuf" or np.prod(stored.shape) != 1:
        raise ValueError("phases: steps: found no number of steps")
    value = np.asarray(phases.attrs["steps"]).item()
    if not 0 <= value <= LARGEST_CYCLES:
        raise ValueError(f"phases: steps: found {value:g}, expected 0 to {LARGEST_CYCLES:g}")
    return max(1, int(value))


def read_heat_map(path):
    """(cycles per step of each tile that were spent computing, cycles of waiting or None). Raises InputError."""
    try:
        with opened(path) as checked, h5py.File(checked, "r") as file:
            phases = file.get("phases")
            if not isinstance(phases, h5py.Group):
                raise ValueError("phases: found no such group")
            steps = step_count(phases)
            busy = cycles(file, "busy", steps)
            wait = cycles(phases, "wait_for_neighbours", steps) if "wait_for_neighbours" in phases else None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path}: {error}, expected the heat map of a wafer run") from None
    if wait is not None and wait.shape != busy.shape:
        raise InputError(f"{path}: phases.wait_for_neighbours: found shape {wait.shape}, expected {busy.shape}")
    return busy, wait
