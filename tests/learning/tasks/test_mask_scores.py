"""Whose threshold the validation part could not choose stands in the record."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Predictions
from evenray.learning.tasks.detect import Detect
from evenray.learning.tasks.segment import Segment
from evenray.metrics.boxes import flat_column
from evenray.metrics.pixel_bins import BINS

CASES = ["a", "b", "c"]


def masks(has: tuple[bool, bool]) -> Predictions:
    columns: dict[str, object] = {}
    for k, there in enumerate(has):
        counts = np.zeros((3, 2, BINS), int)
        counts[:, 0, 40], counts[:, 1, 200] = 900, 100 * there
        columns |= {f"target_{k}": [there] * 3, f"bins_{k}": counts.reshape(3, -1).tolist()}
    table = pl.DataFrame({"case": CASES, "patient": CASES, "part": "test", **columns})
    return Predictions(table, ("one", "two"), "", "segment")


def boxes(has: tuple[bool, bool]) -> Predictions:
    objects = np.array([[k, 0, 0, 9, 9] for k, there in enumerate(has) if there], float).reshape(-1, 5)
    found = np.array([[k, 0, 0, 9, 9, 0.9] for k in range(2)], float)
    table = pl.DataFrame({"case": CASES, "patient": CASES, "part": "test"}).with_columns(
        *(pl.lit(there).alias(f"target_{k}") for k, there in enumerate(has)),
        flat_column("objects", [objects] * 3),
        flat_column("found", [found] * 3),
    )
    return Predictions(table, ("one", "two"), "", "detect")


@pytest.mark.parametrize(
    ("task", "made", "rule", "fixed"), [(Segment(), masks, "dice", "at(0.3)"), (Detect(), boxes, "f1", "fixed(0.3)")]
)
def test_a_class_that_the_validation_part_has_not_is_named(task, made, rule, fixed) -> None:  # type: ignore[no-untyped-def]
    found = {"validation": made((True, False)), "test": made((True, True))}
    record = task.summarise(found, rule, None, (), [None, None])
    assert record.untold == ["two"]
    assert record.findings["two"].threshold == 0.5
    assert record.findings["one"].refused_points == ()
    assert task.summarise(found, fixed, None, (), [None, None]).untold == []
    assert task.summarise(found | {"validation": made((True, True))}, rule, None, (), [None, None]).untold == []
