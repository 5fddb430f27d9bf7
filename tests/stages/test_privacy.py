"""Canaries: no text of a DICOM header that could identify a person reaches an artefact, a page or the screen."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from evenray.cli import main

COUNT = 24
TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "UR")
GROUPS = (0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0032, 0x0038, 0x0040, 0x0088, 0x300E, 0x4008)
# What steers decoding, and what is kept as a coded term or, like the institution, as a keyed hash.
KEPT = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "PatientID",
    "PatientSex",
    "InstitutionName",
)
FOUND = re.compile(
    rb"QZ[A-Z]{2}[0-9A-F]{8}|QZPRIVATE|QZPATIENT|QZNAME|1\.2\.826\.0\.1\.3680043\.9\.|19110203|1911-02-03|031415\.9265"
)


def values() -> Iterator[tuple[int, str, str]]:
    """Every element of the dictionary that holds text, a date, a time or an identifier, with a value of its own."""
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if tag >> 16 in GROUPS and keyword not in KEPT:
            if vr in TEXTS:
                yield tag, vr, f"QZ{vr}{tag:08X}"
            elif vr in ("DA", "DT", "TM", "UI"):
                value = {"DA": "19110203", "DT": "19110203031415", "TM": "031415.9265"}.get(vr)
                yield tag, vr, value or f"1.2.826.0.1.3680043.9.{tag}"


def file(number: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.9.1.{number}"
    found = FileDataset("", {}, b"\0" * 128, meta)
    for tag, vr, value in values():
        found.add_new(tag, vr, value)
    found.SOPClassUID, found.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    found.StudyInstanceUID = f"1.2.826.0.1.3680043.9.2.{number}"
    found.PatientID, found.PatientSex, found.InstitutionName = f"QZPATIENT{number // 2:02d}", "F", "South"
    inner = Dataset()
    inner.PatientID, inner.PatientName, inner.PatientComments = "QZPATIENTINNER", "QZNAME^Inner", "QZNAME"
    found.OtherPatientIDsSequence = found.RequestAttributesSequence = [inner]
    block = found.private_block(0x0009, "QZPRIVATE", create=True)
    block.add_new(1, "LO", "QZPRIVATE text")
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 2000, (28, 28), dtype=np.uint16)
    pixels[8:18, 8:18] += 1000 * (number % 2)
    found.Rows, found.Columns, found.SamplesPerPixel, found.PhotometricInterpretation = 28, 28, 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 12, 11, 0
    found.PixelData = pixels.tobytes()
    return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in folders that name the patient, one cut off, one without pixels; a table keyed by the SOPInstanceUID."""
    root = tmp_path_factory.mktemp("tree")
    with (root / "labels.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["SOPInstanceUID", "label", "PatientID", "name"])
        for number in range(COUNT + 2):
            made = file(number)
            path = root / "films" / f"{made.PatientID}_{made.PatientName}" / f"{number}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            if number == COUNT + 1:
                del made.PixelData
            pydicom.dcmwrite(path, made, enforce_file_format=True)
            if number == COUNT:
                path.write_bytes(path.read_bytes()[:-700])
            writer.writerow([made.SOPInstanceUID, ("well", "sick")[number % 2], made.PatientID, "QZNAME^Anna"])
    return root


@dataclass(frozen=True)
class Outcome:
    folder: Path
    screen: str


@pytest.fixture(scope="module")
def outcome(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of the command line to the report, and all that it showed."""
    folder = tmp_path_factory.mktemp("run") / "run"
    words = ["evenray", "run", str(tree), "-o", str(folder), "--network", "vgg11_bn(width=0.05)", "--size", "28", "--epochs", "1",
             "--folds", "2", "--contrast", "none,equalize", "--balance", "none", "--design", "split",
             "--jobs", "1", "--json"]  # fmt: skip
    screen = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
    return Outcome(folder, screen.getvalue())


def contents(path: Path) -> bytes:
    """All that a file says; of the two tables that hold paths, all but the paths (docs/decisions/0002)."""
    if path.name == "rejected.csv":
        return "\n".join(pl.read_csv(path)["reason"]).encode()
    if path.suffix != ".parquet":
        return path.read_bytes()
    table = pl.read_parquet(path)
    return (
        repr(table.drop("file").to_dicts() if path.name == "cases.parquet" else table.to_dicts()).encode()
        + path.name.encode()
    )


def test_the_canaries_are_in_the_files(tree: Path) -> None:
    raw = next((tree / "films").rglob("*.dcm")).read_bytes()
    assert len(set(FOUND.findall(raw))) > 600
    assert all(f"QZ{vr}".encode() in raw for vr in TEXTS)


def test_no_artefact_holds_one(outcome: Outcome) -> None:
    files = [path for path in outcome.folder.rglob("*") if path.is_file()]
    assert {"report.html", "cases.parquet", "rejected.csv", "predictions.parquet", "last.pt"} <= {
        path.name for path in files
    }
    holding = {str(path.relative_to(outcome.folder)): FOUND.findall(contents(path))[:3] for path in files}
    assert {name: found for name, found in holding.items() if found} == {}


def test_the_screen_shows_none(outcome: Outcome) -> None:
    assert "24 images: sick 12, well 12; 2 files set aside" in outcome.screen
    assert FOUND.findall(outcome.screen.encode()) == []


def test_what_is_meant_to_be_kept_is_there(outcome: Outcome) -> None:
    cases = pl.read_parquet(outcome.folder / "cases.parquet")
    assert cases["patient"].n_unique() == COUNT // 2
    assert cases["site"].n_unique() == 1
    assert "South" not in cases["site"]
    assert cases["sex"].unique().to_list() == ["F"]
    assert cases["case"].n_unique() == COUNT


def test_the_search_finds_what_it_should(tmp_path: Path) -> None:
    table: dict[str, Any] = {"file": ["QZPATIENT01/1.dcm"], "case": ["a"], "thumbnail": [b"QZNAME"]}
    pl.DataFrame(table).write_parquet(tmp_path / "cases.parquet")
    assert FOUND.findall(contents(tmp_path / "cases.parquet")) == [b"QZNAME"]
    assert FOUND.findall(b"born 1911-02-03, 19110203") == [b"1911-02-03", b"19110203"]
