"""Files of users are read in processes that may die: what ends its decoder costs a refusal."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

import evenray as er
from evenray.images import readers
from evenray.verbs._copies import read_middle
from evenray.verbs.enhance import gallery

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_the_middle_of_a_file_is_read_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), GREY)

    def fatal(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    with monkeypatch.context() as here:  # in this process only: a worker imports the module anew
        here.setattr(readers, "read", fatal)
        image, part = read_middle(path, None, "header")
        page = gallery(path, tmp_path / "page.html").page
    assert (image.pixels.tolist(), part) == (GREY.tolist(), "")
    assert "clahe" in page.read_text(encoding="utf-8")


def test_a_file_that_ends_its_reader_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenray.verbs._copies._middle", ends)
    with pytest.raises(er.EvenrayError, match=r"a\.png: is damaged: its decoder crashes on it \(SIGSEGV\)"):
        gallery(tmp_path / "a.png" if cv2.imwrite(str(tmp_path / "a.png"), GREY) else "", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def ends(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
