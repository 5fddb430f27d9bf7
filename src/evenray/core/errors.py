"""Every error that evenray raises on purpose, and the exit code that each one ends the command line with.

EvenrayError                1   something could not be done; the sentence says what, why and the fix
├── UsageError              2   a wrong option, name or parameter: the command line has to change
├── DataError               1   the data as a whole cannot be used as asked
├── ReadError               1   one file cannot be read; a scan sets it aside with this reason and goes on
├── MissingExtra            1   an optional package is not installed; names the one to install
├── StorageError            1   the disk is full or not writable; what was written before stays whole
├── WorkerError             1   a process of a parallel stage has died; what is done stands
└── TrainingError           1   training cannot go on (a loss that is not finite, say)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "EvenrayError",
    "MissingExtra",
    "ReadError",
    "StorageError",
    "TrainingError",
    "UsageError",
    "WorkerError",
    "unknown_name",
]


class EvenrayError(Exception):
    """Base of all errors raised on purpose; `str(error)` is a sentence for the user.

    >>> str(EvenrayError("The folder 'x' is empty; give one with images."))
    "The folder 'x' is empty; give one with images."
    """

    exit_code = 1


class UsageError(EvenrayError):
    """The command or call has to change: unknown name, value out of range, options that contradict each other."""

    exit_code = 2


class DataError(EvenrayError):
    """The data cannot be used as asked: no image, a single class, a class with too few patients to split."""


class ReadError(EvenrayError):
    """One file that cannot be read.

    >>> error = ReadError("a.dcm", "the pixel data ends after 12 of 512 rows")
    >>> str(error)
    'a.dcm: the pixel data ends after 12 of 512 rows'
    >>> error.reason
    'the pixel data ends after 12 of 512 rows'
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.path, self.reason)


class MissingExtra(EvenrayError):
    """An optional package is needed.

    >>> str(MissingExtra("exporting to ONNX", "onnx", "export"))
    "exporting to ONNX needs onnx; install it with: pip install 'evenray[export]'"
    """

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}; install it with: pip install 'evenray[{extra}]'")
        self.purpose, self.package, self.extra = purpose, package, extra

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.purpose, self.package, self.extra)


class StorageError(EvenrayError):
    """Writing failed; nothing is left half-written, and the run can be started again."""


class WorkerError(EvenrayError):
    """A process of a parallel stage has died; the others are stopped, and the run can be started again."""


class TrainingError(EvenrayError):
    """Training cannot go on; the last checkpoint is kept."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not in a list: states it, the nearest known ones, and all of them.

    >>> str(unknown_name("contrast", "claeh", ["none", "clahe"]))
    "There is no contrast named 'claeh'; did you mean clahe? Known: none, clahe."
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return UsageError(f"There is no {kind} named '{name}'{hint} Known: {', '.join(names)}.")
