"""Workbooks that another package has written are read as the CSV file of their sheet is."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from evenray.core.errors import DataError
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.workbook import LARGEST

ROWS: list[list[Any]] = [
    ["파일", "환자번호", "검사일", "나이", "병변"],
    ["a.png", "007", datetime.date(2026, 1, 31), 45.5, "양성"],
    ["b.png", 8, None, 60, "음성"],
]  # fmt: skip


def write(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_the_sheet_is_read_as_its_csv_file(tmp_path: Path) -> None:
    found = read_raw_table(write(tmp_path / "labels.xlsx", 라벨=ROWS))
    text = "파일,환자번호,검사일,나이,병변\na.png,007,2026-01-31,45.5,양성\nb.png,8,,60,음성\n"
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    assert found.equals(read_raw_table(tmp_path / "labels.csv"))


def test_a_title_above_the_names_and_an_empty_sheet_are_no_matter(tmp_path: Path) -> None:
    titled = [["병변 목록"], [], ["image", "label"], ["a.png", "sick"], ["b.png", "well"]]
    found = read_raw_table(write(tmp_path / "labels.xlsx", Sheet1=titled, Sheet2=[]))
    assert found.to_dict(as_series=False) == {"image": ["a.png", "b.png"], "label": ["sick", "well"]}


def test_two_sheets_are_refused_by_their_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 sheets with values \('train', 'test'\); save the one that counts"):
        read_raw_table(write(tmp_path / "labels.xlsx", train=ROWS, test=ROWS))


def test_no_values_and_damage_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no sheet with values"):
        read_raw_table(write(tmp_path / "empty.xlsx", Sheet=[]))
    whole = write(tmp_path / "labels.xlsx", Sheet=ROWS).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is a workbook that cannot be read"):
        read_raw_table(tmp_path / "cut.xlsx")


def test_what_unfolds_too_far_is_not_unfolded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as sheet,
    ):
        for _ in range(LARGEST // (1 << 24) + 1):
            sheet.write(bytes(1 << 24))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="unfolds to"):
        read_raw_table(path)


def test_another_name_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.xlsx", Sheet=ROWS).rename(tmp_path / "labels.dat")
    with pytest.raises(DataError, match="is a workbook by another name"):
        read_raw_table(path)


def test_a_sheet_with_a_legend_beside_it_is_read(tmp_path: Path) -> None:
    legend = [["Code", "Meaning"], [1, "benign"], [2, "malignant"]]
    found = read_raw_table(write(tmp_path / "labels.xlsx", data=ROWS, legend=legend))
    assert found["파일"].to_list() == ["a.png", "b.png"]
