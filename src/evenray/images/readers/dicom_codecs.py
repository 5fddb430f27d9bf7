"""Decompression of one encapsulated frame."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from evenray.core.errors import ReadError

from ._limits import check
from .codestreams import Codestream, check_j2k, check_jpeg, j2k_stream, jpeg_stream
from .dicom_layout import Layout
from .jpeg import decode_jpeg
from .jpegls import decode_jpegls

__all__ = ["Array", "decode_frame"]

Array = NDArray[Any]


def decode_frame(data: bytes, layout: Layout, path: str) -> tuple[Array, int, str]:
    """One compressed frame as (H, W) or (H, W, 3), the bits of its samples, and the colour space they are in."""
    if layout.syntax == uid.RLELossless:
        return _rle(data, layout, path), layout.bits_allocated, layout.photometric
    jpeg2000 = layout.syntax in uid.JPEG2000TransferSyntaxes
    if not jpeg2000 and layout.syntax not in (*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes):
        raise ReadError(path, f"its pixels are compressed as {layout.syntax.name}, which is not read")
    stream = j2k_stream(data) if jpeg2000 else jpeg_stream(data)
    if stream is None:
        raise ReadError(path, f"its frame does not start as {layout.syntax.name}")
    _check_size(stream, layout, path)
    codec = _jpeg2000 if jpeg2000 else _jpegls if stream.process == 0xF7 else _jpeg
    try:
        pixels = codec(data, stream, path)
    except ReadError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise ReadError(path, f"its {layout.syntax.name} data is damaged or incomplete ({kind})") from None
    shape = (layout.rows, layout.columns, 3)[: 2 if layout.samples == 1 else 3]
    if pixels.shape != shape:
        raise ReadError(path, f"decompresses to {pixels.shape}, but its header says {shape}")
    return pixels, stream.precision, _colour_space(stream, layout, jpeg2000)


def _check_size(stream: Codestream, layout: Layout, path: str) -> None:
    """A small header over a huge stream is a decompression bomb, and never a valid file."""
    inside, declared = (stream.rows, stream.columns, stream.components), (layout.rows, layout.columns, layout.samples)
    if inside != declared:
        raise ReadError(path, f"its header says {_size(declared)}, but the compressed frame holds {_size(inside)}")


def _size(size: tuple[int, int, int]) -> str:
    return f"{size[0]} rows x {size[1]} columns x {size[2]} samples"


def _colour_space(stream: Codestream, layout: Layout, jpeg2000: bool) -> str:
    """What the decoded samples are: the stream's own word is more often right than the header's."""
    if layout.samples == 1:
        return layout.photometric
    if jpeg2000:  # the decoder undoes YBR_ICT and YBR_RCT itself
        return "YBR_FULL" if layout.photometric.startswith("YBR_FULL") else "RGB"
    if stream.ids in ((82, 71, 66), (114, 103, 98)) or stream.adobe == 0:  # components named R, G, B
        return "RGB"
    if stream.jfif or stream.adobe == 1 or layout.photometric.startswith("YBR"):
        return "YBR_FULL"
    return "RGB"


def _jpeg2000(data: bytes, stream: Codestream, path: str) -> Array:
    check_j2k(path, data, stream)
    from openjpeg.utils import decode

    decoded: Array = decode(data)
    return decoded


def _jpegls(data: bytes, stream: Codestream, path: str) -> Array:
    """(H, W) or (H, W, samples)."""
    width = 1 if stream.precision <= 8 else 2
    decoded, planes = decode_jpegls(path, data, stream.rows * stream.columns * stream.components * width)
    samples = np.frombuffer(decoded, f"<u{width}")
    if stream.components == 1:
        return samples.reshape(stream.rows, stream.columns)
    if planes:
        return samples.reshape(stream.components, stream.rows, stream.columns).transpose(1, 2, 0)
    return samples.reshape(stream.rows, stream.columns, stream.components)


def _jpeg(data: bytes, stream: Codestream, path: str) -> Array:
    """JPEG without any change of colours: 8-bit DCT by libjpeg-turbo, colours by Pillow, 12-bit and lossless by imagecodecs."""
    check_jpeg(path, data, stream)
    if stream.precision == 8 and not stream.lossless:
        grey = decode_jpeg(path, data, "GRAY")  # of colours, for what it warns of
        return grey if stream.components == 1 else _jpeg_by_pillow(data, stream)
    import imagecodecs  # late: few files need it

    space = "RGB" if stream.components == 3 else None
    decoded: Array = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace=space)
    return decoded


def _jpeg_by_pillow(data: bytes, stream: Codestream) -> Array:
    from PIL import Image

    with Image.open(BytesIO(data), formats=["JPEG"]) as picture:
        if stream.components == 3 and stream.adobe != 0:
            picture.draft("YCbCr", picture.size)  # hands the samples over as they were coded
        return np.asarray(picture)


def _rle(data: bytes, layout: Layout, path: str) -> Array:
    """RLE by its segments, one for each byte of a sample, the high one first (PS3.5 annex G)."""
    from rle.rle import decode_segment  # type: ignore[import-not-found]

    pixels, width = layout.rows * layout.columns, layout.bits_allocated // 8
    if len(data) < 64 or width == 0:
        raise ReadError(path, "its RLE data has no header" if width else "its RLE data has one bit a pixel")
    count, *offsets = struct.unpack("<16I", data[:64])
    ends = [*offsets[: min(count, 15)], len(data)]
    if count != layout.samples * width or ends != sorted(ends):
        raise ReadError(path, f"its RLE data holds {count} segments where {layout.samples * width} belong")
    planes = np.empty((count, pixels), np.uint8)
    for plane, start, end in zip(planes, ends, ends[1:], strict=False):
        check(path, "array_bytes", (end - start) * 64, "bytes, at the most, in an RLE segment")
        try:
            segment = np.frombuffer(decode_segment(data[start:end]), np.uint8)
        except ValueError:
            raise ReadError(path, "its RLE data is damaged or incomplete") from None
        if len(segment) < pixels:
            raise ReadError(path, f"an RLE segment ends after {len(segment):,} of {pixels:,} bytes; it is truncated")
        plane[:] = segment[:pixels]
    low_first = planes.reshape(layout.samples, width, pixels)[:, ::-1].transpose(2, 0, 1)
    samples = np.ascontiguousarray(low_first).view(f"<u{width}")[..., 0]
    return samples.reshape((layout.rows, layout.columns, 3)[: 2 if layout.samples == 1 else 3])
