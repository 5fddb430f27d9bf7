"""The stage explain: what the contrast did to some images, and where the network looked in its test cases."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError
from evenray.core.sketches import blocks
from evenray.core.types import Image
from evenray.data.store import fit
from evenray.evidence.explain import attribute, sanity
from evenray.images import contrast as light
from evenray.images.histogram import Histogram
from evenray.images.readers import read

from .context import Context
from .train import model_of, stores_of

__all__ = ["explain_run"]

MISTAKES, HITS, CHECKED, PREVIEWS, SIDE = 12, 4, 6, 3, 512


def explain_run(context: Context) -> list[str]:
    return [*_attributions(context), *_previews(context)]


def _attributions(context: Context) -> list[str]:
    """The most confident mistakes of the test part and a few hits, each with its attribution map."""
    folder = _emptied(context.folder / "attributions")
    choice = context.folder.read_json("choice.json")
    dataset = context.dataset
    store = stores_of(context, dataset, [choice["contrast"]], context.plan.size)[choice["contrast"]]
    row_of = {case: row for row, case in enumerate(dataset.cases["case"])}
    model = model_of(context)
    picked = _picked(context)
    entries: list[dict[str, Any]] = []
    shown = []
    with context.progress.task("explaining", len(picked)) as tick:
        for number, item in enumerate(picked):
            pixels = store[np.array([row_of[item["case"]]])][0]
            unit = torch.from_numpy(pixels.astype(np.float32) / store.scale)
            x_NCHW = (unit[None, None] if unit.ndim == 2 else unit.permute(2, 0, 1)[None]).to(context.fabric.device)
            shown.append(x_NCHW)
            heat_HW = attribute(model, x_NCHW, item.pop("called"))[0]
            name = f"{number:02d}"
            _write(folder / f"{name}.png", (unit.numpy() * 255).astype(np.uint8))
            _write(folder / f"{name}_map.png", (heat_HW * 255).astype(np.uint8))
            entries.append(item | {"image": f"{name}.png", "map": f"{name}_map.png"})
            tick(1)
    target = dataset.classes.index(dataset.positive)
    checks = sanity(model, torch.cat(shown[:CHECKED]), target, seed=context.recipe.seed)
    about = {"method": "gradcam", "layer": model.attribution_layer, "checks": [check.to_dict() for check in checks]}
    context.folder.write_json("attributions/sanity.json", about)
    context.folder.write_json("attributions/index.json", entries)
    return ["attributions/index.json", "attributions/sanity.json"]


def _picked(context: Context) -> list[dict[str, Any]]:
    table = context.folder.read_table("predictions.parquet").filter(pl.col("part") == "test")
    scores = context.folder.read_json("scores.json")
    classes, threshold = scores["classes"], scores["threshold"]
    p = table.select([f"p_{k}" for k in range(len(classes))]).to_numpy()
    called = p.argmax(1)
    margin = p.max(1)
    if threshold is not None:
        positive = classes.index(scores["positive"])
        called = np.where(p[:, positive] >= threshold, positive, 1 - positive)
        margin = np.abs(p[:, positive] - threshold)
    wrong = called != table["target"].to_numpy()
    order = np.argsort(-margin, kind="stable")
    chosen = [i for i in order if wrong[i]][:MISTAKES] + [
        i for i in order if not wrong[i] and _of_interest(called[i], scores)
    ][:HITS]
    rows = table.to_dicts()
    return [
        {"case": rows[i]["case"], "part": "test", "label": rows[i]["label"], "predicted": classes[called[i]],
         "probability": float(p[i, called[i]]), "kind": "mistake" if wrong[i] else "hit", "called": int(called[i])}
        for i in chosen
    ]  # fmt: skip


def _of_interest(called: int, scores: dict[str, Any]) -> bool:
    return len(scores["classes"]) > 2 or scores["classes"][called] == scores["positive"]


def _previews(context: Context) -> list[str]:
    """Some training images before and after: the chosen contrast, or where that is none, the others that were compared."""
    folder = _emptied(context.folder / "contrast")
    chosen = context.folder.read_json("choice.json")["contrast"]
    specs = [chosen] if chosen != "none" else [c for c in context.recipe.contrasts if c != "none"] or ["none"]
    train = context.dataset.part("train")
    cases, order = train.cases, np.arange(len(train))
    if train.has_sketch("histogram"):  # from dark to bright
        counts = [train.sketch("histogram", rows) for rows in blocks(len(train))]
        brightness = [part @ np.arange(256) / np.maximum(part.sum(axis=1), 1) for part in counts]
        order = np.argsort(np.concatenate(brightness))
    rows = [int(order[int(q * (len(order) - 1))]) for q in np.linspace(0.02, 0.98, PREVIEWS)]
    entries: list[dict[str, Any]] = []
    value_range = tuple(found) if (found := context.dataset.facts.get("value_range")) else None
    for row in rows:
        about = cases.row(row, named=True)
        image = read(Path(context.dataset.root) / about["file"], fragment=about["fragment"], value_range=value_range)
        for spec in specs:
            name = f"{len(entries):02d}"
            after = light.enhance(image, spec)
            _write(folder / f"{name}_before.png", _picture(image))
            _write(folder / f"{name}_after.png", _picture(after))
            entries.append({
                "case": about["case"], "contrast": spec, "before": f"{name}_before.png", "after": f"{name}_after.png",
                "value_range": list(image.value_range), "histogram_before": _bars(image), "histogram_after": _bars(after),
                "curve": _curve(image, spec),
            })  # fmt: skip
    context.folder.write_json("contrast/index.json", entries)
    return ["contrast/index.json"]


def _bars(image: Image) -> list[int]:
    counts: list[int] = Histogram.of(image).rebin(256).counts.tolist()
    return counts


def _curve(image: Image, spec: str) -> list[float] | None:
    try:
        values = light.curve(spec, Histogram.of(image)).values
    except UsageError:  # a local method has a curve a tile
        return None
    found: list[float] = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(values)), values).tolist()
    return found


def _picture(image: Image) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = fit(image, min(SIDE, max(image.shape)), image.channels, 255)
    return pixels


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    ordered = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    with atomic(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", ordered)[1].tobytes())


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
