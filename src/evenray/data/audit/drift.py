"""Drift: are the grey levels of the test part those of the training part?"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding, Severity
from evenray.core.patient_groups import patient_groups
from evenray.core.sketches import blocks
from evenray.core.types import Dataset

from ._cases import only, patient_numbers

__all__ = ["drift", "histogram_distance"]

CLEAR, SMALL = 0.04, 0.015  # mean distance in shares of the grey range
UNLIKELY = 0.01
PERMUTATIONS = 999
LEVELS = 64
MOST = 10_000  # cases of a part


def drift(dataset: Dataset) -> list[Finding]:
    """Histograms of the validation or test part that differ from those of train, class by class, beyond chance."""
    if not dataset.has_sketch("histogram") or "part" not in dataset.cases.columns:
        return []
    # In the order of the names, so that the permutations are the same however the table is ordered.
    cases = (
        only(dataset.cases, "case", "part", "label")
        .with_columns(patient=patient_groups(dataset.cases))
        .with_row_index("row")
        .sort("case")
    )
    found = []
    for part in ("validation", "test"):
        chosen = pl.concat([_few(cases.filter(pl.col("part") == side)) for side in ("train", part)])
        if chosen["part"].n_unique() < 2:
            continue
        cumulative = cumulative_histograms(dataset.sketch("histogram", chosen["row"].to_numpy()))
        distance, p = histogram_distance(
            cumulative, chosen["part"] == part, chosen["label"].fill_null(""), patient_numbers(chosen)
        )
        if p <= UNLIKELY and distance >= SMALL:
            evidence = {"part": part, "distance": round(distance, 4), "p": round(p, 4)}
            severity: Severity = "warning" if distance >= CLEAR else "info"
            found.append(
                Finding("drift", severity, evidence=evidence, variant="clear" if distance >= CLEAR else "slight")
            )
    return found


def _few(cases: pl.DataFrame) -> pl.DataFrame:
    """At most 10,000 cases, evenly spread: a difference worth naming shows in them."""
    return cases.gather_every(max(1, -(-cases.height // MOST)))


def cumulative_histograms(histograms: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The cumulative share of the pixels at 64 levels of the range, of counts (cases, 256), float32 (cases, 64)."""
    result = np.empty((len(histograms), LEVELS), np.float32)
    for block in blocks(len(histograms)):
        counts = histograms[block].reshape(len(block), LEVELS, -1).sum(axis=2, dtype=np.float64)
        result[block] = np.cumsum(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), axis=1)
    return result


def histogram_distance(
    cumulative: NDArray[np.float32], other: pl.Series, labels: pl.Series, patients: NDArray[np.int64], seed: int = 0
) -> tuple[float, float]:
    """How far the mean histograms of two parts are apart, and how likely so far by chance.

    The distance is the mean over the classes of the first Wasserstein distance between the mean histograms, 0..1 in
    shares of the grey range; so parts of different class counts are comparable. p comes from exchanging patients between
    the parts 999 times within the class that they (mostly) have (Good, Permutation Tests, 2000).
    """
    owners, member = np.unique(patients, return_inverse=True)
    side = np.zeros(len(owners), np.bool_)
    np.logical_or.at(side, member, other.to_numpy())
    _, classes = np.unique(labels.to_numpy(), return_inverse=True)
    totals, images = [], []
    for k in range(classes.max() + 1):
        own = classes == k
        totals.append(_sums(cumulative[own], member[own], len(owners)))
        images.append(np.bincount(member[own], minlength=len(owners)).astype(np.float32))
    stratum = np.argmax(images, axis=0)
    observed = _distances(totals, images, side[None, :])[0]
    rng = np.random.default_rng(seed)
    reached = 0
    for start in range(0, PERMUTATIONS, 37):
        count = min(37, PERMUTATIONS - start)
        drawn = np.repeat(side[None, :], count, axis=0)
        for k in range(len(images)):
            drawn[:, stratum == k] = rng.permuted(drawn[:, stratum == k], axis=1)
        reached += int((_distances(totals, images, drawn) >= observed * (1 - 1e-5)).sum())
    return float(observed), (reached + 1) / (PERMUTATIONS + 1)


def _sums(lines: NDArray[np.float32], member: NDArray[np.int64], owners: int) -> NDArray[np.float32]:
    result = np.zeros((owners, lines.shape[1]), np.float32)
    np.add.at(result, member, lines)
    return result


def _distances(
    totals: list[NDArray[np.float32]], images: list[NDArray[np.float32]], sides: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """For each assignment of patients (assignments, patients) the distance; classes absent from a side are left out."""
    distances, used = np.zeros(len(sides)), np.zeros(len(sides))
    drawn = sides.astype(np.float32)
    for total, count in zip(totals, images, strict=True):
        there = drawn @ count
        here = count.sum() - there
        both = (there > 0) & (here > 0)
        sums = drawn @ total
        difference = sums / np.maximum(there, 1)[:, None] - (total.sum(axis=0) - sums) / np.maximum(here, 1)[:, None]
        distances += np.where(both, np.abs(difference).mean(axis=1), 0)
        used += both
    return np.asarray(distances / np.maximum(used, 1))
