"""The table that lies among the images, and the folders that they lie in: which of them labels, and that it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from ..conftest import Make, told


@pytest.fixture
def folders(tmp_path: Path, png: Make) -> Path:
    for seed in range(10):
        png(f"{'sick' if seed % 2 else 'well'}/{seed}.png", seed)
    return tmp_path


def rows(numbers: range) -> str:
    return "file;finding\n" + "".join(f"{n}.png;{'old rib' if n % 3 else 'lead'}\n" for n in numbers)


@pytest.mark.parametrize(
    ("named", "layout", "said"),
    [
        (10, "files labelled by path", "the labels come from t.csv in the folder, not from the folder names: it names 10 of the 10"),
        (9, "files labelled by path", "it names 9 of the 10 images"),
        (6, "class/file", "t.csv in the folder is not used: it names 6 of the 10 images, and the folders are the classes"),
    ],
)  # fmt: skip
def test_a_table_wins_against_folders_where_it_names_nearly_all(
    folders: Path, text: Make, named: int, layout: str, said: str
) -> None:
    text("t.csv", rows(range(named)))
    found = listing(folders)
    assert found.layout == layout
    assert said in told(found.notes)[0]
    assert told(scan(folders).facts.notes)[0] == told(found.notes)[0]


def test_a_table_named_by_the_user_wins_always(folders: Path, text: Make) -> None:
    data = scan(folders, labels=text("t.csv", rows(range(6))))
    assert (len(data), data.facts.unlabelled, data.classes) == (6, 4, ("lead", "old rib"))


def test_without_folders_of_classes_a_table_of_few_is_taken(tmp_path: Path, png: Make, text: Make) -> None:
    for seed in range(10):
        png(f"images/{seed}.png", seed)
    text("t.csv", rows(range(6)))
    found = listing(tmp_path)
    assert found.layout == "files labelled by path"
    assert told(found.notes) == ["the labels come from t.csv in the folder: it names 6 of the 10 images"]


def test_a_table_of_patients_gives_way_to_classes_of_others(folders: Path, text: Make) -> None:
    text("t.csv", "PatientID,label\np1,x\np2,y\n")
    found = listing(folders)
    assert found.layout == "class/file"
    assert "matched by PatientID, it names 0 of 2 images checked, and the folders are" in told(found.notes)[0]
    text("t.csv", "PatientID,label\n" + "".join(f"{n},{'xy'[n % 3 == 0]}\n" for n in range(10)))
    assert listing(folders, patient=r"(\d)\.png").layout == "files labelled by path"


@pytest.mark.parametrize("key", ["PatientID", "SOPInstanceUID", "StudyInstanceUID"])
def test_folders_of_patients_give_way_to_a_table_of_identifiers(
    tmp_path: Path, dicom: Make, text: Make, key: str
) -> None:
    rows = []
    for seed in range(6):
        who = {"PatientID": f"p{seed // 2}", "SOPInstanceUID": f"1.9.{seed}", "StudyInstanceUID": f"1.8.{seed // 2}"}
        dicom(f"tree/name {seed // 2}/{seed}.dcm", seed, **who)
        rows.append(f"{who[key]},{'x' if seed < 2 else 'y'}\n")
    text("tree/t.csv", f"{key},label\n{''.join(rows)}")
    data = scan(tmp_path / "tree")
    assert data.counts == {"x": 2, "y": 4}
    assert "the labels come from t.csv in the folder: matched by" in told(data.facts.notes)[0]


def test_several_tables_and_broken_ones_are_told(folders: Path, text: Make) -> None:
    text("a.csv", rows(range(10)))
    text("b.csv", rows(range(10)))
    (folders / "c.csv").write_bytes("file,label\n0.png,정상\n".encode("cp949"))
    found = listing(folders)
    assert found.layout == "class/file"
    assert told(found.notes)[0].startswith("c.csv in the folder is not used (The label table")
    assert "is not UTF-8)" in told(found.notes)[0]
    assert "0.png" not in told(found.notes)[0]  # a row may name a person, and the notes are kept
    assert (
        told(found.notes)[1]
        == "the folder holds 2 tables of labels (a.csv, b.csv): none is used; name one with --labels"
    )


def test_a_table_in_a_folder_without_images(tmp_path: Path, text: Make) -> None:
    for key in ("PatientID", "path"):
        text("t.csv", f"{key},label\np1,x\np2,y\n")
        with pytest.raises(DataError, match="holds no image"):
            listing(tmp_path)


def test_a_table_of_boxes_is_no_table_of_labels_and_needs_no_note(folders: Path, text: Make) -> None:
    text("lesions.csv", "file,row,column,radius\n0.png,1,2,3\n")
    found = listing(folders)
    assert (found.layout, found.notes, found.boxes) == ("class/file", (), ("lesions.csv",))
    assert scan(folders).facts.box_tables == ("lesions.csv",)
    with pytest.raises(DataError, match=r"lesions\.csv' has no column of labels"):
        listing(folders, labels=folders / "lesions.csv")


def test_findings_that_contradict_folders_are_asked_about(tmp_path: Path, png: Make, text: Make) -> None:
    lines = []
    for seed in range(12):
        png(f"{'Fractured' if seed % 4 == 0 else 'Non_fractured'}/{seed}.png", seed)
        lines.append(f"{seed}.png,{seed % 2},{int(seed % 3 == 0)},{int(seed % 4 == 0)}")
    table = text("t.csv", "image_id,hand,leg,fractured\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match="say --column label=folder1 for the folders, or --labels"):
        listing(tmp_path)
    assert listing(tmp_path, labels=table).reading.task == "tag"
    assert listing(tmp_path, choices=Choices(columns_asked(["label=folder1"]))).labels == {"Fractured", "Non_fractured"}
    # Boxes are learnt whatever the labels say.
    text("boxes.csv", "image,xmin,ymin,xmax,ymax\n" + "".join(f"{seed}.png,1,1,4,4\n" for seed in range(12)))
    found = listing(tmp_path, wanted=Wanted("detect"))
    assert (found.reading.task, len(found.entries)) == ("detect", 12)


def test_tables_of_the_same_columns_in_folders_of_their_images_are_read_together(
    tmp_path: Path, png: Make, text: Make
) -> None:
    for base in "AB":
        for seed in range(6):
            png(f"Base{base}/{base}{seed}.png", seed)
        text(f"Base{base}/list_{base}.csv", "image,grade\n" + "".join(f"{base}{n}.png,{n % 2}\n" for n in range(6)))
    found = listing(tmp_path)
    assert len(scan(tmp_path)) == 12
    assert any("2 tables (list_A.csv, list_B.csv) belong together" in sentence for sentence in told(found.notes))


def test_a_list_of_what_folders_mean_is_no_table_of_labels(tmp_path: Path, png: Make, text: Make) -> None:
    for seed in range(9):
        png(f"{seed % 3}/{seed}.png", seed)
    text("classes.csv", "id,name\n0,normal\n1,drusen\n2,cnv\n")
    found = listing(tmp_path)
    assert (found.labels, found.layout) == ({"0", "1", "2"}, "class/file")
    assert any("classes.csv in the folder is not used" in sentence for sentence in told(found.notes))


def test_lists_of_names_and_classes_are_parts(tmp_path: Path, png: Make, text: Make) -> None:
    for part, count in (("train", 8), ("test", 4)):
        for seed in range(count):
            png(f"{part}/{seed}.png", seed)
        text(f"{part}.txt", "".join(f"{seed}.png {seed % 2}\n" for seed in range(count)))
    text("README.txt", "Images of the eye.\n")
    found = scan(tmp_path)
    assert found.counts == {"0": 6, "1": 6}
    assert dict(found.cases["part"].value_counts().iter_rows()) == {"train": 8, "test": 4}


def test_a_table_that_says_one_thing_of_all_labels_none(tmp_path: Path, png: Make, text: Make) -> None:
    for seed in range(8):
        png(f"images/{seed}.png", seed)
    text("train.csv", "image,target\n" + "".join(f"{n}.png,{n % 2}\n" for n in range(8)))
    text("sample_submission.csv", "image,target\n" + "".join(f"{n}.png,0\n" for n in range(8)))
    assert scan(tmp_path).counts == {"0": 4, "1": 4}
