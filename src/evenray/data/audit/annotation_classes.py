"""Classes that masks or boxes hardly have, and images in which a class is missing that nearly all others have."""

from __future__ import annotations

import numpy as np

from evenray.core.findings import Finding
from evenray.core.types import PARTS, Dataset

from ._cases import PEERS, warn
from ._marks import image_size

__all__ = ["annotation_classes"]

NEARLY_ALL = 0.9  # of the images
MOSTLY = 0.9  # background, from which on the share of right pixels says nothing
FEW = 10  # images of a class below which nothing can be estimated


def annotation_classes(dataset: Dataset) -> list[Finding]:
    """Classes in no or few images, or in none of a part; images without a class that at least nine in ten have, in which it may
    have been forgotten; and of masks how much each class covers, or how right "all is background" is where that is nearly all."""
    if dataset.facts.task not in ("segment", "detect"):
        return []
    cases, counts, has_NK = dataset.cases, dataset.counts, dataset.targets == 1
    found = []
    absent, few = [name for name, n in counts.items() if not n], {name: n for name, n in counts.items() if 0 < n < FEW}
    if absent:
        found.append(Finding("annotation_classes", "error", evidence={"absent": absent}, variant="absent"))
    if few:
        found.append(Finding("annotation_classes", "warning", evidence={"images_of": few}, variant="few"))
    found += _parts(dataset, [name for name in counts if name not in absent])
    if len(cases) >= PEERS:
        # Of classes that an image may well lack nothing is said; nor where it is annotated with nothing at all.
        usual_K = (has_NK.mean(axis=0) >= NEARLY_ALL) & (has_NK.mean(axis=0) < 1)
        some_N = has_NK.any(axis=1)
        for k in np.flatnonzero(usual_K).tolist():
            lacks = ~has_NK[:, k] & some_N
            share = float(has_NK[:, k].mean())
            found += warn(
                "annotation_classes",
                cases,
                lacks,
                np.zeros(len(cases)),
                "unmarked",
                class_name=dataset.classes[k],
                share=share,
            )
    if "mask_pixels" in cases.columns:
        marked = np.array(cases["mask_pixels"].to_list(), np.float64).reshape(len(cases), len(counts))
        share_K = marked.sum(axis=0) / image_size(cases).sum()
        shares = {name: round(float(share), 4) for name, share in zip(counts, share_K, strict=True)}
        background = 1 - float(share_K.sum())
        evidence = {"pixel_shares": shares, "background": round(background, 4)}
        variant = "" if background >= MOSTLY else "shares"
        found.append(Finding("annotation_classes", "info", evidence=evidence, variant=variant))
    return found


def _parts(dataset: Dataset, present: list[str]) -> list[Finding]:
    """Classes that a given part has no image of."""
    if "part" not in dataset.cases.columns:
        return []
    found = []
    for name in PARTS:
        part = dataset.part(name)
        lacking = [label for label in present if not part.counts[label]] if len(part) else []
        if lacking:
            evidence = {"part": name, "absent": lacking}
            found.append(Finding("annotation_classes", "error", evidence=evidence, variant="part"))
    return found
