"""The plan: what the recipe leaves open follows from the data by fixed rules; what it says is kept."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.plan import BUDGET, COSTS, Plan, make


def dataset(train: int = 600, validation: int = 100, side: int = 224, channels: int = 1, sick: float = 0.25) -> Dataset:
    n = train + validation + 100
    every = max(2, round(1 / sick))
    cases = pl.DataFrame({
        "label": ["sick" if i % every == 0 else "well" for i in range(n)],
        "part": ["train"] * train + ["validation"] * validation + ["test"] * 100,
        "rows": [side] * n, "columns": [side // 2] * n, "channels": [channels] * n,
    })  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".")


def test_what_is_asked_for_is_kept() -> None:
    asked = {"network": "vgg13", "size": 96, "epochs": 7, "batch": 9, "learning_rate": 0.02, "folds": 4}
    plan = make(dataset(), Recipe(**asked))
    assert {name: getattr(plan, name) for name in asked} == asked
    assert all(plan.why[name] == "as asked" for name in asked)


@given(
    st.integers(20, 50_000), st.sampled_from([28, 64, 224, 1024]), st.sampled_from(["quick", "standard", "thorough"])
)
def test_every_setting_is_usable_and_has_its_reason(train: int, side: int, effort: Any) -> None:
    data = dataset(train, max(8, train // 6), side)
    plan = make(data, Recipe(effort=effort))
    assert set(plan.why) == {field.name for field in fields(Plan)} - {"why"}
    assert {choice["name"] for choice in plan.choices()} == set(plan.why)
    assert 28 <= plan.size <= max(28, min(side, 224))
    assert 28 <= plan.compare_size <= plan.size
    assert 1 <= plan.compare_epochs <= plan.epochs
    assert plan.compare_cases <= train + max(8, train // 6)
    assert plan.batch <= 64


def test_the_same_data_and_recipe_give_the_same_plan() -> None:
    assert make(dataset(), Recipe()) == make(dataset(), Recipe())


def test_more_effort_never_plans_less() -> None:
    plans = [make(dataset(3000), Recipe(effort=effort)) for effort in ("quick", "standard", "thorough")]
    assert [p.epochs for p in plans] == sorted(p.epochs for p in plans)
    assert [p.folds for p in plans] == sorted(p.folds for p in plans)
    assert [p.compare_cases for p in plans] == sorted(p.compare_cases for p in plans)


def test_a_gpu_affords_more() -> None:
    slow, fast = (make(dataset(3000), Recipe(), gpu=gpu) for gpu in (False, True))
    assert (fast.network, fast.size) == ("vgg16_bn", 224)
    assert slow.size < 224 or slow.network != "vgg16_bn"


@pytest.mark.parametrize(("channels", "planned"), [(1, 1), (3, 3)])
def test_colour_follows_the_images(channels: int, planned: int) -> None:
    assert make(dataset(channels=channels), Recipe()).channels == planned


def test_a_small_validation_part_chooses_no_epoch() -> None:
    assert make(dataset(validation=60), Recipe()).keep == "last"
    assert make(dataset(validation=200), Recipe()).keep == "best"


def test_trained_weights_are_learnt_from_gently() -> None:
    recipe = Recipe(network="vgg16", weights="some.pth")
    assert make(dataset(), recipe).learning_rate < make(dataset(), Recipe()).learning_rate


def test_one_epoch_stays_one_epoch_in_the_comparison() -> None:
    assert make(dataset(), Recipe(epochs=1)).compare_epochs == 1


def test_a_rare_class_makes_batches_larger_while_an_epoch_keeps_steps() -> None:
    assert make(dataset(6000, 1000, sick=0.25), Recipe()).batch == 64
    rare = make(dataset(6000, 1000, sick=1 / 150), Recipe())
    assert rare.batch == 256
    assert "1 in 150" in rare.why["batch"]
    assert make(dataset(1500, 1000, sick=1 / 150), Recipe()).batch <= 1500 // 16


def test_a_thinned_comparison_trains_as_many_steps_on_fewer_cases() -> None:
    """150 sick and 450 well: at 1:45 ten sick are left, 460 of 600 cases."""
    one = Recipe(effort="thorough", contrast="none", balance="none")
    whole, thinned = (make(dataset(side=28), one.but(imbalance=ratio)) for ratio in ((), "1:45"))
    assert whole.compare_epochs == 20
    assert thinned.compare_epochs == int(20 * 600 / 460)
    assert make(dataset(side=28), one.but(imbalance="own")).compare_epochs == whole.compare_epochs


def test_several_networks_are_compared_as_they_are_and_a_dear_one_by_a_narrow_one() -> None:
    several = make(dataset(), Recipe(network=("vgg16", "alexnet")))
    assert several.compare_networks == ("vgg16", "alexnet")
    assert make(dataset(), Recipe(network="vgg16")).compare_networks == ("vgg11_bn(width=0.25)",)
    assert make(dataset(), Recipe(network="vgg11(width=0.05)")).compare_networks == ("vgg11(width=0.05)",)


def test_large_grids_are_halved_unless_the_trunk_is_frozen() -> None:
    many = tuple(f"gamma(0.{i})" for i in range(1, 10))
    assert make(dataset(), Recipe(contrast=many)).search == "halving"
    assert make(dataset(), Recipe(contrast=many, search="grid")).search == "grid"
    assert make(dataset(), Recipe()).search == "grid"
    frozen = make(dataset(), Recipe(contrast=many, network="vgg16", weights="w", finetune="frozen", size=64))
    assert (frozen.search, frozen.compare_networks, frozen.compare_size) == ("grid", ("vgg16",), 64)


def test_few_images_get_an_average_of_networks_that_the_budget_covers() -> None:
    few, many = dataset(4700, 500, side=28), dataset(20_000, 2000, side=28)
    assert [make(few, Recipe(effort=effort)).members for effort in ("quick", "standard", "thorough")] == [1, 3, 5]
    assert make(many, Recipe()).members == make(few, Recipe(network="vgg16", weights="some.pth")).members == 1
    one, three = make(few, Recipe(choose={"members": 1})), make(few, Recipe())
    assert one.why["members"] == "as asked"
    assert one.epochs > three.epochs
    for plan in (one, three):
        looks = 4700 * plan.epochs * plan.members
        assert looks * COSTS[plan.network] * (28 / 224) ** 2 <= BUDGET["standard"]


def test_planning_with_a_network_of_ones_own_needs_no_compiler_of_torch() -> None:
    code = """
import sys
from test_plan import dataset
from evenray import networks
from evenray.core.recipe import Recipe
from evenray.plan import make
for name in ("vgg11(width=0.1)", "vgg11_lrn", "alexnet", "googlenet_bn", "overfeat_accurate"):
    make(dataset(), Recipe(network=name))
    networks.build(name, classes=2, channels=1, size=28)
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    folder = Path(__file__).parent  # whence `-c` imports
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout == "[]\n"
