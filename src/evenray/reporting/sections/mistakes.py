"""The most confident mistakes, with where the network looked, and whether such maps can be believed."""

from __future__ import annotations

from typing import Any

from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.pictures import heat, photograph

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.attributions is None:
        return None
    cards = [_card(run, entry) for entry in run.attributions]
    groups = [(kind, [card for card in cards if card["kind"] == kind]) for kind in ("mistake", "hit")]
    sanity = run.sanity
    return {"groups": [(kind, held) for kind, held in groups if held], "sanity": sanity}


def _card(run: Run, entry: dict[str, Any]) -> dict[str, Any]:
    folder = run.folder / "attributions"
    pictures = {"picture": photograph(folder / entry["image"]), "heat": heat(folder / entry["map"])}
    return entry | pictures
