"""Identifiers of patients: when two spellings are one, and which words name nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["FEWEST_SHARED", "SHARED", "canonical", "is_nobody", "looks_like_identifiers"]

NOBODY = {
    "", "-", "--", "na", "n/a", "nan", "null", "none", "unknown", "unk", "removed", "anon", "anonymous", "anonymized",
    "anonymised", "deidentified", "de-identified", "redacted", "hidden", "private", "patient", "patientid", "test", "xxx", "xxxx",
    "미상", "익명", "비공개", "없음", "환자", "匿名",
}  # fmt: skip
SHARED, FEWEST_SHARED = 0.5, 8  # a patient of more than half of so many images is a placeholder
PLACEHOLDER = re.compile(r"anon\w{0,12}[-_ ]?0*|x{3,}|[*?.-]+")
NUMBERED = re.compile(r"[A-Za-z가-힣]*[-_ .]?\d[\w.-]*|[0-9a-f]{6,}", re.IGNORECASE)


def canonical(identifier: str) -> str:
    """One spelling of an identifier: case, composed letters, leading zeros and `.0` of numbers, and signs between parts do
    not tell patients apart. Two that differ by nothing else are taken as one person, who then stands on one side of a split.

    >>> canonical("3.0"), canonical("00003"), canonical("PT-07 "), canonical("Pt_07"), canonical("Kim^Minsu")
    ('3', '3', 'pt-07', 'pt-07', 'kim^minsu')
    """
    plain = (identifier if identifier.isascii() else unicodedata.normalize("NFKC", identifier)).strip().casefold()
    if plain.isalnum() and not (plain[0] == "0" and plain.isdecimal()):
        return plain
    if number := re.fullmatch(r"0*(\d+)(?:\.0*)?", plain):
        return number[1]
    return re.sub(r"[\s_-]+", "-", plain)


def is_nobody(identifier: str) -> bool:
    """Whether a text stands where an identifier was taken out. A number may be a patient's; one that most images share is none.

    >>> is_nobody("ANON"), is_nobody("removed"), is_nobody("0"), is_nobody("P1")
    (True, True, False, False)
    """
    plain = identifier.strip().casefold()
    return plain in NOBODY or PLACEHOLDER.fullmatch(plain) is not None


def looks_like_identifiers(values: Iterable[str]) -> bool:
    """Whether values are named as things that are numbered: letters and digits, nearly all different in the digits.

    >>> looks_like_identifiers(["IP_0001", "IP_0002"]), looks_like_identifiers(["sick", "well"]), looks_like_identifiers(["a1f0c3d2"])
    (True, False, True)
    """
    values = list(values)
    return bool(values) and sum(NUMBERED.fullmatch(value) is not None for value in values) >= 0.95 * len(values)
