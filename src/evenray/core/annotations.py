"""What the labels of a data set are: of which task, and whether the classes are ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["OF_IMAGES", "Reading", "Task"]

Task = Literal["classify", "tag"]  # what a label is: one class a case, or several findings

OF_IMAGES: tuple[Task, ...] = ("classify", "tag")  # whose labels are about whole images


@dataclass(frozen=True)
class Reading:
    """What a table's label columns were taken to mean.

    `classify` has one class a case, `tag` several findings, each yes, no or unknown; `ordered` says that the classes are
    grades, in the order of `Dataset.classes`.
    """

    task: Task
    ordered: bool = False
