"""What goes back into a study: a report, of each image an overlay of where the network looked, and of masks segmentations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from evenray.core.artefacts import file_digest
from evenray.core.lost import Lost
from evenray.core.recipe import ExplainSettings
from evenray.core.spec import Step
from evenray.images.readers.dicom_parse import quiet
from evenray.images.writers.dicom_sc import write_secondary_capture
from evenray.images.writers.dicom_seg import write_seg
from evenray.images.writers.dicom_sr import Algorithm, Group, Segment, write_report
from evenray.learning import networks
from evenray.learning.predict.answers import Answers
from evenray.learning.predict.decoding import Item, Opened, Task
from evenray.learning.tasks import fitted
from evenray.learning.train import machine
from evenray.stages.file_overlays import Looked, called

from ..models import Loaded

__all__ = ["Results", "Sources"]

BOXES = 100  # of one image in a report; how many there are stands beside
SIDE = 1024  # pixels of an overlay's longer side: a capture is stored uncompressed
CAPTION = "evenray: research use only, not for diagnosis"


@dataclass(frozen=True)
class Sources:
    """The images of a study as files, by the names that their answers carry."""

    paths: Mapping[str, Path]

    def header(self, name: str) -> Dataset:
        with quiet():
            return pydicom.dcmread(self.paths[name], stop_before_pixels=True, force=True)


class Results:
    """The files of results of one model. There are overlays of run folders and model.safetensors only, as other engines have no
    gradients."""

    def __init__(self, loaded: Loaded, device: str = "auto") -> None:
        self.loaded, about, source = loaded, loaded.model.about, loaded.source
        file = source / "model.safetensors" if source.is_dir() else source
        self.weights = about.weights or file_digest(file)
        self.algorithm = Algorithm(
            about.network.named, self.weights,
            (f"contrast {about.contrast}", f"engine {loaded.model.engine}, {loaded.model.precision}"),
        )  # fmt: skip
        network = networks.load(file) if file.suffix == ".safetensors" else None
        self.method = fitted(ExplainSettings(), about.task).attribution or ""
        self.network = None if network is None else network.to(machine(device).device).eval()

    def tasks(self, found: Answers, sources: Sources) -> list[Task]:
        """The images whose overlays are drawn: of a file with many frames those that were answered."""
        if self.network is None:
            return []
        return [Task(Item(name, sources.paths[name]), fragment, True) for name, fragment in _names(found)]

    def pictures(
        self,
        tasks: Sequence[Task],
        decoded: Iterator[Opened | str | Lost],
        found: Answers,
        sources: Sources,
        folder: Path,
    ) -> Iterator[Path]:
        """Secondary captures, one file at a time."""
        rows = found.table.partition_by("file", "fragment", as_dict=True)
        assert self.network is not None or not tasks
        for number, (task, one) in enumerate(zip(tasks, decoded, strict=True), 1):
            if self.network is None or isinstance(one, str | Lost):
                continue
            about, row = found.about, rows[task.item.file, task.fragment or ""]
            looked = Looked(one, about, self.network, _marks(found, task.item.file, task.fragment or ""))
            classes = called(row, about) or [looked.nearest(row)[0]]
            for k, drawn in zip(classes, looked.overlays(classes, self.method, SIDE), strict=True):
                path = folder / f"overlay-{number}-{k}.dcm"
                title = f"evenray {Step.of(self.method).name}: {about.classes[k]}"
                # One of a kind, whichever class is called on another machine.
                slot = "" if about.task == "classify" else str(k)
                identity = (self.weights, f"{task.fragment} {slot}")
                write_secondary_capture(sources.paths[task.item.file], path, captioned(drawn), title, number, identity)
                yield path

    def segmentations(self, found: Answers, sources: Sources, folder: Path) -> dict[str, tuple[Path, str, str]]:
        """Of each file with masks the segmentation, with the UIDs of its series and instance."""
        done = {}
        for name in dict.fromkeys(name for name, _ in found.masks):
            masks = {fragment: mask for (own, fragment), mask in found.masks.items() if own == name}
            path = folder / f"mask-{name}.dcm"
            with quiet():
                done[name] = (path, *write_seg(sources.paths[name], path, masks, found.about.classes, self.weights))
        return done

    def report(
        self, found: Answers, sources: Sources, segments: Mapping[str, tuple[Path, str, str]], path: Path
    ) -> None:
        """The report of all images of the study."""
        groups = [group for row in found.table.to_dicts() for group in _groups(row, found, sources, segments)]
        with quiet():
            write_report(path, groups, self.algorithm)


def captioned(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with a line at its foot that says what it is not for, also where nobody sees its header."""
    height = max(16, drawn.shape[1] // 24)
    strip = np.zeros((height, drawn.shape[1], 3), np.uint8)
    (width, _), _ = cv2.getTextSize(CAPTION, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    size = min(0.9 * drawn.shape[1] / width, height / 40)
    cv2.putText(strip, CAPTION, (4, int(height * 0.7)), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([drawn, strip])


def _names(found: Answers) -> list[tuple[str, str]]:
    return list(found.table.select("file", "fragment").iter_rows())


def _groups(
    row: dict[str, Any], found: Answers, sources: Sources, segments: Mapping[str, tuple[Path, str, str]]
) -> Iterator[Group]:
    """The measurement groups of one image."""
    about, name, fragment = found.about, row["file"], row["fragment"]
    frame = int(fragment.rpartition("=")[2]) + 1 if fragment else None
    common: dict[str, Any] = {"image": sources.header(name), "frame": frame, "unlike": row["out_of_distribution"]}
    if about.task == "classify":
        every = {each: row[f"p_{each}"] for each in about.classes}
        yield Group(
            **common, finding=row["decision"], probabilities=every, threshold=row["threshold"], decision=row["decision"]
        )
        return
    least = [point.threshold for point in about.points]
    for k, each in enumerate(about.classes):
        own = common | {"finding": each, "threshold": least[k]}
        if about.task == "tag":
            yield Group(**own, probabilities={each: row[f"p_{each}"]}, decision=row[f"decision_{each}"] == "present")
        elif about.task == "segment":
            _, series, instance = segments[name]
            frames = [part for own_name, part in found.masks if own_name == name]
            place = Segment(series, instance, k * len(frames) + frames.index(fragment) + 1, k + 1)
            drawn = row[f"pixels_{each}"] > 0
            yield Group(
                **own,
                decision=drawn,
                segment=place if drawn else None,
                pixels=row[f"pixels_{each}"],
                mm2=row[f"mm2_{each}"],
            )
        else:
            count, highest = row[f"boxes_{each}"], row[f"highest_{each}"]
            yield Group(**own, probabilities={each: highest} if count else {}, decision=count > 0, boxes=count)
    if about.task == "detect":
        for k, box, p in _boxes(found, name, fragment):
            each = about.classes[k]
            yield Group(common["image"], frame, finding=each, probabilities={each: p}, box=box)


def _marks(found: Answers, name: str, fragment: str) -> NDArray[Any] | None:
    """What was marked in an image, as `predict.files.answer` has it."""
    if found.boxes is None:
        return found.masks.get((name, fragment))
    own = found.boxes.boxes.filter(pl.col("name") == name + (f"#{fragment}" if fragment else ""))
    return own.drop("name").cast(pl.Float64).to_numpy()


def _boxes(found: Answers, name: str, fragment: str) -> Iterator[tuple[int, tuple[float, float, float, float], float]]:
    """The surest boxes of an image: the class, left, top, right, bottom, and the probability."""
    assert found.boxes is not None
    own = found.boxes.boxes.filter(pl.col("name") == name + (f"#{fragment}" if fragment else ""))
    for box in own.sort("score", descending=True).head(BOXES).iter_rows(named=True):
        yield box["class"], (box["x0"], box["y0"], box["x1"], box["y1"]), box["score"]
