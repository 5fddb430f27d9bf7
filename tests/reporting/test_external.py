"""External tests on their page: distances and areas have a unit, or are said to be left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.artefacts.external import Change, Copies, ExternalRecord
from evenray.core.artefacts.scores import Figure
from evenray.reporting import external_page


@pytest.mark.parametrize(
    ("units", "language", "said"),
    [
        (("mm", "mm"), "en", "Distances are in mm, areas in mm²."),
        (("mm", "px"), "en", "left out: here they are in mm, in the internal test in px"),
        (("px", "mm"), "ko", "여기서는 px, 내부 시험에서는 mm"),
        (None, "en", "(Zou &amp; Donner 2008).</p>"),
    ],
)
def test_the_unit_of_distances_is_named(
    copy_of_two: Path, units: tuple[str, str] | None, language: str, said: str
) -> None:
    figure = Figure(value=0.8, low=0.7, high=0.9, baseline=0.0)
    change = Change(external=figure, internal=figure, value=0.0, low=-0.1, high=0.1, p=1.0)
    ExternalRecord(
        name="harbour", made="2026-11-30T00:00:00+00:00", task="classify", network="", scores="", seed=0, cases=9, patients=9,
        copies=Copies(), flagged=None, false_flags=None, drift=(), prevalence={}, changes={"auroc": change}, main="auroc",
        total=None, units=units,
    ).write(copy_of_two)  # fmt: skip
    assert ExternalRecord.read(copy_of_two).units == units
    page = external_page(copy_of_two, language=language).read_text(encoding="utf-8")
    assert said in page
