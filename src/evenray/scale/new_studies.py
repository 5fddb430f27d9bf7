"""New studies of a PACS: told by the log of changes of an Orthanc, or found by listing those of the last days again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from evenray.core.errors import DataError

from .archive import UID, Archive, Gone, Unreachable

__all__ = ["Changes", "Feed", "Listing", "News", "feed_of"]

PAGE = 100  # changes asked for at once
DAYS = 7  # that a listing goes back: a study comes some days after its date


class News(NamedTuple):
    """A study that may be new; `settled` says that all of it has come, and `ticket` is what tells later that it has."""

    study: str
    ticket: str
    settled: bool


class Changes:
    """The log of changes of an Orthanc (`/changes`): a study is ready when it is stable, which Orthanc says after its StableAge.

    A study is noted when it begins as well: an Orthanc that is started anew in between forgets to say that it is stable.
    """

    quiet = 300.0  # seconds after which a study that has begun is looked at, whether or not it was called stable

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def begin(self, all_of_them: bool) -> tuple[int, Iterator[str]]:
        """Where to begin, at the first change or behind the last one, and the studies that are to be left alone."""
        return (0 if all_of_them else self._last()), iter(())

    def since(self, position: int) -> tuple[list[News], int, bool]:
        """What is new, the next position, and whether there is more."""
        answer = self.archive.json(f"/changes?since={position}&limit={PAGE}") or {}
        last = int(answer.get("Last", position))
        if last < position:  # another Orthanc, or an older copy of it
            return [], last, False
        found = [
            News(study, row["ID"], row["ChangeType"] == "StableStudy")
            for row in answer.get("Changes", [])
            if row["ChangeType"] in ("NewStudy", "StableStudy") and (study := self._study(row["ID"]))
        ]
        return found, last, not answer.get("Done", True)

    def settled(self, news: News) -> News | None:
        """None where all of a study has come, else what to ask with the next time."""
        found = self.archive.json(f"/studies/{news.ticket}") if news.ticket else None
        return news if found and not found.get("IsStable", True) else None

    def _study(self, name: str) -> str:
        found = self.archive.json(f"/studies/{name}") or {}
        study = str(found.get("MainDicomTags", {}).get("StudyInstanceUID", ""))
        return study if UID.fullmatch(study) else ""

    def _last(self) -> int:
        return int((self.archive.json("/changes?last") or {}).get("Last", 0))


class Listing:
    """The studies of the last days by QIDO-RS: one is ready when its number of instances has stayed the same for a while."""

    quiet = 60.0

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def begin(self, all_of_them: bool) -> tuple[int, Iterator[str]]:
        return (0, iter(())) if all_of_them else (1, (study for study, _ in self._recent()))

    def since(self, position: int) -> tuple[list[News], int, bool]:
        """At position 0 all studies of the PACS, and from then on those of the last days."""
        studies = self._recent() if position else self.archive.studies({})
        return [News(study, str(count), False) for study, count in studies], 1, False

    def settled(self, news: News) -> News | None:
        count = next((str(count) for _, count in self.archive.studies({"StudyInstanceUID": news.study})), news.ticket)
        return None if count == news.ticket else news._replace(ticket=count)

    def _recent(self) -> Iterator[tuple[str, int]]:
        return self.archive.studies({"StudyDate": f"{date.today() - timedelta(DAYS):%Y%m%d}-"})


Feed = Changes | Listing


def feed_of(archive: Archive) -> Feed:
    """The log of changes where the PACS is an Orthanc that lets it be read, else listings. Unreachable where there is no DICOMweb."""
    try:
        next(archive.studies({}, page=1), None)
    except Gone:
        raise Unreachable("status 404: there is no DICOMweb service at this path") from None
    try:
        found = archive.json("/changes?last")
    except (DataError, Unreachable):
        found = None
    return Changes(archive) if isinstance(found, dict) and "Last" in found else Listing(archive)
