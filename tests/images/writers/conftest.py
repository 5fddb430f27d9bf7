"""Enhanced copies of files that other programs made, and the pieces that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import ImageCms
from PIL.Image import Exif

from evenray.images import readers
from evenray.images.contrast import enhance
from evenray.images.writers import write

Copy = Callable[[Path], Path]

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, THUMBNAIL, THUMBNAIL_BYTES = 274, 282, 283, 513, 514
EXIF_DIRECTORY, WIDTH, HEIGHT, MODEL = 34665, 40962, 40963, 272


@pytest.fixture
def copy_of() -> Copy:
    """copy_of(path) writes an enhanced copy beside a picture and returns its path."""

    def copy(path: Path) -> Path:
        images = {
            part: enhance(readers.read(path, fragment=part), "gamma(0.6)") for part in readers.fragments(path)
        }  # fmt: skip
        target = path.with_name("copy-" + path.name)
        write(path, target, images, "evenray: contrast gamma(0.6)")
        return target

    return copy


@pytest.fixture
def exif_block() -> Callable[..., bytes]:
    """exif_block(orientation, sides) is an Exif block with its "Exif" mark, of so many (columns, rows) as stored."""

    def block(orientation: int, sides: tuple[int, int] = (60, 40)) -> bytes:
        exif = Exif()
        exif[ORIENTATION], exif[MODEL] = orientation, "Scanner 9"
        exif[X_RESOLUTION], exif[Y_RESOLUTION] = 300.0, 150.0
        inner = exif.get_ifd(EXIF_DIRECTORY)
        inner[WIDTH], inner[HEIGHT] = sides
        return exif.tobytes()

    return block


@pytest.fixture(scope="session")
def profile() -> bytes:
    """An RGB profile of ICC."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def cmyk_profile(profile: bytes) -> bytes:
    """A profile that says it is one of CMYK."""
    return profile[:16] + b"CMYK" + profile[20:]
