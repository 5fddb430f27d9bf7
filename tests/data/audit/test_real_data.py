"""What is known to be wrong with public data sets is found in them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from evenray.core.types import Dataset
from evenray.data.annotations.finding import Wanted
from evenray.data.audit import audit, checks
from evenray.data.scan import scan


def files_of(dataset: Dataset) -> dict[str, str]:
    """The file of each case: findings name cases by their pseudonyms."""
    return dict(zip(dataset.cases["case"].to_list(), dataset.cases["file"].to_list(), strict=True))


def test_the_label_conflict_of_the_breast_ultrasounds(evenray_data: Path) -> None:
    dataset = scan(evenray_data / "breast-ultrasound-256")
    files = files_of(dataset)
    [finding] = checks["label_conflicts"](dataset)
    found = sorted(files[case] for case in finding.cases)
    assert found == ["benign/benign (433).png", "malignant/malignant (145).png"]


def test_the_groups_of_identical_chest_x_rays(evenray_data: Path) -> None:
    """All groups with an image in the test part, by an independent decoder."""
    folder = evenray_data / "chest-xray-224" / "test"
    pictures = defaultdict(set)
    for file in folder.rglob("*.jpeg"):
        pictures[cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).tobytes()].add(file.relative_to(folder).as_posix())
    expected = {frozenset(names) for names in pictures.values() if len(names) > 1}
    dataset = scan(folder)
    files = files_of(dataset)
    [finding] = checks["duplicates"](dataset)
    assert {frozenset(files[case] for case in group) for group in finding.groups} == expected
    assert len(expected) > 5


def test_the_images_that_both_medmnist_files_share_between_parts(evenray_data: Path) -> None:
    for name, pair, severity in (
        ("breastmnist", ("train", "test"), "error"),
        ("pneumoniamnist", ("train", "val"), "warning"),
    ):
        arrays = np.load(evenray_data / "medmnist" / f"{name}.npz")
        first, second = ({image.tobytes() for image in arrays[f"{part}_images"]} for part in pair)
        [finding] = checks["leakage_duplicates"](scan(evenray_data / "medmnist" / f"{name}.npz"))
        assert finding.severity == severity
        assert len(finding.groups) == len(first & second)


def test_the_pair_of_opposite_polarity_is_told_apart(evenray_data: Path) -> None:
    [finding] = checks["negatives"](scan(evenray_data / "dicom/polarity"))
    assert len(finding.cases) == 2


def test_a_public_set_is_judged_without_mishap(evenray_data: Path) -> None:
    """Full-size X-rays as they come: no image is called blank, over-exposed or negative."""
    found = {finding.check for finding in audit(scan(evenray_data / "chest-xray-full"))}
    assert not found & {"blank", "overexposed", "underexposed", "polarity", "negatives", "levels_undeclared"}


def test_what_is_wrong_with_the_boxes_of_the_blood_cells(evenray_data: Path) -> None:
    dataset = scan(evenray_data / "blood-cells")
    assert (dataset.facts.task, dataset.classes, len(dataset)) == ("detect", ("Platelets", "RBC", "WBC"), 420)
    boxes = dataset.cases.filter(pl.col("part") == "train")["boxes"].explode().struct.field("class")
    assert [int((boxes == k).sum()) for k in range(3)] == [304, 3341, 307]  # as the folder's own note has it
    [copies] = checks["leakage_duplicates"](dataset)
    assert len(copies.groups) == 60
    assert set(dataset.part("validation").cases["case"]) <= set(copies.cases)
    forgotten = {
        f.evidence["class_name"]: f.cases for f in checks["annotation_classes"](dataset) if f.variant == "unmarked"
    }
    assert len(forgotten["RBC"]) == 17
    [flat] = checks["box_extent"](dataset)
    assert (flat.variant, len(flat.cases)) == ("degenerate", 2)


def test_the_lesions_of_the_breast_ultrasounds(evenray_data: Path) -> None:
    """Every mask finds its image, and their sizes are those that OpenCV counts."""
    folder = evenray_data / "breast-ultrasound-256-masks"
    dataset = scan(evenray_data / "breast-ultrasound-256", wanted=Wanted(masks=str(folder)))
    assert (len(dataset), dataset.facts.unlabelled, dataset.classes) == (647, 133, ("foreground",))
    for file, [pixels] in dataset.cases.sample(20, seed=1).select("file", "mask_pixels").iter_rows():
        assert pixels == np.count_nonzero(cv2.imread(str(folder / file), cv2.IMREAD_GRAYSCALE))
    [conflict] = checks["annotation_conflicts"](dataset)
    files = files_of(dataset)
    assert sorted(files[case] for case in conflict.cases) == [
        "benign/benign (433).png",
        "malignant/malignant (145).png",
    ]
