"""Features of a frozen trunk: computed once for each contrast and view, kept beside the pixels, and heads trained on them.

Where the trunk does not learn, an image always becomes the same numbers. So each image passes through the trunk once
(twice where mirrored images are allowed: a second view), and every remedy, fold, seed and epoch reads what was kept. There is
no other augmentation: every augmented copy would be one more pass.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.artefacts import atomic, digest
from evenray.core.errors import TrainingError, UsageError
from evenray.data.store import SHARD, Mapped, Store

from .balance import Balance
from .networks import Classifier, features
from .train import Settings
from .train.alone import Alone, Machine
from .train.judge import ranked
from .train.loop import WEIGHT_DECAY, as_good_as_any, criterion_of, first_to_keep, one_cycle, stale
from .train.optimizer import AdamW
from .train.order import epoch_batches, seed_of

__all__ = ["FeaturePart", "compute", "fit_head", "head_logits", "views_of"]

VERSION = 1
BATCH = 16
LARGEST = 65504.0  # of float16
IN_MEMORY = 1 << 30  # bytes of features that are held rather than read batch by batch


@dataclass(frozen=True)
class FeaturePart:
    """Rows of feature stores, one store a view (the first is the image as it is), with their classes, int64 (n,)."""

    views: tuple[Store, ...]
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: NDArray[np.int64], view: int = 0) -> Tensor:
        """float32 (n, D), or (n, C, H, W) where the images are larger than the head was made for."""
        return torch.from_numpy(self.views[view][self.rows[which]].astype(np.float32))


def views_of(flips: bool) -> tuple[str, ...]:
    """The views that a head is trained on.

    >>> views_of(flips=True)
    ('plain', 'mirrored')
    """
    return ("plain", "mirrored") if flips else ("plain",)


def compute(
    model: Classifier, store: Store, rows: NDArray[np.int64], views: Sequence[str], folder: Path, fabric: Alone,
    tick: Callable[[int], None] = lambda n: None,
) -> tuple[Store, ...]:  # fmt: skip
    """The features of `rows` of a pixel store under each view, float16, in the order of `rows`; what stands is not made again.

    Kept in `folder` under the digest of the pixels, of the trunk's weights and of the view, in shards written whole or
    not at all: a killed pass goes on with the shard it was at. `tick` is called with the images that each shard holds.
    """
    found = []
    for view in views:
        place = folder / _key(model, store, rows, view, fabric)
        paths = [place / f"{start // SHARD:06d}.npy" for start in range(0, len(rows), SHARD)]
        model = model.to(fabric.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        for path, start in zip(paths, range(0, len(rows), SHARD), strict=True):
            part = rows[start : start + SHARD]
            if not path.exists():
                made = _pass(model, store, part, view, fabric)
                with atomic(path) as temporary, temporary.open("wb") as out:
                    np.save(out, made)
            tick(len(part))
        found.append(Store(Mapped(paths), 1, place.name))
    return tuple(found)


def _key(model: Classifier, store: Store, rows: NDArray[np.int64], view: str, fabric: Alone) -> str:
    """What the features depend on; the head and the number of classes do not matter to them."""
    about = model.describe()
    kept = {name: about[name] for name in ("spec", "channels", "size", "mean", "std")}
    trunk = about["weights"]["sha256"] if about["weights"] else about["seed"]
    precision = fabric.precision
    return digest([VERSION, "features", store.name, rows.tolist(), kept, trunk, view, fabric.device.type, precision])[
        :24
    ]


def _pass(model: Classifier, store: Store, rows: NDArray[np.int64], view: str, fabric: Alone) -> NDArray[np.float16]:
    made = []
    with torch.inference_mode(), fabric.autocast():
        for start in range(0, len(rows), BATCH):
            taken = torch.from_numpy(store[rows[start : start + BATCH]].astype(np.float32)).to(fabric.device)
            x_NHWC = (taken[..., None] if taken.ndim == 3 else taken) / store.scale
            x_NCHW = x_NHWC.permute(0, 3, 1, 2)
            if view == "mirrored":
                x_NCHW = x_NCHW.flip(3)
            found = features(model, x_NCHW.contiguous(memory_format=torch.channels_last))
            made.append(found.float().clamp(-LARGEST, LARGEST).cpu().numpy().astype(np.float16))
    return np.concatenate(made)


def fit_head(
    model: Classifier, train: FeaturePart, validation: FeaturePart | None, settings: Settings, balance: Balance,
    fabric: Machine, *, tick: Callable[[], None] = lambda: None,
) -> tuple[Classifier, list[dict[str, float]]]:  # fmt: skip
    """Train the head of a model whose trunk is frozen; the model, in evaluation mode, and the history, one row an epoch.

    AdamW and one cycle, as `train.fit`; seconds, so without checkpoints. Vectors of features are standardised by the
    training part, and what that did is worked into the head's first layer at the end: the model takes images as any.
    """
    if balance.pixels:
        raise UsageError(
            "This remedy changes images, but with --finetune frozen each image passes through the trunk once; take"
            " oversample or minority_mixup, or --finetune 'last(1)'."
        )
    model = model.to(fabric.device)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = AdamW(parameters, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    history: list[dict[str, float]] = []
    first_kept = first_to_keep(balance, settings.epochs)
    kept: dict[str, Tensor] | None = None
    first = _first_linear(model, train)
    centre, scale = _moments(train) if first is not None else (torch.zeros(()), torch.ones(()))
    read = _reader(train, centre, scale)
    for epoch in range(settings.epochs):
        torch.manual_seed(seed_of(settings.seed, epoch, 1))
        choice, mixing = (np.random.default_rng([settings.seed, epoch, kind]) for kind in (2, 3))
        model.train()
        losses = []
        batches = epoch_batches(epoch, train.targets, settings.batch, settings.seed, balance)
        for number, which in enumerate(batches):
            progress = (epoch + number / len(batches)) / settings.epochs
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * one_cycle(progress)
            view = int(choice.integers(len(train.views)))
            x = read(which, view).to(fabric.device)
            targets = torch.from_numpy(train.targets[which]).to(fabric.device)
            if balance.mix is not None:
                x, targets = balance.mix(x, targets, mixing)
            loss = criterion_of(balance, targets, progress)(model.head(x))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
            tick()
        row = {"epoch": epoch + 1, "train_loss": float(torch.stack(losses).mean())}
        if not np.isfinite(row["train_loss"]):
            raise TrainingError(
                f"The loss is {row['train_loss']} in epoch {epoch + 1}: lower --learning-rate (now"
                f" {settings.learning_rate:g})."
            )
        if validation is not None:
            row |= ranked(_logits(model, validation, centre, scale, fabric), validation.targets)
        history.append(row | {"learning_rate": optimizer.param_groups[0]["lr"]})
        if settings.keep != "last" and as_good_as_any(history[first_kept:]):
            kept = copy.deepcopy(model.network.state_dict())
        if validation is not None and 0 < settings.patience <= stale(history[first_kept:]):
            break
    if kept is not None:
        model.network.load_state_dict(kept)
    if first is not None:
        _fold(first, centre.to(fabric.device), scale.to(fabric.device))
    return model.eval(), history


def head_logits(model: Classifier, part: FeaturePart, fabric: Machine) -> NDArray[np.float64]:
    """Logits of every row, float64 (n, K), from the features of the image as it is."""
    return _logits(model, part, torch.zeros(()), torch.ones(()), fabric)


def _logits(
    model: Classifier, part: FeaturePart, centre: Tensor, scale: Tensor, fabric: Machine
) -> NDArray[np.float64]:
    model.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(part), SHARD):
            which = np.arange(start, min(start + SHARD, len(part)))
            x = ((part.take(which) - centre) / scale).to(fabric.device)
            found.append(model.head(x).float().cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def _reader(train: FeaturePart, centre: Tensor, scale: Tensor) -> Callable[[NDArray[np.int64], int], Tensor]:
    """Standardised features of some rows under a view: from memory where they fit, else from disk batch by batch."""

    def read(which: NDArray[np.int64], view: int) -> Tensor:
        return (train.take(which, view) - centre) / scale

    numbers = len(train) * int(np.prod(train.views[0].shards[0].shape[1:])) * len(train.views)
    if 4 * numbers > IN_MEMORY:
        return read
    held = [read(np.arange(len(train)), view) for view in range(len(train.views))]
    return lambda which, view: held[view][torch.from_numpy(which)]


def _moments(train: FeaturePart) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature over the training part, where it varies at all."""
    total: Any = 0.0
    squares: Any = 0.0
    for start in range(0, len(train), SHARD):
        x = train.take(np.arange(start, min(start + SHARD, len(train)))).double()
        total, squares = total + x.sum(0), squares + (x**2).sum(0)
    mean = total / len(train)
    deviation = (squares / len(train) - mean**2).clamp_min(0).sqrt()
    return mean.float(), torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)).float()


def _first_linear(model: Classifier, train: FeaturePart) -> nn.Linear | None:
    """The layer of the head that reads the features, where they are vectors; None where they are maps."""
    shape = train.views[0].shards[0].shape[1:]
    for name in model.network.head_modules:  # auxiliary heads are among them, and begin with a convolution
        modules = model.network.get_submodule(name).modules()
        first = next((module for module in modules if any(True for _ in module.parameters(recurse=False))), None)
        if isinstance(first, nn.Linear) and shape == (first.in_features,):
            return first
    return None


def _fold(layer: nn.Linear, centre: Tensor, scale: Tensor) -> None:
    """W (x - centre) / scale + b as one layer of x."""
    with torch.no_grad():
        layer.weight.div_(scale)
        layer.bias.sub_(layer.weight @ centre)
