"""A request's files through a model: the same functions as `evenray predict`, on what all requests share."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.events import Cancelled
from evenray.core.lost import Lost
from evenray.core.names import printable
from evenray.core.texts import Texts
from evenray.learning.predict.files import Answers, Item, predict

from .decoding import Decoders
from .forms import Answer, Box, Predicted, Rejected
from .metrics import IMAGES
from .models import Loaded
from .problems import Problem
from .reading import held
from .uploads import ARCHIVE

__all__ = ["IMAGES_AT_ONCE", "answer", "listed"]

IMAGES_AT_ONCE = 1024  # in one request, frames of files and images of archives counted
Prevalence = float | Mapping[str, float] | None


def answer(
    loaded: Loaded, paths: Sequence[Path], decoders: Decoders, say: Texts, prevalence: Prevalence, given_up: threading.Event
) -> Predicted:  # fmt: skip
    """The answers of a model for files, in the order sent, in the language of `say`. `given_up` ends the work between two images
    (Cancelled).

    Problem 422 where none can be read, 413 for too many images; UsageError for a prevalence that the model does not take.
    """

    def tick(files: int) -> None:
        if given_up.is_set():
            raise Cancelled

    decoders = decoders.until(given_up)
    items = listed(paths, decoders, every=loaded.model.about.task == "segment")
    found = predict(loaded.model, items, prevalence=prevalence, map=decoders.map, tick=tick)
    IMAGES.labels(loaded.name, "answered").inc(found.table.height)
    IMAGES.labels(loaded.name, "rejected").inc(found.rejected.height)
    IMAGES.labels(loaded.name, "out_of_distribution").inc(found.flagged)
    if not found.table.height:
        raise Problem(422, "serve.unreadable", reason=printable(found.rejected["reason"][0]))
    rejected = [
        Rejected(file=int(file), reason=say.reason(printable(reason))) for file, reason in found.rejected.iter_rows()
    ]
    told = found.as_json() | {"answers": [_said(one, say) for one in _answers(found)], "rejected": rejected}
    return Predicted(notice=say("serve.notice"), model=loaded.name, since=loaded.since, **told)


def listed(paths: Sequence[Path], decoders: Decoders, *, every: bool) -> list[Item]:
    """The files by their numbers. Those that may hold many images are first opened in a process that may die of them, so that
    nothing that kills a reader is opened in this one."""
    many = [path for path in paths if every or path.suffix == ARCHIVE]
    found = dict(zip(many, decoders.map(held, many), strict=True))
    images = sum(count if isinstance(count, int) else 0 for count in found.values()) + len(paths) - len(many)
    if images > IMAGES_AT_ONCE:
        raise Problem(413, "serve.too_many_images", count=images, most=IMAGES_AT_ONCE)
    return [Item(str(number), path, _lost(found.get(path))) for number, path in enumerate(paths, 1)]


def _lost(found: int | str | Lost | None) -> str:
    return found.reason if isinstance(found, Lost) else found if isinstance(found, str) else ""


def _answers(found: Answers) -> list[Answer]:
    rows = found.table.drop("mask", strict=False).to_dicts()
    if found.boxes is not None:
        boxes = found.boxes.boxes.rows_by_key("name", named=True)
        return [_row(row, boxes=[_box(box, found) for box in boxes.get(_name(row), [])]) for row in rows]
    if found.masks:
        return [_row(row, mask_png=_png(found.masks[row["file"], row["fragment"]])) for row in rows]
    return [_row(row) for row in rows]


def _row(row: dict[str, Any], **more: Any) -> Answer:
    """A row of the table, whose columns of classes all have a prefix of their own."""
    return Answer.model_validate({**row, **more, "file": int(row["file"])})


def _said(answer: Answer, say: Texts) -> Answer:
    """An answer that says in the language of its reader why an image is unlike the training images."""
    if not answer.why:
        return answer
    return answer.model_copy(update={"why": "; ".join(map(say.reason, answer.why.split("; ")))})


def _name(row: dict[str, Any]) -> str:
    return str(row["file"]) + (f"#{row['fragment']}" if row["fragment"] else "")


def _box(box: dict[str, Any], found: Answers) -> Box:
    return Box(
        name=found.about.classes[box["class"]], **{name: box[name] for name in ("x0", "y0", "x1", "y1", "score")}
    )


def _png(mask: NDArray[np.uint8]) -> str:
    return base64.b64encode(cv2.imencode(".png", mask)[1].tobytes()).decode()
