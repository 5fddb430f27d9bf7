"""Which classes an image has: those of the boxes that can be learnt from."""

from __future__ import annotations

from pathlib import Path

from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.learning.tasks.detect import Detect

from .drawn import image


def test_boxes_without_an_area_or_beside_their_image_are_not_counted(tmp_path: Path) -> None:
    lines = [
        "0.png,a,2,3,9,9",
        "0.png,b,4,4,4,9",
        "0.png,a,4,4,12,12",
        "1.png,b,2,3,9,9",
        "1.png,a,90,3,99,9",
        "2.png,none,,,,",
    ]
    (tmp_path / "boxes.csv").write_text("\n".join(["file,class,xmin,ymin,xmax,ymax", *lines]))
    for n in range(3):
        image(tmp_path / f"{n}.png", n)
    dataset = scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / "boxes.csv")))
    assert dataset.cases["findings"].to_list() == [[True, False], [False, True], [False, False]]
    assert Detect().targets(dataset).tolist() == [[2, 0], [0, 1], [0, 0]]
