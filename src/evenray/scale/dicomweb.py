"""Images of a PACS by DICOMweb: listed with QIDO-RS, fetched with WADO-RS, kept by their UIDs (DICOM PS3.18, sections 10.4 and 10.6).

`dicomweb://HOST[:PORT]/PATH?Modality=CR&StudyDate=20240101-20241231` names the images, `dicomwebs://` the same over TLS. Who asks
is told by the environment (EVENRAY_DICOMWEB_TOKEN, or _USER and _PASSWORD) or the keyring, never by the URL. Everything else sees a
folder of files (docs/decisions/0007-urls-go-through-a-local-copy.md).
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydicom.datadict import tag_for_keyword

from evenray.core.artefacts import atomic, cache_folder, digest
from evenray.core.errors import DataError, EvenrayError, MissingExtra, UsageError

__all__ = ["SCHEMES", "fetched_images"]

SCHEMES = {"dicomweb": "http", "dicomwebs": "https"}
AT_ONCE = 4
PAGE = 500  # instances asked for in one listing
# A query stands in the run's artefacts, so it may not name a person.
PERSONAL = {
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "AccessionNumber",
    "ReferringPhysicianName",
}
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
HINTS = {
    401: "it wants to know who asks",
    403: "this account may not",
    404: "there is no DICOMweb service at this path",
}
SERIES, STUDY, INSTANCE = "0020000E", "0020000D", "00080018"


def fetched_images(url: str) -> Path:
    """A folder with the images that a DICOMweb URL names, brought up to date: STUDY/SERIES/INSTANCE.dcm.

    What is here already is not fetched again, whichever URL it came by, so a fetch that was stopped goes on. What the server no
    longer lists leaves the folder. EVENRAY_DICOMWEB_RATE limits the requests a second. Raises UsageError for a URL with a secret or
    a person in it, DataError where the server cannot be asked, MissingExtra without dicomweb-client.
    """
    server, filters = _parts(url)
    client, waited = _client(server), _pace()
    with _told(server):
        names = sorted(set(_listed(client, filters, waited)))
    if not names:
        raise DataError(
            f"'{server}' lists no image for {filters or 'any study'}; widen the query, or check who is asking."
        )
    cache = cache_folder() / "dicomweb"
    here, kept = cache / digest([server, sorted(filters.items())])[:24], cache / "instances"
    with _told(server), ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda name: _fetch(client, name, kept, waited), names):
            pass
    wanted = {"/".join(name) + ".dcm": name for name in names}
    for there in [p for p in here.rglob("*.dcm") if p.relative_to(here).as_posix() not in wanted]:
        there.unlink()
    for path, name in wanted.items():
        if not (here / path).exists():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            _link(_place(kept, name), here / path)
    return here


def _parts(url: str) -> tuple[str, dict[str, str]]:
    """The server's address for HTTP, and the query's filters by keyword."""
    split = urlsplit(url)
    if "@" in split.netloc or split.fragment:
        raise UsageError(
            f"The {split.scheme} URL holds a user or a password; leave them out, for they would stand in the run's artefacts, and give"
            " EVENRAY_DICOMWEB_TOKEN, or EVENRAY_DICOMWEB_USER and EVENRAY_DICOMWEB_PASSWORD, in the environment."
        )
    filters = dict(parse_qsl(split.query, keep_blank_values=True))
    for name in filters:
        if name in PERSONAL:
            raise UsageError(
                f"The query asks for {name}; it would stand in the run's artefacts. Ask for a modality, a body part or dates, or list"
                " the studies by UID in a table of labels."
            )
        if tag_for_keyword(name) is None:
            raise UsageError(
                f"The query asks for '{name}', which is no attribute of DICOM; give keywords such as Modality or StudyDate."
            )
    return f"{SCHEMES[split.scheme]}://{split.netloc}{split.path.rstrip('/')}", filters


def _client(server: str) -> Any:
    try:
        from dicomweb_client.api import DICOMwebClient
        from dicomweb_client.session_utils import create_session, create_session_from_user_pass
    except ImportError:
        raise MissingExtra("dicomweb:// URLs", "dicomweb-client", "pacs") from None
    user, word = _credentials(urlsplit(server).hostname or "")
    session = create_session_from_user_pass(user, word) if user and word else create_session()
    token = os.environ.get("EVENRAY_DICOMWEB_TOKEN")
    client = DICOMwebClient(server, session=session, headers={"Authorization": f"Bearer {token}"} if token else None)
    client.set_http_retry_params(retry=True, max_attempts=4, wait_exponential_multiplier=250)
    return client


def _credentials(host: str) -> tuple[str | None, str | None]:
    """User and password from the environment; without a password there, from the keyring, where that package is installed."""
    user, word = os.environ.get("EVENRAY_DICOMWEB_USER"), os.environ.get("EVENRAY_DICOMWEB_PASSWORD")
    if user and word is None:
        with suppress(ImportError):
            keyring = importlib.import_module("keyring")

            word = keyring.get_password(f"evenray:{host}", user)
    return user, word


def _listed(client: Any, filters: dict[str, str], waited: Pace) -> Iterator[tuple[str, str, str]]:
    """The UIDs of study, series and instance of every image that matches."""
    at = 0
    while True:
        waited()
        found = client.search_for_instances(search_filters=filters, limit=PAGE, offset=at)
        for row in found:
            study, series, image = (str(row.get(tag, {}).get("Value", [""])[0]) for tag in (STUDY, SERIES, INSTANCE))
            if not all(UID.fullmatch(each) and len(each) <= 64 for each in (study, series, image)):
                raise DataError("The server lists an image whose UIDs are no UIDs; it is not asked for.")
            yield study, series, image
        at += len(found)
        if len(found) < PAGE:
            return


def _fetch(client: Any, name: tuple[str, str, str], kept: Path, waited: Pace) -> None:
    path = _place(kept, name)
    if not path.exists():
        waited()
        found = client.retrieve_instance(*name)
        with atomic(path) as temporary:
            found.save_as(temporary, enforce_file_format=True)


def _place(kept: Path, name: tuple[str, str, str]) -> Path:
    return kept / digest(name[2])[:2] / f"{name[2]}.dcm"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copyfile(source, target)


class Pace:
    """Called before each request: waits so long that no more are made than so many a second."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self.next, self.lock = rate, 0.0, threading.Lock()

    def __call__(self) -> None:
        if self.rate is None:
            return
        with self.lock:
            now = time.monotonic()
            at, self.next = max(now, self.next), max(now, self.next) + 1 / self.rate
        time.sleep(max(0.0, at - now))


def _pace() -> Pace:
    told = os.environ.get("EVENRAY_DICOMWEB_RATE")
    try:
        rate = float(told) if told else None
    except ValueError:
        rate = -1.0
    if rate is not None and rate <= 0:
        raise UsageError(f"EVENRAY_DICOMWEB_RATE is '{told}'; give a number of requests a second above 0, such as 5.")
    return Pace(rate)


@contextmanager
def _told(server: str) -> Iterator[None]:
    """Whatever the client raises becomes one sentence that quotes no answer of the server."""
    try:
        yield
    except EvenrayError:
        raise
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        hint = HINTS.get(status or 0)
        why = f"status {status}{f', {hint}' if hint else ''}" if status else type(error).__name__
        raise DataError(
            f"'{server}' cannot be asked ({why}); check the address, EVENRAY_DICOMWEB_TOKEN or _USER and _PASSWORD, and the"
            " network, then run the same command again: it goes on where it stopped."
        ) from None
