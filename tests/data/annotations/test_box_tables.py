"""Tables of boxes: which column names the images, which hold the boxes, and what a row without all of them says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from evenray.core.errors import DataError
from evenray.data.annotations import read_boxes
from evenray.data.annotations.box_tables import is_box_table, read_box_table
from evenray.data.annotations.circles import read_circles
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.found import Annotations
from evenray.data.regions import regions_of
from evenray.data.scan import scan

from .drawn import image

NUMBERED = [f"{n}.png" for n in range(1, 301)]


def read(root: Path, *lines: str, images: list[str] = NUMBERED) -> Annotations:
    (root / "boxes.csv").write_text("\n".join(lines))
    return read_box_table([root / "boxes.csv"], images, root)


@pytest.mark.parametrize(
    ("header", "more"), [("image", ""), ("id,image", "{id},"), ("image_id,file_name", "{id},"), ("row,scan", "{row},")]
)
def test_images_called_by_numbers_are_not_met_by_coordinates_or_row_numbers(
    tmp_path: Path, header: str, more: str
) -> None:
    """The coordinates and the numbers of rows meet more images than the names, which are of a part of them."""
    ending = "" if "scan" in header else ".png"
    lines = [
        f"{more.format(id=n % 300 + 1, row=500 - n)}{2 * (n // 2) + 2}{ending},cell,{n},{n + 1},{n + 2},{n + 3}"
        for n in range(1, 290)
    ]
    found = read(tmp_path, f"{header},class,xmin,ymin,xmax,ymax", *lines)
    assert set(found.images) == {f"{2 * (n // 2) + 2}.png" for n in range(1, 290)}
    assert [(box.x0, box.y1) for box in found.images["4.png"].boxes] == [(2, 5), (3, 6)]


def test_images_called_by_numbers_are_not_met_by_the_places_of_circles(tmp_path: Path) -> None:
    (tmp_path / "circles.csv").write_text(
        "x,y,radius,scan\n" + "\n".join(f"{n},{n},3,{n % 9 + 1}" for n in range(1, 99))
    )
    assert set(read_circles(tmp_path / "circles.csv", NUMBERED).images) == {f"{n}.png" for n in range(1, 10)}


def test_a_row_without_numbers_says_that_nothing_is_there(tmp_path: Path) -> None:
    found = read(tmp_path, "image,class,xmin,ymin,xmax,ymax", "1.png,cell,1,2,7,9", "2.png,,,,,")
    assert [len(found.images[image].boxes) for image in ("1.png", "2.png")] == [1, 0]


BOXED = {"header": "patient,image,class,xmin,ymin,xmax,ymax", "there": "opacity,1,2,7,9", "nothing": ",,,,"}
MARKED = {"header": "patient,image,class,EncodedPixels", "there": "opacity,21 5 41 5", "nothing": ",-1"}


@pytest.mark.parametrize(("task", "table"), [("detect", BOXED), ("segment", MARKED)])
@pytest.mark.parametrize("alone", [True, False])
def test_images_whose_class_is_blank_have_nothing_in_them(
    tmp_path: Path, task: Literal["segment", "detect"], table: dict[str, str], alone: bool
) -> None:
    """The table is one of labels too, of which they have none: they stay, with their patients, and so do images that it does not name
    and another file annotates."""
    for n in range(8):
        image(tmp_path / "films" / f"p{n}.png", n)
    rows = [f"person {n // 2},p{n}.png,{table['there' if n < 5 else 'nothing']}" for n in range(8)]
    if not alone:
        rows = [rows[0], *rows[2:]]
        (tmp_path / "films" / "labels.csv").write_text("\n".join([table["header"], *rows]))
        rows = [*rows, f"someone,p1.png,{table['there']}"]
    (tmp_path / "marks.csv").write_text("\n".join([table["header"], *rows]))
    place = str(tmp_path / "marks.csv")
    wanted = Wanted(masks=place) if task == "segment" else Wanted(boxes=place)
    dataset = scan(tmp_path / "films", wanted=wanted)
    cases = dataset.cases.sort("file")
    assert (len(dataset), dataset.facts.unlabelled, dataset.classes) == (8, 0, ("opacity",))
    assert cases["findings"].list.first().to_list() == [n < 5 for n in range(8)]
    known = cases["patient"].drop_nulls()
    assert (known.n_unique(), len(known)) == (4, 8 if alone else 7)


def test_a_row_that_lacks_some_of_its_numbers_is_no_row_without_any(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has the box '1 2 \(blank\) 9' in row 2; expected four numbers, or none"):
        read(tmp_path, "image,class,xmin,ymin,xmax,ymax", "1.png,cell,1,2,7,9", "2.png,cell,1,2,,9")
    (tmp_path / "circles.csv").write_text("image,x,y,radius\n1.png,3,3,2\n2.png,4,4,\n3.png,,,\n")
    with pytest.raises(DataError, match=r"has the circle '4 4 \(blank\)' in row 2; expected three numbers, or none"):
        read_circles(tmp_path / "circles.csv", NUMBERED)


@pytest.mark.parametrize(
    ("header", "ends", "far"),
    [
        ("Image Index,Finding Label,Bbox [x,y,w,h],,,", ",,,", 4.5),  # as NIH's BBox_List_2017.csv has it
        ("image,label,bbox_x,bbox_y,bbox_width,bbox_height", "", 4.5),
        ("image,label,Box x1,bbox_y1,bbox_x2,Bounding Box y2", "", 3.0),
    ],
)
def test_names_of_columns_may_begin_with_what_they_are_of(tmp_path: Path, header: str, ends: str, far: float) -> None:
    lines = [f"{n}.png,Mass,1.5,2.5,3.0,6.0{ends}" for n in (1, 2)]
    found = read(tmp_path, header, *lines)
    assert is_box_table(tmp_path / "boxes.csv")
    assert (found.classes, sorted(found.images)) == (("Mass",), ["1.png", "2.png"])
    [box] = found.images["1.png"].boxes
    assert (box.x0, box.y0, box.x1) == (1.5, 2.5, far)


@pytest.mark.parametrize(
    ("header", "corners"),
    [
        ("image,width,height,bbox_x,bbox_y,bbox_w,bbox_h,class", (1, 2, 4, 8)),
        ("image,width,height,bbox_x,bbox_y,bbox_width,bbox_height,class", (1, 2, 4, 8)),
        ("image,width,height,x,y,w,h,class", (1, 2, 4, 8)),
        ("image,xmin,ymin,bbox_xmin,bbox_ymin,bbox_xmax,bbox_ymax,class", (1, 2, 3, 6)),
    ],
)
def test_columns_of_boxes_are_not_mixed_with_those_of_the_image(
    tmp_path: Path, header: str, corners: tuple[float, ...]
) -> None:
    found = read(tmp_path, header, *(f"{n}.png,640,480,1,2,3,6,Mass" for n in (1, 2)))
    [box] = found.images["1.png"].boxes
    assert (found.classes, (box.x0, box.y0, box.x1, box.y1)) == (("Mass",), corners)


def test_four_columns_of_which_some_alone_name_the_box_are_none(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("image,width,height,bbox_x,bbox_y\n1.png,640,480,1,2\n")
    assert not is_box_table(tmp_path / "boxes.csv")


def test_the_list_of_nih_is_found_and_named(tmp_path: Path) -> None:
    for n in range(3):
        image(tmp_path / "images" / f"0000{n}_000.png", n)
    lines = [f"0000{n}_000.png,Mass,{2 + n},3.5,8.25,6.5,,," for n in range(3)]
    (tmp_path / "BBox_List_2017.csv").write_text("\n".join(["Image Index,Finding Label,Bbox [x,y,w,h],,,", *lines]))
    dataset = scan(tmp_path / "images", wanted=Wanted(boxes=str(tmp_path / "BBox_List_2017.csv")))
    assert read_boxes(dataset, 1).tolist() == [[0, 3, 3.5, 11.25, 10]]
    assert regions_of(dataset, str(tmp_path / "BBox_List_2017.csv")).of(1, 0)[4, 3:12].all()
