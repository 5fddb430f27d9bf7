"""How a trained network of a task looks at images: whole or in windows, under its test-time augmentation."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from .box_windows import box_answers
from .networks import Classifier
from .tta import tta_logits
from .windows import map_logits

__all__ = ["look_of"]

Look = Callable[[Classifier, Tensor, str], Tensor]


def look_of(task: str) -> Look:
    """What makes outputs of a network, images and a view.

    >>> look_of("segment").__name__
    'map_logits'
    """
    own: dict[str, Look] = {"segment": map_logits, "detect": box_answers}
    return own.get(task, tta_logits)
