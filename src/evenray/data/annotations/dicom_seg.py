"""DICOM SEG (PS3.3 A.51): masks as frames of one object, a frame a segment and an image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from evenray.core.errors import EvenrayError, ReadError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.images.readers import identity, sniff
from evenray.images.readers.dicom_parse import quiet

from .found import Annotated, Annotations, MaskFile

__all__ = ["SEGMENTATION", "is_seg", "read_seg", "seg_files", "seg_frame"]

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"  # Segmentation Storage
PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)  # whose pixels lie in the file as they are
HALF = 0.5  # of a fractional segment, above which a pixel belongs to it


def is_seg(path: Path) -> bool:
    """Whether a file is a DICOM SEG, by its header."""
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return False
    try:
        header = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except (InvalidDicomError, ValueError, OSError, KeyError, AttributeError):
        return False
    return str(header.get("SOPClassUID")) == SEGMENTATION


def seg_files(root: Path, files: Sequence[str]) -> list[str]:
    """The files that are DICOM SEG; none are opened further than to their header."""
    return [file for file in files if is_seg(as_path(root / file))]


def read_seg(root: Path, segs: Sequence[Path], images: Sequence[str], relative: Sequence[str]) -> Annotations:
    """The masks of some DICOM SEG files, each frame of the image (and frame) that it names as its source.

    `relative` are the files' names from `root`. Classes are the labels of segments. A file that cannot be read is set aside.
    """
    by_uid = _by_uid(root, images)
    found: dict[str, list[MaskFile]] = {}
    read, rejected, lost = [], [], 0
    for path, name in zip(segs, relative, strict=True):
        try:
            read.append((name, *_frames(path)))
        except (InvalidDicomError, ValueError, OSError, KeyError, AttributeError, IndexError) as error:
            rejected.append((name, f"is no DICOM SEG that can be read ({type(error).__name__})"))
    classes = tuple(sorted({label for _, labels, _ in read for label in labels.values()}))
    for name, labels, frames in read:
        for number, segment, source, of in frames:
            image = by_uid.get(source)
            if image is None:
                lost += 1
                continue
            mask = MaskFile(name, f"frame={number}", index=classes.index(labels[segment]) + 1, frames=of)
            found.setdefault(image, []).append(mask)
    notes = (Message("annotations.files_absent", {"count": lost}),) if lost else ()
    images_of = {image: Annotated(tuple(masks)) for image, masks in found.items()}
    return Annotations("segment", "dicom_seg", images_of, classes, notes=notes, rejected=tuple(rejected))


def _by_uid(root: Path, images: Sequence[str]) -> dict[str, str]:
    found = {}
    for image in images:
        path = as_path(root / image)
        try:
            uid = identity(path).sop_instance_uid if sniff(path) == "dicom" else None
        except (EvenrayError, OSError):
            continue
        if uid:
            found[str(uid)] = image
    return found


def _frames(path: Path) -> tuple[dict[int, str], list[tuple[int, int, str, tuple[int, ...]]]]:
    """The label of each segment, and of each frame its number, its segment, the UID of its source image, and the frames of that, from
    0; () where it names none."""
    header: Any = pydicom.dcmread(path, stop_before_pixels=True)
    labels = {
        int(each.SegmentNumber): str(each.get("SegmentLabel") or each.SegmentNumber) for each in header.SegmentSequence
    }
    shared = header.get("SharedFunctionalGroupsSequence") or [None]
    frames = []
    for number, each in enumerate(header.PerFrameFunctionalGroupsSequence):
        segment = each.get("SegmentIdentificationSequence") or shared[0].SegmentIdentificationSequence
        derivation = each.get("DerivationImageSequence") or (shared[0] or {}).get("DerivationImageSequence") or ()
        for source in (one for derived in derivation for one in derived.get("SourceImageSequence") or ()):
            of = tuple(int(each) - 1 for each in np.atleast_1d(source.get("ReferencedFrameNumber") or ()))
            frames.append((number, int(segment[0].ReferencedSegmentNumber), str(source.ReferencedSOPInstanceUID), of))
    return labels, frames


def seg_frame(path: Path, fragment: str) -> NDArray[np.uint8]:
    """One frame, uint8 (H, W): 1 where the segment is, 0 elsewhere; of fractional segments from a half on. `fragment` is "frame=0"."""
    try:
        header: Any = pydicom.dcmread(path, stop_before_pixels=True)
        index = int(fragment.removeprefix("frame=") or 0)
        with quiet():
            if header.BitsAllocated == 1 and header.file_meta.TransferSyntaxUID in PLAIN:
                pixels = _frame_of_bits(path, index)
            elif header.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:  # frames lie nowhere in the file
                pixels = pydicom.dcmread(path).pixel_array.reshape(-1, header.Rows, header.Columns)[index]
            else:
                pixels = pixel_array(path, index=index)
    except Exception as error:
        # Decoders raise whatever they like, and their messages may quote the header.
        raise ReadError(path, f"is a DICOM SEG whose frames cannot be read ({type(error).__name__})") from None
    high = int(header.get("MaximumFractionalValue") or 255) if header.get("SegmentationType") == "FRACTIONAL" else 1
    return np.asarray(pixels >= HALF * high, np.uint8)


def _frame_of_bits(path: Path, index: int) -> NDArray[np.uint8]:
    """A frame of single bits, which follow each other without a gap (PS3.5, 8.2): one of an odd number of pixels ends within a byte,
    at which pydicom reads no frame alone."""
    with path.open("rb") as file:
        header: Any = pydicom.dcmread(file, stop_before_pixels=True)
        pixels = header.Rows * header.Columns
        first = index * pixels
        if not 0 <= index < int(header.get("NumberOfFrames") or 1):
            raise IndexError(f"frame {index}")
        # The file is left where the element of the pixels begins: tag, then VR with two bytes more where it is explicit, and length.
        file.seek((8 if header.file_meta.TransferSyntaxUID.is_implicit_VR else 12) + first // 8, os.SEEK_CUR)
        packed = file.read(-(-(first + pixels) // 8) - first // 8)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")[first % 8 :][:pixels]
    return np.asarray(bits.reshape(header.Rows, header.Columns))
