"""Who is who before names are taken away: what headers say of persons, and where one identifier stands for several."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evenray.images.readers import sniff
from evenray.images.readers._source import Source
from evenray.images.readers.dicom_elements import text
from evenray.images.readers.dicom_parse import parse, quiet

__all__ = ["Person", "mixed", "person_of"]


@dataclass(frozen=True)
class Person:
    """What a DICOM header says of the patient; "" for what it does not."""

    identifier: str
    issuer: str
    name: str
    birth: str
    sex: str


def person_of(path: Path) -> Person | None:
    """The patient of a DICOM file; None for other files. ReadError where the header cannot be read."""
    if sniff(path) != "dicom":
        return None
    with quiet():
        groups = [parse(Source.of(path))]
        keywords = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
        return Person(*(text(groups, keyword) for keyword in keywords))


def mixed(persons: Iterable[Person]) -> bool:
    """Whether headers of one identifier speak of several persons: dates of birth, sexes or issuers differ, or both the spelling
    of the identifier and the name.

    >>> one = Person("P7", "", "Kim^Minsu", "19600101", "M")
    >>> mixed([one, Person("P7", "", "", "", "M")]), mixed([one, Person("p7", "", "KIM^MINSU", "", "")])
    (False, False)
    >>> mixed([one, Person("P7", "", "Kim^Minsu", "19710101", "M")]), mixed([one, Person("p7", "", "Lee^Jiwoo", "", "M")])
    (True, True)
    """
    known = list(persons)

    def differ(values: Iterable[str]) -> bool:
        return len({value for value in values if value}) > 1

    if differ(one.birth for one in known) or differ(one.issuer for one in known):
        return True
    if differ(one.sex for one in known if one.sex in ("M", "F")):
        return True
    return differ(one.identifier for one in known) and differ(_plain(one.name) for one in known)


def _plain(name: str) -> str:
    """A name without what spellings of one name differ by: case, order marks, and other scripts behind the first."""
    first = unicodedata.normalize("NFKC", name).split("=")[0].casefold()
    return "".join(sorted(letter for letter in first if letter.isalnum()))
