"""A PACS that results go back to: studies listed (QIDO-RS), fetched (WADO-RS), stored into (STOW-RS); DICOM PS3.18, 10.4 to 10.6."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydicom
from pydicom.dataset import Dataset

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, EvenrayError, UsageError
from evenray.images.readers.dicom_parse import quiet

from .dicomweb import PROTOCOLS, client_of
from .pace import pace

__all__ = ["UID", "Archive", "Gone", "Unreachable"]

ANY = (("application/dicom", "*"),)  # as it was stored: what is decoded is what the file says
SECONDS = (10.0, 120.0)  # to connect, and between two parts of an answer
WHOLE = 2**31  # bytes sent at once: requests in chunks cannot be tried again
DUPLICATE = 0x0111  # the PACS has this instance already (PS3.18, table I.2-2)
# Not the study's fault: nobody is let in, or the service is not where it was said to be, or not well.
OF_ALL = {401, 403, 407, 429, 502, 503, 504}
SCHEMES = PROTOCOLS | {"http": "http", "https": "https"}
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
QUIET = ("dicomweb_client", "urllib3")


class Unreachable(EvenrayError):
    """The PACS as a whole cannot be asked now; it says why without a word of its answer."""


class Gone(EvenrayError):
    """The PACS no longer has the study."""


class Archive:
    """The PACS at a URL: dicomweb:// or dicomwebs://, or http:// or https://. UsageError for a URL with a secret or a query.

    Every method raises Unreachable where the PACS cannot be asked, Gone for a study that it has not, DataError for anything else
    that it refuses.
    """

    def __init__(self, url: str) -> None:
        self.server = _server(url)
        self.client = client_of(self.server)
        self.client.set_chunk_size(WHOLE)
        self.client._timeout = SECONDS
        self.waited = pace("EVENRAY_DICOMWEB_RATE")
        for name in QUIET:  # their log lines quote UIDs
            logging.getLogger(name).setLevel(logging.CRITICAL)

    @property
    def root(self) -> str:
        """Where an Orthanc has its own REST API: beside its DICOMweb."""
        return self.server.rsplit("/", 1)[0] if urlsplit(self.server).path else self.server

    def json(self, path: str) -> Any:
        """What the API beside DICOMweb answers, None where it has no such page."""
        with self._asked():
            answer = self.client._session.get(self.root + path, timeout=SECONDS)
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return None
            answer.raise_for_status()
            return answer.json() if "json" in answer.headers.get("content-type", "") else None

    def studies(self, filters: dict[str, str], page: int = 200) -> Iterator[tuple[str, int]]:
        """The UIDs of studies that match, each with its number of instances (0 where the PACS does not say)."""
        at = 0
        while True:
            with self._asked():
                found = self.client.search_for_studies(
                    search_filters=filters, fields=["NumberOfStudyRelatedInstances"], limit=page, offset=at
                )
            for row in found:
                study = str(row.get("0020000D", {}).get("Value", [""])[0])
                if len(study) <= 64 and UID.fullmatch(study):
                    yield study, int(row.get("00201208", {}).get("Value", [0])[0])
            at += len(found)
            if len(found) < page:
                return

    def headers(self, study: str) -> list[Dataset]:
        """The header of every instance of a study, without pixels."""
        with self._asked(), quiet():
            return [Dataset.from_json(row) for row in self.client.retrieve_study_metadata(study)]

    def fetch(self, study: str, series: str, instance: str, target: Path) -> None:
        """An instance as a file."""
        with self._asked(), quiet():
            found = self.client.retrieve_instance(study, series, instance, media_types=ANY)
            with atomic(target) as temporary:
                found.save_as(temporary, enforce_file_format=True)

    def has(self, study: str, instance: str) -> bool:
        """Whether a study has an instance."""
        with self._asked():
            found = self.client.search_for_instances(study, search_filters={"SOPInstanceUID": instance}, limit=1)
        return any(str(row.get("00080018", {}).get("Value", [""])[0]) == instance for row in found)

    def store(self, path: Path) -> None:
        """Put an instance into the PACS; one that is there already is left as it is."""
        with quiet():
            dataset = pydicom.dcmread(path)
            study, instance = str(dataset.StudyInstanceUID), str(dataset.SOPInstanceUID)
        try:
            with self._asked(), quiet():
                answer = self.client.store_instances([dataset])
        except DataError:  # some answer a doubled store with 409
            if self.has(study, instance):
                return
            raise
        failed = [int(item.get("FailureReason", 0)) for item in answer.get("FailedSOPSequence", [])]
        if failed and failed != [DUPLICATE]:
            raise DataError(f"The PACS has not stored the result (reason {failed[0]:04X}H of PS3.18, table I.2-2).")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """One request: not before its time, and whatever the client raises told without a word of the PACS's answer."""
        import requests

        self.waited()
        try:
            yield
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status == HTTPStatus.NOT_FOUND:
                raise Gone("The PACS no longer has the study.") from None
            if status in OF_ALL:
                raise Unreachable(f"status {status}") from None
            raise DataError(f"The PACS refused the request with status {status}.") from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Unreachable(type(error).__name__) from None
        except (EvenrayError, OSError):  # of the disk
            raise
        except Exception as error:
            raise DataError(f"The PACS answered what cannot be understood ({type(error).__name__}).") from None


def _server(url: str) -> str:
    """The http(s) address of a PACS.

    >>> _server("dicomweb://127.0.0.1:8042/dicom-web/"), _server("https://pacs.example/rs")
    ('http://127.0.0.1:8042/dicom-web', 'https://pacs.example/rs')
    """
    split = urlsplit(url)
    scheme = SCHEMES.get(split.scheme)
    if scheme is None or not split.hostname:
        raise UsageError("--pacs is no address of a PACS; give one such as dicomweb://127.0.0.1:8042/dicom-web.")
    if "@" in split.netloc or split.query or split.fragment:
        raise UsageError(
            "The address of the PACS holds a user, a password or a query; leave these out. Who asks is said by"
            " EVENRAY_DICOMWEB_TOKEN, or EVENRAY_DICOMWEB_USER and EVENRAY_DICOMWEB_PASSWORD, and studies are chosen by --modality,"
            " --body-part and --view."
        )
    return f"{scheme}://{split.netloc}{split.path.rstrip('/')}"
