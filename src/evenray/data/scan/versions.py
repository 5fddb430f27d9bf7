"""Versions of the same images in folders side by side, such as `original` and `segmented`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evenray.core.errors import DataError
from evenray.data.tables.match_paths import without_ending

from .levels import Level

__all__ = ["check_versions"]

MOST, NEARLY, FEWEST = 5, 0.9, 4  # versions; share of the images that have all of them; images
SHORT = 4  # letters up to which names are counters, which folders of different images share


def check_versions(root: Path, wrapper: str, paths: Mapping[str, Sequence[str]], levels: Iterable[Level]) -> None:
    """DataError where the folders of a level hold files of the same names in the same places below: versions of an image would
    stand on both sides of a split. `paths` are the steps of files whose patient is not known, below `wrapper`."""
    for level in levels:
        if not 2 <= len(level.names) <= MOST or level.kind != "label":
            continue
        depth = int(level.place.removeprefix("folder")) - 1
        held: dict[tuple[str, ...], set[str]] = {}
        for steps in paths.values():
            if len(steps) > depth + 1 and len(without_ending(steps[-1])) > SHORT:
                rest = (*steps[:depth], *steps[depth + 1 : -1], without_ending(steps[-1]))
                held.setdefault(rest, set()).add(steps[depth])
        whole = sum(len(names) == len(level.names) for names in held.values())
        if len(held) >= FEWEST and whole >= NEARLY * len(held):
            names = sorted(level.names)
            place = f"{root / wrapper / names[0]}" if depth == 0 else f"a folder that holds {names[0]} alone"
            raise DataError(
                f"In '{root}' the folders {', '.join(names)} hold files of the same names, as versions of the same images, which"
                f" would stand on both sides of a split: give one of them as DATA, such as {place!r}; or, where they are"
                f" different images, say --column ignore={level.place}."
            )
