"""The section of outlines says what each is of, where there are several classes and room."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evenray.core.artefacts.drawn import Outline, Overlay, Overlays
from evenray.reporting.language import Language
from evenray.reporting.sections import outlines


def square(label: str, x: float) -> Outline:
    return Outline(label=label, points=((x, 10.0), (x + 8, 10.0), (x + 8, 18.0), (x, 18.0)))


def shown(classes: tuple[str, ...], true: tuple[Outline, ...], called: tuple[Outline, ...]) -> outlines.Card:
    entry = Overlay(
        case="case-1", part="test", kind="worst", figures={"f1": 0.0}, image="00.png", width=100, height=80, true=true, called=called
    )  # fmt: skip
    run: Any = SimpleNamespace(overlays=Overlays(entries=(entry,)), classes=classes, path=Path("/nowhere"))
    found = outlines.context(run, Language("en"))
    assert found is not None
    return found.groups[0][1][0]


def test_names_tell_why_a_box_that_lies_right_is_wrong() -> None:
    card = shown(("nodule", "mass"), (square("nodule", 20),), (square("mass", 21), square("mass", 90)))
    (true,), (near, far) = card.true, card.called
    assert (true.label, near.label) == ("nodule", "mass")
    assert true.at is not None
    assert near.at is not None
    assert far.at is not None
    assert true.at[1] < 10 < 18 < near.at[1]  # one above, the other below, so that both can be read
    assert (near.end, far.end) == (False, True)
    assert far.at[0] == 98  # ends there, and does not reach over the border


@pytest.mark.parametrize(("classes", "many"), [(("cell",), 1), (("cell", "platelet"), 13)])
def test_pictures_are_not_covered_with_names(classes: tuple[str, ...], many: int) -> None:
    card = shown(classes, tuple(square("cell", 2 * n) for n in range(many)), ())
    assert [line.at for line in card.true] == [None] * many
    assert {line.label for line in card.true} == {"cell"}  # told where one points at it
