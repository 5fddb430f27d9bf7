"""New studies of a PACS that is no Orthanc, and of an Orthanc whose log of changes jumps: what is asked, and what comes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from evenray.core.errors import DataError, UsageError
from evenray.scale.archive import Archive, Gone, Unreachable
from evenray.scale.new_studies import Changes, Listing, News, feed_of
from tests.scale.orthanc import free_port


class Told:
    """An archive that answers what it was told, and remembers what it was asked."""

    def __init__(self, pages: dict[str, Any] | None = None, studies: dict[str, int] | None = None) -> None:
        self.pages, self.held, self.asked = pages or {}, studies or {}, list[Any]()

    def json(self, path: str) -> Any:
        self.asked.append(path)
        found = self.pages.get(path)
        if isinstance(found, Exception):
            raise found
        return found

    def studies(self, filters: dict[str, str], page: int = 200) -> Any:
        self.asked.append(filters)
        wanted = filters.get("StudyInstanceUID")
        return ((study, count) for study, count in list(self.held.items()) if wanted in (None, study))


def change(kind: str, name: str) -> dict[str, str]:
    return {"ChangeType": kind, "ID": name}


def study(uid: str, stable: bool = True) -> dict[str, Any]:
    return {"IsStable": stable, "MainDicomTags": {"StudyInstanceUID": uid}}


def test_an_orthanc_tells_by_its_changes_and_any_other_pacs_is_listed() -> None:
    assert isinstance(feed_of(Told({"/changes?last": {"Changes": [], "Last": 3}})), Changes)  # type: ignore[arg-type]
    for answer in (None, "<html>", DataError("status 405"), Unreachable("status 403")):
        assert isinstance(feed_of(Told({"/changes?last": answer})), Listing)  # type: ignore[arg-type]


def test_stable_studies_are_ready_and_those_that_begin_are_looked_at_later() -> None:
    changes = [
        change("NewStudy", "a"),
        change("NewInstance", "x"),
        change("StableStudy", "a"),
        change("StableStudy", "gone"),
    ]
    archive = Told(
        {"/changes?since=4&limit=100": {"Changes": changes, "Last": 8, "Done": False}, "/studies/a": study("1.2")}
    )
    feed = Changes(archive)  # type: ignore[arg-type]
    assert feed.since(4) == ([News("1.2", "a", False), News("1.2", "a", True)], 8, True)
    archive.pages["/studies/a"] = study("1.2", stable=False)
    assert feed.settled(News("1.2", "a", False)) == News("1.2", "a", False)
    archive.pages["/studies/a"] = study("1.2")
    assert feed.settled(News("1.2", "a", False)) is None


def test_a_log_of_changes_that_begins_anew_is_followed_from_its_end() -> None:
    archive = Told(
        {"/changes?since=900&limit=100": {"Changes": [], "Last": 12, "Done": True}, "/changes?last": {"Last": 12}}
    )
    feed = Changes(archive)  # type: ignore[arg-type]
    assert feed.since(900) == ([], 12, False)
    assert feed.begin(False)[0] == 12
    assert feed.begin(True)[0] == 0


def test_a_listing_goes_back_some_days_and_waits_until_a_study_grows_no_more() -> None:
    archive = Told(studies={"1.2": 1, "1.3": 4})
    feed = Listing(archive)  # type: ignore[arg-type]
    position, there = feed.begin(False)
    assert (position, list(there)) == (1, ["1.2", "1.3"])
    assert archive.asked[-1] == {"StudyDate": f"{date.today() - timedelta(7):%Y%m%d}-"}
    news, position, more = feed.since(position)
    assert (news, position, more) == ([News("1.2", "1", False), News("1.3", "4", False)], 1, False)
    archive.held["1.2"] = 2
    assert feed.settled(news[0]) == News("1.2", "2", False)
    assert feed.settled(news[1]) is None
    assert feed.begin(True)[0] == 0
    feed.since(0)
    assert archive.asked[-1] == {}, "every study of the PACS, once"


def test_a_pacs_that_is_not_there_is_unreachable() -> None:
    archive = Archive(f"dicomweb://127.0.0.1:{free_port()}/dicom-web")
    with pytest.raises(Unreachable, match="ConnectionError"):
        feed_of(archive)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("dicomweb://reader:secret@pacs/web", "holds a user, a password or a query"),
        ("dicomweb://pacs/web?PatientName=Kim", "studies are chosen by --modality"),
        ("ftp://pacs/web", "give one such as dicomweb://127.0.0.1:8042/dicom-web"),
    ],
)
def test_an_address_with_a_secret_or_of_no_pacs_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as found:
        Archive(url)
    assert "secret" not in str(found.value)
    assert "Kim" not in str(found.value)


def test_what_a_pacs_refuses_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    archive, answer = Archive("https://pacs.example/rs"), requests.Response()
    answer.url = "https://pacs.example/rs/studies/1.2.840"

    def refuses(*given: object, **more: object) -> None:
        raise requests.HTTPError("Kim^Minsu 1.2.840", response=answer)

    monkeypatch.setattr(archive.client, "retrieve_study_metadata", refuses)
    for status, kind in ((404, Gone), (401, Unreachable), (503, Unreachable), (500, DataError), (409, DataError)):
        answer.status_code = status
        with pytest.raises(kind) as found:
            archive.headers("1.2.840")
        assert "Kim" not in str(found.value)
        assert "1.2.840" not in str(found.value)
