"""Label errors: cases that a model which has not seen them contradicts with confidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Predictions

__all__ = ["label_errors"]

TRUSTED = 0.25  # wrong labels are seldom over a tenth of a class; disagreement on a quarter is the model's own failure
DRAWS = 100


def label_errors(predictions: Predictions) -> list[Finding]:
    """Likely label errors by confident learning (Northcutt, Jiang and Chuang, JAIR 2021: prune by noise rate).

    `predictions` must come from models that were not trained on these cases: out-of-fold, validation or test. Cases
    whose probability of a class reaches the mean one of those labelled so are counted by label and class; the counts
    estimate how many labels of each kind are wrong, and so many cases are listed, the surest disagreement first. A model
    that contradicts more than a quarter of a class cannot be trusted on it, and none of its cases is listed. No label is
    changed. Beside the number stands how many would be listed if every label were right and the probabilities were, too
    (`by_chance`, the mean); where the number does not exceed 95 % of such draws, the finding says so. Of several findings
    each is looked at by itself, and `finding` says which.
    """
    if predictions.task == "tag":
        return [
            replace(found, evidence={"finding": name, **found.evidence})
            for name in predictions.classes
            for found in label_errors(predictions.finding(name))
        ]
    if not predictions.table.height:
        return []
    probabilities, targets = predictions.probabilities, predictions.targets
    likeliest = _listed(probabilities, targets)
    if not likeliest:
        return []
    names = predictions.table["case"].to_list()
    order = sorted(likeliest, key=lambda row: (-likeliest[row][0], names[row]))
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in order:
        kinds[predictions.classes[targets[row]]][predictions.classes[likeliest[row][1]]] += 1
    by_chance = _by_chance(probabilities)
    evidence = {
        "share": round(len(order) / len(targets), 4),
        "by_chance": round(float(by_chance.mean()), 1),
        "labelled_but_likely": {given: dict(likely) for given, likely in kinds.items()},
        "largest_margin": round(likeliest[order[0]][0], 4),
    }
    more = len(order) > np.quantile(by_chance, 0.95)
    cases = tuple(names[row] for row in order)
    return [Finding("label_errors", "info", cases, evidence=evidence, variant="more" if more else "chance")]


def _listed(probabilities: NDArray[np.float64], targets: NDArray[np.int64]) -> dict[int, tuple[float, int]]:
    """{row: (margin, likelier class)} of the cases that the model contradicts."""
    own = probabilities[np.arange(len(targets)), targets]
    found: list[tuple[float, int, int]] = []
    for given, likely, count in _wrong(probabilities, targets):
        rows = np.flatnonzero(targets == given)
        margin = probabilities[rows, likely] - own[rows]
        worst = np.argsort(-margin, kind="stable")[:count]
        found += [(float(margin[i]), int(rows[i]), likely) for i in worst if margin[i] > 0]
    return {row: (margin, likely) for margin, row, likely in sorted(found)}


def _by_chance(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many cases would be listed though every label were right, in each of DRAWS draws of the labels from the
    probabilities: what is known of a case by its image leaves room for either class.
    """
    rng, reached = np.random.default_rng(0), probabilities.cumsum(axis=1)
    drawn = [(reached < rng.random((len(reached), 1)) * reached[:, -1:]).sum(axis=1) for _ in range(DRAWS)]
    return np.array([len(_listed(probabilities, targets)) for targets in drawn], np.int64)


def _wrong(probabilities: NDArray[np.float64], targets: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """How many cases labelled as one class are estimated to be of another: (given, likely, count)."""
    present = np.unique(targets)
    usual = np.full(probabilities.shape[1], np.inf)
    usual[present] = [probabilities[targets == k, k].mean() for k in present]
    confident = np.where(probabilities >= usual, probabilities, -1.0)
    likely = np.where(confident.max(axis=1, initial=-1.0) >= 0, confident.argmax(axis=1), -1)
    for given in present.tolist():
        counted = likely[(targets == given) & (likely >= 0)]
        if not len(counted) or (counted != given).mean() > TRUSTED:
            continue
        for other in present.tolist():
            share = float((counted == other).mean())
            if other != given and (count := round(share * int((targets == given).sum()))):
                yield given, other, count
