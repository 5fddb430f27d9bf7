"""Weights of classifiers that are named without a network: each task takes the network that it has for them, or refuses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from evenray.core.artefacts import RunFolder
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.core.texts import LANGUAGES, Texts
from evenray.learning import networks
from evenray.learning.networks.importing import import_weights
from evenray.learning.tasks import task_of
from evenray.stages.line import Job, run
from evenray.stages.recipe_check import check_recipe

from . import test_detect, test_segment

OPEN: dict[str, Any] = {
    "size": 48,
    "epochs": 1,
    "contrast": "none",
    "balance": "none",
    "seeds": 1,
    "batch": 6,
    "design": "split",
}


@pytest.fixture
def at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with weights of three classifiers and of a network of masks, named as their specs begin."""
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    for spec in (
        "vgg11_bn(head=levels, width=0.05)", "vgg11(head=average, dropout=0.1, width=0.05)", "alexnet(head=levels, width=0.05)",
        "unet('vgg11(width=0.05)')",
    ):  # fmt: skip
        file, name = tmp_path / "w.safetensors", spec.partition("(")[0]
        save_file(networks.build(spec, classes=2, channels=3, size=64, seed=3).state(), file)
        import_weights(file, name=name, network=spec, size=64, mean=[0.5] * 3, std=[0.25] * 3, licence="CC0-1.0")
    return tmp_path


@pytest.mark.parametrize(
    ("task", "name", "spec"),
    [
        ("segment", "vgg11_bn", "unet(vgg11_bn(width=0.05))"),
        ("segment", "vgg11", "unet(vgg11(width=0.05), batch_norm=True)"),
        ("segment", "unet", "unet('vgg11(width=0.05)')"),
        ("detect", "vgg11_bn", "ssd(vgg11_bn(width=0.05))"),
    ],
)
def test_masks_and_boxes_are_learnt_on_the_convolutions_of_a_classifier(
    task: str, name: str, spec: str, at_hand: Path
) -> None:
    data, folder = at_hand / "data", at_hand / "run"
    data.mkdir()
    if task == "segment":
        test_segment.draw(data, patients=12)
    else:
        test_detect.draw(data, images=24)
    recipe = Recipe(task=task, pretrained=name, finetune="frozen", **OPEN)  # type: ignore[arg-type]
    run(Job(RunFolder(folder), str(data), recipe), "train")
    planned = Run(folder).planned
    assert planned is not None
    assert planned.plan.network == spec
    why = next(choice.reason for choice in planned.choices if choice.name == "network")
    for language in LANGUAGES:
        assert name in Texts(language).message(why)
    assert ((task, name != "unet") == ("segment", True)) == ("U-Net" in Texts("en").message(why))
    model = networks.load(folder / "model.safetensors")
    assert model.description.spec == spec
    trained, begun = model.state(), networks.build(
        spec, classes=model.description.classes, channels=1, size=48, pretrained=name
    ).state()  # fmt: skip
    kept = [key for key in begun if key.startswith("features.") and key.endswith(("weight", "bias"))]
    assert all(torch.equal(trained[key], begun[key]) for key in kept)
    assert any(not torch.equal(trained[key], begun[key]) for key in begun if key not in kept)


@pytest.mark.parametrize(
    ("task", "name", "said"),
    [
        ("segment", "alexnet", "alexnet.*is no trunk for masks: .* give a VGG"),
        ("detect", "alexnet", "alexnet.*is no trunk for boxes: .* give a VGG"),
        ("detect", "unet", "unet.*is no trunk for boxes; take others"),
        ("classify", "unet", "unet.*is no trunk for labels of whole images; take others"),
    ],
)
def test_weights_that_a_task_has_no_network_for_are_refused(task: str, name: str, said: str, at_hand: Path) -> None:
    """Before any image is read where the recipe says the task, else once the data have told it."""
    with pytest.raises(UsageError, match=said):
        check_recipe(Recipe(task=task, pretrained=name))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=said):
        task_of(task).check(Recipe(pretrained=name), ("a", "b"), "b")


@pytest.mark.parametrize(
    ("task", "spec", "give"),
    [
        ("segment", "vgg11_bn", r"have masks; give unet\(vgg11_bn\) or fcn8s\(vgg11_bn\)"),
        ("segment", "ssd(vgg11_bn)", r"have masks; give unet\(vgg11_bn\)"),
        ("detect", "vgg11_bn", r"have boxes; give ssd\(vgg11_bn\)"),
        ("classify", "unet(vgg11_bn)", "have labels; give vgg11_bn"),
        ("tag", "ssd(vgg11_bn)", "have labels; give vgg11_bn"),
    ],
)
def test_networks_of_other_tasks_are_refused_in_the_comparison_too(task: str, spec: str, give: str) -> None:
    for asked in ({"network": spec}, {"choose": {"compare_networks": spec}}):
        with pytest.raises(UsageError, match=give):
            task_of(task).check(Recipe(**asked), ("a", "b"), "b")  # type: ignore[arg-type]
