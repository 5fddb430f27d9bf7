"""share: nothing that names a person, a file, a folder or this machine's user is in what it writes; and it can be used."""

from __future__ import annotations

import contextlib
import csv
import html
import io
import re
import shutil
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

import evenray as er
from evenray.cli import main

COUNT = 24
PEOPLE = ["박준호", "山田太郎", "LiNa", "NgWu", "Müller", unicodedata.normalize("NFD", "Schröder"), "Mueller", "Иванов", "أحمد",
          "Kim^Minsu", "O'Neil"]  # fmt: skip
ROMAN = [
    "ParkJunho",
    "YamadaTaro",
    "LiNa",
    "NgWu",
    "Mueller",
    "Schroeder",
    "Muller",
    "Ivanov",
    "Ahmad",
    "Minsu_KIM",
    "ONeil",
]
OTHERS = ["19110203", "1911-02-03", "1.2.826.0.1.3680043.9.77", "QZSERIAL", "QZCHUNK", "QZEXIF", "QZCOLUMN", "QZUSER", "QZSTUDY",
          "QZTABLE", "QZREFERENCE", "QZEXCLUSIONS", "QZPATIENT", "QZBEFORE", "QZNOTES"]  # fmt: skip
PICTURES = np.random.default_rng(5).integers(0, 120, (COUNT, 28, 28), dtype=np.uint8)


def canaries() -> Iterator[str]:
    """Every name in the ways that it can be written, but none so short that it stands in any base64 text."""
    for name in [*PEOPLE, *ROMAN, *OTHERS]:
        for piece in {name, *name.replace("_", "^").split("^")}:
            for form in ("NFC", "NFD"):
                yield unicodedata.normalize(form, piece).casefold()


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """What a file says, with its name: its bytes, the cells and notes of a table, the members of a zip, the text of a page."""
    yield path.name, path.name
    content = path.read_bytes()
    yield path.name, content.decode("utf-8", "replace")
    yield path.name, content.decode("utf-16-le", "replace")
    if path.suffix == ".html":
        yield path.name, html.unescape(content.decode())
    if path.suffix == ".json":
        yield path.name, content.decode().encode().decode("unicode_escape", "replace")
    if path.suffix == ".parquet":
        yield path.name, repr(pl.read_parquet(path).to_dicts()) + repr(pl.read_parquet_metadata(path))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", name + archive.read(name).decode("utf-8", "replace")


def found(folder: Path, *more: str) -> set[tuple[str, str]]:
    """(file, canary) of all that is found. Letters of base64 and of binary data spell short Latin names now and then, and works that
    are cited have authors."""
    wanted = {*canaries(), *more}
    hits = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        for where, text in texts(path):
            folded = re.sub(r'<pre[^>]*class="bibtex".*?</pre>', "", text, flags=re.DOTALL).casefold()
            for canary in wanted:
                if canary in folded and (len(canary.encode()) > 4 or _alone(canary, folded)):
                    hits.add((where, canary))
    return hits


def _alone(canary: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9+/=]){re.escape(canary)}(?![a-z0-9+/=])", text) is not None


def dicom(path: Path, number: int, who: str) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.9.77.{number}"
    made = FileDataset("", {}, b"\0" * 128, meta)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = (
        who,
        f"QZPATIENT{number}",
        "19110203",
        "F",
    )
    made.StudyInstanceUID = made.SeriesInstanceUID = f"1.2.826.0.1.3680043.9.77.1.{number}"
    made.SOPInstanceUID, made.SOPClassUID = meta.MediaStorageSOPInstanceUID, SecondaryCaptureImageStorage
    made.DeviceSerialNumber, made.InstitutionName, made.PatientComments = "QZSERIAL", "QZUSER clinic", who
    made.StudyDescription, made.SeriesDescription, made.OperatorsName = who, who, who
    made.Rows, made.Columns, made.SamplesPerPixel, made.PhotometricInterpretation = 28, 28, 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    inner = Dataset()
    inner.PatientName = who
    made.OtherPatientIDsSequence = [inner]
    made.PixelData = picture(number).tobytes()
    pydicom.dcmwrite(path, made, enforce_file_format=True)


def picture(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = PICTURES[number].copy()
    pixels[8:18, 8:18] += np.uint8(100 * (number % 2))
    return pixels


@dataclass(frozen=True)
class Place:
    root: Path
    data: Path
    run: Path
    shared: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Images in folders and files with people's names, a table that names them, run in a user's folder; shared."""
    root = tmp_path_factory.mktemp("home") / "QZUSER"
    data = root / "QZSTUDY 박준호"
    rows = []
    for number in range(COUNT):
        who, roman = PEOPLE[number % len(PEOPLE)], ROMAN[number % len(ROMAN)]
        name = f"{who.replace('^', '_')}/{roman}_{number}"
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        if number % 3 == 0:
            name += ".dcm"
            dicom(data / name, number, who)
        elif number % 3 == 1:
            name += ".png"
            about = PngImagePlugin.PngInfo()
            about.add_itxt("Patient", f"QZCHUNK {who}")
            Pillow.fromarray(picture(number)).save(data / name, pnginfo=about)
        else:
            name += ".jpg"
            exif = Pillow.Exif()
            exif[0x013B], exif[0x010E] = f"QZEXIF {roman}", "QZEXIF"
            Pillow.fromarray(picture(number)).save(data / name, exif=exif, quality=95)
        rows.append(
            (name, ("well", "sick")[number % 2], f"QZPATIENT{who}{number // 2}", "QZCOLUMN" + who, "1911-02-03")
        )
    (data / "山田太郎" / "broken LiNa.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"QZCHUNK" * 9)
    with (root / "QZTABLE Müller.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("path", "label", "PatientID", "name", "birth"), *rows])
    with (root / "QZEXCLUSIONS.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("file", "reason"), (rows[0][0], "blurred"), (rows[1][0], "blurred")])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        cv2.imwrite("a.png", picture(1))
        er.histogram("a.png", ["QZREFERENCE NgWu.json"])
        evenray(patch, "run", data.name, "--labels", "QZTABLE Müller.csv", "--exclude", "QZEXCLUSIONS.csv", "-o", "QZSTUDY run",
                "--contrast", "none", "--contrast", "match('QZREFERENCE NgWu.json')", "--balance", "none", "--folds", "2",
                "--network", "vgg11_bn(width=0.05)", "--size", "28", "--epochs", "1", "--choose", "members=1",
                "--choose", "compare_networks=vgg11_bn(width=0.05)", "--jobs", "1")  # fmt: skip
        evenray(patch, "audit", "QZSTUDY run", "--jobs", "1")
        evenray(patch, "export", "QZSTUDY run", "--format", "onnx")
        evenray(patch, "export", "QZSTUDY run", "--format", "safetensors")
        (root / "QZSTUDY run" / "QZNOTES.txt").write_text("QZNOTES of the user")
        evenray(patch, "compare", "QZSTUDY run", "--jobs", "1")
        evenray(patch, "share", "QZSTUDY run", "-o", str(root.parent / "out"))
    return Place(root, data, root / "QZSTUDY run", root.parent / "out")


def evenray(patch: pytest.MonkeyPatch, *words: str) -> str:
    screen = io.StringIO()
    patch.setattr(sys, "argv", ["evenray", *words])
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None), screen.getvalue()
    return screen.getvalue()


def test_the_canaries_are_in_the_data_and_in_what_is_kept(place: Place) -> None:
    there = {canary for _, canary in found(place.root)}
    assert len(there) > 30
    assert {"박준호", "山田太郎", "иванов", "أحمد", "qzserial", "qzchunk", "qzexif", "qzcolumn", "19110203"} <= there
    assert {path.name for path in place.run.iterdir()} >= {"cases.parquet", "rejected.csv", "sketches", "store"}


def test_nothing_that_is_handed_on_names_anybody(place: Place) -> None:
    names = {path.name for path in place.shared.rglob("*") if path.is_file()}
    assert names >= {"report.html", "audit.html", "compare.html", "predictions.parquet", "split.parquet", "findings.parquet",
                     "excluded.csv", "model.safetensors", "model.onnx", "MODEL_CARD.md", "index.json", "recipe.json"}  # fmt: skip
    assert names.isdisjoint(
        {"cases.parquet", "rejected.csv", "dataset.json", "provenance.json", "QZNOTES.txt", "last.pt"}
    )
    users = [
        str(place.root.parent).casefold(),
        str(Path.home()).casefold() + "/",
        str(Path(er.__file__).parent).casefold(),
    ]
    assert found(place.shared, *users) == set()


def test_neither_do_the_pages_and_tables_of_the_run_itself(place: Place, tmp_path: Path) -> None:
    for name in (
        "report.html",
        "audit.html",
        "compare.html",
        "predictions.parquet",
        "split.parquet",
        "findings.parquet",
    ):
        shutil.copy(place.run / name, tmp_path / name)
    for name in ("attributions", "export"):
        shutil.copytree(place.run / name, tmp_path / name)
    assert found(tmp_path) == set()


def test_a_case_leads_to_its_file(place: Place) -> None:
    cases = pl.read_parquet(place.run / "cases.parquet")
    predictions = pl.read_parquet(place.shared / "predictions.parquet")
    files = predictions.join(cases.select("case", "file"), on="case", how="inner")["file"]
    assert files.len() == predictions.height
    assert all((place.data / file).is_file() for file in files)
    assert "cases.parquet in the run folder says which file each case is" in (place.run / "report.html").read_text()


def test_what_is_shared_can_be_used(place: Place, tmp_path: Path) -> None:
    run = er.Run(place.shared)
    assert run.scores["test"].auroc.value == er.Run(place.run).scores["test"].auroc.value
    assert run.predictions is not None
    cv2.imwrite(str(tmp_path / "new.png"), picture(3))
    for model in ("", "model.safetensors", "export/model.onnx"):
        assert er.predict(place.shared / model, tmp_path / "new.png").table["decision"][0] in ("well", "sick")
    with pytest.raises(er.EvenrayError, match="There is no"):  # the images are not there
        er.report(place.shared)


def test_cases_called_by_their_files_are_not_shared(place: Place, tmp_path: Path) -> None:
    table = place.root / "QZTABLE Müller.csv"
    er.audit(place.data, tmp_path / "run", labels=str(table), names=True)
    page = (tmp_path / "run" / "audit.html").read_text()
    assert "their files, as --names asked" in page
    with pytest.raises(er.DataError, match="not to be handed on: --names was given"):
        er.share(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_it_may_write(place: Place, tmp_path: Path) -> None:
    with pytest.raises(er.UsageError, match="exists and is not empty"):
        er.share(place.run, place.shared)
    with pytest.raises(er.UsageError, match="lies in the run folder"):
        er.share(place.run, place.run / "out")
    with pytest.raises(er.DataError, match="There is no run folder"):
        er.share(tmp_path / "none", tmp_path / "out")


def test_a_folder_of_another_format_is_told_as_such(finished_run: Path, tmp_path: Path) -> None:
    """Before one of its files is taken for damaged."""
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    (run / "provenance.json").write_text('{"stages": {}}')
    (run / "dataset.json").write_text("{}")
    with pytest.raises(er.EvenrayError, match=r"made by another version of evenray \(format 1; this version reads 2\)"):
        er.share(run, tmp_path / "shared")
