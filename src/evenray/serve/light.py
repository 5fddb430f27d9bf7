"""Contrast and histograms of files that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evenray.core.errors import DataError
from evenray.core.lost import Lost
from evenray.core.texts import Texts
from evenray.verbs.histogram import histogram

from .decoding import Decoders
from .forms import Counts, Rejected
from .problems import Problem
from .reading import as_png

__all__ = ["counted", "enhanced"]


def enhanced(path: Path, method: str, window: str, fragment: str | None, decoders: Decoders) -> bytes:
    """One image with its contrast changed, as PNG: 8 or 16 bits of grey or colour, its grey range from black to white.

    `fragment` is one of the file; None the middle one. UsageError for a method that is unknown or names a file, Problem 422
    for what cannot be read.
    """
    found = decoders.one(partial(as_png, method=method, window=window, fragment=fragment), path)
    if isinstance(found, bytes):
        return found
    raise Problem(422, "serve.unreadable", reason=found.reason if isinstance(found, Lost) else found)


def counted(paths: Sequence[Path], bins: int | None, window: str, lang: str, decoders: Decoders) -> Counts:
    """The grey levels of files together, as `evenray histogram` counts them; Problem 422 where none can be read."""
    try:
        found = decoders.own(partial(histogram, list(paths), bins=bins, window=window, jobs=1))
    except DataError as error:
        raise Problem(422, "serve.unreadable", reason=str(error).split(f"{paths[0]}: ", 1)[-1]) from None
    told, texts = found.as_json(), Texts(lang)
    return Counts(
        title=told["title"], images=told["images"], table=told["table"],
        figures={name: told[name] for name in found.figures},
        advice=[texts("advice.try", advice=texts.message(a.message), methods=", ".join(a.methods)) for a in found.advice],
        rejected=[_rejected(line, paths) for line in found.skipped],
    )  # fmt: skip


def _rejected(line: str, paths: Sequence[Path]) -> Rejected:
    number, path = next((n, path) for n, path in enumerate(paths, 1) if line.startswith(f"{path}: "))
    return Rejected(file=number, reason=line.removeprefix(f"{path}: "))
