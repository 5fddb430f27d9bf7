"""Tasks: what an annotation is, one file each; everything that would assume "one label an image" asks the task instead.

classify.py       one class a case                       tag.py         several findings a case, each yes, no or unknown
segment.py     a class for every pixel                              pixels.py      losses of masks
task.py           what a task has to answer              question.py    one set of classes that exclude each other
sampling.py       remedies by the rarest finding         scores.py      what scores.json tells of a question
"""

from __future__ import annotations

from typing import Any, TypeVar

from evenray.core.annotations import OF_IMAGES
from evenray.core.errors import UsageError
from evenray.core.registry import Registry
from evenray.core.settings import Settings
from evenray.learning.networks import Classifier, build

from .task import OfImages, Remedy, Task

__all__ = ["OfImages", "Remedy", "Task", "fitted", "keeps_features", "network", "of_images", "task_of", "tasks"]

S = TypeVar("S", bound=Settings)

tasks = Registry(
    "task",
    {
        "classify": "evenray.learning.tasks.classify:Classify",
        "tag": "evenray.learning.tasks.tag:Tag",
        "segment": "evenray.learning.tasks.segment:Segment",
        "detect": "evenray.learning.tasks.detect:Detect",
    },
    context=0,
)


def task_of(name: str) -> Task:
    """The task of a name, as `Dataset.facts.task` has it.

    >>> task_of("tag").output
    'sigmoid'
    """
    found: Task = tasks[name]()
    return found


def fitted(settings: S, name: str) -> S:
    """Settings in which what the recipe leaves to the task is filled in: remedies, metric of the comparison, threshold rule,
    attribution.

    >>> from evenray.core.recipe import Recipe
    >>> found = fitted(Recipe(metric="auroc"), "classify")
    >>> found.balances, found.metric, found.threshold
    (('none', 'weighted', 'oversample'), 'auroc', 'youden')
    """
    task = task_of(name)
    usual = {"balance": task.usual.balance, "metric": task.compared[0], "threshold": task.usual.threshold,
             "attribution": task.usual.attribution}  # fmt: skip
    given = dict(settings)
    return settings.but(**{setting: value for setting, value in usual.items() if given.get(setting, 0) is None})


def keeps_features(frozen: bool, name: str) -> bool:
    """Whether the trunk is `frozen` and what it makes of images is kept, so that only heads are trained."""
    return frozen and task_of(name).keeps_features


def network(name: str, spec: str, classes: tuple[str, ...], **about: Any) -> Classifier:
    """`networks.build` of a network that answers what a task asks."""
    task = task_of(name)
    return build(spec, classes=task.outputs(classes), output=task.output, **about)


def of_images(name: str) -> OfImages:
    """A task whose labels are about whole images; UsageError for any other."""
    if name not in OF_IMAGES:
        raise UsageError(f"This is for labels of whole images ({', '.join(OF_IMAGES)}), and the task is {name}.")
    found: OfImages = tasks[name]()
    return found
