"""Files that are written whole or not at all, and what identifies their content."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evenray.core.errors import StorageError

__all__ = [
    "atomic",
    "cache_folder",
    "digest",
    "file_digest",
    "now",
    "refusal",
    "remedy",
    "running",
    "state_folder",
    "sweep",
    "whole_file",
]


def digest(value: Any) -> str:
    """The SHA-256 of a JSON-able value, key order not counting.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole_file(path: str | Path, most: int = 64 << 20) -> bytes:
    """The bytes of a small file; ValueError for one of more than `most`, and for what may never end, as a device."""
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError("it is no file")
    with Path(path).open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most >> 20} MB")
    return content


def cache_folder() -> Path:
    """Where local copies are kept: $EVENRAY_CACHE, else evenray in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EVENRAY_CACHE") or Path(base) / "evenray")


def state_folder() -> Path:
    """Where is kept what must not be lost with the cache: evenray in the user's folder for state."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "evenray"


REFUSALS = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR,
    errno.EEXIST, errno.ENAMETOOLONG,
)  # fmt: skip


@contextmanager
def atomic(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well and removed when it does not.

    With `durable` the bytes are on the disk before the name is, so that a power failure leaves one or the other whole.
    Raises StorageError when the disk is full or not writable, whichever library did the writing.
    """
    short = hashlib.blake2b(os.fsencode(path.name), digest_size=6).hexdigest()  # a name has 255 bytes at most
    temporary = path.with_name(f".{short}.{os.getpid()}.tmp")
    try:
        _make_folder(path)
        yield temporary
        if durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    except Exception as error:
        why = refusal(error)
        if why is None:
            raise
        raise StorageError(f"Cannot write {path}: {why}; {remedy(why)}, then run the same command again.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise StorageError(f"Cannot make the folder of {path}: {why}; {remedy(why)}.") from error


def remedy(why: str) -> str:
    """What helps against a refusal.

    >>> remedy("no space left on device"), remedy("permission denied")
    ('make room, or choose another place with -o', 'choose another place with -o')
    """
    space = {os.strerror(number).lower() for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
    return "make room, or choose another place with -o" if why in space else "choose another place with -o"


def refusal(error: BaseException | None) -> str | None:
    """Why the system refused to write, in its own words; None for any other error.

    Libraries hide the number: polars and safetensors quote it, numpy and torch only say that less came to be written.

    >>> refusal(RuntimeError("underlying IO error: No space left on device (os error 28)"))
    'no space left on device'
    """
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and (quoted := re.search(r"\(os error (\d+)\)", str(error))):
            number = int(quoted[1])
        if re.search(r"\d+ requested and \d+ written|PytorchStreamWriter|unexpected pos \d+", str(error)):
            number = errno.ENOSPC
        if number in REFUSALS:
            return os.strerror(number).lower()
        error = error.__cause__ or error.__context__
    return None


def sweep(folder: Path, *, older: float = 0.0) -> None:
    """Remove what processes that were killed had half written in `folder`.

    Where several machines write, whose processes cannot be asked for, only what is `older` (seconds) than they need.
    """
    for path in folder.rglob(".*.tmp"):
        process = path.name.split(".")[-2]
        with suppress(OSError):
            if process.isdigit() and not running(int(process)) and time.time() - path.stat().st_mtime >= older:
                path.unlink(missing_ok=True)


def running(process: int) -> bool:
    """Whether a process of this number runs on this machine; one that has ended but whose parent has not asked does not."""
    try:
        os.kill(process, 0)
        with suppress(OSError, IndexError):  # where the system has no such file
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def now() -> str:
    """The time, to the second, with its zone."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")
