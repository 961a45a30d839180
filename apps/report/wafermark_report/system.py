"""The machine of a submission: system.toml. `wafermark-report system --out FILE` writes what this node tells of itself and
leaves the rest to be filled in."""
import ctypes.util
import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .documents import SCHEMAS, read_toml
from .errors import Arguments, InputError
from .output import check_output, write_text

SCHEMA = SCHEMAS / "system.schema.json"
# What a complete description has; [cost] and the watts are needed for costs and energies only.
NEEDED = {
    "system": ("name", "nodes"),
    "node": ("sockets", "cpu", "cores", "gpus", "memory_gib"),
    "network": ("name",),
    "storage": ("name",),
    "software": ("os", "compiler", "mpi", "blas"),
    "power": ("meter",),
}
# What a person has to say, with an example.
ASKED = {
    ("system", "name"): '"my cluster"',
    ("system", "nodes"): "100",
    ("network", "name"): '"Slingshot 11, dragonfly"',
    ("network", "gbit_per_s"): "200",
    ("power", "meter"): '"L1"                 # level of the EE HPC WG (Green500): L1, L2, L3, or "none"',
    ("power", "idle_watts"): "300              # of a node",
    ("power", "load_watts"): "700              # of a node, while it runs this",
    ("cost", "currency"): '"EUR"',
    ("cost", "price"): "1e6                   # of all nodes",
    ("cost", "life_years"): "5",
    ("cost", "energy_price_per_kwh"): "0.2",
    ("cost", "pue"): "1.2                     # facility power over machine power",
}


@dataclass(frozen=True)
class System:
    """A description that its schema allows. Keys that are not there are None."""

    path: Path
    tables: dict

    def value(self, table, key):
        return self.tables.get(table, {}).get(key)

    name = property(lambda self: self.value("system", "name"))
    nodes = property(lambda self: self.value("system", "nodes"))

    @property
    def missing(self):
        """Keys of a complete description that are not there: "node.cpu"."""
        absent = [f"{t}.{k}" for t, keys in NEEDED.items() for k in keys if self.value(t, k) is None]
        if (self.value("node", "gpus") or 0) > 0 and not self.value("node", "gpu"):
            absent.append("node.gpu")
        return absent

    @property
    def workers_of_node(self):
        """(cores, GPUs) of a node; None where it is not said."""
        return self.value("node", "cores"), self.value("node", "gpus")


def describe(results, systems):
    """Gives each native run the description of its machine: the one whose folder is the nearest above the run's, else the only one
    that names no emulated or simulated machine. Two machines in one page have a folder each."""
    native = {s.path.resolve().parent: s for s in systems if not s.value("system", "machine")}
    for r in results:
        if r.target == "cluster":
            place = r.folder.resolve()
            above = next((native[p] for p in (place, *place.parents) if p in native), None)
            r.description = above or (next(iter(native.values())) if len(native) == 1 else None)


def of_one_machine(results, case_of, folder):
    """Raises InputError where native runs of one case were measured on several machines: their mean is no machine's."""
    describe(results, systems_below([folder]))
    machines = {}
    for r in results:
        if r.target == "cluster":
            machines.setdefault(case_of(r), set()).add(r.machine)
    for found in machines.values():
        if len(found) > 1:
            raise InputError(f"{folder}: found runs of one case on {' and on '.join(sorted(found))}, expected one machine: name its folder")


def systems_below(folders):
    """Every system.toml in the folders and below them, each once."""
    paths = sorted({p.resolve(): p for f in folders for p in Path(f).rglob("system.toml")}.values())
    return [read_system(p) for p in paths]


def read_system(path):
    """A system.toml. Raises InputError."""
    return System(Path(path), read_toml(path, SCHEMA))


def words_of(*command):
    """What a program prints, empty where it is not there or fails."""
    if not shutil.which(command[0]):
        return ""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def cpu_of_node():
    """sockets, cpu and cores as lscpu says them, in one place for one architecture or another."""
    rows = dict(line.split(":", 1) for line in words_of("env", "LC_ALL=C", "lscpu").splitlines() if ":" in line)
    rows = {key.strip(): value.strip() for key, value in rows.items()}
    found = {}
    if rows.get("Socket(s)", "").isdigit():
        found["sockets"] = int(rows["Socket(s)"])
        if rows.get("Core(s) per socket", "").isdigit():
            found["cores"] = found["sockets"] * int(rows["Core(s) per socket"])
    if rows.get("Model name"):
        found["cpu"] = rows["Model name"]
    return found


def gpus_of_node():
    nvidia = [line for line in words_of("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines() if line.strip()]
    if nvidia:
        return {"gpus": len(nvidia), "gpu": nvidia[0].strip()}
    amd = [line for line in words_of("rocm-smi", "--showproductname").splitlines() if "Card Series" in line or "Card series" in line]
    if amd:
        return {"gpus": len(amd), "gpu": amd[0].split(":")[-1].strip()}
    return {"gpus": 0, "gpu": ""}


def memory_gib():
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (OSError, ValueError):
        return None


def operating_system():
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}"
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def blas():
    """The BLAS that programs find on this node: the library behind the common name, with its file."""
    library = ctypes.util.find_library("openblas") or ctypes.util.find_library("blas")
    return library or None


def of_this_node(result=None):
    """The tables that this node tells, and the compiler and MPI of a result that was made on it."""
    build = result.json["build"] if result else {}
    tables = {
        "system": {},
        "node": cpu_of_node() | gpus_of_node() | {"memory_gib": memory_gib()},
        "network": {},
        "storage": {"name": words_of("stat", "--file-system", "--format=%T", ".").strip()},
        "software": {"os": operating_system(), "compiler": build.get("compiler"), "mpi": build.get("mpi"), "blas": blas()},
        "power": {},
        "cost": {},
    }
    return {name: {k: v for k, v in table.items() if v not in (None, "") or k == "gpu"} for name, table in tables.items()}


def as_toml(tables):
    """The known keys, and each of the others as a comment with an example."""
    lines = [
        "# The machine of a submission (wafermark-report submit). Lines with a key were filled in by the program: check them.",
        "# Take away the # of the others and put in your numbers; [cost] may stay away, then the sheet has no costs.",
    ]
    for name, table in tables.items():
        asked = {k: v for (t, k), v in ASKED.items() if t == name and k not in table}
        absent = [k for k in NEEDED.get(name, ()) if k not in table and k not in asked]
        lines += ["", f"[{name}]" if table or name == "system" else f"# [{name}]"]
        lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in table.items()]
        lines += [f"# {k} = {v}" for k, v in asked.items()] + [f"# {k} =" for k in absent]
    return "\n".join(lines) + "\n"


def main(arguments):
    from .results import read_results

    parser = Arguments(
        prog="wafermark-report system",
        description="Writes a description of this node's machine for `submit`, with what cannot be known from here left open.",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="system.toml to write")
    parser.add_argument("--result", metavar="FOLDER", help="a run made on this machine: its compiler and MPI are taken over")
    options = parser.parse_args(arguments)
    if os.path.lexists(options.out):
        raise InputError(f"--out {options.out}: found a file, expected a new name (what was filled in by hand stays)")
    check_output(options.out, "--out")
    result = read_results([options.result])[0] if options.result else None
    tables = of_this_node(result)
    write_text(options.out, as_toml(tables), "--out")
    open_keys = [f"{t}.{k}" for t, keys in NEEDED.items() for k in keys if k not in tables.get(t, {})]
    print(f"system: {options.out}; left to be filled in: {', '.join(open_keys)}")
    return 0
