"""Which design a data set gets, and the outer folds of a nested one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import SplitSettings
from evenray.core.types import Dataset
from evenray.data import design
from evenray.data.design import designed, outer_folds, rarest
from evenray.data.split import split


def made(sick: int, well: int, images: int = 2, part: str | None = None) -> Dataset:
    """Patients of so many images each; with `part`, the first patient of each class is in it."""
    who = [(label, n) for label, count in (("sick", sick), ("well", well)) for n in range(count) for _ in range(images)]
    names = [f"{label}{n}" for label, n in who]
    cases = pl.DataFrame({
        "case": [f"case-{i:04d}" for i in range(len(who))], "file": [f"{i:04d}.png" for i in range(len(who))],
        "label": [label for label, _ in who], "patient": names, "pixel_hash": [f"{i}" for i in range(len(who))],
        "part": [part if n == 0 else None for _, n in who],
    }, schema_overrides={"part": pl.String})  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".")


def tagged(data: Dataset, present: int) -> Dataset:
    """The same with two findings: one that so many patients have and the rest not, one that half of them have."""
    order = {name: i for i, name in enumerate(data.cases["patient"].unique(maintain_order=True))}
    told = [[order[name] < present, order[name] % 2 == 0] for name in data.cases["patient"]]
    cases = data.cases.with_columns(pl.Series("findings", told, pl.List(pl.Boolean)))
    facts = data.facts.model_copy(update={"task": "tag"})
    return replace(data, cases=cases, classes=("rare", "usual"), positive="", facts=facts)


@pytest.mark.parametrize(
    ("data", "effort", "name", "reason"),
    [
        (made(15, 60), "standard", "nested", "small"),
        (made(49, 50, images=1), "thorough", "nested", "small"),
        (made(50, 50, images=1), "standard", "split", "enough"),
        (made(15, 60), "quick", "split", "quick"),
        (made(7, 60), "standard", "split", "few"),
        (made(15, 60, part="test"), "standard", "split", "given"),
        (made(15, 60, part="validation"), "standard", "nested", "small"),
        (tagged(made(40, 80), 20), "standard", "nested", "small"),
        (tagged(made(40, 80), 3), "standard", "split", "enough"),  # too rare to ask for a design
    ],
)
def test_few_patients_are_cross_validated(data: Dataset, effort: str, name: str, reason: str) -> None:
    found = designed(data, SplitSettings(effort=effort))
    assert (found.name, found.reason.code) == (name, f"plan.design.{reason}")
    assert (found.folds, found.repeats) == ((design.FOLDS, design.REPEATS) if name == "nested" else (0, 0))


def test_too_many_images_to_train_on_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design, "LARGE", 100)
    assert designed(made(15, 60), SplitSettings()).reason.code == "plan.design.large"
    assert designed(made(15, 60), SplitSettings(design="nested")).nested


def test_what_is_asked_for_is_taken() -> None:
    assert designed(made(90, 90), SplitSettings(design="nested")).reason.code == "plan.asked"
    assert designed(made(15, 60), SplitSettings(design="split")).name == "split"
    assert designed(made(15, 60), SplitSettings(test=0.3)).reason.code == "plan.asked"  # a test part, of that share
    assert designed(made(4, 60), SplitSettings(design="nested")).folds == 4


def test_a_given_test_part_is_not_trained_on() -> None:
    with pytest.raises(UsageError, match="bring a test part"):
        designed(made(15, 60, part="test"), SplitSettings(design="nested"))


def test_a_task_that_is_not_cross_validated_keeps_its_test_part() -> None:
    data = made(15, 60)
    other = replace(data, facts=data.facts.model_copy(update={"task": "other"}))
    assert designed(other, SplitSettings()).reason.code == "plan.design.task"
    with pytest.raises(UsageError, match="not there yet for the task other"):
        designed(other, SplitSettings(design="nested"))


def test_two_patients_cannot_be_cross_validated() -> None:
    with pytest.raises(DataError, match="'sick' has 2 patients"):
        designed(made(2, 60), SplitSettings(design="nested"))


def test_patients_are_counted_and_not_images() -> None:
    assert rarest(made(15, 60, images=4)) == ("sick", 15)
    assert rarest(tagged(made(40, 80), 20)) == ("rare", 20)


def test_no_test_part_is_made_under_a_nested_design() -> None:
    parts = split(made(15, 60), test=None, validation=0.2).cases["part"]
    assert set(parts) == {"train", "validation"}


@pytest.mark.parametrize("data", [made(15, 60), tagged(made(40, 80), 20)], ids=["classify", "tag"])
def test_outer_folds_hold_whole_patients_and_every_case_once_a_repeat(data: Dataset) -> None:
    settings = SplitSettings(design="nested", seed=3)
    plan = designed(data, settings)
    found = list(outer_folds(data, plan, settings, []))
    assert [(each.repeat, each.fold) for each in found] == [(r, f) for r in range(plan.repeats) for f in range(5)]
    for each in found:
        assert each.dataset.cases["case"].equals(data.cases["case"])
        assert each.dataset.cases.group_by("patient").agg(pl.col("part").n_unique())["part"].max() == 1
        assert set(each.dataset.cases["part"]) == {"train", "validation", "test"}
        assert all(each.dataset.part(name).members[data.classes[0]].any() for name in ("train", "validation", "test"))
    for repeat in range(plan.repeats):
        held = [each.dataset.part("test").cases["case"].to_list() for each in found if each.repeat == repeat]
        assert sorted(case for fold in held for case in fold) == sorted(data.cases["case"].to_list())
    assert len({tuple(each.dataset.part("test").cases["case"]) for each in found}) == len(found)
    assert len({each.seed for each in found}) == plan.repeats


@pytest.mark.parametrize(("present", "absent"), [(4, 3), (5, 3), (3, 3), (3, 6)])
@pytest.mark.parametrize("seed", range(3))
def test_a_finding_that_three_patients_have_or_lack_is_in_every_part(present: int, absent: int, seed: int) -> None:
    data = made(present, absent)
    told = pl.Series("findings", [[label == "sick"] for label in data.cases["label"]], pl.List(pl.Boolean))
    facts = data.facts.model_copy(update={"task": "tag"})
    data = replace(data, cases=data.cases.with_columns(told), classes=("f",), positive="", facts=facts)
    settings = SplitSettings(design="nested", seed=seed)
    divided = [
        split(data, seed=seed),
        *(each.dataset for each in outer_folds(data, designed(data, settings), settings, [])),
    ]
    assert len(divided) == 1 + 3 * design.REPEATS
    for each in divided:
        assert all(len(np.unique(each.part(name).targets)) == 2 for name in ("train", "validation", "test"))


def test_copies_stay_on_one_side() -> None:
    data = made(12, 30, images=1)
    together = [(data.cases["case"][0], data.cases["case"][20]), (data.cases["case"][1], data.cases["case"][2])]
    settings = SplitSettings(design="nested")
    for each in outer_folds(data, designed(data, settings), settings, together):
        part = dict(each.dataset.cases.select("case", "part").iter_rows())
        assert all(part[one] == part[other] for one, other in together)


def test_the_folds_are_the_seeds() -> None:
    data, settings = made(15, 60), SplitSettings(design="nested")

    def folds_of(seed: int) -> list[list[str]]:
        own = settings.but(seed=seed)
        return [each.dataset.cases["part"].to_list() for each in outer_folds(data, designed(data, own), own, [])]

    assert folds_of(1) == folds_of(1) != folds_of(2)
    assert np.shape(folds_of(1)) == (15, len(data))
