"""Objects with a box alone beside others with outlines: where they are nothing is known, so nothing is learnt there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import SHAPE, N, image

OUTLINE = [[2, 2], [12, 2], [12, 12], [7, 14], [2, 12]]
BOX = [16, 3, 24, 11]  # two corners
ALONE = (1, 4)  # images whose only object is a box; image 2 has one beside its outline


def coco(root: Path) -> None:
    said = []
    for n in range(N):
        if n not in ALONE:
            flat = [value for point in OUTLINE for value in point]
            said.append({"image_id": n, "category_id": 1, "bbox": [2, 2, 10, 12], "segmentation": [flat]})
        if n in (*ALONE, 2):
            box = [BOX[0], BOX[1], BOX[2] - BOX[0], BOX[3] - BOX[1]]
            said.append({"image_id": n, "category_id": 1, "bbox": box, "segmentation": []})
    said.append({"image_id": 0, "category_id": 1, "bbox": [float("nan")] * 4})  # which says that there is none
    images = [{"id": n, "file_name": f"{n}.png", "height": SHAPE[0], "width": SHAPE[1]} for n in range(N)]
    whole = {"images": images, "annotations": said, "categories": [{"id": 1, "name": "cell"}]}
    (root / "a.json").write_text(json.dumps(whole))


def labelme(root: Path) -> None:
    for n in range(N):
        shapes = [{"label": "cell", "points": OUTLINE, "shape_type": "polygon"}] * (n not in ALONE)
        if n in (*ALONE, 2):
            shapes.append({"label": "cell", "points": [BOX[:2], BOX[2:]], "shape_type": "rectangle"})
        shapes.append({"label": "field", "points": [[0, 0], [28, 18]], "shape_type": "rectangle"})  # of no object
        whole = {"shapes": shapes, "imagePath": f"{n}.png", "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
        (root / f"{n}.json").write_text(json.dumps(whole))


@pytest.mark.parametrize("written", [coco, labelme])
def test_the_pixels_of_a_box_alone_are_unknown(written: object, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"{n}.png", n)
    written(tmp_path)  # type: ignore[operator]
    dataset: Dataset = scan(tmp_path, wanted=Wanted("segment"))
    assert dataset.classes == ("cell",)
    for row, file in enumerate(dataset.cases["file"]):
        n, mask = int(file[0]), read_mask(dataset, row)
        wanted = np.zeros(SHAPE, bool)
        wanted[BOX[1] : BOX[3], BOX[0] : BOX[2]] = n in (*ALONE, 2)
        np.testing.assert_array_equal(mask == 255, wanted)
        assert (mask == 1).any() == (n not in ALONE)
        assert dataset.cases["mask_unknown"][row] == wanted.sum()
    said = {note.code: note.values for note in dataset.facts.notes}
    assert said["annotations.boxes_unknown"] == {"count": 3}
    assert "annotations.empty" not in said
