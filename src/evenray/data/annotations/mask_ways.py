"""Several masks of an image: of classes, of readers, or of the field of view, told by how their files and folders are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.data.tables.match_paths import without_ending
from evenray.data.tables.parts import part_of

from .found import MaskFile
from .mask_folders import OFTEN, by_folder
from .mask_names import CAMEL, MASK_WORDS
from .pairing import stem_of, stem_of_channel

__all__ = ["masks_by_image", "several_kinds"]

WORD = re.compile(rf"(?:{MASK_WORDS}|labels?|images?|class(?:es)?|[a-z]|마스크|분할|\d+)", re.IGNORECASE)
READER = re.compile(
    r"(?:\d?(?:1st|2nd|3rd|first|second|third|manual|observer|reader|rater|(?:areafor)?expert|annotator|ho)|\d(?:st|nd|rd)ho)\d*",
    re.IGNORECASE,
)
FIELD = re.compile(r"(?:masks?|fov|field|valid)", re.IGNORECASE)
SIDE = re.compile(r"(?:left|right|od|os|l|r|좌|우|왼쪽|오른쪽)", re.IGNORECASE)
OBJECT = re.compile(r"(?:objects?|instances?|inst)", re.IGNORECASE)
MOST_CLASSES, EACH = 64, 2  # classes that names may tell, and masks of a word that is no rare one
SHOWN = 3
Words = tuple[str, ...]


def masks_by_image(pairs: Mapping[str, str]) -> tuple[dict[str, list[MaskFile]], tuple[str, ...], list[Message]]:
    """The masks of each image, of pairs of a mask and its image; the classes that their names tell, () where they tell none; and
    what is to be said. Of several readers the first counts, masks of the field of view beside those of a reader and masks of single
    objects beside those of classes are not used, and sides are no classes.

    Where folders alone tell masks apart, such as `labels` and `masks`, those of the field of view are not used. DataError where masks
    of several kinds are there for the same images and the names do not say that they are classes.
    """
    ways, notes = _first_reader(_told({mask: _words(mask, image) for mask, image in pairs.items()}, pairs), pairs)
    whole = {pairs[mask] for mask, way in ways.items() if not any(map(OBJECT.fullmatch, way))}
    ways = {mask: way for mask, way in ways.items() if pairs[mask] not in whole or not any(map(OBJECT.fullmatch, way))}
    ways, kinds, said = by_folder(ways, pairs)
    if kinds:
        raise several_kinds(kinds)
    notes += said
    tags = {mask: " ".join(way) for mask, way in ways.items()}
    sideless = {mask: " ".join(word for word in way if not SIDE.fullmatch(word)) for mask, way in ways.items()}
    if len(set(tags.values())) > 1 and len(set(sideless.values())) == 1:
        notes += _sides(tags, pairs)
        tags = dict.fromkeys(tags, "")
    classes, said = _classes(tags, pairs)
    notes += said
    found: dict[str, list[MaskFile]] = {}
    for mask in sorted(ways):
        found.setdefault(pairs[mask], []).append(
            MaskFile(mask, index=classes.index(tags[mask]) + 1 if classes else None)
        )
    return found, classes, notes


def _sides(tags: Mapping[str, str], pairs: Mapping[str, str]) -> list[Message]:
    """That sides are one class, and which images lack one that others have."""
    ways = sorted(set(tags.values()))
    of: dict[str, set[str]] = {}
    for mask, tag in tags.items():
        of.setdefault(pairs[mask], set()).add(tag)
    notes = [Message("annotations.sides", {"ways": ways})]
    most = max(map(len, of.values()))
    fewer = sorted(image for image, sides in of.items() if len(sides) < most)
    if fewer:
        notes.append(Message("annotations.sides_lacking", {"count": len(fewer), "files": fewer[:SHOWN]}))
    return notes


def _classes(tags: Mapping[str, str], pairs: Mapping[str, str]) -> tuple[tuple[str, ...], list[Message]]:
    """The classes that the words of masks are, () where all are one, and what is to be said of words that are joined or rare."""
    counts = Counter(tags.values())
    _check(tags, pairs, counts)
    if len(counts) < 2:
        return (), []
    rare = sorted(tag for tag, count in counts.items() if count < EACH)
    if "" in counts or len(counts) > MOST_CLASSES or 2 * len(rare) >= counts.total():
        words = sorted(counts.keys() - {""}, key=lambda tag: (-counts[tag], tag))
        told = [word for word in words if word not in rare] or words  # many that never return are of single objects
        several = len(told) <= SHOWN or told != rare
        return (), [Message("annotations.words_joined", {"words": told[:SHOWN]})] if several else []
    return tuple(sorted(counts)), [Message("annotations.words_rare", {"words": rare})] if rare else []


def _first_reader(ways: dict[str, Words], pairs: Mapping[str, str]) -> tuple[dict[str, Words], list[Message]]:
    """The ways without the words for readers, and without masks of other readers than the first or of the field of view."""
    notes = []
    drawn = {mask: " ".join(word for word in way if READER.fullmatch(word)) for mask, way in ways.items()}
    readers = sorted({reader for reader in drawn.values() if reader})
    if readers:
        fields = {mask for mask, reader in drawn.items() if not reader}
        if fields and all(FIELD.fullmatch(word) for mask in fields for word in _plain(mask, pairs[mask], ways[mask])):
            notes.append(Message("annotations.fields", {"count": len(fields)}))
            ways = {mask: way for mask, way in ways.items() if mask not in fields}
        if len(readers) > 1:
            notes.append(Message("annotations.readers", {"count": len(readers), "name": readers[0]}))
            ways = {mask: way for mask, way in ways.items() if drawn[mask] not in readers[1:]}
    plain = {mask: tuple(word for word in way if not READER.fullmatch(word)) for mask, way in ways.items()}
    return _told(plain, pairs), notes


def _told(ways: dict[str, Words], pairs: Mapping[str, str]) -> dict[str, Words]:
    """The ways with the words alone that some masks of an image have and others of it have not; where no image has several masks, with
    those that not all masks have."""
    of: dict[str, list[set[str]]] = {}
    for mask, way in ways.items():
        of.setdefault(pairs[mask], []).append(set(way))
    several = [each for each in of.values() if len(each) > 1]
    if any(each[0] != other for each in several for other in each):
        telling = {word for each in several for word in each[0].union(*each) - each[0].intersection(*each)}
    else:
        own = [set(way) for way in ways.values()]
        every = own[0].intersection(*own) if own else set[str]()
        known = {word for image in of for word in _split(image)}
        telling = {word for way in ways.values() for word in way if not part_of(word)} - every - known
    return {mask: tuple(word for word in way if word in telling) for mask, way in ways.items()}


def _check(tags: Mapping[str, str], pairs: Mapping[str, str], counts: Counter[str]) -> None:
    """DataError where masks without a word of their own stand beside such that have one, for most images."""
    images = {tag: {pairs[mask] for mask, own in tags.items() if own == tag} for tag in counts}
    others = [
        tag for tag in counts if tag and len(images[tag] & images.get("", set())) >= OFTEN * len(set(pairs.values()))
    ]
    if others:
        raise several_kinds([min(mask for mask, own in tags.items() if own == tag) for tag in ("", *sorted(others))])


def several_kinds(masks: Sequence[str]) -> DataError:
    """The error that names the kinds of masks that the same images have, of one mask of each kind."""
    shown = " or ".join(f"'{mask}'" for mask in masks)
    named = [mask.rpartition("/") for mask in masks]
    folders = Counter(folder for folder, _, _ in named)
    told = [name if folders[folder] > 1 else mask for mask, (folder, _, name) in zip(masks, named, strict=True)]
    ways = " or ".join(f"--masks '{_pattern(mask)}'" for mask in told)
    return DataError(f"The images have masks of several kinds, such as {shown}; say which are meant: {ways}.")


def _pattern(mask: str) -> str:
    """A pattern that masks called like one match, of others none: its folder, or its name where numbers tell the folder from others.

    >>> _pattern("mouse fat/label masks/mouse_fat_01.tif"), _pattern("IMD002/IMD002_lesion/IMD002_lesion.bmp")
    ('label masks/*', '*_lesion.bmp')
    >>> _pattern("IMD002/IMD002_roi/IMD002_R1.bmp"), _pattern("1st_manual/21_manual1.gif"), _pattern("1st/21.gif")
    ('*IMD*_R*.bmp', '1st_manual/*manual1*', '1st/*')
    """
    folder, _, name = mask.rpartition("/")
    last = folder.rpartition("/")[2]
    bare = without_ending(name)
    reader = next(
        (word for word in re.split(r"[-_. ]+", bare) if re.search(r"\d", word) and READER.fullmatch(word)), ""
    )
    fixed = last and (not re.search(r"\d", last) or any(map(READER.fullmatch, re.split(r"[-_. ]+", last))))
    if reader:  # 21_manual1.gif, beside which 21_manual2.gif may lie
        return f"{last}/*{reader}*" if fixed else f"*{reader}*"
    if fixed:
        return f"{last}/*"
    word = re.search(r"[-_. ][^\W\d_][^\d]*$", bare)
    return re.sub(r"\*+", "*", f"*{word[0] if word else re.sub(r'[0-9]+', '*', bare)}{name[len(bare) :]}")


def _words(mask: str, image: str) -> Words:
    """The words of a mask's name and folders that its image has not, and that do not say mask or number.

    >>> _words("masks/liver/x.png", "images/x.png"), _words("x_liver_mask_1.png", "x.png"), _words("1st_manual/a.gif", "images/a.tif")
    (('liver',), ('liver',), ('1st', 'manual'))
    >>> _words("leftMask/1.png", "image/1.png")
    ('left',)
    """
    stem, base = stem_of(mask), stem_of(image)
    rest = next((stem.replace(name, " ", 1) for name in (base, stem_of_channel(base)) if name in stem), stem)
    name = {*_split(base), *_split(stem_of_channel(base))}
    above = {step.casefold() for step in image.split("/")[:-1]}
    steps = [step for step in mask.split("/")[:-1] if step.casefold() not in above]
    own = mask.rpartition("/")[2] if rest == stem else rest  # with the capitals that may part its words
    words = [word for step in (*steps, own) for word in _split(step)]
    return tuple(dict.fromkeys(word for word in words if word not in name and not WORD.fullmatch(word)))


def _split(path: str) -> Iterator[str]:
    """The words of a path in small letters, without the numbers that they end with, but for those of readers."""
    for word in re.split(r"[-_./ ()]+", CAMEL.sub("_", without_ending(path)).casefold()):
        plain = word if READER.fullmatch(word) else re.sub(r"(?<=[^\W\d])\d+$", "", word)
        if plain:
            yield plain


def _plain(mask: str, image: str, way: Words) -> list[str]:
    """The words of the way of a mask, and of the folder that it lies in where that is not its image's."""
    folder = mask.rpartition("/")[0].rpartition("/")[2]
    words = [] if folder in image.split("/")[:-1] else re.split(r"[-_. ]+", folder)
    return [*way, *(word for word in words if word and not word.isdecimal())]
