"""The plan: what the recipe leaves open follows from the data by fixed rules; what it says is kept."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.artefacts.plan import ASKED, Fingerprint, Plan, Planned
from evenray.core.errors import UsageError
from evenray.core.facts import Facts
from evenray.core.recipe import Recipe
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Dataset
from evenray.learning.plan import expected, make
from evenray.learning.plan.budget import BUDGET, COSTS, SPEED
from evenray.learning.train import batches_an_epoch


def dataset(train: int = 600, validation: int = 100, side: int = 224, channels: int = 1, sick: float = 0.25) -> Dataset:
    n = train + validation + 100
    every = max(2, round(1 / sick))
    cases = pl.DataFrame({
        "label": ["sick" if i % every == 0 else "well" for i in range(n)],
        "part": ["train"] * train + ["validation"] * validation + ["test"] * 100,
        "rows": [side] * n, "columns": [side // 2] * n, "channels": [channels] * n,
    })  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".")


def why(plan: Plan, name: str) -> str:
    """The reason of a choice, as an English reader is told it."""
    return Texts("en").message(plan.why[name])


def test_what_is_asked_for_is_kept() -> None:
    asked = {"network": "vgg13(head=average)", "size": 96, "epochs": 7, "batch": 9, "learning_rate": 0.02, "folds": 4}
    plan = make(dataset(), Recipe(**asked))
    assert {name: getattr(plan, name) for name in asked} == asked
    assert all(plan.why[name] == ASKED for name in asked)


@given(
    st.integers(20, 50_000), st.sampled_from([28, 64, 224, 1024]), st.sampled_from(["quick", "standard", "thorough"])
)
def test_every_setting_is_usable_and_has_its_reason(train: int, side: int, effort: Any) -> None:
    data = dataset(train, max(8, train // 6), side)
    plan = make(data, Recipe(effort=effort))
    of_places = {"patch", "patches", "compare_side"}  # of masks and boxes, where they are planned
    of_averages = {"beside", "beside_size", "input_size"}  # of trained weights, where cross-validation says so
    assert set(plan.why) == {field.name for field in fields(Plan)} - {"why"} - of_places - of_averages
    assert {choice.name for choice in plan.choices} == set(plan.why)
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
    assert (fast.network, fast.size) == ("vgg16_bn(head=average)", 224)
    assert slow.size < 224 or slow.network != "vgg16_bn(head=average)"


@pytest.mark.parametrize(("channels", "planned"), [(1, 1), (3, 3)])
def test_colour_follows_the_images(channels: int, planned: int) -> None:
    assert make(dataset(channels=channels), Recipe()).channels == planned


def test_a_small_validation_part_chooses_no_epoch() -> None:
    assert make(dataset(validation=60), Recipe()).keep == "last"
    assert make(dataset(validation=200), Recipe()).keep == "best"


def test_trained_weights_are_learnt_from_gently() -> None:
    recipe = Recipe(network="vgg16(head=average)", pretrained="some.pth")
    assert make(dataset(), recipe).learning_rate < make(dataset(), Recipe()).learning_rate


def test_one_epoch_stays_one_epoch_in_the_comparison() -> None:
    assert make(dataset(), Recipe(epochs=1)).compare_epochs == 1


def test_a_rare_class_makes_batches_larger_while_an_epoch_keeps_steps() -> None:
    assert make(dataset(6000, 1000, sick=0.25), Recipe()).batch == 64
    rare = make(dataset(6000, 1000, sick=1 / 150), Recipe())
    assert rare.batch == 256
    assert "1 in 150" in why(rare, "batch")
    assert make(dataset(1500, 1000, sick=1 / 150), Recipe()).batch <= 1500 // 16


def test_a_thinned_comparison_trains_as_many_steps_on_fewer_cases() -> None:
    """150 sick and 450 well: at 1:45 ten sick are left, 460 of 600 cases."""
    one = Recipe(effort="thorough", contrast="none", balance="none")
    whole, thinned = (make(dataset(side=28), one.but(imbalance=ratio)) for ratio in ((), "1:45"))
    assert whole.compare_epochs == 20
    assert thinned.compare_epochs == int(20 * 600 / 460)
    assert make(dataset(side=28), one.but(imbalance="own")).compare_epochs == whole.compare_epochs


def test_several_networks_are_compared_as_they_are_and_a_dear_one_by_a_narrow_one() -> None:
    several = make(dataset(), Recipe(network=("vgg16(head=average)", "alexnet")))
    assert several.compare_networks == ("vgg16(head=average)", "alexnet")
    assert make(dataset(), Recipe(network="vgg16(head=average)")).compare_networks == (
        "vgg11_bn(head=average, width=0.25)",
    )
    assert make(dataset(), Recipe(network="vgg11(head=average, width=0.05)")).compare_networks == (
        "vgg11(head=average, width=0.05)",
    )


def test_large_grids_are_halved_unless_the_trunk_is_frozen() -> None:
    many = tuple(f"gamma(0.{i})" for i in range(1, 10))
    assert make(dataset(), Recipe(contrast=many)).search == "halving"
    assert make(dataset(), Recipe(contrast=many, search="grid")).search == "grid"
    assert make(dataset(), Recipe()).search == "grid"
    frozen = make(
        dataset(), Recipe(contrast=many, network="vgg16(head=average)", pretrained="w", finetune="frozen", size=64)
    )
    assert (frozen.search, frozen.compare_networks, frozen.compare_size) == ("grid", ("vgg16(head=average)",), 64)


def test_few_images_get_an_average_of_networks_that_the_budget_covers() -> None:
    few, many = dataset(4700, 500, side=28), dataset(20_000, 2000, side=28)
    assert [make(few, Recipe(effort=effort)).members for effort in ("quick", "standard", "thorough")] == [1, 3, 5]
    assert (
        make(many, Recipe()).members
        == make(few, Recipe(network="vgg16(head=average)", pretrained="some.pth")).members
        == 1
    )
    one, three = make(few, Recipe(choose={"members": 1})), make(few, Recipe())
    assert why(one, "members") == "as asked"
    assert one.epochs > three.epochs
    for plan in (one, three):
        images = 4700 * plan.epochs * plan.members
        assert images * COSTS[plan.network] * (28 / 224) ** 2 <= BUDGET["standard"]


def test_several_networks_are_planned_only_where_the_budget_covers_them_at_a_fair_size() -> None:
    few, more, most = (make(dataset(n, 500), Recipe()) for n in (600, 4400, 9000))
    assert (few.members, more.members, most.members) == (3, 2, 1)
    assert min(few.size, more.size, most.size) >= 48
    assert "as many as the budget covers" in why(more, "members")
    assert "one at a larger size does better" in why(most, "members")
    small = make(dataset(4400, 500, side=28), Recipe())
    assert (small.members, small.size) == (3, 28)  # there is no larger size
    dear = make(dataset(4400, 500), Recipe(network="vgg16_bn(head=average)", size=224))
    assert (dear.members, why(dear, "members")) == (1, "the budget covers no more than one network at 224 pixels")
    assert make(dataset(4400, 500), Recipe(choose={"members": 3})).members == 3


@pytest.mark.parametrize("train", [60_000, 100_000])
def test_where_the_budget_covers_nothing_the_plan_says_what_the_least_takes(train: int) -> None:
    plan = make(dataset(train, 1000), Recipe())
    assert (plan.network, plan.size) == ("vgg11_bn(head=average, width=0.5)", 28)
    images = train * plan.epochs
    cost = images * COSTS[plan.network] * (28 / 224) ** 2
    assert cost > BUDGET["standard"]
    told = (
        f"{images} images of 28 pixels, over all epochs, take about {cost / SPEED / 60:.0f} minutes, more than the 9.2"
    )
    told += " that 'standard' allows"
    assert why(plan, "network") == f"the smallest of 3 candidates; {told}"
    assert (
        why(plan, "size")
        == f"the longer side of the images is 224 pixels (median); {told}, and no smaller size is planned"
    )


def test_a_network_that_is_asked_for_is_told_as_it_is_reckoned() -> None:
    dear, cheap = (make(dataset(n, 500), Recipe(network="vgg19(head=average)", effort="quick")) for n in (5000, 100))
    assert why(dear, "size").endswith(
        "30000 images of 28 pixels, over all epochs, take about 6.1 minutes (estimated as for vgg16_bn), more than the 1.7"
        " that 'quick' allows, and no smaller size is planned"
    )
    images = 100 * cheap.epochs
    assert images * COSTS["vgg16_bn(head=average)"] * (cheap.size / 224) ** 2 <= BUDGET["quick"]
    assert why(cheap, "size").endswith(
        f"{images} images of {cheap.size} pixels, over all epochs, fit the budget of 'quick' (estimated as for vgg16_bn)"
    )


def test_of_several_networks_the_dearest_is_told() -> None:
    """vgg11_bn(head=average, width=0.5) alone would fit; whichever the comparison chooses is trained."""
    plan = make(
        dataset(5000, 500), Recipe(network=("vgg16_bn(head=average)", "vgg11_bn(head=average, width=0.5)"), size=112)
    )
    assert why(plan, "size") == "as asked"
    plan = make(
        dataset(20_000, 500, side=28), Recipe(network=("vgg16_bn(head=average)", "vgg11_bn(head=average, width=0.5)"))
    )
    assert "take about 24 minutes, more than" in why(plan, "size")
    assert "no smaller size" not in why(plan, "size")


def test_the_candidates_are_compared_at_the_size_that_is_said() -> None:
    assert why(make(dataset(), Recipe()), "network").endswith("the budget covers at 56 pixels or more")
    assert why(make(dataset(100), Recipe()), "network").endswith("the budget covers at 64 pixels or more")
    one = make(dataset(100), Recipe(size=112, choose={"members": 1}))
    assert why(one, "network").endswith("the budget covers at 112 pixels")
    assert why(make(dataset(100_000), Recipe(size=224)), "network").startswith(
        "the smallest of 3 candidates; 600000 images"
    )


@pytest.mark.parametrize(
    ("train", "effort", "bound"), [(100_000, "standard", "no fewer than 6"), (5000, "quick", "no fewer than 6"),
                                   (100, "standard", "no more than 60"), (7500, "standard", "no fewer than 6")],
)  # fmt: skip
def test_bounded_epochs_are_told_with_the_steps_that_are_taken(train: int, effort: Any, bound: str) -> None:
    plan = make(dataset(train, 500), Recipe(effort=effort))
    steps = plan.epochs * batches_an_epoch(train, plan.batch)
    assert why(plan, "epochs").startswith(f"{steps} steps of {plan.batch} images, where '{effort}' is for about ")
    assert f"{bound} epochs are planned" in why(plan, "epochs")


@given(st.integers(160, 9000), st.sampled_from(["quick", "standard", "thorough"]))
def test_about_so_many_steps_are_about_so_many(train: int, effort: Any) -> None:
    plan = make(dataset(train, 100, side=28), Recipe(effort=effort))
    if why(plan, "epochs").startswith("about "):
        said = int(why(plan, "epochs").split()[1])
        assert plan.epochs * batches_an_epoch(train, plan.batch) == pytest.approx(said, rel=0.1)
    alone = make(dataset(train, 100, side=28), Recipe(effort=effort, choose={"members": 1}))
    assert ("fewer than one network alone" in why(plan, "epochs")) == (plan.epochs < alone.epochs)


@pytest.mark.parametrize(("epochs", "patience"), [(1, 5), (6, 5), (7, 5), (8, 5), (20, 10), (21, 11)])
def test_patience_says_how_many_of_how_many_epochs(epochs: int, patience: int) -> None:
    plan = make(dataset(validation=200), Recipe(epochs=epochs))
    assert plan.patience == patience
    # The first epoch is always the best so far, so one more than the patience is never cut short.
    said = f"when {patience} of {epochs} epochs" if epochs > patience + 1 else "cannot happen within 6 epochs"
    assert said in why(plan, "patience")


@pytest.mark.parametrize(
    ("train", "network", "share"),
    [
        (100_000, None, "32% of what it costs vgg11_bn(head=average, width=0.5)"),
        (200, "vgg16_bn(head=average)", "5% of"),
        (100, None, "16% of what it costs vgg16_bn(head=average, width=0.5)"),
        (600, "vgg19(head=average)", "4% of"),
        (600, "vgg16(head=average)", "5% of what it costs vgg16"),
    ],
)  # fmt: skip
def test_the_stand_in_is_told_beside_the_planned_network(train: int, network: str | None, share: str) -> None:
    plan = make(dataset(train, 500), Recipe(network=network))
    assert plan.compare_networks == ("vgg11_bn(head=average, width=0.25)",)
    assert f"an image costs it about {share}" in why(plan, "compare_networks")


def test_where_nothing_is_compared_the_plan_says_so() -> None:
    one = Recipe(contrast="none", balance="none")
    plan = make(dataset(), one)
    named = {name for name in plan.why if why(plan, name).endswith("nothing is compared")}
    assert named == {"folds", "search", "compare_networks", "compare_size", "compare_epochs", "compare_cases"}
    thinned = make(dataset(), one.but(imbalance=("own", "1:10")))
    assert why(thinned, "search") == "one combination, trained to the end at each imbalance"
    assert why(thinned, "compare_epochs").startswith("the most that are planned: 3 folds cost less than one and a half")


def test_bounded_epochs_of_a_comparison_are_told() -> None:
    asked = (Recipe(effort="thorough", seeds=4), Recipe(effort="quick"))
    many, few = (make(dataset(5000, 500, side=28), recipe) for recipe in asked)
    dear = make(dataset(5000, 500), Recipe(network=("vgg19(head=average)", "vgg16(head=average)")))
    assert (dear.compare_epochs, why(dear, "compare_epochs")[:28]) == (6, "the fewest that are planned:")
    assert few.compare_epochs == few.epochs
    assert why(few, "compare_epochs").startswith(
        "the most that are planned: 9 combinations in 2 folds cost less than one and a half"
    )
    assert why(many, "compare_epochs").startswith("9 combinations in 5 folds share one and a half")


def test_how_many_cases_are_compared_is_how_many_are_taken() -> None:
    reasons = [why(make(dataset(n, 500), Recipe()), "compare_cases") for n in (600, 3000, 9000)]
    assert reasons[0] == "all of the training and validation parts"
    assert reasons[1] == "more than half of the training and validation parts: all 3500 are taken"
    assert reasons[2].endswith("in the same class ratio")


def test_the_network_of_the_comparison_may_be_chosen_where_it_is_one() -> None:
    plan = make(dataset(5000, 500), Recipe(choose={"compare_networks": "vgg11_bn(head=average, width=0.5)"}))
    assert (plan.compare_networks, why(plan, "compare_networks")) == (
        ("vgg11_bn(head=average, width=0.5)",),
        "as asked",
    )
    assert plan.compare_epochs < make(dataset(5000, 500), Recipe()).compare_epochs
    with pytest.raises(UsageError, match="several networks are compared as they are"):
        Recipe(
            network=("vgg16(head=average)", "vgg19(head=average)"), choose={"compare_networks": "vgg11(head=average)"}
        )
    with pytest.raises(UsageError, match="a frozen trunk is compared as it is"):
        Recipe(
            network="vgg16(head=average)",
            pretrained="w",
            finetune="frozen",
            choose={"compare_networks": "vgg11(head=average)"},
        )
    with pytest.raises(UsageError, match="compare_networks is 3; give one network"):
        Recipe(choose={"compare_networks": 3})


@given(
    st.integers(20, 120_000), st.sampled_from([28, 224]), st.sampled_from(["quick", "standard", "thorough"]),
    st.sampled_from([None, "vgg19(head=average)", ("vgg16(head=average)", "alexnet")]), st.sampled_from([None, 1, 8]), st.booleans(),
)  # fmt: skip
def test_every_reason_has_a_text_in_each_language(
    train: int, side: int, effort: Any, network: Any, epochs: int | None, alone: bool
) -> None:
    one = {"contrast": "none", "balance": "none"} if alone else {}
    plan = make(dataset(train, 500, side), Recipe(effort=effort, network=network, epochs=epochs, **one))
    for language in LANGUAGES:
        told = {name: Texts(language).message(reason) for name, reason in plan.why.items()}
        assert not [text for text in told.values() if re.match(r"plan\.", text) or "{" in text]
    assert all(re.search("[가-힣]", text) for text in told.values())
    about = Fingerprint(cases={"train": train}, classes={}, imbalance=3.0, side=side, colour=0.0, bits=None)
    planned = Planned(fingerprint=about, contrasts=("none",), choices=plan.choices)
    assert Planned.parsed(planned.text(), Path("plan.json")).plan == plan


def test_a_comparison_goes_to_smaller_images_before_it_has_few_epochs() -> None:
    dear, cheap = make(dataset(4400, 500), Recipe()), make(dataset(600), Recipe(contrast=("none", "equalize")))
    assert (dear.size, cheap.compare_size) == (48, 48)
    assert dear.compare_size < 48
    assert dear.compare_epochs >= 6
    assert why(dear, "compare_size").startswith("many small images tell more")
    asked = make(dataset(4400, 500), Recipe(choose={"compare_size": 48}))
    assert (asked.compare_size, asked.compare_epochs) == (
        48,
        6,
    )  # what the budget covers of the size that was asked for


def test_the_precision_to_expect_is_that_of_the_patients_of_the_rarest_class() -> None:
    """Ten images of one patient count once; of several findings the one that fewest have is told of."""
    labels = ["sick"] * 30 + ["well"] * 40
    patients = [f"s{i // 10}" for i in range(30)] + [f"w{i}" for i in range(40)]
    table = pl.DataFrame(
        {"case": [str(i) for i in range(70)], "label": labels, "patient": patients, "part": ["test"] * 70}
    )
    told = expected(Dataset(table, ("sick", "well"), "sick", "."))
    assert told is not None
    assert {name: told.values[name] for name in ("name", "positives", "negatives")} == {
        "name": "sick", "positives": 3, "negatives": 40,
    }  # fmt: skip
    assert told.values["auroc_low"] < told.values["auroc"] < told.values["auroc_high"]
    alone = pl.DataFrame({"case": ["a"], "label": ["well"], "patient": ["p"], "part": ["test"]})
    assert expected(Dataset(alone, ("sick", "well"), "sick", ".")) is None


def test_of_masks_and_boxes_no_auroc_is_expected() -> None:
    table = pl.DataFrame({
        "case": ["a", "b"], "findings": [[True], [False]], "patient": ["p", "q"], "part": ["test"] * 2,
    })  # fmt: skip
    tagged = Dataset(table, ("lesion",), "", ".", facts=Facts(task="tag"))
    assert expected(tagged) is not None
    for task in ("segment", "detect"):
        assert expected(replace(tagged, facts=Facts(task=task))) is None


@pytest.mark.parametrize(("native", "pixels"), [(420, 6.0), (2000, 8.0)])
def test_the_size_of_boxes_is_told_as_it_is_in_the_images_that_are_planned(native: int, pixels: float) -> None:
    box = {"index": 0, "x0": 10.0, "y0": 10.0, "x1": 10 + pixels, "y1": 10 + pixels, "ignored": False}
    n = 300
    cases = pl.DataFrame({
        "findings": [[True]] * n, "part": ["train"] * 200 + ["validation"] * 50 + ["test"] * 50, "boxes": [[box]] * n,
        "rows": [native] * n, "columns": [native] * n, "channels": [1] * n, "case": [f"c{i}" for i in range(n)],
    })  # fmt: skip
    plan = make(Dataset(cases, ("cell",), "", ".", facts=Facts(task="detect")), Recipe(effort="quick"))
    assert plan.patch is not None
    told = re.search(r"smaller than ([\d.]+) pixels in images of this side", why(plan, "size"))
    assert told
    assert float(told[1]) == pytest.approx(pixels * plan.size / native, abs=0.06)
    assert plan.compared <= plan.size
