"""The command line, called in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from evenray.cli import app, main

RNG = np.random.default_rng(0)


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """cli("run", "data", ...) runs the command in this process."""

    def call(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["evenray", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return call


def one_sentence(ended: Ended, said: str, code: int) -> None:
    assert ended.code == code, ended.err
    assert said in ended.err
    assert ended.err.startswith("error ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert ended.out == ""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def run_json(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three grey images in two folders, and a table that is none of them; the process stands beside them."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    for name in ("a/one.png", "a/two.png", "b/three.png"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(data / name), RNG.integers(10, 90, (50, 60)).astype(np.uint8))
    (data / "labels.csv").write_text("path,label\n")
    return data
