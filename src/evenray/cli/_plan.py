"""The plan on the terminal: the data's fingerprint, and each choice with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ._screen import cell, say, screen

if TYPE_CHECKING:
    from evenray.core.run import Run

__all__ = ["show_plan"]


def show_plan(run: Run, lang: str) -> None:
    """Print the plan of a run in a language."""
    from evenray.core.texts import Texts

    planned, texts = run.planned, Texts(lang)
    assert planned is not None
    about = planned.fingerprint
    classes = texts.counts(about.classes)
    cases = ", ".join(f"{name} {count}" for name, count in about.cases.items())
    kind = texts("plan.grey") if not about.colour else texts("plan.colour", share=f"{about.colour:.0%}")
    say(texts("plan.cases", cases=cases, classes=classes, imbalance=f"{about.imbalance:g}"))
    say(texts("plan.images", side=about.side, kind=kind, bits=about.bits))
    table = Table(
        *(texts(f"plan.{name}") for name in ("choice", "value", "because")),
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for choice in planned.told:
        value = ", ".join(map(str, choice.value)) if isinstance(choice.value, list | tuple) else f"{choice.value}"
        table.add_row(choice.name, cell(value), cell(texts.message(choice.reason)))
    screen.print(table)
    if planned.precision is not None:
        say(texts.message(planned.precision))
