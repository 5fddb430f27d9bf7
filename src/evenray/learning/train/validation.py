"""Outputs of examples without learning from them, and the metrics of the validation part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.learning.networks import Classifier
from evenray.learning.tasks import task_of

from .alone import Machine
from .part import Examples

__all__ = ["forward", "outputs", "validate"]


def forward(
    model: Classifier, part: Examples, batch: int, fabric: Machine, tick: Callable[[], None] = lambda: None,
    *, tta: str = "centre",
) -> NDArray[Any]:  # fmt: skip
    """What `part` keeps of the outputs of every example under a test-time augmentation, in order: logits, float64 (n, K), where
    a case has a label or findings.

    Of several processes each computes every n-th batch, and all get all.
    """
    found: dict[int, NDArray[Any]] = {}
    for number, which, logits in outputs(model, part, batch, fabric, tta=tta):
        found[number] = part.told(which, logits)
        tick()
    if fabric.world_size > 1:
        gathered: list[dict[int, NDArray[Any]]] = [{} for _ in range(fabric.world_size)]
        torch.distributed.all_gather_object(gathered, found)
        found = {number: told for each in gathered for number, told in each.items()}
    return np.concatenate([found[number] for number in sorted(found)])


def outputs(
    model: Classifier, part: Examples, batch: int, fabric: Machine, *, tta: str = "centre"
) -> Iterator[tuple[int, NDArray[np.int64], Tensor]]:
    """The network's outputs batch by batch, those of this process: the number of the batch, which examples, their outputs."""
    model.eval()
    dtype = next(model.parameters()).dtype
    for number, start in enumerate(range(0, len(part), batch)):
        if number % fabric.world_size != fabric.global_rank:
            continue
        which = np.arange(start, min(start + batch, len(part)))
        with torch.inference_mode(), fabric.autocast():
            x = part.inputs(which, fabric.device).to(dtype)
            x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
            logits = part.logits(model, x, tta)
        yield number, which, logits


def validate(
    model: Classifier, part: Examples, batch: int, fabric: Machine, scales: tuple[float, float] | None, task: str
) -> dict[str, float]:
    """Loss and the figures of the task.

    Where training jitters the scale, the whole image is evaluated at the middle of its scales (section 4.1).
    """
    tta = "centre" if scales is None else f"dense(scales=[{sum(scales) / 2}])"
    return task_of(task).validation_metrics(forward(model, part, batch, fabric, tta=tta), part.targets)
