"""What labels and patients mean: missing ones, classes written in two ways, and numbers that are no classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.scan import scan
from evenray.data.tables.words import check_labels

from ..conftest import Make, read_labels, told


@pytest.fixture
def images(tmp_path: Path, png: Make) -> Path:
    for seed in range(4):
        png(f"{seed}.png", seed)
    return tmp_path


@pytest.mark.parametrize("word", ["NA", "NaN", "nan", "N/A", "null", "NULL", "None", "-", "", "#N/A"])
def test_a_missing_label_or_patient_is_missing(images: Path, text: Make, word: str) -> None:
    path = text("t.csv", f"file,label,patient\n0.png,{word},p\n1.png,x,{word}\n2.png,y,{word}\n3.png,x,q\n")
    data = scan(images, labels=path)
    assert (data.counts, data.facts.unlabelled) == ({"x": 2, "y": 1}, 1)
    assert data.cases["patient"].null_count() == 2
    means = f" ('{word}' taken as missing)" if word else ""
    assert told(data.facts.notes) == [
        f"1 of the 4 rows of t.csv have no label{means}",
        f"2 of the 4 rows of t.csv have no patient{means}",
    ]


def test_rows_that_name_no_image_are_told(text: Make) -> None:
    table = read_labels(text("t.csv", "file,label\n0.png,x\n,y\n"))
    assert told(table.notes) == ["1 of the 2 rows of t.csv have no path"]


def test_words_that_are_classes_stay(images: Path, text: Make) -> None:
    data = scan(images, labels=text("t.csv", "file,label,site\n0.png,none,NA\n1.png,normal,EU\n"))
    assert data.classes == ("none", "normal")
    assert data.cases["site"].to_list() == ["NA", "EU"]  # North America


def test_a_table_without_any_label(text: Make) -> None:
    with pytest.raises(DataError, match=r"None of the 2 rows of .* has a label \('NA', 'None' taken as missing\)"):
        read_labels(text("t.csv", "file,label\na,NA\nb,None\n"))


@pytest.mark.parametrize("labels", [("normal", "NORMAL"), ("no finding", "No  finding"), ("Straße", "STRASSE")])
def test_classes_that_differ_only_by_case_or_spaces_are_refused(
    tmp_path: Path, png: Make, text: Make, labels: tuple[str, str]
) -> None:
    with pytest.raises(
        DataError, match="which differ only by case, width, spaces or signs at their end; write each class in one way"
    ):
        read_labels(text("t.csv", f"file,label\na,{labels[0]}\nb,{labels[1]}\nc,sick\n"))
    png(f"data/train/{labels[0]}/a.png", 1)
    png(f"data/test/{labels[1]}/b.png", 2)
    with pytest.raises(DataError, match="which differ only by case, width, spaces or signs"):
        scan(tmp_path / "data")


def test_spaces_around_a_label_are_nothing(text: Make) -> None:
    assert set(read_labels(text("t.csv", "file,label\na, sick \nb,sick\n")).table["label"]) == {"sick"}


def test_numbers_are_no_classes(text: Make) -> None:
    rows = [f"{n},{n / 7:.3f}\n" for n in range(1, 40)]
    with pytest.raises(DataError, match=r"look like numbers, not classes: 39 different ones such as 0\.143"):
        read_labels(text("t.csv", "file,label\n" + "".join(rows)))
    few = [f"{n},{n % 10 + 0.5}\n" for n in range(40)]  # grades such as 2.5
    assert read_labels(text("t.csv", "file,label\n" + "".join(few))).table["label"].n_unique() == 10


def test_whole_numbers_written_as_fractions_are_one_class(text: Make) -> None:
    assert read_labels(text("t.csv", "file,label\na,0.0\nb,0\nc,1.0\n")).table["label"].to_list() == ["0", "0", "1"]
    assert read_labels(text("t.csv", "file;label\na;0,0\nb;1,0\n")).table["label"].to_list() == ["0", "1"]


def test_a_sign_at_the_end_makes_no_other_class() -> None:
    with pytest.raises(DataError, match=r"--column 'label=dx:melanoma\?=melanoma,nevus \(\?\)=nevus'"):
        check_labels(["melanoma", "melanoma?", "nevus", "nevus (?)"], "t.csv", "dx")
    check_labels(["1+", "2+", "N+(1-2)", "N+(>2)", "2"], "t.csv")
