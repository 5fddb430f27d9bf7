"""The files of a folder that may be images, and what in it can be no image."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from evenray.core.messages import Message
from evenray.core.names import as_path, as_text
from evenray.data.tables.own_answers import ENDINGS as ANSWERS
from evenray.data.tables.own_answers import are_own_answers
from evenray.data.tables.raw_table import SUFFIXES

from .entries import Rejected

__all__ = ["Files", "list_files", "without_answers"]

NO_IMAGES = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml", ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".xls", ".ods", ".cfg", ".names", ".labels", ".data",
    ".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".ipynb", ".cache",
}  # fmt: skip
# Text files that may be lists of images and labels; others are notes, or boxes of an image each.
LIST = re.compile(
    r"(.*[-_ ])?(train\w*|val\w*|test\w*|dev|labels?|lists?|annotations?|ground[-_ ]?truth)([-_ ].*)?\.txt",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Files:
    """`paths` of files that may be images, of `tables` that may label them, and of `others` that are no images, relative and in
    order; folders that cannot be opened, each with why; names of images that are no files, each with the reason.
    """

    paths: list[str]
    unopened: Rejected
    no_files: Rejected
    others: list[str]
    tables: tuple[str, ...] = ()

    @property
    def rejected(self) -> Rejected:
        """Folders and names, in order, each with the reason why nothing is read of it."""
        folders = [(folder, f"is a folder that cannot be opened: {why}") for folder, why in self.unopened]
        return tuple(sorted([*folders, *self.no_files]))


def list_files(root: Path) -> Files:
    """What lies below a folder, by names that `as_path` finds: links are followed, hidden folders and run folders are not."""
    paths: list[str] = []
    unopened: list[tuple[str, str]] = []
    no_files: list[tuple[str, str]] = []
    tables: list[str] = []
    others: list[str] = []
    seen: set[tuple[int, int]] = set()

    def cannot_open(error: OSError) -> None:
        name = as_text(Path(str(error.filename)).relative_to(root).as_posix())
        unopened.append((as_text(root) if name == "." else name, error.strerror or type(error).__name__))

    for folder, folders, names in os.walk(root, onerror=cannot_open, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen or {"recipe.json", "provenance.json"} <= set(names):
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        above = Path(folder).relative_to(root)
        tables += [as_text((above / name).as_posix()) for name in names if _may_be_table(name)]
        others += [as_text((above / name).as_posix()) for name in names if Path(name).suffix.lower() in NO_IMAGES]
        for name in filter(_may_be_image, names):
            path, shown = Path(folder, name), as_text((above / name).as_posix())
            if path.is_file():
                paths.append(shown)
            else:
                reason = "is not a file" if path.exists() else "is a link to a file that does not exist"
                no_files.append((shown, reason))
    return Files(sorted(paths), tuple(sorted(unopened)), tuple(sorted(no_files)), sorted(others), tuple(sorted(tables)))


def without_answers(root: Path, files: Files, masks: str | None) -> tuple[Files, tuple[Message, ...]]:
    """The files without what `evenray predict` wrote: tables of answers, and the masks in the folder beside each; with what is to be
    said of them. `masks` is the folder or pattern that the user named: what it names is meant."""
    folders = {above for file in files.paths for above in map(str, PurePosixPath(file).parents)}
    tables = [file for file in files.others if file.lower().endswith(ANSWERS) and are_own_answers(as_path(root / file))]
    beside = {f"{file.rpartition('.')[0]}_masks" for file in tables} & folders
    if masks is not None:
        named = Path(masks).resolve()
        beside = {each for each in beside if each not in masks and not named.is_relative_to((root / each).resolve())}
    found = [file for file in files.paths if any(file.startswith(f"{each}/") for each in beside)]
    left = sorted(set(files.paths) - set(found))
    notes = [Message("scan.answers", {"count": len(tables), "file": tables[0]})] if tables else []
    notes += [Message("scan.answers_masks", {"count": len(found), "folder": sorted(beside)[0]})] if found else []
    return replace(files, paths=left, tables=tuple(file for file in files.tables if file not in tables)), tuple(notes)


def _may_be_table(name: str) -> bool:
    return not name.startswith(".") and (Path(name).suffix.lower() in SUFFIXES or LIST.fullmatch(name) is not None)


def _may_be_image(name: str) -> bool:
    if name.startswith(".") or name.upper() in ("DICOMDIR", "THUMBS.DB", "LICENSE", "README"):
        return False
    return Path(name).suffix.lower() not in NO_IMAGES
