"""What a level of folders means: parts of a split, classes, patients, or nothing but where the files are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from evenray.data.annotations.mask_names import is_mask_folder
from evenray.data.tables.meanings import known_values
from evenray.data.tables.parts import part_of, parts_of
from evenray.data.tables.positive import healthy
from evenray.data.tables.words import composed

__all__ = ["PATIENT", "UID", "Kind", "Level", "level_of", "names_by_depth", "parts_and_classes"]

Kind = Literal["split", "storage", "patient", "numbered", "numbers", "label", "one"]
MOST_CLASSES, FEWEST_PATIENTS, MOST_GRADES = 60, 3, 12
MAGNIFICATIONS = {4, 5, 10, 16, 20, 25, 32, 40, 50, 60, 63, 100, 200, 400, 600, 1000}  # of microscopes
STORAGE = re.compile(
    r"(?:.*[-_ ])?(?:images?(?:tr|ts|va)?|imgs?|pics?|pictures?|photos?|data|datasets?|files?|dicoms?|dcm|png|jpe?g|tiff?|nifti|raw"
    r"|originals?|folds?|cv|parts?|batch(?:es)?|sets?|splits?|chunks?|shards?|subsets?|vol(?:ume)?s?|dis[ck]s?|archives?|dirs?|folders?|영상|이미지|데이터)"
    r"[-_ .]*\d*",
    re.IGNORECASE,
)
PATIENT = re.compile(
    r"(?:patients?|pat|subjects?|subj|sub|persons?|case|pt|participant|mrn|pid|환자|대상자|증례|피험자)[-_ .(]*[a-z]{0,4}[-_]?\d+.*",
    re.IGNORECASE,
)
GRADE = re.compile(
    r"(?:.*[-_ ])?(?:grade|stage|class|type|level|score|kl|bi-?rads|cat(?:egory)?|label|group|등급|단계|병기|유형)[-_ .]*\d+[a-d]?",
    re.IGNORECASE,
)
LETTERS = re.compile(r"([^\W\d_]{2,}(?:[-_ ][^\W\d_]+)*)[-_ ]?\d+")
UID = re.compile(r"\d+(\.\d+){3,}")  # as archives call the folders of studies and series
PREFIXED = re.compile(
    r"(?:study|series|exam|scan|image|visit|session|patient|case|검사)[-_ ]?\d+[-_ ](.+)", re.IGNORECASE
)


@dataclass
class Level:
    """The folders at one depth, or the words at one place of names: `place` is what --column calls it, such as folder2 or
    name-1; `names` with the folders that each lies in; `shown` what a name stands for. `persons` says that the names are of
    patients whom they count in each class: AMD1, NORMAL1."""

    place: str
    names: dict[str, set[str]] = field(default_factory=dict)
    kind: Kind = "one"
    persons: bool = False
    shown: dict[str, str] = field(default_factory=dict)

    @property
    def tells_health(self) -> bool:
        return any(healthy(name) for name in set(self.shown.values())) and len(set(self.shown.values())) > 1

    def repeats(self) -> bool:
        """Whether nearly every name lies in several of the folders above, where there are several."""
        above = {folder for folders in self.names.values() for folder in folders}
        return len(above) > 1 and sum(len(folders) > 1 for folders in self.names.values()) * 2 > len(self.names)


def parts_and_classes(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The part of a split and the rest of each name, where all names say both: `train_normal`, `test_covid`. Nothing where one
    does not, or where they say one part or one rest.

    >>> parts_and_classes(["train_normal", "train_covid", "test_normal"])["train_covid"], parts_and_classes(["test_a", "a"])
    (('train', 'covid'), {})
    """
    found = {}
    for name in names:
        words = re.split(r"[-_ ]+", name)
        for part, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
            if rest and part_of(part):
                found[name] = part, "_".join(rest)
                break
        else:
            return {}
    several = all(len({told[at] for told in found.values()}) > 1 for at in (0, 1))
    return found if several else {}


def level_of(place: str, names: dict[str, set[str]]) -> Level:
    """The level with its kind, told by the names alone and by whether they repeat.

    >>> def kinds(*levels):
    ...     return [level_of("folder1", {name: {""} for name in names}).kind for names in levels]
    >>> kinds(("train", "test"), ("fold_0", "fold_1"), ("40X", "100X"))
    ['split', 'storage', 'numbered']
    >>> kinds(("patient1", "patient2"), ("sick", "well"), ("0", "1"), ("1.2.840.1", "1.2.840.2"))
    ['patient', 'label', 'numbers', 'storage']
    """
    level = Level(place, names, shown={name: _shown(name) for name in names})
    level.kind = _kind(level)
    return level


def _shown(name: str) -> str:
    return " ".join(composed(re.sub("[\u200b\u200c\u200d\u2060\ufeff\u00ad]", "", name)).split()) or name


def _kind(level: Level) -> Kind:
    names = list(level.names)
    if (parts := parts_of(names)) is not None:
        level.shown = parts
        return "split"
    if (parts := _parts_within(names)) is not None:
        level.shown = parts
        return "split"
    rests = [PREFIXED.fullmatch(name) for name in names]
    if all(rests):
        shown = {name: _shown(rest[1]) for name, rest in zip(names, rests, strict=True) if rest}
        if 2 <= len(set(shown.values())) <= 5 and any(healthy(rest) for rest in shown.values()):
            level.shown = shown
            return "label"
    if all(STORAGE.fullmatch(name) or UID.fullmatch(name) or is_mask_folder(name) for name in names):
        return "storage"
    if len(names) == 1:
        return "one"
    if all(PATIENT.fullmatch(name) for name in names):
        return "patient"
    if all(_is_number(name) for name in names):
        numbers = sorted(int(name) for name in names)
        grades = numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        persons = len(names) >= FEWEST_PATIENTS and not MAGNIFICATIONS.issuperset(numbers)
        return "numbers" if grades and len(names) <= MOST_GRADES else "patient" if persons else "numbered"
    if all(GRADE.fullmatch(name) for name in names) and len(names) <= MOST_GRADES:
        return "label"
    if known_values(names) is not None:
        return "storage"
    letters = {name: bare[1] for name in names if (bare := LETTERS.fullmatch(name))}
    if (
        len(letters) == len(names)
        and 2 <= len(set(letters.values())) <= len(names) // 2
        and any(map(healthy, letters.values()))
    ):
        level.shown, level.persons = letters, True
        return "label"
    digits = [name for name in names if re.search(r"\d", name) and not healthy(name)]
    skeletons = {re.sub(r"\d+", "#", name) for name in digits}
    if len(digits) == len(names) and len(skeletons) <= max(1, len(names) // 2):
        above = {folder for folders in level.names.values() for folder in folders}
        alone = all(2 * len(folders) <= max(2, len(above)) for folders in level.names.values())  # not in most of them
        return "patient" if alone and len(names) >= FEWEST_PATIENTS * 2 else "numbered"
    if len(names) > MOST_CLASSES:
        return "patient" if len(digits) * 2 > len(names) else "storage"
    return "label"


def _parts_within(names: list[str]) -> dict[str, str] | None:
    """The part of each name, where names are the same but for a word that is one.

    >>> _parts_within(["ISIC2018_Training_Input", "ISIC2018_Test_Input"]), _parts_within(["a_train", "b_test"])
    ({'ISIC2018_Training_Input': 'Training', 'ISIC2018_Test_Input': 'Test'}, None)
    """
    found, rests = {}, set()
    for name in names:
        words = re.split(r"[-_ .]+", name)
        parts = [word for word in words if part_of(word)]
        if len(parts) != 1 or len(words) < 2:
            return None
        found[name] = parts[0]
        rests.add(tuple(word for word in words if word != parts[0]))
    return found if len(names) > 1 and len(rests) == 1 else None


def _is_number(name: str) -> bool:
    return name.isdecimal()


def names_by_depth(files: Iterable[str]) -> list[dict[str, set[str]]]:
    """The names of folders at each depth, each with the folders above it."""
    found: list[dict[str, set[str]]] = []
    for folder in dict.fromkeys(file.rpartition("/")[0] for file in files):
        steps = folder.split("/") if folder else []
        for depth, name in enumerate(steps):
            if depth == len(found):
                found.append({})
            found[depth].setdefault(name, set()).add("/".join(steps[:depth]))
    return found
