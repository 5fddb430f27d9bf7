"""Tasks: what an annotation is, one file each; everything that would assume "one label an image" asks the task instead.

classify.py       one class a case                       tag.py         several findings a case, each yes, no or unknown
task.py           what a task has to answer              question.py    one set of classes that exclude each other
sampling.py       remedies by the rarest finding         scores.py      what scores.json tells of a question
"""

from __future__ import annotations

from evenray.core.registry import Registry

from .task import Remedy, Task

__all__ = ["Remedy", "Task", "task_of", "tasks"]

tasks = Registry(
    "task",
    {"classify": "evenray.learning.tasks.classify:Classify", "tag": "evenray.learning.tasks.tag:Tag"},
    context=0,
)


def task_of(name: str) -> Task:
    """The task of a name, as `Dataset.facts.task` has it.

    >>> task_of("tag").output
    'sigmoid'
    """
    found: Task = tasks[name]()
    return found
