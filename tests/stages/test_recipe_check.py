"""What is wrong with a recipe is told before anything is read or written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, EvenrayError, ReadError, UsageError
from evenray.core.recipe import Machine, Recipe
from evenray.learning.tasks.classify import Classify
from evenray.stages import line
from evenray.stages.recipe_check import check_recipe

from .conftest import Heard

Go = Callable[..., Heard]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"contrast": "claeh"}, "There is no contrast named 'claeh'; did you mean clahe?"),
    ({"contrast": ("none", "clahe(clip=-1)")}, "clip is -1"),
    ({"contrast": "local(gama(2))"}, "There is no contrast named 'gama'"),
    ({"contrast": "gamma(2"}, "cannot be read"),
    ({"contrast": "match(nowhere.json)"}, "nowhere.json"),
    ({"balance": "oversmaple"}, "There is no balance named 'oversmaple'"),
    ({"balance": "none | focal(gamma=-2)"}, "gamma is -2"),
    ({"network": "vgg12"}, "There is no network named 'vgg12'"),
    ({"network": "vgg16(width=0)"}, "width is 0"),
    ({"network": "vgg16 | vgg16"}, "chain of 2 steps"),
    ({"threshold": "yuden"}, "There is no threshold rule named 'yuden'; did you mean youden?"),
    ({"threshold": "sensitivity(95)"}, "least is 95"),
    ({"pretrained": "nowhere.pth", "network": "vgg11"}, "There is no weight file nowhere.pth"),
    ({"pretrained": "nowhere.pth"}, "name it, as with --network vgg16"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_wrong_names_and_values(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        check_recipe(Recipe(**change))


def test_a_usual_recipe_is_right() -> None:
    check_recipe(Recipe())
    check_recipe(
        Recipe(network="vgg16(head=classical)", contrast="percentile(1, 99) | gamma(0.8)", threshold="sensitivity(0.9)")
    )


def test_weights_that_do_not_fit_are_told_before_the_comparison(tmp_path: Path) -> None:
    from evenray.learning import networks

    model = networks.build("vgg11(width=0.05)", classes=2, channels=1, size=28)
    networks.save(model, tmp_path / "own.safetensors")
    asked = Recipe(pretrained=str(tmp_path / "own.safetensors"), network="vgg11(width=0.05)", size=28)
    check_recipe(asked)
    with pytest.raises(UsageError, match="does not fit this network"):
        check_recipe(asked.but(network="vgg13(width=0.05)"))
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "some.pth")
    with pytest.raises(UsageError, match="does not tell which preprocessing"):
        check_recipe(asked.but(pretrained=str(tmp_path / "some.pth")))
    (tmp_path / "some.pth").write_text("no weights")
    with pytest.raises(ReadError):
        check_recipe(asked.but(pretrained=str(tmp_path / "some.pth")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"balance": "weighted(sick=0.75, ill=0.25)"}, "The weights are for sick, ill, but the classes are sick, well"),
        ({"balance": ("none", "oversample | undersample")}, "both set the sampler"),
        ({"threshold": "cost(sick=5, ill=1)"}, "The costs are for sick, ill, but the classes are well, sick"),
    ],
)
def test_class_names_are_those_of_the_data(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Classify().check(Recipe(**change), ("sick", "well"), "sick")


def test_alpha_is_for_two_classes() -> None:
    Classify().check(Recipe(balance="weighted(0.75)"), ("sick", "well"), "sick")
    with pytest.raises(UsageError, match="which is for two classes, but there are 3"):
        Classify().check(Recipe(balance="weighted(0.75)"), ("a", "b", "c"), "a")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"threshold": "cost(a=500, b=1)"}, "cost(a=500, b=1)"),
        ({"threshold": "sensitivity(0.9)"}, "sensitivity(0.9)"),
        ({"balance": ("none", "threshold")}, "prevalence"),
        ({"balance": "oversample | threshold(rule='cost(a=5, b=1, c=1)')"}, "cost(a=5, b=1, c=1)"),
    ],
)
def test_a_threshold_that_was_asked_for_is_for_two_classes(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(
        UsageError, match=re.escape(f"two classes, but there are 3; the largest probability decides. Leave out {rule}.")
    ):
        Classify().check(Recipe(**change), ("a", "b", "c"), "a")
    Classify().check(Recipe(), ("a", "b", "c"), "a")  # the usual rule was not asked for


def test_one_class_is_left_to_who_needs_two() -> None:
    Classify().check(Recipe(), ("a",), "a")
    with pytest.raises(UsageError, match=r"A threshold is for two classes, but there are 1; .* Leave out accuracy"):
        Classify().check(Recipe(threshold="accuracy"), ("a",), "a")


def test_the_rule_of_a_remedy_names_the_classes_of_the_data() -> None:
    Classify().check(Recipe(balance="threshold"), ("sick", "well"), "sick")
    with pytest.raises(UsageError, match="The costs are for ill, well, but the classes are well, sick"):
        Classify().check(Recipe(balance="threshold(rule='cost(ill=5, well=1)')"), ("sick", "well"), "sick")


class TestNothingIsLeft:
    @pytest.mark.parametrize(
        "change",
        [
            {"contrast": "claeh"},
            {"positive": "ill"},
            {"balance": "weighted(sick=0.75, ill=0.25)"},
            {"labels": "no.csv"},
        ],
    )
    def test_a_mistake_leaves_the_former_recipe(
        self, copied: Path, go: Go, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        before = (copied / "recipe.json").read_bytes()
        data = _folders(tmp_path) if "labels" in change else None
        with pytest.raises(EvenrayError):
            go(copied, data=data, **change)
        assert (copied / "recipe.json").read_bytes() == before

    def test_a_mistake_in_a_new_run_leaves_nothing(self, tmp_path: Path, go: Go) -> None:
        for change in ({"contrast": "claeh"}, {"positive": "ill"}):
            with pytest.raises(UsageError):
                go(tmp_path / "run", **change)
            assert not (tmp_path / "run").exists()

    def test_data_that_cannot_be_used_leave_nothing(self, tmp_path: Path, go: Go) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "single" / "sick").mkdir(parents=True)
        (tmp_path / "single" / "sick" / "a.png").touch()
        for name in ("nowhere", "empty", "single"):
            with pytest.raises(DataError):
                go(tmp_path / "run", data=tmp_path / name)
            assert not (tmp_path / "run").exists()

    def test_a_class_too_small_is_told_after_the_scan_which_stands(self, tmp_path: Path, go: Go) -> None:
        with pytest.raises(
            DataError, match="Class 'sick' has 2 separate images; dividing it into test, validation, train"
        ):
            go(tmp_path / "run", data=_folders(tmp_path))
        assert json.loads((tmp_path / "run" / "recipe.json").read_text())["data"] == str(tmp_path / "data")
        assert (tmp_path / "run" / "cases.parquet").exists()


def test_a_wrong_device_is_told_before_the_scan(
    tmp_path: Path, tiny_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(asked: line.Job) -> None:
        raise AssertionError("scanned")

    monkeypatch.setattr(line, "_run_scan", never)
    asked = line.Job(RunFolder(tmp_path / "run"), str(tiny_archive), Recipe(), Machine(device="gpu"))
    with pytest.raises(UsageError, match="There is no device 'gpu'"):
        line.run(asked)
    assert not (tmp_path / "run").exists()


def _folders(tmp_path: Path) -> Path:
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for label, count in (("sick", 2), ("well", 4)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(
                str(tmp_path / "data" / label / f"{number}.png"), rng.integers(0, 255, (28, 28), dtype=np.uint8)
            )
    return tmp_path / "data"
