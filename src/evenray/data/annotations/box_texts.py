"""Boxes as texts: lists of numbers as Python, NumPy or people write them, or numbers with names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .box_columns import Four, told_by_names
from .corners import is_there

__all__ = ["boxes_of_cells"]

NUMBER = r"(?<![\w.])(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|(?i:[-+]?nan|[-+]?inf(?:inity)?|none|null))(?![\w.])"
NUMBERS = re.compile(NUMBER)
NAMED = re.compile(rf"""(?<!\w)(['"]?)([^\W\d]\w*)\1\s*[:=]\s*['"]?({NUMBER})['"]?""")
TYPED = re.compile(r"\b(?:(?:np|numpy|torch)\.)?(?:float|u?int)\d*_?\s*\(([^()]*)\)")  # np.float64(100.0)
HOLDERS = re.compile(r"\b(?:(?:np|numpy|torch)\.)?(?:array|tensor|list|tuple)\b(?=\s*\()|\bdtype\s*=\s*[\w.]+")
SIGNS = re.compile(r"""[\s\[\](){},;:|'"]*""")  # what may stand between numbers
NOTHING = {"nan", "none", "null", "na", "n/a", "<na>", "-"}
Boxes = list[tuple[Four, str]]


def boxes_of_cells(cells: Sequence[str | None], how: str) -> Boxes:
    """The boxes of a row of a table, each with how its numbers make it: one of four cells, or those of one text, "listed" where
    nothing names its numbers; none where no cell has a number. ValueError for anything else.

    >>> boxes_of_cells(["1", "2", "3.5", "4"], "sides"), boxes_of_cells(["NaN", None, "nan", "NaN"], "sides")
    ([((1.0, 2.0, 3.5, 4.0), 'sides')], [])
    >>> boxes_of_cells(["{'x1': 1, 'y1': 2, 'x2': 3, 'y2': 4}"], "listed")
    [((1.0, 2.0, 3.0, 4.0), 'corners')]
    """
    if len(cells) == 1:
        return [(four, way) for four, way in _of_text(cells[0] or "") if is_there(four)]
    if all(cell is None or cell.casefold() in NOTHING for cell in cells):
        return []
    four = tuple(float(cell or "") for cell in cells)
    return [(four, how)] if is_there(four) else []


def _of_text(text: str) -> Boxes:
    """The boxes of a text, none of one without a number."""
    plain = HOLDERS.sub(" ", TYPED.sub(r" \1 ", text))
    if not re.search(r"\d|\binf", plain, re.IGNORECASE):  # "[]", "No finding"
        return []
    named = [(name, _number(number)) for _, name, number in NAMED.findall(plain)]
    numbers = [] if named else [_number(number) for number in NUMBERS.findall(plain)]
    rest = (NAMED if named else NUMBERS).sub(" ", plain)
    if SIGNS.fullmatch(rest) is None or len(named or numbers) % 4:
        raise ValueError(f"'{text}' has more than boxes of four numbers")
    if not named:
        return [(tuple(numbers[at : at + 4]), "listed") for at in range(0, len(numbers), 4)]
    boxes = [told_by_names(dict(named[at : at + 4])) for at in range(0, len(named), 4)]
    if any(box is None for box in boxes):
        raise ValueError(f"'{text}' names its numbers otherwise than boxes do")
    return [box for box in boxes if box is not None]


def _number(word: str) -> float:
    return float("nan" if word.casefold() in NOTHING else word)
