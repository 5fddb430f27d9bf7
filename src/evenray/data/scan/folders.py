"""Folders of images: at which level their classes stand, their parts of a split, and their patients."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.core.understood import Understood, UnderstoodRow
from evenray.data.tables.expressions import Asked
from evenray.data.tables.parts import part_of
from evenray.data.tables.words import check_labels, quoted

from .entries import Entry, Listing
from .file_names import NAME, name_levels, shown_words, word_at, words_of
from .levels import Level, level_of, names_by_depth, parts_and_classes
from .versions import check_versions

__all__ = ["list_folders"]

EXAMPLES, SHOWN, FEW, FEWEST = 3, 3, 12, 5
PART_NAMES = ("train", "validation", "test")
# Folders beside those of classes whose images have no class yet.
UNLABELLED = re.compile(r"(to[-_ ]?)?pred(ict)?(ions?|ed)?|un[-_ ]?labell?ed(.images?)?|미분류|라벨없음", re.IGNORECASE)


def list_folders(root: Path, files: list[str], patient_of: Callable[[str], str | None], asked: Asked) -> Listing:
    """The files with the labels, parts and patients that their folders name; without folders of classes they have no label.

    `asked` may name levels: label=folder2, split=folder1, patient=folder3, ignore=folder1, counted from DATA or, where one folder
    holds all, from that. DataError where there is no file, where folders of parts stand beside others, and where two levels
    may be the classes.
    """
    if not files:
        raise DataError(
            f"The folder '{root}' holds no image; expected class/file, part/class/file, or files and --labels."
        )
    wrapper = _wrapper(files)
    paths = _two_levels({file: file[len(wrapper) :].split("/") for file in files})
    depths = names_by_depth("/".join(steps) for steps in paths.values())
    levels = [level_of(f"folder{at}", names) for at, names in enumerate(depths, 1)]
    levels += _named_levels(asked, files)
    _check(levels, asked, root)
    wanted = {meaning: _level(levels, columns[0]) for meaning, columns in asked.columns.items() if meaning != "ignore"}
    ignored = set(asked.columns.get("ignore", ()))
    free = [level for level in levels if level.place not in ignored and not NAME.fullmatch(level.place)]
    parts = wanted.get("split") or next((level for level in free if level.kind == "split"), None)
    if wanted.get("label") is None and parts is None:
        _check_parts(free, root)
    classes = wanted.get("label") or _classes([level for level in free if level is not parts], root)
    patients = wanted.get("patient") or next(
        (level for level in free if level.kind == "patient" and level is not classes), None
    )
    if patients is None and classes is not None and classes.persons:
        patients = Level(classes.place, classes.names, "patient", shown={name: name for name in classes.names})
    if (
        patients is None and classes is not None
    ):  # class/1/, class/2/, ...: nearly always patients, and never worse than nobody
        below = free[free.index(classes) + 1 :] if classes in free else []
        patients = next((level for level in below if _counts_patients(level, len(files))), None)
    if patients is None:
        sure = classes is not None and (wanted.get("label") is classes or classes.tells_health)
        others = [level for level in free if level is not parts and not (sure and level is classes)]
        unknown = {file: steps for file, steps in paths.items() if not patient_of(file)}
        check_versions(root, wrapper, unknown, others, parts, classes)
    if classes is not None:
        if "label" not in wanted:
            classes.shown |= {name: "" for name in classes.names if UNLABELLED.fullmatch(name)}
        known, rest = asked.values.get("label", {}), asked.rest.get("label")
        classes.shown = {
            name: known.get(shown, shown if rest is None else rest) for name, shown in classes.shown.items()
        }
        check_labels(filter(None, classes.shown.values()), root, classes.place)
    entries = []
    for file, steps in paths.items():
        label = _name(steps, classes)
        if label is None and classes is not None:
            continue
        part, person = _name(steps, parts), _name(steps, patients)
        entries.append(
            Entry(
                file,
                label=label,
                patient=patient_of(file) or (person if "patient" in wanted else None),  # what was asked for wins
                folder=person,
                part=part_of(part) if part else None,
            )
        )
    if classes is not None and parts is not None and "label" not in wanted:
        _check_classes(entries, classes, root)
    above = len(files) - len(entries) if classes is not None else len(files)
    notes = []
    if above and classes is not None:
        unlabelled = sorted(name for name, shown in classes.shown.items() if not shown)
        code = "scan.unlabelled_folders" if unlabelled else "scan.above_classes"
        notes.append(Message(code, {"count": above, **({"folders": unlabelled[:SHOWN]} if unlabelled else {})}))
    if classes is None and (
        doubtful := next(
            (level for level in free if level.kind in ("numbered", "patient") and len(level.names) <= FEW), None
        )
    ):
        notes.append(
            Message("scan.folders_count", {"folders": sorted(doubtful.names)[:SHOWN], "place": doubtful.place})
        )
    one = classes is None or len(set(classes.shown.values())) < 2
    if one and (words := name_levels(files)):
        examples = sorted(set(words[0].shown.values()))[:SHOWN]
        notes.append(Message("scan.names_may_label", {"names": examples, "place": words[0].place}))
    told = {"split": parts, "label": classes, "patient": patients}
    layout = ("part/" if parts is not None else "") + ("class/file" if classes is not None else "file")
    return Listing(
        root, tuple(entries), layout=layout, unlabelled=above, notes=tuple(notes),
        understood=_understood(root, levels, told, wanted, entries),
    )  # fmt: skip


def _counts_patients(level: Level, images: int) -> bool:
    """Whether folders below those of classes are counted anew in each of them, and hold several images."""
    folders = sum(len(above) for above in level.names.values())
    return level.kind == "numbers" and len(level.names) >= FEWEST and level.repeats() and images >= 2 * folders


def _two_levels(paths: dict[str, list[str]]) -> dict[str, list[str]]:
    """The steps of files, with a folder such as `train_normal` as two: the part, and the class in it."""
    for depth, names in enumerate(names_by_depth("/".join(steps) for steps in paths.values())):
        if both := parts_and_classes(names):
            return {
                file: [*steps[:depth], *both[steps[depth]], *steps[depth + 1 :]] if len(steps) > depth + 1 else steps
                for file, steps in paths.items()
            }
    return paths


def _check_classes(entries: list[Entry], classes: Level, root: Path) -> None:
    """DataError where a class of the training part stands in another part with less or more behind its name."""
    of = {part: {entry.label for entry in entries if entry.part == part and entry.label} for part in PART_NAMES}
    train = of.pop("train")
    pairs: dict[str, str] = {}
    for others in of.values():
        for name in sorted(others - train):
            twins = [twin for twin in sorted(train - others) if _begin_alike(name, twin)]
            pairs |= {twins[0]: min(name, twins[0], key=len), name: min(name, twins[0], key=len)} if twins else {}
    if pairs:
        renamed = ",".join(f"{quoted(name)}={quoted(short)}" for name, short in pairs.items() if name != short)
        raise DataError(
            f"In '{root}' the parts of the split call their classes differently, such as {' and '.join(map(repr, [*pairs][:2]))}:"
            f" where they are one, say --column 'label={classes.place}:{renamed}', else --column label={classes.place}."
        )


def _begin_alike(one: str, other: str) -> bool:
    one, other = one.casefold(), other.casefold()
    return one.startswith(other) or other.startswith(one)


def _name(steps: list[str], level: Level | None) -> str | None:
    if level is None:
        return None
    if NAME.fullmatch(level.place):
        return level.shown.get(word_at(words_of(steps[-1]), level.place) or "") or None
    depth = int(level.place.removeprefix("folder")) - 1
    return level.shown[steps[depth]] or None if depth < len(steps) - 1 else None


def _named_levels(asked: Asked, files: list[str]) -> list[Level]:
    """The words of the names that `asked` speaks of, as levels."""
    places = {column.lower() for columns in asked.columns.values() for column in columns if NAME.fullmatch(column)}
    found = []
    for place in sorted(places):
        words = [word for file in files if (word := word_at(words_of(file), place)) is not None]
        found.append(Level(place, {word: {""} for word in words}, shown=shown_words(words)))
    return found


def _level(levels: list[Level], place: str) -> Level:
    found = next((level for level in levels if level.place == place.replace(" ", "").casefold()), None)
    if found is None:
        known = ", ".join(f"{level.place} ({', '.join(sorted(level.names)[:SHOWN])})" for level in levels) or "none"
        raise UsageError(
            f"--column names '{place}', and there is no table of labels; the levels of folders are {known}."
        )
    return found


def _check(levels: list[Level], asked: Asked, root: Path) -> None:
    for meaning, columns in asked.columns.items():
        if meaning not in ("label", "split", "patient", "ignore"):
            raise UsageError(
                f"--column {meaning}={columns[0]} needs a table of labels, and '{root}' has none that is used; give --labels TABLE."
            )
        for column in columns:
            _level(levels, column)


def _check_parts(levels: list[Level], root: Path) -> None:
    """DataError where folders of parts stand beside folders that are none."""
    for level in levels:
        parts = sorted(name for name in level.names if part_of(name))
        if parts and len(level.names) > 1:
            others = ", ".join(sorted(name for name in level.names if not part_of(name))[:SHOWN])
            raise DataError(
                f"In '{root}' the folders {', '.join(parts)} look like the parts of a split, but {others} like classes; keep"
                f" either folders of parts or folders of classes, or say --column label={level.place}."
            )


def _classes(levels: list[Level], root: Path) -> Level | None:
    """The level of the classes: the one that tells healthy from sick, else the only one; DataError where two may be."""
    candidates = [level for level in levels if level.kind == "label"]
    if telling := [level for level in candidates if level.tells_health]:
        return telling[0]
    if candidates:
        first, *below = candidates
        others = [level for level in below if level.repeats()]
        if others:
            ways = " or ".join(
                f"--column label={level.place} ({', '.join(sorted(set(level.shown.values()))[:SHOWN])})"
                for level in [first, *others]
            )
            raise DataError(f"In '{root}' two levels of folders may be the classes: say {ways}.")
        return first
    numbers = [level for level in levels if level.kind == "numbers"]
    if numbers:
        return min(numbers, key=lambda level: (len(level.names), -levels.index(level)))
    plain = [level for level in levels if level.kind == "one"]
    return plain[0] if len(plain) == 1 and not any(level.kind == "patient" for level in levels) else None


def _understood(
    root: Path, levels: list[Level], told: dict[str, Level | None], wanted: dict[str, Level], entries: list[Entry]
) -> Understood:
    rows = []
    for meaning, level in told.items():
        if level is not None:
            shown = sorted(set(level.shown.values()))
            rows.append(
                UnderstoodRow(
                    place=level.place,
                    meaning=meaning,
                    how="asked" if meaning in wanted else "values",
                    matched=len(shown),
                    of=len(level.names),
                    examples=tuple(shown[:EXAMPLES]),
                )
            )
    used = [level for level in told.values() if level is not None]
    unused = tuple(
        f"{level.place} ({', '.join(sorted(level.names)[:SHOWN])})"
        for level in levels
        if level not in used and level.kind != "patient"
    )
    counts = Counter(entry.label for entry in entries if entry.label is not None)
    return Understood(source=root.resolve().name, rows=tuple(rows), unused=unused, counts=dict(sorted(counts.items())))


def _wrapper(files: list[str]) -> str:
    """The folders that hold everything, as a zip often unpacks into one, with a slash; "" where there is none."""
    found = ""
    while True:
        first, *others = {file[len(found) :].split("/")[0] if "/" in file[len(found) :] else "" for file in files}
        inside = {file[len(found) :].split("/")[1] for file in files if file[len(found) :].count("/") > 1}
        if not first or others or part_of(first) or not inside:
            return found
        if len(inside) < 2 and not _goes_on(files, f"{found}{first}/"):
            return found
        found += f"{first}/"


def _goes_on(files: list[str], wrapper: str) -> bool:
    """Whether below the one folder in a folder several stand somewhere."""
    rest = [file[len(wrapper) :].split("/")[:-1] for file in files]
    return any(len({tuple(steps[:depth]) for steps in rest if len(steps) >= depth}) > 1 for depth in range(2, 8))
