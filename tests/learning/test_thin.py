"""Whether masks are learnt in patches: by how thick what they show is where whole images are made small."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.facts import Facts
from evenray.core.messages import Message
from evenray.core.recipe import Recipe
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Dataset
from evenray.learning.plan import make
from evenray.learning.plan.budget import BUDGET, COSTS
from evenray.learning.plan.thin import patch_of_masks, thickness


def drawn(root: Path, shape: tuple[int, int], width: int, radius: int = 0, n: int = 20) -> Dataset:
    """Images with lines of a width, or with discs of a radius."""
    rng = np.random.default_rng(0)
    for k in range(n):
        mask = np.zeros(shape, np.uint8)
        if radius:
            cv2.circle(mask, (shape[1] // 2, shape[0] // 2), radius, 255, -1)
        else:
            for at in range(20, shape[0] - 20, 60):
                mask[at : at + width] = 255
        for folder, pixels in (("images", rng.integers(0, 255, shape).astype(np.uint8)), ("masks", mask)):
            (root / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(root / folder / f"i{k}.png"), pixels)
    return er.split(er.scan(root), seed=1)


@pytest.mark.parametrize(("width", "radius"), [(3, 0), (8, 0), (0, 15), (0, 60)])
def test_thickness_is_the_width_of_lines_and_the_radius_of_discs(width: int, radius: int, tmp_path: Path) -> None:
    found = thickness(drawn(tmp_path, (200, 240), width, radius, n=10))
    assert found is not None
    assert found * 240 == pytest.approx(width or radius, rel=0.15, abs=0.3)


def test_thin_structures_are_learnt_in_patches_and_thick_ones_in_whole_images(tmp_path: Path) -> None:
    (tmp_path / "thin").mkdir()
    (tmp_path / "thick").mkdir()
    thin, thick = drawn(tmp_path / "thin", (560, 580), 4), drawn(tmp_path / "thick", (560, 580), 0, 120)
    plan = make(thin, Recipe(effort="quick"))
    assert plan.patch is not None
    assert plan.patch * 1.5 <= plan.size <= 580
    assert plan.patches > 1
    assert plan.compare_size >= 64
    whole = make(thick, Recipe(effort="quick"))
    assert (whole.patch, whole.patches, whole.size >= 112) == (None, 1, True)
    assert make(thin, Recipe(effort="quick", size=64)).patch is None  # what is asked for is kept
    for language in LANGUAGES:
        for name in ("patch", "size"):
            assert "{" not in Texts(language).message(plan.why[name])


def test_what_predictions_may_cost_bounds_the_images(tmp_path: Path) -> None:
    data, network = drawn(tmp_path, (560, 580), 2), "unet(vgg11_bn(width=0.25))"
    sides = [patch_of_masks(data, network, 64, budget, dict[str, Message]())[1] for budget in (4.0, 400.0, 4000.0)]
    assert sides == sorted(sides)
    assert (sides[0], sides[-1]) == (64, 580)


@pytest.mark.parametrize("images", [60, 400, 900, 3000, 8000])
@pytest.mark.parametrize("effort", ["quick", "standard"])
@pytest.mark.parametrize("width", [0.003, 0.01, 0.02])
def test_training_stays_within_the_budget_and_the_reasons_are_of_what_is_planned(
    images: int, effort: Literal["quick", "standard"], width: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many images each is seen in some epochs at the least, in patches as in whole."""
    monkeypatch.setattr("evenray.learning.plan.thin.thickness", lambda dataset: width)
    parts = ["train"] * images + ["validation"] * (images // 5) + ["test"] * (images // 5)
    cases = pl.DataFrame({
        "case": [f"c{n}" for n in range(len(parts))], "findings": [[True]] * len(parts), "part": parts,
        "rows": [1024] * len(parts), "columns": [1024] * len(parts), "channels": [1] * len(parts),
    })  # fmt: skip
    plan = make(Dataset(cases, ("vessel",), "", ".", facts=Facts(task="segment")), Recipe(effort=effort))
    views = images * plan.patches * plan.epochs * plan.members
    spent = views * COSTS[plan.network] * ((plan.patch or plan.size) / 224) ** 2
    # Epochs are rounded; where even the least there is costs more, that is said.
    assert spent <= BUDGET[effort] * 1.06 or plan.why["network"].code == "plan.network.smallest"
    assert ("patch" in plan.why) == (plan.patch is not None)
    assert (plan.why["size"].code == "plan.size.thin") == (plan.patch is not None)


def test_from_trained_weights_masks_are_learnt_as_fast_as_from_scratch(tmp_path: Path) -> None:
    masks = drawn(tmp_path, (96, 96), 0, 20)
    recipe = Recipe(network="unet(vgg16, batch_norm=True)", size=64, pretrained="some.pth")
    scratch, trained = make(masks, recipe.but(pretrained="none")), make(masks, recipe)
    assert trained.learning_rate == scratch.learning_rate
    assert trained.why["learning_rate"].code == "plan.learning_rate.masks"
    assert make(masks, recipe.but(learning_rate=1e-4)).learning_rate == 1e-4


def test_structures_stay_as_thick_in_the_comparison(tmp_path: Path) -> None:
    """Cells are compared by smaller patches of the same images, not by patches of smaller ones."""
    data = drawn(tmp_path, (560, 580), 2)
    width = thickness(data)
    assert width is not None
    plan = make(data, Recipe(contrast=("none", "clahe"), balance=("none", "weighted"), effort="standard"))
    assert plan.patch is not None
    assert plan.compare_size < plan.patch
    assert width * plan.compared == pytest.approx(width * plan.size)
    assert plan.compare_side == plan.compared
    for language in LANGUAGES:
        for name in ("compare_size", "compare_side"):
            assert "{" not in Texts(language).message(plan.why[name])


@pytest.mark.parametrize("images", [30, 300, 3000])
def test_predictions_of_a_comparison_bound_its_images(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenray.learning.plan.thin.thickness", lambda dataset: 0.003)
    parts = ["train"] * images + ["validation"] * (images // 5) + ["test"] * (images // 5)
    cases = pl.DataFrame({
        "case": [f"c{n}" for n in range(len(parts))], "findings": [[True]] * len(parts), "part": parts,
        "rows": [1024] * len(parts), "columns": [1024] * len(parts), "channels": [1] * len(parts),
    })  # fmt: skip
    recipe = Recipe(contrast=("none", "clahe", "linear"), balance=("none", "weighted", "focal"))
    plan = make(Dataset(cases, ("vessel",), "", ".", facts=Facts(task="segment")), recipe)
    assert plan.patch is not None
    looks = 9 * recipe.seeds * plan.compare_cases * 4  # windows that overlap by half
    spent = looks * COSTS[plan.compare_networks[0]] / 3 * (plan.compared / 224) ** 2
    least = plan.compare_size * plan.size / plan.patch
    assert spent <= 1.5 * 3 * BUDGET["standard"] or plan.compared <= round(least)
    assert least - 1 <= plan.compared <= plan.size
