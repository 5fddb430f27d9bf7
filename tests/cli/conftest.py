"""The command line, called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from evenray.cli import main


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
