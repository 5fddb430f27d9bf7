"""Which images of a study are for the model: by modality, body part and view, and never what programs have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage, SegmentationStorage

__all__ = ["Rules"]

MADE = {
    "WSD",
    "SYN",
}  # ConversionType of a capture that a workstation has made: a screen, a dose report, somebody's overlay
# Of each rule the attribute, and the sequence of codes that says the same in newer objects.
ATTRIBUTES = {
    "modality": ("Modality", ""),
    "body_part": ("BodyPartExamined", "AnatomicRegionSequence"),
    "view": ("ViewPosition", "ViewCodeSequence"),
}


@dataclass(frozen=True)
class Rules:
    """An image has to have one of the values of each rule; a rule without values is no rule. Case does not count.

    >>> header = Dataset()
    >>> header.Rows, header.Modality, header.BodyPartExamined = 2, "DX", "CHEST"
    >>> Rules(modality=("cr", "dx")).chosen([header]) == [header], Rules(view=("PA",)).chosen([header])
    (True, [])
    """

    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    view: tuple[str, ...] = ()

    def chosen(self, headers: Sequence[Dataset]) -> list[Dataset]:
        """The images for the model out of the headers of a study, in the order of series and instances."""
        found = [
            header for header in headers if _image(header) and all(self._fits(header, rule) for rule in ATTRIBUTES)
        ]
        return sorted(found, key=_place)

    def _fits(self, header: Dataset, rule: str) -> bool:
        wanted = {value.upper() for value in getattr(self, rule)}
        keyword, codes = ATTRIBUTES[rule]
        said = {str(header.get(keyword) or "").upper()}
        said |= {str(code.get("CodeMeaning") or "").upper() for code in (header.get(codes) or [])} if codes else set()
        return not wanted or bool(wanted & said)


def _place(header: Dataset) -> tuple[str, int, str]:
    return (
        str(header.get("SeriesInstanceUID")),
        int(header.get("InstanceNumber") or 0),
        str(header.get("SOPInstanceUID")),
    )


def _image(header: Dataset) -> bool:
    """Whether an instance is an image that somebody has taken."""
    kind = str(header.get("SOPClassUID"))
    if not header.get("Rows") or kind == SegmentationStorage:
        return False
    return not (kind.startswith(SecondaryCaptureImageStorage) and header.get("ConversionType") in MADE)
