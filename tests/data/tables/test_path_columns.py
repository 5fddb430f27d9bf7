"""Images that several columns name together, or one in other signs than their paths: refused with the option that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError

from .test_shapes import draw, labels_of, read


def sick(n: int) -> str:
    return "sick" if n % 3 == 0 else "well"


def test_a_patient_and_a_slice_name_the_views_of_a_slice(tmp_path: Path) -> None:
    files = {
        f"{p:03d}/{view}/{s}.png": sick(p + s) for p in range(49, 53) for view in ("brain", "bone") for s in (1, 2, 3)
    }
    folder = draw(tmp_path / "ct", list(files))
    rows = [
        "PatientNumber,SliceNumber,finding",
        *(f"{p},{s},{sick(p + s)}" for p in range(49, 53) for s in (1, 2, 3)),
    ]
    with pytest.raises(DataError, match=r"name the images together, .* 'path=PatientNumber\+SliceNumber'"):
        read(folder, rows)
    cases = read(folder, rows, "path=PatientNumber+SliceNumber")
    assert labels_of(cases) == files
    assert cases["patient"].n_unique() == 4


def test_a_name_in_four_columns(tmp_path: Path) -> None:
    spots = [(4 + n // 6, n % 2, 3328 + n % 6 * 32, 21792 + n // 2 * 32) for n in range(18)]
    files = {
        f"patient_{p:03d}_node_{n}/patch_patient_{p:03d}_node_{n}_x_{x}_y_{y}.png": sick(x) for p, n, x, y in spots
    }
    folder = draw(tmp_path / "patches", list(files))
    rows = [
        ",patient,node,x_coord,y_coord,finding",
        *(f"{at},{p:03d},{n},{x},{y},{sick(x)}" for at, (p, n, x, y) in enumerate(spots)),
    ]
    with pytest.raises(DataError, match="name the images together") as refused:
        read(folder, rows)
    way = str(refused.value).rpartition("--column '")[2].rstrip("'.")
    cases = read(folder, rows, way)
    assert labels_of(cases) == files
    assert cases["patient"].n_unique() == 3


def test_a_name_with_other_signs_than_the_path(tmp_path: Path) -> None:
    files = {f"{p:06d}_01_01/{z:03d}.png": sick(z) for p in range(1, 5) for z in (100 + p, 103 + p)}
    others = [f"{p:06d}_01_01/{z:03d}.png" for p in range(1, 5) for z in (101 + p, 104 + p)]
    folder = draw(tmp_path / "png", [*files, *others])
    cases = read(folder, ["File_name,finding", *(f"{f.replace('/', '_')},{said}" for f, said in files.items())])
    assert labels_of(cases) == files


@pytest.mark.parametrize(("column", "name"), [("LNDbID", "LNDb-{:04d}"), ("id", "{:04d}"), ("ID", "UCSF-{:04d}")])
def test_zeros_and_letters_that_a_table_leaves_out(tmp_path: Path, column: str, name: str) -> None:
    files = {f"{name.format(n)}.png": sick(n) for n in range(3, 27, 3)}
    written = "UCSF-{:02d}" if name.startswith("UCSF") else "{}"
    rows = [f"{column},finding", *(f"{written.format(n)},{sick(n)}" for n in range(3, 27, 3))]
    assert labels_of(read(draw(tmp_path / "data", list(files)), rows)) == files


def test_numbers_that_meet_by_accident_are_no_names(tmp_path: Path) -> None:
    files = [f"P{p:02d}/{series}/1.png" for p in range(6) for series in (1, 2)]
    rows = ["patient,lesion,finding", *(f"P{p:02d},{k},{sick(p + k)}" for p in range(6) for k in range(1, 2 + p % 2))]
    with pytest.raises(DataError, match="several rows a patient"):
        read(draw(tmp_path / "mr", files), rows)


def test_views_in_folders_of_one_examination(tmp_path: Path) -> None:
    files = {f"{view}/{n:04d}.png": sick(n) for view in ("axial", "coronal") for n in range(9)}
    folder = draw(tmp_path / "train", list(files))
    rows = [f"{n:04d},{sick(n)}" for n in range(9)]
    with pytest.raises(DataError, match="say --column 'patient=column 1'"):
        read(folder, rows)
    cases = read(folder, rows, "patient=column 1")
    assert labels_of(cases) == files
    assert cases["patient"].n_unique() == 9
