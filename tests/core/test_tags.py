"""Data sets of findings: arrays of what is known, one finding by itself, shards that know different ones."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.dataset import Dataset
from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.tags import matrix, rarest

Rows = list[list[bool | None]]


def dataset(rows: Rows, names: tuple[str, ...]) -> Dataset:
    cases = pl.DataFrame({"case": [f"{names[0]}{i}" for i in range(len(rows))], "label": [None] * len(rows)})
    cases = cases.with_columns(pl.Series("findings", rows, pl.List(pl.Boolean)))
    return Dataset(cases, names, "", ".", facts=Facts(task="tag"))


def test_targets_counts_and_members_say_what_is_known() -> None:
    data = dataset([[True, None], [False, True], [True, True]], ("a", "b"))
    assert data.targets.tolist() == [[1, -1], [0, 1], [1, 1]]
    assert data.counts == {"a": 2, "b": 2}
    assert data.members["b"].tolist() == [False, True, True]
    assert "findings   a 2, b 2" in repr(data)


def test_a_finding_by_itself_has_the_classes_absent_and_present() -> None:
    alone = dataset([[True, None], [False, True], [True, False]], ("a", "b")).finding("b")
    assert alone.cases.select("case", "label").rows() == [("a1", "present"), ("a2", "absent")]
    assert alone.targets.tolist() == [1, 0]
    assert "findings" not in alone.cases.columns


def test_shards_that_know_different_findings_are_joined_by_name() -> None:
    one, other = dataset([[True, False]], ("a", "b")), dataset([[True, None]], ("c", "a"))
    both = Dataset.of_shards([one, other])
    assert both.classes == ("a", "b", "c")
    assert both.targets.tolist() == [[1, 0, -1], [-1, -1, 1]]


def test_nothing_can_be_learnt_where_no_finding_is_in_some_alone() -> None:
    assert len(dataset([[True], [False]], ("a",)).to_learn_from()) == 2
    for rows in ([[True], [True]], [[None], [False]]):
        with pytest.raises(DataError, match="None of the findings a is known to be present in some"):
            dataset(rows, ("a",)).to_learn_from()  # type: ignore[arg-type]


def test_an_empty_column_is_an_empty_array() -> None:
    empty = pl.Series("findings", [], pl.List(pl.Boolean))
    assert matrix(empty, 3).shape == (0, 3)
    assert rarest(np.empty((0, 3), np.int64)).shape == (0,)
