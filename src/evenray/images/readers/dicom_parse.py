"""From bytes to a pydicom dataset: bounded, silent, and without trusting what the file says of its own encoding."""

from __future__ import annotations

import io
import logging
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import STANDARD_VR

from evenray.core.errors import ReadError

from ._limits import LIMITS, check, inflated
from ._source import Source

__all__ = ["forget_unknown_vrs", "frame_groups", "parse", "quiet", "to_little_endian"]

_PIXEL_TAG = b"\xe0\x7f\x10\x00"
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")  # the tag of an item of a sequence, in both byte orders
_lock = threading.Lock()
_users = 0
_silencer: Any = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's warnings and log lines, which may quote the header, from everywhere; safe in threads."""
    global _users, _silencer
    logger = logging.getLogger("pydicom")
    with _lock:
        _users += 1
        if _users == 1:
            _silencer = warnings.catch_warnings()
            _silencer.__enter__()
            warnings.simplefilter("ignore")
            logger.disabled = True
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                logger.disabled = False
                _silencer.__exit__(None, None, None)


class _Counted(io.BytesIO):
    """Bytes that stop a parser which never comes to an end: elements and items begin with a read of 8 bytes."""

    elements = items = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size == 8:
            self.elements += 1
            self.items += found[:4] in _ITEMS
            if self.elements > LIMITS.header_elements or self.items > LIMITS.sequence_items:
                raise MemoryError("header_elements or sequence_items")
        return found

    def check(self, path: str) -> None:
        """Say which limit stopped the parser, if one did."""
        check(path, "header_elements", self.elements, "header elements")
        check(path, "sequence_items", self.items, "items of sequences")


def parse(source: Source) -> FileDataset:
    """The dataset of a DICOM file, with its transfer syntax filled in where the file leaves it out."""
    if "dataset" not in source.memo:
        source.memo["dataset"] = _parse(source.path, source.data)
    found: FileDataset = source.memo["dataset"]
    return found


def _parse(path: str, data: bytes) -> FileDataset:
    _check_deflated(path, data)
    stream = _Counted(data)
    try:
        dataset = pydicom.dcmread(stream, force=True)
        depth = _depth(dataset)
        forget_unknown_vrs(dataset)
        if not dataset.original_encoding[1]:
            to_little_endian(dataset)
    except Exception as error:
        stream.check(path)
        if _recursed(error):
            check(path, "sequence_depth", LIMITS.sequence_depth + 1, "or more levels of nested sequences")
        raise ReadError(path, f"its DICOM header is damaged and cannot be parsed ({type(error).__name__})") from None
    stream.check(path)
    check(path, "sequence_depth", depth, "or more levels of nested sequences")
    pixels = next((dataset.get_item(keyword) for keyword in _PIXEL_KEYWORDS if keyword in dataset), None)
    if pixels is None:
        raise ReadError(path, _no_pixels(dataset, data))
    # Sequences of defined length are parsed when they are asked for, all their items at once.
    start = pixels.value_tell if isinstance(pixels, RawDataElement) else len(data)
    check(path, "sequence_items", _items(data[:start]), "items of sequences")
    _set_syntax(dataset, path)
    return dataset


def _check_deflated(path: str, data: bytes) -> None:
    """Unpack a deflated dataset in steps, before pydicom does it at once: a few kilobytes can hold gigabytes."""
    if uid.DeflatedExplicitVRLittleEndian.encode() not in data[:4096]:
        return
    stream = _Counted(data)
    stream.seek(132 if data[128:132] == b"DICM" else 0)
    read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)  # the file meta information
    size = items = 0
    for unpacked in inflated(path, data[stream.tell() :], -zlib.MAX_WBITS, "its deflated content is damaged"):
        size, items = size + len(unpacked), items + _items(unpacked)
        check(path, "file_bytes", size, "bytes after unpacking")
        check(path, "sequence_items", items, "items of sequences")


def _recursed(error: BaseException | None) -> bool:
    """Whether a recursion too deep stands behind an error: pydicom makes an OSError of some."""
    return error is not None and (isinstance(error, RecursionError) or _recursed(error.__context__))


def _items(data: bytes) -> int:
    return max(data.count(tag) for tag in _ITEMS)


def _depth(dataset: Dataset) -> int:
    """How deep sequences of undefined length nest; those of defined length are only parsed when asked for."""
    level, depth = [dataset], -1
    while level and depth <= LIMITS.sequence_depth:
        depth += 1
        level = [
            item
            for parent in level
            for element in parent.values()
            if isinstance(element, DataElement) and element.VR == "SQ"
            for item in element.value
        ]
    return depth


def forget_unknown_vrs(dataset: FileDataset) -> None:
    """Where a VR is none that exists, pydicom refuses the element; without it, it looks the VR up."""
    for element in list(dataset.values()):
        if isinstance(element, RawDataElement) and element.VR is not None and element.VR not in STANDARD_VR:
            dataset[element.tag] = element._replace(VR=None)


_WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}  # bytes


def to_little_endian(dataset: Dataset) -> None:
    """The binary words of a big-endian dataset turned, which pydicom leaves as they stand; but not those of pixels."""
    for element in dataset.iterall():
        size = _WORDS.get(element.VR)
        if size and element.keyword not in _PIXEL_KEYWORDS and isinstance(element.value, bytes):
            whole = element.value[: len(element.value) // size * size]
            element.value = np.frombuffer(whole, f">u{size}").astype(f"<u{size}").tobytes()


def _no_pixels(dataset: Dataset, data: bytes) -> str:
    if data.rfind(_PIXEL_TAG) > 0 and "Rows" in dataset:
        return "the file ends inside its pixel data; it is truncated"
    if not len(dataset):
        return "holds no DICOM element after its prefix; it is truncated or damaged"
    return "holds no image: no pixel data (a report, a structure set or another object without pixels, or truncated)"


def _set_syntax(dataset: FileDataset, path: str) -> None:
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
    try:
        syntax = dataset.file_meta.get("TransferSyntaxUID")
    except Exception:
        syntax = None
    if not syntax:
        implicit, little = dataset.original_encoding
        native = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
        syntax = uid.ImplicitVRLittleEndian if implicit else native
        if "PixelData" in dataset and dataset["PixelData"].is_undefined_length:
            raise ReadError(path, "does not say how its pixels are compressed (no transfer syntax)")
        dataset.file_meta.TransferSyntaxUID = syntax


def frame_groups(dataset: Dataset, frame: int) -> list[Dataset]:
    """Where the attributes of one frame stand, the most specific first: its own groups, the shared ones, the file."""
    found: list[Dataset] = []
    for keyword, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        try:
            item = dataset[keyword].value[index]
            found += [inner for element in item if element.VR == "SQ" for inner in element.value[:1]]
        except Exception:  # absent, too short or damaged: the file's own attributes are left
            continue
    return [*found, dataset]
