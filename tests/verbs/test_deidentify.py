"""A training set without names: nothing that tells a person is in the folder, patients stay who they are, and it can be stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.errors import DataError, UsageError
from tests.data.deidentify.test_dicom import CANARIES, DATE, NAME, NUMBER, radiograph

WORD = cv2.putText(np.zeros((128, 128), np.uint8), "MINSU 1979", (2, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
LETTERS = WORD.astype(np.uint16) << 4


def smooth(seed: int, side: int = 128) -> np.ndarray[Any, Any]:
    return cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 4096, (side, side), np.uint16), (0, 0), 9)


def save(path: Path, number: int, pixels: np.ndarray[Any, Any], **more: object) -> None:
    own = radiograph(Rows=pixels.shape[0], Columns=pixels.shape[1], PixelData=pixels.tobytes())
    own.SOPInstanceUID, own.StudyInstanceUID = f"1.2.3.{NUMBER}.9.{number}", f"1.2.3.{NUMBER}.8.{number}"
    own.StudyDescription, own.ConvolutionKernel = f"{NAME} knee", NAME
    for keyword, value in more.items():
        setattr(own, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    own.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of two films each, one spelt in two ways, a picture of each other kind, and what is to be left out."""
    folder = tmp_path_factory.mktemp("set") / f"Kanarie {NUMBER}"
    for number in range(4):
        who = {"PatientID": ("KH-048151623", "kh_048151623")[number % 2] if number < 2 else "00231976"}
        name = {"PatientName": NAME if number < 2 else "Lee^Jiwoo"}
        save(
            folder / f"Kanarie_{number}.dcm",
            number,
            smooth(number),
            **who,
            **name,
            PatientBirthDate=DATE if number < 2 else "19550505",
        )
    save(folder / "text.dcm", 4, np.maximum(LETTERS, smooth(4) // 4), PatientID="00231976", PatientBirthDate="19550505")
    save(folder / "told.dcm", 5, smooth(5), PatientID="00231976", PatientBirthDate="19550505", BurnedInAnnotation="YES")
    for number, born in ((6, "19600101"), (7, "19700101")):
        save(folder / f"reused{number}.dcm", number, smooth(number), PatientID="R1", PatientBirthDate=born)
    grey = (smooth(8) >> 4).astype(np.uint8)
    text = cv2.imencode(".png", grey)[1].tobytes()
    body = b"tEXtPatient\0" + NAME.encode()
    (folder / "Minsu.png").write_bytes(
        text[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + text[33:]
    )
    jpeg = cv2.imencode(".jpg", grey)[1].tobytes()
    comment = NAME.encode()
    (folder / "Minsu.jpg").write_bytes(
        jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]
    )
    cv2.imwrite(str(folder / "Minsu.tif"), grey)
    rows = "".join(
        f"{path.name},{'sick' if number % 2 else 'well'}\n" for number, path in enumerate(sorted(folder.iterdir()))
    )
    (folder / "labels.csv").write_text(f"file,label\n{rows}")
    return folder


@pytest.fixture(scope="module")
def exported(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return er.deidentify(archive, tmp_path_factory.mktemp("export") / "out", jobs=1)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_nothing_in_the_folder_tells_who_it_is(exported: Any) -> None:
    files = content(exported.folder)
    assert len(files) == exported.images + 2
    more = [b"Jiwoo", b"00231976", b"kh_0", b"KH-0", b"knee", b"text.dcm", b"reused"]
    assert [
        (name, word)
        for name, data in files.items()
        for word in [*CANARIES, *more]
        if word in data or word in name.encode()
    ] == []


def test_labels_follow_their_images_and_patients_stay_who_they_are(exported: Any, archive: Path) -> None:
    again = er.scan(exported.folder)
    first = er.scan(archive)
    assert again.classes == first.classes
    old = {path: name for name, path in json.loads(exported.key.read_text())["images"].items()}
    labels = dict(first.cases.select("file", "label").iter_rows())
    found = {
        Path(file).name: (label, patient)
        for file, label, patient in again.cases.select("file", "label", "patient").iter_rows()
    }
    assert {file: found[name][0] for file, name in old.items()} == {file: labels[file] for file in old}
    who = {file: found[name][1] for file, name in old.items() if file.endswith(".dcm")}
    assert who["Kanarie_0.dcm"] == who["Kanarie_1.dcm"] != who["Kanarie_2.dcm"] == who["Kanarie_3.dcm"]
    for file, name in old.items():
        [made] = exported.folder.rglob(name)
        assert np.array_equal(er.read(archive / file).pixels, er.read(made).pixels)


def test_what_cannot_go_is_left_out_with_its_reason(exported: Any) -> None:
    assert {file: reason.split(" ")[0:4] for file, reason in exported.left_out.items()} == {
        "text.dcm": ["seems", "to", "have", "text"], "told.dcm": ["its", "header", "says", "that"],
        "reused6.dcm": ["its", "patient", "identifier", "stands"], "reused7.dcm": ["its", "patient", "identifier", "stands"],
        "Minsu.tif": ["is", "neither", "DICOM,", "PNG"],
    }  # fmt: skip


def test_the_key_is_its_owners_alone_and_leads_back(exported: Any) -> None:
    assert stat.S_IMODE(exported.key.stat().st_mode) == 0o600
    assert not exported.key.resolve().is_relative_to(exported.folder.resolve())
    kept = json.loads(exported.key.read_text())
    assert sorted(kept["patients"].values()) == [[], [], ["00231976"], ["KH-048151623", "kh_048151623"]]
    assert kept["key"].encode() not in b"".join(content(exported.folder).values())


def test_the_same_key_gives_the_same_bytes_and_another_does_not(exported: Any, archive: Path, tmp_path: Path) -> None:
    key = Path(shutil.copy(exported.key, tmp_path / "key.json"))
    again = er.deidentify(archive, tmp_path / "again", key=key, jobs=1)
    assert content(again.folder) == content(exported.folder)
    other = er.deidentify(archive, tmp_path / "other", jobs=1)
    assert not set(content(other.folder)) & {name for name in content(exported.folder) if name.startswith("images")}
    with pytest.raises(UsageError, match="was made with another key; give that with --key"):
        er.deidentify(archive, other.folder, key=key, jobs=1)


KILLED = """
import os, sys
from evenray.verbs import deidentify as verb
count = [0]
def isolated(jobs=0, ahead=1):
    def run(function, items):
        for item in items:
            count[0] += function is verb._make
            if count[0] == 3:
                os.kill(os.getpid(), 9)
            yield function(item)
    return run
verb.scale.isolated = isolated
verb.deidentify(sys.argv[1], sys.argv[2], key=sys.argv[3], jobs=1)
"""


def test_a_call_that_was_killed_goes_on(exported: Any, archive: Path, tmp_path: Path) -> None:
    key, target = Path(shutil.copy(exported.key, tmp_path / "key.json")), tmp_path / "out"
    died = subprocess.run(
        [sys.executable, "-c", KILLED, archive, target, key], env=os.environ, capture_output=True, timeout=300
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    made = {path: path.stat().st_mtime_ns for path in target.rglob("image-*")}
    assert len(made) == 2
    er.deidentify(archive, target, key=key, jobs=1)
    assert content(target) == content(exported.folder)
    assert {path: path.stat().st_mtime_ns for path in made} == made, "what was made was not made again"


def test_several_findings_and_parts_are_carried(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / "set").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "set" / f"{number}.png"), (smooth(number) >> 4).astype(np.uint8))
    table = pl.DataFrame({
        "file": [f"{n}.png" for n in range(6)], "patient": [f"P{n // 2}" for n in range(6)], "Edema": [1, 0, 1, 0, -1, 0],
        "Mass": [0, 1, 0, 0, 1, 0], "split": ["train"] * 4 + ["test"] * 2,
    })  # fmt: skip
    table.write_csv(tmp_path / "table.csv")
    done = er.deidentify(tmp_path / "set", tmp_path / "out", labels=tmp_path / "table.csv", jobs=1)
    found, names = pl.read_csv(done.folder / "labels.csv"), json.loads(done.key.read_text())["images"]
    found = found.with_columns(
        was=pl.col("file").map_elements(lambda file: names[Path(file).name], return_dtype=pl.String)
    ).sort("was")
    assert found["Edema"].to_list() == [1, 0, 1, 0, None, 0]
    assert found["Mass"].to_list() == table["Mass"].to_list()
    assert found["split"].to_list() == table["split"].to_list()
    assert found["patient"].n_unique() == 3
    assert (found["patient"].rle_id() == pl.Series([0, 0, 1, 1, 2, 2])).all()


def test_an_identifier_of_most_images_is_a_person_only_where_a_header_says_so(tmp_path: Path) -> None:
    """One that stands where identifiers were taken out would merge everybody; a person of many images must not be torn apart."""
    for folder, said in (("placeholder", {"PatientName": "", "PatientBirthDate": ""}), ("person", {})):
        for number in range(8):
            save(tmp_path / folder / f"{number}.dcm", number, smooth(number, 64), PatientID="1", **said)
        done = er.deidentify(tmp_path / folder, tmp_path / f"{folder}-out", jobs=1)
        assert (done.images, done.patients) == (8, 8 if folder == "placeholder" else 1)


def test_wrong_places_are_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"would lie in '.*out', which is handed on"):
        er.deidentify(archive, tmp_path / "out", key=tmp_path / "out" / "key.json")
    with pytest.raises(UsageError, match="lie in each other"):
        er.deidentify(archive, archive / "out", key=tmp_path / "key.json")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(UsageError, match="holds something else"):
        er.deidentify(archive, tmp_path / "full")
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(UsageError, match="is no key of an export"):
        er.deidentify(archive, tmp_path / "out", key=tmp_path / "no.json")
    assert not (tmp_path / "out").exists()


def test_identifiers_are_no_classes(tmp_path: Path) -> None:
    """Folders called by UIDs, as archives and fetches from a PACS have them, are no classes; folders called by persons are refused."""
    for number in range(4):
        save(
            tmp_path / "uids" / f"1.2.3.{NUMBER}.{number // 2}" / f"{number}.dcm",
            number,
            smooth(number, 64),
            PatientID=f"P{number}",
        )
        who = ("Minsu", "Jiwoo")[number // 2]
        save(
            tmp_path / "names" / who / f"{number}.dcm",
            number,
            smooth(number, 64),
            PatientID=f"P{number}",
            PatientName=who,
        )
    done = er.deidentify(tmp_path / "uids", tmp_path / "out", jobs=1)
    assert NUMBER.encode() not in b"".join(content(done.folder).values())
    assert pl.read_csv(done.folder / "labels.csv").columns == ["file", "patient"]
    with pytest.raises(DataError, match="A class of the data is an identifier"):
        er.deidentify(tmp_path / "names", tmp_path / "other", jobs=1)


def test_masks_are_refused_in_a_sentence(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for number in range(3):
            cv2.imwrite(str(tmp_path / "set" / folder / f"{number}.png"), np.eye(32, dtype=np.uint8) * 255)
    with pytest.raises(DataError, match="masks or boxes; deidentify carries classes and findings alone"):
        er.deidentify(tmp_path / "set", tmp_path / "out")
