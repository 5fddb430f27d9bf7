"""Attribution maps of test cases, and the checks that say whether they are to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.explained import Attribution, Attributions, Check, Gallery
from evenray.core.recipe import ExplainSettings
from evenray.core.types import Dataset, Image, Predictions
from evenray.data.regions import regions_of
from evenray.data.store import Store
from evenray.evidence.explain.answers import chances, subject
from evenray.evidence.explain.attribution import attribute, layer_of
from evenray.evidence.explain.checks import (
    Sample,
    check_places,
    check_regions,
    check_removal,
    check_unlearnt,
    check_working,
)
from evenray.evidence.explain.places import Places
from evenray.evidence.explain.randomise import with_random_labels
from evenray.evidence.explain.removal import SHARES
from evenray.evidence.explain.room import parts_of
from evenray.evidence.explain.window import Window
from evenray.learning import networks
from evenray.learning.tasks import task_of
from evenray.learning.tasks.task import Notable
from evenray.learning.train import Part, Views
from evenray.metrics.measuring import Cut

from .answered import Answered, evidence, sought
from .overlays import image_of, picture, png
from .preparing import part_of
from .tools import Tools
from .windows import Windows

__all__ = ["Explained", "noted_marks"]

DEALS = 2  # of the labels that mean nothing
MARKED = 8  # cases of masks or boxes in the gallery
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """What attribution is made of: a network, the prepared pixels of all cases, and what was said of those of a `part`."""

    dataset: Dataset
    store: Store
    model: networks.Classifier
    predictions: Predictions
    part: str
    cuts: Cut
    settings: ExplainSettings
    tools: Tools

    @property
    def method(self) -> str:
        return self.settings.attribution or "gradcam"

    def gallery(self, noted: Sequence[Notable]) -> Gallery[Attributions]:
        """Maps of the noted cases, and the checks on cases of their own."""
        with self.tools.events.task("task.explain", 2) as tick:
            entries, pictures = self.entries(noted)
            tick(1)
            checks, cascade, curves = self._checks()
            tick(1)
        index = Attributions(
            method=self.method, layer=layer_of(self.model, self.method), explains=subject(self.model),
            checks=tuple(checks), cascade=cascade, shares=SHARES, curves=curves, entries=entries,
        )  # fmt: skip
        return Gallery(index, pictures)

    def entries(
        self, noted: Sequence[Notable], *, missed: bool = False
    ) -> tuple[tuple[Attribution, ...], dict[str, bytes]]:
        """Cases with their maps, and the PNG files of both by name; of what was `missed`, where it is."""
        entries, pictures = list[Attribution](), dict[str, bytes]()
        if not noted:
            return (), {}
        seen = self.seen([(self.place_of[item.case], item.output) for item in noted], missed=missed)
        maps_NHW = attribute(self.model, self.inputs(seen), [item.output for item in noted], self.method)
        for number, (item, (row, window), own) in enumerate(zip(noted, seen, maps_NHW, strict=True)):
            place = self.windows.place(row)
            down, across = window.bounds(place)
            shown = picture(_cut(image_of(self.dataset, row), down, across))
            heat = cv2.resize(window.in_image(own, place), shown.shape[1::-1], interpolation=cv2.INTER_AREA)
            name = f"{number:02d}"
            pictures[f"{name}.png"] = png(shown)
            pictures[f"{name}_map.png"] = png((heat.clip(0, 1) * 255).astype(np.uint8))
            entries.append(
                Attribution(
                    case=item.case, part=self.part, finding=item.finding, label=item.label, predicted=item.called,
                    probability=item.probability, kind="mistake" if item.mistake else "hit", image=f"{name}.png",
                    map=f"{name}_map.png",
                    window=None if window.side == self.windows.side else (across.start, down.start, across.stop, down.stop),
                )
            )  # fmt: skip
        return tuple(entries), pictures

    def _checks(self) -> tuple[list[Check], dict[str, float], dict[str, tuple[float, ...]]]:
        """On the cases with most of what is looked for; where attribution lies, on as many of the other of two classes as well."""
        evidence_NK = evidence(self.predictions)
        classes = range(evidence_NK.shape[1])
        wanted = sought(self.predictions)
        others = [k for k in classes if k not in wanted]
        pairs, also = (chosen(evidence_NK, each, self.settings.explained) for each in (wanted, others))
        if not pairs:
            return [], {}, {}
        seen = self.seen(pairs)
        sample = self._sample(pairs, seen)
        checks = check_working(self.model, sample)
        unlearnt, cascade = check_unlearnt(self.model, sample, self._relearnt(), self.settings.seed)
        hangs, curves = check_removal(self.model, sample, self.settings.seed)
        checks += [*unlearnt, *hangs, *self._against_regions(sample, pairs, seen)]
        with_others = [*seen, *self.seen(also)]
        both = self._sample([*pairs, *also], with_others) if also else sample
        places = [self._places(row, window) for row, window in with_others]
        cover = self.predictions.task in OF_IMAGES
        return [*checks, *check_places(self.model, both, places, cover=cover)], cascade, curves

    def _against_regions(
        self, sample: Sample, pairs: Sequence[tuple[int, int]], seen: Sequence[tuple[int, Window]]
    ) -> list[Check]:
        """The pointing game on the cases in which the class was found where it is: of a miss nothing can be pointed at. Where the
        window has nothing of the region the map points elsewhere."""
        regions = regions_of(self.dataset, self.settings.regions)
        found = Answered.of(self.predictions, self.cuts).found
        own, maps = list[NDArray[np.bool_] | None](), list[NDArray[np.float32]]()
        for (i, k), (row, window), one in zip(pairs, seen, sample.maps, strict=True):
            place = self.windows.place(row)
            region = regions.of(row, k) if found[i, k] else None
            own.append(None if region is None else region[window.bounds(place)].copy())
            maps.append(window.in_image(one, place))
        return check_regions(sample, own, maps)

    def _places(self, row: int, window: Window) -> Places:
        """The parts of what the network sees."""
        return Places.of(image_of(self.dataset, row), self.windows.side).within(window, self.windows.seen)

    def _relearnt(self) -> list[networks.Classifier]:
        task = task_of(self.dataset.facts.task)
        part: Part = part_of(self.dataset, self.store, "train")[1]
        plain = task.remedy("none", part.targets, self.dataset.classes, self.dataset.positive)
        loss, seed = task.loss(plain.balance, lambda own: own), self.settings.seed
        views = None if self.windows.whole else Views(self.windows.seen, foreground=plain.balance.foreground)
        return [with_random_labels(self.model, part, loss, seed, (1, -1)[deal % 2], views) for deal in range(DEALS)]

    def _sample(self, pairs: Sequence[tuple[int, int]], seen: Sequence[tuple[int, Window]]) -> Sample:
        rows = [row for row, _ in seen]
        x_NCHW = self.inputs(seen)
        targets_N = torch.tensor([k for _, k in pairs], device=x_NCHW.device)
        maps_NHW = attribute(self.model, x_NCHW, targets_N, self.method)
        cases = self.dataset.cases[rows]
        patients = cases.select(pl.coalesce("patient", "case")).to_series().to_list()
        shapes = [self.windows.place(row).shape for row in rows]
        return Sample(x_NCHW, targets_N, patients, maps_NHW, self.method, shapes)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each case in the data set."""
        return {case: row for row, case in enumerate(self.dataset.cases["case"].to_list())}

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The row of each case in the predictions."""
        return {case: i for i, case in enumerate(self.predictions.table["case"].to_list())}

    @cached_property
    def windows(self) -> Windows:
        side = int(self.store[np.zeros(1, np.int64)].shape[1])
        masks = self.tools.folder / "masks"
        return Windows(self.dataset, self.predictions, self.cuts, masks, side, self.model.size, self.settings.seed)

    def seen(self, pairs: Sequence[tuple[int, int]], *, missed: bool = False) -> list[tuple[int, Window]]:
        """Of (case in the predictions, class) the row in the data set, and what the network sees of it."""
        rows = [self.row_of[self.predictions.table["case"][i]] for i, _ in pairs]
        return [(row, self.windows.of(i, row, k, missed=missed)) for row, (i, k) in zip(rows, pairs, strict=True)]

    def inputs(self, seen: Sequence[tuple[int, Window]]) -> torch.Tensor:
        """What the network sees, as x_NCHW float32 in 0 to 1."""
        part = Part(self.store, np.array([row for row, _ in seen]), np.zeros(len(seen), np.int64))
        found = []
        for n, (_, window) in enumerate(seen):  # one at a time, for images may be much larger than windows
            found.append(window.of(part.inputs(np.array([n]), self.model.mean.device), self.windows.seen))
        return torch.cat(found)


def _cut(image: Image, down: slice, across: slice) -> Image:
    valid = None if image.valid is None else image.valid[down, across]
    return image.with_pixels(image.pixels[down, across], valid=valid)


def chosen(evidence_NK: Floats, outputs: Sequence[int], most: int) -> list[tuple[int, int]]:
    """At most so many (row, output), of each output in turn the row with most evidence for it, while there is any.

    >>> chosen(np.array([[0.1, 0.9], [0.8, 0.0], [0.2, 0.3]]), [0, 1], 4)
    [(1, 0), (0, 1), (2, 0), (2, 1)]
    """
    orders = {k: np.argsort(-evidence_NK[:, k], kind="stable").tolist() for k in outputs}
    found = [(i, k) for depth in range(len(evidence_NK)) for k in outputs if evidence_NK[i := orders[k][depth], k] > 0]
    return found[:most]


def noted_marks(explained: Explained, kinds: Sequence[tuple[str, str]]) -> list[Notable]:
    """Cases of masks or boxes for the gallery, out of (why, case): of each the class that was called, of several that of which most
    was, or where nothing was called ("") one that is there."""
    answered = Answered.of(explained.predictions, explained.cuts)
    place = explained.place_of
    some = [one for one in kinds if one[0] != "typical"][: MARKED // 2] + [one for one in kinds if one[0] == "typical"]
    some = some[:MARKED]
    if not some:
        return []
    outputs = [answered.shown(place[case]) for _, case in some]
    x_NCHW = explained.inputs(explained.seen([(place[case], k) for (_, case), k in zip(some, outputs, strict=True)]))
    targets, model, p_N = torch.tensor(outputs, device=x_NCHW.device), explained.model.eval(), list[float]()
    for part in parts_of(x_NCHW):
        with torch.no_grad():
            p_N += chances(model, model(x_NCHW[part]), targets[part]).tolist()
    names, noted = explained.dataset.classes, list[Notable]()
    for (why, case), k, p in zip(some, outputs, p_N, strict=True):
        has, called = answered.has[place[case]], answered.called[place[case]]
        label = ", ".join(name for name, there in zip(names, has, strict=True) if there) or "–"
        noted.append(Notable(case, k, "", label, names[k] if called[k] else "", p, why != "typical"))
    return noted
