"""Objects that tools for annotating save as outlines, boxes or small pictures, whatever the tool: what is made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.data.tables.match_paths import without_ending

from .found import Annotated, Annotations, Box, MaskFile
from .joining import Joined
from .pairing import Twins, near_first, stem_of
from .reader_boxes import of_most_readers
from .runs import Points, outlines

__all__ = ["HEAD", "BadFile", "Drawn", "Format", "Shape", "circle", "read_shapes", "rectangle", "turned"]

HEAD = 1 << 16  # bytes by which a file tells its format
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
)  # what is raised for a file that is not as it should be
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before the names of files that Label Studio was given


class BadFile(ValueError):
    """A file of annotations that cannot be read, and why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: rings of x and y, those within others holes, in pixels or in shares of the image's sides, without what lies in rings
    that are `cut` out; or `runs` of pixels in its image. `is_box` says that it is a rectangle, which outlines nothing; `ignored` that
    it counts neither way, in its class, or in every class where no object that counts has its label; `crowd` that it is several
    objects: their box counts neither way, and their pixels are those of any object."""

    label: str
    rings: tuple[Points, ...] = ()
    runs: str = ""
    corners: tuple[float, float, float, float] | None = None  # where runs alone say where it is
    is_box: bool = False
    ignored: bool = False
    cut: tuple[Points, ...] = ()
    crowd: bool = False

    @property
    def counts(self) -> dict[str, bool]:
        """Whether it is an object of its class, by task."""
        return {"segment": not (self.is_box or self.ignored), "detect": not (self.crowd or self.ignored)}


@dataclass(frozen=True)
class Drawn:
    """What a file says of one image, called as the tool knows it, "" where the name of the file alone says which; `size` is rows and
    columns. `corners` says that four numbers turned out to be two corners, and not a corner and sides. `others` are what readers after
    the first drew."""

    image: str
    shapes: list[Shape]
    size: tuple[int, int] | None = None
    shares: bool = False
    corners: bool = False
    others: tuple[list[Shape], ...] = ()

    @property
    def readings(self) -> tuple[list[Shape], ...]:
        """What each reader drew."""
        return (self.shapes, *self.others)


@dataclass(frozen=True)
class Format:
    """A format: how its files end, whether one is of it by its first HEAD bytes as text, and what it says; `settled` makes of what all
    files say what only all of them together can tell, in the same order.

    `read` raises one of UNREADABLE for what cannot be read.
    """

    name: str
    endings: tuple[str, ...]
    is_so: Callable[[str], bool]
    read: Callable[[Path], list[Drawn]]
    outlines: bool = field(default=True)  # whether it may outline objects
    settled: Callable[[Sequence[Drawn]], list[Drawn]] = field(default=list)

    def files(self, root: Path, files: Iterable[str]) -> tuple[str, ...]:
        """Those of some files that are of this format."""
        return tuple(
            file for file in files if file.lower().endswith(self.endings) and self.is_so(_head(as_path(root / file)))
        )

    def outlined(self, root: Path, files: Sequence[str]) -> bool:
        """Whether an object in some files is more than a box."""
        for file in files:
            try:
                if any(shape.counts["segment"] for drawn in self.read(as_path(root / file)) for shape in drawn.shapes):
                    return True
            except UNREADABLE:
                continue
        return False


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(HEAD).decode("utf-8", "replace")


def rectangle(x0: float, y0: float, x1: float, y1: float) -> tuple[Points, ...]:
    """The ring of a box."""
    return (((x0, y0), (x1, y0), (x1, y1), (x0, y1)),)


def circle(x: float, y: float, right: float, down: float) -> tuple[Points, ...]:
    """The ring of an ellipse with its half axes."""
    turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return (tuple(zip((x + right * np.cos(turns)).tolist(), (y + down * np.sin(turns)).tolist(), strict=True)),)


def turned(
    rings: Iterable[Points], degrees: float, about: tuple[float, float], sides: tuple[float, float] = (1, 1)
) -> tuple[Points, ...]:
    """Rings turned clockwise, as the image is seen, about a point; `sides` are width and height of the image in pixels where points
    are in shares of them.

    >>> [[(round(x), round(y)) for x, y in ring] for ring in turned(rectangle(0, 0, 4, 2), 90, (0, 0))]
    [[(0, 0), (0, 4), (-2, 4), (-2, 0)]]
    """
    if not degrees:
        return tuple(rings)
    (x0, y0), (across, down) = about, sides
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple(
        tuple(
            (
                x0 + (x - x0) * cosine - (y - y0) * sine * down / across,
                y0 + (x - x0) * sine * across / down + (y - y0) * cosine,
            )
            for x, y in ring
        )
        for ring in rings
    )


def read_shapes(
    own: Format, root: Path, files: Sequence[str], images: Sequence[str], task: Literal["segment", "detect"]
) -> Annotations:
    """The masks or boxes of some files of a format, each of the image that it names, else of the one of its own name. For masks the
    pixels of what is ignored, and of a rectangle that is called as an outlined object is, are unknown where no object has them. A
    file that cannot be read is set aside; classes are in the order of their names."""
    read: list[tuple[str, Drawn]] = []
    rejected = []
    for file in files:
        try:
            read += [(file, _usable(drawn)) for drawn in own.read(as_path(root / file))]
        except UNREADABLE as error:
            rejected.append((file, f"is no file of {own.name} that can be read: {type(error).__name__} {error}"))
    read = list(zip([file for file, _ in read], own.settled([drawn for _, drawn in read]), strict=True))
    by_file: dict[str, list[Drawn]] = {}
    for file, drawn in read:
        by_file.setdefault(file, []).append(drawn)
    of_files = {file: _images_of(file, own_images, images, root) for file, own_images in by_file.items()}
    wanted = {
        shape.label
        for _, drawn in read
        for shapes in (drawn.readings if task == "detect" else (drawn.shapes,))
        for shape in shapes
        if shape.counts[task]
    }
    classes = tuple(sorted(wanted))
    joined = Joined()
    lost = boxed = 0
    shares = task == "detect" and any(drawn.shares for _, drawn in read)
    for file, drawn in read:
        image = of_files[file].get(drawn.image)
        if image is None:
            lost += 1
            continue
        if task == "detect":
            readers = [[box for shape in shapes for box in _boxes(shape, classes)] for shapes in drawn.readings]
            size = None if drawn.shares else drawn.size
            joined.add(image, Annotated(boxes=of_most_readers(readers), size=size), file)
        else:
            # A rectangle of another label may be about the image.
            shapes = [shape for shape in drawn.shapes if not shape.is_box or shape.label in classes]
            masks = tuple(_mask(shape, classes, drawn.shares) for shape in shapes)
            boxed += sum(shape.is_box for shape in shapes)
            joined.add(image, Annotated(masks, size=drawn.size), file)
    corners = [file for file, own_images in by_file.items() if own_images[0].corners]
    notes = [Message("annotations.corners", {"file": Path(file).name}) for file in corners]
    if (most := max((len(drawn.readings) for _, drawn in read), default=0)) > 1:
        of_images = sum(bool(drawn.others) for _, drawn in read)
        notes.append(
            Message("annotations.readers_of_boxes", {"count": most})
            if task == "detect"
            else Message("annotations.first_readers", {"count": of_images})
        )
    notes += [Message("annotations.boxes_unknown", {"count": boxed})] if boxed else []
    notes += [*([Message("annotations.files_absent", {"count": lost})] if lost else []), *joined.notes]
    return Annotations(task, own.name, joined.images, classes, shares, notes=tuple(notes), rejected=tuple(rejected))


def _usable(drawn: Drawn) -> Drawn:
    """The same without objects that have no points; BadFile where a coordinate is not a number."""
    for shape in (shape for shapes in drawn.readings for shape in shapes):
        if not all(math.isfinite(value) for ring in shape.rings for point in ring for value in point):
            raise BadFile(f"an object '{shape.label}' has a coordinate that is no finite number")
    shapes, *others = (
        [shape for shape in shapes if shape.runs or shape.corners or any(shape.rings)] for shapes in drawn.readings
    )
    return replace(drawn, shapes=shapes, others=tuple(others))


def _mask(shape: Shape, classes: Sequence[str], shares: bool) -> MaskFile:
    index = classes.index(shape.label) + 1 if shape.counts["segment"] else UNKNOWN_PIXEL
    return MaskFile(runs=shape.runs or outlines(shape.rings, shape.cut, shares=shares), index=index)


def _boxes(shape: Shape, classes: Sequence[str]) -> list[Box]:
    """The box of an object, or one a class of what is of any."""
    corners = shape.corners
    if corners is None:
        xs, ys = ([point[k] for ring in shape.rings for point in ring] for k in (0, 1))
        corners = (min(xs), min(ys), max(xs), max(ys))
    indices = [classes.index(shape.label)] if shape.label in classes else range(len(classes))
    return [Box(index, *corners, not shape.counts["detect"]) for index in indices]


def _images_of(file: str, drawn: Sequence[Drawn], images: Sequence[str], root: Path) -> dict[str, str]:
    """The image of each name that a file of annotations has; of one image alone the file may be called as it."""
    names = {each.image: UPLOADED.sub("", each.image.rpartition("/")[2]) for each in drawn if each.image}
    folder = as_path(root / file).parent
    found = near_first(names, images, folder, root)
    bare = near_first([plain for name, plain in names.items() if name not in found], images, folder, root)
    found |= {name: bare[plain] for name, plain in names.items() if name not in found and plain in bare}
    if len(drawn) == 1 and drawn[0].image not in found:
        twins, stem = Twins(images), stem_of(file)
        image = twins.of(file) or twins.of(file, without_ending(stem))
        found |= {drawn[0].image: image} if image is not None else {}
    return found
