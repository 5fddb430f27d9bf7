"""The names of classes that annotations call by numbers: of classes.txt or the like, of a .yaml file, of nnU-Net's dataset.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from evenray.core.messages import Message
from evenray.core.names import as_path

__all__ = ["class_names", "names_of_colours", "names_of_values"]

LISTS = re.compile(r"(?:classes|labels|names)\.txt|_darknet\.labels|.+\.names", re.IGNORECASE)
BESIDE_NAMES = r"^(?:train|val|test|nc|path)[ \t]*:"  # what YOLO's file of names says besides
BACKGROUND_WORD = re.compile(
    r"back[-_ ]?ground|bg|none|nothing|void|null|empty|no[-_ ]?(?:label|class|finding)|un[-_ ]?(?:labell?ed|annotated)|clear label"
    r"|배경|없음|미분류"
)
BEFORE_BACKGROUND = "__ignore__"  # the first line of LabelMe's lists, for no value that masks of these have
MOST_BYTES = 2**22
MOST_NAMES = 256


def class_names(
    files: Iterable[Path], elsewhere: Iterable[Path] = (), count: int = 0
) -> tuple[tuple[str, ...], Path | None]:
    """The names of classes by their numbers, of classes.txt or the like or of a .yaml file, and which file it was, the first that has
    any; none without. One that lies elsewhere may be of something else: it must name `count` classes, and a .yaml file have more of
    YOLO's keys. What cannot be read is passed over."""
    for file in files:
        if names := _names(file):
            return names, file
    for file in elsewhere:
        if len(names := _names(file, BESIDE_NAMES)) >= max(count, 1):
            return names, file
    return (), None


def _names(file: Path, keys: str = "") -> tuple[str, ...]:
    """What a file names; a .yaml file nothing where none of its lines is of `keys`."""
    name = file.name.lower()
    is_list = LISTS.fullmatch(name) is not None
    if not is_list and not name.endswith((".yaml", ".yml")):
        return ()
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ()
    if is_list:
        return tuple(line.strip() for line in text.split("\n") if line.strip())
    return _yaml_names(text) if re.search(keys, text, re.MULTILINE) else ()


def _yaml_names(text: str) -> tuple[str, ...]:
    r"""What stands below `names:` in one of four ways, by its numbers where it has some; a number without a name is called by itself.

    >>> _yaml_names("nc: 2\nnames: ['a', \"b c\"]"), _yaml_names("names:\n- a\n- b\n")
    (('a', 'b c'), ('a', 'b'))
    >>> _yaml_names("names:\n  0: a\n  1: b # x\ntrain: images"), _yaml_names("names: {2: a, 0: b}")
    (('a', 'b'), ('b', '1', 'a'))
    """
    start = re.search(r"^names:[ \t]*(.*)$", text, re.MULTILINE)
    if start is None:
        return ()
    opened = start[1].lstrip()[:1]
    if opened in ("[", "{"):
        inside = re.split(r"[\]}]", text[start.start(1) :], maxsplit=1)[0].strip("[{ \n")
        items = [item if opened == "{" else f"-{item}" for item in inside.split(",")]
    else:
        below = re.match(r"(?:[ \t]*(?:-|\d+[ \t]*:).*\n?|[ \t]*#.*\n|[ \t]*\n)*", text[start.end() :].lstrip("\r\n"))
        items = re.findall(r"^[ \t]*(?:-|\d+[ \t]*:).*$", below[0] if below else "", re.MULTILINE)
    numbered: dict[int, str] = {}
    for place, item in enumerate(items):
        told = re.fullmatch(r"\s*(?:-|(\d+)\s*:)(.*)", item, re.DOTALL)
        if told and (name := re.sub(r"(?m)\s#.*$", "", told[2]).strip().strip("'\"")):
            numbered[place if told[1] is None else int(told[1])] = name
    return tuple(numbered.get(number, str(number)) for number in range(max(numbered, default=-1) + 1))


def names_of_values(root: Path, others: Sequence[str], highest: int) -> tuple[dict[int, str], Message | None]:
    """The names of the values of masks, of which `highest` is the highest: of dataset.json, else line by line of a list that begins
    with a word for the background (value 0), or that has as many lines (from value 1 on). Longer ones may begin with either: they name
    nothing, and what is to be said of it."""
    for file in others:
        if PurePosixPath(file).name == "dataset.json" and (found := _json_names(as_path(root / file))):
            return found, None
    names, path = class_names(as_path(root / file) for file in others if file.lower().endswith(".txt"))
    names = names[1:] if names[:1] == (BEFORE_BACKGROUND,) else names
    if not names or path is None or len(names) < highest:
        return {}, None
    if BACKGROUND_WORD.fullmatch(names[0].strip("_ -").casefold()):
        return dict(enumerate(names)) if len(names) > highest else {}, None
    if len(names) > highest:
        return {}, Message("annotations.names_unsure", {"file": path.name, "count": len(names), "highest": highest})
    return dict(enumerate(names, 1)), None


def _json_names(path: Path) -> dict[int, str]:
    """What stands at `labels`: names with numbers, or numbers with names."""
    try:
        labels = json.loads(path.read_text(encoding="utf-8-sig"))["labels"] if path.stat().st_size < MOST_BYTES else {}
        pairs = [(key, value) if str(key).isdecimal() else (value, key) for key, value in labels.items()]
        return {int(number): str(name) for number, name in pairs if isinstance(number, int | str)}
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return {}


def names_of_colours(root: Path, others: Sequence[str]) -> dict[str, str]:
    """The names of colours such as #ff0000, of a table with the columns name, r, g and b, or of lines `255 0 0 name`."""
    found: dict[str, str] = {}
    for file in others:
        if not file.lower().endswith((".csv", ".txt")) or as_path(root / file).stat().st_size > MOST_BYTES:
            continue
        lines = as_path(root / file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
        for line in lines[:MOST_NAMES]:
            numbers = re.findall(r"(?<![^\s,;])\d{1,3}(?![^\s,;])", line)
            name = re.sub(r"(?<![^\s,;])\d{1,3}(?![^\s,;])|[,;\t]", " ", line).strip()
            if not numbers and line is lines[0]:
                continue
            if len(numbers) != 3 or not name or max(map(int, numbers)) > 255:
                break
            found["#" + "".join(f"{int(number):02x}" for number in numbers)] = name
    return found
