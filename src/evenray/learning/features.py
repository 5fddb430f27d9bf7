"""Features of a frozen trunk: computed once for each contrast and form, kept beside the pixels, and heads trained on them.

Where the trunk does not learn, an image always becomes the same numbers. So each image passes through the trunk once
(twice where mirrored images are allowed), and every remedy, fold, seed and epoch reads what was kept. There is no other
augmentation: every augmented copy would be one more pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.artefacts import atomic, digest
from evenray.core.errors import UsageError
from evenray.core.plugins import packages
from evenray.data.store import SHARD, Mapped, Store

from .augment import Chance
from .balance import Balance
from .linear_head import fit_linear
from .networks import Classifier, features
from .train import Settings, fit
from .train.alone import Alone, Machine
from .train.part import Views

__all__ = ["FeaturePart", "compute", "fit_head", "forms_of"]

VERSION = 2
BATCH = 16
LARGEST = 65504.0  # of float16


@dataclass(frozen=True)
class FeaturePart:
    """Rows of feature stores, one store a form (the first is the image as it is), with their classes, int64 (n,).

    The features are `centre`d and divided by `scale` before a head reads them. See train.part.Examples.
    """

    forms: tuple[Store, ...]
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]
    cases: Sequence[str] = ()
    centre: Tensor | float = 0.0
    scale: Tensor | float = 1.0
    settle_on: int = 1024
    settle_by: int = 64

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self, which: NDArray[np.int64], device: torch.device, chance: Chance | None = None) -> Tensor:
        """float32 (n, D), or (n, C, H, W) where the images are larger than the head was made for.

        A chance picks one of the forms for the whole batch.
        """
        store = self.forms[0 if chance is None else chance.batch % len(self.forms)]
        x = torch.from_numpy(store[self.rows[which]].astype(np.float32))
        return ((x - self.centre) / self.scale).to(device)

    def answers(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        return torch.from_numpy(self.targets[which]).to(device)

    def changed(self, x: Tensor, answers: Tensor, chance: Chance, views: Views) -> tuple[Tensor, Tensor]:
        return x, answers

    def plain(self, x: Tensor, chance: Chance, views: Views) -> Tensor:
        return x

    def module(self, model: Classifier) -> nn.Module:
        return _Head(model)

    def logits(self, model: Classifier, x: Tensor, tta: str) -> Tensor:
        if tta != "centre":
            raise UsageError(f"Features of images are kept as they are; they cannot be looked at under '{tta}'.")
        return model.head(x)

    def told(self, which: NDArray[np.int64], logits: Tensor) -> NDArray[np.float64]:
        return logits.double().cpu().numpy()


class _Head(nn.Module):
    """The head of a model alone."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        return self.model.head(features)


def forms_of(flips: bool) -> tuple[str, ...]:
    """The forms of an image that a head is trained on.

    >>> forms_of(flips=True)
    ('plain', 'mirrored')
    """
    return ("plain", "mirrored") if flips else ("plain",)


def compute(
    model: Classifier, store: Store, rows: NDArray[np.int64], forms: Sequence[str], folder: Path, fabric: Alone,
    tick: Callable[[int], None] = lambda n: None,
) -> tuple[Store, ...]:  # fmt: skip
    """The features of `rows` of a pixel store in each form, float16, in the order of `rows`; what stands is not made again.

    Kept in `folder` under the digest of the pixels, of the trunk's weights and of the form, in shards written whole or
    not at all: a killed pass goes on with the shard it was at. `tick` is called with the images that each shard holds.
    """
    found = []
    for form in forms:
        place = folder / _key(model, store, rows, form, fabric)
        paths = [place / f"{start // SHARD:06d}.npy" for start in range(0, len(rows), SHARD)]
        model = model.to(fabric.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        for path, start in zip(paths, range(0, len(rows), SHARD), strict=True):
            part = rows[start : start + SHARD]
            if not path.exists():
                made = _pass(model, store, part, form, fabric)
                with atomic(path) as temporary, temporary.open("wb") as out:
                    np.save(out, made)
            tick(len(part))
        found.append(Store(Mapped(paths), 1, place.name))
    return tuple(found)


def _key(model: Classifier, store: Store, rows: NDArray[np.int64], form: str, fabric: Alone) -> str:
    """What the features depend on; the head and the number of classes do not matter to them."""
    about = model.description
    kept = [about.spec, about.channels, about.size, about.mean, about.std, model.network.preparation, packages()]
    trunk = about.pretrained.sha256 if about.pretrained else about.seed
    where = [fabric.device.type, fabric.precision]
    return digest([VERSION, "features", store.name, rows.tolist(), kept, trunk, form, where])[:24]


def _pass(model: Classifier, store: Store, rows: NDArray[np.int64], form: str, fabric: Alone) -> NDArray[np.float16]:
    made = []
    with torch.inference_mode(), fabric.autocast():
        for start in range(0, len(rows), BATCH):
            taken = torch.from_numpy(store[rows[start : start + BATCH]].astype(np.float32)).to(fabric.device)
            x_NHWC = (taken[..., None] if taken.ndim == 3 else taken) / store.scale
            x_NCHW = x_NHWC.permute(0, 3, 1, 2)
            if form == "mirrored":
                x_NCHW = x_NCHW.flip(3)
            found = features(model, x_NCHW.contiguous(memory_format=torch.channels_last))
            made.append(found.float().clamp(-LARGEST, LARGEST).cpu().numpy().astype(np.float16))
    return np.concatenate(made)


def fit_head(
    model: Classifier, train: FeaturePart, validation: FeaturePart | None, settings: Settings, balance: Balance,
    fabric: Machine, *, tick: Callable[[], None] = lambda: None,
) -> tuple[Classifier, list[dict[str, float]]]:  # fmt: skip
    """Train the head of a model whose trunk is frozen; the model, in evaluation mode, and the history, one row an epoch.

    Vectors of features are standardised by the training part, and what that did is worked into the head's first layer at the
    end: the model takes images as any. A head of one layer is fitted to its optimum (linear_head.py); any other by
    `train.fit`, in float32, without an average of the weights and without checkpoints, for it takes seconds.
    """
    if balance.needs_images:
        raise UsageError(
            "This remedy changes images, but with --finetune frozen each image passes through the trunk once; take"
            " oversample or minority_mixup, or --finetune 'last(1)'."
        )
    first = _first_linear(model, train)
    if first is not None:
        centre, scale = _moments(train)
        train = replace(train, centre=centre, scale=scale)
        validation = validation and replace(validation, centre=centre, scale=scale)
    alone = Alone(fabric.device, "32-true")
    if first is not None and _is_all(first, model):
        forms = [replace(train, forms=(form,)) for form in train.forms]
        model, history = fit_linear(model, first, train, forms, validation, settings, balance, alone)
        tick()
    else:
        model, history = fit(model, train, validation, replace(settings, average=False), balance, alone, tick=tick)
    first = _first_linear(model, train)
    if first is not None:
        _fold(first, centre.to(fabric.device), scale.to(fabric.device))
    return model, history


def _moments(train: FeaturePart) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature over the training part, where it varies at all."""
    total = squares = torch.zeros((), dtype=torch.float64)
    for start in range(0, len(train), SHARD):
        x = train.inputs(np.arange(start, min(start + SHARD, len(train))), torch.device("cpu")).double()
        total, squares = total + x.sum(0), squares + (x**2).sum(0)
    mean = total / len(train)
    deviation = (squares / len(train) - mean**2).clamp_min(0).sqrt()
    return mean.float(), torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)).float()


def _first_linear(model: Classifier, train: FeaturePart) -> nn.Linear | None:
    """The layer of the head that reads the features, where they are vectors; None where they are maps."""
    shape = train.forms[0].shards[0].shape[1:]
    for name in model.network.head_modules:  # auxiliary heads are among them, and begin with a convolution
        modules = model.network.get_submodule(name).modules()
        first = next((module for module in modules if any(True for _ in module.parameters(recurse=False))), None)
        if isinstance(first, nn.Linear) and shape == (first.in_features,):
            return first
    return None


def _is_all(layer: nn.Linear, model: Classifier) -> bool:
    """Whether a layer is all that the head learns; auxiliary heads hear of no features."""
    heads = [model.network.get_submodule(name) for name in model.network.head_modules if not name.startswith("aux")]
    return {id(p) for head in heads for p in head.parameters()} == {id(p) for p in layer.parameters()}


def _fold(layer: nn.Linear, centre: Tensor, scale: Tensor) -> None:
    """W (x - centre) / scale + b as one layer of x."""
    with torch.no_grad():
        layer.weight.div_(scale)
        layer.bias.sub_(layer.weight @ centre)
