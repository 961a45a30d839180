"""What a report is made of: sections of text, tables and figures. Everything shown carries its kind."""
from dataclasses import dataclass, field

KINDS = ("measured", "counted", "recorded", "emulated", "simulated", "modelled", "published")


@dataclass(frozen=True)
class Cell:
    """A table's cell; `kind` draws a badge, `state` ("pass", "fail", "warn") colours it, `title` explains."""

    text: str
    kind: str = ""
    state: str = ""
    title: str = ""


@dataclass
class Text:
    text: str
    style: str = ""  # "note", "lead" or plain


@dataclass
class Table:
    columns: list
    rows: list  # of Cell or text
    caption: str = ""
    numeric_from: int = 1  # columns from here on are set right


@dataclass
class Picture:
    svg: str
    caption: str
    kinds: tuple = ()
    wide: bool = False
    legend: list = field(default_factory=list)  # (swatch, label)


@dataclass
class Listing:
    """Commands or decks, as they are."""

    title: str
    text: str


@dataclass
class Section:
    id: str
    title: str
    parts: list = field(default_factory=list)


@dataclass
class Missing:
    """A section that has no data: said in the appendix, in one line."""

    title: str
    why: str
