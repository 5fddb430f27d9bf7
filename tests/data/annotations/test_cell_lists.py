"""The lists of BBBC041: boxes by rows and columns, of images called by a path of their own, in files that are called as parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenray.data.annotations import read_boxes
from evenray.data.annotations.cell_lists import CELL_LISTS
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import SHAPE, N, boxes_of, image


def listed(n: int) -> dict[str, object]:
    objects = [
        {"bounding_box": {"minimum": {"r": y0, "c": x0}, "maximum": {"r": y1, "c": x1}}, "category": f"c{kind}"}
        for kind, x0, y0, x1, y1 in boxes_of(n)
    ]
    shape = {"r": SHAPE[0], "c": SHAPE[1], "channels": 1}
    return {"image": {"checksum": "0", "pathname": f"/images/{n}.png", "shape": shape}, "objects": objects if n else []}


@pytest.mark.parametrize("asked", [True, False])
def test_boxes_and_parts(asked: bool, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
    for part, numbers in (("training", range(N - 2)), ("test", range(N - 2, N))):
        (tmp_path / f"{part}.json").write_text(json.dumps([listed(n) for n in numbers]))
    dataset = scan(tmp_path, wanted=Wanted("detect" if asked else None))
    assert (len(dataset), dataset.classes) == (N, ("c0", "c1"))
    for row, (file, part) in enumerate(dataset.cases.select("file", "part").iter_rows()):
        n = int(Path(file).stem)
        assert part == ("test" if n >= N - 2 else "train")
        assert sorted(map(tuple, read_boxes(dataset, row).tolist())) == (sorted(boxes_of(n)) if n else [])


def test_lists_of_objects_by_image_are_another_format() -> None:
    assert not CELL_LISTS.is_so(json.dumps([{"image": "a.png", "objects": [{"bbox": [1, 2, 3, 4]}]}]))
    assert not CELL_LISTS.is_so(json.dumps({"image": {"pathname": "a.png"}, "objects": []}))
