"""MedMNIST archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.audit import audit
from evenray.data.scan import scan
from evenray.data.scan.listing import listing

from ..conftest import Make, picture, told


def write(path: Path, **counts: int) -> Path:
    arrays = {}
    for part, count in counts.items():
        arrays[f"{part}_images"] = np.stack([picture(i + 100 * len(arrays)) for i in range(count)])
        arrays[f"{part}_labels"] = np.arange(count, dtype=np.uint8)[:, None] % 2
    np.savez(path, **arrays)
    return path


def test_the_parts_and_the_names_of_the_classes_of_an_official_file(tmp_path: Path) -> None:
    found = listing(write(tmp_path / "renamed.npz", train=546, val=78, test=156))
    assert [entry.fragment for entry in found.entries[:2]] == ["train/0", "train/1"]
    assert [entry.part for entry in found.entries] == ["train"] * 546 + ["validation"] * 78 + ["test"] * 156
    assert found.understood.counts == {"malignant": 390, "normal, benign": 390}


def test_a_file_of_an_official_name_and_other_content_keeps_its_numbers(tmp_path: Path) -> None:
    data = scan(write(tmp_path / "pneumoniamnist.npz", train=4, val=2, test=2))
    assert data.cases["case"].to_list()[:2] == ["train/0", "train/1"]
    assert data.cases["part"].to_list() == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    assert (data.classes, data.positive, data.counts) == (("0", "1"), "1", {"0": 4, "1": 4})
    assert data.facts.patients_known is False


def test_several_labels_an_image_are_findings(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]])
    np.savez(tmp_path / "own.npz", train_images=np.stack([picture(i) for i in range(4)]), train_labels=labels)
    data = scan(tmp_path / "own.npz")
    assert (data.facts.task, data.classes) == ("tag", ("0", "1", "2"))
    assert data.cases["findings"].to_list() == labels.astype(bool).tolist()
    assert data.cases["label"].null_count() == 4


def test_an_unknown_archive_keeps_the_numbers(tmp_path: Path) -> None:
    data = scan(write(tmp_path / "own.npz", train=4))
    assert (data.classes, data.positive) == (("0", "1"), "1")
    assert data.cases["part"].to_list() == ["train"] * 4


def test_an_archive_without_labels_is_audited_as_a_folder_without(tmp_path: Path) -> None:
    images = {f"{part}_images": np.stack([picture(i) for i in range(3)]) for part in ("train", "test")}
    np.savez(tmp_path / "bare.npz", **images)
    data = scan(tmp_path / "bare.npz")
    assert data.cases.select("case", "label", "part").rows()[2:4] == [
        ("train/2", None, "train"),
        ("test/0", None, "test"),
    ]
    assert (data.classes, data.facts.unlabelled) == ((), 6)
    assert "duplicates" in {finding.check for finding in audit(data)}
    with pytest.raises(DataError, match=r"The 6 images of '.*' have no labels"):
        data.to_learn_from()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            {"train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.full((2, 14), 2)},
            "gives each image 14 labels that are not all 0 or 1",
        ),
        ({"x": np.zeros(3)}, "holds no images of the MedMNIST kind"),
        ({"train_labels": np.array([{}], dtype=object)}, "cannot be read as a .npz archive"),
    ],
)
def test_an_archive_of_another_kind(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(DataError, match=said):
        listing(tmp_path / "own.npz")


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 4, 4)), "shape (2, 4, 4) and of float64"),
        (np.zeros((2, 4, 4), bool), "shape (2, 4, 4) and of bool"),
        (np.zeros((2, 4, 4, 4), np.uint8), "shape (2, 4, 4, 4) and of uint8"),
    ],
)
def test_arrays_of_another_layout_are_told_in_one_sentence(tmp_path: Path, images: np.ndarray, said: str) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, train_images=images, train_labels=np.arange(2))
    with pytest.raises(DataError) as error:
        listing(path)
    assert str(error.value) == (
        f"'{path}' has train_images of {said}; expected (N, H, W), (N, H, W, 1) or (N, H, W, 3) and of uint8, uint16, int16"
        " or float32: save them so."
    )


def test_arrays_with_a_single_channel_are_grey(tmp_path: Path) -> None:
    images = np.stack([picture(i) for i in range(4)])
    for name, arrays in (("flat", images), ("channel", images[..., None])):
        np.savez(tmp_path / f"{name}.npz", train_images=arrays, train_labels=np.arange(4) % 2)
    flat, channel = (scan(tmp_path / f"{name}.npz").cases for name in ("flat", "channel"))
    assert channel["pixel_hash"].equals(flat["pixel_hash"])


def test_a_damaged_archive(tmp_path: Path, text: Make) -> None:
    with pytest.raises(DataError, match=r"cannot be read as a \.npz archive"):
        listing(text("own.npz", "no zip"))
    path = write(tmp_path / "cut.npz", train=4)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"cannot be read as a \.npz archive"):
        listing(path)


def of(images: int, *labels: object, part: str = "train") -> dict[str, np.ndarray]:
    return {f"{part}_images": np.stack([picture(i) for i in range(images)]), f"{part}_labels": np.array(labels)}


def test_images_beyond_the_labels_are_counted(tmp_path: Path) -> None:
    bare = {"val_images": np.stack([picture(i) for i in range(20, 23)])}
    np.savez(tmp_path / "own.npz", **of(6, 0, 1, 0, 1), **bare)
    data = scan(tmp_path / "own.npz")
    assert (len(data), data.facts.unlabelled) == (4, 5)
    assert told(data.facts.notes) == [
        "own.npz has 6 images in the training part and 4 labels for them",
        "own.npz has 3 images in the validation part and 0 labels for them",
    ]
    warned = next(finding for finding in audit(data) if finding.check == "labels")
    assert (warned.severity, warned.evidence) == ("warning", {"images": 5, "share": 0.5556})


def test_labels_beyond_the_images_are_set_aside_each_by_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **of(4, 0, 1, 0, 1, 1, 1))
    data = scan(tmp_path / "own.npz")
    assert data.rejected["file"].to_list() == ["own.npz#train/4", "own.npz#train/5"]
    assert told(data.facts.notes) == ["own.npz has 4 images in the training part and 6 labels for them"]
    found = next(finding for finding in audit(data) if finding.check == "unreadable")
    assert (found.evidence["files"], found.evidence["share"]) == (2, 0.3333)  # of six, and not of one file and two


def test_labels_that_are_missing_are_no_class(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **of(5, 0.0, 1.0, np.nan, 1.0, 0.0))
    data = scan(tmp_path / "own.npz")
    assert (data.counts, data.facts.unlabelled) == ({"0": 2, "1": 2}, 1)
    assert told(data.facts.notes) == ["1 label of the training part of own.npz is missing (such as NaN)"]


def test_parts_that_write_their_labels_otherwise_have_the_same_classes(tmp_path: Path) -> None:
    parts = of(3, 0, 1, 1) | of(2, 0.0, 1.0, part="test")
    np.savez(tmp_path / "pneumoniamnist.npz", **parts)
    assert scan(tmp_path / "pneumoniamnist.npz").counts == {"0": 2, "1": 3}


def test_measurements_are_no_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **of(30, *np.linspace(0.1, 2.9, 30)))
    with pytest.raises(DataError, match=r"own\.npz' look like numbers, not classes: 30 different ones"):
        listing(tmp_path / "own.npz")
