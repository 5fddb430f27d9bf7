"""What the names of files say where folders and tables do not: the words in them, which may be patients or classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from evenray.data.tables.match_paths import without_ending
from evenray.data.tables.words import DATE, composed

from .levels import PATIENT, Level, level_of, names_by_depth

__all__ = ["NAME", "Persons", "name_levels", "persons_in_paths", "word_at", "words_of"]

NAME = re.compile(r"name-?[1-9]", re.IGNORECASE)  # name1 is the first word, name-1 the last
CALLED = re.compile(
    r"(?:patients?|pat|subjects?|subj|sub|persons?|case|pt|participant|mrn|pid|환자|대상자|피험자)\d+", re.IGNORECASE
)
CALLED_APART = re.compile(CALLED.pattern.replace(r"\d+", r"-\d+"), re.IGNORECASE)
FEWEST, LARGEST = 5, 0.2  # patients; share of the images that are one patient's
FROM_START, REPEATED = 0.8, 0.5
SIDED = re.compile(r"(.*\d.*?)(?:[-_ ](?:left|right|od|os|l|r)|(?<=\d)[lr])(?![^\W\d_])(?:[-_ ].*)?", re.IGNORECASE)
MOST_CLASSES, EACH = 20, 3
CODE = 8  # letters and digits
EXPORTED = re.compile(r"(.+?)[-_.](?:jpe?g|png|bmp|tiff?|webp)\.rf\.[0-9a-zA-Z]+", re.IGNORECASE)
LETTERS = re.compile(r"([^\W\d_]+)\d+")


@dataclass(frozen=True)
class Persons:
    """The person of each file, and where that stands: `place` is a level of folders or a word of the names."""

    place: str
    of: dict[str, str]


def words_of(file: str) -> list[str]:
    """The words of a file's name.

    >>> words_of("train/CNV/CNV-1016042-1.jpeg"), words_of("7-[1 0 0].png")
    (['CNV', '1016042', '1'], ['7', '[1 0 0]'])
    """
    return re.split(r"[-_ ]+(?![^\[]*\])", composed(without_ending(file.rpartition("/")[2])))


def word_at(words: list[str], place: str) -> str | None:
    """The word that name1, name2, ... or name-1, name-2, ... mean; None where there is none."""
    at = int(place.lower().removeprefix("name"))
    at = at - 1 if at > 0 else at
    return words[at] if -len(words) <= at < len(words) else None


def name_levels(files: Iterable[str]) -> list[Level]:
    """The words of names, counted from the start and from the end, that may be classes: few and often repeated; numbers only
    as the last word, where each stands behind a number of its own and so counts nothing.

    >>> [(level.place, sorted(level.names)) for level in name_levels(f"P{n}_{n}_{w}.png" for n in range(3) for w in ("sick", "well"))]
    [('name-1', ['sick', 'well'])]
    >>> [sorted(level.names) for level in name_levels(f"CHNCXR_{n:04d}_{n % 2}.png" for n in range(8))]
    [['0', '1']]
    >>> [level.shown["COVID3"] for level in name_levels(f"{w}{n}.png" for n in range(4) for w in ("COVID", "Normal"))]
    ['COVID']
    """
    words = [words_of(file) for file in files]
    alone = len({tuple(each[:-1]) for each in words}) == len(words)
    places = [f"name{at}" for at in (-1, 1, -2, 2, -3, 3)]
    found: list[Level] = []
    for place in places:
        told = [word_at(each, place) for each in words]
        if None in told:
            continue
        shown = shown_words(word for word in told if word is not None)
        kinds = Counter(shown[word] for word in told if word is not None)
        if not 2 <= len(kinds) <= MOST_CLASSES or min(kinds.values()) < EACH:
            continue
        level = replace(
            level_of(place, {word: {""} for word in kinds}), names={word: {""} for word in shown}, shown=shown
        )
        alike = any(set(other.shown.values()) == set(kinds) for other in found)
        grades = level.kind == "numbers" and place == "name-1" and alone
        if not alike and (grades or (level.kind in ("label", "numbered") and not all(map(str.isdecimal, kinds)))):
            found.append(level)
    return found


def shown_words(words: Iterable[str]) -> dict[str, str]:
    """What each of the words of names stands for: itself, or its letters where they are letters and a number that counts.

    >>> shown_words(["a1", "a1", "b1", "b1"]), shown_words(["a1", "a2", "b1", "b2"])
    ({'a1': 'a1', 'b1': 'b1'}, {'a1': 'a', 'a2': 'a', 'b1': 'b', 'b2': 'b'})
    """
    counts = Counter(words)
    letters = {word: match[1] for word in counts if (match := LETTERS.fullmatch(word))}
    counted = len(letters) == len(counts) and 2 * len(counts) > counts.total()
    return letters if counted and len(set(letters.values())) > 1 else {word: word for word in counts}


def persons_in_paths(files: list[str]) -> Persons | None:
    """The persons that folders or names tell: called as such (patient00001, patient_01, 환자07), numbers that a side follows (10_left,
    9003175R), or numbers whose images are counted from 1.

    >>> persons_in_paths([f"{c}/{c}-{p}-{n}.png" for c in ("CNV", "DME") for p in range(101, 107) for n in (1, 2, 3)]).place
    'name2'
    >>> persons_in_paths(["a/patient1/x.png", "a/patient2/x.png"]).place
    'folder2'
    >>> persons_in_paths([f"{n}_{side}.jpeg" for n in range(10, 20) for side in ("left", "right")]).of["12_left.jpeg"]
    '12'
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
        apart = {file: "-".join(each[at : at + 2]) for file, each in words.items()}
        if len(set(apart.values())) <= REPEATED * len(files) and all(map(CALLED_APART.fullmatch, apart.values())):
            return Persons(f"name{at + 2}", apart)
    return (
        _sided(files)
        or _exported(files)
        or _cut_out(files)
        or _counted(words)
        or _sliced(words)
        or _hashed(words)
        or _numbered_folders(files)
    )


def _exported(files: list[str]) -> Persons | None:
    """The image that files are versions of, as Roboflow calls them: x_jpg.rf.3f2a.jpg and x_jpg.rf.91bc.jpg, beside x.jpg itself. One
    image of two versions is enough, as such names mean nothing else; where each stands alone, they tell nothing of patients."""
    stems = {file: without_ending(file.rpartition("/")[2]) for file in files}
    found = {file: match[1] for file, stem in stems.items() if (match := EXPORTED.fullmatch(stem))}
    originals = set(found.values())
    found |= {file: stem for file, stem in stems.items() if file not in found and stem in originals}
    return Persons("name1", found) if len(originals) < len(found) else None


def _sliced(words: dict[str, list[str]]) -> Persons | None:
    """What names begin with where the last number runs on without a gap within each (OAS1_0028_MR1_mpr-1_100, ..._101) and the
    same numbers come again in others: the fewest words that tell many apart."""
    width = len(next(iter(words.values()), []))
    if width < 2 or any(len(each) != width or not each[-1].isdecimal() for each in words.values()):
        return None
    runs: dict[tuple[str, ...], list[int]] = {}
    for each in words.values():
        runs.setdefault(tuple(each[:-1]), []).append(int(each[-1]))
    whole = [len(n) for n in runs.values() if len(n) > 1 and max(n) - min(n) + 1 == len(n) == len(set(n))]
    again = len({each[-1] for each in words.values()}) <= REPEATED * len(words)
    if not again or sum(whole) < FROM_START * len(words):
        return None
    for at in range(1, width):
        kinds = {each[at - 1] for each in words.values()}
        images = Counter(tuple(each[:at]) for each in words.values())
        telling = all(re.search(r"\d", kind) and not DATE.fullmatch(kind) for kind in kinds) and len(kinds) >= FEWEST
        if telling and max(images.values()) <= LARGEST * len(words):
            return Persons(f"name{at}", {file: "-".join(each[:at]) for file, each in words.items()})
    return None


def _hashed(words: dict[str, list[str]]) -> Persons | None:
    """What names begin with where that is a long code which several images have, as of a video and its frames."""
    persons = {file: each[0] for file, each in words.items()}
    images = Counter(persons.values())
    codes = all(len(code) >= CODE and re.fullmatch(r"(?=.*[a-f])(?=.*\d)[0-9a-f]+", code) for code in images)
    if not codes or not FEWEST <= len(images) <= REPEATED * len(words) or max(images.values()) > LARGEST * len(words):
        return None
    return Persons("name1", persons)


def _cut_out(files: list[str]) -> Persons | None:
    """Images and what was cut out of each, in a folder below with names that begin with theirs: 001.png and cropped/001_02.png."""
    stems = {without_ending(file) for file in files}
    found: dict[str, str] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        above, stem = folder.rpartition("/")[0], without_ending(name)
        starts = [stem[: cut.start()] for cut in re.finditer(r"[-_ ]", stem)]
        places = [f"{above}/{start}" if above else start for start in reversed(starts)]
        if folder and (whole := next((place for place in places if place in stems), None)):
            found[file] = whole
    wholes = set(found.values())
    if len(wholes) < FEWEST:
        return None
    found |= {file: stem for file in files if (stem := without_ending(file)) in wholes}
    return Persons("name1", found) if 2 * len(found) > len(files) else None


def _numbered_folders(files: list[str]) -> Persons | None:
    """Folders that count up in a word of their own (train_1, TCGA-AA-0001), many, with several files each."""
    for depth, names in enumerate(names_by_depth(files)):
        told = level_of(f"folder{depth + 1}", names).kind == "patient" and not any(map(str.isdecimal, names))
        if told and FEWEST < len(names) <= REPEATED * len(files):
            return Persons(f"folder{depth + 1}", {f: f.split("/")[depth] for f in files if f.count("/") > depth})
    return None


def _sided(files: list[str]) -> Persons | None:
    """What names begin with where a side follows: left and right of one begin are one person's."""
    found = {file: SIDED.fullmatch(composed(without_ending(file.rpartition("/")[2]))) for file in files}
    persons = {file: match[1].casefold() for file, match in found.items() if match}
    counts = Counter(persons.values())
    both = sum(count for count in counts.values() if count > 1)
    if len(persons) < len(files) or len(counts) < FEWEST or max(counts.values()) > LARGEST * len(files):
        return None
    return Persons("name1", persons) if both >= REPEATED * len(files) else None


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
