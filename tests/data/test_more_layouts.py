"""Collections beyond the twenty: read right as they come, or with the option that the scan names."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.core.texts import Texts
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan.listing import listing
from evenray.data.scan.scanning import scan_listed
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from .drawn_layouts import LAYOUTS, dicom, picture, table
from .drawn_more_layouts import MORE, mask


@pytest.mark.parametrize("name", MORE)
def test_a_collection_as_it_comes(name: str, tmp_path: Path) -> None:
    truth = MORE[name](tmp_path)
    data, labels = tmp_path / truth.data, tmp_path / truth.table if truth.table else None
    if truth.options:
        try:
            told = " ".join(Texts("en").message(note) for note in listing(data, labels=labels).notes)
        except DataError as error:
            told = str(error)
        assert f"--column {truth.options}" in told
    found = listing(data, labels=labels, choices=Choices(columns_asked([truth.options] if truth.options else [])))
    dataset = scan_listed(found)
    assert (dataset.facts.task, len(dataset)) == (truth.task, truth.images)
    if truth.task == "tag":
        findings = dataset.cases["findings"]
        assert {n: int(findings.list.get(k).sum() or 0) for k, n in enumerate(dataset.classes)} == truth.labels
    else:
        assert dataset.counts == truth.labels
    patients = dataset.cases["patient"]
    assert (patients.n_unique() if patients.null_count() == 0 else None) == truth.patients
    assert dataset.cases["part"].drop_nulls().n_unique() == truth.parts


def test_masks_in_folders_of_any_spelling_are_no_class(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / f"CXR_png/MCUCXR_{number:04d}.png", number)
        for side in ("left", "right"):
            mask(tmp_path / f"ManualMask/{side}Mask/MCUCXR_{number:04d}.png", number)
    found = listing(tmp_path)
    assert (found.reading.task, len(found.entries)) == ("segment", 8)


def test_masks_beside_images_whose_names_tell_health_are_asked_about(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / f"CXR_png/MCUCXR_{number:04d}_{number % 2}.png", number)
        mask(tmp_path / f"ManualMask/MCUCXR_{number:04d}_{number % 2}.png", number)
    with pytest.raises(DataError, match=r"\(0, 1\): say --task segment, or --column label=name-1\."):
        listing(tmp_path)
    assert listing(tmp_path, wanted=Wanted(task="segment")).reading.task == "segment"
    found = scan_listed(listing(tmp_path, choices=Choices(columns_asked(["label=name-1"]))))
    assert found.counts == {"0": 4, "1": 4}


def test_a_sex_is_no_label_and_many_numbers_are_no_classes(tmp_path: Path) -> None:
    for number in range(30):
        picture(tmp_path / f"hands/{1377 + number}.png", number)
    rows = [f"{1377 + number},{12 + number * 37 % 200},{number % 2 == 0}" for number in range(30)]
    table(tmp_path / "bones.csv", "id,boneage,male", rows)
    with pytest.raises(DataError, match=r"no column of labels .* say which it is with --column label=COLUMN"):
        listing(tmp_path / "hands", labels=tmp_path / "bones.csv")
    with pytest.raises(DataError, match="look like numbers, not classes: 30 different ones such as 12"):
        listing(tmp_path / "hands", labels=tmp_path / "bones.csv", choices=Choices(columns_asked(["label=boneage"])))
    table(tmp_path / "fractures.csv", "id,fracture,male", [f"{1377 + n},{n % 3 == 0},{n % 2 == 0}" for n in range(30)])
    found = scan_listed(listing(tmp_path / "hands", labels=tmp_path / "fractures.csv"))
    assert found.counts == {"False": 20, "True": 10}
    assert dict(found.cases["sex"].value_counts().iter_rows()) == {"M": 15, "F": 15}


def test_runs_may_count_from_the_end_of_the_run_before(tmp_path: Path) -> None:
    rows = []
    for number in range(6):
        dicom(tmp_path / f"images/{number}.dcm", number, "CR", PatientID=f"p{number}")
        runs, end = [], 0
        for column in range(3 + number, 8 + number):
            runs += [str(column * 16 + 4 - end), "5"]
            end = column * 16 + 9
        rows.append(f"{number}, {' '.join(runs) if number % 2 else '-1'}")
    table(tmp_path / "train-rle.csv", "ImageId, EncodedPixels", rows)
    dataset = scan_listed(listing(tmp_path / "images", wanted=Wanted(masks=str(tmp_path / "train-rle.csv"))))
    for at, file in enumerate(dataset.cases["file"]):
        number, drawn = int(file[0]), read_mask(dataset, at)
        assert drawn.sum() == (25 if number % 2 else 0)
        assert (drawn[4:9, 3 + number : 8 + number] == number % 2).all()


def test_a_word_among_yes_and_no_is_asked_about(tmp_path: Path) -> None:
    for number in range(24):
        picture(tmp_path / f"images/{number:03d}.png", number)
    rows = [
        f"{n:03d}.png,{int(n % 3 == 0)},{int(n % 4 == 0)},{'maybe' if n == 5 else int(n % 5 == 0)}" for n in range(24)
    ]
    table(tmp_path / "t.csv", "image,Edema,Mass,Nodule", rows)
    way = "findings=Edema+Mass+Nodule:maybe="
    with pytest.raises(DataError, match=r"'Nodule' .* holds 'maybe' besides yes and no") as refused:
        listing(tmp_path / "images", labels=tmp_path / "t.csv")
    assert f"--column '{way}'" in str(refused.value)
    dataset = scan_listed(
        listing(tmp_path / "images", labels=tmp_path / "t.csv", choices=Choices(columns_asked([way])))
    )
    assert dataset.classes == ("Edema", "Mass", "Nodule")
    assert dataset.cases["findings"].list.get(2).null_count() == 1


def test_sizes_in_the_header_of_nih_are_no_places(tmp_path: Path) -> None:
    truth = LAYOUTS["NIH ChestX-ray14"](tmp_path)
    assert listing(tmp_path / truth.data).boxes == ()
