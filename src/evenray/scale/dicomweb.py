"""A DICOMweb server: images listed with QIDO-RS and fetched with WADO-RS (DICOM PS3.18, sections 10.4 and 10.6).

Who asks is told by the environment (EVENRAY_DICOMWEB_TOKEN, or _USER and _PASSWORD) or the keyring, never by the URL. Proxies and
the certificates that are trusted are those of the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from evenray.core.errors import DataError, EvenrayError, MissingExtra, UsageError

__all__ = ["PROTOCOLS", "Dicomweb", "client_of"]

PROTOCOLS = {"dicomweb": "http", "dicomwebs": "https"}
AT_ONCE = 4
PAGE = 500  # instances asked for in one listing
HINTS = {
    401: "it wants to know who asks",
    403: "this account may not",
    404: "there is no DICOMweb service at this path",
}
SERIES, STUDY, INSTANCE = "0020000E", "0020000D", "00080018"


class Dicomweb:
    """The server of a `dicomweb://` URL; `waited` is called before each request."""

    def __init__(self, url: str, waited: Callable[[], None]) -> None:
        split = urlsplit(url)
        if "@" in split.netloc or split.fragment:
            raise UsageError(
                f"The {split.scheme} URL holds a user or a password; leave them out, for they would stand in the run's artefacts, and"
                " give EVENRAY_DICOMWEB_TOKEN, or EVENRAY_DICOMWEB_USER and EVENRAY_DICOMWEB_PASSWORD, in the environment."
            )
        self.address = f"{PROTOCOLS[split.scheme]}://{split.netloc}{split.path.rstrip('/')}"
        self.waited, self.client = waited, client_of(self.address)

    def listed(self, filters: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """The UIDs of study, series and instance of every image that matches."""
        at = 0
        with _told(self.address):
            while True:
                self.waited()
                found = self.client.search_for_instances(search_filters=dict(filters), limit=PAGE, offset=at)
                for row in found:
                    study, series, image = (
                        str(row.get(tag, {}).get("Value", [""])[0]) for tag in (STUDY, SERIES, INSTANCE)
                    )
                    yield study, series, image
                at += len(found)
                if len(found) < PAGE:
                    return

    def fetch(self, names: Sequence[tuple[str, str, str]], keep: Callable[[str, bytes], None]) -> None:
        """Ask for each image and give it to `keep`, several at a time."""

        def one(name: tuple[str, str, str]) -> None:
            self.waited()
            content = io.BytesIO()
            self.client.retrieve_instance(*name).save_as(content, enforce_file_format=True)
            keep(name[2], content.getvalue())

        with _told(self.address), ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(one, names):
                pass


def client_of(server: str) -> Any:
    """A client of the DICOMweb service at an http(s) address, as the environment says who asks."""
    try:
        from dicomweb_client.api import DICOMwebClient
        from dicomweb_client.session_utils import create_session, create_session_from_user_pass
    except ImportError:
        raise MissingExtra("dicomweb://", "dicomweb-client", "pacs") from None
    token, user, word = _credentials(urlsplit(server).hostname or "")
    session = create_session_from_user_pass(user, word) if user and word and not token else create_session()
    client = DICOMwebClient(server, session=session, headers={"Authorization": f"Bearer {token}"} if token else None)
    client.set_http_retry_params(retry=True, max_attempts=4, wait_exponential_multiplier=250)
    return client


def _credentials(host: str) -> tuple[str | None, str | None, str | None]:
    """Token, user and password from the environment, else from the keyring: service evenray:HOST, of the user, or of "token"."""
    told = (os.environ.get(f"EVENRAY_DICOMWEB_{name}") or None for name in ("TOKEN", "USER", "PASSWORD"))
    token, user, word = told
    if user and word is None:
        word = _from_keyring(host, user)
    elif not user and not token:
        token = _from_keyring(host, "token")
    return token, user, word


def _from_keyring(host: str, name: str) -> str | None:
    try:
        import keyring

        return keyring.get_password(f"evenray:{host}", name)
    except (
        Exception
    ):  # not installed, locked, or none on this machine: nobody is named, and the server says whether it minds
        return None


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
