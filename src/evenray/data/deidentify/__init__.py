"""Images without what tells whose they are: DICOM by the Basic Profile of PS3.15 and more, PNG and JPEG with their pixels alone."""

from __future__ import annotations

from pathlib import Path

from evenray.core.errors import ReadError
from evenray.images.readers import sniff
from evenray.images.readers._source import Source
from evenray.images.readers.dicom_parse import parse
from evenray.images.writers._dicom_again import header_again

from .dicom import METHOD, deidentify
from .names import Names
from .persons import Person, mixed, person_of
from .secret import Secret
from .streams import UnsoundStream, bare_jpeg, bare_png

__all__ = ["METHOD", "Names", "Person", "Secret", "deidentified", "ending", "mixed", "person_of"]

OTHER = "is neither DICOM, PNG nor JPEG, and what it holds beside pixels is not known; convert it"


def ending(path: Path) -> str:
    """The ending of the name of what `deidentified` makes of a file; ReadError where it makes nothing of it."""
    head = Source.of(path).head
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if sniff(path) == "dicom":
        return ".dcm"
    raise ReadError(path, OTHER)


def deidentified(path: Path, names: Names) -> bytes:
    """The bytes of a file without what tells whose it is. ReadError where it cannot be cleaned, or is of another format."""
    kind, source = ending(path), Source.of(path)
    try:
        if kind == ".png":
            return bare_png(source.data)
        if kind == ".jpg":
            return bare_jpeg(source.data)
    except UnsoundStream:
        raise ReadError(path, "its JPEG data cannot be followed to its end, so texts in it cannot be found") from None
    with header_again(path):
        dataset = parse(source)
        source.memo.clear()  # it is changed from here on
        return deidentify(dataset, names, str(path))
