"""Boxes and ellipses that a tool has turned: clockwise as the image is seen, about the point and in the unit that the tool has.

OpenCV draws the same turned ellipses and boxes, in whole pixels, so that only pixels at the border may differ.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.data.annotations.cvat import CVAT
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.label_studio import LABEL_STUDIO
from evenray.data.annotations.runs import from_runs
from evenray.data.annotations.shapes import Format, read_shapes, rectangle, turned
from evenray.data.annotations.via import VIA

H, W = 100, 160
CENTRE, RADII = (80, 50), (40, 12)
ANGLES = [0, 30, 90, 135, 200, -45]


def read(root: Path, own: Format, text: str, task: str) -> Annotations:
    name = f"annotations{own.endings[0]}"
    (root / name).write_text(text)
    return read_shapes(own, root, [name], ["a.png"], task)  # type: ignore[arg-type]


def cvat(shape: str) -> str:
    return f'<annotations><image id="0" name="a.png" width="{W}" height="{H}">{shape}</image></annotations>'


def label_studio(kind: str, value: dict[str, float], **more: int) -> str:
    result = {"type": kind, "value": {**value, kind: ["cell"]}, **more}
    return json.dumps([{"data": {"image": "/data/upload/a.png"}, "annotations": [{"result": [result]}]}])


def via(where: dict[str, object]) -> str:
    regions = [{"shape_attributes": where, "region_attributes": {"kind": "cell"}}]
    return json.dumps({"a.png1": {"filename": "a.png", "size": 1, "regions": regions}})


def ellipse(tool: str, degrees: float) -> tuple[Format, str]:
    (x, y), (right, down) = CENTRE, RADII
    if tool == "cvat":
        return CVAT, cvat(f'<ellipse label="cell" cx="{x}" cy="{y}" rx="{right}" ry="{down}" rotation="{degrees}"/>')
    if tool == "via":
        return VIA, via({"name": "ellipse", "cx": x, "cy": y, "rx": right, "ry": down, "theta": math.radians(degrees)})
    value = {
        "x": 100 * x / W,
        "y": 100 * y / H,
        "radiusX": 100 * right / W,
        "radiusY": 100 * down / H,
        "rotation": degrees,
    }
    return LABEL_STUDIO, label_studio("ellipselabels", value, original_width=W, original_height=H)


@pytest.mark.parametrize("degrees", ANGLES)
@pytest.mark.parametrize("tool", ["cvat", "via", "label_studio"])
def test_ellipses_cover_what_opencv_draws(tmp_path: Path, tool: str, degrees: float) -> None:
    found = read(tmp_path, *ellipse(tool, degrees), "segment")
    mask = from_runs(found.images["a.png"].masks[0].runs, (H, W))
    drawn = np.zeros((H, W), np.uint8)
    cv2.ellipse(drawn, CENTRE, RADII, degrees, 0, 360, 1, -1)
    core, around = (change(drawn, np.ones((3, 3), np.uint8)) > 0 for change in (cv2.erode, cv2.dilate))
    assert mask[core].all()
    assert not mask[~around].any()
    assert mask.sum() == pytest.approx(math.pi * RADII[0] * RADII[1], rel=0.02)


def test_a_box_of_cvat_is_the_extent_of_what_is_turned_about_its_centre(tmp_path: Path) -> None:
    box = '<box label="cell" xtl="40" ytl="45" xbr="80" ybr="55" rotation="{}"/>'
    [found] = read(tmp_path, CVAT, cvat(box.format("90.0")), "detect").images["a.png"].boxes
    assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx((55, 30, 65, 70))
    [found] = read(tmp_path, CVAT, cvat(box.format("30.0")), "detect").images["a.png"].boxes
    corners = cv2.boxPoints(((60, 50), (40, 10), 30))
    assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx(
        [*corners.min(axis=0), *corners.max(axis=0)], abs=1e-4
    )


@pytest.mark.parametrize(
    ("degrees", "corners"),
    [(0, (60, 20, 100, 30)), (90, (50, 20, 60, 60)), (180, (20, 10, 60, 20)), (-90, (60, -20, 70, 20))],
)
def test_a_box_of_label_studio_turns_about_its_upper_left_corner_in_pixels(
    tmp_path: Path, degrees: float, corners: tuple[float, ...]
) -> None:
    """40 x 10 pixels at (60, 20) of an image that is no square: turned in percent it would be of other sides."""
    value = {"x": 6000 / W, "y": 2000 / H, "width": 4000 / W, "height": 1000 / H, "rotation": degrees}
    text = label_studio("rectanglelabels", value, original_width=W, original_height=H)
    [found] = read(tmp_path, LABEL_STUDIO, text, "detect").images["a.png"].boxes
    assert (found.x0 * W, found.y0 * H, found.x1 * W, found.y1 * H) == pytest.approx(corners)


def test_what_is_turned_clockwise_goes_from_right_to_below() -> None:
    [ring] = turned(rectangle(10, 0, 20, 1), 30, (0, 0))
    assert ring[0] == pytest.approx((10 * math.cos(math.pi / 6), 5))
