"""What the Basic Application Level Confidentiality Profile does with each attribute (DICOM PS3.15, table E.1-1).

The table is that of the package dicom-anonymizer, edition 2026c. Where the standard leaves a choice that depends on the type of the
attribute (X/Z, X/D, ...), what keeps every object valid is taken: a value without meaning rather than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from evenray.core.errors import MissingExtra

__all__ = ["EDITION", "Action", "action"]

EDITION = "2026c"
Action = Literal["remove", "empty", "clear", "dummy", "uid", "inside"]
# Categories of the table -> what is done. "clear" empties a value and removes a sequence, which is absent or has items; "inside" is
# of sequences of references, whose UIDs are replaced where they stand.
ACTIONS: dict[str, Action] = {
    "X_TAGS": "remove", "Z_TAGS": "empty", "X_Z_TAGS": "clear", "D_TAGS": "dummy", "Z_D_TAGS": "dummy", "X_D_TAGS": "dummy",
    "X_Z_D_TAGS": "dummy", "U_TAGS": "uid", "X_Z_U_STAR_TAGS": "inside",
}  # fmt: skip


def action(tag: int) -> Action | None:
    """What the profile does with an attribute; None where it says nothing.

    >>> action(0x00100010), action(0x00080018), action(0x00280010)  # PatientName, SOPInstanceUID, Rows
    ('empty', 'uid', None)
    """
    return _table().get(tag)


@cache
def _table() -> Mapping[int, Action]:
    try:
        from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
    except ImportError:
        raise MissingExtra("de-identification", "dicom-anonymizer", "pacs") from None
    found = dicom_anonymization_database_selector(f"dicomfields_{EDITION}")
    # Entries of four numbers are the repeating groups of curves and overlays, which go as a whole.
    return {tag[0] << 16 | tag[1]: done for name, done in ACTIONS.items() for tag in found[name] if len(tag) == 2}
