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

from evenray.core.artefacts.explained import Attribution, Attributions, Check, Gallery
from evenray.core.recipe import ExplainSettings
from evenray.core.types import Dataset, Predictions
from evenray.data.letterbox import Placement
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
from evenray.learning import networks
from evenray.learning.tasks import task_of
from evenray.learning.tasks.task import Notable
from evenray.learning.train import Part
from evenray.metrics.measuring import Cut

from .answered import Answered, evidence, sought
from .overlays import image_of, picture, png
from .preparing import part_of
from .tools import Tools

__all__ = ["Explained", "in_image", "noted_marks"]

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

    def entries(self, noted: Sequence[Notable]) -> tuple[tuple[Attribution, ...], dict[str, bytes]]:
        """Cases with their maps, and the PNG files of both by name."""
        entries, pictures = list[Attribution](), dict[str, bytes]()
        if not noted:
            return (), {}
        rows = [self.row_of[item.case] for item in noted]
        x_NCHW = self.inputs(rows)
        maps_NHW = attribute(self.model, x_NCHW, [item.output for item in noted], self.method)
        for number, (item, row, own) in enumerate(zip(noted, rows, maps_NHW, strict=True)):
            shown = picture(image_of(self.dataset, row))
            heat = cv2.resize(in_image(own, self._shape(row)), shown.shape[1::-1], interpolation=cv2.INTER_AREA)
            name = f"{number:02d}"
            pictures[f"{name}.png"] = png(shown)
            pictures[f"{name}_map.png"] = png((heat.clip(0, 1) * 255).astype(np.uint8))
            entries.append(
                Attribution(
                    case=item.case, part=self.part, finding=item.finding, label=item.label, predicted=item.called,
                    probability=item.probability, kind="mistake" if item.mistake else "hit", image=f"{name}.png",
                    map=f"{name}_map.png",
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
        sample, places = self._sample(pairs), None
        checks = check_working(self.model, sample)
        unlearnt, cascade = check_unlearnt(self.model, sample, self._relearnt(), self.settings.seed)
        hangs, curves = check_removal(self.model, sample, self.settings.seed)
        checks += [*unlearnt, *hangs, *self._against_regions(sample, pairs)]
        both = self._sample([*pairs, *also]) if also else sample
        places = [Places.of(image_of(self.dataset, self._row(i)), both.images.shape[-1]) for i, _ in [*pairs, *also]]
        cover = self.predictions.task in ("classify", "tag")
        return [*checks, *check_places(self.model, both, places, cover=cover)], cascade, curves

    def _against_regions(self, sample: Sample, pairs: Sequence[tuple[int, int]]) -> list[Check]:
        """The pointing game on the cases in which the class was found where it is: of a miss nothing can be pointed at."""
        regions = regions_of(self.dataset, self.settings.regions)
        found = Answered.of(self.predictions, self.cuts).found
        own = [regions.of(self._row(i), k) if found[i, k] else None for i, k in pairs]
        maps = [in_image(one, shape) for one, shape in zip(sample.maps, sample.shapes, strict=True)]
        return check_regions(sample, own, maps)

    def _relearnt(self) -> list[networks.Classifier]:
        task = task_of(self.dataset.facts.task)
        part: Part = part_of(self.dataset, self.store, "train")[1]
        plain = task.remedy("none", part.targets, self.dataset.classes, self.dataset.positive)
        loss = task.loss(plain.balance, lambda own: own)
        seed = self.settings.seed
        return [with_random_labels(self.model, part, loss, seed, (1, -1)[deal % 2]) for deal in range(DEALS)]

    def _sample(self, pairs: Sequence[tuple[int, int]]) -> Sample:
        rows = [self._row(i) for i, _ in pairs]
        x_NCHW, targets_N = self.inputs(rows), torch.tensor([k for _, k in pairs], device=self.model.mean.device)
        maps_NHW = attribute(self.model, x_NCHW, targets_N, self.method)
        cases = self.dataset.cases[rows]
        patients = cases.select(pl.coalesce("patient", "case")).to_series().to_list()
        shapes = [self._shape(row) for row in rows]
        return Sample(x_NCHW, targets_N, patients, maps_NHW, self.method, shapes)

    def _row(self, place: int) -> int:
        return self.row_of[self.predictions.table["case"][place]]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each case in the data set."""
        return {case: row for row, case in enumerate(self.dataset.cases["case"].to_list())}

    def _shape(self, row: int) -> tuple[int, int]:
        rows, columns = self.dataset.cases.select("rows", "columns").row(row)
        return int(rows), int(columns)

    def inputs(self, rows: Sequence[int]) -> torch.Tensor:
        """Prepared images as x_NCHW float32 in 0 to 1."""
        part = Part(self.store, np.asarray(rows, np.int64), np.zeros(len(rows), np.int64))
        return part.inputs(np.arange(len(rows)), self.model.mean.device).contiguous()


def in_image(map_HW: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """A map over the square of a network in the pixels of the image of `shape`: the placement undone, nothing but resized."""
    return np.asarray(Placement.of(shape, map_HW.shape[0]).restore(map_HW), np.float32)


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
    place = {case: i for i, case in enumerate(explained.predictions.table["case"].to_list())}
    some = [one for one in kinds if one[0] != "typical"][: MARKED // 2] + [one for one in kinds if one[0] == "typical"]
    some = some[:MARKED]
    if not some:
        return []
    outputs = [answered.shown(place[case]) for _, case in some]
    x_NCHW = explained.inputs([explained.row_of[case] for _, case in some])
    targets, model, p_N = torch.tensor(outputs, device=x_NCHW.device), explained.model.eval(), list[float]()
    for part in parts_of(x_NCHW):
        p_N += chances(model, x_NCHW[part], targets[part]).tolist()
    names, noted = explained.dataset.classes, list[Notable]()
    for (why, case), k, p in zip(some, outputs, p_N, strict=True):
        has, called = answered.has[place[case]], answered.called[place[case]]
        label = ", ".join(name for name, there in zip(names, has, strict=True) if there) or "–"
        noted.append(Notable(case, k, "", label, names[k] if called[k] else "", p, why != "typical"))
    return noted
