"""Folders of classes, with and without parts; what is an image and what is not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.texts import Texts
from evenray.data.audit import audit
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices
from evenray.data.tables.positive import positive_class

from ..conftest import Make, told

GUESS = (
    "a guess: of two classes whose names do not tell which means disease, the rarer, or of equally rare ones the first by name;"
    " --positive says it"
)


def rows(root: Path, patient: str | None = None) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(e.file, e.label, e.part, e.patient) for e in listing(root, patient=patient).entries]


def test_class_folders(tmp_path: Path, png: Make) -> None:
    for name in ("sick/b.png", "sick/deep/down/a.png", "well/c.jpg", "above.png"):
        png(name, 1)
    found = listing(tmp_path)
    assert rows(tmp_path) == [
        ("sick/b.png", "sick", None, None),
        ("sick/deep/down/a.png", "sick", None, None),
        ("well/c.jpg", "well", None, None),
    ]
    assert (found.layout, found.unlabelled, found.labels) == ("class/file", 1, {"sick", "well"})


@pytest.mark.parametrize(
    ("names", "parts"),
    [(("train", "val", "test"), ("train", "validation", "test")), (("Training", "DEV", "Testing"), ("train", "validation", "test")),
     (("train", "test"), ("train", "test")), (("train",), ("train",))],
)  # fmt: skip
def test_part_folders(tmp_path: Path, png: Make, names: tuple[str, ...], parts: tuple[str, ...]) -> None:
    for name in names:
        png(f"{name}/sick/a.png", 1)
        png(f"{name}/well/b.png", 2)
    expected = {(f"{n}/{label}/{file}", label, p, None) for n, p in zip(names, parts, strict=True)
                for label, file in (("sick", "a.png"), ("well", "b.png"))}  # fmt: skip
    assert set(rows(tmp_path)) == expected
    assert listing(tmp_path).layout == "part/class/file"


def test_a_folder_around_the_folders_says_nothing(tmp_path: Path, png: Make) -> None:
    png("archive/sick/a.png", 1)
    png("archive/well/b.png", 2)
    assert rows(tmp_path, "([ab])\\.png") == [
        ("archive/sick/a.png", "sick", None, "a"),
        ("archive/well/b.png", "well", None, "b"),
    ]


def test_what_is_no_image_is_not_listed(tmp_path: Path, png: Make, text: Make) -> None:
    png("sick/a.png", 1)
    png("well/b.png", 2)
    for name in ("sick/notes.txt", "sick/Thumbs.db", "sick/DICOMDIR", "well/.DS_Store", "__MACOSX/sick/._a.png", ".git/x.png",
                 "docs/readme.md", "LICENSE"):  # fmt: skip
        text(name, "x")
    assert [e.file for e in listing(tmp_path).entries] == ["sick/a.png", "well/b.png"]


def test_the_pictures_of_a_run_inside_the_data_are_not_listed(tmp_path: Path, png: Make, text: Make) -> None:
    png("sick/a.png", 1)
    png("well/b.png", 2)
    png("data-run/attributions/00.png", 3)
    text("data-run/recipe.json", "{}")
    text("data-run/provenance.json", "{}")
    assert [e.file for e in listing(tmp_path).entries] == ["sick/a.png", "well/b.png"]


def test_linked_class_folders_are_followed_and_loops_end(tmp_path: Path, png: Make) -> None:
    png("elsewhere/a.png", 1)
    png("data/well/b.png", 2)
    (tmp_path / "data" / "sick").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "well" / "loop").symlink_to(tmp_path / "data")
    assert [e.file for e in listing(tmp_path / "data").entries] == ["sick/a.png", "well/b.png"]


def test_a_folder_that_cannot_be_opened_is_told(tmp_path: Path, png: Make, shut_folders: None) -> None:
    for name in ("sick/a.png", "well/b.png", "well/shut/c.png"):
        png(name, 1)
    found = listing(tmp_path)
    assert found.rejected == (("well/shut", "is a folder that cannot be opened: Permission denied"),)
    assert told(found.notes) == ["1 folder cannot be opened, and what is in it is left out"]
    assert told(found.doubts)[0] == "well/shut is a folder that cannot be opened: Permission denied"
    with pytest.raises(DataError, match=r"holds no image.*Besides, '.*shut' is a folder that cannot be opened"):
        listing(tmp_path / "well" / "shut")
    data = scan(tmp_path)
    assert data.rejected.rows() == [("well/shut", "is a folder that cannot be opened: Permission denied")]


def test_links_to_nothing_and_what_is_no_file_are_told(tmp_path: Path, png: Make) -> None:
    png("sick/a.png", 1)
    png("well/b.png", 2)
    (tmp_path / "sick" / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "well" / "pipe.png")
    data = scan(tmp_path)
    assert data.rejected.rows() == [
        ("sick/gone.png", "is a link to a file that does not exist"),
        ("well/pipe.png", "is not a file"),
    ]
    assert len(data) == 2


def test_images_above_the_classes_are_told(tmp_path: Path, png: Make) -> None:
    for name in ("sick/a.png", "well/b.png", "above.png"):
        png(name, 1)
    data = scan(tmp_path)
    assert (data.facts.unlabelled, told(data.facts.notes)) == (1, ["1 image lies above the class folders"])


def test_parts_beside_classes_are_refused(tmp_path: Path, png: Make) -> None:
    for name in ("train/sick/a.png", "test/sick/b.png", "chest_xray/train/sick/a.png"):
        png(name, 1)
    with pytest.raises(DataError, match="test, train look like the parts of a split, but chest_xray like classes"):
        listing(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no '.*nowhere'; give a folder of images, a label table"):
        listing(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path: Path, text: Make) -> None:
    text("sick/notes.txt", "x")
    with pytest.raises(DataError, match="holds no image; expected class/file, part/class/file, or files and --labels"):
        listing(tmp_path)


def test_files_without_folders(tmp_path: Path, png: Make) -> None:
    png("a.png", 1)
    png("b.png", 1)
    listed = listing(tmp_path)
    assert [(entry.file, entry.label) for entry in listed.entries] == [("a.png", None), ("b.png", None)]
    assert (listed.labels, listed.unlabelled) == (set(), 2)


def test_parts_without_classes(tmp_path: Path, png: Make) -> None:
    png("train/a.png", 1)
    png("test/b.png", 1)
    listed = listing(tmp_path)
    assert [(entry.label, entry.part) for entry in listed.entries] == [(None, "test"), (None, "train")]


@pytest.mark.parametrize(
    ("pattern", "patients"),
    [
        (r"person\d+", ["person1", "person1", "person1"]),
        (r"(person\d+)_", ["person1", "person1", "person1"]),
        (r"(train|test)/.*(person\d+)", ["test/person1", "train/person1", "train/person1"]),
        (r"(?:bacteria|(virus))", ["virus", "bacteria", "virus"]),
        (r"(IM-\d+)", [None, None, None]),
    ],
)
def test_the_patient_is_what_the_groups_find(
    tmp_path: Path, png: Make, pattern: str, patients: list[str | None]
) -> None:
    for name in (
        "train/sick/person1_virus_2.png",
        "train/sick/person1_bacteria_1.png",
        "test/well/person1_virus_9.png",
    ):
        png(name, 1)
    assert [row[3] for row in rows(tmp_path, pattern)] == patients


def test_a_wrong_pattern_is_wrong_usage(tmp_path: Path, png: Make) -> None:
    png("sick/a.png", 1)
    with pytest.raises(UsageError, match=re.escape("The patient pattern '(person' is no regular expression")):
        listing(tmp_path, patient="(person")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [("person[0-9]+", None), ("(person1)", (2, 1)), ("p[0-9]+_nobody", (2, 0)), ("(person[0-9]+)?", (2, 0)),
     ("sick/person1|", (2, 1))],
)  # fmt: skip
def test_a_pattern_that_is_not_in_all_paths_is_told_of(
    tmp_path: Path, png: Make, pattern: str, matched: tuple[int, int] | None
) -> None:
    png("sick/person1.png", 1)
    png("well/person2.png", 2)
    found = listing(tmp_path, patient=pattern).pattern
    assert (found and (found.paths, found.matched)) == matched
    data = scan(tmp_path, patient=pattern)
    assert data.facts.patient_pattern == found
    unknown = [finding for finding in audit(data) if finding.check == "patients_unknown"]
    assert bool(unknown) == (matched is not None)
    for finding in unknown:
        advice = Texts("en").message(finding.advice)
        assert f"The pattern of --patient matched {matched[1]} of 2 paths: correct it" in advice
        assert "REGEX" not in advice
        assert f"경로 2개 중 {matched[1]}개" in Texts("ko").message(finding.advice)


def test_a_table_that_names_the_patients_needs_no_pattern(tmp_path: Path, png: Make, text: Make) -> None:
    png("a.png", 1)
    png("b.png", 2)
    table = text("t.csv", "path,label,patient\na.png,x,p1\nb.png,y,p2\n")
    assert listing(table, patient="nobody").pattern is None
    assert listing(tmp_path, labels=table, patient="nobody").pattern is None


def test_a_pattern_that_finds_nothing_in_the_paths_of_a_table_names_no_patient(png: Make, text: Make) -> None:
    png("person1.png", 1)
    png("b.png", 2)
    found = listing(text("t.csv", "path,label\nperson1.png,x\nb.png,y\n"), patient=r"(person\d+)?")
    assert [entry.patient for entry in found.entries] == ["person1", None]
    assert found.pattern_note is not None
    said = "the pattern of --patient matched 1 of 2 paths; it is not in 'b.png', for one"
    assert told([found.pattern_note]) == [said]


def test_a_pattern_is_of_no_use_in_an_archive(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 8, 8), np.uint8)
    np.savez(tmp_path / "own.npz", train_images=images, train_labels=np.arange(4) % 2)
    said = "--patient is not used: the images of own.npz have no paths"
    assert told(listing(tmp_path / "own.npz", patient="x").notes) == [said]
    assert listing(tmp_path / "own.npz").notes == ()


@pytest.mark.parametrize(
    ("counts", "asked", "chosen"),
    [
        ({"NORMAL": 5, "PNEUMONIA": 9}, None, "PNEUMONIA"),
        ({"malignant": 5, "normal, benign": 9}, None, "malignant"),
        ({"0": 5, "1": 9}, None, "1"),
        ({"정상": 5, "폐렴": 9}, None, "폐렴"),
        ({"음성": 5, "양성": 9}, None, "양성"),
        ({"gesund": 5, "krank": 9}, None, "krank"),
        ({"Unauffällig": 5, "Pneumonie": 9}, None, "Pneumonie"),
        ({"sain": 5, "opacité": 9}, None, "opacité"),
        ({"NÉGATIF": 5, "positif": 9}, None, "positif"),
        ({"sano": 5, "enfermo": 9}, None, "enfermo"),
        ({"negativo": 5, "positivo": 9}, None, "positivo"),
        ({"saudável": 5, "doente": 9}, None, "doente"),
        ({"正常": 5, "肺炎": 9}, None, "肺炎"),
        ({"阴性": 5, "阳性": 9}, None, "阳性"),
        ({"陰性": 5, "陽性": 9}, None, "陽性"),
        ({"健康": 5, "病気": 9}, None, "病気"),
        ({"No_Finding": 5, "Mass": 9}, None, "Mass"),
        ({"-1": 5, "1": 9}, None, "1"),
        ({"cat": 9, "dog": 5}, None, "dog"),
        ({"normal": 1, "bacteria": 9, "virus": 5}, None, "virus"),
        ({"NORMAL": 5, "PNEUMONIA": 9}, "NORMAL", "NORMAL"),
    ],
)
def test_the_positive_class(counts: dict[str, int], asked: str | None, chosen: str) -> None:
    assert positive_class(tuple(counts), counts, asked)[0] == chosen


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"a": 5, "b": 5, "c": 5}, "the first by name of equally rare classes that may mean disease"),
        ({"a": 5, "b": 1}, "the rarest class that may mean disease"),
        ({"a": 5, "b": 4}, GUESS),
        ({"a": 5, "b": 5}, GUESS),
        ({"normal": 4, "a": 9, "b": 5}, "the rarest class that may mean disease"),
        ({"normal": 4, "a": 4}, "the only class whose name does not mean healthy"),
    ],
)
def test_the_reason_for_the_positive_class_is_true(counts: dict[str, int], why: str) -> None:
    message = positive_class(tuple(counts), counts, None)[1]
    assert message is not None
    assert told([message]) == [why]


def test_a_positive_class_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="There is no class named 'ill'; the classes are: sick, well"):
        positive_class(("sick", "well"), {"sick": 1, "well": 1}, "ill")


def test_folders_asked_for_as_patients_win_over_headers(tmp_path: Path, dicom: Make) -> None:
    """Both files of a folder are one patient's, whatever their headers say."""
    for number in range(8):
        dicom(f"tree/{'xy'[number // 4]}/who{number // 2}/{number}.dcm", number, PatientID=f"p{number}")
    asked = Choices(columns_asked(["label=folder1,patient=folder2"]))
    data = scan(tmp_path / "tree", choices=asked)
    assert data.cases["patient"].n_unique() == 4


def test_folders_may_say_part_and_class_at_once(tmp_path: Path, png: Make) -> None:
    for seed, name in enumerate(("train_normal", "train_covid", "test_normal", "test_covid")):
        png(f"CT/{name}/{seed}.png", seed)
    assert {(file, label, part) for file, label, part, _ in rows(tmp_path)} == {
        ("CT/train_normal/0.png", "normal", "train"),
        ("CT/train_covid/1.png", "covid", "train"),
        ("CT/test_normal/2.png", "normal", "test"),
        ("CT/test_covid/3.png", "covid", "test"),
    }


def test_a_class_that_two_parts_spell_differently_is_asked_about(tmp_path: Path, png: Make) -> None:
    for seed, name in enumerate(("train/adeno_T2_N0", "train/normal", "test/adeno", "test/normal")):
        png(f"{name}/{seed}.png", seed)
    with pytest.raises(DataError, match="'label=folder2:adeno_T2_N0=adeno'"):
        listing(tmp_path)
    choices = Choices(columns_asked(["label=folder2:adeno_T2_N0=adeno"]))
    assert listing(tmp_path, choices=choices).labels == {"adeno", "normal"}


def test_folders_without_a_class_are_left_out_and_named(tmp_path: Path, png: Make) -> None:
    for seed, name in enumerate(("yes", "no", "yes", "no", "pred")):
        png(f"{name}/{seed}.png", seed)
    found = listing(tmp_path)
    assert found.labels == {"yes", "no"}
    assert "1 image lies in folders without a class (pred) and is left out" in told(found.notes)


def test_folders_may_count_the_patients_of_a_class(tmp_path: Path, png: Make) -> None:
    for seed in range(18):
        png(f"{('AMD', 'DME', 'NORMAL')[seed // 6]}{seed // 2 % 3 + 1}/8bit/{seed}.png", seed)
    found = scan(tmp_path)
    assert found.counts == {"AMD": 6, "DME": 6, "NORMAL": 6}
    assert found.cases["patient"].n_unique() == 9


def test_numbered_folders_in_each_class_are_patients(tmp_path: Path, png: Make) -> None:
    for seed in range(20):
        png(f"{('CNV', 'NORMAL')[seed // 10]}/{seed // 2 % 5 + 1}/{seed}.png", seed)
    found = scan(tmp_path)
    assert found.counts == {"CNV": 10, "NORMAL": 10}
    assert found.cases["patient"].n_unique() == 5  # whether CNV/1 and NORMAL/1 are one person is not known
