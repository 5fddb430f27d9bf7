"""Which file a path of a table means: by the whole path, by its end, or by its name with or without an image's ending."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from .parts import part_of

__all__ = ["ENDING", "PathMatches", "as_number", "folded", "match_paths", "without_ending", "without_zeros"]

# What is stripped of a name is only what images are called: `case0.L` is no `case0`.
ENDINGS = frozenset(
    {
        "nii", "dcm", "dicom", "ima", "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "pgm", "ppm", "pnm", "npz", "npy",
        "gif", "webp", "jp2", "j2k", "mha", "mhd", "nrrd", "svs", "ndpi", "img",
    }
)  # fmt: skip
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
    without the ending of an image; either of them in small letters; numbers without the zeros before them. A path that fits
    several files is ambiguous.

    Where the table and the files have no folder in common, file names alone count, but a name below `train` is none below
    `test`; `root` is the name of the folder that the files are below. Letters
    that a file system took apart are the same. With `below`, the files lie below the place that the paths start from, so a
    file must end in the whole path.

    >>> match_paths(["s1/a.png", "b.png", "a", "c"], ["s1/a.png", "s2/a.png", "s1/b.png"])
    PathMatches(found={'s1/a.png': 's1/a.png', 'b.png': 's1/b.png'}, ambiguous={'a': 2})
    >>> match_paths(["7", "12", "s03"], ["007.png", "12.png", "s3.png"]).found
    {'12': '12.png', '7': '007.png'}
    >>> match_paths(["scans/a.dcm"], ["images/a.png"]).found
    {'scans/a.dcm': 'images/a.png'}
    >>> match_paths(["train/a.dcm", "B"], ["test/a.png", "b.png"]).found
    {'B': 'b.png'}
    >>> match_paths(["scans/a.dcm", "x/b", "c.png"], ["images/a.png", "s1/x/b.png", "s1/c.png"], below=True).found
    {'c.png': 's1/c.png', 'x/b': 's1/x/b.png'}
    """
    asked, known = _column("path", paths).unique(maintain_order=True), _column("file", files)
    same = asked.filter(pl.col("path").is_in(known["file"].implode()))
    others = known.join(same, left_on="file", right_on="path", how="anti")
    # Whatever the rule, names are the same but for their ending and case: most paths of no file need no rule.
    names = pl.concat([known.select(name=rule(_last("key", 0))) for rule in (folded, without_zeros)]).unique()
    rest = asked.join(same, on="path", how="anti", maintain_order="left").with_columns(name=as_number(_last("key", 0)))
    rest = rest.join(names, on="name", how="semi", maintain_order="left").drop("name")
    found = [same.select("path", file="path", count=pl.lit(1, pl.UInt32))]
    rules = ((_plain, _plain), (_bare, _bare), (folded, folded), (as_number, without_zeros))
    for each in rules:
        rest = _match_ends(found, rest, known, None if below else others, each)
    if not below and not any(met.filter(count=1)["path"].str.contains("/", literal=True).any() for met in found):
        rest = rest.filter(pl.col("path").str.contains("/", literal=True)).with_columns(key=_last("key", 0))
        for each in rules:
            rest = _match_ends(found, rest, others, None, each)
    met = pl.concat(found)
    pairs = met.filter(count=1).select("path", "file").iter_rows()
    matches = {path: file for path, file in pairs if path == file or not _other_part(path, f"{root}/{file}")}
    return PathMatches(matches, dict(met.filter(pl.col("count") > 1).select("path", "count").iter_rows()))


def _column(name: str, texts: Iterable[str]) -> pl.DataFrame:
    """The texts with their `key`: their letters as they are typed."""
    column = pl.Series(name, list(texts), dtype=pl.String)
    ascii_only = (column.str.len_bytes() == column.str.len_chars()).all()
    return pl.DataFrame([column, (column if ascii_only else column.str.normalize("NFC")).alias("key")])


def _plain(key: pl.Expr) -> pl.Expr:
    return key


def _bare(key: pl.Expr) -> pl.Expr:
    return key.str.replace(ENDING, "")


def folded(key: pl.Expr) -> pl.Expr:
    """Paths in small letters without endings."""
    return _bare(key).str.to_lowercase()


def without_zeros(key: pl.Expr) -> pl.Expr:
    """Names of files in small letters without endings, and those that are numbers as numbers."""
    return folded(key).str.replace(r"(^|/)0+(\d+)$", "${1}${2}")


def as_number(key: pl.Expr) -> pl.Expr:
    """Names in a table as `without_zeros` has those of files: a spreadsheet loses the zeros before 007, and may write 7.0. A name
    that kept zeros lost none, and is no other number's."""
    return folded(key).str.replace(r"(^|/)(0|[1-9]\d*)\.0$", "${1}${2}")


def _last(key: str, above: int) -> pl.Expr:
    """The last step of paths, with as many folders above it."""
    return pl.col(key).str.extract(rf"((?:[^/]*/){{{above}}}[^/]*)$")


def _other_part(path: str, file: str) -> bool:
    """Whether two paths lie in folders of different parts of a split."""
    own, others = _parts(path.rpartition("/")[0]), _parts(file.rpartition("/")[0])
    return bool(own and others) and own.isdisjoint(others)


@lru_cache(4096)
def _parts(folder: str) -> frozenset[str]:
    return frozenset(part for step in folder.split("/") if (part := part_of(step)))


def _match_ends(
    found: list[pl.DataFrame], paths: pl.DataFrame, files: pl.DataFrame, others: pl.DataFrame | None,
    rules: tuple[Callable[[pl.Expr], pl.Expr], Callable[[pl.Expr], pl.Expr]],
) -> pl.DataFrame:  # fmt: skip
    """Add to `found` the files that end in the key of a path, else those of `others` that a key ends in, the longest first;
    return the paths without one. No row names `others` exactly: a longer path than such a file's is another file's.
    """
    depth = pl.col("rule").str.count_matches("/", literal=True)
    of_paths, of_files = rules
    paths = paths.with_columns(rule=of_paths(pl.col("key"))).with_columns(depth=depth)
    files = files.with_columns(rule=of_files(pl.col("key"))).with_columns(depth=depth)

    def take(keys: pl.DataFrame, named: pl.DataFrame) -> None:
        nonlocal paths
        named = named.group_by("end").agg(pl.col("file").first(), count=pl.len())
        met = keys.join(named, on="end", maintain_order="left").select("path", "file", "count")
        found.append(met)
        paths = paths.join(met, on="path", how="anti", maintain_order="left")

    for above in paths["depth"].unique().sort():
        keys = paths.filter(depth=above).with_columns(end="rule")
        take(keys, files.filter(pl.col("depth") >= above).with_columns(end=_last("rule", above)))
    if others is not None:
        others = others.with_columns(end=of_files(pl.col("key")))
        others = others.with_columns(depth=pl.col("end").str.count_matches("/", literal=True))
        for above in others["depth"].unique().sort(descending=True):
            take(
                paths.filter(pl.col("depth") > above).with_columns(end=_last("rule", above)), others.filter(depth=above)
            )
    return paths.select("path", "key")
