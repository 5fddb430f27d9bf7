"""The data set: a table of labelled cases, and where their pixels are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .display import Displayed
from .errors import DataError, UsageError
from .facts import Facts
from .marks import with_classes
from .sketches import Rows
from .tags import ABSENT, PRESENT, matrix, realigned

__all__ = ["PARTS", "REJECTED", "Dataset", "require_classes"]

PARTS = ("train", "validation", "test")
REJECTED = {"file": pl.String, "reason": pl.String}
SHOWN = 20  # classes that are named one by one


@dataclass(frozen=True)
class Dataset(Displayed):
    """A table of labelled cases and where their pixels are; a few hundred bytes a case, no pixel in memory.

    `cases` has one row a case; `classes` are the label names in the order of the network's outputs; `positive` is the
    class that sensitivity is about. `root` is the folder (or file) that the column `file` is relative to.
    Columns: see docs/cases.md. Those every data set has: case, file, fragment, label, patient, site, part. Where
    `facts.task` is tag, the classes are findings, a case may have several or none, and the column `findings` says which:
    a list of yes, no or null (unknown), one a class. So it does where the classes are those of masks (segment: column `masks`) or of
    boxes (detect: column `boxes`), whose types core/marks.py has; `label` is then what folders or a table say beside.
    `sketches` are the arrays that a scan keeps of the pixels, by name: histogram uint32 (256,), thumbnail uint8 (32, 32),
    fingerprint float16 (64,) a case. The column `sketch` says which of their rows is a case's.
    `ratings` is what each of several readers said of the cases: case, reader, and label or findings; None where there was one.
    """

    cases: pl.DataFrame
    classes: tuple[str, ...]
    positive: str
    root: str
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED))
    facts: Facts = field(default_factory=Facts)
    sketches: Mapping[str, Rows] = field(default_factory=dict)
    ratings: pl.DataFrame | None = None

    @classmethod
    def of_shards(cls, shards: Sequence[Dataset]) -> Dataset:
        """One data set of several that were scanned apart, below one root and with one $EVENRAY_KEY; sketches in memory.

        The positive class is the first one's. Raises UsageError where the roots differ.

        >>> one = Dataset(pl.DataFrame({"case": ["a"], "sketch": [0]}), ("x",), "x", ".", sketches={"mean": np.array([0.1])})
        >>> two = replace(one, cases=one.cases.with_columns(case=pl.lit("b")), classes=("y",))
        >>> both = Dataset.of_shards([one, two])
        >>> both.classes, both.sketch("mean")
        (('x', 'y'), array([0.1, 0.1]))
        """
        first = shards[0]
        for shard in shards:
            if shard.root != first.root:
                raise UsageError(
                    f"Shards of '{first.root}' and of '{shard.root}' cannot be joined; scan below one root."
                )
        known = [name for name in first.sketches if all(shard.has_sketch(name) for shard in shards)]
        every = {name: [shard.sketch(name) for shard in shards] for name in known}
        classes = tuple(dict.fromkeys(name for shard in shards for name in shard.classes))
        cases = pl.concat([shard._told_of(classes) for shard in shards], how="diagonal_relaxed")
        if known:
            cases = cases.with_columns(sketch=pl.int_range(pl.len(), dtype=pl.UInt32))
        return replace(
            first, cases=cases, classes=classes, rejected=pl.concat([shard.rejected for shard in shards]),
            facts=Facts.of_shards([shard.facts for shard in shards]),
            sketches={name: np.concatenate(arrays) for name, arrays in every.items()},
        )  # fmt: skip

    def _told_of(self, classes: tuple[str, ...]) -> pl.DataFrame:
        """The cases with their findings, masks or boxes in the order of `classes`; those of one class as they are."""
        if self.facts.task == "classify" or classes == self.classes:
            return self.cases
        if self.facts.task != "tag":
            return with_classes(self.cases, self.classes, classes)
        return self.cases.with_columns(findings=realigned(self.cases["findings"], self.classes, classes))

    def has_sketch(self, name: str) -> bool:
        """Whether the cases have a sketch of this name; tables from elsewhere have none."""
        return name in self.sketches and "sketch" in self.cases.columns

    def sketch(self, name: str, rows: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """The sketches of all cases, or of those at row numbers of `cases`: an array (cases, ...), read when asked for.

        >>> means = {"mean": np.array([0.1, 0.2, 0.3])}
        >>> data = Dataset(pl.DataFrame({"case": ["c", "a"], "sketch": [2, 0]}), ("x", "y"), "x", ".", sketches=means)
        >>> data.sketch("mean"), data.sketch("mean", np.array([1]))
        (array([0.3, 0.1]), array([0.1]))
        """
        numbers = self.cases["sketch"] if rows is None else self.cases["sketch"].gather(rows)
        return self.sketches[name][numbers.to_numpy().astype(np.int64)]

    def to_learn_from(self) -> Dataset:
        """The data set itself; DataError where it has fewer than two classes, or no finding that some have and some have
        not: of these nothing can be learnt."""
        if self.facts.task == "classify":
            require_classes(self.classes, self.root, len(self))
        elif self.facts.task != "tag":
            if not (self.targets == 1).any():
                raise DataError(
                    f"Nothing is marked in any of the {len(self)} images of '{self.root}'; check the masks or boxes, and which of"
                    " their values is what."
                )
        elif not ((self.targets == 1).any(axis=0) & (self.targets == 0).any(axis=0)).any():
            raise DataError(
                f"None of the findings {', '.join(self.classes[:SHOWN])} is known to be present in some of the {len(self)}"
                f" images of '{self.root}' and absent in others; check the columns of labels (a blank is unknown, unless"
                " --column 'findings=NAME:blank=0' says that it means no)."
            )
        return self

    def with_cases(self, cases: pl.DataFrame) -> Dataset:
        """The same data set with another table of cases."""
        return replace(self, cases=cases)

    def part(self, name: str) -> Dataset:
        """The cases of one part: train, validation or test."""
        if "part" not in self.cases.columns:
            raise DataError("The cases are not split yet; run 'evenray split' first.")
        return replace(self, cases=self.cases.filter(pl.col("part") == name))

    @property
    def targets(self) -> NDArray[np.int64]:
        """The class index of every case, int64 (cases,); of findings, and of what masks or boxes mark, 1 present, 0 absent, -1
        unknown: int64 (cases, classes)."""
        if self.facts.task != "classify":
            return matrix(self.cases["findings"], len(self.classes))
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array([index[label] for label in self.cases["label"]], dtype=np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Cases a class, in class order; of a finding those that have it, of masks and boxes those with the class in them."""
        if self.facts.task != "classify":
            return dict(zip(self.classes, (self.targets == 1).sum(axis=0).tolist(), strict=True))
        found = dict(self.cases["label"].value_counts().iter_rows())
        return {name: int(found.get(name, 0)) for name in self.classes}

    def finding(self, name: str) -> Dataset:
        """One finding by itself: the cases of which it is known, with the classes absent and present."""
        has = pl.col("findings").list.get(self.classes.index(name))
        label = pl.when(has).then(pl.lit(PRESENT)).otherwise(pl.lit(ABSENT))
        cases = self.cases.filter(has.is_not_null()).with_columns(label=label).drop("findings")
        facts = self.facts.model_copy(update={"task": "classify"})
        return replace(self, cases=cases, classes=(ABSENT, PRESENT), positive=PRESENT, facts=facts)

    @property
    def members(self) -> dict[str, NDArray[np.bool_]]:
        """Which cases have each class or finding, bool (cases,)."""
        targets = self.targets
        if self.facts.task != "classify":
            return dict(zip(self.classes, (targets == 1).T, strict=True))
        return {name: targets == k for k, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return self.cases.height

    def __repr__(self) -> str:
        """A few lines: where the cases are, how many of each class and part, and what was set aside.

        >>> Dataset(pl.DataFrame({"case": ["a", "b"], "label": ["x", "y"], "part": ["train", None]}), ("x", "y"), "y", "films")
        Dataset of 2 cases in 'films'
          classes    x 1, y 1 (positive: y)
          parts      train 1, not divided 1
          set aside  0 files
        """
        classes = ", ".join(f"{name} {count}" for name, count in list(self.counts.items())[:SHOWN])
        if len(self.classes) > SHOWN:
            classes += f", and {len(self.classes) - SHOWN} more"
        parts = (
            self.cases["part"].fill_null("not divided").value_counts(sort=True)
            if "part" in self.cases.columns
            else None
        )
        divided = "" if parts is None else ", ".join(f"{name} {count}" for name, count in parts.iter_rows())
        return (
            f"Dataset of {len(self)} cases in '{self.root}'\n"
            f"  {self._told(classes)}\n"
            f"  parts      {divided or 'not divided'}\n"
            f"  set aside  {self.rejected.height} {'file' if self.rejected.height == 1 else 'files'}"
        )

    def _told(self, classes: str) -> str:
        if self.facts.task != "classify":
            return f"{'findings ' if self.facts.task == 'tag' else 'images of'}  {classes}"
        return (
            f"classes    {f'{classes} (positive: {self.positive})' if classes else 'none: the images have no labels'}"
        )


def require_classes(classes: Collection[str], root: object, images: int) -> None:
    """DataError where there are no two classes; an audit does without, a classifier does not.

    >>> require_classes(["well"], "films", 3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: All 3 images of 'films' have the label 'well'; a classifier needs two classes or more. ...
    """
    if len(classes) > 1:
        return
    if classes:
        raise DataError(
            f"All {images} images of '{root}' have the label '{next(iter(classes))}'; a classifier needs two classes or"
            " more. Check the folder or the column of labels."
        )
    raise DataError(
        f"The {images} images of '{root}' have no labels: put them into one folder a class, or give --labels TABLE."
    )
