"""What the names of files say where folders and tables do not: the words in them, which may be patients or classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from evenray.data.tables.match_paths import without_ending
from evenray.data.tables.words import DATE

from .levels import PATIENT, Level, level_of, names_by_depth

__all__ = ["NAME", "Persons", "name_levels", "persons_in_paths", "word_at", "words_of"]

NAME = re.compile(r"name-?[1-9]", re.IGNORECASE)  # name1 is the first word, name-1 the last
CALLED = re.compile(
    r"(?:patients?|pat|subjects?|subj|sub|persons?|case|pt|participant|mrn|pid|환자|대상자|피험자)\d+", re.IGNORECASE
)
FEWEST, LARGEST = 5, 0.2  # patients; share of the images that are one patient's
FROM_START, REPEATED = 0.8, 0.5
MOST_CLASSES, EACH = 20, 3


@dataclass(frozen=True)
class Persons:
    """The person of each file, and where that stands: `place` is a level of folders or a word of the names."""

    place: str
    of: dict[str, str]


def words_of(file: str) -> list[str]:
    """The words of a file's name.

    >>> words_of("train/CNV/CNV-1016042-1.jpeg")
    ['CNV', '1016042', '1']
    """
    return re.split(r"[-_ ]+", without_ending(file.rpartition("/")[2]))


def word_at(words: list[str], place: str) -> str | None:
    """The word that name1, name2, ... or name-1, name-2, ... mean; None where there is none."""
    at = int(place.lower().removeprefix("name"))
    at = at - 1 if at > 0 else at
    return words[at] if -len(words) <= at < len(words) else None


def name_levels(files: Iterable[str]) -> list[Level]:
    """The words of names, counted from the start and from the end, that may be classes: few, often repeated, and no numbers.

    >>> [(level.place, sorted(level.names)) for level in name_levels(f"P{n}_{n}_{w}.png" for n in range(3) for w in ("sick", "well"))]
    [('name-1', ['sick', 'well'])]
    """
    words = [words_of(file) for file in files]
    places = [f"name{at}" for at in (-1, 1, -2, 2, -3, 3)]
    found: list[Level] = []
    for place in places:
        kinds = Counter(word_at(each, place) for each in words)
        names = {word: {""} for word in kinds if word is not None}
        if None in kinds or not 2 <= len(kinds) <= MOST_CLASSES or min(kinds.values()) < EACH:
            continue
        level = level_of(place, names)
        alike = any(other.names.keys() == names.keys() for other in found)
        if not alike and level.kind in ("label", "numbered") and not all(map(str.isdecimal, names)):
            found.append(level)
    return found


def persons_in_paths(files: list[str]) -> Persons | None:
    """The persons that folders or names tell: called as such (patient00001, 환자07), or numbers whose images are counted from 1.

    >>> persons_in_paths([f"{c}/{c}-{p}-{n}.png" for c in ("CNV", "DME") for p in range(101, 107) for n in (1, 2, 3)]).place
    'name2'
    >>> persons_in_paths(["a/patient1/x.png", "a/patient2/x.png"]).place
    'folder2'
    """
    for depth, names in enumerate(names_by_depth(files)):
        if len(names) > 1 and all(map(PATIENT.fullmatch, names)):
            return Persons(f"folder{depth + 1}", {f: f.split("/")[depth] for f in files if f.count("/") > depth})
    words = {file: words_of(file) for file in files}
    for at in range(min(map(len, words.values()), default=0)):
        called = {file: each[at] for file, each in words.items()}
        # A number of its own for each image may be the image's.
        if len(set(called.values())) <= REPEATED * len(files) and all(map(CALLED.fullmatch, called.values())):
            return Persons(f"name{at + 1}", called)
    return _counted(words)


def _counted(words: dict[str, list[str]]) -> Persons | None:
    """The number before the last of names, where that one counts the images of each from 0 or 1."""
    width = len(next(iter(words.values()), []))
    if width < 2 or any(len(each) != width or not each[-1].isdecimal() for each in words.values()):
        return None
    persons = {file: each[-2] for file, each in words.items()}
    numbered = all(re.search(r"\d", person) and not DATE.fullmatch(person) for person in persons.values())
    images = Counter(persons.values())
    if not numbered or len(images) < FEWEST or max(images.values()) > LARGEST * len(words):
        return None
    groups: dict[tuple[str, ...], list[int]] = {}
    for file, each in words.items():
        groups.setdefault((file.rpartition("/")[0], *each[:-1]), []).append(int(each[-1]))
    starts: dict[tuple[str, ...], int] = {}
    for (_, *name), numbers in groups.items():  # a person may be in several folders, as of a split
        starts[tuple(name)] = min(starts.get(tuple(name), min(numbers)), *numbers)
    repeated = sum(count for count in images.values() if count > 1)
    distinct = all(len(set(numbers)) == len(numbers) for numbers in groups.values())
    if (
        not distinct
        or sum(start < 2 for start in starts.values()) < FROM_START * len(starts)
        or repeated < REPEATED * len(words)
    ):
        return None
    return Persons(f"name{width - 1}", persons)
