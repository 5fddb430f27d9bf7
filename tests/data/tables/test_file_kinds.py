"""A single file that is no table of labels is called what it is, and what to do with it is said."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.scan.listing import listing
from evenray.data.tables.file_kinds import refuse_table

from ..conftest import Make, read_labels


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, train_images=np.zeros((2, 4, 4), np.uint8))
    return buffer.getvalue()


FILES = {
    "data.zip": (zipped("three/a/1.png"), "is a ZIP archive; unpack it, and give what it holds."),
    "data.tar.gz": (gzip.compress(bytes(range(256)) * 9), "is a gzip archive; unpack it, and give what it holds."),
    "labels.csv.gz": (gzip.compress(b"path,label\n"), "is a gzip archive; unpack it, and give what it holds."),
    "renamed.csv": (
        zipped("docProps/app.xml", "xl/workbook.xml"),
        "is a workbook by another name; let its name end in .xlsx.",
    ),
    "arrays.zip": (npz(), "is a NumPy archive; let its name end in .npz."),
    "paper.pdf": (b"%PDF-1.7\n\0", "is a PDF document, not an image; give a folder of images or a table of labels."),
    "own.bin": (bytes(range(256)), "is not an image that is read here (DICOM, PNG, "),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    content, said = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        listing(tmp_path / name)
    assert f"{name}' {said}" in str(error.value)
    with pytest.raises(
        DataError, match=r"The label table '.*' is .*; give a \.csv, \.tsv, \.parquet, \.json, \.jsonl or \.xlsx file\."
    ):
        read_labels(tmp_path / name)


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), zipped("xl/workbook.xml")])
@pytest.mark.parametrize("suffix", [".xls", ".xlsx"])
def test_a_damaged_workbook(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"labels{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=r"is a workbook that cannot be read .*; without a password, save its sheet"):
        read_labels(tmp_path / f"labels{suffix}")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_an_image(tmp_path: Path, png: Make, name: str) -> None:
    with pytest.raises(DataError, match="is an image; give the folder that the images lie in"):
        listing(png(name, 1))


def test_a_pipe_is_left_to_who_reads_the_table() -> None:
    content = b"path,label\n" + b"a.png,sick\n" * 800
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
        os.close(writing)
        assert read_labels(Path(f"/dev/fd/{reading}")).table.height == 1
    finally:
        os.close(reading)


def test_a_dicom_file(tmp_path: Path, dicom: Make) -> None:
    with pytest.raises(DataError, match="is an image; give the folder that the images lie in"):
        listing(dicom("a", 1))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bmi.csv", b"BMI,path,label\n21,a.png,sick\n"),  # begins as a BMP picture does
        ("p2.tsv", b"P2\tpath\tlabel\n1\ta.png\tsick\n"),  # and this as a PGM
        ("labels", b"path,label\na.png,sick\n"),
        ("t.tab", b"BMI,path,label\n21,a.png,sick\n"),
        ("labels", b"P2 id,label\n1,sick\n"),
        ("t.tab", b"BMI,path,label\n" + "정".encode() * 2000),  # a letter is cut where looking ends
        ("t.csv", "path,label\na.png,정상\n".encode("utf-16")),
        ("t.csv", "path,label\na.png,정상\n".encode("utf-16-le")),
        ("t.csv", b""),
        ("absent.csv", None),
    ],
)
def test_what_may_be_a_table_is_none_of_them(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert refuse_table(tmp_path / name) is None
