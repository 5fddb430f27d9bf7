"""What columns mean: told by values before names; asked for before both; two readings refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.understood import Understood
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices, LabelTable
from evenray.data.tables.seen import Seen

from ..conftest import Make, read_labels

FILES = [f"images/scan_{number:03d}.png" for number in range(30)]


def rows(header: str, *columns: object) -> str:
    """A table with a row a file; each column is a function of the number, or a text with the number put in."""
    lines = [header]
    for number in range(30):
        cells = [column(number) if callable(column) else str(column).format(number) for column in columns]
        lines.append(",".join(map(str, cells)))
    return "\n".join(lines) + "\n"


def asked(path: Path, *column: str, **choices: object) -> LabelTable:
    seen = Seen(path.parent, lambda: FILES, lambda file: None)
    return LabelTable.read(path, seen, Choices(columns_asked(column), **choices))  # type: ignore[arg-type]


def meanings(found: Understood) -> dict[str, str]:
    return {row.meaning: row.place for row in found.rows}


def kind(number: int) -> str:
    return "malignant" if number // 3 % 3 == 0 else "benign"


def patient(number: int) -> str:
    return f"P{number // 3:03d}"


@pytest.mark.parametrize(
    "header",
    ["isic_id,patient_id,target", "Image Index,Patient ID,Finding Labels", "파일명,환자 번호,진단", "IMAGE-NAME,Subject Id,dx",
     "c1,c2,c3", "sex,age,view", "target,isic_id,patient_id", ",,"],
)  # fmt: skip
def test_values_tell_the_columns_apart_under_any_name(text: Make, header: str) -> None:
    found = read_labels(text("t.csv", rows(header, "scan_{:03d}", patient, kind)), *FILES)
    assert found.table["label"].to_list() == [kind(number) for number in range(30)]
    assert found.table["path"].to_list() == [f"scan_{number:03d}" for number in range(30)]
    assert found.table["patient"].to_list() == [patient(number) for number in range(30)]


def test_the_most_exact_key_wins_and_unused_columns_are_named_once(text: Make) -> None:
    table = rows("site_id,patient_id,image_id,laterality,view,age,implant,cancer",
                 "1", lambda n: 10000 + n // 3, "scan_{:03d}", lambda n: "LR"[n % 2], "CC", "61", "0",
                 lambda n: int(kind(n) == "malignant"))  # fmt: skip
    found = read_labels(text("t.csv", table), *FILES)
    assert found.key == "path"
    assert meanings(found.understood) == {"path": "image_id", "label": "cancer", "side": "laterality", "site": "site_id",
                                          "age": "age", "view": "view", "patient": "patient_id"}  # fmt: skip
    assert found.understood.unused == ("implant",)


def test_two_columns_that_find_different_images_are_refused(text: Make) -> None:
    table = rows(
        "clinic,derm,diagnosis",
        lambda n: f"scan_{n // 2 * 2:03d}.png",
        lambda n: f"scan_{n // 2 * 2 + 1:03d}.png",
        kind,
    )
    with pytest.raises(DataError, match="say --column path=clinic or --column path=derm"):
        read_labels(text("t.csv", table), *FILES)
    assert asked(text("t.csv", table), "path=derm").understood.rows[0].place == "derm"


def test_columns_of_unknown_names_that_may_both_be_labels_are_refused(text: Make) -> None:
    table = rows("Name,Tissue,Shape", "scan_{:03d}", lambda n: "FGD"[n % 3], kind)
    with pytest.raises(DataError, match="say --column label=Tissue or --column label=Shape"):
        read_labels(text("t.csv", table), *FILES)
    assert set(asked(text("t.csv", table), "label=Tissue").labels) == {"F", "G", "D"}


def test_values_are_renamed_joined_and_left_out(text: Make) -> None:
    table = text("t.csv", rows("image,dx", "scan_{:03d}", lambda n: ["mel", "bcc", "nv", "df", "?"][n % 5]))
    found = asked(table, "label=dx:mel+bcc=malignant,nv=,*=benign")
    assert found.table["label"].to_list() == (["malignant", "malignant", None, "benign", None] * 6)
    assert asked(table, 'label=dx:"mel"=sick', "path=image").labels.count("sick") == 1


@pytest.mark.parametrize(
    ("text_", "said"),
    [("label=nothing", "which is no column of"), ("label", "give MEANING=COLUMN"), ("colour=dx", "give MEANING=COLUMN"),
     ("label=dx,label=image", "names label twice"), ('label="dx', "double quote"), ("label=dx+image", "several columns")],
)  # fmt: skip
def test_a_wrong_column_is_wrong_usage(text: Make, text_: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(text("t.csv", rows("image,dx", "scan_{:03d}", kind)), text_)


def test_a_nameless_column_that_may_hold_patients_is_asked_for(text: Make) -> None:
    table = text("t.csv", rows("image,c7,label", "scan_{:03d}", lambda n: n // 3 * 7, kind))
    with pytest.raises(DataError, match="say --column patient=c7, or --column ignore=c7"):
        read_labels(table, *FILES)
    assert asked(table, "patient=c7").table["patient"].n_unique() == 10
    assert "patient" not in asked(table, "ignore=c7").table.columns


def test_a_place_in_the_image_is_no_patient(text: Make) -> None:
    """The command that a refused table of lesions proposes reads it: its x, y and radius repeat as patients' numbers do."""
    table = rows(
        "Name,Background Tissue,Abnormality,X,Y,Radius",
        "scan_{:03d}",
        "FGD",
        kind,
        lambda n: n // 3,
        lambda n: 9 + n // 4,
        "7",
    )
    path = text("info.csv", table)
    with pytest.raises(DataError, match="say --column label=Abnormality"):
        asked(path)
    found = asked(path, "label=Abnormality").table
    assert found["label"].to_list() == [kind(number) for number in range(30)]
    alone = text("alone.csv", table.replace(",X,Y,Radius", ",note,Y,size"))  # y with nothing beside it may be anything
    with pytest.raises(DataError, match="--column patient="):
        asked(alone, "label=Abnormality")


@pytest.mark.parametrize("word", ["removed", "ANON", "0", "Patient", "익명"])
def test_an_identifier_that_most_rows_share_is_no_patient(text: Make, word: str) -> None:
    table = rows("image,patient_id,label", "scan_{:03d}", lambda n: word if n % 5 else f"P{n}", kind)
    found = read_labels(text("t.csv", table), *FILES)
    known = found.table["patient"].drop_nulls().to_list() if "patient" in found.table.columns else []
    assert set(known) <= {f"P{n}" for n in range(0, 30, 5)}


@pytest.mark.parametrize(
    ("one", "other"), [("3", "3.0"), ("PT-3", "pt_3"), ("00003", "3"), ("p 3", "P-3"), ("환자3", "환자3")]
)
def test_spellings_of_a_patient_are_one_patient(text: Make, one: str, other: str) -> None:
    from evenray.data.tables.pseudonym import pseudonym

    assert pseudonym(bytes(32), "patient", one) == pseudonym(bytes(32), "patient", other)


def test_several_readers_are_settled_by_the_majority(text: Make) -> None:
    lines = ["image,reader,label"]
    for number in range(12):
        votes = ["a", "a", "b"] if number % 2 else ["b", "b", "a"]
        lines += [f"scan_{number:03d},R{at},{vote}" for at, vote in enumerate(votes)]
    lines += ["scan_012,R0,a", "scan_012,R1,b"]
    table = text("t.csv", "\n".join(lines) + "\n")
    found = asked(table)
    assert found.table["label"].to_list() == ["b", "a"] * 6 + [None]
    assert found.ratings is not None
    assert found.ratings.height == 38
    assert set(found.ratings["reader"]) == {"reader 1", "reader 2", "reader 3"}
    assert asked(table, reader="R2").table["label"].to_list() == ["a", "b"] * 6
    with pytest.raises(UsageError, match="There is no reader 'R9'"):
        asked(table, reader="R9")


def test_a_table_of_patients_with_several_rows_each_is_refused(text: Make, dicom: Make, tmp_path: Path) -> None:
    for number in range(8):
        dicom(f"tree/{number}.dcm", number, PatientID=f"p{number // 2}")
    table = text("t.csv", "PatientID,view,label\n" + "".join(f"p{n // 2},{n % 2},{'xy'[n // 4]}\n" for n in range(8)))
    seen = Seen(tmp_path / "tree", lambda: [f"{n}.dcm" for n in range(8)], lambda file: None)
    with pytest.raises(DataError, match=r"by the patient alone .*several rows a patient"):
        LabelTable.read(table, seen)


def test_sides_are_matched_by_the_header(text: Make, dicom: Make, tmp_path: Path) -> None:
    from evenray.data.scan import scan

    for number in range(12):
        dicom(f"tree/{number}.dcm", number, PatientID=f"D-{number // 2:03d}", ImageLaterality="LR"[number % 2])
    lines = [f"D-{n:03d},{['L', 'Right'][n % 2]},{['Benign', 'Malignant'][n % 2]}" for n in range(6)]
    data = scan(tmp_path / "tree", labels=text("t.csv", "ID1,LeftRight,classification\n" + "\n".join(lines) + "\n"))
    assert sorted(data.cases.select("file", "label").rows()) == sorted(
        (f"{2 * n + n % 2}.dcm", ["Benign", "Malignant"][n % 2]) for n in range(6)
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_columns_and_rows_means_nothing(text: Make, seed: int) -> None:
    rng = random.Random(seed)
    table = [
        line.split(",")
        for line in rows("image,patient,sex,label", "scan_{:03d}", patient, lambda n: "MF"[n // 3 % 2], kind).split()
    ]
    order = rng.sample(range(4), 4)
    header, *body = [[line[at] for at in order] for line in table]
    rng.shuffle(body)
    found = read_labels(text("t.csv", "\n".join(",".join(line) for line in [header, *body]) + "\n"), *FILES)
    said = dict(found.table.select("path", "label").iter_rows())
    assert said == {f"scan_{number:03d}": kind(number) for number in range(30)}
