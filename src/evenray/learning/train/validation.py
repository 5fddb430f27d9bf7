"""Logits of examples without learning from them, and the metrics of the validation part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from evenray.learning.networks import Classifier
from evenray.learning.tasks import task_of

from .alone import Machine
from .part import Examples

__all__ = ["forward", "validate"]


def forward(
    model: Classifier, part: Examples, batch: int, fabric: Machine, tick: Callable[[], None] = lambda: None,
    *, tta: str = "centre",
) -> NDArray[np.float64]:  # fmt: skip
    """Logits of every example under a test-time augmentation, float64 (n, K), in order.

    Of several processes each computes every n-th batch, and all get all.
    """
    model.eval()
    found: dict[int, NDArray[np.float64]] = {}
    dtype = next(model.parameters()).dtype
    with torch.inference_mode(), fabric.autocast():
        for number, start in enumerate(range(0, len(part), batch)):
            if number % fabric.world_size != fabric.global_rank:
                continue
            which = np.arange(start, min(start + batch, len(part)))
            x = part.inputs(which, fabric.device).to(dtype)
            x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
            found[number] = part.logits(model, x, tta).double().cpu().numpy()
            tick()
    if fabric.world_size > 1:
        gathered: list[dict[int, NDArray[np.float64]]] = [{} for _ in range(fabric.world_size)]
        torch.distributed.all_gather_object(gathered, found)
        found = {number: logits for each in gathered for number, logits in each.items()}
    return np.concatenate([found[number] for number in sorted(found)])


def validate(
    model: Classifier, part: Examples, batch: int, fabric: Machine, scales: tuple[float, float] | None, task: str
) -> dict[str, float]:
    """Loss, AUROC and AUPRC, each the mean over the classes or findings that are there.

    Where training jitters the scale, the whole image is evaluated at the middle of its scales (section 4.1).
    """
    tta = "centre" if scales is None else f"dense(scales=[{sum(scales) / 2}])"
    return task_of(task).validation_metrics(forward(model, part, batch, fabric, tta=tta), part.targets)
