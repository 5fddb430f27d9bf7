"""Tables as people have them: titles, no names, two lines of names, merged cells, sides, paths in parts, lost zeros, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.data.scan import scan
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

RNG = np.random.default_rng(23)
FILES = [f"s{n}.png" for n in range(12)]


def draw(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), RNG.integers(0, 255, (16, 16), dtype=np.uint8))
    return folder


def label(n: int) -> str:
    return "sick" if n % 3 == 0 else "well"


def read(folder: Path, rows: list[str], *column: str, name: str = "t.csv") -> pl.DataFrame:
    table = folder.parent / name
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = scan(folder, labels=table, choices=Choices(columns_asked(column)))
    return found.cases.sort("file")


def labels_of(cases: pl.DataFrame) -> dict[str, str]:
    return dict(cases.select("file", "label").iter_rows())


ROWS = [f"{file},{n // 2},{label(n)}" for n, file in enumerate(FILES)]
RIGHT = {file: label(n) for n, file in enumerate(FILES)}


@pytest.mark.parametrize(
    ("head", "patients"),
    [
        (["Study of 2023,,", "image,patient,label"], 6),
        (["Study of 2023", "", "image,patient,label"], 6),
        (["image,patient,label"], 6),
        (["label of the study,,", "image,patient,label"], 6),
    ],
)
def test_a_title_above_the_names_is_no_name(tmp_path: Path, head: list[str], patients: int) -> None:
    cases = read(draw(tmp_path / "img", FILES), [*head, *ROWS])
    assert labels_of(cases) == RIGHT
    assert cases["patient"].n_unique() == patients


@pytest.mark.parametrize("stems", [True, False])
def test_without_names_the_first_row_is_one(tmp_path: Path, stems: bool) -> None:
    rows = [f"{file[:-4] if stems else file},{label(n)}" for n, file in enumerate(FILES)]
    assert labels_of(read(draw(tmp_path / "img", FILES), rows)) == RIGHT


def test_names_on_two_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="repeats 2 of its 3 names of columns"):
        read(draw(tmp_path / "img", FILES), ["image,patient,label", "image,patient,mass", *ROWS])


def test_merged_cells_are_asked_about_and_filled(tmp_path: Path) -> None:
    rows = [
        f"{f'P{n // 3}' if n % 3 == 0 else ''},{f},{label(n // 3) if n % 3 == 0 else ''}" for n, f in enumerate(FILES)
    ]
    folder, rows = draw(tmp_path / "img", FILES), ["patient,image,label", *rows]
    with pytest.raises(DataError, match="--column 'fill=patient\\+label'"):
        read(folder, rows)
    cases = read(folder, rows, "fill=patient+label")
    assert labels_of(cases) == {file: label(n // 3) for n, file in enumerate(FILES)}
    assert cases["patient"].n_unique() == 4


def test_rows_that_name_a_patient_and_no_image_are_not_lost(tmp_path: Path) -> None:
    rows = ["patient,image,label", "P0,,sick", *(f"P{n},{f},{label(n)}" for n, f in enumerate(FILES))]
    folder = draw(tmp_path / "img", FILES)
    with pytest.raises(DataError, match=r"1 of 13 rows of .* name a patient"):
        read(folder, rows)
    assert labels_of(read(folder, rows, "path=image")) == RIGHT


@pytest.mark.parametrize("wide", [True, False])
def test_each_side_has_its_own_label(tmp_path: Path, wide: bool) -> None:
    sides = {f"{p:03d}_{side}.png": label(p + at) for p in range(8) for at, side in enumerate("LR")}
    folder = draw(tmp_path / "img", list(sides))
    rows = ["patient_id,left_label,right_label", *(f"{p:03d},{label(p)},{label(p + 1)}" for p in range(8))]
    if not wide:
        rows = [
            "patient_id,eye,label",
            *(f"{f[:3]},{'left' if f[4] == 'L' else 'right'},{said}" for f, said in sides.items()),
        ]
    assert labels_of(read(folder, rows)) == sides


def test_a_path_may_stand_in_two_columns(tmp_path: Path) -> None:
    files = {f"study{p}/img{k}.png": label(p + k) for p in range(6) for k in range(2)}
    folder = draw(tmp_path / "img", list(files))
    rows = ["study,file,label", *(f"{file.replace('/', ',')},{said}" for file, said in files.items())]
    with pytest.raises(DataError, match="say --column 'path=study\\+file'"):
        read(folder, rows)
    assert labels_of(read(folder, rows, "path=study+file")) == files


@pytest.mark.parametrize("written", ["{}", "{}.0"])
def test_zeros_before_numbers_may_be_lost(tmp_path: Path, written: str) -> None:
    files = {f"{n:03d}.png": label(n) for n in range(95, 107)}
    rows = ["image_id,label", *(f"{written.format(int(file[:3]))},{said}" for file, said in files.items())]
    assert labels_of(read(draw(tmp_path / "img", list(files)), rows)) == files


@pytest.mark.parametrize("lines", [True, False])
def test_json_is_a_table(tmp_path: Path, lines: bool) -> None:
    rows = [{"file_name": f, "patient": n // 2, "label": label(n), "meta": {"a": [1]}} for n, f in enumerate(FILES)]
    text = [json.dumps(row) for row in rows] if lines else [json.dumps(rows)]
    folder = draw(tmp_path / "img", FILES)
    assert labels_of(read(folder, text, name="t.jsonl" if lines else "t.json")) == RIGHT
    assert labels_of(read(folder, [json.dumps(RIGHT)], name="t.json")) == RIGHT  # a label by its image's name
    with pytest.raises(DataError, match="is no list of objects"):
        read(folder, [json.dumps({"images": [RIGHT]})], name="t.json")


def test_dates_and_visits_are_no_labels(tmp_path: Path) -> None:
    folder = draw(tmp_path / "img", FILES)
    rows = [f"{f},{['2021-03-01', '20210401'][n % 2]},{1 + n % 2},{label(n)}" for n, f in enumerate(FILES)]
    assert labels_of(read(folder, ["image,taken,visit,outcome of it", *rows])) == RIGHT
    with pytest.raises(DataError, match="no column of labels"):
        read(folder, ["image,taken,visit", *(row.rpartition(",")[0] for row in rows)])


def test_a_blank_may_mean_no(tmp_path: Path) -> None:
    folder = draw(tmp_path / "img", FILES)
    rows = ["image,cancer", *(f"{f},{'yes' if n % 3 == 0 else ''}" for n, f in enumerate(FILES))]
    with pytest.raises(DataError, match="say --column 'label=cancer:blank=no'"):
        read(folder, rows)
    assert labels_of(read(folder, rows, "label=cancer:blank=no")) == {
        f: "no" if n % 3 else "yes" for n, f in enumerate(FILES)
    }


def test_rows_of_lesions_are_taken_together_where_asked(tmp_path: Path) -> None:
    folder = draw(tmp_path / "img", FILES)
    rows = [
        "image,lesion,pathology",
        *(f"{f},{k},{'malignant' if n % 3 == 0 and k else 'benign'}" for n, f in enumerate(FILES) for k in range(2)),
    ]
    with pytest.raises(DataError, match="--column 'findings=pathology'"):
        read(folder, rows)
    table = tmp_path / "t.csv"
    found = scan(folder, labels=table, choices=Choices(columns_asked(["findings=pathology"])))
    assert found.classes == ("malignant",)
    assert found.cases.sort("file")["findings"].to_list() == [
        [n % 3 == 0] for n in map(int, (f[1:-4] for f in sorted(FILES)))
    ]


def test_names_of_groups_above_names_are_no_names(tmp_path: Path) -> None:
    rows = [f"{n // 2},{'MF'[n // 2 % 2]},{file},{label(n)}" for n, file in enumerate(FILES)]
    cases = read(draw(tmp_path / "img", FILES), ["Patient,,Image,", "No,Sex,File,Label", *rows])
    assert labels_of(cases) == RIGHT
    assert cases["patient"].n_unique() == 6


def test_a_name_may_stand_on_several_lines_with_its_legend(tmp_path: Path) -> None:
    head = '"Patient\nID","Finding\n0 = healthy\n1 = sick",Image'
    rows = [f"P{n // 2},{int(label(n) == 'sick')},{file}" for n, file in enumerate(FILES)]
    cases = read(draw(tmp_path / "img", FILES), [head, *rows])
    assert labels_of(cases) == {file: str(int(label(n) == "sick")) for n, file in enumerate(FILES)}
    assert cases["patient"].n_unique() == 6


def test_without_names_a_sex_among_the_values_is_none(tmp_path: Path) -> None:
    rows = [f"{file[:-4]}.IMG\t{['Female', 'Male'][n // 2 % 2]}\t{label(n)}" for n, file in enumerate(FILES)]
    cases = read(draw(tmp_path / "img", FILES), rows, name="t.tsv")
    assert labels_of(cases) == RIGHT


@pytest.mark.parametrize("code", ["9", "-9", "99", "-9999"])
def test_a_number_far_from_the_others_is_asked_about(tmp_path: Path, code: str) -> None:
    rows = ["image,karzinom", *(f"{file},{code if n % 4 == 3 else n % 2}" for n, file in enumerate(FILES))]
    folder = draw(tmp_path / "img", FILES)
    with pytest.raises(DataError, match=f"3 times {code} beside 0, 1: where it codes that nothing is known"):
        read(folder, rows)
    assert set(read(folder, rows, f"label=karzinom:{code}=")["label"]) == {"0", "1"}
    assert set(read(folder, rows, f"label=karzinom:{code}={code}")["label"]) == {"0", "1", code}


def test_grades_in_a_row_hold_no_code(tmp_path: Path) -> None:
    rows = ["image,score", *(f"{file},{n % 4 + 6}" for n, file in enumerate(FILES))]  # 6 to 9
    assert set(read(draw(tmp_path / "img", FILES), rows)["label"]) == set("6789")


@pytest.mark.parametrize(
    ("column", "values", "parts"),
    [
        ("Train_Val_Test", "123", ["train", "validation", "test"]),
        ("Train", "110", ["train", "train", "test"]),
        ("is_test", ["no", "no", "yes"], ["train", "train", "test"]),
    ],
)
def test_a_column_called_after_parts_tells_them(tmp_path: Path, column: str, values: str, parts: list[str]) -> None:
    rows = [f"image,label,{column}", *(f"{file},{label(n)},{values[n // 4]}" for n, file in enumerate(FILES))]
    cases = read(draw(tmp_path / "img", FILES), rows)
    assert dict(cases.select("file", "part").iter_rows()) == {file: parts[n // 4] for n, file in enumerate(FILES)}


def test_a_side_in_numbers_is_asked_about(tmp_path: Path) -> None:
    sides = {f"{9000900 + p}_{side}.png": label(p + at) for p in range(8) for at, side in enumerate("RL")}
    folder = draw(tmp_path / "knees", list(sides))
    rows = ["ID,SIDE,label", *(f"{f[:7]},{1 + (f[8] == 'L')},{said}" for f, said in sides.items())]
    with pytest.raises(DataError, match="say --column 'side=SIDE:1=R,2=L' or --column 'side=SIDE:1=L,2=R'"):
        read(folder, rows)
    assert labels_of(read(folder, rows, "side=SIDE:1=R,2=L")) == sides


def test_an_empty_list_is_no_finding(tmp_path: Path) -> None:
    rows = [{"file_name": f, "syms": [[], ["Mass"], ["Mass", "Edema"]][n % 3]} for n, f in enumerate(FILES)]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    found = scan(draw(tmp_path / "img", FILES), labels=tmp_path / "t.json")
    assert dict(zip(found.cases["file"], found.cases["findings"].to_list(), strict=True)) == {
        f: [[False, False], [False, True], [True, True]][n % 3] for n, f in enumerate(FILES)
    }


def test_visits_in_columns_are_rows(tmp_path: Path) -> None:
    files = {f"P{p:03d}_V{v}.png": str((p + v * (p % 2)) % 3) for p in range(8) for v in (1, 2)}
    folder = draw(tmp_path / "img", list(files))
    rows = ["patient,V1_grade,V2_grade"]
    rows += [f"P{p:03d},{files[f'P{p:03d}_V1.png']},{files[f'P{p:03d}_V2.png']}" for p in range(8)]
    with pytest.raises(DataError, match="'path=patient\\+visit'"):
        read(folder, rows)
    cases = read(folder, rows, "path=patient+visit")
    assert labels_of(cases) == files
    assert cases["patient"].n_unique() == 8


def test_numbers_in_blocks_below_an_unknown_name_may_be_patients(tmp_path: Path) -> None:
    files = [f"{n:02d}.png" for n in range(24)]
    rows = ["image,zz_anon,label", *(f"{file},{39128264 + n // 2 * 7},{label(n)}" for n, file in enumerate(files))]
    folder = draw(tmp_path / "img", files)
    with pytest.raises(DataError, match="say --column patient=zz_anon, or --column ignore=zz_anon"):
        read(folder, rows)
    assert read(folder, rows, "patient=zz_anon")["patient"].n_unique() == 12


def test_a_constant_column_called_findings_gives_way(tmp_path: Path) -> None:
    rows = ["image,Findings,Pathology / Follow up", *(f"{f},mass,{label(n)}" for n, f in enumerate(FILES))]
    assert labels_of(read(draw(tmp_path / "img", FILES), rows)) == RIGHT
