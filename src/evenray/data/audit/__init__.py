"""The audit: what is wrong with the data, before anything is trained on it.

`measures` reads each decoded image once and adds columns to the table of cases (arrays: to its sketches); `checks` reads that
table, never a file, so shards are checked by joining them; `propose_exclusions` proposes what to leave out. To add a check see
docs/adding-an-audit-check.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from evenray.core.errors import DataError
from evenray.core.findings import SEVERITIES, Finding
from evenray.core.registry import Registry
from evenray.core.threads import one_blas_thread
from evenray.core.types import Dataset, Image
from evenray.images.histogram import Histogram

from ._near_search import near_copies, near_groups
from ._reduced_image import Measured, Reduced
from .blocking import BLOCKING, blocking
from .by_finding import by_finding
from .excluded import excluded
from .exclusion_proposal import propose_exclusions
from .label_errors import label_errors
from .labels import COMPARING, COUNTING

__all__ = [
    "BLOCKING", "audit", "blocking", "checks", "excluded", "label_errors", "measure", "measures", "near_copies", "near_groups",
    "propose_exclusions",
]  # fmt: skip

# Each takes (image, histogram, reduced) and returns columns of the case table.
measures = Registry(
    "measure",
    {
        "levels": "evenray.data.audit._grey_levels:measure_levels",
        "fingerprint": "evenray.data.audit._fingerprint:measure_fingerprint",
        "missing": "evenray.data.audit.missing:measure_missing",
        "noise": "evenray.data.audit.noise:measure_noise",
        "blur": "evenray.data.audit.blur:measure_blur",
        "outliers": "evenray.data.audit.outliers:measure_outliers",
        "text": "evenray.data.audit.text:measure_text",
        "compression": "evenray.data.audit.compression:measure_compression",
    },
    context=3,
)

# Each takes a Dataset and returns findings, whose texts stand in locales/*/findings.json.
checks = Registry(
    "check",
    {
        # images and labels that cannot be used
        "unreadable": "evenray.data.audit.unreadable:unreadable",
        "blank": "evenray.data.audit.blank:blank",
        "labels": "evenray.data.audit.labels:labels",
        # classes, patients and parts
        "classes": "evenray.data.audit.classes:classes",
        "patients_unknown": "evenray.data.audit.patients:patients_unknown",
        "patients_reused": "evenray.data.audit.patients:patients_reused",
        "parts": "evenray.data.audit.parts:parts",
        "leakage_patients": "evenray.data.audit.leakage:leakage_patients",
        "leakage_sites": "evenray.data.audit.leakage:leakage_sites",
        "leakage_duplicates": "evenray.data.audit.leakage:leakage_duplicates",
        "leakage_near_duplicates": "evenray.data.audit.leakage:leakage_near_duplicates",
        # copies
        "duplicates": "evenray.data.audit.duplicates:duplicates",
        "label_conflicts": "evenray.data.audit.duplicates:label_conflicts",
        "near_duplicates": "evenray.data.audit.near_duplicates:near_duplicates",
        "negatives": "evenray.data.audit.near_duplicates:negatives",
        # masks and boxes
        "annotation_classes": "evenray.data.audit.annotation_classes:annotation_classes",
        "annotation_conflicts": "evenray.data.audit.annotation_conflicts:annotation_conflicts",
        "annotation_size": "evenray.data.audit.annotation_size:annotation_size",
        "mask_values": "evenray.data.audit.mask_values:mask_values",
        "mask_grid": "evenray.data.audit.mask_grid:mask_grid",
        "mask_extent": "evenray.data.audit.mask_extent:mask_extent",
        "mask_copies": "evenray.data.audit.mask_copies:mask_copies",
        "box_extent": "evenray.data.audit.box_extent:box_extent",
        "box_copies": "evenray.data.audit.box_copies:box_copies",
        # exposure and contrast
        "overexposed": "evenray.data.audit.exposure:overexposed",
        "underexposed": "evenray.data.audit.exposure:underexposed",
        "low_contrast": "evenray.data.audit.exposure:low_contrast",
        "polarity": "evenray.data.audit.polarity:polarity",
        "illumination": "evenray.data.audit.illumination:illumination",
        # image quality
        "noise": "evenray.data.audit.noise:noise",
        "blur": "evenray.data.audit.blur:blur",
        "outliers": "evenray.data.audit.outliers:outliers",
        "missing": "evenray.data.audit.missing:missing",
        "text": "evenray.data.audit.text:text",
        "orientation": "evenray.data.audit.orientation:orientation",
        "compression": "evenray.data.audit.compression:compression",
        # bit depth
        "levels_undeclared": "evenray.data.audit.depth:levels_undeclared",
        "depth_stray": "evenray.data.audit.depth:depth_stray",
        "depth_padded": "evenray.data.audit.depth:depth_padded",
        # acquisition
        "geometry": "evenray.data.audit.geometry:geometry",
        "consistency": "evenray.data.audit.consistency:consistency",
        "sources": "evenray.data.audit.sources:sources",
        "drift": "evenray.data.audit.drift:drift",
        # shortcuts
        "shortcut_header": "evenray.data.audit.shortcuts:shortcut_header",
        "shortcut_size": "evenray.data.audit.shortcuts:shortcut_size",
        "shortcut_histogram": "evenray.data.audit.shortcuts:shortcut_histogram",
        "shortcut_border": "evenray.data.audit.shortcuts:shortcut_border",
    },
    context=1,
)


def measure(image: Image, histogram: Histogram, only: tuple[str, ...] | None = None) -> Measured:
    """What the checks know of one image: columns of the case table, described in docs/guides/audit.md, and sketches.

    `only` names some of `measures`, where not all are wanted.

    >>> import numpy as np
    >>> image = Image(np.full((64, 64), 255, np.uint8), value_range=(0, 255))
    >>> measured = measure(image, Histogram.of(image))
    >>> measured["mean"], measured["saturated_high"], measured["thumbnail"].shape
    (1.0, 1.0, (32, 32))
    """
    reduced = Reduced.of(image)
    result: Measured = {}
    for function in _measures(only):
        result |= function(image, histogram, reduced)
    return result


@cache
def _measures(only: tuple[str, ...] | None) -> tuple[Callable[..., Measured], ...]:
    return tuple(measures.values()) if only is None else tuple(measures[name] for name in only)


def audit(dataset: Dataset, only: tuple[str, ...] | None = None) -> list[Finding]:
    """Every check (or those named in `only`) on a data set; errors first, then warnings, then remarks.

    Findings depend on the table alone: join shards (`Dataset.of_shards`) first. Without two classes the checks that compare
    classes are not run, and a finding says so; where an image has several findings, or masks or boxes of classes, they are run
    for each of these. Raises DataError where images share a sketch.
    """
    names = tuple(checks) if only is None else only
    if {"sketch", "pixel_hash"} <= set(dataset.cases.columns):
        pairs = dataset.cases.select("sketch", "pixel_hash").unique()
        if pairs["sketch"].is_duplicated().any():
            raise DataError(
                "Different images have one sketch; join data sets with Dataset.of_shards, not by their tables."
            )
    tags = dataset.facts.task != "classify"
    single = () if len(dataset.classes) > 1 and not tags else COMPARING
    with one_blas_thread():
        found = [finding for name in names if name not in single for finding in checks[name](dataset)]
        found += by_finding(dataset, [checks[name] for name in names if name in _by_finding(dataset)]) if tags else []
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _by_finding(dataset: Dataset) -> tuple[str, ...]:
    """The checks that are run for each finding; of classes of masks and boxes annotation_classes counts the images."""
    return COMPARING if dataset.facts.task == "tag" else tuple(name for name in COMPARING if name not in COUNTING)
