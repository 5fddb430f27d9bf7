"""What columns mean: told by values before names; asked for before both; two readings refused."""

from __future__ import annotations

import json
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
     ("label=dx,label=image", "names label twice"), ('label="dx', "double quote"), ("side=dx+image", "several columns")],
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


def test_numbers_are_no_labels_by_themselves_beside_measurements_or_many_classes(text: Make) -> None:
    measured = rows("image,EF,rate", "scan_{:03d}", lambda n: f"{40 + n * 0.7:.2f}", lambda n: 50 + n % 3)
    with pytest.raises(
        DataError, match=r"'rate' .* holds a few numbers .* measurements .'EF'.: say --column label=rate"
    ):
        read_labels(text("t.csv", measured), *FILES)
    many = [f"{letter}{ending}" for letter in "abcdefg" for ending in ("cus", "ria", "ium")] * 3
    table = "image,species,bin\n" + "".join(f"scan_{n:03d},{many[n]},{n % 4}\n" for n in range(60))
    files = [f"scan_{n:03d}.png" for n in range(60)]
    with pytest.raises(DataError, match="say --column label=species or --column label=bin"):
        read_labels(text("t.csv", table), *files)
    with pytest.raises(DataError, match="say which it is with --column label=species"):  # a fold is no label
        read_labels(text("t.csv", table.replace("bin", "kfold")), *files)


def test_how_a_label_was_found_is_no_label(text: Make) -> None:
    table = rows(
        "image,diagnosis_confirm_type,n_raters,weight", "scan_{:03d}", lambda n: "ab"[n % 2], lambda n: 1 + n % 2, "2"
    )
    with pytest.raises(DataError, match="no column of labels"):
        read_labels(text("t.csv", table), *FILES)


def test_properties_of_yes_and_no_beside_columns_of_words_are_refused(text: Make) -> None:
    table = rows("isic_id,biopsy_done,melanocytic,diagnosis_1,diagnosis_2", "scan_{:03d}", lambda n: n % 2, lambda n: n % 3 == 0,
                 kind, lambda n: f"{kind(n)} {'ab'[n % 2]}")  # fmt: skip
    with pytest.raises(
        DataError, match="two ways: say --column label=diagnosis_1 or --column label=diagnosis_2 for one class, or"
    ):
        read_labels(text("t.csv", table), *FILES)


def test_marks_are_yes_and_a_block_of_one_mark_a_row_is_proposed(text: Make) -> None:
    def mark(*hits: int) -> object:
        return lambda n: "X" if n % 3 in hits else ""

    columns = ("scan_{:03d}", mark(0), mark(1), mark(2), mark(0, 1), lambda n: "AT"[n % 2])
    table = text("t.csv", rows("image,Nevus,Atypical,Melanoma,White,Streaks", *columns))
    with pytest.raises(DataError, match=r"say --column 'label=Nevus.Atypical.Melanoma' for one class, or"):
        read_labels(table, *FILES)
    found = asked(table, "findings=Nevus+Atypical+Melanoma")
    assert found.table["findings"].to_list()[:2] == [[True, False, False], [False, True, False]]
    assert asked(table, "label=Nevus+Atypical+Melanoma").table["label"].to_list()[:2] == ["Nevus", "Atypical"]
    with pytest.raises(DataError, match="are to be one class an image, and some rows say yes in none or in several"):
        asked(table, "label=Nevus+White")


def test_numbered_findings_of_one_list_are_not_one_of_them_each(text: Make) -> None:
    hits = [lambda n, k=k: int(n % (k + 2) == 0) for k in range(3)]
    table = rows("image,finding___1,finding___2,finding___3", "scan_{:03d}", *hits)
    found = read_labels(text("t.csv", table), *FILES)
    assert found.names == ("finding___1", "finding___2", "finding___3")


def test_findings_called_by_a_letter_and_a_number_are_not_lost(text: Make) -> None:
    table = rows(
        "image,NC,G3,G4", "scan_{:03d}", lambda n: int(n % 3 == 0), lambda n: int(n % 3 == 1), lambda n: int(n % 2)
    )
    assert read_labels(text("t.csv", table), *FILES).names == ("NC", "G3", "G4")


def test_yes_and_no_in_other_languages(text: Make) -> None:
    for yes, no in (("VERDADERO", "FALSO"), ("wahr", "falsch"), ("oui", "non"), ("はい", "いいえ")):
        table = rows(
            "image,polyp,ulcer",
            "scan_{:03d}",
            lambda n, y=yes, o=no: y if n % 3 else o,
            lambda n, y=yes, o=no: y if n % 2 else o,
        )
        found = read_labels(text("t.csv", table), *FILES)
        assert found.names == ("polyp", "ulcer")
        assert found.table["findings"][0].to_list() == [False, False]


def test_columns_of_train_and_of_test_are_parts(text: Make) -> None:
    table = rows("image,Plane,Train ", "scan_{:03d}", kind, lambda n: int(n < 20))
    found = read_labels(text("t.csv", table), *FILES)
    assert found.table["part"].to_list() == ["train"] * 20 + ["test"] * 10
    assert meanings(found.understood) == {"path": "image", "label": "Plane", "split": "Train"}


def test_weights_of_classes_are_no_findings(text: Make) -> None:
    table = rows("image,labels,weighted_label", "scan_{:03d}", kind, lambda n: "\"{'a': 0.7, 'b': 0.3}\"")
    assert meanings(read_labels(text("t.csv", table), *FILES).understood)["label"] == "labels"
    with pytest.raises(DataError, match=r"gives each class a weight, such as {'a': 0.7"):
        asked(text("t.csv", table), "label=weighted_label")


def test_several_images_a_row(text: Make) -> None:
    lines = [f"C{n},scan_{n * 2:03d}.png,{f'scan_{n * 2 + 1:03d}.png' if n % 3 else ''},{kind(n)}" for n in range(15)]
    found = read_labels(text("t.csv", "case_id,image_1_path,image_2_path,dx\n" + "\n".join(lines) + "\n"), *FILES)
    assert found.table.height == 25
    assert found.table["path"].n_unique() == 25
    named = text("t.csv", "case_id,clinical,scope,dx\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"'clinical' and 'scope' .* each find images, and not the same"):
        read_labels(named, *FILES)


def test_a_code_for_unknown_among_numbers_is_asked_about(text: Make) -> None:
    table = text("t.csv", rows("image,relapse", "scan_{:03d}", lambda n: (0, 1, 0, 9)[n % 4]))
    with pytest.raises(
        DataError,
        match=r"7 times 9 beside 0, 1: where it codes .* 'label=relapse:9='",
    ):
        read_labels(table, *FILES)
    assert set(asked(table, "label=relapse:9=").table["label"]) == {"0", "1", None}
    assert set(asked(table, "label=relapse:9=9").table["label"]) == {"0", "1", "9"}


def test_slides_find_tiles_and_patients_have_slides(text: Make) -> None:
    files = [f"patches/slide_{slide}/{tile}.png" for slide in range(12) for tile in range(3)]
    table = "case_id,slide_id,label\n" + "".join(f"P_{n // 2},slide_{n},{kind(n)}\n" for n in range(12))
    found = read_labels(text("t.csv", table), *files)
    assert meanings(found.understood)["patient"] == "case_id"
    assert found.table.drop_nulls("path")["patient"].n_unique() == 6


def test_names_of_images_below_the_word_patient_are_no_patients(text: Make) -> None:
    table = rows("patient,stage", "scan_{:03d}.png", kind)
    assert "patient" not in meanings(read_labels(text("t.csv", table), *FILES).understood)


def test_columns_of_readers_are_settled_by_the_majority(text: Make) -> None:
    said = [lambda n: "G1" if n % 3 else "G2", lambda n: "G1" if n % 3 else "G2", lambda n: "G2"]
    table = rows("file,case,Expert 1,Expert 2,Expert 3", "scan_{:03d}", lambda n: f"C{n // 2}", *said)
    found = read_labels(text("t.csv", table), *FILES)
    assert found.table["label"].to_list() == [said[0](n) for n in range(30)]
    assert found.ratings is not None
    assert found.ratings.height == 90
    assert set(asked(text("t.csv", table), reader="Expert 3").table["label"]) == {"G2"}
    with pytest.raises(DataError, match=r"'consensus' .* may each be the labels"):
        read_labels(
            text("t.csv", rows("file,Expert 1,Expert 2,consensus", "scan_{:03d}", *said[:2], lambda n: f"G{n % 2}")),
            *FILES,
        )


def test_labels_that_name_files_are_refused(text: Make) -> None:
    table = rows("image,label,kit", "scan_{:03d}.png", "masks/scan_{:03d}.png", lambda n: "AB"[n % 2])
    with pytest.raises(DataError, match=r"'label' .* names files, such as 'masks/scan_000.png', perhaps masks"):
        read_labels(text("t.csv", table), *FILES)


@pytest.mark.parametrize(("yes", "no", "name"), [("+", "-", "HP"), ("O", "X", "용종"), ("○", "×", "polyp")])
def test_signs_that_mean_yes_and_no(text: Make, yes: str, no: str, name: str) -> None:
    found = read_labels(text("t.csv", rows(f"image,{name}", "scan_{:03d}", lambda n: no if n % 3 else yes)), *FILES)
    assert found.table["label"].to_list() == ["0" if n % 3 else "1" for n in range(30)]


def test_dates_are_no_patients_and_numbers_of_rows_find_no_images(text: Make) -> None:
    day = rows("image,dx,datum", "scan_{:03d}", kind, lambda n: f"2019-03-{n // 2 + 1:02d}")
    assert "patient" not in meanings(read_labels(text("t.csv", day), *FILES).understood)
    table = ",ID,dx\n" + "".join(f"{n},{n + 1},{kind(n)}\n" for n in range(30))
    found = read_labels(text("t.csv", table), *(f"{n + 1}.png" for n in range(30)))
    assert meanings(found.understood)["path"] == "ID"


def test_addresses_find_the_images_they_end_in(text: Make) -> None:
    table = rows("url,outcome,patientnummer", "https://host/derm/scan_{:03d}.png?v=2", kind, lambda n: 7000 + n // 3)
    found = read_labels(text("t.csv", table), *FILES)
    assert meanings(found.understood) == {"path": "url", "label": "outcome", "patient": "patientnummer"}


def test_an_object_of_names_and_labels(text: Make) -> None:
    plain = json.dumps({f"scan_{n:03d}.png": kind(n) for n in range(30)})
    assert read_labels(text("t.json", plain), *FILES).table["label"].to_list() == [kind(n) for n in range(30)]
    objects = json.dumps({f"scan_{n:03d}": {"dx": kind(n), "age": 40} for n in range(30)})
    assert read_labels(text("t.json", objects), *FILES).table["label"].to_list() == [kind(n) for n in range(30)]


def test_numbered_columns_of_one_vocabulary_are_several_findings(text: Make) -> None:
    words = ["ulcer", "polyp", "bleeding"]
    second = rows(
        "image,Label_1,Label_2", "scan_{:03d}", lambda n: words[n % 3], lambda n: words[(n + 1) % 3] if n % 2 else ""
    )
    found = read_labels(text("t.csv", second), *FILES)
    assert found.names == ("bleeding", "polyp", "ulcer")
    assert [sum(said) for said in found.table["findings"]] == [2 if n % 2 else 1 for n in range(30)]
    levels = rows("image,diagnosis_1,diagnosis_2", "scan_{:03d}", kind, lambda n: f"{kind(n)} {n % 2}" if n % 5 else "")
    with pytest.raises(DataError, match="say --column label=diagnosis_1 or --column label=diagnosis_2"):
        read_labels(text("t.csv", levels), *FILES)


def test_a_total_beside_one_yes_a_row_is_no_finding(text: Make) -> None:
    flags = [lambda n, k=k: int(n % 3 == k) for k in range(3)]
    found = read_labels(text("t.csv", rows("image,MEL,NV,BCC,total", "scan_{:03d}", *flags, "1")), *FILES)
    assert not found.names
    assert set(found.table["label"]) == {"MEL", "NV", "BCC"}


def test_places_of_cells_are_no_labels(text: Make) -> None:
    table = rows("image,grading_system,nucleus_x,nucleus_y", "scan_{:03d}", kind, lambda n: n % 3, lambda n: n % 4)
    assert meanings(read_labels(text("t.csv", table), *FILES).understood)["label"] == "grading_system"


def test_numbered_types_are_no_patients(text: Make) -> None:
    table = rows("image,sort", "scan_{:03d}", lambda n: f"Type {1 + n % 5}")
    found = meanings(read_labels(text("t.csv", table), *FILES).understood)
    assert found == {"path": "image", "label": "sort"}
