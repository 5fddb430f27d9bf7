"""The checks of boxes: those that count neither way are not looked at."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.audit.box_copies import box_copies
from evenray.data.audit.box_extent import box_extent


def dataset(*boxes: dict[str, Any]) -> Dataset:
    table = pl.DataFrame({"case": ["a"], "rows": [8], "columns": [8], "boxes": [list(boxes)]})
    return Dataset(table, ("x", "y", "z"), "", ".")


def box(kind: int, *corners: float, ignored: bool = False) -> dict[str, Any]:
    return {"class": kind, **dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True)), "ignored": ignored}


@pytest.mark.parametrize("corners", [(-4.0, 1.0, 5.0, 5.0), (5.0, 5.0, 5.0, 5.0)])
def test_what_is_ignored_in_every_class_is_in_no_number_of_boxes(corners: tuple[float, ...]) -> None:
    of_any = [box(kind, *corners, ignored=True) for kind in range(3)]
    assert box_extent(dataset(*of_any)) == []
    [found] = box_extent(dataset(box(1, *corners), *of_any))
    assert found.evidence["boxes"] == 1


def test_an_ignored_box_is_no_copy() -> None:
    one, same = box(0, 1.0, 1.0, 5.0, 5.0), box(0, 1.0, 1.0, 5.0, 5.0, ignored=True)
    assert box_copies(dataset(one, same, same)) == []
    [found] = box_copies(dataset(one, one, same))
    assert found.evidence["boxes"] == 1
