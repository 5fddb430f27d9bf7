"""Image files as networks take them, decoded in other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from evenray.core.errors import MissingExtra, ReadError
from evenray.core.events import Map
from evenray.core.lost import Lost
from evenray.core.types import Image
from evenray.images.readers import fragments, middle, read

from .out_of_distribution import Fingerprint
from .preparation import Preparation

__all__ = ["Decoded", "Item", "Opened", "Task", "batches", "decode", "fragments_of", "opened", "tasks_of"]


@dataclass(frozen=True)
class Item:
    """One file to predict, by the name that its answer carries: the path as given, or below the one folder that was given.

    `lost` is why there is nothing to open, such as a folder that is shut.
    """

    file: str
    path: Path
    lost: str = ""


class Task(NamedTuple):
    """One image to decode; None is the middle one of its file. `last` says that no other of the file comes behind it."""

    item: Item
    fragment: str | None
    last: bool


class Decoded(NamedTuple):
    """The pixels that the network takes, and the shape and spacing of the image itself."""

    file: str
    fragment: str
    pixels: NDArray[Any]
    fingerprint: Fingerprint | None
    shape: tuple[int, int]
    spacing: tuple[float, float] | None


class Opened(NamedTuple):
    """An image as it is, and as the network takes it."""

    image: Image
    decoded: Decoded


def tasks_of(item: Item, *, every: bool = False) -> Iterator[Task]:
    """The images of a file to predict; `every` frame, or the middle one."""
    names = fragments_of(item, every=every)
    yield from (Task(item, name, number == len(names)) for number, name in enumerate(names, 1))


def fragments_of(item: Item, *, every: bool = False) -> Sequence[str | None]:
    """All images of an archive, the middle one of any other file, or `every` frame."""
    if every or item.path.suffix.lower() == ".npz":
        try:
            return fragments(item.path) if not item.lost else [None]
        except (ReadError, MissingExtra):
            pass  # its reason is told where it is read
    return [None]


def decode(task: Task, preparation: Preparation) -> Decoded | str:
    """An image as the network takes it, or why it cannot be read."""
    found = opened(task, preparation)
    return found if isinstance(found, str) else found.decoded


def opened(task: Task, preparation: Preparation) -> Opened | str:
    """An image of a file (None: the middle one), or why it cannot be read."""
    item, fragment = task.item, task.fragment
    try:
        if item.lost:
            return item.lost
        fragment = middle(fragments(item.path)) if fragment is None else fragment
        image = read(item.path, fragment=fragment, value_range=preparation.value_range)
        fingerprint = Fingerprint.of(image) if preparation.described else None
        pixels = preparation.pixels(image)
        return Opened(image, Decoded(item.file, fragment, pixels, fingerprint, image.shape, image.spacing_mm))
    except ReadError as error:
        return error.reason
    except MissingExtra as error:
        return str(error)


def batches(
    files: Sequence[Item],
    preparation: Preparation,
    size: int,
    rejected: list[tuple[str, str]],
    map: Map,
    tick: Callable[[int], None],
) -> Iterator[list[Decoded]]:
    """The images of files, `size` at a time, the last ones, of which there may be none, as well. What cannot be read goes to
    `rejected` with its reason; `tick` hears of every file that is done."""
    batch, work = list[Decoded](), [task for item in files for task in tasks_of(item)]
    for task, found in zip(work, map(partial(decode, preparation=preparation), work), strict=True):
        if isinstance(found, str | Lost):
            rejected.append((task.item.file, found if isinstance(found, str) else found.reason))
        else:
            batch.append(found)
        if len(batch) == size:
            yield batch
            batch = []
        tick(int(task.last))
    yield batch
