"""The loop beside a PACS: new studies are noted, answered one after the other, and tried again where that fails."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI

from evenray.core.errors import DataError, EvenrayError, MissingExtra, ReadError
from evenray.core.names import printable
from evenray.images.writers.dicom_sr import report_uid
from evenray.learning.predict.decoding import Item, opened
from evenray.learning.predict.files import predict
from evenray.scale.archive import Archive, Gone, Unreachable
from evenray.scale.new_studies import Feed, feed_of

from ..answering import listed
from ..metrics import STUDIES
from ..service import Service
from .ledger import Ledger, Row
from .results import Results, Sources
from .rules import Rules

__all__ = ["IMAGES", "Pacs"]

IMAGES = 256  # of one study: more are a volume, and no films
LONGEST = 300.0  # seconds between two looks at a PACS that cannot be reached
log = logging.getLogger("evenray.serve")


class Pacs:
    """A PACS whose new studies are answered by the first model of a service.

    It is asked for new studies every `every` seconds (0: never, they are told by the webhook); `everything` answers those as well
    that it has at the first start.
    """

    def __init__(
        self, archive: Archive, ledger: Ledger, rules: Rules, *, every: float = 10.0, everything: bool = False, device: str = "auto"
    ) -> None:  # fmt: skip
        if find_spec("highdicom") is None:
            raise MissingExtra("--pacs", "highdicom", "pacs")
        self.archive, self.ledger, self.rules = archive, ledger, rules
        self.every, self.everything, self.device = every, everything, device
        self.stopping, self.woken = threading.Event(), threading.Event()
        self.reachable: bool | None = None
        self.feed: Feed | None = None
        self.results: Results | None = None

    @asynccontextmanager
    async def lifespan(self, service: Service, app: FastAPI) -> AsyncIterator[None]:
        """The service at work, and the loop beside it."""
        async with service.lifespan(app):
            app.state.pacs = self
            thread = threading.Thread(target=self.run, args=(service,), name="pacs")
            thread.start()
            try:
                yield
            finally:
                self.stopping.set()
                self.woken.set()
                await asyncio.to_thread(thread.join)
                self.ledger.close()

    def run(self, service: Service) -> None:
        """Look, answer and wait until `stopping` is set; what goes wrong is logged and tried again."""
        wait = 0.0
        while not self.stopping.is_set():
            try:
                if self.every or self.ledger.position is None:
                    self.look()
                while not self.stopping.is_set() and self.one(service):
                    if self.every:
                        self.look()
                self._seen(True)
                due = self.ledger.next_due()
                wait = min(self.every or LONGEST, LONGEST if due is None else max(due, 0.5))
            except Unreachable as error:
                wait = min(LONGEST, max(2 * wait, self.every, 1.0))
                self._seen(False, str(error))
            except (EvenrayError, OSError, sqlite3.Error) as error:  # of the disk, or of a PACS that is not itself
                wait = min(LONGEST, max(2 * wait, 1.0))
                log.error("pacs failed", extra={"told": {"error": type(error).__name__}})
            self.woken.wait(wait)
            self.woken.clear()

    def look(self) -> None:
        """Note what is new in the PACS; at the first start, where it begins."""
        if self.feed is None:
            self.feed = feed_of(self.archive)
            log.info("pacs", extra={"told": {"by": type(self.feed).__name__.lower()}})
        position, more = self.ledger.position, True
        if position is None:
            position, there = self.feed.begin(self.everything)
            self.ledger.leave(there, position)
        while more and not self.stopping.is_set():
            news, following, more = self.feed.since(position)
            if following < position:
                log.warning("pacs has another log of changes", extra={"told": {"position": following}})
            if news or following != position:
                self.ledger.note(news, following, self.feed.quiet)
            position = following

    def one(self, service: Service) -> bool:
        """Answer the study that has waited longest; False where none is due. Raises Unreachable."""
        with self.ledger.taken() as row:
            if row is None:
                return False
            try:
                outcome = self._answered(row, service)
            except Unreachable:
                raise
            except Gone:
                outcome = self._nothing(row, "the PACS no longer has it")
            except Exception as error:  # a study is one of many: whatever it is made of, the next one is answered
                wait = self.ledger.failed(row, _reason(error))
                outcome = "failed" if wait is None else "postponed"
                told = {"study": row.number, "attempts": row.attempts + 1, "reason": _reason(error), "again_s": wait}
                log.log(logging.ERROR if wait is None else logging.WARNING, f"study {outcome}", extra={"told": told})
            if outcome:
                STUDIES.labels(outcome).inc()
            return True

    def _answered(self, row: Row, service: Service) -> str:
        """What became of a study: answered, nothing, or "" where not all of it has come."""
        study = row.news.study
        if row.news.ticket and self.feed is not None and (later := self.feed.settled(row.news)):
            self.ledger.postpone(row, later, self.feed.quiet)
            return ""
        loaded = service.models.get(None)
        if self.results is None or self.results.loaded.since != loaded.since or self.results.loaded is not loaded:
            self.results = Results(loaded, self.device)
        report = report_uid(study, self.results.weights)
        headers = self.archive.headers(study)
        if any(str(header.get("SOPInstanceUID")) == report for header in headers):
            return self._done(row, images=0, by="another")
        images = self.rules.chosen(headers)
        if not images:
            return self._nothing(row, "no image for the model")
        if len(images) > IMAGES:
            return self._nothing(row, f"{len(images)} images for the model, more than {IMAGES}; narrow the rules")
        place = Path(tempfile.mkdtemp(dir=service.folder))
        try:
            paths = {str(number): place / f"{number}.dcm" for number in range(1, len(images) + 1)}
            for header, path in zip(images, paths.values(), strict=True):
                self.archive.fetch(study, str(header.SeriesInstanceUID), str(header.SOPInstanceUID), path)
            return self._store(row, service, self.results, Sources(paths), report, place)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _store(self, row: Row, service: Service, results: Results, sources: Sources, report: str, place: Path) -> str:
        """Predict, and store the pictures first and the report last: where that is, everything is."""
        model, decoders = results.loaded.model, service.decoders
        items = [Item(name, path) for name, path in sources.paths.items()]
        if model.about.task == "segment":
            items = listed([*sources.paths.values()], decoders, every=True)
        found = predict(model, items, map=decoders.map)
        if not found.table.height:
            raise ReadError("study", found.rejected["reason"][0])
        segments = results.segmentations(found, sources, place)
        for path, _, _ in segments.values():
            self.archive.store(path)
        tasks = results.tasks(found, sources)
        drawn = decoders.map(partial(opened, preparation=found.about.preparation), tasks)
        for path in results.pictures(tasks, drawn, found, sources, place):
            self.archive.store(path)
            path.unlink()
        results.report(found, sources, segments, place / "report.dcm")
        if not self.archive.has(row.news.study, report):
            self.archive.store(place / "report.dcm")
        return self._done(row, images=found.table.height, rejected=found.rejected.height, unlike=found.flagged)

    def _done(self, row: Row, **told: object) -> str:
        self.ledger.done(row, "answered")
        log.info("study answered", extra={"told": {"study": row.number, **told}})
        return "answered"

    def _nothing(self, row: Row, reason: str) -> str:
        self.ledger.done(row, "nothing", reason)
        log.info("study not answered", extra={"told": {"study": row.number, "reason": reason}})
        return "nothing"

    def _seen(self, reachable: bool, reason: str = "") -> None:
        """Log when the PACS is lost and when it is back, once each."""
        if reachable != self.reachable and not (reachable and self.reachable is None):
            log.log(logging.INFO if reachable else logging.ERROR, "pacs is back" if reachable else "pacs unreachable",
                    extra={"told": {"reason": reason}})  # fmt: skip
        self.reachable = reachable


def _reason(error: Exception) -> str:
    """Why a study could not be answered, without a word of its files: their errors may quote the header."""
    if isinstance(error, ReadError):
        return printable(error.reason)
    return printable(str(error)) if isinstance(error, DataError) else type(error).__name__
