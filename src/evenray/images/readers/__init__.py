"""Reading image files: `read` turns a file, or one fragment of it, into an Image; the content decides the format.

A reader is a module with four functions: `sniff(head)` says whether the first bytes are its format's,
`read(source, fragment, levels, window)` decodes, `fragments(source)` lists what one file holds and
`identity(source)` says whose image it is; that of volumes has `grid(source)`, where they lie, as well. See
docs/adding-a-reader.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from evenray.core import budget
from evenray.core.errors import EvenrayError, ReadError, UsageError
from evenray.core.registry import Registry
from evenray.core.types import Image

from ._grid import Grid
from ._identity import Identity
from ._limits import LIMITS, Limits
from ._source import Source
from ._window import ValueRange, Window, asked_range

__all__ = [
    "LIMITS",
    "Grid",
    "Identity",
    "Limits",
    "fragments",
    "grid",
    "identity",
    "middle",
    "read",
    "readers",
    "sniff",
]

Path = str | os.PathLike[str]

readers = Registry(
    "reader",
    {
        "raster": "evenray.images.readers.raster:read",
        "dicom": "evenray.images.readers.dicom:read",
        "nifti": "evenray.images.readers.nifti:read",
        "npz": "evenray.images.readers.npz:read",
    },
    context=1,
)


def read(path: Path, *, fragment: str = "", value_range: ValueRange | None = None, window: Window = "header") -> Image:
    """Decode one image: (H, W) or (H, W, 3), in the units of its file, brighter meaning more.

    `fragment` picks one of `fragments(path)`; "" is the first. `value_range` overrides the grey range that the header
    declares. `window` is "header", "none", a CT window (brain, lung, ...; see ct_windows) or (center, width), in the
    units of the pixels. Raises ReadError for whatever is wrong with the file, UsageError for a window unknown.

    >>> import cv2, numpy, tempfile
    >>> path = tempfile.mkdtemp() + "/grey.png"
    >>> cv2.imwrite(path, numpy.full((2, 3), 7, numpy.uint8))
    True
    >>> image = read(path)
    >>> image.pixels.tolist(), image.value_range
    ([[7, 7, 7], [7, 7, 7]], (0.0, 255.0))
    """
    if not isinstance(fragment, str):
        raise UsageError(f"fragment is {fragment!r}; give a text of fragments(path), such as 'frame=1'.")
    asked_range(value_range, window)  # a wrong option is the caller's mistake, whatever the file
    image: Image = _guarded(path, "read", fragment=fragment, value_range=value_range, window=window)
    return image if image.pixels.flags.writeable else image.with_pixels(image.pixels.copy())


def fragments(path: Path) -> list[str]:
    """What one file holds: [""] for a plain image, else "frame=0" ..., "page=0" ..., "slice=0" ..., "train/0" ..."""
    found: list[str] = _guarded(path, "fragments")
    return found


def middle(names: Sequence[str]) -> str:
    """The middle of what a file holds; where there are several volumes, the middle slice of the middle one.

    >>> middle(["frame=0", "frame=1", "frame=2"])
    'frame=1'
    >>> middle([f"slice={slice},volume={volume}" for volume in range(4) for slice in range(5)])
    'slice=2,volume=2'
    """
    volumes = len({name.partition(",volume=")[2] for name in names})
    slices = len(names) // volumes
    return names[volumes // 2 * slices + slices // 2]


def grid(path: Path) -> Grid | None:
    """Where the voxels of a NIfTI file lie, by its header alone; None of other files, and where the header does not tell it."""
    found: Grid | None = _guarded(path, "grid") if sniff(path) == "nifti" else None
    return found


def identity(path: Path) -> Identity:
    """Whose image it is, raw.

    Only for code that replaces these values by keyed hashes at once; they never reach an artefact, a log or a page.
    """
    found: Identity = _guarded(path, "identity")
    return found


def sniff(path: Path) -> str | None:
    """The registry's name of the file's format, by content; None when no reader knows it."""
    return _format(Source.of(path))


def _format(source: Source) -> str | None:
    return next((name for name in readers if _function(name, "sniff")(source.head)), None)


def _function(name: str, verb: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(sys.modules[readers[name].__module__], verb)
    return function


def _guarded(path: Path, verb: str, **options: Any) -> Any:
    """Call one function of the file's reader; whatever it stumbles over becomes a ReadError."""
    with budget.reading():
        return _called(path, verb, **options)


def _called(path: Path, verb: str, **options: Any) -> Any:
    source = Source.of(path)
    name = _format(source)
    if name is None:
        raise ReadError(source.path, _unknown(source.head))
    try:
        return _function(name, verb)(source, **options)
    except UsageError as error:  # the options are checked before: no Image can be made of what the file says
        raise ReadError(source.path, f"is damaged: {error}") from None
    except EvenrayError:
        raise
    except MemoryError:
        raise ReadError(source.path, budget.NO_MEMORY) from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a Rust decoder is no Exception
        # The message of a decoder may quote the header, and so a patient's name: only its kind is told.
        raise ReadError(source.path, f"is damaged: the {name} decoder failed ({type(error).__name__})") from None


_FOREIGN = {
    b"%PDF": "is a PDF document, not an image",
    b"<": "is a web page or XML text, not an image",
    b"PK\x03\x04": "is a ZIP archive without images of the MedMNIST kind (train_images, ...)",
    b"\x1f\x8b": "is a gzip file that holds no NIfTI volume, or a damaged one",
    b"GIF8": "is a GIF picture, which is not read; convert it to PNG",
    b"RIFF": "is a RIFF file (WebP, AVI, WAV), which is not read; convert it to PNG",
    b"version https://git-lfs": "is a Git LFS pointer; fetch the file itself",
}


def _unknown(head: bytes) -> str:
    for start, reason in _FOREIGN.items():
        if head.startswith(start):
            return reason
    if not head.strip(b"\0"):
        return "starts with zeros only: the download or copy was not finished"
    return "is not an image that is read here (DICOM, PNG, JPEG, TIFF, BMP, PGM, PPM, NIfTI, npz)"
