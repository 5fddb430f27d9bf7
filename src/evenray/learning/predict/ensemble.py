"""Ensembles of runs: the mean of their probabilities on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Predictions

__all__ = ["ensemble"]

TINY = 1e-300


def ensemble(members: Mapping[str, Predictions], weights: Sequence[float] | None = None) -> Predictions:
    """The (weighted) mean of the members' soft-maxes, case by case, in the order of the first member's cases.

    `members` are predictions by the name of their run; `logit_k` are the logarithms of the means (of findings, their
    log-odds). DataError where classes, cases, labels or parts differ, naming the first difference; UsageError for
    weights that do not fit.

    >>> table = pl.DataFrame({"case": ["a"], "part": ["test"], "label": ["x"], "target": [0], "logit_0": [0.0], "logit_1": [0.0],
    ...                       "p_0": [0.5], "p_1": [0.5]})
    >>> other = table.with_columns(p_0=pl.lit(0.9), p_1=pl.lit(0.1))
    >>> two = {name: Predictions(t, ("x", "y"), "y") for name, t in (("one", table), ("other", other))}
    >>> ensemble(two, [3, 1]).probabilities.round(3)
    array([[0.6, 0.4]])
    """
    if len(members) < 2:
        raise UsageError("An ensemble needs two runs or more; give each one's folder.")
    shares = _shares(weights, len(members))
    (first, reference), *others = members.items()
    mean = shares[0] * reference.probabilities
    for share, (name, member) in zip(shares[1:], others, strict=True):
        mean = mean + share * _alike(member, reference, name, first).probabilities
    K = len(reference.classes)
    logits = np.log(np.maximum(mean, TINY))
    if reference.task == "tag":
        logits -= np.log(np.maximum(1 - mean, TINY))
    columns = {f"logit_{k}": logits[:, k] for k in range(K)} | {f"p_{k}": mean[:, k] for k in range(K)}
    made = reference.table.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return replace(reference, table=made)


def _shares(weights: Sequence[float] | None, members: int) -> list[float]:
    if weights is None:
        return [1 / members] * members
    if len(weights) != members or min(weights) < 0 or not 0 < sum(weights) < np.inf:
        raise UsageError(
            f"The weights are {', '.join(f'{w:g}' for w in weights)}; give {members}, one a run, none negative and not all 0."
        )
    return [weight / sum(weights) for weight in weights]


def _alike(member: Predictions, reference: Predictions, name: str, first: str) -> Predictions:
    """A member's predictions in the order of the reference's cases."""
    for what in ("task", "classes", "positive"):
        here, there = getattr(member, what), getattr(reference, what)
        if here != there:
            raise DataError(
                f"{name} and {first} differ in their {what} ({here}; {there}); an ensemble needs the same data."
            )
    own, other = set(member.table["case"]), set(reference.table["case"])
    if own != other:
        raise DataError(
            f"{name} and {first} predicted different cases: {len(own - other)} are only in {name}, {len(other - own)} only in"
            f" {first}; an ensemble needs runs on the same data and split (the same --seed, --test and --validation)."
        )
    same = ["part", *(name for name in reference.table.columns if name == "label" or name.startswith("target_"))]
    keys = ["case", *same]
    joined = reference.table.select(keys).join(
        member.table, on="case", how="left", suffix="_there", maintain_order="left"
    )
    for what in same:
        differ = joined.filter(pl.col(what).ne_missing(pl.col(f"{what}_there")))
        if differ.height:
            case = differ.row(0, named=True)
            raise DataError(
                f"{name} and {first} differ in the {_word(what, reference)} of {differ.height} cases, the first is {case['case']}"
                f" ({case[f'{what}_there']}; {case[what]}); an ensemble needs runs on the same split."
            )
    return replace(member, table=joined.drop(f"{what}_there" for what in same))


def _word(column: str, reference: Predictions) -> str:
    """What a column holds, for a sentence."""
    finding = column.removeprefix("target_")
    return column if finding == column else f"finding '{reference.classes[int(finding)]}'"
