"""What data were taken to mean: each column of a table, or level of folders, with its meaning and how that was told."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from .annotations import Task
from .names import printable
from .told import Told

__all__ = ["NAMING", "Understood", "UnderstoodRow"]

# Meanings whose values name people or files: their examples are shown while the table is printed, and never kept.
NAMING = ("path", "sop", "series", "study", "patient", "reader")
HIDDEN = ("sop", "series", "study", "patient", "reader")


class UnderstoodRow(BaseModel):
    """`place` is a column, a level of folders ("folder 2") or a header's tag; `how` it was told: asked for, by another option,
    by its values, by its name. Of `of` different values (of labels: rows) `matched` are of use; `examples` are some of them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    place: str
    meaning: str
    how: Literal["asked", "option", "values", "name"]
    matched: int
    of: int
    examples: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The examples that may be printed: none that names a person."""
        return () if self.meaning in HIDDEN else self.examples


class Understood(BaseModel):
    """`source` is the name of the table, or of what lists the images; `unused` are columns that mean nothing here. `set_aside`
    counts what is no image to train on, by its kind; `counts` are the images or rows of each class or finding;
    `notes` what is to be said beside, before images are read.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    source: str
    rows: tuple[UnderstoodRow, ...] = ()
    unused: tuple[str, ...] = ()
    set_aside: dict[str, int] = {}
    counts: dict[str, int] = {}
    task: Task = "classify"
    ordered: bool = False
    notes: tuple[Told, ...] = ()

    def with_matched(self, matched: int, of: int) -> Understood:
        """The same with how many values of the key, which stands first, found an image."""
        first = self.rows[0].model_copy(update={"matched": matched, "of": of})
        return self.model_copy(update={"rows": (first, *self.rows[1:])})

    def kept(self) -> Understood:
        """The same without what names people or files: what may stand in artefacts and pages, where it is shown as it is."""
        rows = tuple(
            row.model_copy(
                update={
                    "place": printable(row.place),
                    "examples": () if row.meaning in NAMING else tuple(map(printable, row.examples)),
                }
            )
            for row in self.rows
        )
        return self.model_copy(update={"source": "", "rows": rows, "unused": tuple(map(printable, self.unused))})
