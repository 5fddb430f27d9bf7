"""The verb labs: what it writes opens in Jupyter and in editors, and nobody's answers are overwritten."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import evenray as er
from evenray.cli import app
from evenray.teaching import LABS

FILES = [f"{lab}/{what}" for lab in LABS for what in ("exercise.ipynb", "exercise.py", "solution.ipynb", "solution.py")]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_scripts_and_notebooks_are_the_same_cells(tmp_path: Path, lang: str) -> None:
    import jupytext  # both are slow to import
    import nbformat

    files = er.labs(tmp_path, lang=lang)
    assert sorted(file.relative_to(tmp_path).as_posix() for file in files) == FILES
    for file in files:
        if file.suffix == ".ipynb":
            notebook = nbformat.read(file, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
            nbformat.validate(notebook)
            script = jupytext.read(file.with_suffix(".py"))
            assert [(cell.cell_type, cell.source) for cell in script.cells] == [
                (cell.cell_type, cell.source) for cell in notebook.cells
            ]
            assert ("실습" in notebook.cells[0].source) == (lang == "ko")


def test_answers_are_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "2_vgg16" / "exercise.py"
    file.parent.mkdir()
    file.write_text("my answers")
    with pytest.raises(er.UsageError, match=r"2_vgg16/exercise.py' exists and may hold answers; give another folder"):
        er.labs(tmp_path)
    assert file.read_text() == "my answers"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_an_unknown_language_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(er.UsageError, match="lang is 'kr'"):
        er.labs(tmp_path / "new", lang="kr")
    assert not (tmp_path / "new").exists()


def test_the_command_writes_and_lists(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["labs", "-o", str(tmp_path / "labs"), "--lang", "ko", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["folder"] == str(tmp_path / "labs")
    assert sorted(found["files"]) == [str(tmp_path / "labs" / name) for name in FILES]
    assert "실습 3개" in done.stderr


def test_the_wheel_has_the_sources() -> None:
    root = Path(__file__).resolve().parents[2]
    patterns = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["evenray"]
    packed = {path for pattern in patterns for path in (root / "src/evenray").glob(pattern)}
    assert {path.stem for path in packed if path.parent.name == "labs"} == set(LABS)
