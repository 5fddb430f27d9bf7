"""One run at a time in a run folder: a file that says which process works there, taken over when that process is gone."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from evenray.core.errors import DataError
from evenray.core.processes import processes

from .files import atomic, running

__all__ = ["LOCK", "InUse", "alone", "hand", "staying", "worker"]

LOCK = ".lock"
BEAT = 30.0  # seconds between signs of life
SILENCE = 600.0  # without one for so long, a process of another machine counts as gone; clocks may differ by minutes
HANDED = "handed"  # to a process that has not taken it over yet


class InUse(DataError):
    """Somebody works in the folder."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; it is made if it is not there, and removed again if it stays empty.

    The lock is a line "process host start", with a fourth word where it was handed to that process (`hand`). A process of
    this machine that no longer runs, or one of another machine that has given no sign of life for ten minutes, has lost it. Of
    the processes of one distributed run only the first holds it. Raises InUse naming the process that works there.
    """
    if processes().rank:
        yield
        return
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path, done = folder / LOCK, Event()
    try:
        with _guarded(folder):
            _refuse(path)
            with atomic(path) as temporary:
                temporary.write_text(_line(os.getpid()))
        Thread(target=_beat, args=(path, done), daemon=True).start()
        try:
            yield
        finally:
            done.set()
            if _holder(path) == _line(os.getpid()):
                path.unlink(missing_ok=True)
    finally:
        if made:
            with suppress(OSError):
                folder.rmdir()


def hand(folder: Path, start: Callable[[], int]) -> None:
    """Let `start` begin a process that is to work in the folder, and hold this for it from its first moment on: until it has
    imported what it needs and comes to `alone`, seconds pass. `start` returns its number, and is not called where InUse is
    raised."""
    with _guarded(folder):
        _refuse(folder / LOCK)
        process = start()
        with atomic(folder / LOCK) as temporary:
            temporary.write_text(f"{_line(process)} {HANDED}")


@contextmanager
def staying(folder: Path) -> Iterator[None]:
    """A stage's work in a run folder. DataError where the folder was moved or removed meanwhile: whoever writes there makes it
    anew, and a ledger in it would tell of this stage alone."""
    begun = _identity(folder)
    gone = (
        f"{folder} was moved or removed while evenray worked in it. Run the same command again with the folder's new place; what"
        " was written to the old one since then can be removed."
    )
    try:
        yield
    except Exception as error:
        if _identity(folder) == begun:
            raise
        raise DataError(gone) from error
    if _identity(folder) != begun:
        raise DataError(gone)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another one that was made in its place."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def worker(folder: Path) -> int | None:
    """The process of this machine that works in a folder; None where there is none."""
    process, host, begun, *_ = _words(folder / LOCK) or (0, "", "")
    return process if host == (platform.node() or "here") and _lives(process, begun) else None


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """Of two processes that find the same stale lock only one may take it over."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _line(process: int) -> str:
    """A process, its machine, and when it started: numbers of processes are used again."""
    return f"{process} {platform.node() or 'here'} {_started(process)}"


def _started(process: int) -> str:
    """The start of a process in ticks of the kernel; "0" where the system does not tell or there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"


def _holder(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def _words(path: Path) -> tuple[int, str, str, str] | None:
    """Whose lock it is: the process, its machine, its start, and whether it was handed to it; None where nobody's."""
    words = (_holder(path) or "").split()
    if len(words) not in (3, 4) or not words[0].isdigit():
        return None
    return int(words[0]), words[1], words[2], "".join(words[3:])


def _lives(process: int, begun: str) -> bool:
    return running(process) and _started(process) == begun


def _refuse(path: Path) -> None:
    if (held := _words(path)) is None:
        return
    process, host, begun, how = held
    if host == (platform.node() or "here"):
        if not _lives(process, begun) or (process == os.getpid() and how == HANDED):
            return
        fix = "wait for it to end, stop it, or name another folder with -o."
    else:
        if time.time() - path.stat().st_mtime > SILENCE:
            return
        fix = f"wait for it to end, or name another folder with -o; if it is gone, remove {path}."
    raise InUse(f"{path.parent} is in use: process {process} on {host} is working in it; {fix}")


def _beat(path: Path, done: Event) -> None:
    while not done.wait(BEAT):
        with suppress(OSError):
            os.utime(path)
