"""Whether attribution maps are to be believed: each check with its interval and a sentence; and maps of masks and boxes."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.explained import Attributions, Check
from evenray.reporting.figures.attribution import likeness, removal
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

from .mistakes import Card, cards

__all__ = ["context", "verdict"]


@dataclass(frozen=True)
class Row:
    check: Check
    interval: str
    result: str
    sentence: str


@dataclass(frozen=True)
class Shown:
    verdict: str
    shortcuts: list[str]
    about: list[str]
    rows: list[Row]
    figures: list[Figure]
    groups: list[tuple[str, list[Card]]]


def context(run: RunView, say: Language) -> Shown | None:
    found = run.attributions
    if found is None:
        return None
    layer = say("attribution.layer", layer=found.layer) if found.layer else ""
    covered = [name for name in ("border_covered", "text_covered") if found.check(name)]
    clear = [say("attribution.no_shortcut")] if covered and not found.shortcuts else []
    return Shown(
        verdict=verdict(found, say),
        shortcuts=[say(f"attribution.shortcut_{name}") for name in found.shortcuts] or clear,
        about=[
            say(f"attribution.explains_{found.explains}"),
            say("attribution.method", method=say.word("attribution", found.method), layer=layer),
            *([say("attribution.windows")] if any(entry.window for entry in found.entries) else []),
        ],
        rows=[_row(check, say) for check in found.checks],
        figures=_figures(found, say),
        groups=[(f"marked_{kind}", own) for kind, own in cards(run, say)] if run.marked else [],
    )


def verdict(found: Attributions, say: Language) -> str:
    """Whether the maps are to be believed, and if not, what speaks against them."""
    if found.believed:
        return say("attribution.believed")
    if not found.checks:
        return say("attribution.unchecked")
    against = [say(f"sanity.{name}") for name in found.against] or [say("attribution.unmade")]
    return say("attribution.not_believed", against=", ".join(against))


def _row(check: Check, say: Language) -> Row:
    result = "told" if check.passed is None else "passed" if check.passed else "failed"
    interval = say.interval(check.low, check.high) if check.low == check.low else "–"
    return Row(check, interval, result, say(f"sanity.{check.name}.{result}"))


def _figures(found: Attributions, say: Language) -> list[Figure]:
    figures = []
    for kind in ("deletion", "insertion"):
        own = {name.removeprefix(f"{kind}_"): values for name, values in found.curves.items() if name.startswith(kind)}
        if own:
            drawn = removal(found.shares, own, say)
            figures.append(Figure(say(f"attribution.{kind}_title"), drawn, say(f"attribution.{kind}_caption")))
    if found.cascade:
        drawn = likeness(found.cascade, say)
        figures.append(Figure(say("attribution.cascade_title"), drawn, say("attribution.cascade_caption")))
    return figures
