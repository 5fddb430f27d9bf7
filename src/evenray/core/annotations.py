"""What the annotations of a data set are: of which task, and whether its classes are ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["OF_IMAGES", "Reading", "Task"]

# What an annotation is: one class a case, several findings, a mask of classes, or boxes with classes.
Task = Literal["classify", "tag", "segment", "detect"]

OF_IMAGES: tuple[Task, ...] = ("classify", "tag")  # whose labels are about whole images


@dataclass(frozen=True)
class Reading:
    """What a table's label columns were taken to mean.

    `classify` has one class a case, `tag` several findings, each yes, no or unknown; `ordered` says that the classes are
    grades, in the order of `Dataset.classes`. Masks (`segment`) and boxes (`detect`) come from files of their own.
    """

    task: Task
    ordered: bool = False
