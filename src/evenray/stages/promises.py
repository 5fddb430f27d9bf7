"""The stop where a rule for the threshold promises what a validation part has too few patients for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events
from evenray.core.recipe import Recipe, SplitSettings
from evenray.core.spec import Step
from evenray.core.tags import ABSENT, PRESENT
from evenray.core.types import Dataset, Predictions
from evenray.data.design import outer_folds
from evenray.data.exclusions import check_exclusions, without
from evenray.data.split import near_groups_of
from evenray.learning.tasks import task_of
from evenray.learning.tasks.classify import check_remedies
from evenray.metrics import choose_threshold

from .artefacts import CASES, DESIGN, EXCLUSIONS_ASKED, SPLIT_CASES

__all__ = ["stop_where_unkept"]

POSITIVE = {"sensitivity": True, "specificity": False}  # the class whose patients a rule needs


def stop_where_unkept(folder: RunFolder, recipe: Recipe, events: Events) -> None:
    """Before anything is trained: UsageError where a rule cannot be kept on the validation part, or on that of an outer fold, each
    of which chooses its own threshold. Single findings of which that is so are told."""
    dataset = SPLIT_CASES.read(folder)
    if dataset.facts.task not in OF_IMAGES or (dataset.facts.task == "classify" and len(dataset.classes) > 2):
        return
    rules = [rule for rule in _asked(recipe, dataset) if Step.of(rule).name in POSITIVE]
    parts = [_questions(each) for each in _validations(folder, recipe, dataset)] if rules else []
    for rule in rules:
        whys, fewest = dict[str, str](), dict[str, int]()
        for name in parts[0]:
            known = [part[name] for part in parts if len(np.unique(part[name].targets)) == 2]
            if not known:  # where all are of one kind it looks at no case
                continue
            smallest = min(known, key=lambda own: _patients(own, rule))
            fewest[name] = _patients(smallest, rule)
            try:
                choose_threshold(smallest, rule)
            except DataError as error:
                whys[name] = str(error)
        if whys and len(whys) == len(fewest):
            best = max(fewest, key=fewest.__getitem__)
            raise UsageError(_told(whys[best], best, folds=len(parts) - 1))
        if whys:
            events.tell("threshold.refused", "warning", rule=rule, names=list(whys))


def _asked(recipe: Recipe, dataset: Dataset) -> list[str]:
    """The rule asked for, or those that come with a remedy."""
    if recipe.threshold is not None:
        return [recipe.threshold]
    of_two = (dataset.classes, dataset.positive) if dataset.facts.task == "classify" else ((ABSENT, PRESENT), PRESENT)
    return list(dict.fromkeys(check_remedies(recipe, *of_two)))


def _validations(folder: RunFolder, recipe: Recipe, dataset: Dataset) -> Iterator[Dataset]:
    """The cases that thresholds are chosen on: the validation part, and those of the outer folds."""
    yield dataset.part("validation")
    design, scanned = DESIGN.read(folder), CASES.read(folder)
    if design.nested:
        known = without(scanned, check_exclusions(scanned, EXCLUSIONS_ASKED.read(folder)))
        for each in outer_folds(dataset, design, SplitSettings.of(recipe), near_groups_of(known)):
            yield each.dataset.part("validation")


def _questions(part: Dataset) -> dict[str, Predictions]:
    """What is to be called in a part, of findings each by its name: all cases alike, for nothing is known of them yet."""
    alike = np.full((len(part), len(part.classes)), 0.5)
    told = task_of(part.facts.task).predictions(part, alike, alike)
    return {name: told.finding(name) for name in part.classes} if told.task == "tag" else {"": told}


def _patients(own: Predictions, rule: str) -> int:
    """How many patients have the class that a rule makes its promise of."""
    of = (own.targets == own.positive_index) == POSITIVE[Step.of(rule).name]
    return len(np.unique(own.patients[of]))


def _told(why: str, name: str, *, folds: int) -> str:
    least = f" That is so of every finding, '{name}' having the most." if name else ""
    each = f" Each of the {folds} outer folds chooses a threshold of its own; told is the one with the fewest."
    return f"{why}{least}{each if folds else ''} Nothing was trained."
