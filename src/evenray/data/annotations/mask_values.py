"""What the values of masks mean, told from all masks of a data set together: background, classes, unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evenray.core.errors import DataError
from evenray.core.marks import BACKGROUND, UNKNOWN_PIXEL
from evenray.core.messages import Message

__all__ = ["COLOUR", "FOREGROUND", "GREY", "Meaning", "meaning_of_values"]

FOREGROUND = "foreground"
COLOUR = 65536  # values from here on are colours
GREY = 0x010101  # of red, green and blue alike
MOST_CLASSES = 64  # that masks may have; numbers beyond are those of single objects
# Numbers without gaps in every mask are those of single objects from this one on, or from the second on where the masks have so many
# different counts of them.
OBJECTS, FEW_OBJECTS, DIFFERENT = 20, 5, 4
NEAR = 0.04  # of black or white, as JPEG and resizing leave them
LEVELS, OFTEN, SHARE = (
    8,
    0.2,
    0.1,
)  # a level between black and white is a class where there are few, and each is frequent
MOST = 0.9  # share of the masks from which on what their borders have is the background
EACH = 2  # masks at the least that have a number which is a class, where no mask has two of them
HALF = 0.5  # share of the marked pixels near the highest value, from which on the others are its edges
Counts = Sequence[tuple[int, int]]  # (value, pixels) of one mask


@dataclass(frozen=True)
class Meaning:
    """The names of the classes, and which index (0 background, k + 1 class k, 255 unknown) stands for the pixels nearest to each of
    `values`. `kind` is binary, numbers, levels, colours or objects; `inverted` that the brightest is the background.
    """

    classes: tuple[str, ...]
    values: tuple[int, ...]
    indices: tuple[int, ...]
    kind: str
    inverted: bool = False

    @property
    def note(self) -> Message:
        """What the values were taken to mean, to be said."""
        values = [str(value) for value, index in zip(self.values, self.indices, strict=True) if index != BACKGROUND]
        told: dict[str, object] = {"count": len(self.classes), "values": values}
        if self.inverted:
            told["variant"] = "inverted"
        elif self.kind == "binary" and len(values) > 1:
            told["variant"] = "joined"
        return Message(f"annotations.values_{self.kind}", told)


def meaning_of_values(
    masks: Iterable[Counts], borders: Sequence[int | None] = (), named: Collection[int] = ()
) -> Meaning:
    """What the values of all masks mean; `borders` are the values that nearly all of the border of each mask has, where one has, and
    `named` those that a list calls by names. DataError where they are no masks.

    >>> meaning_of_values([[(0, 90), (255, 10)], [(0, 100)]]).indices
    (0, 1)
    >>> meaning_of_values([[(0, 90), (1, 5), (3, 4), (255, 1)]]).classes
    ('1', '3')
    >>> meaning_of_values([[(0, 90), (255, 10)], [(0, 90), (254, 4), (127, 1), (255, 5)]]).values
    (0, 255)
    >>> meaning_of_values([[(0, 10), (255, 90)]], [255]).values  # the first is the background
    (255, 0)
    """
    counted = [list(counts) for counts in masks]
    met = sorted({value for counts in counted for value, _ in counts})
    if shift := _one_channel(met):
        plain = meaning_of_values([[(value >> shift, count) for value, count in counts] for counts in counted],
                                  [None if value is None else value >> shift for value in borders])  # fmt: skip
        return replace(plain, values=tuple(value << shift for value in plain.values))
    if len(met) > 1 and met[0] == 0 and met[-1] < COLOUR and _white_around(met, borders):
        # Seen in a mirror: the highest value is 0, and the others what they lack to it.
        high = met[-1]
        plain = _meaning([sorted((high - value, count) for value, count in counts) for counts in counted])
        turned = [high - value for value in plain.values]
        names = tuple(str(high - int(name)) if name.isdecimal() else name for name in plain.classes)
        return replace(plain, classes=names, values=tuple(turned), inverted=True)
    return _meaning(counted, named)


def _one_channel(met: Sequence[int]) -> int:
    """How far numbers are shifted that stand in one channel of colours alone, as some tools save those of objects; 0 elsewhere."""
    if len(met) <= LEVELS:
        return 0
    return next((shift for shift in (16, 8) if all(value & ~(255 << shift) == 0 for value in met)), 0)


def _white_around(met: Sequence[int], borders: Sequence[int | None]) -> bool:
    """Whether the highest value lies all around in most masks; beside small numbers 255 is what is unknown."""
    if met[-1] == UNKNOWN_PIXEL and len(met) > 2 and met[-2] <= MOST_CLASSES:
        return False
    return bool(borders) and sum(value == met[-1] for value in borders) >= MOST * len(borders)


def _meaning(masks: Sequence[Counts], named: Collection[int] = ()) -> Meaning:
    pixels: Counter[int] = Counter()
    among: Counter[int] = Counter()
    together = False  # whether one mask has two values beside the background
    gapless = True
    counts_met: set[int] = set()
    filled = 0
    for counts in masks:
        values = [value for value, _ in counts if value > 0]
        pixels.update(dict(counts))
        among.update(values)
        filled += bool(values)
        together |= len(values) > 1
        plain = [value for value in values if value != UNKNOWN_PIXEL]
        counts_met.add(len(plain))
        gapless &= plain == list(range(1, len(plain) + 1)) or not plain
    met = sorted(among)
    if not met:
        return Meaning((FOREGROUND,), (0, 255), (0, 1), "binary")
    if met[-1] >= COLOUR:
        return _colours(pixels)
    objects = Meaning((FOREGROUND,), (0, 1), (0, 1), "objects")
    numbers = [value for value in met if value != UNKNOWN_PIXEL]
    if len(numbers) > 1 and set(numbers) <= set(named):
        return _numbers(numbers, (UNKNOWN_PIXEL,) if UNKNOWN_PIXEL in met else ())
    if not together:
        return _of_one_each(among, met) or objects
    if numbers and gapless:
        varied = numbers[-1] >= FEW_OBJECTS and len(counts_met) >= DIFFERENT
        if varied or numbers[-1] > OBJECTS:
            return objects
    if numbers and numbers[-1] <= MOST_CLASSES:
        return _numbers(numbers, (UNKNOWN_PIXEL,) if UNKNOWN_PIXEL in met else ())
    foreground = sum(count for value, count in pixels.items() if value > 0)
    between = [value for value in met if NEAR < value / met[-1] < 1 - NEAR]
    levels = [value for value in between if among[value] >= OFTEN * filled and pixels[value] >= SHARE * foreground]
    if len(pixels) <= LEVELS:  # blurred edges would be in nearly every mask
        levels = [value for value in between if value in levels or EACH <= among[value] < MOST * filled]
    if 1 <= len(levels) < LEVELS:
        levels.append(met[-1])
        return Meaning(tuple(map(str, levels)), (0, *levels), (0, *range(1, len(levels) + 1)), "levels")
    near = sum(count for value, count in pixels.items() if value >= (1 - NEAR) * met[-1])
    low = sum(count for value, count in pixels.items() if 0 < value <= NEAR * met[-1])  # noise in the dark
    return _binary(met) if near >= HALF * (foreground - low) else objects


def _of_one_each(among: Mapping[int, int], met: Sequence[int]) -> Meaning | None:
    """What values mean of which each mask has one beside the background; None where they number the masks."""
    if 1 < len(met) <= LEVELS and met[-1] <= MOST_CLASSES and min(among.values()) >= EACH:
        return _numbers(met)
    if len(met) <= LEVELS:  # one class, written in several ways
        return Meaning((FOREGROUND,), (0, *met), (0, *(1 for _ in met)), "binary")
    return _binary(met) if met[0] >= (1 - NEAR) * met[-1] else None


def _numbers(numbers: Sequence[int], unknown: tuple[int, ...] = ()) -> Meaning:
    indices = range(1, len(numbers) + 1)
    return Meaning(tuple(map(str, numbers)), (0, *numbers, *unknown), (0, *indices, *unknown), "numbers")


def _binary(met: Sequence[int]) -> Meaning:
    return Meaning((FOREGROUND,), (0, met[-1]), (0, 1), "binary")


def _colours(pixels: Counter[int]) -> Meaning:
    """Every colour a class, but for black, or where there is none the most frequent one."""
    if len(pixels) > MOST_CLASSES:
        raise DataError(
            f"The masks have {len(pixels)} colours, and {MOST_CLASSES} can be classes; save them as PNG with one colour a class: JPEG"
            " mixes them."
        )
    background = 0 if 0 in pixels else max(pixels, key=lambda value: pixels[value])
    found = sorted(value for value in pixels if value != background)
    names = tuple(f"#{value:06x}" for value in found)
    return Meaning(names, (background, *found), (0, *range(1, len(found) + 1)), "colours")
