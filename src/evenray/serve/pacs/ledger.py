"""What became of each study, on the disk: the position in the PACS's changes, what waits, what is answered, what has failed."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl

from evenray.core.artefacts import atomic, now
from evenray.core.errors import StorageError
from evenray.core.spreadsheets import to_csv
from evenray.scale.new_studies import News

__all__ = ["FAILURES", "WAITS", "Failure", "Ledger", "Row"]

WAITS = (30.0, 120.0, 480.0, 1920.0, 7200.0)  # seconds before a study that has failed is tried again
FAILURES = "failures.csv"
TABLES = """
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS study (
  number INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, ticket TEXT NOT NULL, state TEXT NOT NULL, due REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', changed TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS waiting ON study (state, due);
"""


class Row(NamedTuple):
    """A study that waits; `number` is what logs call it by, for its UID leads to a person. `ticket` is empty once all has come."""

    number: int
    news: News
    attempts: int


class Failure(NamedTuple):
    """A study that is not tried any more, with its last reason."""

    number: int
    attempts: int
    reason: str
    changed: str


class Ledger:
    """The states of studies in a folder that only this account may open; several processes may share it.

    A study is waiting, answered, nothing (no image for the model), failed, or left (it was there before the first start). One that
    waits is worked on by one process at a time (`taken`): a lock of the operating system, which a killed process loses.
    """

    def __init__(self, folder: Path, waits: tuple[float, ...] = WAITS, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.waits, self.clock = folder, waits, clock
        self.mutex = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.base = sqlite3.connect(
                folder / "studies.sqlite", timeout=60, isolation_level=None, check_same_thread=False
            )
            self.base.execute("PRAGMA journal_mode = WAL")
            self.base.executescript(TABLES)
            self.locks = (folder / "locks").open("ab")
        except (OSError, sqlite3.Error) as error:
            if hasattr(self, "base"):
                self.base.close()
            raise StorageError(
                f"What became of studies cannot be kept in '{folder}' ({error}); give another folder with --state."
            ) from None

    def close(self) -> None:
        with self.mutex:
            self.base.close()
            self.locks.close()

    @property
    def position(self) -> int | None:
        """How far the changes of the PACS are noted; None before the first start."""
        with self.mutex:
            found = self.base.execute("SELECT position FROM place").fetchone()
        return None if found is None else int(found[0])

    def note(self, news: Iterable[News], position: int, quiet: float = 0.0) -> None:
        """Keep new studies and the position behind them, together or not at all. One that is known stays what it is, but for one
        that waits and is settled now; one that is not settled is due after `quiet` seconds."""
        with self._change():
            for one in news:
                due = self.clock() + (0.0 if one.settled else quiet)
                self._add(one, "waiting", due)
                if one.settled:
                    self.base.execute(
                        "UPDATE study SET due = MIN(due, ?), ticket = ''"
                        " WHERE uid = ? AND state = 'waiting' AND attempts = 0", (due, one.study)
                    )  # fmt: skip
            self.base.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (position,))

    def leave(self, studies: Iterable[str], position: int) -> None:
        """Note studies that are not to be answered, and the position."""
        with self._change():
            for study in studies:
                self._add(News(study, "", True), "left", 0.0)
            self.base.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (position,))

    def ask(self, study: str) -> tuple[int, str]:
        """Have a study answered now, also one that has failed or was left, and return its number and state."""
        with self._change():
            self._add(News(study, "", True), "waiting", self.clock())
            self.base.execute(
                "UPDATE study SET state = 'waiting', due = ?, ticket = '', attempts = 0, changed = ?"
                " WHERE uid = ? AND state IN ('waiting', 'failed', 'left', 'nothing')", (self.clock(), now(), study),
            )  # fmt: skip
            found = self.base.execute("SELECT number, state FROM study WHERE uid = ?", (study,)).fetchone()
        self._list_failures()
        return int(found[0]), str(found[1])

    @contextmanager
    def taken(self) -> Iterator[Row | None]:
        """The study that has waited longest and is due, held while the block runs; None where there is none."""
        row = self._take()
        try:
            yield row
        finally:
            if row is not None:
                fcntl.lockf(self.locks, fcntl.LOCK_UN, 1, row.number)

    def postpone(self, row: Row, news: News, seconds: float) -> None:
        """Look at a study again later, for not all of it has come."""
        self._set(row, "waiting", self.clock() + seconds, row.attempts, "", news.ticket)

    def done(self, row: Row, state: str, reason: str = "") -> None:
        """A study is answered, or there is nothing to answer."""
        self._set(row, state, 0.0, row.attempts, reason)

    def failed(self, row: Row, reason: str) -> float | None:
        """A study could not be answered: in how many seconds it is tried again, or None where it was the last time."""
        attempts = row.attempts + 1
        if attempts > len(self.waits):
            self._set(row, "failed", 0.0, attempts, reason)
            self._list_failures()
            return None
        wait = self.waits[row.attempts]
        self._set(row, "waiting", self.clock() + wait, attempts, reason)
        return wait

    def counts(self) -> dict[str, int]:
        """How many studies are in each state."""
        with self.mutex:
            found = self.base.execute("SELECT state, COUNT(*) FROM study GROUP BY state").fetchall()
        return {str(state): int(count) for state, count in found}

    def failures(self, most: int = -1) -> list[Failure]:
        """The studies that have failed, the latest first."""
        with self.mutex:
            found = self.base.execute(
                "SELECT number, attempts, reason, changed FROM study WHERE state = 'failed' ORDER BY changed DESC LIMIT ?", (most,)
            ).fetchall()  # fmt: skip
        return [Failure(*row) for row in found]

    def next_due(self) -> float | None:
        """In how many seconds the next study is due."""
        with self.mutex:
            found = self.base.execute("SELECT MIN(due) FROM study WHERE state = 'waiting'").fetchone()[0]
        return None if found is None else max(0.0, float(found) - self.clock())

    def _take(self) -> Row | None:
        """Whatever is due, or would not be for longer than anything waits: then the clock was set back."""
        moment, beyond = self.clock(), max(self.waits, default=0.0) + 3600.0
        with self.mutex:
            rows = self.base.execute(
                "SELECT number, uid, ticket, attempts FROM study WHERE state = 'waiting' AND (due <= ? OR due > ?)"
                " ORDER BY due LIMIT 64", (moment, moment + beyond),
            ).fetchall()  # fmt: skip
            for number, uid, ticket, attempts in rows:
                with suppress(OSError):
                    fcntl.lockf(self.locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
                    again = self.base.execute(
                        "SELECT state, attempts FROM study WHERE number = ?", (number,)
                    ).fetchone()
                    if again == ("waiting", attempts):  # nobody has done it in between
                        return Row(number, News(uid, ticket, not ticket), attempts)
                    fcntl.lockf(self.locks, fcntl.LOCK_UN, 1, number)
        return None

    def _add(self, news: News, state: str, due: float) -> None:
        ticket = "" if news.settled else news.ticket
        self.base.execute(
            "INSERT OR IGNORE INTO study (uid, ticket, state, due, changed) VALUES (?, ?, ?, ?, ?)",
            (news.study, ticket, state, due, now()),
        )

    def _set(self, row: Row, state: str, due: float, attempts: int, reason: str, ticket: str = "") -> None:
        with self._change():
            self.base.execute(
                "UPDATE study SET state = ?, due = ?, attempts = ?, reason = ?, ticket = ?, changed = ? WHERE number = ?",
                (state, due, attempts, reason, ticket, now(), row.number),
            )

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self.mutex:
            self.base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.base.execute("ROLLBACK")
                raise
            self.base.execute("COMMIT")

    def _list_failures(self) -> None:
        """The list for people, which alone says which study a number is."""
        columns = ("study", "StudyInstanceUID", "attempts", "reason", "changed")
        with self.mutex, atomic(self.folder / FAILURES) as path:
            rows = self.base.execute(
                "SELECT number, uid, attempts, reason, changed FROM study WHERE state = 'failed' ORDER BY changed DESC"
            ).fetchall()
            path.write_text(to_csv(pl.DataFrame(rows, schema=columns, orient="row")), encoding="utf-8")
