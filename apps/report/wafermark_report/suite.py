"""The problems of the suite: what a submission may be of. A problem is a deck of inputs/tungsten, or a Llama in true shapes."""
import functools
import json

from .documents import parse_toml, text_of
from .results import SOURCE
from .answer import METHOD_KEYS

# Decks, and whether the crystal may be a multiple of the deck's: a weak series grows with the machine.
DECKS = {
    "sc24_Ta": False,
    "sc24_Cu": False,
    "sc24_W": False,
    "strong_scaling": False,
    "weak_scaling": True,
    "cascade_10kev": False,
    "cascade_800k": False,
}
LLAMAS = ("tinyllama-1.1b", "llama2-7b", "llama3-8b")  # names of sparse_llama --synthetic


def physics_of(problem):
    """A result's problem without how a program computes it: these may be tuned."""
    app, command, physics = json.loads(problem)
    physics["run"] = {k: v for k, v in physics.get("run", {}).items() if k not in METHOD_KEYS}
    return json.dumps([app, command, physics], sort_keys=True)


@functools.cache
def decks():
    """name -> (physics, cells) of each deck of the suite."""
    from .results import RunResult

    found = {}
    for name in DECKS:
        path = SOURCE / f"inputs/tungsten/{name}.toml"
        deck = parse_toml(text_of(path), path)
        model = RunResult(path.parent, {"app": "tungsten_md", "command": "run"}, deck=deck)
        found[name] = (physics_of(model.problem), deck["structure"]["cells"])
    return found


def same_cells(cells, deck_cells, may_grow):
    if may_grow:
        return len(cells) == 3 and all(c % d == 0 for c, d in zip(cells, deck_cells))
    return cells == deck_cells


def problem_of(result):
    """The suite's name of what a result ran, or None: "sc24_Ta", "llama2-7b, 70 % cut, bit_mask int8"."""
    if result.command != "run":
        return None
    if result.app == "sparse_llama":
        if result.model_key not in LLAMAS:
            return None
        model = result.json["model"]
        return f"{result.model_name}, {100 * (result.value('sparsity') or 0):.0f} % cut, {model.get('format')} {model.get('value')}" + (
            f", cache in {result.own_cache}" if result.own_cache else "")
    physics, cells = physics_of(result.problem), result.deck.get("structure", {}).get("cells") or []
    for name, (wanted, deck_cells) in decks().items():
        if physics == wanted and same_cells(cells, deck_cells, DECKS[name]):
            return name
    return None


ATOMS_OF_CELL = {"bcc": 2, "fcc": 4}


def problem_of_replay(replay):
    """The suite's name of a replay, which knows its potential and its atoms but no deck; None where no deck has these."""
    for name in DECKS:
        path = SOURCE / f"inputs/tungsten/{name}.toml"
        deck = parse_toml(text_of(path), path)
        cells = deck["structure"]["cells"]
        atoms = ATOMS_OF_CELL[deck["structure"]["lattice"]] * cells[0] * cells[1] * cells[2]
        file = deck["potential"].get("file", "")
        if file and file.split(".")[0] == replay.potential and atoms == replay.atoms:
            return name
    return None
