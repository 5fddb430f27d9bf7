"""The words for the parts of a split: those of people are understood, those of others refused, none dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.scan.listing import listing
from evenray.data.tables.parts import part_of

from ..conftest import Make, read_labels, told


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("train", ["train", "Training", "training set", "train_set", "trainset", "학습", "훈련", "학습용", "训练集", "TRAIN DATA"]),
        ("validation", ["val", "valid", "validation set", "val-set", "dev", "dev set", "검증", "검증 데이터", "検証"]),
        ("test", ["test", "TESTING", "test set", "testset", "holdout", "hold-out set", "held out", "시험", "테스트", "测试集"]),
        (None, ["external", "set", "data", "subset", "fold 1", "1", "chest", "평가", ""]),
    ],
)  # fmt: skip
def test_what_words_mean(part: str | None, words: list[str]) -> None:
    assert {word: part_of(word) for word in words} == dict.fromkeys(words, part)


@pytest.mark.parametrize("words", [("training set", "validation set", "test set"), ("학습", "검증", "시험")])
def test_a_column_of_them_is_the_split(text: Make, words: tuple[str, ...]) -> None:
    content = "path,label,split\n" + "".join(f"{i},x,{word}\n" for i, word in enumerate(words))
    assert read_labels(text("t.csv", content)).table["part"].to_list() == ["train", "validation", "test"]


def test_other_words_are_refused_though_all_are_foreign(text: Make) -> None:
    with pytest.raises(
        DataError, match=r"to the parts 'north', 'south'; known are: train, val, test.*leave the column out"
    ):
        read_labels(text("t.csv", "path,label,set\na,x,north\nb,y,south\n"))


@pytest.mark.parametrize("folds", ["1\nb,y,2", "fold1\nb,y,fold 2", "0.0\nb,y,"])
def test_numbers_of_folds_are_told_and_not_used(text: Make, folds: str) -> None:
    table = read_labels(text("t.csv", f"path,label,fold_name\na,x,{folds}\n"))
    assert "part" not in table.table.columns
    assert told(table.notes) == ["a column of t.csv holds numbers of folds, not the parts of a split, and is not used"]


def test_folders_too(tmp_path: Path, png: Make) -> None:
    for name in ("training_set/sick/a.png", "test set/well/b.png", "검증/well/c.png"):
        png(name, 1)
    assert {entry.part for entry in listing(tmp_path).entries} == {"train", "test", "validation"}
