"""How precise the figures of the test part can be, told before anything is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.messages import Message
from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset
from evenray.metrics.sample_size import auroc_interval, detectable_difference, share_interval

__all__ = ["expected"]

AUROC, SENSITIVITY = 0.85, 0.9  # at which the intervals are told


def expected(dataset: Dataset) -> Message | None:
    """Of the test part's patients with and without the class or finding that fewest have or lack: the 95 % intervals to
    expect of an AUROC and of a sensitivity, and the smallest difference of AUROC that two models can be told apart by.

    Without a test part every case is tested on in a fold of its own. Patients count once, under a class where one of their
    images has it. None where there is no patient to count, and of masks and
    boxes, which have no AUROC.
    """
    if dataset.facts.task not in OF_IMAGES:
        return None
    part = dataset.part("test")
    nested = not len(part)
    test = dataset if nested else part
    names = patient_groups(test.cases)
    alone = [name if name is not None else f"\0{i}" for i, name in enumerate(names.to_list())]
    who = np.unique(alone, return_inverse=True)[1]
    counts = {name: _patients(test.targets, k, who) for k, name in enumerate(dataset.classes)}
    asked = {dataset.positive: counts[dataset.positive]} if len(counts) == 2 and dataset.positive in counts else counts
    known = {name: count for name, count in asked.items() if min(count)}
    if not known:
        return None
    rarest = min(known, key=lambda name: min(known[name]))
    with_it, without = known[rarest]
    low, high = auroc_interval(with_it, without, AUROC)
    share_low, share_high = share_interval(with_it, SENSITIVITY)
    return Message("plan.precision", {
        "name": rarest, "positives": with_it, "negatives": without, "auroc": AUROC, "auroc_low": low, "auroc_high": high,
        "sensitivity": SENSITIVITY, "low": share_low, "high": share_high, "difference": detectable_difference(with_it, without),
        "variant": "nested" if nested else "",
    })  # fmt: skip


def _patients(targets: NDArray[np.int64], k: int, who: NDArray[np.int64]) -> tuple[int, int]:
    """Patients with class or finding k, and those known to be without it."""
    present = (targets[:, k] == 1) if targets.ndim == 2 else targets == k
    known = (targets[:, k] >= 0) if targets.ndim == 2 else np.ones(len(targets), bool)
    having = np.unique(who[present])
    return len(having), len(np.setdiff1d(who[known], having))
