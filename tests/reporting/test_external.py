"""External tests on their page: what figures are of, and in which unit, is told, or why there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.artefacts.external import Change, Copies, ExternalRecord
from evenray.core.artefacts.scores import Figure
from evenray.reporting import external_page

FIGURE = Figure(value=0.8, low=0.7, high=0.9, baseline=0.0)
CHANGE = Change(external=FIGURE, internal=FIGURE, value=0.0, low=-0.1, high=0.1, p=1.0)


def record(changes: dict[str, Change], **more: object) -> ExternalRecord:
    return ExternalRecord(
        name="harbour", made="2026-11-30T00:00:00+00:00", task="classify", network="", scores="", seed=0, cases=9, patients=9,
        copies=Copies(), flagged=None, false_flags=None, drift=(), prevalence={}, changes=changes, main="auroc", total=None, **more,
    )  # type: ignore[arg-type]  # fmt: skip


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
    record({"auroc": CHANGE}, units=units).write(copy_of_two)
    assert ExternalRecord.read(copy_of_two).units == units
    page = external_page(copy_of_two, language=language).read_text(encoding="utf-8")
    assert said in page


@pytest.mark.parametrize(
    ("task", "over", "language", "said"),
    [
        ("classify", ("0", "1"), "en", "Both sets are measured on cases of 0, 1 alone, the classes that both have"),
        ("tag", ("edema",), "en", "Both sets are measured on edema alone, the findings that both have"),
        ("segment", ("lung",), "ko", "두 데이터에 모두 있는 클래스인 lung만으로"),
    ],
)
def test_what_the_comparison_is_over_is_named_where_it_is_not_all(
    copy_of_two: Path, task: str, over: tuple[str, ...], language: str, said: str
) -> None:
    told = record({"auroc": CHANGE}, over=over).model_copy(update={"task": task})
    told.write(copy_of_two)
    assert ExternalRecord.read(copy_of_two) == told
    assert said in external_page(copy_of_two, language=language).read_text(encoding="utf-8")
    told.model_copy(update={"over": ()}).write(copy_of_two)
    assert said not in external_page(copy_of_two, language=language).read_text(encoding="utf-8")


def test_where_nothing_is_in_common_no_loss_is_told(copy_of_two: Path) -> None:
    record({}).write(copy_of_two)
    page = external_page(copy_of_two).read_text(encoding="utf-8")
    assert "no figures stand beside each other" in page
    assert "No loss is shown" not in page
