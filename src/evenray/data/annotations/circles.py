"""Tables of circles: the centre of an object in pixels and its radius, a row an object, as the lesions of the demo are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenray.core.errors import DataError
from evenray.data.tables.meanings import compact
from evenray.data.tables.raw_table import read_raw_table

from .found import Annotated, Annotations, Box
from .run_tables import image_column

__all__ = ["is_circle_table", "read_circles"]

CIRCLES = [("x", "y", "radius"), ("column", "row", "radius"), ("col", "row", "radius"), ("cx", "cy", "r")]


def is_circle_table(path: Path) -> bool:
    """Whether a table has the columns of circles."""
    try:
        return _columns(read_raw_table(path).columns) is not None
    except DataError:
        return False


def read_circles(path: Path, images: Sequence[str]) -> Annotations:
    """The circles of a table as boxes about them, of one class; a row without numbers says that its image has none.

    Coordinates are those of centres of pixels, from 0. Raises DataError where no column names the images, or a coordinate is no
    number.
    """
    raw = read_raw_table(path)
    names = _columns(raw.columns)
    if names is None:
        raise DataError(f"'{path}' has no columns of circles, such as x, y and radius.")
    key, files = image_column(raw, images, path, path.parent, names)
    boxes: dict[str, list[Box]] = {}
    for row, (name, *circle) in enumerate(raw.select(key, *names).iter_rows(), 1):
        if (file := files.get(name)) is None:
            continue
        own = boxes.setdefault(file, [])
        if all(value is None for value in circle):
            continue
        try:
            x, y, radius = (float(value or "") for value in circle)
        except ValueError:
            raise DataError(
                f"'{path}' has the circle {' '.join(value or '(blank)' for value in circle)!r} in row {row}; expected three"
                " numbers, or none of them where the image has nothing."
            ) from None
        x, y = x + 0.5, y + 0.5  # to the outer corner of the first pixel, from its centre
        own.append(Box(0, x - radius, y - radius, x + radius, y + radius))
    return Annotations(
        "detect", "circle_table", {file: Annotated(boxes=tuple(own)) for file, own in boxes.items()}, ("object",)
    )


def _columns(columns: Sequence[str]) -> tuple[str, str, str] | None:
    plain = {compact(name): name for name in columns}
    way = next((way for way in CIRCLES if all(name in plain for name in way)), None)
    return None if way is None else (plain[way[0]], plain[way[1]], plain[way[2]])
