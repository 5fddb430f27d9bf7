"""Which file a path of a table means: by the whole path, by its end, or by its name with or without an image's ending."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .parts import part_of

__all__ = ["ENDING", "PathMatches", "match_paths", "without_ending"]

# What is stripped of a name is only what images are called: `case0.L` is no `case0`.
ENDINGS = frozenset(
    [
        "nii",
        "dcm",
        "dicom",
        "ima",
        "png",
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "bmp",
        "tif",
        "tiff",
        "pgm",
        "ppm",
        "pnm",
        "npz",
        "npy",
        "gif",
        "webp",
        "jp2",
        "j2k",
        "mha",
        "mhd",
        "nrrd",
        "svs",
        "ndpi",
    ]
)
ENDING = rf"(?i)\.(nii\.gz|{'|'.join(sorted(ENDINGS))})$"


@dataclass(frozen=True)
class PathMatches:
    """`found`: the file of each path; `ambiguous`: how many files a path may name; a path in neither names no file."""

    found: dict[str, str]
    ambiguous: dict[str, int]


def without_ending(path: str) -> str:
    """A path without the ending that tells the format of its image.

    >>> without_ending("a.b/c.nii.gz"), without_ending("1.2.840.5.dcm"), without_ending("1.2.840.5"), without_ending("case0.L")
    ('a.b/c', '1.2.840.5', '1.2.840.5', 'case0.L')
    """
    stem, dot, ending = path.rpartition(".")
    if not dot:
        return path
    if ending in ENDINGS or ending.lower() in ENDINGS:
        return stem
    return path[:-7] if path.lower().endswith(".nii.gz") else path


def match_paths(paths: Iterable[str], files: Iterable[str], *, below: bool = False, root: str = "") -> PathMatches:
    """The file of each path, by the first rule that finds one: the same path; one is the end of the other; either of them
    without the ending of an image; either of them in small letters. A path that fits several files is ambiguous.

    Where the table and the files have no folder in common, file names alone count, but a name below `train` is none below
    `test`; `root` is the name of the folder that the files are below. Letters
    that a file system took apart are the same. With `below`, the files lie below the place that the paths start from, so a
    file must end in the whole path.

    >>> match_paths(["s1/a.png", "b.png", "a", "c"], ["s1/a.png", "s2/a.png", "s1/b.png"])
    PathMatches(found={'s1/a.png': 's1/a.png', 'b.png': 's1/b.png'}, ambiguous={'a': 2})
    >>> match_paths(["scans/a.dcm"], ["images/a.png"]).found
    {'scans/a.dcm': 'images/a.png'}
    >>> match_paths(["train/a.dcm", "B"], ["test/a.png", "b.png"]).found
    {'B': 'b.png'}
    >>> match_paths(["scans/a.dcm", "x/b", "c.png"], ["images/a.png", "s1/x/b.png", "s1/c.png"], below=True).found
    {'c.png': 's1/c.png', 'x/b': 's1/x/b.png'}
    """
    paths, files = list(dict.fromkeys(paths)), list(files)
    known = set(files)
    result = PathMatches({path: path for path in paths if path in known}, {})
    same = set(result.found)
    # Whatever the rule, names are the same but for their ending and case: most paths of no file need no rule.
    names = {_folded(file.rpartition("/")[2]) for file in files}
    rest = [path for path in paths if path not in same and _folded(path.rpartition("/")[2]) in names]
    rules = (_composed, _bare, _folded)
    for normalized in rules:
        rest = _match_ends(result, {path: normalized(path) for path in rest}, files, normalized, same, below)
    if not below and not any("/" in path for path in result.found):
        rest, files = [path for path in rest if "/" in path], [file for file in files if file not in same]
        for normalized in rules:
            keys = {path: normalized(path.rpartition("/")[2]) for path in rest}
            rest = _match_ends(result, keys, files, normalized, same)
    for path, file in list(result.found.items()):
        if path != file and _other_part(path, f"{root}/{file}"):
            del result.found[path]
    return result


def _composed(path: str) -> str:
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def _bare(path: str) -> str:
    return without_ending(_composed(path))


def _folded(path: str) -> str:
    return _bare(path).casefold()


def _other_part(path: str, file: str) -> bool:
    """Whether two paths lie in folders of different parts of a split."""
    own, others = ({part_of(step) for step in name.split("/")[:-1]} - {None} for name in (path, file))
    return bool(own and others) and own.isdisjoint(others)


def _match_ends(
    result: PathMatches, keys: dict[str, str], files: list[str], normalized: Callable[[str], str], same: set[str],
    below: bool = False,
) -> list[str]:  # fmt: skip
    """Add to `result` the files that end in the key of a path or, unless `below`, that a key ends in; return the paths
    without one. `same` are the files that another row names exactly: a longer path than theirs is another file's.
    """
    if not keys:
        return []
    wanted = set(keys.values())
    ends_of_keys = set() if below else {end for key in wanted for end in _ends(key)}
    longer: dict[str, list[str]] = {}  # the files that end in each key
    shorter: dict[str, list[str]] = {}  # the files that are the end of some key
    for file in files:
        key = normalized(file)
        for end in _ends(key):
            if end in wanted:
                longer.setdefault(end, []).append(file)
        if key in ends_of_keys and file not in same:
            shorter.setdefault(key, []).append(file)
    unmatched = []
    for path, key in keys.items():
        named = longer.get(key) or next((shorter[end] for end in _ends(key) if end in shorter), [])
        if len(named) == 1:
            result.found[path] = named[0]
        elif named:
            result.ambiguous[path] = len(named)
        else:
            unmatched.append(path)
    return unmatched


def _ends(path: str) -> Iterator[str]:
    """
    >>> list(_ends("a/b/c"))
    ['a/b/c', 'b/c', 'c']
    """
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path
