"""Test cases with the outlines of what is true and of what was called: the worst, typical ones, and false calls."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.drawn import Outline, Overlay
from evenray.reporting.language import Language
from evenray.reporting.pictures import photograph
from evenray.reporting.view import RunView

__all__ = ["context"]


MOST_NAMES = 12  # outlines in a picture, from which on their names would cover it


@dataclass(frozen=True)
class Line:
    """An outline as the path of an SVG, what it is of, and from where on or up to where (`end`) that is written, if it is."""

    path: str
    label: str
    at: tuple[float, float] | None
    end: bool


@dataclass(frozen=True)
class Card:
    entry: Overlay
    picture: str | None
    true: list[Line]
    called: list[Line]
    width: float
    words: str


@dataclass(frozen=True)
class Shown:
    groups: list[tuple[str, list[Card]]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.overlays is None:
        return None
    groups: dict[str, list[Card]] = {"worst": [], "empty": [], "typical": []}
    for entry in run.overlays.entries:
        figures = [
            f"{say('metric.' + name)} {say.number(entry.figures[name])}"
            for name in ("dice", "f1")
            if entry.figures.get(name) == entry.figures.get(name) and name in entry.figures
        ]
        width = max(entry.width, entry.height) / 200
        named = len(run.classes) > 1 and len(entry.true) + len(entry.called) <= MOST_NAMES
        groups[entry.kind].append(
            Card(
                entry, photograph(run.path / "overlays" / entry.image),
                [_line(each, entry, named, above=True) for each in entry.true],
                [_line(each, entry, named, above=False) for each in entry.called], width, ", ".join(figures),
            )
        )  # fmt: skip
    return Shown([(kind, cards) for kind, cards in groups.items() if cards])


def _line(outline: Outline, entry: Overlay, named: bool, *, above: bool) -> Line:
    """Names of what is true stand above their outline, names of what was called below it, so that both can be read."""
    path = "M" + "L".join(f"{x:g},{y:g}" for x, y in outline.points) + "Z"
    across, down = zip(*outline.points, strict=True)
    side = max(entry.width, entry.height)
    end = min(across) > entry.width / 2  # so that names do not reach over the right border
    at = (max(across) if end else min(across), min(down) - side / 100 if above else max(down) + side / 25)
    return Line(path, outline.label, at if named else None, end)
