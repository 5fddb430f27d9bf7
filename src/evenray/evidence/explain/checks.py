"""The checks of attribution maps: each one figure with an interval over patients, and what it is held against.

The rule by which maps are believed stands in docs/decisions/0029.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from evenray.core.artefacts.explained import Check
from evenray.core.messages import Message
from evenray.learning.networks import Classifier
from evenray.metrics.intervals import clustered_mean, clustered_share

from .attribution import attribute
from .covering import drop, without_border, without_text
from .places import Places, near, overlap, points_at, share_within
from .randomise import cascade, likeness
from .removal import removal

__all__ = ["Sample", "check_places", "check_regions", "check_removal", "check_unlearnt", "check_working"]

UNRELATED = 0.7  # rank correlation from which maps are alike
MATTERS = 0.05  # probability that has to hang on what is marked, beyond that on any place of its size
SHORTCUT = 0.1  # probability that hangs on the border or on text
TEXT = 0.001  # share of an image's area from which it has text
DRAWS = 2
Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """Images, float32 (N, C, H, W), the target that is explained in each, the patient and the file's shape of each, and their `maps`,
    float32 (N, H, W)."""

    images: Tensor
    targets: Tensor
    patients: Sequence[str]
    maps: Maps
    method: str
    shapes: Sequence[tuple[int, int]] = field(default=())

    def check(
        self, name: str, values_N: ArrayLike, expected: Message, *, least: float | None = None, most: float | None = None,
        share: bool = False,
    ) -> Check | None:  # fmt: skip
        """The mean of a value an image as a check; None where no image has one.

        It passes where its interval lies above `least`, or up to `most`; of one patient, of whom there is no interval, it does not.
        """
        values = np.asarray(values_N, np.float64)
        known = ~np.isnan(values)
        if not known.any():
            return None
        patients = np.asarray(self.patients)[known]
        value, low, high = clustered_mean(values[known], patients)
        if share:
            clusters = np.unique(patients, return_inverse=True)[1]
            value, (low, high) = float(values[known].mean()), clustered_share(values[known], clusters)
        P = len(set(patients.tolist()))
        lowest, highest = (
            value if np.isnan(bound) and P > 1 else bound for bound in (low, high)
        )  # where all are alike
        passed = lowest > least if least is not None else highest <= most if most is not None else None
        return Check(
            name=name, value=value, low=low, high=high, expected=expected, passed=passed, images=int(known.sum()),
            patients=P,
        )  # fmt: skip


def check_working(model: Classifier, sample: Sample) -> list[Check]:
    """The same call gives the same map, and maps are not constant."""
    few = slice(None, 4)
    again = attribute(model, sample.images[few], sample.targets[few], sample.method)
    drift = float(np.abs(sample.maps[few] - again).max())
    shown = sample.check("not_constant", sample.maps.std((1, 2)) > 0, Message("sanity.half"), share=True)
    assert shown is not None
    nothing, N = float("nan"), len(again)
    return [
        Check(name="same_twice", value=drift, low=nothing, high=nothing, expected=Message("sanity.at_most", {"limit": 1e-5}),
              passed=drift <= 1e-5, images=N, patients=len(set(sample.patients[few]))),
        shown.model_copy(update={"passed": shown.value >= 0.5}),
    ]  # fmt: skip


def check_unlearnt(
    model: Classifier, sample: Sample, relearnt: Sequence[Classifier], seed: int = 0
) -> tuple[list[Check], dict[str, float]]:
    """Whether maps change when the weights become noise, and when output layers were `relearnt` on labels that mean nothing; and how
    alike they stay at each step of the cascade."""
    steps: dict[str, list[NDArray[np.float64]]] = {}
    for draw in range(DRAWS):
        for step, other in cascade(model, seed + draw // 2, sign=(1, -1)[draw % 2]):
            steps.setdefault(step, []).append(_alike(other, sample))
    labels = np.mean([_alike(other, sample) for other in relearnt], axis=0)
    weights = np.mean(list(steps.values())[-1], axis=0)
    below = Message("sanity.at_most", {"limit": UNRELATED})
    found = [
        sample.check("weights_randomised", weights, below, most=UNRELATED),
        sample.check("labels_randomised", labels, below, most=UNRELATED),
    ]
    return [check for check in found if check], {step: float(np.mean(each)) for step, each in steps.items()}


def _alike(other: Classifier, sample: Sample) -> NDArray[np.float64]:
    return likeness(sample.maps, attribute(other, sample.images, sample.targets, sample.method))


def check_removal(model: Classifier, sample: Sample, seed: int = 0) -> tuple[list[Check], dict[str, tuple[float, ...]]]:
    """Deletion and insertion in the order of the maps against that of random and of central places; and the mean curves."""
    found = removal(model, sample.images, sample.targets, sample.maps, seed)
    checks = []
    for other, least in (("random", MATTERS), ("centre", 0.0)):
        for kind, sign in (("deletion", -1), ("insertion", 1)):
            gain = sign * (found[kind, "map"] - found[kind, other]).mean(1)
            checks.append(sample.check(f"{kind}_{other}", gain, Message("sanity.above", {"limit": least}), least=least))
    curves = {f"{kind}_{order}": tuple(values.mean(0).tolist()) for (kind, order), values in found.items()}
    return [check for check in checks if check], curves


def check_regions(sample: Sample, regions: Sequence[NDArray[np.bool_] | None], maps: Sequence[Maps]) -> list[Check]:
    """The pointing game and the overlap; `maps` and `regions` are in the pixels of the files, None where none is known."""
    nothing = float("nan")
    points, chances, shared, areas = (np.full(len(regions), nothing) for _ in range(4))
    for i, (region, own) in enumerate(zip(regions, maps, strict=True)):
        if region is not None:
            points[i], chances[i] = points_at(own, region), near(region).mean()
            shared[i], areas[i] = overlap(own, region), region.mean()
    if np.isnan(points).all():
        return []
    by_chance, area = float(np.nanmean(chances)), float(np.nanmean(areas))
    found = [
        sample.check(
            "pointing", points, Message("sanity.by_chance", {"limit": by_chance}), least=by_chance, share=True
        ),
        sample.check("overlap", shared, Message("sanity.by_chance", {"limit": area})),
    ]
    return [check for check in found if check]


def check_places(model: Classifier, sample: Sample, places: Sequence[Places], *, cover: bool) -> list[Check]:
    """The shares of attribution in the body, at the border and on text; with `cover`, what hangs on the border and on text.

    What hangs on them is told of the target for which it is most, so that a mark of one class is not averaged away.
    """
    texts = np.array([place.text.mean() >= TEXT for place in places])
    found = []
    for name in ("body", "ring", "text"):
        parts = [getattr(place, name) for place in places]
        shares = np.array([share_within(own, part) for own, part in zip(sample.maps, parts, strict=True)])
        areas = np.array([part.mean() for part in parts])
        if name == "text":
            shares[~texts] = areas[~texts] = np.nan
        if not np.isnan(areas).all():
            area = Message("sanity.area", {"share": float(np.nanmean(areas))})
            found.append(sample.check(f"{'border' if name == 'ring' else name}_share", shares, area))
    if cover:
        covered = torch.stack([without_border(x, shape) for x, shape in zip(sample.images, sample.shapes, strict=True)])
        drops = drop(model, sample.images, covered, sample.targets)
        found.append(_hangs(sample, "border_covered", drops))
        if texts.any():
            each = zip(sample.images, places, texts, strict=True)
            covered = torch.stack([without_text(x, place.text) if has else x for x, place, has in each])
            drops = np.where(texts, drop(model, sample.images, covered, sample.targets), np.nan)
            found.append(_hangs(sample, "text_covered", drops))
    return [check for check in found if check]


def _hangs(sample: Sample, name: str, drops_N: NDArray[np.float64]) -> Check | None:
    """The check of the target whose answers hang on it most."""
    checks = []
    for target in sorted(set(sample.targets.tolist())):
        own = np.where((sample.targets == target).cpu().numpy(), drops_N, np.nan)
        check = sample.check(name, own, Message("sanity.at_most", {"limit": SHORTCUT}))
        if check is not None and check.patients > 1:
            lowest = check.value if np.isnan(check.low) else check.low
            checks.append(check.model_copy(update={"passed": not lowest > SHORTCUT}))
    return max(checks, key=lambda check: check.value if np.isnan(check.low) else check.low, default=None)
