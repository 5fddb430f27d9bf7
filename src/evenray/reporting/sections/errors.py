"""All that a model missed, and all that it called where it is not, with where it looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evenray.core.artefacts.explained import Attribution
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

from .attribution import verdict
from .mistakes import Card, cards_of

__all__ = ["Shown", "shown"]


@dataclass(frozen=True)
class Shown:
    believed: str
    counts: list[str]
    groups: list[tuple[str, list[Card]]]


def shown(
    run: RunView, entries: Mapping[str, Sequence[Attribution]], counts: Mapping[str, int], pictures: Path, say: Language
) -> Shown:
    """`entries` and their `counts` by kind, false_negative and false_positive; `pictures` is the folder of their files."""
    told = [say(f"errors.{kind}", n=say.count(n), shown=say.count(len(entries[kind]))) for kind, n in counts.items()]
    believed = verdict(run.attributions, say) if run.attributions else ""
    groups = [(kind, cards_of(own, pictures, say)) for kind, own in entries.items() if own]
    return Shown(believed, told, groups)
