"""The entries of a listing: each file, or image of an archive, with what its place says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evenray.data.tables.labels import LabelTable

__all__ = ["SHUT", "Entry", "Listing", "Searched"]

SHUT = "is a folder that cannot be opened"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file (or one image of an archive) with what its place in the layout says; None where it says nothing."""

    file: str
    fragment: str | None = None
    label: str | None = None
    patient: str | None = None
    site: str | None = None
    sex: str | None = None
    age: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Searched:
    """In how many paths the pattern of patients was searched, and found; and one that it is not in.

    >>> Searched(430, 130, "sick/a.png").sentence
    "the pattern of --patient matched 130 of 430 paths; it is not in 'sick/a.png', for one"
    """

    paths: int
    matched: int
    without: str

    @property
    def sentence(self) -> str:
        """For the terminal alone: a path may name a patient."""
        return f"the pattern of --patient matched {self.matched} of {self.paths} paths; it is not in '{self.without}', for one"


@dataclass(frozen=True)
class Listing:
    """All entries, in a fixed order, with the folder they are relative to; `table` labels them once they are read.

    `unlabelled` counts what the layout names but does not label. `rejected` is what cannot become an image, file and
    reason; `notes` are sentences about what was taken for what, and about what is left out. `searched` is None where the
    pattern of patients is in all paths of unknown patient, or none was given.
    """

    root: Path
    entries: tuple[Entry, ...]
    table: LabelTable | None = None
    layout: str = ""
    unlabelled: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    searched: Searched | None = None

    @property
    def doubts(self) -> str:
        """What may be the true cause where labels are missing, to stand behind the sentence that says so."""
        shut = [f"{file} {reason}" for file, reason in self.rejected if reason.startswith(SHUT)]
        return "".join(f" Note: {doubt.removesuffix('.')}." for doubt in [*shut[:1], *self.notes])

    @property
    def labels(self) -> set[str]:
        """The labels that can be met, known before any file is opened."""
        found = self.table.table["label"].to_list() if self.table else (entry.label for entry in self.entries)
        return {label for label in found if label is not None}
