"""The verb histogram from the outside."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.images import readers

from .conftest import RNG, run, run_json


def test_histogram_of_a_folder(folder: Path) -> None:
    result = run_json("histogram", folder)
    pixels = np.concatenate([readers.read(file).pixels.ravel() for file in sorted(folder.rglob("*.png"))])
    assert result["images"] == 3
    assert result["mean"] == pytest.approx(pixels.mean())
    assert sum(count for _, count in result["table"]) == pixels.size
    assert result["table"][0] == ["0 to 15", int((pixels < 16).sum())]
    assert pixels.mean() < 0.25 * 255  # which is what under-exposed means
    assert [a["name"] for a in result["advice"]] == ["under_exposed", "low_contrast"]


def test_histogram_prints_the_slides_table(tmp_path: Path) -> None:
    counts = [9, 32, 109, 180, 132, 34, 4]
    values = np.concatenate([RNG.integers(100 * i - 350, 100 * i - 250, n) / 100 for i, n in enumerate(counts)])
    (tmp_path / "v.csv").write_text("x\n" + "\n".join(f"{v:.2f}" for v in values) + "\n")
    result = run("histogram", tmp_path / "v.csv", "--width", 1, "--start", -3.5, "-o", tmp_path / "t.csv")
    assert "Bin/Interval" in result.stdout
    assert "Count/Frequency" in result.stdout
    with (tmp_path / "t.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["Bin/Interval", "Count/Frequency"]
    assert rows[1] == ["-3.5 to -2.51", "9"]
    assert [int(row[1]) for row in rows[1:]] == counts


def test_the_kind_of_a_column_decides_the_chart(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("age,view\n1,PA\n2,AP\n9,PA\n")
    assert "Category" in run("histogram", tmp_path / "t.csv", "--column", "view", "-o", tmp_path / "v.svg").stdout
    result = run_json("histogram", tmp_path / "t.csv", "--column", "age", "-o", tmp_path / "a.png")
    assert result["mean"] == pytest.approx(4)
    assert (tmp_path / "v.svg").read_text().startswith("<svg")
    drawn, accent = cv2.imread(str(tmp_path / "a.png")), (173, 100, 15)
    heights = (drawn == accent).all(axis=2).sum(axis=0)
    assert heights.max() == 2 * heights[heights > 0].min() == 2 * 210  # two rows in the first interval, one in the last
    with pytest.raises(UsageError, match=r"age \| view"):
        run("histogram", tmp_path / "t.csv")


def test_images_of_different_depths_are_counted_over_the_unit_range(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 4), 255, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((4, 4), 65535, np.uint16))
    result = run_json("histogram", tmp_path)
    assert result["mean"] == pytest.approx(1)
    assert "ranges differ" in result["title"]


@pytest.mark.parametrize(
    ("options", "edges"),
    [
        (("--width", 32), np.arange(0, 97, 32)),
        (("--width", 30, "--start", 15), [15, 45, 75, 105]),
        (("--width", 20, "--start", 30, "--bins", 2), [30, 50, 69.5]),  # numpy closes its last bin, we do not
    ],
)
def test_images_take_any_binning(folder: Path, options: tuple[object, ...], edges: np.ndarray) -> None:
    pixels = np.concatenate([readers.read(file).pixels.ravel() for file in sorted(folder.rglob("*.png"))])
    result = run_json("histogram", folder, *options)
    assert [count for _, count in result["table"]] == np.histogram(pixels, edges)[0].tolist()


def test_images_binned_by_rules(folder: Path) -> None:
    pixels = np.concatenate([readers.read(file).pixels.ravel() for file in sorted(folder.rglob("*.png"))])
    even = [count for _, count in run_json("histogram", folder, "--rule", "equal-frequency", "--bins", 4)["table"]]
    assert sum(even) == pixels.size
    assert max(even) - min(even) <= 2 * np.bincount(pixels).max()
    table = run_json("histogram", folder, "--rule", "freedman-diaconis")["table"]
    width = round(2 * np.subtract(*np.percentile(pixels, [75, 25])) / pixels.size ** (1 / 3))
    assert table[0] == [f"{pixels.min()} to {pixels.min() + width - 1}", int((pixels < pixels.min() + width).sum())]


def test_a_table_of_paths_stands_for_its_images(folder: Path, tmp_path: Path) -> None:
    (folder / "cases.csv").write_text("image,age\na/one.png,3\nb/three.png,4\nb/none.png,5\n")
    result = run_json("histogram", folder / "cases.csv")
    assert (result["images"], len(result["skipped"])) == (2, 1)
    assert run_json("histogram", folder / "cases.csv", "--column", "age")["mean"] == pytest.approx(4)
    made = run_json("enhance", folder / "cases.csv", "-m", "equalize", "-o", tmp_path / "out")
    assert [Path(file).relative_to(tmp_path / "out").as_posix() for file in made["written"]] == [
        "a/one.png",
        "b/three.png",
    ]
    assert "none.png" in made["skipped"][0]["file"]
    with pytest.raises(UsageError, match="written over"):
        run("enhance", folder / "cases.csv", "-m", "equalize", "-o", folder)
    (folder / "ages.csv").write_text("age,view\n3,PA\n")
    with pytest.raises(DataError, match="no column of paths"):
        run("enhance", folder / "ages.csv", "-m", "equalize")


def test_mistakes_of_counting(folder: Path) -> None:
    with pytest.raises(UsageError, match="smaller start"):
        run("histogram", folder, "--start", 300, "--bins", 2)
    with pytest.raises(UsageError, match="no rule"):
        run("histogram", folder, "--rule", "sturges")
    with pytest.raises(UsageError, match="ends in"):
        run("histogram", folder, "-o", "x.pdf")


@pytest.mark.parametrize(
    "text",
    ["\ufeffage;view\n1;PA\n2;AP\n9;PA\n", "age\tview\n1\tPA\n2\tAP\n9\tPA\n", "age,view\r\n1,PA\r\n2,AP\r\n9,PA\r\n"],
)
def test_tables_as_spreadsheets_save_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    assert run_json("histogram", tmp_path / "t.csv", "--column", "age")["mean"] == pytest.approx(4)
    assert run_json("histogram", tmp_path / "t.csv", "--column", "view")["table"] == [["PA", 2], ["AP", 1]]


@pytest.mark.parametrize("word", ["nan", "NA", "", "NULL", "?"])
def test_what_says_that_a_value_is_missing_is_not_counted(tmp_path: Path, word: str) -> None:
    (tmp_path / "t.csv").write_text(f"n,name,sick\n1,a,0\n{word},{word},{word}\n3,b,1\n5,b,1\n")
    assert run_json("histogram", tmp_path / "t.csv", "--column", "n")["missing"] == 1
    names = run_json("histogram", tmp_path / "t.csv", "--column", "name")
    assert (names["table"], names["title"]) == ([["b", 2], ["a", 1]], "name, 4 rows, 1 missing")
    assert run_json("histogram", tmp_path / "t.csv", "--column", "sick")["table"] == [["1", 2], ["0", 1]]


@pytest.mark.parametrize("rows", ["", "\n\n", "nan\nNA\n"])
def test_a_column_without_a_value_is_said_in_words(tmp_path: Path, rows: str) -> None:
    (tmp_path / "t.csv").write_text(f"n,m\n{rows}")
    with pytest.raises(DataError, match="holds no value"):
        run("histogram", tmp_path / "t.csv", "--column", "n")


def test_zeros_and_ones_are_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("label\n0\n1\n1\n")
    assert run_json("histogram", tmp_path / "t.csv")["table"] == [["1", 2], ["0", 1]]
    assert run_json("histogram", tmp_path / "t.csv", "--width", 1)["table"] == [["0", 1], ["1", 2]]


def test_what_the_intervals_leave_out_is_told(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "t.csv").write_text("n\n" + "\n".join(map(str, range(10))) + "\n")
    found = run_json("histogram", tmp_path / "t.csv", "--width", 1, "--start", 2, "--bins", 3)
    assert (found["total"], found["missing"], found["outside"]) == (10, 0, 7)
    assert (
        "outside the intervals: 7"
        in run("histogram", tmp_path / "t.csv", "--width", 1, "--start", 2, "--bins", 3).stdout
    )
    image = run_json("histogram", folder / "a" / "one.png", "--width", 5, "--start", 200, "--bins", 2)
    assert image["outside"] == 3000


def test_categories_are_exported_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("view\nPA\nAP\nPA\n")
    run("histogram", tmp_path / "t.csv", "-o", tmp_path / "a.json", "-o", tmp_path / "a.csv")
    assert json.loads((tmp_path / "a.json").read_text())["table"] == [["PA", 2], ["AP", 1]]
    assert (tmp_path / "a.csv").read_text().splitlines() == ["Category,Count/Frequency", "PA,2", "AP,1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", "inf"], "expected a number"),
        (["--start", "nan", "--width", "1"], "start is nan"),
        (["--bins", "100000000"], "at most 655360"),
        (["-o", "a.xlsx"], "ends in .csv"),
        (["--column", "name", "--width", "1"], "holds names, not numbers"),
    ],
)
def test_mistakes_of_binning_a_column(tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "t.csv").write_text("n,name\n1,a\n2,b\n")
    column = [] if "--column" in options else ["--column", "n"]
    with pytest.raises(UsageError, match=message):
        run("histogram", tmp_path / "t.csv", *column, *options)


def test_a_column_of_images_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="--column view is of a table"):
        run("histogram", folder, "--column", "view")


def test_a_table_of_paths_with_semicolons(folder: Path, tmp_path: Path) -> None:
    (folder / "cases.csv").write_text("\ufeffimage;age\na/one.png;3\nb/three.png;4\n", encoding="utf-8")
    assert len(run_json("enhance", folder / "cases.csv", "-m", "equalize", "-o", tmp_path / "out")["written"]) == 2


@pytest.mark.parametrize("options", [("--bins", 6), ("--bins", 40), ("--width", 0.3), ("--bins", 6, "--start", -1)])
def test_bins_narrower_than_the_step_of_the_values_are_told_apart(tmp_path: Path, options: tuple[object, ...]) -> None:
    (tmp_path / "t.csv").write_text("y\n" + "0\n1\n1\n" * 10)
    table = run_json("histogram", tmp_path / "t.csv", *options)["table"]
    assert len({name for name, _ in table}) == len(table)
    assert [count for _, count in table if count] == [10, 20]
    assert table[-1][1] == 20  # none beyond the data
    if options == ("--bins", 6):
        assert [name for name, _ in table] == ["0 to 0.1", "0.2 to 0.3", "0.4 to 0.5", "0.6 to 0.7", "0.8 to 0.9", "1"]


def test_a_constant_is_not_divided(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("y\n" + "3\n" * 10)
    assert run_json("histogram", tmp_path / "t.csv", "--bins", 6)["table"] == [["3", 10]]
    assert run_json("histogram", tmp_path / "t.csv", "--bins", 2)["table"] == [["3", 10]]


def test_grey_levels_in_narrow_bins_are_told_apart(folder: Path) -> None:
    table = run_json("histogram", folder, "--width", 0.4)["table"]
    assert [name for name, _ in table[:3]] == ["0 to 0.3", "0.4 to 0.7", "0.8 to 1.1"]
