"""Which annotations are taken: what the user names, else labels, else what lies there; two readings are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Dataset
from evenray.data.annotations import read_boxes, read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.data.split import split

from .drawn import BOXES, MASKS, binary, image, mask_of, write


def codes(root: Path, **wanted: Any) -> set[str]:
    return {note.code for note in listing(root, wanted=Wanted(**wanted)).notes}


def test_labels_come_first_and_the_option_is_named(tmp_path: Path) -> None:
    MASKS["several_an_image"](tmp_path)
    found = listing(tmp_path)
    assert (found.reading.task, found.labels) == ("classify", {"benign", "normal"})
    assert "annotations.masks_unused" in {note.code for note in found.notes}
    asked = listing(tmp_path, wanted=Wanted("segment"))
    assert (asked.reading.task, len(asked.entries)) == ("segment", 6)
    assert {row.meaning for row in asked.understood.rows} == {"masks"}


def test_boxes_beside_labels_are_told(tmp_path: Path) -> None:
    for n, label in enumerate(("sick", "well") * 3):
        image(tmp_path / label / f"{n}.png", n)
        box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        xml = f"<annotation><object><name>a</name>{box}</object></annotation>"
        (tmp_path / label / f"{n}.xml").write_text(xml)
    assert "annotations.boxes_unused" in codes(tmp_path)
    assert listing(tmp_path, wanted=Wanted("detect")).reading.task == "detect"


def test_masks_and_boxes_are_two_readings(tmp_path: Path) -> None:
    MASKS["twin_folders"](tmp_path)
    (tmp_path / "boxes.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    with pytest.raises(DataError, match="say --task segment or --task detect"):
        listing(tmp_path)
    assert listing(tmp_path, wanted=Wanted("segment")).reading.task == "segment"


def test_outlines_and_boxes_of_one_file_are_two_readings(tmp_path: Path) -> None:
    MASKS["coco_runs"](tmp_path)
    with pytest.raises(DataError, match="say --task segment or --task detect"):
        listing(tmp_path)
    assert scan(tmp_path, wanted=Wanted("detect")).cases["boxes"].list.len().to_list() == [2] * 6


@pytest.mark.parametrize(
    ("wanted", "error", "what"),
    [
        (Wanted("segment"), DataError, "No masks are found"),
        (Wanted("detect"), DataError, "No boxes are found"),
        (Wanted(masks="nowhere"), DataError, "There is no 'nowhere'"),
        (Wanted(boxes="nowhere"), DataError, "There is no 'nowhere'"),
        (Wanted("detect", masks="x"), UsageError, "--masks is for --task segment"),
        (Wanted(masks="x", boxes="y"), UsageError, "Give one of them"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, wanted: Wanted, error: type[Exception], what: str) -> None:
    image(tmp_path / "a.png", 1)
    with pytest.raises(error, match=what):
        listing(tmp_path, wanted=wanted)


def test_masks_of_other_images_are_refused(tmp_path: Path) -> None:
    image(tmp_path / "data" / "a.png", 1)
    write(tmp_path / "masks" / "b.png", mask_of(1))
    with pytest.raises(DataError, match=r"None of the 1 files in .* has the name of one of the 1 images"):
        listing(tmp_path / "data", wanted=Wanted(masks=str(tmp_path / "masks")))


def test_an_image_without_an_annotation_is_left_out_or_empty(tmp_path: Path) -> None:
    MASKS["twin_folders"](tmp_path)
    (tmp_path / "train" / "masks" / "3.png").unlink()
    left = scan(tmp_path)
    assert (len(left), left.facts.unlabelled) == (5, 1)
    assert "annotations.left_out" in {note.code for note in left.facts.notes}
    whole = scan(tmp_path, wanted=Wanted(unannotated="empty"))
    row = whole.cases["file"].to_list().index("train/images/3.png")
    assert (len(whole), whole.targets[row].tolist(), read_mask(whole, row).any()) == (6, [0], False)


def test_masks_may_lie_in_another_tree(tmp_path: Path) -> None:
    for n in range(4):
        image(tmp_path / "data" / "ab"[n % 2] / f"{n}.png", n)
        write(tmp_path / "masks" / "ab"[n % 2] / f"{n}_segmentation.png", (mask_of(n) == 1).astype(np.uint8) * 255)
    dataset = scan(tmp_path / "data", wanted=Wanted(masks=str(tmp_path / "masks")))
    assert dataset.cases["masks"][0][0]["file"] == "../masks/a/0_segmentation.png"
    assert dataset.cases["label"].to_list() == ["a", "a", "b", "b"]  # what the folders say stands beside
    np.testing.assert_array_equal(read_mask(dataset, 0), mask_of(0) == 1)


def test_a_bad_file_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    MASKS["twin_folders"](tmp_path / "m")
    (tmp_path / "m" / "train" / "masks" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    masks = scan(tmp_path / "m")
    assert (len(masks), masks.rejected["file"].to_list()) == (5, ["train/images/2.png"])
    assert "its mask 'train/masks/2.png'" in masks.rejected["reason"][0]
    BOXES["voc"](tmp_path / "b")
    (tmp_path / "b" / "Training" / "Annotations" / "p2.xml").write_text("<annotation><object>")
    boxes = scan(tmp_path / "b")
    assert (len(boxes), boxes.facts.unlabelled) == (5, 1)
    assert boxes.rejected["file"].to_list() == ["Training/Annotations/p2.xml"]
    BOXES["coco"](tmp_path / "c")
    (tmp_path / "c" / "annotations" / "train.json").write_text('{"images": [], "annotations": [3], "categories": []}')
    with pytest.raises(DataError, match="is no COCO file"):
        scan(tmp_path / "c")


def test_shards_with_other_classes_are_joined(tmp_path: Path) -> None:
    BOXES["voc"](tmp_path)
    whole = scan(tmp_path)
    first = whole.with_cases(whole.cases[:2])
    kind = pl.element().struct.with_fields(pl.field("class") * 0)
    later = whole.cases[2:].with_columns(boxes=pl.col("boxes").list.eval(kind), findings=pl.lit([True]))
    second = replace(whole, cases=later, classes=("b",))
    both = Dataset.of_shards([second, first])
    assert both.classes == ("b", "a")
    assert {box["class"] for own in both.cases["boxes"][:-2] for box in own} == {0}
    np.testing.assert_array_equal(both.targets[-2:], whole.targets[:2, ::-1])
    flipped = read_boxes(both, len(both) - 1)
    np.testing.assert_array_equal(flipped[:, 0], 1 - read_boxes(whole, 1)[:, 0])


def marked(n: int, seed: int) -> Dataset:
    """Images of one class, a third of them empty, the others with areas of very different size; two images a patient."""
    rng = np.random.default_rng(seed)
    pixels = np.where(rng.random(n) < 1 / 3, 0, np.exp(rng.normal(5, 1.5, n))).astype(int)
    cases = pl.DataFrame({
        "case": [f"c{i:04d}" for i in range(n)], "file": [f"f{i:04d}" for i in range(n)],
        "pixel_hash": [f"h{i}" for i in range(n)],
        "patient": [f"p{i // 2}" for i in range(n)], "part": pl.Series([None] * n, dtype=pl.String),
        "mask_pixels": [[p] for p in pixels],
        "findings": [[bool(p)] for p in pixels], "rows": [128] * n, "columns": [128] * n,
    })  # fmt: skip
    dataset = Dataset(cases, ("lesion",), "", ".")
    return replace(dataset, facts=dataset.facts.model_copy(update={"task": "segment"}))


def test_parts_have_as_many_empty_and_as_large_masks() -> None:
    """Over 20 drawings, empty images and large masks are nearer to their share than where images are divided by chance."""
    drawn, chance = [], []
    for seed in range(20):
        dataset = marked(120, seed)
        pixels = dataset.cases["mask_pixels"].list.first().to_numpy()
        large = pixels > np.median(pixels[pixels > 0])
        test = (split(dataset, test=0.25, validation=0.2, seed=seed, together=()).cases["part"] == "test").to_numpy()
        assert (
            dataset.cases.filter(pl.Series(test))["patient"]
            .is_in(dataset.cases.filter(pl.Series(~test))["patient"])
            .sum()
            == 0
        )
        by_chance = np.repeat(np.random.default_rng(seed).permutation(60) < 15, 2)
        for found, chosen in ((drawn, test), (chance, by_chance)):
            found.append([abs(what[chosen].mean() - what.mean()) for what in (pixels == 0, large)])
    assert (np.mean(drawn, axis=0) < 0.6 * np.mean(chance, axis=0)).all()


def test_nothing_marked_is_nothing_to_learn() -> None:
    dataset = marked(40, 1)
    empty = dataset.cases.with_columns(findings=pl.lit([False]), mask_pixels=pl.lit([0]))
    with pytest.raises(DataError, match="Nothing is marked"):
        split(dataset.with_cases(empty), together=())


def test_masks_of_several_kinds_are_asked_about_with_patterns_that_choose(tmp_path: Path) -> None:
    """As NuInsSeg has them: binary, with numbers, and where it is vague; each pattern that the error names reads one of them."""
    for n in range(6):
        image(tmp_path / "tissue images" / f"h_{n:02}.png", n)
        write(tmp_path / "mask binary" / f"h_{n:02}.png", binary(n) * 255)
        write(tmp_path / "label masks" / f"h_{n:02}.tif", mask_of(n).astype(np.uint16))
        write(tmp_path / "vague areas" / "mask binary" / f"h_{n:02}.png", binary(n + 1) * 0)
    with pytest.raises(DataError, match="masks of several kinds") as raised:
        scan(tmp_path)
    for pattern, classes in (("label masks/*", ("1", "2")), ("mask binary/*", ("foreground",))):
        assert f"--masks '{pattern}'" in str(raised.value)
        assert scan(tmp_path, wanted=Wanted(masks=pattern)).classes == classes


@pytest.mark.parametrize(
    ("truth", "field"),
    [("labels", "masks"), ("groundtruth", "mask"), ("GT_2019", "mask"), ("mask_seg/seg", "mask_seg/mask")],
)
def test_masks_of_the_field_of_view_are_told_by_their_folder(truth: str, field: str, tmp_path: Path) -> None:
    for n in range(6):
        image(tmp_path / "images" / f"{n}.png", n)
        write(tmp_path / truth / f"{n}.png", binary(n) * 255)
        write(tmp_path / field / f"{n}.png", np.full((20, 30), 255, np.uint8))
    assert "annotations.field_folders" in codes(tmp_path)
    np.testing.assert_array_equal(read_mask(scan(tmp_path), 2), binary(2))
    chosen = scan(tmp_path, wanted=Wanted(masks=f"{field.rpartition('/')[2]}/*"))
    assert read_mask(chosen, 2).all()


@pytest.mark.parametrize(("one", "other"), [("gt", "roi"), ("contours", "segmentation"), ("contours", "masks")])
def test_masks_that_folders_alone_tell_apart_are_asked_about(one: str, other: str, tmp_path: Path) -> None:
    for n in range(6):
        image(tmp_path / "images" / f"{n}.png", n)
        write(tmp_path / one / f"{n}.png", binary(n) * 255)
        if n % 2:
            write(tmp_path / other / f"{n}.png", binary(n + 1) * 255)
    with pytest.raises(DataError, match=rf"several kinds, .* --masks '{one}/\*' or --masks '{other}/\*'"):
        scan(tmp_path)
    np.testing.assert_array_equal(read_mask(scan(tmp_path, wanted=Wanted(masks=f"{one}/*")), 2), binary(2))


def test_masks_of_numbered_folders_are_of_one_drawing(tmp_path: Path) -> None:
    for n in range(6):
        image(tmp_path / "images" / f"{n}.png", n)
        for k in (1, 2):
            write(tmp_path / f"mask_{k}" / f"{n}.png", (mask_of(n) == k).astype(np.uint8) * 255)
    np.testing.assert_array_equal(read_mask(scan(tmp_path), 2), mask_of(2) > 0)


@pytest.mark.parametrize("folders", [("labels-ah", "labels-vk"), ("GT/first", "GT/thick")])
def test_masks_that_show_the_same_are_no_classes(folders: tuple[str, str], tmp_path: Path) -> None:
    """As STARE has them, of two readers called by their initials."""
    for n in range(6):
        image(tmp_path / "images" / f"im{n:04}.png", n)
        for k, folder in enumerate(folders):
            mask = binary(n).copy()
            mask[:5, 20] = mask[8] = 0
            mask[:5, 20] = k
            mask[6] *= 1 - k
            write(tmp_path / folder / f"im{n:04}.png", mask * 255)
    with pytest.raises(DataError, match="masks of several kinds"):
        scan(tmp_path)
    wanted = Wanted(masks=f"{folders[0].rpartition('/')[2]}/*")
    assert read_mask(scan(tmp_path, wanted=wanted), 0).sum() < binary(0).sum()


def test_what_is_called_as_the_images_and_not_read_is_named(tmp_path: Path) -> None:
    for n in range(6):
        image(tmp_path / "im" / f"Im{n:03}_1.jpg", n)
        (tmp_path / "xyc").mkdir(exist_ok=True)
        (tmp_path / "xyc" / f"Im{n:03}_1.txt").write_text("12 14\n3 9\n")
    with pytest.raises(
        DataError, match=r"6 files such as 'xyc/Im000_1.txt' may be annotations in a format that is not read"
    ):
        scan(tmp_path, wanted=Wanted("detect"))
