"""The classes of COCO's annotations, which a file calls by the numbers of its own categories."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from evenray.core.errors import DataError

__all__ = ["OBJECT", "Coco", "category_names", "check_categories", "class_of", "classes_of", "number_of"]

OBJECT = "object"  # the class of files without categories


class Coco(TypedDict, total=False):
    """A file of COCO; the entries of its lists are as the file has them."""

    images: list[Any]
    annotations: list[Any]
    categories: list[Any] | None


def number_of(value: Any) -> str:
    """A number that things of a file are known by, whether it is written as a number or as text.

    >>> number_of(7), number_of("7"), number_of(7.0)
    ('7', '7', '7')
    """
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def category_names(whole: Coco) -> dict[str, str]:
    """The classes of a file by the numbers of its categories. Without categories all is one class, unless several are numbered.

    >>> category_names({"categories": [{"id": 2, "name": "cell"}, {"id": 3}], "annotations": []})
    {'2': 'cell', '3': '3'}
    >>> category_names({"annotations": [{}]}), sorted(category_names({"annotations": [{"category_id": 1}, {"category_id": 4}]}))
    ({'object': 'object'}, ['1', '4'])
    """
    if categories := whole.get("categories"):
        return {number_of(each["id"]): str(each.get("name", each["id"])) for each in categories}
    numbers = {_category(each) for each in whole["annotations"]}
    return {number: number if len(numbers) > 1 else OBJECT for number in numbers}


def check_categories(path: Path, whole: Coco) -> None:
    """DataError where annotations have several numbers of categories, as DENTEX has quadrant, tooth and disease, and none that counts:
    all would be one class."""
    keys = {key for each in whole["annotations"] for key in each if str(key).startswith("category_id")}
    if not keys or "category_id" in keys:
        return
    lists = sorted(key for key in whole if key.startswith("categories_"))
    raise DataError(
        f"'{path}' has {', '.join(sorted(keys))} in its annotations and no category_id, so that it does not say which classes are"
        f" to be learnt. Rename the one that counts to category_id, and the list of its names"
        f" ({', '.join(lists) or 'there is none'}) to categories."
    )


def classes_of(files: Iterable[Coco]) -> tuple[str, ...]:
    """The classes that annotations of some files have, by their number in the first file that names them; one that is alone need
    not have any.

    >>> one, box = {"categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "x"}]}, {"category_id": 2}
    >>> other = {"categories": [{"id": 0, "name": "cell"}, {"id": 2, "name": "x"}], "annotations": [{"category_id": 0}]}
    >>> classes_of([one | {"annotations": [box]}, other]), classes_of([one | {"annotations": [box]}])
    (('cell', 'x'), ('x',))
    """
    first: dict[str, str] = {}
    used = set()
    for whole in files:
        names = category_names(whole)
        for number, name in names.items():
            first.setdefault(name, number)
        used |= {names.get(_category(each)) for each in whole["annotations"]}
    ordered = sorted(first, key=lambda name: _in_order(first[name]))
    return tuple(name for name in ordered if name in used or len(first) == 1)


def class_of(annotation: Any, names: dict[str, str], file: str) -> str:
    """The class of an annotation of a file; DataError where it is none of the file's categories."""
    if (name := names.get(_category(annotation))) is None:
        raise DataError(
            f"'{file}' has an annotation of category {annotation.get('category_id')!r}, which its categories lack; expected one of"
            f" {', '.join(sorted(names, key=_in_order))}."
        )
    return name


def _category(annotation: Any) -> str:
    return number_of(annotation.get("category_id", OBJECT))


def _in_order(number: str) -> tuple[bool, int, str]:
    """Where a number stands among others; what is no number comes last."""
    return (False, int(number), "") if number.isdecimal() else (True, 0, number)
