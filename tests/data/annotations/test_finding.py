"""Masks that have more classes than a pixel can tell apart are refused before any is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import N, image


@pytest.mark.parametrize("many", [253, 254, 255, 300])
def test_masks_of_more_classes_than_indices_are_refused(many: int, tmp_path: Path) -> None:
    """The indices 254 and 255 say that a pixel is outside its image, or unknown."""
    images, annotations = [], []
    for n in range(N):
        image(tmp_path / f"{n}.png", n)
        images.append({"id": n, "file_name": f"{n}.png", "width": 30, "height": 20})
    for k in range(many):
        x, y = k % 10 * 3, k // 10 % 6 * 3
        outline = [x, y, x + 1, y, x + 2, y, x + 2, y + 2, x, y + 2]
        annotations.append(
            {"id": k, "image_id": k // 60 % N, "category_id": k + 1, "bbox": [x, y, 2, 2], "segmentation": [outline]}
        )
    categories = [{"id": k + 1, "name": f"class {k + 1:03}"} for k in range(many)]
    told = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "all.json").write_text(json.dumps(told))
    if many > 253:
        with pytest.raises(DataError, match=f"have {many} classes, and 253 can be told apart; leave some out"):
            scan(tmp_path, wanted=Wanted(task="segment"))
        return
    found = scan(tmp_path, wanted=Wanted(task="segment"))
    assert len(found.classes) == 253
    assert int(read_mask(found, 252 // 60).max()) == 253
