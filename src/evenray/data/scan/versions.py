"""Versions of the same images in folders side by side: `original` and `segmented`, augmented copies, folds that repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evenray.core.errors import DataError
from evenray.data.tables.match_paths import without_ending

from .levels import Level

__all__ = ["check_versions"]

MOST, NEARLY, FEWEST = 5, 0.9, 4  # versions; share of the images that have all of them; images
SHORT = 4  # letters up to which names are counters, which folders of different images share
AUGMENTED = re.compile(r"aug|augment\w*", re.IGNORECASE)
# Stains, lights and states of one picture, which are no classes of pictures.
VERSION = re.compile(
    r"he|h&e|ihc|pas|trichrome|masson|dapi|gfp|rgb|bf|nir|wli|wle|nbi|bli|lci|clinic(al)?|derm(oscopy|oscopic)?|original|raw|gr[ae]y(scale)?"
    r"|colou?r|enhanced|processed|preprocessed|cropped|segmented|annotated|overlays?|normali[sz]ed",
    re.IGNORECASE,
)
FOLD = re.compile(r"(?:.*[-_ ])?(?:folds?|cv|splits?)[-_ ]?\d+", re.IGNORECASE)


def check_versions(
    root: Path, wrapper: str, paths: Mapping[str, Sequence[str]], levels: Iterable[Level],
    parts: Level | None, classes: Level | None,
) -> None:  # fmt: skip
    """DataError where the folders of a level hold files of the same names in the same places below, or augmented copies: versions
    of an image would stand on both sides of a split. `paths` are the steps of files whose patient is not known, below
    `wrapper`; `parts` is the level of the parts, in which folds differ, and `classes` that of what may be the classes."""
    skipped = None if parts is None else _depth(parts)
    for level in levels:
        augmented = sorted(name for name in level.names if _is_augmented(name))
        if 0 < len(augmented) < len(level.names):
            others = sorted(set(level.names) - set(augmented))
            raise _refused(
                root, wrapper, level, others, f"{', '.join(augmented)} hold augmented copies of images, which"
            )
        folds = all(map(FOLD.fullmatch, level.names))
        if level is classes and not all(map(VERSION.fullmatch, level.names)):
            continue  # classes of files that are counted alike
        if len(level.names) < 2 or not (folds or (level.kind == "label" and len(level.names) <= MOST)):
            continue
        depth = _depth(level)
        held: dict[tuple[str, ...], set[str]] = {}
        for steps in paths.values():
            if len(steps) > depth + 1 and len(without_ending(steps[-1])) > SHORT:
                rest = (step for at, step in enumerate(steps[:-1]) if at != depth and not (folds and at == skipped))
                held.setdefault((*rest, without_ending(steps[-1])), set()).add(steps[depth])
        whole = sum(len(names) == len(level.names) for names in held.values())
        if len(held) >= FEWEST and whole >= NEARLY * len(held):
            names = sorted(level.names)
            what = f"{', '.join(names)} hold files of the same names, as versions of the same images, which"
            raise _refused(root, wrapper, level, names, what, "label" if level is classes else "ignore")


def _refused(root: Path, wrapper: str, level: Level, names: Sequence[str], what: str, way: str = "ignore") -> DataError:
    place = repr(f"{root / wrapper / names[0]}") if _depth(level) == 0 else f"a folder that has '{names[0]}' alone"
    return DataError(
        f"In '{root}' the folders {what} would stand on both sides of a split: give one of them as DATA, such as {place}; or, where"
        f" they are different images, say --column {way}={level.place}."
    )


def _depth(level: Level) -> int:
    return int(level.place.removeprefix("folder")) - 1


def _is_augmented(name: str) -> bool:
    words = re.split(r"(?<=[a-z])(?=[A-Z])|[\W_]+", name)
    return any(map(AUGMENTED.fullmatch, words))
