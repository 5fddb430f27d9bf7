"""Names of files that hold any bytes: nothing ends for them, and nothing of them steers a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.artefacts import atomic
from evenray.core.names import as_path, as_text

from .conftest import Cli, one_sentence

HOSTILE = [
    b"bad\xff\xfe.png", b"esc\x1b[31mred\x1b[0m.png", b"nl\nnew.png", b"cr\rover.png", b"bell\x07.png", b"\xc2\x9b31m.png",
    "‮gnp.exe.png".encode(), "⁦mark.png".encode(), b"[/b][bold]x[.png", b"[red]\\", b"{brace}.png", b"%s%n.png", b"back\\x41.png",
    b"=HYPERLINK(1).png", b"+1.png", b"-x.png", b"@sum.png", b"\tt.png", b"<script>alert(1)<.png", b"'\"&.png", b"a" * 251 + b".png",
]  # fmt: skip
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose own name is hostile too, two classes of images, and a file that cannot be read."""
    monkeypatch.chdir(tmp_path)
    rng, root = np.random.default_rng(0), os.fsencode(tmp_path) + b"/da\xffta[/b]\x1b[1m"
    for label in (b"well", b"si\xff\x1b[31mck"):
        for name in HOSTILE:
            path = root + b"/" + label + b"/" + name
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  (bytes)
            content = cv2.imencode(".png", rng.integers(0, 255, (28, 28), dtype=np.uint8))[1]
            Path(os.fsdecode(path)).write_bytes(content.tobytes())
        (Path(os.fsdecode(root + b"/" + label)) / os.fsdecode(b"broken\x1b[31m\xff[b].png")).write_bytes(
            b"\x89PNG\r\n\x1a\n12"
        )
    return Path(os.fsdecode(root))


def test_every_file_is_read_and_none_reaches_the_terminal_raw(cli: Cli, folder: Path, tmp_path: Path) -> None:
    output = Path(os.fsdecode(os.fsencode(tmp_path) + b"/o\xffut\x1b[2J"))
    for ended in (cli("audit", folder, "-o", output, "--jobs", "1"), cli("split", output, "--jobs", "1")):
        assert ended.code == 0, ended.err
        assert not RAW.search(ended.err + ended.out)
    with (output / "cases.parquet").open("rb") as file:
        cases = pl.read_parquet(file)
    assert cases.height == 2 * len(HOSTILE)
    assert all(as_path(folder / file).is_file() for file in cases["file"])
    assert not any(RAW.search(file) for file in cases["file"])
    page = (output / "audit.html").read_text()
    assert "alert(1)" not in page
    assert not RAW.search(page)
    named = er.Run(output)
    assert named.dataset is not None
    assert named.dataset.rejected["file"].to_list() == [
        rf"{label}/broken\x1b[31m\xff[b].png" for label in (r"si\xff\x1b[31mck", "well")
    ]


def test_pages_that_name_files_escape_them(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("audit", folder, "-o", tmp_path / "run", "--names", "--propose-exclusions", tmp_path / "out.csv", "--jobs", "1")
    page = (tmp_path / "run" / "audit.html").read_text()
    assert "<script>alert(1)" not in page
    assert not RAW.search(page)
    cells = [cell for row in csv.reader(io.StringIO((tmp_path / "out.csv").read_text())) for cell in row]
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in cells)


def test_verbs_that_copy_and_count_go_on(cli: Cli, folder: Path, tmp_path: Path) -> None:
    for ended in (
        cli("enhance", folder, "-m", "gamma", "-o", tmp_path / "copies", "--sheet", "30"),
        cli("histogram", folder),
    ):
        assert ended.code == 0, ended.err
        assert "broken" in ended.err + ended.out
        assert not RAW.search(ended.err + ended.out)
    assert len([path for path in (tmp_path / "copies").rglob("*") if path.is_file()]) == 2 * len(HOSTILE) + 1


def test_errors_about_such_names_are_one_line(cli: Cli) -> None:
    for name in ("no\x1b[31m", "no\nerror nothing", "no[/b]", "no\\", "no\u202e"):
        one_sentence(cli("scan", name), f"There is no '{as_text(name)}'", 1)


def test_the_working_directory_may_be_gone(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    one_sentence(cli("scan", "data"), "The working directory has been removed", 1)


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("박" * 83 + "a.json")
    with atomic(path) as temporary:
        temporary.write_text("{}")
    assert path.read_text() == "{}"
