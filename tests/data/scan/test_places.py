"""Tables beside, below and above the images; patients and classes in the names of files; accession numbers; volumes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.scan import scan
from evenray.data.scan.file_names import persons_in_paths
from evenray.data.scan.listing import listing
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

RNG = np.random.default_rng(24)
FILES = [f"s{n}.png" for n in range(12)]
LABELS = {file: "sick" if n % 3 == 0 else "well" for n, file in enumerate(FILES)}


def draw(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), RNG.integers(0, 255, (16, 16), dtype=np.uint8))
    return folder


def write(path: Path, labels: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["image,label", *(f"{name},{said}" for name, said in labels.items())]) + "\n")


@pytest.mark.parametrize("place", ["set/labels.csv", "set/notes/labels.csv", "labels.csv", "set/images/labels.csv"])
def test_a_table_is_found_in_folders_inside_and_beside(tmp_path: Path, place: str) -> None:
    draw(tmp_path / "set/images", FILES)
    write(tmp_path / place, LABELS)
    found = scan(tmp_path / "set")
    assert {file.rpartition("/")[2]: label for file, label in found.cases.select("file", "label").iter_rows()} == LABELS
    assert "scan.table_taken" in {note.code for note in found.facts.notes}


def test_a_table_elsewhere_that_names_few_of_the_images_is_not_taken(tmp_path: Path) -> None:
    draw(tmp_path / "set", FILES)
    write(tmp_path / "labels.csv", dict(list(LABELS.items())[:6]))
    found = scan(tmp_path / "set")
    assert found.cases["label"].null_count() == len(FILES)
    assert not found.facts.notes


def test_folders_of_classes_win_over_a_table_elsewhere(tmp_path: Path) -> None:
    draw(tmp_path / "set", [f"{label}/{file}" for file, label in LABELS.items()])
    write(tmp_path / "labels.csv", dict.fromkeys(FILES, "other"))
    assert set(scan(tmp_path / "set").classes) == {"sick", "well"}


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ([f"{c}/{c}-{p}-{n}.png" for c in ("CNV", "DME") for p in range(101, 107) for n in (1, 2)], "name2"),
        ([f"a_patient{p}_{n}.png" for p in range(4) for n in range(3)], "name2"),
        ([f"x/patient{p}/a.png" for p in range(4)], "folder2"),
        ([f"case{n}.png" for n in range(9)], None),  # numbers of images
        (
            [f"scan_{d}_{n}.png" for d in ("20230105", "20230106", "20230107", "20230108", "20230109") for n in (1, 2)],
            None,
        ),
        ([f"img-{p}-{n}.png" for p in range(10, 16) for n in range(p * 10, p * 10 + 3)], None),  # a running number
    ],
)
def test_patients_are_told_by_paths_only_where_they_are_sure(files: list[str], place: str | None) -> None:
    found = persons_in_paths(files)
    assert (found and found.place) == place


def test_words_of_names_are_classes_where_asked(tmp_path: Path) -> None:
    names = [f"P{n // 2}_{n}_{label}.png" for n, label in enumerate(LABELS.values())]
    folder = draw(tmp_path / "set", names)
    listed = listing(folder)
    assert [note.values["place"] for note in listed.notes if note.code == "scan.names_may_label"] == ["name-1"]
    found = scan(folder, choices=Choices(columns_asked(["label=name-1,patient=name1"])))
    assert all(label in file for file, label in found.cases.select("file", "label").iter_rows())
    assert found.cases["patient"].n_unique() == 6


def test_classes_of_one_look_are_one_where_asked(tmp_path: Path) -> None:
    folder = draw(
        tmp_path / "set",
        [f"{part}/{c}/{n}.png" for part, cs in (("train", "Ab"), ("test", "aB")) for c in cs for n in range(3)],
    )
    with pytest.raises(DataError, match="--column 'label=folder2:A=a,B=b'"):
        scan(folder)
    assert scan(folder, choices=Choices(columns_asked(["label=folder2:A=a,B=b"]))).counts == {"a": 6, "b": 6}


def test_the_column_of_an_unknown_part_is_named(tmp_path: Path) -> None:
    folder = draw(tmp_path / "set", FILES)
    table = tmp_path / "t.csv"
    rows = [f"{file},{label},{['train', 'external'][n % 2]}" for n, (file, label) in enumerate(LABELS.items())]
    table.write_text("\n".join(["image,label,subset", *rows]) + "\n")
    with pytest.raises(DataError, match="--column 'ignore=subset'"):
        scan(folder, labels=table)


def test_volumes_of_a_file_are_said(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    for name in ("sick/a", "well/b"):
        (tmp_path / name).parent.mkdir()
        voxels = np.zeros((16, 16, 5, 4), np.float32) + np.arange(5)[:, None] * 10 + np.arange(4)
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / f"{name}.nii.gz")
    found = scan(tmp_path)
    assert set(found.cases["fragment"]) == {"slice=2,volume=2"}
    assert [note.values for note in found.facts.notes if note.code == "scan.volumes"] == [
        {"count": 2, "volumes": ["volume=2"]}
    ]


def test_versions_of_a_few_images_are_kept_together(tmp_path: Path) -> None:
    """As Roboflow exports them: augmented in training alone, so that most images have one version."""
    files = [f"train/cell_{n}_jpg.rf.{n:02d}{v}a.jpg" for n in range(3) for v in range(2)]
    files += [f"train/cell_{n}_jpg.rf.{n:02d}0a.jpg" for n in range(3, 20)]
    draw(tmp_path, files)
    person = {entry.file: entry.folder for entry in listing(tmp_path).entries}
    assert {file: f"cell_{file.split('_')[1]}" for file in files} == person


def test_exported_names_of_one_version_each_tell_no_patients() -> None:
    assert persons_in_paths([f"train/scan-{n}_jpg.rf.{n:04d}.jpg" for n in range(20)]) is None


def test_an_original_stands_with_its_versions_and_sides_with_their_patient() -> None:
    found = persons_in_paths(["a.jpg", "a_jpg.rf.1x.jpg", "b_jpg.rf.2x.jpg", "c.jpg"])
    assert found is not None
    assert found.of == {"a.jpg": "a", "a_jpg.rf.1x.jpg": "a", "b_jpg.rf.2x.jpg": "b"}
    sides = [
        f"{n}_{side}_jpg.rf.{n}{side}{v}.jpg" for n in range(10, 20) for side in ("left", "right") for v in range(2)
    ]
    sided = persons_in_paths(sides)
    assert sided is not None
    assert sided.of == {file: file[:2] for file in sides}


def test_files_of_annotations_of_one_name_are_called_by_their_folders(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        draw(tmp_path, [f"{part}/{part}{n}.png" for n in range(4)])
        images = [{"id": n, "file_name": f"{part}{n}.png", "height": 16, "width": 16} for n in range(4)]
        boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [2, 2, 5, 5]} for n in range(4)]
        whole = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cell"}]}
        (tmp_path / part / "_annotations.coco.json").write_text(json.dumps(whole))
    [row] = [row for row in listing(tmp_path).understood.rows if row.meaning == "boxes"]
    names = {f"{part}/_annotations.coco.json" for part in ("train", "valid", "test")}
    assert set(row.place.split(", ")) == set(row.examples) == names
