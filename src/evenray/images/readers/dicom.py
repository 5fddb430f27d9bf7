"""DICOM files: modality units, the window as levels, padding as missing, MONOCHROME1 inverted last (PS3.3 C.11)."""

from __future__ import annotations

import dataclasses

import numpy as np
from pydicom.dataset import Dataset

from evenray.core.types import Image

from . import dicom_values as values
from ._colour import collapse
from ._identity import Identity
from ._limits import check
from ._source import Source, part_of
from ._window import ValueRange, Window, asked_range
from .dicom_elements import integer
from .dicom_header import Fact, facts, identifiers, spacings
from .dicom_layout import Layout
from .dicom_parse import frame_groups, parse, quiet
from .dicom_pixels import decode

__all__ = ["fragments", "identity", "read", "sniff"]

# Explicit VRs that the first element of a file without a preamble may have.
_FIRST_VRS = (b"UL", b"OB", b"UI", b"CS", b"SH", b"LO", b"DA", b"TM")


def sniff(head: bytes) -> bool:
    """Whether a file starts as DICOM: the prefix DICM at 128, or without a preamble an element of group 2 or 8."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    group, element = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
    if group == 0x0800 and head[4:6] in _FIRST_VRS:  # big endian
        return True
    if group not in (2, 8) or element > 0x1000 or (group == 2 and element > 0x0103):
        return False
    return head[4:6] in _FIRST_VRS or (int.from_bytes(head[4:8], "little") <= 128 and head[8:12] != b"\0\0\0\0")


def read(source: Source, fragment: str = "", value_range: ValueRange | None = None, window: Window = "header") -> Image:
    """One frame: stored values, modality LUT or rescale, VOI LUT or window, then inversion of MONOCHROME1.

    Pixels stay in modality units; a linear window only sets the levels. A VOI LUT or SIGMOID maps the pixels.
    """
    with quiet():
        dataset = parse(source)
        layout = Layout.of(dataset, source.path)
        frame = part_of(source.path, fragment, "frame", layout.frames)
        stored = decode(dataset, layout, frame, source.path)
        groups = frame_groups(dataset, frame)
        spacing, spacing_source, extra = spacings(groups)
        header = facts(dataset, groups, layout) | extra
        make = _grey if layout.samples == 1 and layout.photometric != "PALETTE COLOR" else _colour
        image = make(stored, layout, groups, header, value_range, window, source.path)
    return dataclasses.replace(image, spacing_mm=spacing, spacing_source=spacing_source, sha256=source.sha256)


def _grey(
    stored: values.Array,
    layout: Layout,
    groups: list[Dataset],
    header: dict[str, Fact],
    value_range: ValueRange | None,
    window: Window,
    path: str,
) -> Image:
    asked = asked_range(value_range, window)
    valid = values.padding(stored, groups, layout)
    if stored.dtype.kind == "f" and valid is not None:  # so that padding is none of the extremes
        stored = np.where(valid, stored, np.array(np.nan, stored.dtype))
    grey = values.modality(stored, groups, layout, path)
    if asked is not None:
        grey = dataclasses.replace(grey, value_range=asked, range_from="asked for")
    elif window == "header":
        grey = values.voi(grey, groups)
    if layout.photometric == "MONOCHROME1":
        grey = values.inverted(grey)
    header |= {"range_from": grey.range_from, **grey.notes}
    return Image(np.ascontiguousarray(grey.pixels), grey.value_range, valid, "MONOCHROME2", header=header)


def _colour(
    stored: values.Array,
    layout: Layout,
    groups: list[Dataset],
    header: dict[str, Fact],
    value_range: ValueRange | None,
    window: Window,
    path: str,
) -> Image:
    asked = asked_range(value_range, "header")  # windows are for grey values
    if layout.photometric == "PALETTE COLOR":
        pixels, high = values.palette(stored, groups[-1], path)
    elif layout.bits_stored > 16:  # the upper 16 bits
        pixels, high = (stored >> (layout.bits_stored - 16)).astype(np.uint16), 65535
    else:
        pixels, high = stored, 2**layout.bits_stored - 1
    pixels = collapse(pixels)
    header |= {"range_from": "asked for" if asked else "bits stored", "channels_in_file": 3}
    photometric = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    return Image(np.ascontiguousarray(pixels), asked or (0.0, float(high)), None, photometric, header=header)


def fragments(source: Source) -> list[str]:
    """[""] for a single frame, else "frame=0", "frame=1", ..."""
    with quiet():
        count = max(1, integer([parse(source)], "NumberOfFrames", 1))
    check(source.path, "frames", count, "frames")
    return [""] if count == 1 else [f"frame={index}" for index in range(count)]


def identity(source: Source) -> Identity:
    """The identifiers of the file, raw; see evenray.images.readers.identity."""
    with quiet():
        return identifiers(parse(source))
