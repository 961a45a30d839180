"""Reading results: folders in, `RunResult` out. The schema is common/results/result.schema.json."""
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path

from .documents import SCHEMAS, check_schema, parse_json, parse_toml, read_json, text_of
from .errors import InputError, found

SCHEMA_VERSION = "wafermark-result-1"
SOURCE = Path(__file__).resolve().parents[3]  # or share/wafermark of an installed prefix
RESULT_SCHEMA = SOURCE / "common/results/result.schema.json"
DECK_SCHEMA = SCHEMAS / "deck.schema.json"
REPLAY = "cluster_replay"  # the app of results that no program ran: jobscripts/cluster_replay.py
SHORTEST_EDGE = 1e-3  # of a box, Angstrom
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


# Figures that no clock and no meter gave: the program counted or computed them. Results call them measured.
COUNTED = ("atoms", "steps", "sparsity", "bits_per_weight", "tokens", "sites", "frames", "lost_atoms", "list_rebuilds")
COUNTED_FAMILIES = ("perplexity", "frenkel_pairs_", "neighbours_per_", "candidates_per_")


LONGEST_NAME = 40


def plain_model_name(path):
    """A model as people call it, of a name or a path: the folder or file without what leads there, of a Hugging Face cache the
    repository; a very long one is cut in its middle."""
    parts = [p for p in path.split("/") if p]
    name = parts[-1] if parts else ""
    if len(parts) > 2 and parts[-2] == "snapshots" and parts[-3].startswith("models--"):
        name = parts[-3].split("--")[-1]
    half = LONGEST_NAME // 2 - 1
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}...{name[-half:]}"


def shown_kind(name, kind):
    """The kind of a figure as pages show it."""
    counted = name in COUNTED or name.startswith(COUNTED_FAMILIES)
    return "counted" if kind == "measured" and counted else kind


def band_of(item):
    """The band of a figure or check; None where it has none."""
    low, high = item.get("band", (None, None))
    return None if low is None or high is None else (low, high)


@dataclass(frozen=True)
class Figure:
    """A figure of merit: `value` is None where it could not be had; `kind`: measured, counted, emulated, simulated or modelled; `band`: the
    5th and 95th percentile of a prediction, None where there is none."""

    name: str
    value: float | None
    unit: str
    kind: str
    note: str = ""
    band: tuple[float, float] | None = None


@dataclass(frozen=True)
class Check:
    """A check of a run on itself: |value - reference| <= tolerance. A value that was no number is None."""

    name: str
    value: float | None
    reference: float | None
    tolerance: float | None
    unit: str
    passed: bool
    band: tuple[float, float] | None = None

    @classmethod
    def of(cls, check):
        keys = ("name", "value", "reference", "tolerance", "unit", "pass")
        return cls(*(check[key] for key in keys), band_of(check))

    @property
    def off(self):
        """Relative deviation from the reference; None where there is none to speak of."""
        return self.value / self.reference - 1 if self.reference and self.value is not None else None


@dataclass(eq=False)
class RunResult:
    """One result.json. `json` is all of it; the rest is what reports ask for."""

    folder: Path
    json: dict
    figures: dict[str, Figure] = field(default_factory=dict)
    deck: dict = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    description: object = None  # of a native run's machine: a system.System, once system.describe has found one

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
    # A name that is not UTF-8 is shown with escapes.
    name = property(lambda self: (self.folder.name or self.folder.resolve().name).encode("utf-8", "backslashreplace").decode())

    @property
    def atoms(self):
        value = self.value("atoms")
        return int(value) if value else None

    @property
    def cells(self):
        """Of the crystal along x, y, z: a slab and a cube of as many atoms are two samples. None without a crystal."""
        cells = self.deck.get("structure", {}).get("cells")
        return tuple(cells) if cells else None

    @property
    def workers(self):
        """What the run computed with: GPUs (one a rank), or cores (ranks x threads); of a simulated cluster its workers."""
        if self.target == "simulated":
            return self.json.get("simulation", {}).get("ranks") or self.ranks
        on_gpu = any(word in self.json["build"]["backend"].upper() for word in GPU_BACKENDS)
        return self.ranks * (1 if on_gpu else self.json["machine"]["threads_per_rank"])

    @property
    def worker_name(self):
        on_gpu = any(word in self.json["build"]["backend"].upper() for word in GPU_BACKENDS)
        return "GPU" if on_gpu else "core"

    @property
    def machine(self):
        """What the figures of merit are figures of: the native machine, the emulated one or the simulated one."""
        if self.target == "wafer":
            return self.json.get("wafer", {}).get("machine") or self.figures_note("emulated") or "wafer"
        if self.target == "simulated":
            name = self.json.get("simulation", {}).get("machine") or "simulated cluster"
            return name + (f", {self.profile}" if self.profile else "")
        name = self.description.name if self.description else self.json["machine"]["cpu"]
        return f"{name}, {self.json['build']['backend']}"

    @property
    def profile(self):
        """Whose step a simulated run makes, "lammps_kokkos_2023" or the like; empty for the program's own."""
        return self.json.get("simulation", {}).get("profile") or ""

    def figures_note(self, kind):
        return next((f.note.split(":")[0] for f in self.figures.values() if f.kind == kind and f.note), None)

    @functools.cached_property
    def problem(self):
        """A key: two results with the same one did the same work per atom-step (or token), on whatever machine."""
        if self.app == "sparse_llama":
            model = self.json.get("model", {})
            # The instruction set and the BLAS belong to the machine.
            model = {k: v for k, v in model.items() if k not in ("instructions", "blas", "cache")}
            return json.dumps(["sparse_llama", self.command, model, self.value("sparsity"), *([self.own_cache] if self.own_cache else [])],
                              sort_keys=True)
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
        # TOML has dates, JSON has not.
        return json.dumps([self.app, self.command, physics], sort_keys=True, default=str)

    @functools.cached_property
    def own_cache(self):
        """What keys and values were kept as, where it is not what goes with the weights; None of results that do not say (the wafer's, older ones)."""
        model = self.json.get("model", {})
        return model.get("cache") if model.get("cache") != ("fp32" if model.get("value") == "fp32" else "bf16") else None

    @functools.cached_property
    def label(self):
        """The problem in a few words, without its size."""
        if self.app == "sparse_llama":
            model = self.json.get("model", {})
            words = [str(model.get(k)) for k in ("format", "value") if model.get(k)]
            if self.model_name:
                words.insert(0, self.model_name)
            sparsity = self.value("sparsity")
            if sparsity:
                words.append(f"{100 * sparsity:.0f} % cut")
            if self.own_cache:
                words.append(f"cache in {self.own_cache}")
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
    def model_key(self):
        """Which Llama: its name with its whole path, without the sparsity and seed of made-up weights; empty for results that name none."""
        name, _, keys = self.json.get("model", {}).get("name", "").partition(":")
        kept = [k for k in keys.split(",") if k and k.split("=")[0] not in ("sparsity", "seed")]
        return name + (f" ({', '.join(kept)})" if kept else "")

    @property
    def model_name(self):
        """The Llama as pages name it; two folders may have one name."""
        name, bracket, kept = self.model_key.partition(" (")
        return plain_model_name(name) + bracket + kept

    @property
    def build_key(self):
        """What built it: repeats of different builds are no repeats."""
        build = self.json["build"]
        return (*(build[k] for k in ("commit", "compiler", "flags", "kokkos", "backend", "mpi")), build.get("cpu_level", ""))

    @property
    def tiles_used(self):
        """(tiles that work, tiles of the wafer); None where the result does not say both."""
        wafer = self.json.get("wafer", {})
        sides = [wafer.get("numbers", {}).get(f"grid.{s}", {}).get("value") for s in ("width", "height")]
        if not wafer.get("tiles") or not all(s and s >= 1 for s in sides):
            return None
        return wafer["tiles"][0] * wafer["tiles"][1], int(sides[0] * sides[1])

    @property
    def machine_changes(self):
        """What --machine-set changed of the emulated or simulated machine."""
        section = self.json.get({"wafer": "wafer", "simulated": "simulation"}.get(self.target, ""), {})
        return section.get("machine_changes") or []

    @property
    def wafer_options(self):
        """Options of the wafer target that change its rate, in words; empty for the plain one."""
        chosen = self.deck.get("wafer", {})
        plain = {"machine", "trace", "blocks", "swap_every_steps", "tiles"}
        return ", ".join(f"{k}={v}" for k, v in sorted(chosen.items()) if k not in plain)

    @property
    def is_plain_wafer(self):
        """Whether it runs the published program: a crystal may lie on the tiles in layers, which is no option of the program but a way to
        place it."""
        return all(o.startswith("layer_cells=") for o in self.wafer_options.split(", ") if o)

    @property
    def layers_in_words(self):
        """"layers of 1 cell" of a crystal that lies on the tiles so; empty for whole columns."""
        cells = self.json.get("wafer", {}).get("layer_cells") or 0
        return f"layers of {cells} cell{'s' if cells > 1 else ''}" if cells else ""

    @property
    def complete(self):
        """Whether the run did all that it was to do; results of before there was a status are."""
        return self.json.get("status", "complete") == "complete"

    @property
    def valid(self):
        """All checks pass, of a run that is complete: what may be quoted."""
        return self.json["valid"] and self.complete

    @property
    def why_not_valid(self):
        """In words; empty where the result is valid."""
        if not self.complete:
            note = self.json.get("status_note", "")
            return "incomplete" + (f": {note}" if note else "")
        return "" if self.json["valid"] else "its checks fail"


def document_of(path):
    """A result.json as it is, of the right version. Raises InputError."""
    document = parse_json(text_of(path), path)
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA_VERSION:
        raise InputError(f"{path}: found schema {found(schema)}, expected {SCHEMA_VERSION!r}")
    return document


def read_result(path):
    """One result.json. Raises InputError with the place of the first thing that is wrong."""
    return checked_result(document_of(path), path)


def checked_result(document, path):
    check_schema(document, RESULT_SCHEMA, path)
    source = f"{path}: deck.toml"
    deck = check_schema(parse_toml(document.get("deck", {}).get("toml", ""), source), DECK_SCHEMA, source)
    figures = {}
    for k, f in enumerate(document["figures"]):
        if f["name"] in figures:
            raise InputError(f"{path}: figures.{k}.name: found {found(f['name'])} for the second time, expected it once")
        figures[f["name"]] = Figure(
            f["name"], f["value"], f["unit"], shown_kind(f["name"], f["kind"]), f.get("note", ""), band_of(f)
        )
    return RunResult(Path(path).parent, document, figures, deck, [Check.of(c) for c in document["checks"]])


def read_defects(path):
    """defects.json of a run, its rows and its box in order."""
    document = read_json(path, SCHEMAS / "defects.schema.json")
    columns = document["series"]["columns"]
    rows = len(columns["step"])
    if rows == 0:
        raise InputError(f"{path}: series.columns: found no rows, expected at least one")
    for name in ("time_ps", "vacancies", "interstitials"):
        if len(columns[name]) != rows:
            raise InputError(f"{path}: series.columns.{name}: found {len(columns[name])} rows, expected {rows} as of step")
    for low, high in zip(document["box"]["lo_angstrom"], document["box"]["hi_angstrom"]):
        if not high - low >= SHORTEST_EDGE:
            expected = f"at least {SHORTEST_EDGE:g} more than lo_angstrom, {low:g}"
            raise InputError(f"{path}: box.hi_angstrom: found {high:g}, expected {expected}")
    return document


def paths_below(folders):
    """Every result.json in the folders and below them. A folder without one is an error."""
    found_paths = []
    for folder in map(Path, folders):
        try:
            if not folder.exists():
                raise InputError(f"{folder}: not found, expected a folder with a result.json")
            paths = sorted(folder.rglob("result.json")) if folder.is_dir() else [folder]
        except (OSError, ValueError) as error:  # a name too long, or with a NUL
            raise InputError(f"{folder}: {getattr(error, 'strerror', None) or error}") from None
        if not paths:
            raise InputError(f"{folder}: found no result.json in it or below it, expected the folder of a run")
        found_paths += paths
    return found_paths


def read_results(folders):
    """All results of runs in the folders and below them, each once, in the order of their start. Replays of simulated clusters
    are left to replays.py; folders that hold nothing else are an error."""
    results = {}
    for path in paths_below(folders):
        if path.resolve() not in results:
            document = document_of(path)
            if document.get("app") != REPLAY:
                results[path.resolve()] = checked_result(document, path)
    if not results:
        raise InputError(f"{folders[0]}: found replays of simulated clusters only, expected a run beside them")
    return sorted(results.values(), key=lambda r: (r.started, str(r.folder)))
