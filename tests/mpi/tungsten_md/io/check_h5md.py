"""Checks a file against the H5MD 1.1 specification (nongnu.org/h5md/h5md.html) and our own conventions.

Exit status 0 when all holds; otherwise the first rule that is broken, on stderr.
"""
import argparse
import sys

import h5py
import numpy as np


def require(condition, rule):
    if not condition:
        sys.exit(f"H5MD: {rule}")


def text(value):
    """The text of an attribute. Readers that look units up by name need str, which fixed-length text is not."""
    require(isinstance(value, str), f"{value!r} is variable-length text")
    return value


def check_time_series(group, name, frames):
    """Time-dependent data: a group of value, step and time, the first axis of all being the frames."""
    require(isinstance(group, h5py.Group), f"{name} is a group")
    for part in ("value", "step", "time"):
        require(part in group, f"{name} has {part}")
    require(group["step"].dtype.kind in "iu", f"{name}/step is of integer type")
    require(group["time"].dtype.kind == "f", f"{name}/time is a real number")
    for part in ("value", "step", "time"):
        require(group[part].shape[0] == frames, f"{name}/{part} has {frames} entries")
    require(group["step"].shape == (frames,), f"{name}/step is one-dimensional")
    require(bool(np.all(np.diff(group["step"][:]) > 0)), f"{name}/step ascends")
    require(text(group["time"].attrs["unit"]) == "ps", f"{name}/time is in ps")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("file")
    arguments.add_argument("--frames", type=int, required=True)
    arguments.add_argument("--atoms", type=int, required=True)
    options = arguments.parse_args()

    with h5py.File(options.file, "r") as file:
        h5md = file["h5md"]
        version = h5md.attrs["version"]
        require(version.shape == (2,) and version.dtype.kind == "i" and list(version) == [1, 1], "version is [1, 1]")
        for attribute in (("author", "name"), ("creator", "name"), ("creator", "version")):
            value = h5md[attribute[0]].attrs[attribute[1]]
            require(len(text(value)) > 0, f"h5md/{attribute[0]} has the string {attribute[1]}")
        require(list(h5md["modules/units"].attrs["version"]) == [1, 0], "the units module is declared")

        atoms = file["particles/all"]
        box = atoms["box"]
        require(int(box.attrs["dimension"]) == 3 and np.ndim(box.attrs["dimension"]) == 0, "box dimension is scalar 3")
        boundary = [text(b) for b in box.attrs["boundary"]]
        require(len(boundary) == 3 and set(boundary) <= {"periodic", "none"}, "boundary is periodic or none, 3 times")
        check_time_series(box["edges"], "box/edges", options.frames)
        edges = box["edges/value"][:]
        require(edges.shape == (options.frames, 3, 3), "edges are vectors, [frame][3][3]")
        lengths = np.diagonal(edges, axis1=1, axis2=2)
        require(bool(np.all(lengths > 0)) and np.count_nonzero(edges) == 3 * options.frames, "edges are orthogonal")

        check_time_series(atoms["position"], "position", options.frames)
        shape = (options.frames, options.atoms, 3)
        require(atoms["position/value"].shape == shape, f"positions are {shape}")
        require(text(atoms["position/value"].attrs["unit"]) == "Angstrom", "positions are in Angstrom")
        require(atoms["position/value"].maxshape[0] is None, "frames can be added")
        if "velocity" in atoms:
            check_time_series(atoms["velocity"], "velocity", options.frames)
            require(atoms["velocity/value"].shape == shape, f"velocities are {shape}")
            require(text(atoms["velocity/value"].attrs["unit"]) == "Angstrom ps-1", "velocities are in Angstrom ps-1")
        for shared in [box["edges"]] + ([atoms["velocity"]] if "velocity" in atoms else []):
            require(shared["step"] == atoms["position/step"], "box and particles share the step data set")
            require(shared["time"] == atoms["position/time"], "box and particles share the time data set")

        for name in ("id", "species"):
            require(atoms[name].shape == (options.atoms,) and atoms[name].dtype.kind == "i", f"{name} is [atom], integer")
        ids = atoms["id"][:]
        require(len(np.unique(ids)) == options.atoms and bool(np.all(np.diff(ids) > 0)), "ids are unique and ascend")
        elements = file["parameters"].attrs["elements"]  # ours, fixed-length
        require(0 <= atoms["species"][:].min() and atoms["species"][:].max() < len(elements), "species index the elements")

        for name, observable in file["observables"].items():
            check_time_series(observable, f"observables/{name}", options.frames)
            require(observable["value"].shape == (options.frames,), f"observable {name} is a scalar")

        # The physics of it: atoms lie in the box along periodic axes, and the first frame comes first.
        for axis, kind in enumerate(boundary):
            if kind == "periodic":
                x = atoms["position/value"][:, :, axis]
                require(bool(np.all(x >= -0.5) and np.all(x <= lengths[:, axis, None] + 0.5)), "atoms lie in the box")


if __name__ == "__main__":
    main()
