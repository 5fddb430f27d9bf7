"""Facts about a data set as a whole, beside its table of cases: how it was read, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from .annotations import Task
from .messages import Message
from .told import Told
from .understood import Understood

__all__ = ["Facts", "PatientPattern", "Told"]


class PatientPattern(BaseModel):
    """In how many paths the pattern of --patient was searched, and in how many it was found."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    paths: int
    matched: int


class Facts(BaseModel):
    """`layout` is how the data are laid out; `value_range` the grey range that the user gave; `unlabelled` how many
    images have no label; `notes` what was taken for what and what is left out; `positive_why` why that class is
    the positive one; `patients_known` whether any patient is (None: nobody has looked); `patient_pattern` is None
    where the pattern of --patient is in every path, or none was given; `box_tables` are tables of places in the
    images, such as lesions; `names_files` whether cases are called by their files (--names) rather than by pseudonyms
    (None: nobody knows). `task` is what an annotation is: one class a case (classify), several findings (tag), masks
    (segment) or boxes (detect);
    `ordered` says that the classes are grades; `understood` is what columns and folders were taken to mean.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    layout: str = ""
    task: Task = "classify"
    ordered: bool = False
    value_range: tuple[float, float] | None = None
    unlabelled: int = 0
    notes: tuple[Told, ...] = ()
    positive_why: Told | None = None
    patients_known: bool | None = None
    patient_pattern: PatientPattern | None = None
    synthetic: bool = False
    box_tables: tuple[str, ...] = ()
    names_files: bool | None = None
    understood: Understood | None = None

    @classmethod
    def of_shards(cls, shards: Sequence[Facts]) -> Facts:
        """The facts of data that were scanned in several pieces; what must be the same for all is that of the first.

        >>> both = Facts.of_shards([Facts(unlabelled=1), Facts(unlabelled=2, synthetic=True)])
        >>> both.unlabelled, both.synthetic
        (3, True)
        """
        known = [shard.patients_known for shard in shards if shard.patients_known is not None]
        patterns = [shard.patient_pattern for shard in shards if shard.patient_pattern]
        pattern = PatientPattern(paths=sum(p.paths for p in patterns), matched=sum(p.matched for p in patterns))
        notes: list[Message] = []
        for note in (note for shard in shards for note in shard.notes):
            notes += [] if note in notes else [note]
        changes = {
            "unlabelled": sum(shard.unlabelled for shard in shards),
            "notes": tuple(notes),
            "patients_known": any(known) if known else None,
            "patient_pattern": pattern if patterns else None,
            "synthetic": any(shard.synthetic for shard in shards),
            "box_tables": tuple(dict.fromkeys(name for shard in shards for name in shard.box_tables)),
        }
        return shards[0].model_copy(update=changes)
