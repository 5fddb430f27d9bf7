"""The entries of a listing: each file, or image of an archive, with what its place says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from evenray.core.annotations import Reading
from evenray.core.facts import PatientPattern
from evenray.core.messages import Message
from evenray.core.understood import Understood
from evenray.data.annotations.found import Annotated, Annotations
from evenray.data.tables.labels import LabelTable

__all__ = ["Entry", "Listing", "Rejected"]

Rejected = tuple[tuple[str, str], ...]  # what cannot become an image, each with the reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One file (or one image of an archive) with what its place in the layout says; None where it says nothing.

    `patient` wins over the header; `folder` is a folder that holds a patient's images, and counts where the header names nobody.
    """

    file: str
    fragment: str | None = None
    label: str | None = None
    patient: str | None = None
    folder: str | None = None
    part: str | None = None
    findings: tuple[bool | None, ...] | None = None
    annotated: Annotated | None = None


@dataclass(frozen=True)
class Listing:
    """All entries, in a fixed order, with the folder they are relative to; `table` labels them once they are read.

    `unlabelled` counts what the layout names but does not label. `notes` say what was taken for what, and what is left
    out. `unopened` are folders that cannot be opened, and why; `tables` all tables below the folder, `boxes` those of places in
    images that are not used; `annotations` the masks or boxes that the entries have, where these are the task. `names` are the
    findings of the entries, where they have some. `pattern` is None where the pattern of patients is in all paths of unknown
    patient, or none was given; `without_pattern` is a path that lacks it.
    """

    root: Path
    entries: tuple[Entry, ...]
    table: LabelTable | None = None
    layout: str = ""
    unlabelled: int = 0
    rejected: Rejected = ()
    notes: tuple[Message, ...] = ()
    unopened: Rejected = ()
    boxes: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    annotations: Annotations | None = None
    pattern: PatientPattern | None = None
    without_pattern: str = ""
    understood: Understood = field(default_factory=lambda: Understood(source=""))
    names: tuple[str, ...] = ()
    ordered: bool = False

    @property
    def reading(self) -> Reading:
        """The task that the labels are of."""
        if self.annotations is not None:
            return Reading(self.annotations.task)
        several = self.table.names if self.table is not None else self.names
        return Reading("tag" if several else "classify", self.ordered and not several)

    @property
    def pattern_note(self) -> Message | None:
        """What the pattern of patients did not find. For the terminal alone: the path may name a patient."""
        if self.pattern is None:
            return None
        values = {"paths": self.pattern.paths, "matched": self.pattern.matched, "example": self.without_pattern}
        return Message("scan.pattern", values)

    @property
    def doubts(self) -> list[Message]:
        """What may be the true cause where labels are missing."""
        unopened = [Message("scan.unopened", {"folder": folder, "why": why}) for folder, why in self.unopened[:1]]
        return [*unopened, *self.notes]

    @property
    def labels(self) -> set[str]:
        """The labels that can be met, known before any file is opened."""
        if self.annotations is not None:
            return set(self.annotations.classes)
        if self.table is not None:
            return set(self.table.labels)
        return set(self.names) or {entry.label for entry in self.entries if entry.label is not None}
