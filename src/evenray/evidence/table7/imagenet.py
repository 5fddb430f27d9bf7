"""Given weights on ImageNet's validation images, by the VGG paper's protocols (sections 3.2, 4.1 to 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.artefacts import RunFolder, atomic, digest
from evenray.core.artefacts.lock import alone
from evenray.core.errors import DataError, ReadError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.spec import Step
from evenray.images.readers import read
from evenray.learning import networks
from evenray.learning.networks import Classifier
from evenray.learning.train import keep_malloc, machine
from evenray.learning.train.alone import Machine
from evenray.learning.tta import fuse, tta_logits
from evenray.metrics.intervals import wilson

from .classes import Listing, listing
from .published import DEFAULT, EVALUATIONS, GROUPS, published
from .table import markdown

__all__ = ["ImagenetErrors", "given_weights", "imagenet", "wanted"]

CHUNK = 100  # images whose ranks are written at a time
FAILED = -1


def wanted(views: str | None) -> dict[str, str]:
    """Name and test-time augmentation of the evaluations asked for: a name of GROUPS, a spec, or None for the usual ones.

    >>> wanted("single")
    {'single 256': 'dense(scales=[1.142857], flip=True)', 'single 384': 'dense(scales=[1.714286], flip=True)'}
    """
    if views is not None and views not in GROUPS:
        return {views: views}
    return {name: EVALUATIONS[name][1] for name in (DEFAULT if views is None else GROUPS[views])}


def given_weights(spec: str, weights: str, classes: int, size: int = 224) -> Classifier:
    """The network with all its weights from a file, its head included; of a VGG whose head is not named the classical one or the
    global average, whichever the file has.

    UsageError where the file's head does not fit the classes.
    """
    candidates = [spec]
    if spec in networks.networks and spec.startswith("vgg"):
        candidates.append(f"{spec}(head=average)")
    fresh: list[str] = []
    for candidate in candidates:
        model = networks.build(candidate, classes=classes, channels=3, size=size, pretrained=weights)
        source = model.description.pretrained
        fresh = [name for name in source.fresh if not name.startswith("aux")] if source else []
        if not fresh:
            return model.eval()
    raise UsageError(
        f"{weights} has no {fresh[0]} for {classes} classes, so the network would guess; give weights with their head, trained"
        f" on these {classes} classes."
    )


@dataclass(frozen=True)
class ImagenetErrors:
    """`table` has the errors of every evaluation, as `errors` gives them; `rejected` the files that could not be read."""

    network: str
    weights: str
    table: pl.DataFrame
    rejected: pl.DataFrame

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The titles and the rows of the printed table, the majority-class baseline last."""
        ks = [k for k in (1, 5) if f"top{k}" in self.table.columns]
        titles = ["Evaluation", "Images", *(f"Top-{k} error, %" for k in ks), "Published", "Where"]
        rows = []
        for row in self.table.iter_rows(named=True):
            found = [f"{row[f'top{k}']:.2f} ({row[f'top{k}_low']:.2f} to {row[f'top{k}_high']:.2f})" for k in ks]
            known = row["published_top1"] is not None
            published = f"{row['published_top1']:.1f} / {row['published_top5']:.1f}" if known else "-"
            rows.append([row["evaluation"], f"{row['images']:,}", *found, published, row["where"] or "-"])
        first = self.table.row(0, named=True)
        baseline = [f"{first[f'top{k}_baseline']:.2f}" for k in ks]
        return titles, [*rows, ["majority-class baseline", "", *baseline, "", ""]]

    def markdown(self) -> str:
        title = f"# {self.network} on ImageNet's validation images, weights {Path(self.weights).name}"
        note = f"95 % score intervals over images (Wilson 1927). {self.rejected.height} images could not be read."
        return f"{title}\n\n{markdown(*self.cells())}\n{note}\n"


def imagenet(
    images: str | Path,
    network: str,
    weights: str,
    folder: str | Path | None = None,
    *,
    tta: str | None = None,
    size: int = 224,
    batch: int = 16,
    device: str = "auto",
    listener: Listener | None = None,
) -> ImagenetErrors:
    """Evaluate given weights on ImageNet's validation images, and leave imagenet.csv, imagenet.md and rejected.csv.

    `folder` (by default the images' name with -imagenet) also keeps what is done, so that an interrupted evaluation goes on.
    `images` as in `listing`, `weights` as in `given_weights`, `tta` as in `wanted`.
    """
    keep_malloc()
    chosen, listed, fabric = wanted(tta), listing(Path(images)), machine(device)
    model = given_weights(network, weights, listed.classes, size).to(fabric.device)
    events, output = Events(listener), RunFolder(folder or f"{Path(images).resolve().name}-imagenet")
    with alone(output.path):
        job = Job(model, listed, chosen, output / "ranks", fabric, batch)
        with events.task("task.imagenet", len(listed.files)) as tick:
            ranks, rejected = evaluate(job, tick)
        if rejected.height:
            events.tell("imagenet.rejected", "warning", count=rejected.height, file=str(output / "rejected.csv"))
        found = ImagenetErrors(network, weights, errors(ranks, network, listed.classes), rejected)
        output.write_table("imagenet.csv", found.table)
        output.write_table("rejected.csv", rejected)
        with atomic(output / "imagenet.md") as path:
            path.write_text(found.markdown(), encoding="utf-8")
    return found


@dataclass(frozen=True)
class Job:
    """What to evaluate: `views` are the augmentations by name, `folder` keeps the ranks of the chunks that are done."""

    model: Classifier
    listing: Listing
    views: dict[str, str]
    folder: Path
    fabric: Machine
    batch: int = 16


def evaluate(job: Job, tick: Callable[[int], None] = lambda images: None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rank of the true class of every image under every augmentation (0: the most probable), and the files set aside.

    Chunks that stand in the folder are not done again.
    """
    state = {name: float(tensor.double().sum()) for name, tensor in job.model.state().items()}
    names = [str(file) for file in job.listing.files]
    key = digest(
        [state, job.model.description.model_dump(mode="json"), job.views, names, job.listing.targets.tolist()]
    )[:24]
    found = []
    for start in range(0, len(names), CHUNK):
        path = job.folder / key / f"{start:06d}.parquet"
        files = job.listing.files[start : start + CHUNK]
        if not path.exists():
            table = _chunk(job, files, job.listing.targets[start : start + CHUNK])
            with atomic(path) as temporary:
                table.write_parquet(temporary)
        found.append(pl.read_parquet(path))
        tick(len(files))
    every = pl.concat(found)
    good = every.filter(pl.col("reason") == "")
    if good.is_empty():
        raise DataError(f"None of the {len(names)} images could be read; the first: {every['reason'][0]}.")
    return good, every.filter(pl.col("reason") != "").select("file", "reason")


def _chunk(job: Job, files: Sequence[Path], targets: NDArray[np.int64]) -> pl.DataFrame:
    images: dict[int, Tensor] = {}
    reasons = [""] * len(files)
    for i, file in enumerate(files):
        try:
            images[i] = _tensor(file, job.model.channels)
        except ReadError as error:
            reasons[i] = error.reason
    ranks = {name: np.full(len(files), FAILED) for name in job.views}
    for alike in _alike(images, job.batch):
        x_NCHW = torch.stack([images[i] for i in alike]).to(job.fabric.device)
        for name, logits_NK in _log_softmaxes(job, x_NCHW).items():
            ranks[name][alike] = _ranks(logits_NK.cpu().numpy(), targets[alike])
    columns = {f"rank_{name}": values for name, values in ranks.items()}
    return pl.DataFrame({"file": [file.name for file in files], "target": targets, "reason": reasons, **columns})


def _alike(images: dict[int, Tensor], batch: int) -> Iterator[list[int]]:
    """Batches of images of one shape."""
    shapes: dict[tuple[int, ...], list[int]] = {}
    for i, image in images.items():
        shapes.setdefault(tuple(image.shape), []).append(i)
    for alike in shapes.values():
        yield from (alike[start : start + batch] for start in range(0, len(alike), batch))


def _log_softmaxes(job: Job, x_NCHW: Tensor) -> dict[str, Tensor]:
    """Log soft-maxes under every augmentation; `both` averages the soft-maxes of the two that it joins."""
    with torch.inference_mode(), job.fabric.autocast():
        found = {
            name: tta_logits(job.model, x_NCHW, view).float() for name, view in job.views.items() if name != "both"
        }
    if "both" in job.views:
        found["both"] = fuse([found["multicrop"], found["multi 256-512"]])
    return found


def _tensor(file: Path, channels: int) -> Tensor:
    """One image as the network takes it, (C, H, W) in unit levels."""
    image = read(file)
    low, high = image.value_range
    unit = torch.from_numpy((image.pixels.astype(np.float32) - low) / (high - low))
    x_CHW = unit[None] if unit.ndim == 2 else unit.permute(2, 0, 1)
    if channels == 3:
        return x_CHW.expand(3, -1, -1).contiguous()
    return x_CHW.mean(0, keepdim=True)


def _ranks(scores_NK: NDArray[np.float32], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many classes are more probable than the true one; of equal ones the earlier counts as more probable."""
    own = np.take_along_axis(scores_NK, targets[:, None], 1)
    earlier = np.arange(scores_NK.shape[1]) < targets[:, None]
    found: NDArray[np.int64] = ((scores_NK > own) | ((scores_NK == own) & earlier)).sum(1)
    return found


def errors(ranks: pl.DataFrame, network: str, classes: int) -> pl.DataFrame:
    """Top-1 and, with more than five classes, top-5 error in per cent with their intervals, and what was published."""
    rows = []
    for name in (column.removeprefix("rank_") for column in ranks.columns if column.startswith("rank_")):
        found = ranks[f"rank_{name}"].to_numpy()
        row: dict[str, object] = {"evaluation": EVALUATIONS.get(name, (name,))[0], "images": len(found)}
        for k in (1, 5) if classes > 5 else (1,):
            wrong = int((found >= k).sum())
            low, high = wilson([wrong], [len(found)])
            row |= {f"top{k}": 100 * wrong / len(found), f"top{k}_low": 100 * low[0], f"top{k}_high": 100 * high[0]}
            row[f"top{k}_baseline"] = 100 * _baseline(ranks["target"].to_numpy(), k)
        known = published(Step.of(network).name, name)
        row |= dict(zip(("published_top1", "published_top5", "where"), known or (None, None, None), strict=True))
        rows.append(row)
    return pl.DataFrame(
        rows, schema_overrides={"published_top1": pl.Float64, "published_top5": pl.Float64, "where": pl.String}
    )


def _baseline(targets: NDArray[np.int64], k: int) -> float:
    """The error of naming the k most frequent classes every time."""
    counts = np.sort(np.bincount(targets))[::-1]
    return float(1 - counts[:k].sum() / counts.sum())
