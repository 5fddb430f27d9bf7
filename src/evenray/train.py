"""Training: one loop for the final network and for every cell of a comparison; resumable at every epoch."""

from __future__ import annotations

import copy
import ctypes
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from evenray.augment import augment, scale_jitter
from evenray.balance import Balance
from evenray.core.artefacts import atomic
from evenray.core.errors import TrainingError, UsageError
from evenray.networks import Classifier
from evenray.store import Store
from evenray.views import look

__all__ = ["Part", "Settings", "batches_an_epoch", "fit", "forward", "keep_malloc", "machine", "statistics"]

WEIGHT_DECAY = 0.01
WARM_UP = 0.1
CLIP = 5.0
SETTLED = 1024


@dataclass(frozen=True)
class Part:
    """Rows of a store with their class indices, int64 (n,) each."""

    store: Store
    rows: NDArray[np.int64]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, which: NDArray[np.int64], device: torch.device) -> Tensor:
        """x_NCHW float32 in 0..1, channels last in memory."""
        taken = torch.from_numpy(self.store[self.rows[which]].astype(np.float32)).to(device) / self.store.scale
        x_NHWC = taken[..., None] if taken.ndim == 3 else taken
        return x_NHWC.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Settings:
    """How to train; `keep` is "best" (by validation AUPRC) or "last".

    With `scale_jitter` (low, high) the network sees random crops of its size of images at these multiples of it.
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int = 0
    flips: bool = False
    keep: str = "last"
    scale_jitter: tuple[float, float] | None = None


def machine(device: str = "auto") -> Fabric:
    """Fabric on one device: `auto` takes a GPU where there is one; bfloat16 only where the processor has it natively."""
    found = device
    if device == "auto":
        found = "cuda" if torch.cuda.is_available() else "cpu"
    name, colon, index = found.partition(":")
    if name not in ("cpu", "cuda", "mps") or (colon and (name != "cuda" or not index.isdecimal())):
        raise UsageError(f"There is no device '{device}'; give auto, cpu, cuda or cuda:1.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[name]
    if int(index or 0) >= count:
        raise UsageError(
            f"The device '{device}' is asked for, but torch finds {count or 'no'} GPU of that kind; leave --device out,"
            " or give cpu."
        )
    native = torch.cuda.is_bf16_supported() if name == "cuda" else name == "cpu" and _cpu_has_bf16()
    torch.use_deterministic_algorithms(True, warn_only=True)
    return Fabric(
        accelerator=name, devices=[int(index)] if index else 1, precision="bf16-mixed" if native else "32-true"
    )


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def keep_malloc() -> None:
    """Have glibc keep big buffers instead of handing them back after every layer: a third of the time on a CPU."""
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
                libc.mallopt(option, value)
        except (OSError, AttributeError):  # another C library: only the speed is lost
            return


def statistics(part: Part) -> tuple[list[float], list[float]]:
    """Mean and standard deviation a channel, in unit levels, of up to 2,048 training images spread over the part."""
    some = np.linspace(0, len(part) - 1, min(len(part), 2048)).astype(np.int64)
    x = part.images(some, torch.device("cpu"))
    return x.mean((0, 2, 3)).tolist(), x.std((0, 2, 3)).clamp_min(1e-3).tolist()


def fit(
    model: Classifier,
    train: Part,
    validation: Part | None,
    settings: Settings,
    balance: Balance,
    fabric: Fabric,
    *,
    folder: Path | None = None,
    tick: Callable[[], None] = lambda: None,
) -> tuple[Classifier, list[dict[str, float]]]:
    """Train and return the averaged model that is kept, in evaluation mode, and the history, one row an epoch.

    AdamW, one cycle, an exponential average of the weights. With `folder`, a checkpoint is written after every epoch
    and a killed training goes on from it to the same end: everything random depends on the seed and the epoch alone.
    `tick` is called after every batch. Raises TrainingError, naming the batch, when the loss is not finite.
    """
    model = model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=settings.learning_rate, weight_decay=WEIGHT_DECAY
    )
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    steps = settings.epochs * batches_an_epoch(len(train), settings.batch)
    history, best = _resume(folder, model, average, optimizer, fabric)
    for epoch in range(len(history), settings.epochs):
        start = time.perf_counter()
        torch.manual_seed(_seed(settings.seed, epoch, 1))
        generator = torch.Generator().manual_seed(_seed(settings.seed, epoch, 2))
        mixing = np.random.default_rng([settings.seed, epoch, 3])
        wrapped.train()
        losses = []
        batches = _batches_of(epoch, train, settings, balance)
        for number, which in enumerate(batches):
            progress = (epoch + number / len(batches)) / settings.epochs
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * one_cycle(progress)
            x_NCHW = augment(train.images(which, fabric.device), generator, flips=settings.flips)
            x_NCHW = _cropped(x_NCHW, model.size, generator, settings)
            targets = torch.from_numpy(train.targets[which]).to(fabric.device)
            if balance.mix is not None:
                x_NCHW, targets = balance.mix(x_NCHW, targets, mixing)
            x_NCHW = x_NCHW.contiguous(memory_format=torch.channels_last)
            criterion = _criterion(balance, targets, progress)
            loss = criterion(wrapped(x_NCHW)) + model.auxiliary_loss(criterion)
            if not torch.isfinite(loss):
                raise TrainingError(
                    f"The loss is {loss.item()} in batch {number} of epoch {epoch + 1}: lower --learning-rate (now"
                    f" {settings.learning_rate:g}), or look for images without finite pixels with 'evenray audit'."
                )
            wrapped_optimizer.zero_grad()
            fabric.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            wrapped_optimizer.step()
            _follow(average, model, steps)
            losses.append(loss.detach())
            tick()
        row = {"epoch": epoch + 1, "train_loss": float(torch.stack(losses).mean())}
        if validation is not None or epoch + 1 == settings.epochs:
            _settle(average, model, train, np.concatenate(batches)[:SETTLED], fabric, settings)
        row |= _validate(average, validation, settings, fabric) if validation is not None else {}
        row |= {"learning_rate": optimizer.param_groups[0]["lr"], "seconds": round(time.perf_counter() - start, 2)}
        history.append(row)
        better = settings.keep == "last" or best is None or row.get("validation_auprc", 0) > best[0]
        if better:
            best = (row.get("validation_auprc", 0.0), copy.deepcopy(average.network.state_dict()))
        _checkpoint(folder, model, average, optimizer, history, best if better else None)
    if best is not None:
        average.network.load_state_dict(best[1])
    return average.eval(), history


def one_cycle(progress: float) -> float:
    """The share of the highest learning rate: a linear rise over the first tenth, half a cosine down to a hundredth.

    >>> [round(one_cycle(p), 3) for p in (0, 0.05, 0.1, 1)]
    [0.01, 0.505, 1.0, 0.01]
    """
    if progress < WARM_UP:
        return 0.01 + 0.99 * progress / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def forward(
    model: Classifier, part: Part, batch: int, fabric: Fabric, tick: Callable[[], None] = lambda: None,
    *, view: str = "centre",
) -> NDArray[np.float64]:  # fmt: skip
    """Logits of every row under a view, float64 (n, K), in order, without augmentation."""
    model.eval()
    found = []
    with torch.inference_mode(), fabric.autocast():
        for start in range(0, len(part), batch):
            which = np.arange(start, min(start + batch, len(part)))
            x_NCHW = part.images(which, fabric.device).contiguous(memory_format=torch.channels_last)
            found.append(look(model, x_NCHW, view).float().cpu().numpy())
            tick()
    return np.concatenate(found).astype(np.float64)


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def batches_an_epoch(cases: int, batch: int) -> int:
    """Steps of an epoch. Every remedy gets as many, however its sampler divides the cases: so they compare at equal cost.

    >>> batches_an_epoch(65, 32), batches_an_epoch(66, 32)
    (2, 3)
    """
    return len(_batches(np.arange(cases), batch))


def _batches_of(epoch: int, train: Part, settings: Settings, balance: Balance) -> list[NDArray[np.int64]]:
    """The batches of an epoch: a permutation, or the next ones of a sampler, whose own epochs follow one another."""
    if balance.sampler is None:
        return _batches(np.random.default_rng([settings.seed, epoch, 0]).permutation(len(train)), settings.batch)
    wanted = batches_an_epoch(len(train), settings.batch)
    drawn = balance.sampler(train.targets, batch=settings.batch, seed=settings.seed, epoch=0)
    length = len(_batches(drawn, settings.batch))
    first, skipped = divmod(epoch * wanted, length)
    found: list[NDArray[np.int64]] = []
    while len(found) < skipped + wanted:
        drawn = balance.sampler(train.targets, batch=settings.batch, seed=settings.seed, epoch=first)
        found += _batches(drawn, settings.batch)
        first += 1
    return found[skipped : skipped + wanted]


def _batches(order: NDArray[np.int64], batch: int) -> list[NDArray[np.int64]]:
    found = [order[start : start + batch] for start in range(0, len(order), batch)]
    # Batch normalisation cannot learn from one image; a last batch of one waits for the next epoch's order.
    return found[:-1] if len(found) > 1 and len(found[-1]) == 1 < batch else found


def _criterion(balance: Balance, targets: Tensor, progress: float) -> Callable[[Tensor], Tensor]:
    def criterion(logits_NK: Tensor) -> Tensor:
        if balance.loss is not None:
            return balance.loss(logits_NK, targets, progress)
        return functional.cross_entropy(logits_NK, targets)

    return criterion


def _follow(average: Classifier, model: Classifier, steps: int) -> None:
    """Move the average towards the model; it remembers about a twentieth of the training."""
    share = 1 / max(10, steps / 20)
    with torch.no_grad():
        for old, new in zip(average.network.state_dict().values(), model.network.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, share)
            else:
                old.copy_(new)


def _settle(
    average: Classifier, model: Classifier, train: Part, drawn: NDArray[np.int64], fabric: Fabric,
    settings: Settings,
) -> None:  # fmt: skip
    """Measure the statistics of batch normalisation anew, for the averaged weights, on training images as they are.

    Those gathered while training are of other weights and of augmented images; with them the ranking is right but the
    probabilities are not (docs/log.md, 2026-11-22). `drawn` are rows as the sampler mixes them: the weights were learnt
    beside statistics of that mixture. What is frozen keeps its own.
    """
    pairs = zip(average.modules(), model.modules(), strict=True)
    norms = [
        mean
        for mean, own in pairs
        if isinstance(mean, nn.modules.batchnorm._BatchNorm) and (own.weight is None or own.weight.requires_grad)
    ]
    if not norms:
        return
    average.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.no_grad(), fabric.autocast():
        for which in _batches(drawn, 64):
            x_NCHW = _cropped(train.images(which, fabric.device), model.size, generator, settings)
            average(x_NCHW.contiguous(memory_format=torch.channels_last))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def _cropped(x_NCHW: Tensor, size: int, generator: torch.Generator, settings: Settings) -> Tensor:
    return x_NCHW if settings.scale_jitter is None else scale_jitter(x_NCHW, size, generator, settings.scale_jitter)


def _validate(model: Classifier, part: Part, settings: Settings, fabric: Fabric) -> dict[str, float]:
    """Where training jitters the scale, the whole image is looked at in the middle of its scales (section 4.1)."""
    view = "centre" if settings.scale_jitter is None else f"dense(scales=[{sum(settings.scale_jitter) / 2}])"
    logits_NK = torch.from_numpy(forward(model, part, settings.batch, fabric, view=view))
    probabilities = torch.softmax(logits_NK, 1).numpy()
    hot = np.eye(logits_NK.shape[1])[part.targets]
    seen = [k for k in range(hot.shape[1]) if 0 < hot[:, k].sum() < len(hot)]
    loss = float(functional.cross_entropy(logits_NK, torch.from_numpy(part.targets)))
    return {
        "validation_loss": loss,
        "validation_auroc": float(np.mean([roc_auc_score(hot[:, k], probabilities[:, k]) for k in seen])),
        "validation_auprc": float(np.mean([average_precision_score(hot[:, k], probabilities[:, k]) for k in seen])),
    }


def _resume(
    folder: Path | None, model: Classifier, average: Classifier, optimizer: torch.optim.Optimizer, fabric: Fabric
) -> tuple[list[dict[str, float]], tuple[float, dict[str, Any]] | None]:
    if folder is None or not (folder / "last.pt").exists():
        return [], None
    last = torch.load(folder / "last.pt", map_location=fabric.device, weights_only=True)
    model.network.load_state_dict(last["model"])
    average.network.load_state_dict(last["average"])
    optimizer.load_state_dict(last["optimizer"])
    best = torch.load(folder / "best.pt", map_location=fabric.device, weights_only=True)
    return last["history"], (best["score"], best["model"])


def _checkpoint(
    folder: Path | None, model: Classifier, average: Classifier, optimizer: torch.optim.Optimizer,
    history: list[dict[str, float]], best: tuple[float, dict[str, Any]] | None,
) -> None:  # fmt: skip
    if folder is None:
        return
    if best is not None:
        with atomic(folder / "best.pt") as path:
            torch.save({"score": best[0], "model": best[1]}, path)
    state = {
        "model": model.network.state_dict(),
        "average": average.network.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with atomic(folder / "last.pt") as path:
        torch.save(state | {"history": history}, path)
