"""A stage is told by its types: a setting that is added to one is followed everywhere, and none can be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from evenray.cli._options import of_settings, signed
from evenray.core.artefacts import RunFolder, atomic
from evenray.core.errors import UsageError
from evenray.core.events import Events
from evenray.core.forms import parsed
from evenray.core.recipe import STAGES, Recipe, SeedSettings
from evenray.core.settings import Settings, declared, setting
from evenray.stages.line import Job, run_stage, stage_of
from evenray.stages.stage import Artefact, Stage, artefact, contents, stage
from evenray.stages.tools import Tools
from tools.document_options import row

from .conftest import Heard


def _write(folder: RunFolder, text: str) -> list[str]:
    with atomic(folder / "planted.txt") as path:
        path.write_text(text)
    return ["planted.txt"]


TEXT: Artefact[str] = Artefact(("planted",), lambda folder: (folder / "planted.txt").read_text(), _write)
GIVEN: Artefact[str] = Artefact((), lambda folder: (folder / "given.txt").read_text(), files=("given.txt",))


class PlantedSettings(SeedSettings):
    """Those of the planted stage."""

    gadgets: int = setting(3, "The number of gadgets.", ge=1)


class WiderRecipe(Recipe, PlantedSettings):
    """A recipe that knows the planted stage."""


@dataclass(frozen=True)
class PlantedInputs:
    text: str = artefact(GIVEN)


@dataclass(frozen=True)
class PlantedOutputs:
    text: str = artefact(TEXT)


def planted(inputs: PlantedInputs, settings: PlantedSettings, tools: Tools) -> PlantedOutputs:
    return PlantedOutputs(f"{inputs.text} {settings.gadgets}")


@pytest.fixture
def each(monkeypatch: pytest.MonkeyPatch) -> Stage:
    module = ModuleType("planted")
    module.planted = planted  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "planted", module)
    return stage("planted")


def test_what_a_stage_depends_on_is_read_from_its_types(each: Stage) -> None:
    assert (each.name, each.settings, each.after) == ("planted", PlantedSettings, ())
    assert stage_of("split").after == ("scan",)
    assert stage_of("evaluate").after == ("scan", "split", "plan", "compare", "nested", "train")


def test_an_added_setting_is_checked_offered_documented_and_counted(each: Stage, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gadgets is 0; give a whole number from 1 up"):
        WiderRecipe(gadgets=0)
    assert WiderRecipe.of({"gadgets": 5}).as_json()["gadgets"] == 5
    app = typer.Typer()
    seen: list[Any] = []
    app.command()(signed(lambda **options: seen.append(options["gadgets"]), of_settings(PlantedSettings)))
    app(["--gadgets", "4"], standalone_mode=False)
    assert seen == [4]
    assert parsed(declared(PlantedSettings)["gadgets"], 4) == 4
    assert row(declared(PlantedSettings)["gadgets"], {**STAGES, "planted": PlantedSettings}) == (
        "| `--gadgets` | The number of gadgets | 3 | planted |"
    )
    keys = {each.key(PlantedSettings(gadgets=n), contents()) for n in (3, 4, 5)}
    assert len(keys) == 3


def test_a_result_of_another_value_or_input_is_never_taken_for_fresh(each: Stage, tmp_path: Path) -> None:
    heard, folder = Heard(), RunFolder(tmp_path)
    (tmp_path / "given.txt").write_text("so many:")

    def work(gadgets: int) -> str:
        run_stage(Job(folder, "data", WiderRecipe(gadgets=gadgets), events=Events(heard)), each)
        return (tmp_path / "planted.txt").read_text()

    assert [work(3), work(3), work(4)] == ["so many: 3", "so many: 3", "so many: 4"]
    assert heard.done == ["planted", "planted"]
    (tmp_path / "given.txt").write_text("now:")
    assert work(4) == "now: 4"
    (tmp_path / "planted.txt").write_text("meddled with")
    assert work(4) == "now: 4"


def test_a_stage_sees_no_setting_that_it_does_not_declare(each: Stage) -> None:
    settings = each.settings.of(WiderRecipe())
    assert not hasattr(settings, "epochs")
    for name, kind in STAGES.items():
        assert stage_of(name).settings is kind
        assert set(kind.model_fields) <= set(Recipe.model_fields) | {"lang"}


def test_every_setting_of_a_recipe_is_of_a_stage() -> None:
    of_stages = {name for kind in STAGES.values() for name in kind.model_fields}
    assert set(Recipe.model_fields) - of_stages == {"allow"}  # which only stops a run


def test_a_function_of_another_form_is_no_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("odd")
    module.odd = lambda inputs: inputs  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "odd", module)
    with pytest.raises(UsageError, match=r"odd\.odd is no stage"):
        stage("odd")


def test_files_count_by_what_they_hold(tmp_path: Path) -> None:
    train, file = stage_of("train"), tmp_path / "a.safetensors"
    file.write_bytes(b"one")
    settings = [train.settings.of(Recipe(pretrained=str(path))) for path in (file, tmp_path / "b.safetensors")]
    (tmp_path / "b.safetensors").write_bytes(b"one")
    assert len({train.key(each, contents()) for each in settings}) == 1
    before = train.key(settings[0], contents())
    file.write_bytes(b"two")
    assert train.key(settings[0], contents()) != before


def test_settings_are_declared_with_a_text_and_a_panel() -> None:
    kinds: list[type[Settings]] = [Recipe, *STAGES.values()]
    for kind in kinds:
        for about in declared(kind).values():
            assert about.help.endswith((".", "back.", "is about it.")), about
            assert about.panel in ("The data", "The method", "The machine"), about
