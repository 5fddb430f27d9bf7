"""What the plan tries to start from: by what it costs, at which size, and why something is not tried."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.annotations import OF_IMAGES, Task
from evenray.core.artefacts.weight import Weight
from evenray.core.facts import Facts
from evenray.core.recipe import Recipe
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Dataset
from evenray.learning.plan.budget import BUDGET
from evenray.learning.plan.starts import JUDGED, JUDGING, Start, tried


def weight(name: str, network: str, **changes: Any) -> Weight:
    about: dict[str, Any] = {
        "name": name, "network": network, "size": 224, "mean": (0.5,) * 3, "std": (0.25,) * 3, "licence": "CC0-1.0",
        "source": "drawn", "weights_file": f"{name}.pth", "sha256": "0" * 64, **changes,
    }  # fmt: skip
    return Weight(**about)


LITE, DEEP = weight("lite", "efficientnet_lite0(head=levels)"), weight("deep", "vgg16(head=levels)")
HERE = {"deep": DEEP, "lite": LITE}


def dataset(train: int, side: int, task: Task = "classify") -> Dataset:
    n = train + train // 4 + 50
    cases = pl.DataFrame({
        "label": ["sick" if i % 3 == 0 else "well" for i in range(n)],
        "part": ["train"] * train + ["validation"] * (train // 4) + ["test"] * 50,
        "rows": [side] * n, "columns": [side] * n, "channels": [1] * n,
    })  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".", facts=Facts(task=task))


def found(
    train: int, side: int, here: dict[str, Weight] = HERE, epochs: int = 10, task: Task = "classify", **asked: Any
) -> Any:
    recipe = Recipe(**asked)
    return tried(dataset(train, side, task), recipe, Start(None, "vgg11", 28), epochs, here, BUDGET[recipe.effort])


@settings(max_examples=25)
@given(
    st.integers(50, 20_000),
    st.sampled_from([28, 90, 100, 224, 1000]),
    st.sampled_from(["quick", "standard", "thorough"]),
)
def test_from_scratch_is_always_tried_and_every_start_is_accounted_for(train: int, side: int, effort: Any) -> None:
    made = found(train, side, effort=effort)
    assert made.starts[0].weights is None
    every = [*made.starts[1:], *(start for start, _ in made.left_out)]
    sizes = {64, 112} if side < 96 else {start.size for start in every}
    assert len(every) == 2 * 3 * (2 if side < 96 else 1)
    assert {start.size for start in every} == sizes
    assert all(64 <= start.size <= 224 for start in every)
    assert side < 96 or all(96 <= start.size <= side for start in every)
    for start, why in made.left_out:
        assert all(Texts(lang).message(why) != why.code for lang in LANGUAGES), start


def test_small_sets_try_more_than_large_ones_and_the_cheap_before_the_dear() -> None:
    small, large = found(200, 28), found(20_000, 224)
    assert len(small.starts) > len(large.starts)
    assert small.starts[1].told == "lite, frozen, 64"
    assert any(start.finetune.startswith("all") for start in small.starts)
    left = {start.told for start, _ in large.left_out}
    assert any("deep, all(decay=0.4)" in told for told in left)


def test_what_is_tried_costs_no_more_than_judging_may() -> None:
    """By hand, from the published cost of VGG-16: 15.5 units a step at 224, a third of it for a look."""
    made = found(2000, 112, {"deep": DEEP}, effort="thorough")
    spent = 0.0
    for start in made.starts[1:]:
        image = 15.5 * (start.size / 224) ** 2
        if start.finetune == "frozen":
            spent += 2500 * image / 3
        else:
            spent += 2 * min(2500, JUDGED["thorough"]) * 20 * image * (0.45 if "last" in start.finetune else 1)
    assert len(made.starts) > 1
    assert spent <= JUDGING * BUDGET["thorough"]


@pytest.mark.parametrize("task", OF_IMAGES)
def test_a_remedy_that_changes_images_leaves_the_frozen_trunk_out(task: Task) -> None:
    made = found(200, 28, balance=("none", "oversample_augmented"), task=task)
    assert not any(start.frozen for start in made.starts)
    [*reasons] = [why for start, why in made.left_out if start.frozen]
    assert "oversample_augmented changes images anew" in Texts("en").message(reasons[0])


def test_a_graph_is_taken_as_it_is() -> None:
    graph = weight("graph", "onnx(maps=8, side=7, graph=100)", multiply_adds=0.4)
    made = found(300, 28, {"graph": graph})
    assert [start.told for start in made.starts[1:]] == ["graph, frozen, 224"]


@pytest.mark.parametrize(("asked", "side"), [(96, 28), (64, 224)])
def test_the_size_asked_for_is_the_one_tried(asked: int, side: int) -> None:
    made = found(300, side, size=asked)
    assert {start.size for start in (*made.starts[1:], *(start for start, _ in made.left_out))} == {asked}


def test_a_start_is_the_recipe_that_asks_for_it() -> None:
    start = Start(LITE, LITE.network, 112, "all(decay=0.4)", 10)
    made = start.settings(Recipe(seed=3))
    assert (made.weights, made.network, made.size, made.finetune, made.epochs, made.seed) == (
        "lite", LITE.network, 112, "all(decay=0.4)", 10, 3,
    )  # fmt: skip
    assert start.settings(Recipe(epochs=2)).epochs == 2
    assert Start(None, "vgg11", 28).settings(Recipe()).weights is None
