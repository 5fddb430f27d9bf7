"""A DICOM node: images listed with C-FIND and fetched with C-GET or C-MOVE (DICOM PS3.4, annex C; PS3.7, chapter 9).

C-GET needs no port of this machine. Where EVENRAY_DICOM_LISTEN ([HOST:]PORT) is set, C-MOVE is used instead, and the images come to
a storage provider that listens there for the time of the fetch; it keeps what was asked for and refuses the rest.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydicom.dataset import Dataset

from evenray.core.errors import DataError, EvenrayError, MissingExtra, UsageError
from evenray.images.readers.dicom_parse import quiet

from .dimse_query import SYNTAXES, UIDS, Name, batches, level_of, listening, matches, parts, query, requests

if TYPE_CHECKING:
    from pynetdicom.ae import ApplicationEntity
    from pynetdicom.association import Association

__all__ = ["Dimse"]

T = TypeVar("T")
Keep = Callable[[str, bytes], None]
OWN = "EVENRAY"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))  # of the study root model
TIMEOUT = 30.0  # seconds without a word from the other side
TRIES, BACK_OFF = 3, 1.0
AT_ONCE = 50  # images of one request, so that a list of UIDs stays short
CONTEXTS = 120  # of the 128 that an association can have
PENDING, SUBOPERATIONS_FAILED = (0xFF00, 0xFF01), 0xB000
NOT_ASKED_FOR, NO_ROOM = 0x0124, 0xA700
HINTS = {
    0xA801: "it does not know the AE title '{own}'; enter it there with this machine's address and port, or unset"
    " EVENRAY_DICOM_LISTEN, for C-GET needs no entry",
    0xA900: "the query is not one that it answers",
}


class Lost(Exception):
    """An association that did not come about or broke off; `again` says whether another try may help."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Dimse:
    """The node of a `dicom://` URL; `waited` is called before each request, and with `singly` a request is of one image."""

    def __init__(self, url: str, waited: Callable[[], None], *, singly: bool = False) -> None:
        try:
            import pynetdicom  # noqa: F401
        except ImportError:
            raise MissingExtra("dicom://", "pynetdicom", "pacs") from None
        own, self.host, self.port, self.called = parts(url)
        self.own, self.waited, self.most = own or OWN, waited, 1 if singly else AT_ONCE
        self.address = f"dicom://{self.host}:{self.port}/{self.called}"
        self.listen = listening("EVENRAY_DICOM_LISTEN")
        self.classes: dict[str, str] = {}  # SOP classes by instance, as far as the node tells them

    def listed(self, filters: Mapping[str, str]) -> list[Name]:
        """The UIDs of study, series and instance of every image that matches."""
        return self._tried(lambda: list(self._listed(filters)))

    def _listed(self, filters: Mapping[str, str]) -> Iterator[Name]:
        entity = self._entity()
        entity.add_requested_context(FIND)
        with self._association(entity, FIND) as association:
            # A level is asked for whole before the next: an association answers one request at a time.
            for study in self._found(association, "STUDY", filters, {}):
                above = {UIDS["STUDY"]: study}
                for series in self._found(association, "SERIES", filters, above):
                    for image in self._found(association, "IMAGE", filters, above | {UIDS["SERIES"]: series}):
                        yield study, series, image

    def _found(
        self, association: Association, level: str, filters: Mapping[str, str], above: Mapping[str, str]
    ) -> list[str]:
        """The UIDs of what matches at a level below the given ones."""
        asked = {name: value for name, value in filters.items() if level_of(name) == level}
        if level == "STUDY" and filters.get("Modality"):
            asked.setdefault("ModalitiesInStudy", filters["Modality"])
        key = UIDS[level]
        request = query(
            level, {**asked, **above}, {key, "SOPClassUID"} - asked.keys() if level == "IMAGE" else {key} - asked.keys()
        )
        self.waited()
        found = []
        for status, answer in association.send_c_find(request, FIND):
            self._check(status)
            if answer is not None and matches(answer, asked):
                found.append(str(answer.get(key, "")))
                kind = str(answer.get("SOPClassUID", ""))
                if level == "IMAGE" and re.fullmatch(r"[0-9.]{1,64}", kind):
                    self.classes[found[-1]] = kind
        return found

    def fetch(self, names: Sequence[Name], keep: Keep) -> None:
        """Ask for the images and give each that comes to `keep`; DataError where some do not come."""
        missing = {name[2]: name for name in names}
        failed: list[EvenrayError] = []

        def stored(event: Any) -> int:
            instance = str(event.request.AffectedSOPInstanceUID)
            if instance not in missing:
                return NOT_ASKED_FOR
            try:
                keep(instance, event.encoded_dataset())
            except EvenrayError as error:  # of this disk, and so the same for the next image
                failed.append(error)
                return NO_ROOM
            del missing[instance]
            return 0

        def attempt() -> None:
            try:
                (self._move if self.listen else self._get)(list(missing.values()), stored)
            finally:
                if failed:
                    raise failed[0]

        if missing:
            self._tried(attempt)
        if missing:
            raise DataError(
                f"'{self.address}' sends {len(names) - len(missing)} of {len(names)} images that it lists; look in its log for the"
                " others, then run the same command again: it goes on where it stopped."
            )

    def _get(self, names: Sequence[Name], stored: Callable[[Any], int]) -> None:
        from pynetdicom import build_role, evt

        for classes, images in batches(names, self.classes, CONTEXTS // len(SYNTAXES)):
            entity = self._entity()
            entity.add_requested_context(GET)
            for kind in classes:
                for syntax in SYNTAXES:  # each by itself: of several, the other side takes one and recodes the rest
                    entity.add_requested_context(kind, syntax)
            more = {
                "ext_neg": [build_role(kind, scp_role=True) for kind in classes],
                "evt_handlers": [(evt.EVT_C_STORE, stored)],
            }
            with self._association(entity, GET, **more) as association:
                for request in requests(images, self.most):
                    self.waited()
                    for status, _ in association.send_c_get(request, GET):
                        self._check(status)

    def _move(self, names: Sequence[Name], stored: Callable[[Any], int]) -> None:
        from pynetdicom import AllStoragePresentationContexts, evt

        receiver, entity = self._entity(), self._entity()
        for context in AllStoragePresentationContexts:
            receiver.add_supported_context(str(context.abstract_syntax), list(SYNTAXES))
        entity.add_requested_context(MOVE)
        assert self.listen is not None
        try:
            server = receiver.start_server(self.listen, block=False, evt_handlers=[(evt.EVT_C_STORE, stored)])
        except OSError as error:
            raise UsageError(
                f"EVENRAY_DICOM_LISTEN names port {self.listen[1]}, which cannot be listened at ({error.strerror}); give another."
            ) from None
        try:
            with self._association(entity, MOVE) as association:
                for request in requests(names, self.most):
                    self.waited()
                    for status, _ in association.send_c_move(request, self.own, MOVE):
                        self._check(status)
        finally:
            if server is not None:
                server.shutdown()
                server.server_close()

    def _entity(self) -> ApplicationEntity:
        from pynetdicom import AE

        entity = AE(ae_title=self.own)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = TIMEOUT
        return entity

    @contextmanager
    def _association(self, entity: ApplicationEntity, model: str, **more: Any) -> Iterator[Association]:
        association = entity.associate(self.host, self.port, ae_title=self.called, **more)
        if association.is_rejected:
            answer: Any = association.acceptor.primitive
            raise Lost(
                f"it refuses the association: {answer.reason_str.lower()}", again="Transient" in answer.result_str
            )
        if not association.is_established:
            raise Lost("no association: nobody answers there, or not in DICOM")
        try:
            if model not in {context.abstract_syntax for context in association.accepted_contexts}:
                raise Lost(
                    f"it does not answer {'C-FIND' if model == FIND else 'C-MOVE' if model == MOVE else 'C-GET'}",
                    again=False,
                )
            yield association
            association.release()
        finally:
            if association.is_established:
                association.abort()

    def _check(self, status: Dataset) -> None:
        """Lost where the other side is gone, or fails as a whole; images that it does not send are counted by who asked."""
        code = status.get("Status")
        if code is None:
            raise Lost(f"the association broke off, or no word came for {TIMEOUT:g} s")
        if code not in (0, *PENDING, SUBOPERATIONS_FAILED):
            hint = HINTS.get(code, "").format(own=self.own)
            raise Lost(f"status {code:#06x}{f', {hint}' if hint else ''}", again=not hint)

    def _tried(self, work: Callable[[], T]) -> T:
        """The work, begun again a few times where the other side is lost; DataError in one sentence that quotes no answer."""
        for left in reversed(range(TRIES)):
            try:
                with quiet():
                    return work()
            except EvenrayError:
                raise
            except Exception as error:
                again = error.again if isinstance(error, Lost) else False
                if again and left:
                    time.sleep(BACK_OFF * 2 ** (TRIES - 1 - left))
                    continue
                why = str(error) if isinstance(error, Lost) else type(error).__name__
                raise DataError(
                    f"'{self.address}' cannot be asked as '{self.own}' ({why}); check host, port and both AE titles, then run the same"
                    " command again: it goes on where it stopped."
                ) from None
        raise AssertionError  # the last try returns or raises
