"""The most confident mistakes, with where the network looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evenray.core.artefacts.explained import Attribution
from evenray.core.tags import PRESENT
from evenray.reporting.language import Language
from evenray.reporting.pictures import heat, photograph
from evenray.reporting.view import RunView

__all__ = ["Card", "cards", "cards_of", "context"]


@dataclass(frozen=True)
class Card:
    entry: Attribution
    predicted: str
    label: str
    picture: str | None
    heat: str | None


@dataclass(frozen=True)
class Shown:
    groups: list[tuple[str, list[Card]]]
    believed: str


def context(run: RunView, say: Language) -> Shown | None:
    if run.attributions is None:
        return None
    return Shown(cards(run, say), "" if run.attributions.believed else say("mistakes.not_believed"))


def cards(run: RunView, say: Language) -> list[tuple[str, list[Card]]]:
    """The cases with their maps, mistakes before hits."""
    entries = run.attributions.entries if run.attributions else ()
    groups = [(kind, [entry for entry in entries if entry.kind == kind]) for kind in ("mistake", "hit")]
    return [(kind, cards_of(own, run.path / "attributions", say)) for kind, own in groups if own]


def cards_of(entries: Sequence[Attribution], folder: Path, say: Language) -> list[Card]:
    """Entries as they are shown; `folder` holds their pictures."""
    found = []
    for entry in entries:
        predicted, label = (_words(entry.finding, said, say) for said in (entry.predicted, entry.label))
        found.append(Card(entry, predicted, label, photograph(folder / entry.image), heat(folder / entry.map)))
    return found


def _words(finding: str, said: str, say: Language) -> str:
    """A class by its name; of a finding its name, or that it is not there."""
    if not finding:
        return said
    return finding if said == PRESENT else say("findings.absent", name=finding)
