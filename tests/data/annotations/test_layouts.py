"""Masks and boxes as they come are read as what was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenray.core.types import Dataset
from evenray.data.annotations import read_boxes, read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from . import drawn_collections, drawn_tools  # noqa: F401, which add to what is drawn
from .drawn import BOXES, MASKS, Truth


def scanned(root: Path, truth: Truth) -> Dataset:
    options = {
        name: value if name in ("task", "pattern") else str(root / value) for name, value in truth.options.items()
    }
    options |= {"masks": options.pop("pattern")} if "pattern" in options else {}
    return scan(root / truth.data, wanted=Wanted(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MASKS)
def test_masks_are_read_as_they_were_drawn(name: str, tmp_path: Path) -> None:
    truth = MASKS[name](tmp_path)
    dataset = scanned(tmp_path, truth)
    assert (dataset.facts.task, dataset.classes, dataset.rejected.height) == ("segment", truth.classes, 0)
    places = dataset.cases["file"] + (
        "#" + dataset.cases["fragment"].str.strip_prefix("slice=") if truth.frames > 1 else ""
    )
    assert sorted(places) == sorted(truth.masks)
    for row, place in enumerate(places):
        found, true = read_mask(dataset, row), truth.masks[place]
        assert found.dtype == np.uint8
        assert (found != true).mean() <= (0 if truth.exact else 0.02), place
        sizes = [int((found == k + 1).sum()) for k in range(len(truth.classes))]
        assert dataset.cases["mask_pixels"][row].to_list() == sizes
        assert dataset.targets[row].tolist() == [int(size > 0) for size in sizes]


@pytest.mark.parametrize("name", BOXES)
def test_boxes_are_read_as_they_were_drawn(name: str, tmp_path: Path) -> None:
    truth = BOXES[name](tmp_path)
    dataset = scanned(tmp_path, truth)
    assert (dataset.facts.task, dataset.classes, dataset.rejected.height) == ("detect", truth.classes, 0)
    assert sorted(dataset.cases["file"]) == sorted(truth.boxes)
    for row, file in enumerate(dataset.cases["file"]):
        found, true = read_boxes(dataset, row), np.array(truth.boxes[file], np.float64).reshape(-1, 5)
        np.testing.assert_allclose(found, true, atol=0 if truth.exact else 1e-6)
