"""The images that benches work on: of runs, of the data that the workbench was given, drawn ones, and those that were sent."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from fastapi import Request
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.data.demo.detector import WHITE
from evenray.data.demo.film import picture
from evenray.data.demo.plan import Film
from evenray.images.histogram import Histogram
from evenray.learning.predict.files import items
from evenray.serve.problems import Problem

from ..decoding import Wanted
from ..helpers import helpers_of
from ..opened import inside, opened, place_of
from ..workplace import Workplace
from .damage import Damage, grey_of, levels_of

__all__ = ["Offered", "Pictures", "Plate", "pictures_of"]

OFFERED = 24  # images of a run, or of the data, spread evenly over the classes
KEPT = 8  # decoded images, and as many damaged ones
SENT = 8  # images that were sent; older ones are forgotten
DRAWN = {
    "healthy": Film(patient=3, number=0, sick=False, label="healthy", site="north"),
    "sick": Film(patient=5, number=0, sick=True, label="sick", site="south"),
}
T = TypeVar("T")


@dataclass(frozen=True)
class Offered:
    """An image to choose: the `key` that requests name it by, whose it is, its name there, and its class where it has one."""

    key: str
    kind: Literal["run", "data", "drawn", "sent"]
    of: str
    name: str
    label: str = ""


@dataclass(frozen=True)
class Plate:
    """A grey image with its histogram, and as a browser keeps it: its levels (H, W), 0 to `number` - 1, and where data is."""

    image: Image
    histogram: Histogram
    levels: NDArray[np.uint8] | NDArray[np.uint16]
    number: int
    there: NDArray[np.bool_] | None

    @classmethod
    def of(cls, image: Image) -> Plate:
        return cls(image, Histogram.of(image), *levels_of(image))


class Pictures:
    """Finds and keeps images, which `read` decodes; may be asked from several threads."""

    def __init__(self, workplace: Workplace, read: Callable[[Wanted], Image]) -> None:
        self.workplace, self.read = workplace, read
        self.sent: OrderedDict[str, Image] = OrderedDict()
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def offered(self) -> list[Offered]:
        """What there is to choose from: the opened run's images first, or the data's, or the latest run's; then drawn ones."""
        latest = self.workplace.names[:1] if self.workplace.data is None else []
        runs = [self.workplace.opened] if self.workplace.opened else latest
        found = [one for name in runs for one in self._of_run(name)]
        found += [Offered(f"data:{n}", "data", "", str(n + 1)) for n in range(len(self._data()))]
        found += [Offered(f"drawn:{name}", "drawn", "", name) for name in DRAWN]
        return found + [Offered(f"sent:{name}", "sent", "", str(n)) for n, name in enumerate(self.sent, 1)]

    def image(self, key: str) -> Image:
        """The image of a key as its file has it, colours too. Problem 404 where there is none, 422 where it cannot be read."""
        kind, _, name = key.partition(":")
        if kind == "sent" and name in self.sent:
            return self.sent[name]
        return self._once(("image", key), lambda: self._opened(kind, name))

    def plate(self, key: str, damage: Damage | None = None) -> Plate:
        """The image without its colours, damaged."""
        spoilt = damage or Damage()
        return self._once(("plate", key, spoilt), lambda: Plate.of(spoilt.apply(grey_of(self.image(key)))))

    def keep(self, path: Path) -> Offered:
        """Keep an image that was sent, in memory alone; Problem 422 where it cannot be read."""
        found = self.read(Wanted(path, None, None))
        name = hashlib.sha256(found.pixels.tobytes()).hexdigest()[:12]
        with self._lock:
            self.sent[name] = found
            while len(self.sent) > SENT:
                self.sent.popitem(last=False)
        return Offered(f"sent:{name}", "sent", "", str(list(self.sent).index(name) + 1))

    def _opened(self, kind: str, name: str) -> Image:
        if kind == "drawn" and name in DRAWN:
            return Image(picture(DRAWN[name], seed=0).pixels, (0.0, WHITE))
        if kind == "data" and name.isdecimal() and int(name) < len(self._data()):
            return self.read(Wanted(self._data()[int(name)], None, None))
        if kind == "run":
            run, _, case = name.partition("/")
            dataset = opened(self.workplace.folder(run)).dataset
            rows = None if dataset is None else dataset.cases.filter(pl.col("case") == case)
            if dataset is not None and rows is not None and rows.height:
                file, fragment = rows.select("file", "fragment").row(0)
                return self.read(Wanted(inside(dataset, file), fragment, dataset.facts.value_range))
        raise Problem(404, "serve.unknown_path")

    def _of_run(self, name: str) -> Iterator[Offered]:
        dataset = opened(self.workplace.folder(name)).dataset
        if dataset is None:
            return
        labelled = "label" in dataset.cases.columns
        cases = dataset.cases.select("case", label=pl.col("label").cast(pl.String) if labelled else pl.lit(""))
        each = max(1, OFFERED // max(1, cases["label"].n_unique()))
        for part in cases.partition_by("label", maintain_order=True):
            step = max(1, part.height // each)
            for case, label in part[::step][:each].iter_rows():
                yield Offered(f"run:{name}/{case}", "run", name, case, label or "")

    def _data(self) -> list[Path]:
        return list(_files(self.workplace.data)) if self.workplace.data and not self.workplace.opened else []

    def _once(self, key: Hashable, made: Callable[[], T]) -> T:
        """What was made last time, if that is not long ago."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]
        found = made()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > 2 * KEPT:
                self._kept.popitem(last=False)
        return found


def pictures_of(request: Request) -> Pictures:
    """The images of the application that is asked."""
    state = request.app.state
    if not hasattr(state, "pictures"):
        state.pictures = Pictures(place_of(request), helpers_of(request).image)
    found: Pictures = state.pictures
    return found


@lru_cache(maxsize=4)
def _files(data: Path) -> tuple[Path, ...]:
    """Image files, evenly spread over a folder."""
    found = [item.path for item in items([data]) if not item.lost]
    return tuple(found[i * len(found) // OFFERED] for i in range(OFFERED)) if len(found) > OFFERED else tuple(found)
