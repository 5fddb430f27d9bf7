"""Reads every file of the folders that it is pointed at, as a scan does, and prints what became of them.

`python tools/read_corpus.py FOLDER ... [--list] [--jobs N]` fetches nothing. A row a folder and format: files; read as an
image, refused with a reason; wrong (an image whose pixels are not those of an independent reader: Pillow, tifffile, nibabel
or pydicom); crashed or stopped (the file ended its process, or had too much time); slowest file in seconds of computing; most
memory of the process that read it. What the other readers do not read themselves is not compared.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evenray.core import budget
from evenray.core.errors import ReadError
from evenray.core.lost import Lost
from evenray.core.types import Image
from evenray.images import readers
from evenray.scale import isolated

OTHERS = (
    ".py",
    ".md",
    ".txt",
    ".json",
    ".rs",
    ".toml",
    ".csv",
    ".html",
    ".xml",
    ".yml",
    ".yaml",
    ".c",
    ".h",
    ".sh",
    ".rst",
)


@dataclass(frozen=True)
class Read:
    """How one file ended: image, refused, wrong or compared (an image that is the same as another reader's)."""

    format: str
    end: str
    told: str = ""
    seconds: float = 0.0
    memory_mb: int = 0


def read(path: Path) -> Read:
    began = time.process_time()
    format, images = "none", list[Image]()
    try:
        format = readers.sniff(path) or "none"
        names = readers.fragments(path)
        readers.identity(path)
        picked = sorted({0, len(names) // 2, len(names) - 1})
        images = [readers.read(path, fragment=names[number]) for number in picked]
        format = str(images[0].header["format"]) if format == "raster" else format
        seconds = time.process_time() - began
        end, told = "image", ""
        with warnings.catch_warnings(), budget.reading():
            warnings.simplefilter("ignore")
            with contextlib.suppress(Exception):  # of the other reader
                other = elsewhere(path, format, picked, len(names))
                if other is not None:
                    end, told = compared(images, other)
    except ReadError as error:
        seconds, end, told = time.process_time() - began, "refused", error.reason
    return Read(format, end, told, seconds, _peak_mb())


def elsewhere(path: Path, format: str, picked: Sequence[int], count: int) -> list[np.ndarray] | None:
    """What an independent reader makes of the same images, in its own levels; None where it has another idea of them."""
    if format == "tiff":
        from PIL import Image as Pillow

        found = []
        with Pillow.open(path) as picture:  # by libtiff, which evenray does not use
            if getattr(picture, "n_frames", 1) != count:
                return None
            for number in picked:
                picture.seek(number)
                page = picture.convert("RGB") if picture.mode in ("P", "CMYK", "YCbCr") else picture
                page = page.convert("L") if picture.mode == "1" else page
                pixels = np.asarray(page)
                signed = picture.tag_v2.get(339) in (2, (2,)) and pixels.dtype == np.uint8
                found.append(pixels.view(np.int8) if signed else pixels)
        return found
    if format in ("png", "jpeg", "bmp", "pgm", "ppm"):
        from PIL import Image as Pillow
        from PIL import ImageOps

        with Pillow.open(path) as picture:
            if picture.mode in ("P", "CMYK"):
                picture = picture.convert("RGBA" if picture.mode == "P" else "RGB")
            return [np.asarray(ImageOps.exif_transpose(picture))]
    if format == "nifti":
        import nibabel

        volume = nibabel.as_closest_canonical(nibabel.load(path)).get_fdata()  # R, A, S
        volume = volume.reshape(*volume.shape[:2], -1, order="F")
        return [volume[::-1, ::-1, number].T for number in picked]
    if format == "dicom":
        import pydicom

        dataset = pydicom.dcmread(path, force=True)
        if dataset.get("SamplesPerPixel", 1) != 1 or "VOILUTSequence" in dataset or "ModalityLUTSequence" in dataset:
            return None
        if dataset.get("PhotometricInterpretation") == "PALETTE COLOR" or "SharedFunctionalGroupsSequence" in dataset:
            return None
        values = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns).astype(float)
        slope, shift = float(dataset.get("RescaleSlope", 1) or 1), float(dataset.get("RescaleIntercept", 0) or 0)
        return [values[number] * slope + shift for number in picked]
    return None


def compared(images: list[Image], others: list[np.ndarray]) -> tuple[str, str]:
    """Whether pixels are the same but for the levels (their number of bits, black for white) and what is missing."""
    for image, other in zip(images, others, strict=True):
        ours = image.pixels.astype(float)
        theirs = other.astype(float)
        if theirs.ndim == 3 and theirs.shape[2] in (2, 4):
            theirs = theirs[..., : theirs.shape[2] - 1]
        if theirs.ndim == 3 and ours.ndim == 2:
            theirs = theirs[..., 0] if (theirs == theirs[..., :1]).all() else theirs
            theirs = theirs[..., 0] if theirs.ndim == 3 and theirs.shape[2] == 1 else theirs
        if theirs.ndim == 2 and ours.ndim == 3:
            theirs = np.repeat(theirs[..., None], 3, axis=2)
        if ours.shape != theirs.shape:
            return "wrong", f"{ours.shape}, but {theirs.shape} elsewhere"
        present = np.isfinite(theirs) if image.valid is None else np.isfinite(theirs) & _like(image.valid, theirs)
        a, b = ours[present], theirs[present]
        if not len(a) or np.array_equal(a, b) or np.abs(a - b).max() <= 2 * (image.header["format"] == "jpeg"):
            continue
        if b.std() == 0 or a.std() == 0 or abs(np.corrcoef(a, b)[0, 1]) < 0.9999:
            return "wrong", f"differs from another reader in {np.mean(a != b):.1%} of the pixels"
    return "compared", ""


def _like(valid: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return valid if pixels.ndim == 2 else np.repeat(valid[..., None], pixels.shape[2], axis=2)


def _peak_mb() -> int:
    status = Path("/proc/self/status")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024 if status.is_file() else 0


def main() -> None:
    import read_corpus  # what the processes find by its name

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument(
        "--list", action="store_true", help="name the files that were refused, wrong or ended their process"
    )
    options = parser.parse_args()
    say = sys.stdout.write
    heads = ("files", "image", "same", "wrong", "refused", "ended", "s", "MB")
    say(f"{'folder':<24} {'format':<7}" + "".join(f"{head:>8}" for head in heads) + "\n")
    for folder in options.folders:
        files = [Path(top, name) for top, _, names in os.walk(folder) for name in sorted(names)]
        files = sorted(file for file in files if file.suffix.lower() not in OTHERS)
        by_format: dict[str, list[Read]] = collections.defaultdict(list)
        for file, found in zip(files, isolated(options.jobs)(read_corpus.read, files), strict=True):
            one = Read("?", "ended", found.reason) if isinstance(found, Lost) else found
            by_format[one.format].append(one)
            if options.list and one.end in ("refused", "wrong", "ended"):
                say(f"  {one.end:<8} {file.relative_to(folder)}: {one.told}\n")
        for format, ends in sorted(by_format.items()):
            of = collections.Counter(one.end for one in ends)
            slowest, most = max(one.seconds for one in ends), max(one.memory_mb for one in ends)
            say(
                f"{folder.name:<24} {format:<7}{len(ends):>8}{of['image'] + of['compared'] + of['wrong']:>8}{of['compared']:>8}"
                f"{of['wrong']:>8}{of['refused']:>8}{of['ended']:>8}{slowest:>8.1f}{most:>8}\n"
            )


if __name__ == "__main__":
    main()
