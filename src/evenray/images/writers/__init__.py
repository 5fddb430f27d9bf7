"""Writing images back as their file was: an enhanced copy in the input's own format and depth.

A writer is `f(source, target, images, note)`: `images` maps the fragments of the source file to their new pixels, and
`note` says in a few words what was done to them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError
from evenray.core.registry import Registry
from evenray.core.types import Image

__all__ = ["write", "writers"]

writers = Registry(
    "writer",
    {
        "dicom": "evenray.images.writers.dicom:write",
        "jpeg": "evenray.images.writers.raster:write",
        "png": "evenray.images.writers.raster:write",
        "tiff": "evenray.images.writers.raster:write",
        "bmp": "evenray.images.writers.raster:write",
        "pgm": "evenray.images.writers.raster:write",
        "ppm": "evenray.images.writers.raster:write",
        "nifti": "evenray.images.writers.nifti:write",
        "npz": "evenray.images.writers.npz:write",
    },
    context=4,
)

# The endings of names that say a format; a name that ends otherwise says none.
ENDINGS = {
    "dicom": (".dcm", ".dicom", ".ima"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "tiff": (".tif", ".tiff"),
    "bmp": (".bmp", ".dib"),
    "pgm": (".pgm", ".pnm"),
    "ppm": (".ppm", ".pnm"),
    "nifti": (".nii", ".nii.gz"),
    "npz": (".npz",),
}
OTHERS = (".gif", ".webp", ".jp2", ".jxl", ".heic", ".avif", ".pdf", ".npy", ".gz", ".zip")


def write(
    source: str | os.PathLike[str], target: str | os.PathLike[str], images: Mapping[str, Image], note: str
) -> None:
    """A copy of the file `source` at `target` with new pixels, whole or not at all.

    `images` holds one image for every fragment that the reader lists ("" for a plain image), as the reader gave them
    but for their pixels; its header says the format. UsageError where it does not, or where the name of `target` says
    another format than the copy has; StorageError where the disk is full.

    >>> import cv2, tempfile, numpy as np
    >>> folder = Path(tempfile.mkdtemp())
    >>> source, target = folder / "a.png", folder / "b.png"
    >>> _ = cv2.imwrite(str(source), np.zeros((2, 2), np.uint16))
    >>> write(source, target, {"": Image(np.full((2, 2), 9, np.uint16), (0, 65535), header={"format": "png"})}, "demo")
    >>> cv2.imread(str(target), cv2.IMREAD_UNCHANGED).tolist()
    [[9, 9], [9, 9]]
    """
    kind = str(next(iter(images.values())).header.get("format")) if images else ""
    if kind not in writers:
        raise UsageError(f"{source}: images of the format '{kind}' cannot be written; known: {', '.join(writers)}.")
    target = Path(target)
    _check_ending(Path(source), target, kind)
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target} is the file that is read; choose another folder with -o.")
    with atomic(target) as temporary:
        writers[kind](Path(source), temporary, images, note)


def _check_ending(source: Path, target: Path, kind: str) -> None:
    """UsageError where `target` is named as another format than that of `source`, which the copy keeps."""
    before, after = _ending(source), _ending(target)
    own = ENDINGS.get(kind, ())
    if kind == "nifti" and before in own:
        own = (before,)  # packed or not is as in the original too
    if after != before and after not in own and after in {*OTHERS, *(e for each in ENDINGS.values() for e in each)}:
        raise UsageError(
            f"{target} is named {after}, but a copy keeps the format and depth of its original, and {source.name} is"
            f" {kind.upper()}; give -o a name that ends in {before or own[0]}."
        )


def _ending(path: Path) -> str:
    """
    >>> _ending(Path("a/Brain.NII.gz")), _ending(Path("a/x.PNG"))
    ('.nii.gz', '.png')
    """
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix
