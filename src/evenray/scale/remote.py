"""Files on any fsspec URL: inputs come through a local cache, a run works in a local copy that follows its URL.

Everything below reads and writes ordinary files (docs/decisions/0007-urls-go-through-a-local-copy.md). Credentials come
from the environment or the configuration of the storage, never from a URL, and no message of a storage library is
passed on, for it may quote them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from threading import Event, RLock, Thread
from typing import Any, TypedDict

from evenray.core.artefacts import Ledger, RunFolder, atomic, cache_folder, digest
from evenray.core.errors import DataError, EvenrayError, MissingExtra, StorageError, UsageError

__all__ = ["Mirror", "RemoteFolder", "checked", "is_url", "sent", "system_of", "told"]

INDEX, LEDGER = ".remote.json", "provenance.json"
KEPT_HERE = (INDEX, ".lock")
THREADS = 16
EVERY = 60.0  # seconds between looks for new checkpoints
WHOLE_OR_NOT = ("s3", "s3a", "gs", "gcs", "abfs", "az", "memory")  # what is put there appears whole or not at all
EXTRAS = {"s3": "s3fs", "s3a": "s3fs"}

Stamp = list[int | str | None]  # what tells one content of a remote file from another: its size and tag


# A file in the index: its stamp there, its size and time here.
class Known(TypedDict, total=False):
    there: Stamp | None
    here: list[int]


def is_url(text: str | Path) -> bool:
    """Whether a text names a file by a URL rather than by a path.

    >>> is_url("s3://bucket/scans"), is_url("C:/scans"), is_url("scans")
    (True, False, False)
    """
    return re.match(r"[a-z][a-z0-9+.-]+://", str(text)) is not None


class Mirror:
    """A folder (or one file) at a URL and its local copy. `pull` and `push` move only what has changed.

    The index beside the copy knows each file's stamp (ETag, else size and time) there and its size and time here.
    """

    def __init__(self, url: str, kind: str = "inputs") -> None:
        self.url = checked(url.rstrip("/"))
        self.system, self.root = system_of(self.url)
        self.here = cache_folder() / kind / digest(self.url)[:24]
        self.lock = RLock()

    @property
    def index(self) -> dict[str, Known]:
        path = self.here / INDEX
        found: dict[str, Known] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found

    def _keep(self, index: Mapping[str, Known]) -> None:
        with atomic(self.here / INDEX) as path:
            path.write_text(json.dumps(index), encoding="utf-8")

    def there(self) -> dict[str, Stamp]:
        """The files at the URL, by their names below it, with their stamps."""
        with told(self.url, "read"):
            self.system.invalidate_cache()
            found = self.system.find(self.root, detail=True)
        below = len(self.root) + 1
        files = {name.removeprefix("/") if self.root == "" else name[below:]: info for name, info in found.items()}
        return {name: _stamp(info) for name, info in files.items() if name and _inside(name)}

    def holds(self, name: str) -> bool:
        """Whether a file of this name is at the URL."""
        with told(self.url, "read"):
            return bool(self.system.isfile(self._at(name)))

    def pull(self, only: Iterable[str] | None = None) -> Path:
        """Bring the local copy up to date with the URL (of it, the names `only`); returns its folder."""
        with self.lock:
            stamps, index = self.there(), self.index
            wanted = stamps if only is None else {name: stamps[name] for name in only if name in stamps}
            stale = [
                n for n, s in wanted.items() if index.get(n, {}).get("there") != s or not (self.here / n).is_file()
            ]
            fetch = lambda name: self._fetch(name, stamps[name])  # noqa: E731
            done = 0
            with ThreadPoolExecutor(THREADS) as pool:
                for name, here in zip(stale, pool.map(fetch, stale), strict=True):
                    index[name] = {"there": stamps[name], "here": here}
                    done += 1
                    if done % 1000 == 0:  # a long download that is stopped goes on from about here
                        self._keep(index)
            if only is None:
                for name in [name for name in index if name not in stamps]:
                    (self.here / name).unlink(missing_ok=True)
                    del index[name]
            self._keep(index)
        return self.here

    def _fetch(self, name: str, stamp: Stamp) -> list[int]:
        path = self.here / name
        with atomic(path) as temporary, told(f"{self.url}/{name}", "read"):
            self.system.get_file(self._at(name), str(temporary))
        # The time follows from the stamp, so that the same file looks alike on every machine.
        when = int(digest(stamp)[:12], 16) % 10**9 * 10**9
        os.utime(path, ns=(when, when))
        return _here(path)

    def push(self) -> None:
        """Bring the URL up to date with the local copy; the ledger of the run goes last, so what it names is there."""
        with self.lock:
            index = self.index
            files = [path for path in self.here.rglob("*") if path.is_file()]
            names = [path.relative_to(self.here).as_posix() for path in files]
            names = sorted((name for name in names if _travels(name)), key=lambda name: (name == LEDGER, name))
            changed = {
                name: now for name in names if index.get(name, {}).get("here") != (now := _here(self.here / name))
            }
            for name in changed:
                _put(self.system, self.here / name, self._at(name), f"{self.url}/{name}")
            there = self.there() if changed else {}
            index |= {name: {"there": there.get(name), "here": now} for name, now in changed.items()}
            for name in [name for name in index if name not in names]:
                with told(f"{self.url}/{name}", "write"):
                    if self.system.exists(self._at(name)):
                        self.system.rm_file(self._at(name))
                del index[name]
            self._keep(index)

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"


class RemoteFolder(RunFolder):
    """A run folder at a URL: work goes on in its local copy, and each stage that is finished is published.

    What stands at the URL is brought here first, so a run goes on from any machine. In between, new checkpoints are
    published every minute. One run at a time: the lock of the folder is a local one. Of the processes of one distributed
    run only the first publishes.
    """

    def __init__(self, url: str) -> None:
        self.mirror = Mirror(url, "runs")
        super().__init__(self.mirror.pull())
        self.first = int(os.environ.get("RANK", "0")) == 0
        self.done = Event()
        self.following: Thread | None = None

    def note(self, change: Callable[[Ledger], Ledger]) -> None:
        super().note(change)
        if self.following is None and self.first:  # work has begun
            self.following = Thread(target=self._keep_up, daemon=True)
            self.following.start()

    def publish(self) -> None:
        if self.first:
            self.mirror.push()

    def close(self) -> None:
        """Publish for the last time."""
        self.done.set()
        self.publish()

    def _keep_up(self) -> None:
        while not self.done.wait(EVERY):
            try:
                self.mirror.push()
            except EvenrayError:
                continue  # the end of the stage tries again, and tells


def sent(path: Path, url: str) -> None:
    """Put one local file at a URL."""
    system, root = system_of(checked(url))
    _put(system, path, root, url)


def _put(system: Any, path: Path, at: str, url: str) -> None:
    with told(url, "write"):
        system.makedirs(str(PurePosixPath(at).parent), exist_ok=True)
        if system.protocol in WHOLE_OR_NOT or set(system.protocol) & set(WHOLE_OR_NOT):
            system.put_file(str(path), at)
        else:
            system.put_file(str(path), f"{at}.part")
            system.mv(f"{at}.part", at)


def checked(url: str) -> str:
    """A URL that holds no secret; UsageError otherwise, which does not repeat it."""
    rest = url.split("://", 1)[1]
    if "@" in rest.split("/", 1)[0] or "?" in rest:
        raise UsageError(
            f"The {url.split('://', 1)[0]} URL holds a user, a password or a query; leave them out, for they would stand in the"
            " run's artefacts, and give them by the environment or the configuration of the storage."
        )
    return url


def system_of(url: str) -> tuple[Any, str]:
    import fsspec
    from fsspec.registry import known_implementations

    protocol = url.split("://", 1)[0]
    try:
        system, root = (
            fsspec.core.url_to_fs(url, use_listings_cache=False) if protocol in EXTRAS else fsspec.core.url_to_fs(url)
        )
    except ImportError:
        if protocol in EXTRAS:
            raise MissingExtra(f"{protocol}://", EXTRAS[protocol], "scale") from None
        hint = known_implementations.get(protocol, {}).get("err", "install its fsspec package")
        raise UsageError(f"{protocol}:// needs another package: {hint}.") from None
    except ValueError:
        raise UsageError(
            f"There is no storage '{protocol}://'; known are: {', '.join(sorted(known_implementations))}."
        ) from None
    except Exception as error:
        raise DataError(
            f"'{url}' cannot be opened ({type(error).__name__}); check the address and the environment."
        ) from None
    return system, root.rstrip("/")


@contextmanager
def told(url: str, verb: str) -> Iterator[None]:
    """Whatever a storage library raises becomes one sentence that quotes only its kind."""
    try:
        yield
    except EvenrayError:
        raise
    except FileNotFoundError:
        raise DataError(f"There is no '{url}'; check the address, and the credentials in the environment.") from None
    except Exception as error:
        kind: Callable[[str], EvenrayError] = DataError if verb == "read" else StorageError
        raise kind(
            f"Cannot {verb} '{url}' ({type(error).__name__}); check the address, the credentials in the environment and the"
            " network, then run the same command again: it goes on where it stopped."
        ) from None


def _stamp(info: Mapping[str, Any]) -> Stamp:
    """What tells one content of a remote file from another."""
    tag = info.get("ETag") or info.get("etag") or info.get("md5Hash") or info.get("content_md5")
    when = next((info[k] for k in ("LastModified", "last_modified", "mtime", "updated", "created") if info.get(k)), "")
    return [info.get("size"), str(tag or when)]


def _here(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _inside(name: str) -> bool:
    """Whether a remote name stays below the folder that it is copied to."""
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts and name != INDEX


def _travels(name: str) -> bool:
    """Whether a file of a run belongs at its URL; the prepared store is made again faster than it is moved."""
    parts = PurePosixPath(name).parts
    return parts[0] != "store" and not (parts[-1] in KEPT_HERE or parts[-1].endswith(".tmp"))
