"""Models are loaded anew when what lies on the disk is replaced, and old ones answer until then."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.serve.models import Models
from evenray.serve.problems import Problem

X = np.random.default_rng(0).random((1, 1, 28, 28), dtype=np.float32)


@pytest.fixture
def folder(sources: dict[str, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(sources["tag"], tmp_path / "mine"))


def test_a_replaced_model_answers_from_then_on(folder: Path) -> None:
    from .conftest import untrained

    models = Models([str(folder)], "cpu")
    old = models.get(None)
    models.look()
    assert models.get("mine") is old  # nothing has changed
    untrained(folder, "tag", seed=6)
    models.look()
    new = models.get("mine")
    assert new.problem == ""
    assert np.abs(new.run(X) - old.run(X)).max() > 1e-3  # who holds the old one still gets its answers
    models.close()


def test_what_cannot_be_loaded_is_told_and_the_old_model_answers_on(folder: Path) -> None:
    models = Models([str(folder)], "cpu")
    before = models.get(None).run(X)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:1000])
    models.look()
    assert models.get(None).problem
    assert np.array_equal(models.get(None).run(X), before)
    (folder / "model.safetensors").write_bytes(whole)
    models.look()
    assert models.get(None).problem == ""
    for file in folder.iterdir():
        file.unlink()
    models.look()  # between the old files and the new ones
    assert np.array_equal(models.get(None).run(X), before)
    models.close()


def test_models_have_names_of_their_own(folder: Path, sources: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    again = shutil.copytree(folder, tmp_path / "other" / "mine")
    models = Models([str(folder), str(again), sources["detect"]], "cpu")
    assert list(models.loaded) == ["mine", "mine-2", "detect"]
    with pytest.raises(Problem, match="404"):
        models.get("nobody")
    models.close()


def test_a_run_that_is_not_finished_is_refused(finished_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished_run, tmp_path / "run")
    (folder / "scores.json").unlink()
    with pytest.raises(DataError):
        Models([str(folder)], "cpu")
    with pytest.raises(DataError, match="There is no"):
        Models([str(tmp_path / "nowhere")], "cpu")
