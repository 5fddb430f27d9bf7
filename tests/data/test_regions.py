"""Regions of interest: boxes, circles and masks that a user names, those of the task, and those of tables beside the images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.circles import is_circle_table
from evenray.data.regions import regions_of
from evenray.data.scan import scan


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two classes of three films of 40 x 60."""
    rng = np.random.default_rng(0)
    for label in ("sick", "well"):
        (tmp_path / "films" / label).mkdir(parents=True)
        for number in range(3):
            cv2.imwrite(
                str(tmp_path / "films" / label / f"{label}{number}.png"), rng.integers(0, 255, (40, 60), np.uint8)
            )
    return tmp_path / "films"


def expected(rows: slice, columns: slice) -> np.ndarray:
    found = np.zeros((40, 60), bool)
    found[rows, columns] = True
    return found


def found(films: Path, place: Path) -> np.ndarray:
    data = scan(films)
    row = data.cases["file"].to_list().index("sick/sick1.png")
    regions = regions_of(data, str(place))
    others = [regions.of(i, 1) for i in range(6) if i != row]
    assert others == [None] * 5
    region = regions.of(row, 1)
    assert region is not None
    return region


def test_a_table_of_boxes(films: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("file,xmin,ymin,xmax,ymax\nsick1.png,10,5,30,20\nsick0.png,,,,\n")
    assert np.array_equal(found(films, tmp_path / "boxes.csv"), expected(slice(5, 20), slice(10, 30)))


def test_coco_boxes(films: Path, tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "sick1.png", "width": 60, "height": 40}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 15]}],
        "categories": [{"id": 1, "name": "lesion"}],
    }))  # fmt: skip
    assert np.array_equal(found(films, tmp_path / "coco.json"), expected(slice(5, 20), slice(10, 30)))


def test_a_table_of_circles(films: Path, tmp_path: Path) -> None:
    table = tmp_path / "lesions.csv"
    table.write_text("file,row,column,radius\nsick/sick1.png,20,30,6\n")
    assert is_circle_table(table)
    y, x = np.ogrid[:40, :60]
    assert np.array_equal(found(films, table), (x - 30) ** 2 + (y - 20) ** 2 <= 36)


@pytest.mark.parametrize("white", [1, 255])
def test_a_folder_of_masks_which_may_be_of_another_size(films: Path, tmp_path: Path, white: int) -> None:
    (tmp_path / "masks").mkdir()
    mask = np.zeros((80, 120), np.uint8)
    mask[10:40, 20:60] = white
    cv2.imwrite(str(tmp_path / "masks" / "sick1_mask.png"), mask)
    assert np.array_equal(found(films, tmp_path / "masks"), expected(slice(5, 20), slice(10, 30)))


def test_what_holds_no_regions_of_these_images_is_refused(films: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("file,xmin,ymin,xmax,ymax\nother.png,10,5,30,20\n")
    with pytest.raises(DataError, match=r"--regions is '.*boxes.csv'; expected boxes or masks of the images"):
        regions_of(scan(films), str(tmp_path / "boxes.csv"))


def test_without_a_word_classes_have_no_regions(films: Path) -> None:
    assert regions_of(scan(films), None).of(0, 1) is None


def test_a_table_beside_the_images_that_nobody_named_may_be_no_table_of_regions(films: Path) -> None:
    (films / "entries.csv").write_text("file,x,row\nsick/sick1.png,high,1\n")
    data = scan(films)
    data = replace(data, facts=data.facts.model_copy(update={"box_tables": ("entries.csv",)}))
    assert regions_of(data, None).of(0, 1) is None


def test_the_outlined_lesions_of_real_ultrasounds(evenray_data: Path, tmp_path: Path) -> None:
    """Masks of a folder beside the images; of the normal ones there is none."""
    source, masks = evenray_data / "breast-ultrasound-256", evenray_data / "breast-ultrasound-256-masks"
    for label in ("benign", "malignant", "normal"):
        (tmp_path / label).mkdir()
        for number in (1, 2):
            name = f"{label} ({number}).png"
            (tmp_path / label / name).write_bytes((source / label / name).read_bytes())
    data = scan(tmp_path)
    regions = regions_of(data, str(masks))
    for row, (file, label) in enumerate(data.cases.select("file", "label").iter_rows()):
        region = regions.of(row, 0)
        if label == "normal":
            assert region is None
        else:
            true = cv2.imread(str(masks / file), cv2.IMREAD_GRAYSCALE)
            assert region is not None
            assert np.array_equal(region, true > 0)
