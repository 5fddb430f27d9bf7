"""Lists of the images of each part: Pascal VOC's and YOLO's text files, COCO's files of parts."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.finding import Wanted
from evenray.data.scan.entries import Listing
from evenray.data.scan.listing import listing
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

RNG = np.random.default_rng(8)
TRUTH = {f"{n:06d}": "train" if n < 12 else "validation" if n < 16 else "test" for n in range(20)}


def of(part: str) -> list[str]:
    return [stem for stem, known in TRUTH.items() if known == part]


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), RNG.integers(0, 255, (16, 16), dtype=np.uint8))


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def voc(root: Path, *, both: bool = True, apart: bool = True) -> Path:
    for stem in TRUTH:
        draw(root / f"VOC/JPEGImages/{stem}.jpg")
        box = "<object><name>cell</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>8</xmax><ymax>9</ymax></bndbox></object>"
        size = "<size><width>16</width><height>16</height><depth>3</depth></size>"
        write(
            root / f"VOC/Annotations/{stem}.xml",
            [f"<annotation><filename>{stem}.jpg</filename>{size}{box}</annotation>"],
        )
    lists = root / "VOC/ImageSets/Main"
    write(lists / "test.txt", of("test"))
    if both:
        write(lists / "trainval.txt", [*of("train"), *of("validation")])
    if apart:
        write(lists / "val.txt", of("validation"))
        write(lists / "train.txt", of("train"))
    write(lists / "cell_train.txt", [f"{stem} {1 if n % 2 else -1}" for n, stem in enumerate(of("train"))])
    write(lists / "cell_val.txt", [f"{stem} -1" for stem in TRUTH])
    return root


def yolo(root: Path) -> Path:
    for stem in TRUTH:
        draw(root / f"obj_train_data/{stem}.jpg")
        write(root / f"obj_train_data/{stem}.txt", ["0 0.5 0.5 0.2 0.2"])
    for name, part in (("train", "train"), ("valid", "validation"), ("test", "test")):
        write(root / f"{name}.txt", [f"/home/me/data/obj_train_data/{stem}.jpg" for stem in of(part)])
    return root


def coco(root: Path) -> Path:
    for stem in TRUTH:
        draw(root / f"images/{stem}.jpg")
    for name, part in (("train2017", "train"), ("val2017", "validation"), ("test2017", "test")):
        images = [{"id": int(s), "file_name": f"{s}.jpg", "height": 16, "width": 16} for s in of(part)]
        boxes = [
            {"id": n, "image_id": each["id"], "category_id": 1, "bbox": [2, 2, 5, 5]} for n, each in enumerate(images)
        ]
        whole = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cell"}]}
        write(root / f"annotations/instances_{name}.json", [json.dumps(whole)])
    return root


def listed(root: Path, column: str | None = None) -> Listing:
    asked = Choices(columns_asked([column])) if column else Choices()
    return listing(root, choices=asked, wanted=Wanted(task="detect"))


def parts(found: Listing) -> dict[str, str | None]:
    return {Path(entry.file).stem: entry.part for entry in found.entries}


@pytest.mark.parametrize("make", [voc, yolo, coco])
def test_lists_give_the_parts(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    found = listed(make(tmp_path))
    assert parts(found) == TRUTH
    [row] = [row for row in found.understood.rows if row.meaning == "split"]
    assert (row.matched, row.of) == (20, 20)
    assert not [note for note in found.notes if note.code == "scan.paths_absent"]


def test_training_and_validation_in_one_list_are_told_apart_where_another_list_does(tmp_path: Path) -> None:
    merged = {stem: "train" if part == "validation" else part for stem, part in TRUTH.items()}
    assert parts(listed(voc(tmp_path / "together", apart=False))) == merged
    assert parts(listed(voc(tmp_path / "apart", both=False))) == TRUTH


def test_images_in_no_list_have_no_part(tmp_path: Path) -> None:
    root = voc(tmp_path, both=False)
    write(root / "VOC/ImageSets/Main/train.txt", [*of("train")[2:], "gone"])
    found = listed(root)
    assert parts(found) == TRUTH | dict.fromkeys(of("train")[:2])
    assert [dict(note.values) for note in found.notes if note.code == "scan.paths_absent"] == [
        {"count": 1, "file": "train.txt"}
    ]


def test_an_image_in_two_lists_is_refused(tmp_path: Path) -> None:
    root = yolo(tmp_path)
    write(root / "test.txt", [f"obj_train_data/{stem}.jpg" for stem in [*of("test"), *of("train")[:1]]])
    with pytest.raises(DataError, match=r"two parts of the split, (test and train|train and test): .*ignore=\*\.txt"):
        listed(root)
    assert set(parts(listed(root, "ignore=*.txt")).values()) == {None}


def test_lists_that_agree_with_folders_are_taken_and_others_are_asked_about(tmp_path: Path) -> None:
    for stem, part in TRUTH.items():
        draw(tmp_path / f"{part}/{stem}.jpg")
        write(tmp_path / f"{part}/{stem}.txt", ["0 0.5 0.5 0.2 0.2"])
    for part in ("train", "validation", "test"):
        write(tmp_path / f"lists/{part}.txt", [f"{stem}.jpg" for stem in of(part)])
    assert parts(listed(tmp_path)) == TRUTH
    write(tmp_path / "lists/test.txt", [f"{stem}.jpg" for stem in [*of("test"), *of("train")[:1]]])
    write(tmp_path / "lists/train.txt", [f"{stem}.jpg" for stem in of("train")[1:]])
    with pytest.raises(DataError, match=r"split=lists/\*\.txt.*ignore=lists/\*\.txt.*the folders"):
        listed(tmp_path)
    assert parts(listed(tmp_path, "ignore=lists/*.txt")) == TRUTH
    assert parts(listed(tmp_path, "split=folder1")) == TRUTH
    chosen = listed(tmp_path, "split=lists/*.txt")
    assert parts(chosen) == TRUTH | {of("train")[0]: "test"}
    assert [(row.place, row.how) for row in chosen.understood.rows if row.meaning == "split"] == [
        ("lists/*.txt", "asked")
    ]


def test_lists_of_folds_that_differ_are_asked_about(tmp_path: Path) -> None:
    root = voc(tmp_path, both=False)
    write(root / "VOC/ImageSets/Second/train.txt", of("test"))
    write(root / "VOC/ImageSets/Second/test.txt", of("train"))
    with pytest.raises(DataError, match="give other parts of the split than"):
        listed(root)
    assert parts(listed(root, "split=VOC/ImageSets/Main/*.txt")) == TRUTH


def test_a_table_of_labels_keeps_its_parts_unless_lists_are_asked_for(tmp_path: Path) -> None:
    for stem in TRUTH:
        draw(tmp_path / f"{stem}.png")
    rows = [
        f"{s}.png,{'sick' if int(s) % 3 else 'well'},{'test' if part == 'test' else 'train'}"
        for s, part in TRUTH.items()
    ]
    write(tmp_path / "labels.csv", ["image,label,split", *rows])
    write(tmp_path / "val_list.txt", [f"{stem}.png" for stem in of("validation")])

    def told(column: str | None = None) -> Listing:
        return listing(tmp_path, choices=Choices(columns_asked([column])) if column else Choices())

    with pytest.raises(DataError, match=r"the table 'labels\.csv'"):
        told()
    kept = told("ignore=*.txt")
    assert kept.table is not None
    assert "part" in kept.table.table.columns
    lists = told("split=*.txt")
    assert lists.table is not None
    assert "part" not in lists.table.table.columns
    assert parts(lists) == {stem: "validation" if part == "validation" else None for stem, part in TRUTH.items()}


def test_one_list_of_all_images_tells_no_parts(tmp_path: Path) -> None:
    root = coco(tmp_path)
    for name in ("train2017", "test2017"):
        (root / f"annotations/instances_{name}.json").unlink()
    assert set(parts(listed(root)).values()) == {None}
