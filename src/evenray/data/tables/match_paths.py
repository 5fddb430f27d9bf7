"""Which file each path of a table names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["PathMatches", "match_paths"]


@dataclass(frozen=True)
class PathMatches:
    """`found`: the file of each path; `ambiguous`: how many files a path may name; a path in neither names no file."""

    found: dict[str, str]
    ambiguous: dict[str, int]


def without_suffix(path: str) -> str:
    """A path without the ending that tells the format of its file.

    >>> without_suffix("a.b/c.nii.gz"), without_suffix("1.2.840.5.dcm"), without_suffix("1.2.840.5")
    ('a.b/c', '1.2.840.5', '1.2.840.5')
    """
    folder, slash, name = path.rpartition("/")
    return folder + slash + re.sub(r"(\.nii)?\.[A-Za-z][A-Za-z0-9]{0,4}$", "", name)


def match_paths(paths: Iterable[str], files: Iterable[str], *, below: bool = False) -> PathMatches:
    """The file of each path, by the first rule that finds one: the same path; one is the end of the other; either of them
    without suffixes such as `.png`. A path that fits several files is ambiguous.

    Where the table and the files have no folder in common, file names alone count. With `below`, the files lie below the
    place that the paths start from, so a file must end in the whole path.

    >>> match_paths(["s1/a.png", "b.png", "a", "c"], ["s1/a.png", "s2/a.png", "s1/b.png"])
    PathMatches(found={'s1/a.png': 's1/a.png', 'b.png': 's1/b.png'}, ambiguous={'a': 2})
    >>> match_paths(["scans/a.dcm"], ["images/a.png"]).found
    {'scans/a.dcm': 'images/a.png'}
    >>> match_paths(["scans/a.dcm", "x/b", "c.png"], ["images/a.png", "s1/x/b.png", "s1/c.png"], below=True).found
    {'c.png': 's1/c.png', 'x/b': 's1/x/b.png'}
    """
    paths, files = list(dict.fromkeys(paths)), list(files)
    known = set(files)
    result = PathMatches({path: path for path in paths if path in known}, {})
    same = set(result.found)
    rest = [path for path in paths if path not in same]
    for normalized in (str, without_suffix):
        rest = _match_ends(result, {path: normalized(path) for path in rest}, files, normalized, same, below)
    if not below and not any("/" in path for path in result.found):
        rest, files = [path for path in rest if "/" in path], [file for file in files if file not in same]
        for normalized in (str, without_suffix):
            names = {path: normalized(PurePosixPath(path).name) for path in rest}
            rest = _match_ends(result, names, files, normalized, same)
    return result


def _match_ends(
    result: PathMatches, keys: dict[str, str], files: list[str], normalized: Callable[[str], str], same: set[str],
    below: bool = False,
) -> list[str]:  # fmt: skip
    """Add to `result` the files that end in the key of a path or, unless `below`, that a key ends in; return the paths
    without one. `same` are the files that another row names exactly: a longer path than theirs is another file's.
    """
    wanted = set(keys.values())
    ends_of_keys = set() if below else {end for key in wanted for end in _ends(key)}
    longer: dict[str, list[str]] = {}  # the files that end in each key
    shorter: dict[str, list[str]] = {}  # the files that are the end of some key
    for file in files if keys else ():
        key = normalized(file)
        for end in wanted.intersection(_ends(key)):
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
