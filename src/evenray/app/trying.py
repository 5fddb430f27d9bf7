"""New images through the network of a run; nothing of them is kept."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from evenray.core.texts import Texts
from evenray.learning.predict.about import About
from evenray.serve.answering import answer
from evenray.serve.forms import Answer, Predicted
from evenray.stages.overlays import picture, png

from .attributing import looked
from .decoding import Wanted
from .helpers import Helpers

__all__ = ["Heat", "Tried", "tried"]


class Heat(BaseModel):
    """Where the network looked for the class or finding `output`: bytes in base64, rows after rows over the whole image."""

    output: str
    rows: int
    columns: int
    content: str


class Tried(BaseModel):
    """The answer, and the first image as a PNG in base64 of `width` x `height`; `scale` is how much smaller it is than the file."""

    predicted: Predicted
    png: str
    width: int
    height: int
    scale: float
    heat: Heat | None
    operating_point: float | None


def tried(helpers: Helpers, folder: Path, paths: Sequence[Path], say: Texts) -> Tried:
    """What the network of a run says of a file. Problem 422 where it cannot be read."""
    loaded = helpers.model(folder)
    about = loaded.model.about
    said = answer(loaded, paths[:1], helpers.decoders, say, None, threading.Event())
    image = helpers.image(Wanted(paths[0], said.answers[0].fragment or None, about.value_range))
    shown = picture(image)
    heat = None
    if about.task in ("classify", "tag"):
        output = _output(about, said.answers[0])
        values = looked(folder, image, output)
        content = base64.b64encode(values.tobytes()).decode()
        heat = Heat(output=about.classes[output], rows=values.shape[0], columns=values.shape[1], content=content)
    point = said.threshold if isinstance(said.threshold, float) else None
    return Tried(
        predicted=said, png=base64.b64encode(png(shown)).decode(), width=shown.shape[1], height=shown.shape[0],
        scale=shown.shape[1] / image.shape[1], heat=heat, operating_point=point,
    )  # fmt: skip


def _output(about: About, said: Answer) -> int:
    """Which class the map is for: of two the positive one, else the one called; of findings the most probable."""
    if about.task == "classify" and len(about.classes) == 2:
        return about.classes.index(about.positive)
    told = said.model_dump()
    return max(range(len(about.classes)), key=lambda k: told[f"p_{about.classes[k]}"])
