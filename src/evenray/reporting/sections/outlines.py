"""Test cases with the outlines of what is true and of what was called: the worst, typical ones, and false calls."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.drawn import Outline, Overlay
from evenray.reporting.language import Language
from evenray.reporting.pictures import photograph
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Card:
    entry: Overlay
    picture: str | None
    true: list[str]
    called: list[str]
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
        groups[entry.kind].append(
            Card(
                entry, photograph(run.path / "overlays" / entry.image), [_path(line) for line in entry.true],
                [_path(line) for line in entry.called], max(entry.width, entry.height) / 200, ", ".join(figures),
            )
        )  # fmt: skip
    return Shown([(kind, cards) for kind, cards in groups.items() if cards])


def _path(line: Outline) -> str:
    """An outline as the path of an SVG."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in line.points) + "Z"
