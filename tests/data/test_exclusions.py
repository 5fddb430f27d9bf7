"""The file of exclusions: what a person may write into it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from evenray.core.errors import UsageError
from evenray.core.types import Dataset
from evenray.data.scan import check_exclusions, read_exclusions, without


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "plan.csv").write_text(text, encoding=encoding)
    return folder / "plan.csv"


@pytest.fixture
def data() -> Dataset:
    table = pl.DataFrame(
        {"case": ["a", "b#0", "b#1", "c"], "file": ["a", "b", "b", "c"], "label": ["x", "y", "x", "y"]}
    )
    rejected = pl.DataFrame({"file": ["broken"], "reason": ["truncated"]})
    return Dataset(table, ("x", "y"), "y", ".", rejected)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("case,file,check,severity,reason,action\na,a,blank,warning,Blank,exclude\nc,c,blur,warning,Blur,review\n", [("a", "Blank")]),
        ("case,action\na,EXCLUDE\nb,keep\nc,\n", [("a", "as asked")]),
        ("case\nc\na\na\n", [("a", "as asked"), ("c", "as asked")]),
        ("file;Reason\nb;moved, blurred\n", [("b", "moved, blurred")]),
        ("\ufeffcase,reason\n 가슴/1.png ,판독 불가\n", [("가슴/1.png", "판독 불가")]),
        ("case,reason,action\n007,,exclude\n", [("007", "as asked")]),
        ("case,action\n", []),
    ],
)  # fmt: skip
def test_what_may_stand_in_it(tmp_path: Path, text: str, rows: list[tuple[str, str]]) -> None:
    assert read_exclusions(written(tmp_path, text)).rows() == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,reason\na,b\n", "has the columns name, reason; one named case"),
        ("case,action\na,exclude\nb,drop\n", "Row 3 of .* has the action 'drop'; give exclude, review or keep"),
        ("", "cannot be read as a CSV table"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_exclusions(written(tmp_path, text))


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"There is no file .*'evenray audit DATA --propose-exclusions .*plan.csv' proposes one"
    ):
        read_exclusions(tmp_path / "plan.csv")


def test_cases_and_files_are_found(data: Dataset) -> None:
    asked = pl.DataFrame({"case": ["b", "c"], "reason": ["moved", "blank"]})
    found = check_exclusions(data, asked)
    assert found.rows() == [("b#0", "moved"), ("b#1", "moved"), ("c", "blank")]
    assert without(data, found).cases["case"].to_list() == ["a"]


def test_what_the_scan_set_aside_needs_no_excluding(data: Dataset) -> None:
    assert check_exclusions(data, pl.DataFrame({"case": ["broken"], "reason": ["x"]})).is_empty()


def test_an_unknown_case_is_named(data: Dataset) -> None:
    with pytest.raises(UsageError, match=r"names 1 that is not among the 4 cases: b#7 \(did you mean 'b#\d'\?\)"):
        check_exclusions(data, pl.DataFrame({"case": ["a", "b#7"], "reason": ["x", "x"]}))
