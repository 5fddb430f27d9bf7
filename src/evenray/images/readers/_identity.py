"""Whose image a file holds, as its header has it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity:
    """The identifiers of a file, raw: None for what is absent."""

    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    patient_id: str | None = None
    patient_name: str | None = None
    sex: str | None = None
    birth_year: int | None = None
    age: int | None = None
    site: str | None = None
