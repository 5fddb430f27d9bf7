"""Logits of examples without learning from them, and the metrics of the validation part."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.learning.networks import Classifier
from evenray.metrics.ranking import Ranking

from .alone import Machine
from .part import Examples

__all__ = ["forward", "validate", "validation_metrics"]


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
    model: Classifier, part: Examples, batch: int, fabric: Machine, scales: tuple[float, float] | None
) -> dict[str, float]:
    """Loss, AUROC and AUPRC, each the mean over the classes that are there.

    Where training jitters the scale, the whole image is evaluated at the middle of its scales (section 4.1).
    """
    tta = "centre" if scales is None else f"dense(scales=[{sum(scales) / 2}])"
    return validation_metrics(forward(model, part, batch, fabric, tta=tta), part.targets)


def validation_metrics(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> dict[str, float]:
    """Loss, mean AUROC and AUPRC of logits (n, K); the standard error of the AUPRC is the bootstrap's, over cases."""
    logits_NK: Tensor = torch.from_numpy(logits)
    probabilities = torch.softmax(logits_NK, 1).numpy()
    hot = targets[:, None] == np.arange(logits_NK.shape[1])
    times = _drawn(len(targets))  # every case once in the first row
    areas = [
        Ranking.of(probabilities[:, k], hot[:, k]).areas(times)
        for k in range(hot.shape[1])
        if 0 < hot[:, k].sum() < len(hot)
    ]
    loss = float(functional.cross_entropy(logits_NK, torch.from_numpy(targets)))
    auroc, auprc = (np.mean([pair[i] for pair in areas], axis=0) for i in (0, 1))
    resampled = auprc[1:][~np.isnan(auprc[1:])]  # without those in which a class does not occur
    error = float(resampled.std()) if len(resampled) > 1 else np.nan
    return {
        "validation_loss": loss, "validation_auroc": float(auroc[0]), "validation_macro_auprc": float(auprc[0]),
        "validation_macro_auprc_error": error,
    }  # fmt: skip


@lru_cache(maxsize=2)
def _drawn(cases: int) -> NDArray[np.float64]:
    """How often each case counts, (1 + resamples, cases): once, and as the same few bootstrap resamples draw it."""
    number = max(20, min(200, 2_000_000 // cases))
    drawn = np.random.default_rng(0).integers(cases, size=(number, cases))
    counts = [np.bincount(row, minlength=cases) for row in drawn]
    return np.vstack([np.ones(cases), *counts])
