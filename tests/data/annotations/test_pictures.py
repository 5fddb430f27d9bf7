"""Small pictures in files of annotations: what is decoded, and what is told of files that cannot be."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evenray.data.annotations.bitmaps import placed
from evenray.data.annotations.brush import brushed
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.label_studio import LABEL_STUDIO
from evenray.data.annotations.labelme import LABELME
from evenray.data.annotations.runs import from_runs
from evenray.data.annotations.shapes import BadFile, Format, read_shapes

from .drawn_tools import packed

PICTURES = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12).map(lambda shape: (*shape, 4)))
FEW = arrays(np.uint8, st.just((9, 40, 4)), elements=st.sampled_from([0, 0, 0, 255]), fill=st.just(0))


def read(root: Path, own: Format, whole: Any, task: str = "segment") -> Annotations:
    (root / "a.json").write_text(json.dumps(whole))
    return read_shapes(own, root, ["a.json"], ["a.png"], task)  # type: ignore[arg-type]


@given(PICTURES | FEW, st.sampled_from([(3, 4, 8, 16), (1, 2, 3, 4)]))
def test_what_a_brush_drew_is_what_is_not_transparent(picture: np.ndarray, lengths: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(brushed(packed(picture, lengths), picture.shape[:2]), picture[..., 3] > 0)


def test_bytes_of_another_picture_and_a_torn_list_are_refused() -> None:
    whole = packed(np.arange(6 * 5 * 4, dtype=np.uint8).reshape(6, 5, 4))
    with pytest.raises(BadFile, match=r"has 120 values; expected 4 for each pixel of 5 x 5"):
        brushed(whole, (5, 5))
    with pytest.raises(BadFile, match=r"ends after 40 bytes"):
        brushed(whole[:40], (6, 5))
    with pytest.raises(BadFile, match=r"ends after 0 bytes"):
        brushed([], (6, 5))


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9)), st.integers(0, 9), st.integers(0, 9))
def test_a_part_lies_at_its_place_and_is_cut_off_at_the_edge(part: np.ndarray, left: int, top: int) -> None:
    shape = placed("cell", part, left, top, (8, 7))
    whole = np.zeros((20, 20), bool)
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    np.testing.assert_array_equal(from_runs(shape.runs, (8, 7)), whole[:8, :7])


def labelme(**shape: Any) -> dict[str, Any]:
    return {"shapes": [{"label": "cell", **shape}], "imagePath": "a.png", "imageHeight": 20, "imageWidth": 30}


def test_a_mask_of_labelme_that_is_no_picture_sets_its_file_aside(tmp_path: Path) -> None:
    points = [[1, 1], [4, 4]]
    for mask, why in ((base64.b64encode(b"no picture").decode(), "is no PNG"), (None, "TypeError")):
        found = read(tmp_path, LABELME, labelme(shape_type="mask", points=points, mask=mask))
        assert (found.images, [file for file, _ in found.rejected]) == ({}, ["a.json"])
        assert why in found.rejected[0][1]
    png = base64.b64encode(cv2.imencode(".png", np.ones((4, 4), np.uint8))[1].tobytes()).decode()
    whole = labelme(shape_type="mask", points=points, mask=png)
    found = read(tmp_path, LABELME, whole, "detect")
    assert [(box.x0, box.y0, box.x1, box.y1) for box in found.images["a.png"].boxes] == [(1, 1, 5, 5)]
    found = read(tmp_path, LABELME, {name: value for name, value in whole.items() if name != "imageHeight"})
    assert "it has a mask, and lacks imageHeight or imageWidth" in found.rejected[0][1]


def test_a_box_that_labelme_turned_is_a_box_with_its_extent(tmp_path: Path) -> None:
    whole = labelme(shape_type="oriented_rectangle", points=[[10, 2], [18, 10], [14, 14], [6, 6]])
    found = read(tmp_path, LABELME, whole, "detect")
    assert [(box.x0, box.y0, box.x1, box.y1) for box in found.images["a.png"].boxes] == [(6, 2, 18, 14)]
    assert read(tmp_path, LABELME, whole).images["a.png"].masks == ()


def test_the_box_of_what_a_brush_drew_is_its_extent(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 4), np.uint8)
    picture[5:9, 12:21, 3] = 255
    value = {"format": "rle", "rle": packed(picture), "brushlabels": ["cell"]}
    result = {"type": "brushlabels", "value": value, "original_width": 30, "original_height": 20}
    task = {"data": {"image": "/data/upload/a.png"}, "annotations": [{"result": [result]}]}
    found = read(tmp_path, LABEL_STUDIO, [task], "detect")
    [box] = found.images["a.png"].boxes
    assert (30 * box.x0, 20 * box.y0, 30 * box.x1, 20 * box.y1) == pytest.approx((12, 5, 21, 9))
    assert (found.shares, found.images["a.png"].size) == (True, None)
    value["rle"] = value["rle"][:20]  # type: ignore[index]
    found = read(tmp_path, LABEL_STUDIO, [task])
    assert "what was drawn with a brush ends after 20 bytes" in found.rejected[0][1]
