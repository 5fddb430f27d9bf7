"""Which file each path of a table names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["Matches", "match"]


@dataclass(frozen=True)
class Matches:
    """`found`: the file of each path; `several`: how many files a path may mean; what is in neither names no file."""

    found: dict[str, str]
    several: dict[str, int]


def name_of(path: str) -> str:
    """The file's name.

    >>> name_of("a/b.nii.gz"), stem_of("a/b.nii.gz"), stem_of("1.2.840.5.dcm"), stem_of("1.2.840.5")
    ('b.nii.gz', 'b', '1.2.840.5', '1.2.840.5')
    """
    return PurePosixPath(path).name


def stem_of(path: str) -> str:
    """The file's name without what tells its format."""
    return re.sub(r"(\.nii)?\.[A-Za-z][A-Za-z0-9]{0,4}$", "", name_of(path))


def match(paths: Iterable[str], files: Iterable[str], *, below: bool = False) -> Matches:
    """Each path by the best rule that finds it a file: whole, as the end of one, ending as one, each also without `.png`.

    Where no folder of the table is one of the files, names count alone. A name that several files have tells none of them.
    With `below` the files lie below the place that the paths start from: a file must end in all that its path says.

    >>> match(["s1/a.png", "b.png", "a", "c"], ["s1/a.png", "s2/a.png", "s1/b.png"])
    Matches(found={'s1/a.png': 's1/a.png', 'b.png': 's1/b.png'}, several={'a': 2})
    >>> match(["scans/a.dcm"], ["images/a.png"]).found
    {'scans/a.dcm': 'images/a.png'}
    >>> match(["scans/a.dcm", "x/b", "c.png"], ["images/a.png", "s1/x/b.png", "s1/c.png"], below=True).found
    {'c.png': 's1/c.png', 'x/b': 's1/x/b.png'}
    """
    paths, files = list(dict.fromkeys(paths)), list(files)
    known = set(files)
    result = Matches({path: path for path in paths if path in known}, {})
    whole = set(result.found)
    rest = [path for path in paths if path not in whole]
    for of in (str, _without_ending):
        rest = _add(result, rest, {path: of(path) for path in rest}, files, of, whole, below)
    if not below and not any("/" in path for path in result.found):
        rest, files = [path for path in rest if "/" in path], [file for file in files if file not in whole]
        for of in (str, _without_ending):
            rest = _add(result, rest, {path: of(name_of(path)) for path in rest}, files, of, whole)
    return result


def _add(
    to: Matches, paths: list[str], keys: dict[str, str], files: list[str], of: Callable[[str], str], whole: set[str],
    below: bool = False,
) -> list[str]:  # fmt: skip
    """Add the files of which a path's key is the end, or, unless `below`, that are the end of it; return the paths that
    find none.
    """
    wanted = set(keys.values())
    inside = set() if below else {end for key in wanted for end in _ends(key)}
    of_end: dict[str, list[str]] = {}
    as_end: dict[str, list[str]] = {}
    for file in files if paths else ():
        key = of(file)
        for end in _ends(key):
            if end in wanted:
                of_end.setdefault(end, []).append(file)
        # A longer path than that of a file which another row names whole is of another file.
        if key in inside and file not in whole:
            as_end.setdefault(key, []).append(file)
    rest = []
    for path in paths:
        meant = of_end.get(keys[path]) or next((as_end[end] for end in _ends(keys[path]) if end in as_end), [])
        if len(meant) == 1:
            to.found[path] = meant[0]
        elif meant:
            to.several[path] = len(meant)
        else:
            rest.append(path)
    return rest


def _ends(path: str) -> Iterator[str]:
    """
    >>> list(_ends("a/b/c"))
    ['a/b/c', 'b/c', 'c']
    """
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def _without_ending(path: str) -> str:
    return path[: len(path) - len(name_of(path))] + stem_of(path)
