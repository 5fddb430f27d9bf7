"""What a split and its folds keep even, by the task of the labels: the share of each class, or of each finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.annotations import Task
from evenray.core.errors import DataError
from evenray.core.types import Dataset

from .iterative import divide

__all__ = ["Strata", "strata_of"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NAMED = 3  # of the classes that are too small


class Strata(Protocol):
    """The labels of some cases, as a split looks at them."""

    def conflicts(self, picture: Ints) -> Bools:
        """Cases whose very picture (numbers of pictures, (cases,)) carries another label elsewhere."""

    def check(self, group: Ints, free: Bools, excluded: Bools, parts: Sequence[str]) -> None:
        """DataError where the groups are too few to be divided into so many parts."""

    def draw(
        self, group: Ints, free: Bools, fraction: float, rng: np.random.Generator, least: int = 1, left: int = 1
    ) -> Ints:
        """Groups that hold about `fraction` of the free cases of every label: `least` or more, with `left` left behind."""

    def folds(self, group: Ints, count: int, seed: int) -> Ints:
        """The fold of every case, in whole groups."""

    def lacking(self, part: Dataset) -> str | None:
        """The class that a part should have a case of and has none, so that it is of no use."""


def strata_of(dataset: Dataset) -> Strata:
    """Those of a data set's task."""
    kinds: dict[Task, type[ClassStrata] | type[FindingStrata]] = {"classify": ClassStrata, "tag": FindingStrata}
    return kinds.get(dataset.facts.task, MarkStrata)(dataset)


class ClassStrata:
    """One class a case."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.targets = dataset, dataset.targets

    def conflicts(self, picture: Ints) -> Bools:
        labels = pl.DataFrame({"label": self.targets, "picture": picture}).select(
            pl.col("label").n_unique().over("picture")
        )
        return np.asarray(labels.to_series().to_numpy() > 1)

    def check(self, group: Ints, free: Bools, excluded: Bools, parts: Sequence[str]) -> None:
        dataset, targets = self.dataset, self.targets
        found = [len(np.unique(group[free & (targets == k)])) for k in range(len(dataset.classes))]
        few = [k for k, count in enumerate(found) if count < len(parts)]
        if not few:
            return
        who = "patients" if dataset.facts.patients_known else "separate images"
        named = ", ".join(f"'{dataset.classes[k]}' has {found[k]}" for k in few[:NAMED])
        more = f" and {len(few) - NAMED} more as few" if len(few) > NAMED else ""
        told, each, its = f"{len(few)} of the {len(found)} classes have too few {who}: {named}{more}", "each", "their"
        fix = "merge them or leave them out"
        if len(few) == 1:
            told, each, its, fix = f"Class {named} {who}", "it", "its", "merge or leave out the class"
        out = int((excluded & np.isin(targets, few)).sum())
        besides = (
            f" ({out} of {its} images are left out; the same pixels stand under another label too, or a given part holds them)"
            if out
            else ""
        )
        raise DataError(
            f"{told}{besides}; dividing {each} into {', '.join(parts)} needs at least {len(parts)}, and figures worth reading need"
            f" dozens. Add cases, or {fix}."
        )

    def draw(
        self, group: Ints, free: Bools, fraction: float, rng: np.random.Generator, least: int = 1, left: int = 1
    ) -> Ints:
        """A group counts for the rarest class that it holds, so that the rare class is divided first and best."""
        targets = self.targets
        rarity = np.argsort(np.argsort(np.bincount(targets[free], minlength=targets.max() + 1), kind="stable"))
        names, inverse = np.unique(group[free], return_inverse=True)
        stratum = np.full(len(names), len(rarity))
        np.minimum.at(stratum, inverse, rarity[targets[free]])
        size = np.bincount(inverse)
        drawn: list[int] = []
        for level in np.unique(stratum):
            members = rng.permutation(np.flatnonzero(stratum == level))
            drawn += _filled(members, size[members], fraction, least, left)
        return names[drawn]

    def folds(self, group: Ints, count: int, seed: int) -> Ints:
        """Stratified by class, shuffled by the seed."""
        from sklearn.model_selection import StratifiedGroupKFold

        targets, classes = self.targets, self.dataset.classes
        fewest, k = min((len(np.unique(group[targets == k])), k) for k in range(len(classes)))
        if fewest < count:
            raise DataError(
                f"Class '{classes[k]}' has {fewest} patients in training; comparing in {count} folds needs at least {count}: "
                + (f"give --folds {fewest}, more cases," if fewest > 1 else "give more cases,")
                + " or a single --contrast and --balance, which need no comparison."
            )
        found = np.zeros(len(targets), np.int64)
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        for fold, (_, held_out) in enumerate(splitter.split(np.zeros(len(targets)), targets, group)):
            found[held_out] = fold
        return found

    def lacking(self, part: Dataset) -> str | None:
        return next((label for label, count in part.counts.items() if not count), None)


class FindingStrata:
    """Several findings a case. One that few patients have is no reason to stop: it is divided first, and where a part has none
    of it, it has no figure there."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.targets = dataset, dataset.targets

    def conflicts(self, picture: Ints) -> Bools:
        """Where one copy has a finding that another is known not to have."""
        N = int(picture.max()) + 1 if len(picture) else 0
        seen = np.zeros((2, N, self.targets.shape[1]), dtype=bool)
        for said in (0, 1):
            np.logical_or.at(seen[said], picture, self.targets == said)
        return np.asarray((seen[0] & seen[1]).any(axis=1)[picture])

    def check(self, group: Ints, free: Bools, excluded: Bools, parts: Sequence[str]) -> None:
        groups, needed = len(np.unique(group[free])), len(parts)
        most = max(self._groups(group, free).min(axis=1), default=0)
        if groups >= needed and most >= needed:
            return
        raise DataError(
            f"No finding is known to be present in {needed} patients and absent in {needed} of those to divide into"
            f" {', '.join(parts)} ({groups} in all). Add cases, or check the columns of labels."
        )

    def _groups(self, group: Ints, free: Bools) -> Ints:
        """How many groups have each finding, and how many are known to have a case without, (findings, 2)."""
        return np.array([
            [len(np.unique(group[free & (self.targets[:, k] == said)])) for said in (1, 0)]
            for k in range(self.targets.shape[1])
        ])  # fmt: skip

    def draw(
        self, group: Ints, free: Bools, fraction: float, rng: np.random.Generator, least: int = 1, left: int = 1
    ) -> Ints:
        """By iterative stratification of the groups; where that leaves either side of no use, the fewest are moved that make it so."""
        names, inverse = np.unique(group[free], return_inverse=True)
        counts, size = _held(self.targets[free], inverse)
        drawn = divide(counts, size, [1 - fraction, fraction], rng) == 1
        return np.asarray(names[_of_use(drawn, self._needed(counts, least + left), size, least, left)])

    def _needed(self, counts: Ints, groups: int) -> list[Bools]:
        """Ways in which a part is of use, each with the groups that have what it needs, (needs, groups): both answers to a finding."""
        has = counts.T > 0
        return list(np.stack(np.split(has, 2), axis=1))

    def folds(self, group: Ints, count: int, seed: int) -> Ints:
        """By iterative stratification of the groups."""
        found, targets = self._folds(group, count, seed), self.targets
        both = [[(targets[found == own] == said).any(axis=0) for said in (0, 1)] for own in range(count)]
        if all((absent & present).any() for absent, present in both):
            return found
        most = min(int(self._groups(group, np.ones(len(group), bool)).min(axis=1).max()), count - 1)
        raise DataError(
            f"One of {count} folds has no finding that some of its patients have and others lack; comparing in {count} needs at least"
            f" {count} patients with a finding and {count} without it: "
            + (f"give --folds {most}, more cases," if most > 1 else "give more cases,")
            + " or a single --contrast and --balance, which need no comparison."
        )

    def _folds(self, group: Ints, count: int, seed: int) -> Ints:
        names, inverse = np.unique(group, return_inverse=True)
        if len(names) < count:
            raise DataError(
                f"There are {len(names)} patients in training; comparing in {count} folds needs at least {count}: give --folds, more"
                " cases, or a single --contrast and --balance, which need no comparison."
            )
        rng = np.random.default_rng([seed, 13])
        counts, size = _held(self.targets, inverse)
        fold = divide(counts, size, [1 / count] * count, rng)
        return np.asarray(fold[inverse])

    def lacking(self, part: Dataset) -> str | None:
        """Whichever is most frequent, where no finding is present in some and absent in others."""
        targets = part.targets
        if ((targets == 1).any(axis=0) & (targets == 0).any(axis=0)).any():
            return None
        return max(self.dataset.counts, key=self.dataset.counts.__getitem__)


class MarkStrata(FindingStrata):
    """What masks or boxes mark: which classes an image has, and of masks whether much or little of it is marked."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self.present = dataset.targets
        self.targets = np.concatenate([self.present, _large(dataset, self.present)], axis=1)

    def conflicts(self, picture: Ints) -> Bools:
        """None: copies that are marked otherwise stay together, and the audit tells them."""
        return np.zeros(len(picture), dtype=bool)

    def check(self, group: Ints, free: Bools, excluded: Bools, parts: Sequence[str]) -> None:
        marked = len(np.unique(group[free & (self.present == 1).any(axis=1)]))
        if marked < len(parts):
            raise DataError(
                f"Something is marked in images of {marked} patients of those to divide into {', '.join(parts)}, which needs at least"
                f" {len(parts)}. Add cases, or check the masks or boxes."
            )

    def _needed(self, counts: Ints, groups: int) -> list[Bools]:
        """Something that is marked, and each class that so many groups have."""
        has = (counts[:, : self.present.shape[1]] > 0).T
        return [np.concatenate([has.any(axis=0, keepdims=True), has[has.sum(axis=1) >= groups]])]

    def folds(self, group: Ints, count: int, seed: int) -> Ints:
        """By iterative stratification of the groups; a fold in which nothing is marked is no reason to stop."""
        return self._folds(group, count, seed)

    def lacking(self, part: Dataset) -> str | None:
        """Whichever is most frequent, where nothing at all is marked."""
        return None if (part.targets == 1).any() else max(self.dataset.counts, key=self.dataset.counts.__getitem__)


def _large(dataset: Dataset, present_NK: Ints) -> Ints:
    """Whether a class takes more of an image than of most that have it: 1, 0, or -1 where it is not there, (cases, classes); of boxes
    nothing, (cases, 0)."""
    if dataset.facts.task == "detect":
        return np.zeros((len(present_NK), 0), np.int64)
    share = np.array(dataset.cases["mask_pixels"].to_list(), np.float64)
    share /= dataset.cases.select(pl.col("rows").cast(pl.Int64) * pl.col("columns")).to_numpy()
    middle = np.array([np.median(own[own > 0]) if (own > 0).any() else 0.0 for own in share.T])
    return np.where(present_NK == 1, share > middle, -1).astype(np.int64)


def _held(targets_NF: Ints, inverse: Ints) -> tuple[Ints, Ints]:
    """How many cases of each finding a group has, how many known to be without, and how many in all."""
    labels = np.concatenate([targets_NF == 1, targets_NF == 0], axis=1)
    counts = np.zeros((int(inverse.max()) + 1, labels.shape[1]), dtype=np.int64)
    np.add.at(counts, inverse, labels)
    return counts, np.bincount(inverse)


def _of_use(drawn: Bools, ways: Sequence[Bools], size: Ints, least: int, left: int) -> Bools:
    """Which groups are drawn, (groups,): as they were where of all that one of the `ways` needs `least` groups are among them and
    `left` are not; else some are moved, the smallest first, until that is so of the way that has most groups, as far as it can be.

    >>> needed = np.array([[True, True, True, False, False], [False, False, False, True, True]])
    >>> _of_use(np.array([True, True, True, False, False]), [needed], np.ones(5, np.int64), least=1, left=1).tolist()
    [False, True, True, True, False]
    """
    part = drawn.copy()

    def short(need: Bools) -> tuple[int, int]:
        return least - int((need & part).sum()), left - int((need & ~part).sum())

    if any(max(max(short(need)) for need in way) <= 0 for way in ways):
        return part
    way = max(ways, key=lambda way: int(way.sum(axis=1).min()))
    while True:
        lacks = [short(need) for need in way]
        into = sum(need * (int(here > 0) - int(there >= 0)) for need, (here, there) in zip(way, lacks, strict=True))
        back = sum(need * (int(there > 0) - int(here >= 0)) for need, (here, there) in zip(way, lacks, strict=True))
        gain = np.where(part, back, into)
        if gain.max() <= 0:
            return part
        best = np.flatnonzero(gain == gain.max())
        moved = best[size[best].argmin()]
        part[moved] = ~part[moved]


def _filled(members: Ints, size: Ints, fraction: float, least: int, left: int) -> list[int]:
    """Of the members in their order those whose sizes come nearest to `fraction` of all; one too large is passed over."""
    aim, held = fraction * size.sum(), 0
    found: list[int] = []
    for member, cases in zip(members.tolist(), size.tolist(), strict=True):
        if held + cases / 2 <= aim:
            found.append(member)
            held += cases
    if len(found) < least:
        smallest = members[np.argsort(size, kind="stable")].tolist()
        found += [member for member in smallest if member not in found][: least - len(found)]
    return found[: len(members) - left]
