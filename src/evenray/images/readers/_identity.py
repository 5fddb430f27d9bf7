"""Whose image a file holds, as its header has it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity:
    """The identifiers of a file, raw: None for what is absent.

    `laterality` is L, R or B. `kind` is what a file is that is no image for diagnosis: localizer, secondary_capture,
    structured_report, presentation_state, segmentation, radiotherapy or document.
    """

    sop_instance_uid: str | None = None
    series_instance_uid: str | None = None
    study_instance_uid: str | None = None
    accession_number: str | None = None
    patient_id: str | None = None
    patient_name: str | None = None
    sex: str | None = None
    birth_year: int | None = None
    age: int | None = None
    site: str | None = None
    laterality: str | None = None
    kind: str | None = None
