"""The two checklists: every item of both guidelines, answered by what the run did, or left to the authors."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from evenray.reporting.answers import ANSWERS
from evenray.reporting.language import Language
from evenray.reporting.sections import checklists
from evenray.reporting.view import RunView

EN = Language("en")
# The parts of the items of TRIPOD+AI that have several.
PARTS = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc", 23: "ab", 27: "abc"}


def test_claim_has_its_44_items_and_tripod_its_27_with_52_parts() -> None:
    assert list(checklists.CLAIM) == [str(n) for n in range(1, 45)]
    parts = [f"{n}{part}" for n in range(1, 28) for part in PARTS.get(n, [""])]
    assert list(checklists.TRIPOD) == parts
    assert len(parts) == 52


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_item_and_answer_is_told(language: str, finished_run: Path) -> None:
    found = checklists.context(RunView(finished_run), Language(language))
    for each in found.lists:
        assert all(item.asks for item in each.items)
        assert all(not re.search(r"\{\w+\}|\bNone\b|\bnan\b", a.text) for item in each.items for a in item.answers)
        assert all(item.answers or item.yours for item in each.items)
        assert sum(each.tally.values()) == len(each.items)


def test_every_answer_is_asked_for() -> None:
    asked = {
        name
        for items in (checklists.CLAIM, checklists.TRIPOD)
        for text in items.values()
        for name in text.strip("+").split()
    }
    assert asked == set(ANSWERS)


def test_an_empty_folder_leaves_everything_to_the_authors(tmp_path: Path) -> None:
    for each in checklists.context(RunView(tmp_path), EN).lists:
        answered = {item.number for item in each.items if item.answers}
        assert answered <= {"26", "40"}  # what holds of every run: its limits
        assert all(item.yours for item in each.items if item.number not in answered)


def test_answers_are_those_of_the_run(two: Path) -> None:
    claim = {item.number: item for item in checklists.context(RunView(two), EN).lists[0].items}
    parts = pl.read_parquet(two / "split.parquet")["part"].value_counts()
    held = dict(parts.iter_rows())
    assert (
        f"Training {held['train']}, validation {held['validation']}, test {held['test']} images"
        in claim["19"].answers[0].text
    )
    assert "could not be read: 1" in claim["35"].answers[0].text
    assert "by patient, stratified by class" in claim["19"].answers[0].text
    assert claim["35"].answers[0].target == "data"
    test = RunView(two).test
    assert test is not None
    assert f"AUROC {EN.number(test.metrics['auroc'].value)}" in claim["37"].answers[0].text
    assert claim["33"].answers == []
    assert claim["33"].yours


def test_parts_that_the_data_bring_and_patients_that_nobody_knows_are_told_so(two: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(two, tmp_path / "run"))
    cases, parts = pl.read_parquet(folder / "cases.parquet"), pl.read_parquet(folder / "split.parquet")
    cases = cases.drop("part", strict=False).join(parts.select("case", "part"), on="case", how="left")
    cases.with_columns(patient=pl.lit(None, pl.String)).write_parquet(folder / "cases.parquet")
    claim = {item.number: item for item in checklists.context(RunView(folder), EN).lists[0].items}
    assert claim["19"].answers[0].text.startswith("As the data give them")
    assert "where these are unknown" in claim["29"].answers[0].text
    assert "patients are unknown" in claim["20"].answers[0].text


def test_external_tests_robustness_and_groups_are_answers_where_the_run_has_them(two: Path) -> None:
    figure = {"value": 0.8, "low": 0.7, "high": 0.9}
    one = SimpleNamespace(
        cases=60, main="auroc", fall=SimpleNamespace(external=SimpleNamespace(**figure)), recalibrated=object()
    )
    gap = SimpleNamespace(column="site")
    run = RunView(two)
    run.__dict__ |= {"external": {"harbour": one}, "robustness": object(), "groups": SimpleNamespace(compared=[gap])}
    claim, tripod = ({item.number: item for item in each.items} for each in checklists.context(run, EN).lists)
    assert "60: AUROC 0.800 (0.700 to 0.900)" in claim["33"].answers[0].text
    assert claim["33"].answers[0].target == tripod["24"].answers[-1].target == "external"
    assert "corruptions" in claim["30"].answers[0].text
    assert "data from elsewhere" in tripod["4"].answers[0].text
    assert [answer.target for answer in tripod["12d"].answers][-1] == "groups"
    assert tripod["14"].answers == [] or tripod["14"].answers[-1].target != "groups"
