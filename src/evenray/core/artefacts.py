"""The run folder: artefacts written whole or not at all, and the ledger of stages that makes a run resumable."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from .errors import DataError, StorageError

__all__ = ["RunFolder", "atomic", "cache_folder", "digest", "file_digest", "refusal", "remedy", "running", "sweep"]

ROWS = 8192  # of a table that are packed together, so that writing and reading take little memory beyond them


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


def cache_folder() -> Path:
    """Where local copies are kept: $EVENRAY_CACHE, else evenray in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EVENRAY_CACHE") or Path(base) / "evenray")


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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


class RunFolder:
    """The folder of one run: its artefacts by name, and which stages are done for which inputs.

    A stage is named with the digest of what it depends on. `fresh` tells whether the same stage with the same inputs
    has already finished and its outputs stand as it left them; then it is skipped.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    # -- artefacts --------------------------------------------------------------------------------------------------
    def has(self, name: str) -> bool:
        return (self / name).exists()

    def write_json(self, name: str, value: Any) -> None:
        with atomic(self / name, durable=True) as path:
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")

    def read_json(self, name: str) -> Any:
        return json.loads(self._needed(name).read_text(encoding="utf-8"))

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        with atomic(self / name) as path:
            if name.endswith(".csv"):
                table.write_csv(path)
            else:
                table.write_parquet(path, row_group_size=ROWS)

    def read_table(self, name: str) -> pl.DataFrame:
        path = self._needed(name)
        return pl.read_csv(path) if name.endswith(".csv") else pl.read_parquet(path)

    def _needed(self, name: str) -> Path:
        path = self / name
        if not path.exists():
            maker = next((stage for stage, made in MAKERS.items() if name in made), "run")
            raise DataError(f"{self.path} has no {name} yet; 'evenray {maker}' makes it.")
        return path

    # -- the ledger of stages ---------------------------------------------------------------------------------------
    @property
    def ledger(self) -> dict[str, Any]:
        path = self / "provenance.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"stages": {}, "test_opened": []}

    def note(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the ledger, atomically."""
        ledger = self.ledger
        change(ledger)
        self.write_json("provenance.json", ledger)

    def stamp(self, stage: str) -> str:
        """What a later stage depends on: the digest of the outputs that `stage` left, empty where it never ran."""
        return digest(self.ledger["stages"].get(stage, {}).get("outputs", {}))

    def fresh(self, stage: str, key: str) -> bool:
        done = self.ledger["stages"].get(stage)
        return bool(done) and done["key"] == key and self.intact(stage)

    def intact(self, stage: str) -> bool:
        """Whether `stage` has finished and its outputs stand as it left them."""
        done = self.ledger["stages"].get(stage)
        return bool(done) and all(
            self.has(name) and file_digest(self / name) == stamp for name, stamp in done["outputs"].items()
        )

    def finish(self, stage: str, key: str, outputs: list[str], seconds: float) -> None:
        """Write into the ledger that `stage` is done; later stages depend on the bytes of its `outputs`."""
        found = {name: file_digest(self / name) for name in outputs}
        entry = {"key": key, "outputs": found, "seconds": round(seconds, 2), "finished": now()}
        self.note(lambda ledger: ledger["stages"].update({stage: entry}))
        self.publish()

    def publish(self) -> None:
        """Send what was written to where the run lives; this folder is that place."""

    def close(self) -> None:
        """The work in the folder is over."""


MAKERS: dict[str, tuple[str, ...]] = {
    "scan": ("cases.parquet", "dataset.json", "rejected.csv"),
    "audit": ("findings.parquet",),
    "split": ("split.parquet", "excluded.csv"),
    "compare": ("grid.parquet", "choice.json", "out_of_fold.parquet"),
    "train": ("model.safetensors", "model.json", "history.csv"),
    "evaluate": ("predictions.parquet", "scores.json", "label_errors.parquet"),
    "explain": ("attributions/index.json", "contrast/index.json"),
    "report": ("report.html",),
}


def now() -> str:
    """The time, to the second, with its zone."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")
