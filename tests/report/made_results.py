"""Results as the programs write them, with figures of choice: what the report's tests are made of."""
import json
import math
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
REPORT = SOURCE / "apps/report/wafermark-report"
sys.path.insert(0, str(SOURCE / "apps/report"))

DECK = """title = 'made'
[structure]
lattice = 'bcc'
element = 'W'
lattice_constant_angstrom = 3.1652
cells = [{cells}, {cells}, {cells}]
[potential]
model = 'ackland_thetford_1987'
[run]
steps = {steps}
timestep_ps = 0.002
[temperature]
initial_k = 300.0
{more}
"""


def result(
    target="cluster",
    cells=10,
    ranks=1,
    rate=1000.0,
    steps=100,
    joules=None,
    valid=True,
    more="",
    host="node1",
    **changes,
):
    """A result of tungsten_md run. `rate`: steps per second. `changes` replace keys of the document."""
    atoms, kind = 2 * cells**3, {"wafer": "emulated", "simulated": "simulated"}.get(target, "measured")
    loop = steps / rate
    figures = [
        ("atoms", atoms, "", "measured"),
        ("steps", steps, "", "measured"),
        ("loop_seconds", loop, "s", "measured"),
        ("steps_per_second", rate, "1/s", kind),
        ("atom_steps_per_second", atoms * rate, "1/s", kind),
    ]
    document = {
        "schema": "wafermark-result-1",
        "app": "tungsten_md",
        "command": "run",
        "target": target,
        "started": "2026-01-02T03:04:05Z",
        "wall_seconds": loop + 1,
        "valid": valid,
        "deck": {"file": "made.toml", "toml": DECK.format(cells=cells, steps=steps, more=more)},
        "build": {
            "version": "0",
            "commit": "abc",
            "compiler": "gcc",
            "flags": "Release",
            "kokkos": "5",
            "backend": "OpenMP",
            "mpi": "Open MPI",
        },
        "machine": {"hosts": [host], "cpu": "A CPU", "ranks": ranks, "threads_per_rank": 1},
        "regions": [],
        "checks": [
            {
                "name": "energy_balance_per_atom",
                "value": 1e-6 if valid else 1.0,
                "reference": 0.0,
                "tolerance": 1e-4,
                "unit": "eV",
                "pass": valid,
            }
        ],
        "energy": {
            "joules": joules,
            "source": "rapl" if joules else "none",
            "note": "" if joules else "no RAPL package domain",
        },
    }
    if target == "wafer":
        figures += [
            ("watts", 17500.0, "W", "emulated"),
            ("joules_per_atom_step", 17500.0 / rate / atoms, "J", "emulated"),
            ("neighbours_per_atom", 14.0, "", "emulated"),
            ("idle_energy_share", 0.9, "", "emulated"),
            ("utilisation", 0.8, "", "emulated"),
            ("link_load", 0.03, "", "emulated"),
            ("sram_high_water", 32000.0, "B", "emulated"),
        ]
        document["wafer"] = {
            "machine": "wse2",
            "tiles": [cells * 2, cells * cells],
            "phases_cycles_per_step": [
                {"phase": "forces", "kind": "compute", "min": 100.0, "mean": 300.0, "max": 400.0},
                {"phase": "multicast_positions", "kind": "fabric", "min": 90.0, "mean": 90.0, "max": 90.0},
            ],
        }
    else:
        figures.append(("joules_per_atom_step", joules / (atoms * steps) if joules else None, "J", "measured"))
    document["figures"] = [
        {"name": n, "value": v, "unit": u, "kind": k} | ({"note": "wse2"} if k == "emulated" else {})
        for n, v, u, k in figures
    ]
    return document | changes


def banded(document, low, high):
    """The same result with a band of its rate, in parts of it."""
    rate = next(f for f in document["figures"] if f["name"] == "steps_per_second")
    rate["band"] = [low * rate["value"], high * rate["value"]]
    return document


def of_cells(document, cells):
    """The same run of another crystal."""
    toml = document["deck"]["toml"]
    begin = toml.index("cells = ")
    end = toml.index("]", begin) + 1
    atoms = 2 * math.prod(cells)
    figures = [f | {"value": atoms} if f["name"] == "atoms" else f for f in document["figures"]]
    return document | {"deck": {"file": "x", "toml": f"{toml[:begin]}cells = {list(cells)}{toml[end:]}"}, "figures": figures}


def llama(name, rate, target="wafer", sparsity=0.0, band=(0.8, 1.1), started="2026-01-02T03:04:05Z", prefill=None, wafer=None, ranks=1, joules=None,
          **model):
    kind = {"wafer": "emulated", "simulated": "simulated"}.get(target, "measured")
    made = result(target, ranks=ranks) | {"app": "sparse_llama", "checks": [], "deck": {"file": "", "toml": ""}, "started": started,
                                          "generation": {"tokens_asked_for": 64}}
    made["model"] = {"name": name, "format": "dense", "value": "bf16", "sequences": 1} | model
    made["figures"] = [{"name": n, "value": v, "unit": "", "kind": kind} | ({"band": [v * band[0], v * band[1]]} if b and v else {})
                       for n, v, b in (("decode_tokens_per_second", rate, band), ("prefill_tokens_per_second", prefill, band),
                                       ("sparsity", sparsity, None), ("joules_per_token", joules, None))]
    if target == "simulated":
        made["simulation"] = {"machine": "alps"}
    if wafer:
        made["wafer"] = made["wafer"] | wafer
    return made


def streamed(zeros, tokens, rate, sensitivity, joules=None):
    """What moves the rate moves the energy the other way, as where idle power is all."""
    of_energy = [moves(s["number"], 1 / s["at_low"], 1 / s["at_high"]) for s in sensitivity]
    return llama(f"llama2-7b:context=5000,sparsity={zeros}", None, sparsity=zeros, prefill=rate, joules=joules,
                 wafer={"weights": "streamed", "tokens_of_pass": tokens, "sensitivity": sensitivity, "energy_sensitivity": of_energy})


def moves(number, low, high):
    return {"number": number, "range": [1, 2], "at_low": low, "at_high": high}


def described(folder):
    """A description of the machine of made results that leaves nothing out, as the run rules ask for."""
    from wafermark_report.system import read_system

    path = Path(folder) / "described.toml"
    path.write_text('system = {name = "made", nodes = 10}\nnode = {sockets = 1, cpu = "A CPU", cores = 64, gpus = 0, memory_gib = 64}\n'
                    'network = {name = "a network"}\nstorage = {name = "a disk"}\npower = {meter = "none"}\n'
                    'software = {os = "an OS", compiler = "gcc", mpi = "Open MPI", blas = "OpenBLAS"}\n')
    return read_system(path)


def repeats(*rates, **changes):
    """Native runs that keep the run rules: long, and as many as there are rates."""
    return [result(rate=rate, steps=int(20 * rate), **changes) for rate in rates]


def write(folder, *results):
    """Each in a folder of its own below `folder`; returns `folder`."""
    for k, r in enumerate(results):
        place = Path(folder) / f"run{k:02d}"
        place.mkdir(parents=True)
        (place / "result.json").write_text(json.dumps(r))
    return Path(folder)


def seconds(atoms, ranks, compute=2e-7, launch=3e-5, latency=1e-5, surface=6e-7):
    """A step's time by the model's own formula."""
    from math import log2

    load = atoms / ranks
    return compute * load + launch + latency * log2(ranks) + (surface * load ** (2 / 3) if ranks > 1 else 0.0)


def sweep(noise=lambda k: 1.0, cells=(8, 12, 16, 24, 32), ranks=(1, 2, 4, 8), **coefficients):
    """Native runs of that cost."""
    return [
        result(cells=c, ranks=p, rate=noise(k) / seconds(2 * c**3, p, **coefficients))
        for k, (c, p) in enumerate((c, p) for c in cells for p in ranks)
    ]
