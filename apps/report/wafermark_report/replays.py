"""Steps of simulated clusters that no program ran: result.json of jobscripts/cluster_replay.py, from a record of work or from
how another program goes about a workload."""
from dataclasses import dataclass
from pathlib import Path

from .documents import SCHEMAS, check_schema
from .results import REPLAY, Figure, band_of, document_of, paths_below
from .scaling import RATE


@dataclass(eq=False)
class Replay:
    """One replay. `kind`, of its rate: simulated, or modelled where SimGrid took no part."""

    folder: Path
    json: dict
    figures: dict

    name = property(lambda self: self.folder.name or self.folder.resolve().name)
    started = property(lambda self: self.json["started"])
    profile = property(lambda self: self.json["simulation"].get("profile", ""))
    potential = property(lambda self: self.json["simulation"].get("potential", ""))
    cells = property(lambda self: self.json["simulation"].get("cells"))
    kind = property(lambda self: self.figures[RATE].kind if RATE in self.figures else self.json["target"])
    workers = property(lambda self: self.json["simulation"].get("ranks") or self.json["machine"]["ranks"])

    @property
    def machine(self):
        return self.json["simulation"]["machine"] + (f", {self.profile}" if self.profile else "")

    @property
    def atoms(self):
        figure = self.figures.get("atoms")
        return int(figure.value) if figure and figure.value else None

    @property
    def valid(self):
        rate = self.figures.get(RATE)
        return self.json["valid"] and self.json.get("status", "complete") == "complete" and bool(rate and rate.value)


def read_replays(folders):
    """Those in the folders and below them, in the order of their start."""
    found = {}
    for path in paths_below(folders):
        document = document_of(path)
        if document.get("app") != REPLAY or path.resolve() in found:
            continue
        check_schema(document, SCHEMAS / "replay.schema.json", path)
        figures = {
            f["name"]: Figure(f["name"], f["value"], f["unit"], f["kind"], f.get("note", ""), band_of(f))
            for f in document["figures"]
        }
        found[path.resolve()] = Replay(path.parent, document, figures)
    return sorted(found.values(), key=lambda r: (r.started, str(r.folder)))
