"""The public names, pinned; and that importing evenray, or asking for help, costs next to nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest
import typer

import evenray as er
from evenray.cli import app
from evenray.cli._options import SHORT
from evenray.core.recipe import Machine, Recipe, ReportSettings
from evenray.core.settings import declared
from evenray.core.table7_settings import Table7Settings

NAMES = [
    "Cancelled", "Curve", "DataError", "Dataset", "EpochDone", "Estimate", "EvenrayError", "Finding", "Findings", "Histogram", "Image",
    "Message", "Predictions", "ReadError", "Recipe", "Run", "Scores", "StageBegun", "StageDone", "Step", "Told", "UsageError",
    "audit", "build", "choose_threshold", "compare", "compare_runs", "deidentify", "demo", "enhance", "ensemble", "evaluate",
    "explain", "export", "gallery", "histogram", "imagenet", "labs", "layers", "plan", "predict", "read", "report", "robustness",
    "run", "scan", "score", "share", "split", "table7", "train", "understand", "weights",
]  # fmt: skip
HEAVY = (
    "torch", "cv2", "polars", "sklearn", "scipy", "numpy", "pydicom", "jinja2", "lightning_fabric", "captum", "fastapi", "uvicorn",
)  # fmt: skip


def test_the_public_names() -> None:
    assert er.__all__ == NAMES
    assert dir(er) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(er, name)
    assert not isinstance(found, types.ModuleType)
    assert found.__doc__


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        AttributeError, match="module 'evenray' has no attribute 'Recipy'; it has: Cancelled, Curve, DataError"
    ):
        _ = er.Recipy


LOADED = "import sys; {}; print(*(name for name in {!r} if name in sys.modules))"


@pytest.mark.parametrize(
    "work",
    [
        "import evenray",
        "import evenray.core.errors, evenray.core.recipe, evenray.core.spec, evenray.core.registry",
        "from evenray.cli import main; sys.argv = ['evenray', '--help']; sys.stdout = sys.stderr\n"
        "try: main()\nexcept SystemExit: sys.stdout = sys.__stdout__",
        "from evenray.cli import main; sys.argv = ['evenray', 'run', '--help']; sys.stdout = sys.stderr\n"
        "try: main()\nexcept SystemExit: sys.stdout = sys.__stdout__",
    ],
    ids=["import", "core", "help", "help of run"],
)
def test_nothing_heavy_is_loaded(work: str) -> None:
    code = f"import sys\n{work}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_line_in_python(
    tiny_archive: Path, tiny_recipe: dict[str, object], finished_run: Path, tmp_path: Path
) -> None:
    data = er.scan(tiny_archive)
    assert data.cases.equals(er.scan(str(tiny_archive)).cases)
    data = er.split(data)
    recipe = er.Recipe(**{**tiny_recipe, "contrast": "none", "epochs": 1})
    run = er.run(data, recipe, tmp_path / "run", jobs=1)
    assert 0 <= run.scores["test"].auroc.low <= run.scores["test"].auroc.value <= 1
    assert run.choice.contrast == "none"
    assert run.report.is_file()
    assert run.predictions.part("test").table.height == 30
    assert er.choose_threshold(run.predictions.part("validation")) == run.scores["test"].threshold


def test_the_grey_range_of_a_scan_holds_through_the_run(tmp_path: Path, tiny_recipe: dict[str, object]) -> None:
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for label in ("sick", "well"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(12):
            picture = rng.integers(0, 4096, (28, 28), dtype=np.uint16)
            cv2.imwrite(str(tmp_path / "data" / label / f"{number}.png"), picture)
    data = er.scan(tmp_path / "data", value_range=(0, 4095))
    recipe = er.Recipe(**{**tiny_recipe, "contrast": "none", "epochs": 1})
    er.train(data, recipe, tmp_path / "run")
    [shard] = (tmp_path / "run" / "store").rglob("*.npy")
    assert np.load(shard).max() > 60_000


COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
WRITTEN_OUT = (
    "compare-runs",
    "deidentify",
    "demo",
    "ensemble",
    "enhance",
    "export",
    "histogram",
    "labs",
    "predict",
    "share",
)  # functions without **settings
SERVERS = {"serve", "app"}  # programs that go on until they are stopped, and no functions
TERMINAL = {"json", "events", "lang"}  # what is printed, and in which language
PROGRAM = {"listener", "lang", "keep_masks"}  # what a command does for the function


@pytest.mark.parametrize("verb", WRITTEN_OUT)
def test_the_options_of_a_verb_are_the_parameters_of_its_function(verb: str) -> None:
    parameters = set(inspect.signature(getattr(er, verb.replace("-", "_"))).parameters)
    options = {option.name for option in COMMANDS[verb].params}
    if verb == "enhance":
        options -= {"every"}  # --all is a function of its own, gallery
    assert options - TERMINAL == parameters - PROGRAM


@pytest.mark.parametrize(
    "verb", sorted(set(COMMANDS) - set(WRITTEN_OUT) - SERVERS - {"weights"})
)  # tests/cli/test_weights.py has that
def test_every_option_of_a_stage_is_a_setting_or_a_parameter_of_its_function(verb: str) -> None:
    function = inspect.signature(getattr(er, verb))
    settings = (
        set(declared(Recipe)) | set(declared(Machine)) | set(declared(ReportSettings)) | set(declared(Table7Settings))
    )
    options = {option.name for option in COMMANDS[verb].params} - TERMINAL
    elsewhere = {
        "explain": set(inspect.signature(er.layers).parameters) | {"layers"},
        "table7": set(inspect.signature(er.imagenet).parameters) | {"imagenet"},
        "audit": {"fail_on"},  # an exit code
        "scan": {"dry_run"},  # the verb understand
    }
    assert options - settings - set(function.parameters) - set(SHORT) - elsewhere.get(verb, set()) <= {"target"}
    assert "settings" in function.parameters
