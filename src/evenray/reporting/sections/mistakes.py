"""The most confident mistakes, with where the network looked."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.explained import Attribution
from evenray.core.tags import PRESENT
from evenray.reporting.language import Language
from evenray.reporting.pictures import heat, photograph
from evenray.reporting.view import RunView

__all__ = ["Card", "cards", "context"]


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
    folder = run.path / "attributions"
    groups: dict[str, list[Card]] = {"mistake": [], "hit": []}
    for entry in run.attributions.entries if run.attributions else ():
        predicted, label = (_words(entry.finding, said, say) for said in (entry.predicted, entry.label))
        groups[entry.kind].append(
            Card(entry, predicted, label, photograph(folder / entry.image), heat(folder / entry.map))
        )
    return [(kind, held) for kind, held in groups.items() if held]


def _words(finding: str, said: str, say: Language) -> str:
    """A class by its name; of a finding its name, or that it is not there."""
    if not finding:
        return said
    return finding if said == PRESENT else say("findings.absent", name=finding)
