"""What the values of masks mean, told from all masks of a data set together: background, classes, unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evenray.core.errors import DataError
from evenray.core.marks import BACKGROUND, UNKNOWN_PIXEL
from evenray.core.messages import Message

__all__ = ["FOREGROUND", "Meaning", "meaning_of_values"]

FOREGROUND = "foreground"
COLOUR = 65536  # values from here on are colours
MOST_CLASSES = 64  # that masks may have; numbers beyond are those of single objects
OBJECTS = 20  # highest number from which numbers without gaps in every mask are those of single objects
NEAR = 0.04  # of black or white, as JPEG and resizing leave them
LEVELS, OFTEN, SHARE = (
    8,
    0.2,
    0.1,
)  # a level between black and white is a class where there are few, and each is frequent
Counts = Sequence[tuple[int, int]]  # (value, pixels) of one mask


@dataclass(frozen=True)
class Meaning:
    """The names of the classes, and which index (0 background, k + 1 class k, 255 unknown) stands for the pixels nearest to each of
    `values`. `kind` is binary, numbers, levels, colours or objects.
    """

    classes: tuple[str, ...]
    values: tuple[int, ...]
    indices: tuple[int, ...]
    kind: str

    @property
    def note(self) -> Message:
        """What the values were taken to mean, to be said."""
        values = [str(value) for value, index in zip(self.values, self.indices, strict=True) if index != BACKGROUND]
        return Message(f"annotations.values_{self.kind}", {"count": len(self.classes), "values": values})


def meaning_of_values(masks: Iterable[Counts]) -> Meaning:
    """What the values of all masks mean; DataError where they are no masks.

    >>> meaning_of_values([[(0, 90), (255, 10)], [(0, 100)]]).indices
    (0, 1)
    >>> meaning_of_values([[(0, 90), (1, 5), (3, 4), (255, 1)]]).classes
    ('1', '3')
    >>> meaning_of_values([[(0, 90), (255, 10)], [(0, 90), (254, 4), (127, 1), (255, 5)]]).values
    (0, 255)
    """
    pixels: Counter[int] = Counter()
    among: Counter[int] = Counter()
    together = False  # whether one mask has two values beside the background
    gapless, highest = True, 0
    filled = 0
    for counts in masks:
        values = [value for value, _ in counts if value > 0]
        pixels.update(dict(counts))
        among.update(values)
        filled += bool(values)
        together |= len(values) > 1
        plain = [value for value in values if value != UNKNOWN_PIXEL]
        highest = max(highest, len(plain))
        gapless &= plain == list(range(1, len(plain) + 1)) or not plain
    met = sorted(among)
    if not met:
        return Meaning((FOREGROUND,), (0, 255), (0, 1), "binary")
    if met[-1] >= COLOUR:
        return _colours(pixels)
    if not together:
        return (
            Meaning((FOREGROUND,), (0, *met), (0, *(1 for _ in met)), "binary") if len(met) <= LEVELS else _binary(met)
        )
    numbers = [value for value in met if value != UNKNOWN_PIXEL]
    if numbers and gapless and numbers[-1] > OBJECTS:
        return Meaning((FOREGROUND,), (0, 1), (0, 1), "objects")
    if numbers and numbers[-1] <= MOST_CLASSES:
        indices = range(1, len(numbers) + 1)
        unknown = (UNKNOWN_PIXEL,) if UNKNOWN_PIXEL in met else ()
        return Meaning(tuple(map(str, numbers)), (0, *numbers, *unknown), (0, *indices, *unknown), "numbers")
    foreground = sum(count for value, count in pixels.items() if value > 0)
    between = [value for value in met if NEAR < value / met[-1] < 1 - NEAR]
    levels = [value for value in between if among[value] >= OFTEN * filled and pixels[value] >= SHARE * foreground]
    if 1 <= len(levels) < LEVELS:
        levels.append(met[-1])
        return Meaning(tuple(map(str, levels)), (0, *levels), (0, *range(1, len(levels) + 1)), "levels")
    return _binary(met)


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
