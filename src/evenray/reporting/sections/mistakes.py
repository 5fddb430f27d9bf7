"""The most confident mistakes, with where the network looked, and whether such maps can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.explained import Attribution, Attributions
from evenray.reporting.language import Language
from evenray.reporting.pictures import heat, photograph
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Card:
    entry: Attribution
    picture: str | None
    heat: str | None


@dataclass(frozen=True)
class Shown:
    groups: list[tuple[str, list[Card]]]
    sanity: Attributions


def context(run: RunView, say: Language) -> Shown | None:
    if run.attributions is None:
        return None
    folder = run.path / "attributions"
    groups: dict[str, list[Card]] = {"mistake": [], "hit": []}
    for entry in run.attributions.entries:
        groups[entry.kind].append(Card(entry, photograph(folder / entry.image), heat(folder / entry.map)))
    return Shown(groups=[(kind, held) for kind, held in groups.items() if held], sanity=run.attributions)
