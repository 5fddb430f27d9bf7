"""masks/ and overlays/: the masks that were called in the test images, and some of them drawn beside the true ones."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from .record import Number, Record

__all__ = ["DrawnMasks", "Outline", "Overlay", "Overlays"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DrawnMasks(Record):
    """The index of masks/: `files` are grey PNG in the pixels of the image by case, in which 0 is the background and k + 1 is the
    class number k of `classes`."""

    file: ClassVar[str] = "masks/index.json"

    version: int = 1
    classes: tuple[str, ...]
    files: dict[str, str]


class Outline(_Entry):
    """A closed line in pixels of the picture, (x, y) after (x, y), around something of a class; of a box its four corners."""

    label: str
    points: tuple[tuple[float, float], ...]


class Overlay(_Entry):
    """A test case with what is true and what was called, as lines over `image`, a PNG file beside the index of `width` x `height`.

    `figures` are those of the case by name. `kind` says why it is shown: among the worst, typical, or called where nothing is.
    """

    case: str
    part: str
    kind: Literal["worst", "typical", "empty"]
    figures: dict[str, Number]
    image: str
    width: int
    height: int
    true: tuple[Outline, ...]
    called: tuple[Outline, ...]


class Overlays(Record):
    """The index of overlays/."""

    file: ClassVar[str] = "overlays/index.json"

    version: int = 1
    entries: tuple[Overlay, ...]
