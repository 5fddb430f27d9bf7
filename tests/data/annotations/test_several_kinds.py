"""Boxes in files of several kinds beside each other: the kind that covers the others is taken, else the user is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from evenray.core.errors import UsageError
from evenray.data.annotations.finding import Wanted
from evenray.data.scan.listing import listing

from .drawn import SHAPE, boxes_of, image

N = 9
TB = range(0, N, 3)


def xml(root: Path, numbers: Iterable[int], shift: int = 0) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        objects = ""
        for kind, x0, y0, x1, y1 in boxes_of(n):
            corners = (("xmin", x0 + 1 + shift), ("ymin", y0 + 1), ("xmax", x1 + shift), ("ymax", y1))
            inside = "".join(f"<{name}>{value:.0f}</{name}>" for name, value in corners)
            objects += f"<object><name>c{kind}</name><bndbox>{inside}</bndbox></object>"
        (root / f"{n}.xml").write_text(f"<annotation>{objects}</annotation>")


def coco(path: Path, numbers: Iterable[int], with_boxes: Iterable[int] = TB) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": n, "file_name": f"{n}.png", "height": SHAPE[0], "width": SHAPE[1]} for n in numbers]
    annotations = [
        {"image_id": n, "category_id": kind, "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for n in with_boxes
        for kind, x0, y0, x1, y1 in boxes_of(n)
    ]
    names = [{"id": kind, "name": f"c{kind}"} for kind in (0, 1)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": names}))


def yolo(root: Path, numbers: Iterable[int]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        lines = [
            f"{kind} {(x0 + x1) / 2 / SHAPE[1]} {(y0 + y1) / 2 / SHAPE[0]} {(x1 - x0) / SHAPE[1]} {(y1 - y0) / SHAPE[0]}"
            for kind, x0, y0, x1, y1 in (boxes_of(n) if n in TB else ())
        ]
        (root / f"{n}.txt").write_text("\n".join(lines))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
    return tmp_path


@pytest.mark.parametrize("all_are", ["coco", "yolo"])
def test_the_kind_that_covers_the_most_images_is_taken_and_said(all_are: str, root: Path) -> None:
    """XML of three images beside another kind of all nine, of which six have nothing in them."""
    xml(root / "a" / "xml", TB)
    coco(root / "a" / "all.json", range(N)) if all_are == "coco" else yolo(root / "a" / "labels", range(N))
    found = listing(root, wanted=Wanted("detect"))
    assert len(found.entries) == N
    assert sorted(len(entry.annotated.boxes) for entry in found.entries if entry.annotated) == [0] * 6 + sorted(
        len(boxes_of(n)) for n in TB
    )
    note = next(note for note in found.notes if note.code == "annotations.kinds")
    assert (note.values["kinds"], note.values["count"]) == (2, N)
    assert listing(root).reading.task == "detect"


def test_kinds_of_the_same_images_are_as_one(root: Path) -> None:
    xml(root / "xml", TB)
    coco(root / "all.json", TB)
    found = listing(root, wanted=Wanted("detect"))
    assert (len(found.entries), {note.code for note in found.notes} & {"annotations.kinds"}) == (len(TB), set())


@pytest.mark.parametrize("why", ["other images", "other boxes"])
def test_kinds_that_do_not_agree_are_asked_about_and_each_answer_works(why: str, root: Path) -> None:
    if why == "other images":
        xml(root / "xml", range(6))
        coco(root / "all.json", range(3, N))
    else:
        xml(root / "xml", TB, shift=4)
        coco(root / "all.json", range(N))
    with pytest.raises(UsageError, match="in files of several kinds") as error:
        listing(root, wanted=Wanted("detect"))
    places = re.findall(r"--boxes '([^']+)'", str(error.value))
    assert places == [str(root / "xml"), str(root / "all.json")]
    of_each = [len(listing(root, wanted=Wanted(boxes=place)).entries) for place in places]
    assert of_each == ([6, 6] if why == "other images" else [len(TB), N])


def test_kinds_in_one_folder_are_to_be_moved(root: Path) -> None:
    xml(root / "a", range(6))
    for number, part in enumerate((range(3, 6), range(6, N))):
        coco(root / "a" / f"{number}.json", part)
    with pytest.raises(UsageError, match="move each kind to a folder of its own and name one with --boxes"):
        listing(root, wanted=Wanted("detect"))
