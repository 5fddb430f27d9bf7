"""Several files of boxes beside the images: each table is read by its own columns, and what a network found is no truth."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations import read_boxes
from evenray.data.annotations.box_tables import read_box_table
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.images.writers.boxes import write_boxes

from .drawn import image

IMAGES = [f"{n}.png" for n in range(4)]
TRAIN = "file,class,xmin,ymin,xmax,ymax\n0.png,a,2,3,7,9\n1.png,b,1,1,4,6\n"
VAL = "file,class,x,y,width,height\n2.png,a,2,3,5,6\n3.png,a,,,,\n"


def tables(root: Path, **texts: str) -> list[Path]:
    paths = []
    for name, text in texts.items():
        paths.append(root / f"{name}.csv")
        paths[-1].write_text(text)
    return paths


@pytest.mark.parametrize("order", [1, -1])
def test_tables_of_other_columns_are_read_each_by_its_own(tmp_path: Path, order: int) -> None:
    found = read_box_table(tables(tmp_path, train=TRAIN, val=VAL)[::order], IMAGES, tmp_path)
    corners = {file: [(b.x0, b.y0, b.x1, b.y1) for b in own.boxes] for file, own in found.images.items()}
    assert corners == {"0.png": [(2, 3, 7, 9)], "1.png": [(1, 1, 4, 6)], "2.png": [(2, 3, 7, 9)], "3.png": []}
    assert found.classes == ("a", "b")


def test_the_same_boxes_in_other_columns_count_once(tmp_path: Path) -> None:
    again = "file,class,x,y,width,height\n0.png,a,2,3,5,6\n2.png,a,2,3,5,6\n"
    found = read_box_table(tables(tmp_path, train=TRAIN, again=again), IMAGES, tmp_path)
    assert [len(found.images[name].boxes) for name in IMAGES[:3]] == [1, 1, 1]


def test_tables_that_say_other_things_are_named_and_so_is_the_option(tmp_path: Path) -> None:
    other = "file,class,x,y,width,height\n0.png,a,9,9,5,6\n"
    with pytest.raises(
        DataError, match=r"'.*train.csv', '.*other.csv' .* other things of 1 images, such as '0.png'.*--boxes"
    ):
        read_box_table(tables(tmp_path, train=TRAIN, other=other), IMAGES, tmp_path)
    shares = "file,class,x,y,width,height\n2.png,a,0.1,0.2,0.5,0.5\n"
    with pytest.raises(DataError, match=r"in pixels and in shares .*--boxes"):
        read_box_table(tables(tmp_path, train=TRAIN, shares=shares), IMAGES, tmp_path)


def test_a_table_of_other_images_is_told_and_hides_none(tmp_path: Path) -> None:
    others = "file,class,x,y,width,height\nq.png,a,2,3,5,6\n"
    found = read_box_table(tables(tmp_path, elsewhere=others, train=TRAIN), IMAGES, tmp_path)
    assert sorted(found.images) == ["0.png", "1.png"]
    assert [(note.code, note.values["count"]) for note in found.notes] == [("annotations.tables_of_others", 1)]
    with pytest.raises(DataError, match="names one of the 4 images"):
        read_box_table(tables(tmp_path, elsewhere=others), IMAGES, tmp_path)


@pytest.mark.parametrize(
    ("header", "flags", "ignored"),
    [("iscrowd", ("0", "1"), [False, True]), ("Difficult", ("False", "True"), [False, True]),
     ("IsGroupOf", ("-1", "1"), [False, True]),
     ("ignore", ("", "yes"), [False, True]), ("difficult", ("easy", "hard"), [False, False])],
)  # fmt: skip
def test_columns_say_which_objects_count_neither_way(
    tmp_path: Path, header: str, flags: tuple[str, str], ignored: list[bool]
) -> None:
    lines = [f"0.png,a,{n},3,9,9,{flag}\n" for n, flag in enumerate(flags)]
    text = f"file,class,xmin,ymin,xmax,ymax,{header}\n" + "".join(lines)
    found = read_box_table(tables(tmp_path, train=text), IMAGES, tmp_path)
    assert [box.ignored for box in found.images["0.png"].boxes] == ignored


@pytest.mark.parametrize("truth", ["train.csv", "train.json"])
def test_what_predict_wrote_beside_the_truth_is_no_truth_unless_it_is_named(tmp_path: Path, truth: str) -> None:
    for n, name in enumerate(IMAGES):
        image(tmp_path / name, n)
    sizes = pl.DataFrame({"name": IMAGES, "rows": [20] * 4, "columns": [30] * 4})
    found = pl.DataFrame(
        {"name": IMAGES, "class": [0] * 4, "x0": [9.0] * 4, "y0": [9.0] * 4, "x1": [15.0] * 4, "y1": [15.0] * 4}
    )
    for ending in (".csv", ".json"):
        write_boxes(tmp_path / f"answers_boxes{ending}", sizes, found.with_columns(score=pl.lit(0.9)), ["a"])
    write_boxes(tmp_path / "train.json", sizes, found.with_columns(x0=pl.lit(2.0)), ["a"])
    if truth.endswith("csv"):
        (tmp_path / "train.json").unlink()
        (tmp_path / truth).write_text(
            "file,class,xmin,ymin,xmax,ymax\n" + "".join(f"{name},a,2,9,15,15\n" for name in IMAGES)
        )
    dataset = scan(tmp_path, wanted=Wanted(task="detect"))
    assert [read_boxes(dataset, row).tolist() for row in range(4)] == [[[0, 2, 9, 15, 15]]] * 4
    assert "annotations.answers" in {note.code for note in dataset.facts.notes}
    for ending in (".csv", ".json"):
        named = scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / f"answers_boxes{ending}")))
        assert read_boxes(named, 0).tolist() == [[0, 9, 9, 15, 15]]
