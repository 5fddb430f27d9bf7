"""Masks in the form that their image came in: of a DICOM a DICOM SEG, of a NIfTI volume one with the same affine, else a PNG."""

from __future__ import annotations

import gzip
import importlib
import os
import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError
from evenray.images.readers import fragments, sniff

from .dicom_seg import series_of, write_seg, write_series_seg
from .mask_names import own_names
from .nifti import turned_back

__all__ = ["series_of", "write_masks", "write_series"]

GZIP = b"\x1f\x8b"
NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
Mask = NDArray[np.uint8]


def write_masks(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    masks: Mapping[str, Mask],
    classes: Sequence[str],
    taken: Set[Path] = frozenset(),
) -> list[Path]:
    """Write the masks of an image file below `folder`, and return where: NAME_mask.dcm, NAME_mask.nii(.gz) or NAME_mask.png, of
    which a file of several pages has one each. What is in `taken` is not written over: NAME has the file's ending then, or a number.

    `masks` are by the fragments of the file, uint8 (H, W) each, in the pixels of the image as it is read: 0 background, k + 1 class
    k, 255 unknown. Of a volume what is not given is background. A PNG has these numbers, with 255 for a single class, so that it
    can be looked at. Raises UsageError for a fragment that the file has not.

    >>> import tempfile
    >>> where = Path(tempfile.mkdtemp())
    >>> _ = cv2.imwrite(str(where / "a.png"), np.zeros((2, 2), np.uint8))
    >>> [out] = write_masks(where / "a.png", where / "masks", {"": np.array([[0, 1], [1, 0]], np.uint8)}, ["lesion"])
    >>> out.name, cv2.imread(str(out), cv2.IMREAD_UNCHANGED).tolist()
    ('a_mask.png', [[0, 255], [255, 0]])
    """
    source, folder = Path(source), Path(folder)
    names, kind = fragments(source), sniff(source)
    if unknown := [name for name in masks if name not in names and not (name == "" and len(names) == 1)]:
        raise UsageError(
            f"{source} has no '{unknown[0]}'; it holds {names[0] or 'one image'} to {names[-1] or 'one image'}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "dicom":
        targets = own_names(folder, source, _stem_of_dicom(source), ["_mask.dcm"], taken)
        with atomic(targets[0]) as temporary:
            write_seg(source, temporary, masks, classes)
    elif kind == "nifti":
        raw = source.read_bytes()
        ending = ".nii.gz" if raw.startswith(GZIP) else ".nii"  # whatever the file is called, as it is read
        targets = own_names(folder, source, NIFTI.sub("", source.name), [f"_mask{ending}"], taken)
        with atomic(targets[0]) as temporary:
            _write_volume(raw, temporary, masks, names)
    else:
        pages = [f"_{name.replace('=', '').replace('/', '_')}" if name else "" for name in masks]
        targets = own_names(folder, source, source.stem, [f"{page}_mask.png" for page in pages], taken)
        for target, mask in zip(targets, masks.values(), strict=True):
            shown = np.where(mask == 1, np.uint8(255), np.uint8(0)) if len(classes) == 1 else mask
            with atomic(target) as temporary:
                temporary.write_bytes(cv2.imencode(".png", shown)[1].tobytes())
    return targets


def write_series(
    sources: Sequence[Path],
    folder: str | os.PathLike[str],
    masks: Sequence[Mask],
    classes: Sequence[str],
    taken: Set[Path] = frozenset(),
) -> Path:
    """Write the masks of the slices of one DICOM series (`series_of`) as one SEG below `folder`, and return where: it is called by the
    first file, NAME_series_mask.dcm, with its ending or a number where that is `taken`."""
    first = sources[0]
    [target] = own_names(Path(folder), first, _stem_of_dicom(first), ["_series_mask.dcm"], taken)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target) as temporary:
        write_series_seg(sources, temporary, masks, classes)
    return target


def _stem_of_dicom(source: Path) -> str:
    """Names of DICOM files are often numbers with dots, of which the last is no ending."""
    return source.stem if source.suffix.lower() == ".dcm" else source.name


def _write_volume(raw: bytes, target: Path, masks: Mapping[str, Mask], names: Sequence[str]) -> None:
    nib: Any = importlib.import_module("nibabel")  # late: it costs more than a picture's whole writing
    packed = raw.startswith(GZIP)
    data = gzip.decompress(raw) if packed else raw
    kind = nib.Nifti2Image if data[4:8] == b"n+2\0" else nib.Nifti1Image
    volume = kind.from_bytes(data)
    some = next(iter(masks.values()))
    slices = np.stack([masks.get(name, np.zeros_like(some)).T for name in names], axis=2)
    shape = volume.shape
    voxels = turned_back(slices, (*shape, 1)[:3], nib.io_orientation(volume.affine), nib).reshape(shape, order="F")
    header = volume.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    written = kind(voxels, None, header).to_bytes()  # None: the affine and its codes stay those of the header
    target.write_bytes(gzip.compress(written, 6, mtime=0) if packed else written)
