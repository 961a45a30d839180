"""Reading results: folders in, `RunResult` out. The schema is common/results/result.schema.json."""
import functools
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema

from .errors import InputError

SCHEMA_VERSION = "wafermark-result-1"
SOURCE = Path(__file__).resolve().parents[3]  # or share/wafermark of an installed prefix
GPU_BACKENDS = ("CUDA", "HIP", "SYCL")
# What does not change the physics or the work of an atom-step: these keys do not separate two problems. The number of
# atoms separates them too, but has its own place.
LENGTH_KEYS = {
    "title": None,
    "run": {"steps", "duration_ps", "seed", "rank_grid"},
    "structure": {"cells"},
    "output": None,
    "check": None,
    "wafer": None,
}


@dataclass(frozen=True)
class Figure:
    """A figure of merit: `value` is None where it could not be had; `kind`: measured, emulated or modelled."""

    name: str
    value: float | None
    unit: str
    kind: str
    note: str = ""


@dataclass(eq=False)
class RunResult:
    """One result.json. `json` is all of it; the rest is what reports ask for."""

    folder: Path
    json: dict
    figures: dict[str, Figure] = field(default_factory=dict)
    deck: dict = field(default_factory=dict)

    def value(self, name):
        """A figure's value, None when there is none."""
        figure = self.figures.get(name)
        return figure.value if figure else None

    app = property(lambda self: self.json["app"])
    command = property(lambda self: self.json["command"])
    target = property(lambda self: self.json["target"])
    ranks = property(lambda self: self.json["machine"]["ranks"])
    hosts = property(lambda self: sorted(set(self.json["machine"]["hosts"])))
    started = property(lambda self: self.json["started"])
    name = property(lambda self: self.folder.name)

    @property
    def atoms(self):
        value = self.value("atoms")
        return int(value) if value else None

    @property
    def workers(self):
        """What the run computed with: GPUs (one a rank), or cores (ranks x threads)."""
        on_gpu = any(word in self.json["build"]["backend"].upper() for word in GPU_BACKENDS)
        return self.ranks * (1 if on_gpu else self.json["machine"]["threads_per_rank"])

    @property
    def worker_name(self):
        on_gpu = any(word in self.json["build"]["backend"].upper() for word in GPU_BACKENDS)
        return "GPU" if on_gpu else "core"

    @property
    def machine(self):
        """What the figures of merit are figures of: the native machine, or the emulated one."""
        if self.target == "wafer":
            return self.json.get("wafer", {}).get("machine") or self.figures_note("emulated") or "wafer"
        return f"{self.json['machine']['cpu']}, {self.json['build']['backend']}"

    def figures_note(self, kind):
        return next((f.note.split(":")[0] for f in self.figures.values() if f.kind == kind and f.note), None)

    @functools.cached_property
    def problem(self):
        """A key: two results with the same one did the same work per atom-step (or token), on whatever machine."""
        if self.app == "sparse_llama":
            model = self.json.get("model", {})
            # The instruction set belongs to the machine.
            model = {k: v for k, v in model.items() if k != "instructions"} if isinstance(model, dict) else str(model)
            return json.dumps(["sparse_llama", self.command, model, self.value("sparsity")], sort_keys=True)
        physics = {}
        for table, content in self.deck.items():
            dropped = LENGTH_KEYS.get(table, set())
            if dropped is None:
                continue
            physics[table] = (
                {k: v for k, v in content.items() if k not in dropped} if isinstance(content, dict) else content
            )
        if physics.get("potential", {}).get("file"):  # wherever it lay
            physics["potential"]["file"] = Path(physics["potential"]["file"]).name
        return json.dumps([self.app, self.command, physics], sort_keys=True)

    @functools.cached_property
    def label(self):
        """The problem in a few words, without its size."""
        if self.app == "sparse_llama":
            model = self.json.get("model", {})
            words = [str(model.get(k)) for k in ("format", "value") if isinstance(model, dict) and model.get(k)]
            if self.model_name:
                words.insert(0, self.model_name)
            sparsity = self.value("sparsity")
            if sparsity:
                words.append(f"{100 * sparsity:.0f} % cut")
            return " ".join(words) or f"{self.app} {self.command}"
        structure, potential = self.deck.get("structure", {}), self.deck.get("potential", {})
        if not self.deck:
            return f"{self.app} {self.command}"
        stem = Path(potential.get("file") or "").name.split(".")[0] or potential.get("model", "ackland_thetford_1987")
        words = [structure.get("element", "W") if not structure.get("file") else Path(structure["file"]).name, stem]
        temperature = self.deck.get("temperature", {}).get("initial_k")
        if temperature:
            words.append(f"{temperature:g} K")
        if self.deck.get("run", {}).get("precision", "double") != "double":
            words.append(self.deck["run"]["precision"] + " precision")
        if self.deck.get("pka"):
            words.append("cascade")
        boundary = structure.get("boundary")
        if boundary and "open" in boundary:
            words.append(
                "slab"
                if boundary.count("open") == 3
                else "open " + "".join(a for a, b in zip("xyz", boundary) if b == "open")
            )
        return ", ".join(words)

    @property
    def model_name(self):
        """The Llama's name, without the sparsity and seed of made-up weights; empty for results that name none."""
        model = self.json.get("model", {})
        name, _, keys = str(model.get("name") or "").partition(":") if isinstance(model, dict) else ("", "", "")
        kept = [k for k in keys.split(",") if k and k.split("=")[0] not in ("sparsity", "seed")]
        return name + (f" ({', '.join(kept)})" if kept else "")

    @property
    def wafer_options(self):
        """Options of the wafer target that change its rate, in words; empty for the plain one."""
        chosen = self.deck.get("wafer", {})
        plain = {"machine", "trace", "blocks", "swap_every_steps", "tiles"}
        return ", ".join(f"{k}={v}" for k, v in sorted(chosen.items()) if k not in plain)

    @property
    def valid(self):
        return self.json["valid"]


@functools.lru_cache(maxsize=1)
def validator():
    return jsonschema.Draft7Validator(json.loads((SOURCE / "common/results/result.schema.json").read_text()))


def read_json(path):
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: found bytes that are not UTF-8, expected JSON") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: {error.msg}, expected JSON") from None


def read_result(path):
    """One result.json. Raises InputError with the place of the first thing that is wrong."""
    document = read_json(path)
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA_VERSION:
        raise InputError(f"{path}: found schema {found!r}, expected {SCHEMA_VERSION!r}")
    error = next(iter(validator().iter_errors(document)), None)
    if error:
        place = ".".join(str(p) for p in error.absolute_path) or "the file"
        raise InputError(f"{path}: {place}: {error.message[:200]}")
    try:
        deck = tomllib.loads(document.get("deck", {}).get("toml", ""))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: deck.toml: {error}, expected TOML") from None
    figures = {
        f["name"]: Figure(f["name"], f["value"], f["unit"], f["kind"], f.get("note", "")) for f in document["figures"]
    }
    return RunResult(Path(path).parent, document, figures, deck)


def read_results(folders):
    """All results in the folders and below them, each once, in the order of their start. A folder without one is an
    error."""
    results = {}
    for folder in map(Path, folders):
        if not folder.exists():
            raise InputError(f"{folder}: not found, expected a folder with a result.json")
        paths = [folder] if folder.is_file() else sorted(folder.rglob("result.json"))
        if not paths:
            raise InputError(f"{folder}: found no result.json in it or below it, expected the folder of a run")
        for path in paths:
            if path.resolve() not in results:
                results[path.resolve()] = read_result(path)
    return sorted(results.values(), key=lambda r: (r.started, str(r.folder)))
