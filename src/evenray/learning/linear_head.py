"""One linear layer on kept features: penalised logistic regression, fitted to its optimum.

A frozen trunk gives more numbers than there are cases, and small steps through them fit noise first: with AdamW the head
on VGG16's features of BreastMNIST reached an AUPRC of .72 in cross-validation, and at its
optimum under a penalty .79 (docs/guides/weights.md).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import TrainingError

from .balance import Balance
from .networks import Classifier
from .train import Settings
from .train.alone import Machine
from .train.feed import Feed
from .train.order import epoch_batches
from .train.part import Examples
from .train.schedule import History, first_to_keep
from .train.validation import validate

__all__ = ["VARIANCE", "fit_linear"]

VARIANCE = 15.0  # of the log-odds, before any case is seen: that of a weight is its share
ITERATIONS = 200
DRAWN = 20_000  # rows that a sampler or a mix draws, at most
EPOCHS = 8  # of a sampler or a mix, at most


def fit_linear(
    model: Classifier, layer: nn.Linear, train: Examples, forms: Sequence[Examples], validation: Examples | None,
    settings: Settings, balance: Balance, fabric: Machine,
) -> tuple[Classifier, History]:  # fmt: skip
    """The head at the least mean loss plus a penalty, by L-BFGS; the model, in evaluation mode, and a history of one row.

    The loss is the remedy's, as it is at the end of a training; what its sampler or mix draws in the last epochs is learnt
    from, and `forms`, the training part in each form of an image, where it draws nothing. The features are standardised. The
    penalty is a normal prior of the weights under which the log-odds of a case have the variance VARIANCE.
    """
    begun = time.perf_counter()
    model = model.to(fabric.device).eval()
    x, targets = (torch.cat(parts) for parts in zip(*_drawn(train, forms, settings, balance, fabric), strict=True))
    classes = layer.out_features
    halved = 2.0 if classes == 2 and model.description.output == "softmax" else 1.0  # two rows share one difference
    penalty = halved * layer.in_features / VARIANCE / len(train)

    def loss() -> Tensor:
        logits_NK = model.head(x)
        found = (
            functional.cross_entropy(logits_NK, targets)
            if balance.loss is None
            else balance.loss(logits_NK, targets, 1.0)
        )
        return found + 0.5 * penalty * layer.weight.square().sum()

    optimizer = torch.optim.LBFGS(
        list(layer.parameters()),
        max_iter=ITERATIONS,
        tolerance_grad=1e-6,
        tolerance_change=1e-9,
        line_search_fn="strong_wolfe",
    )

    def step() -> float:
        optimizer.zero_grad()
        found = loss()
        found.backward()  # type: ignore[no-untyped-call]
        return found.item()

    optimizer.step(step)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        reached = float(loss())
    if not math.isfinite(reached):
        raise TrainingError(
            f"The loss of the head is {reached}; look for images without finite pixels with 'evenray audit'."
        )
    row: dict[str, float] = {"epoch": 1, "train_loss": reached}
    seconds = time.perf_counter() - begun
    if validation is not None:
        row |= validate(model, validation, settings.batch, fabric, None, settings.task)
    row |= {
        "learning_rate": 1.0, "seconds": round(seconds, 2),
        "validation_seconds": round(time.perf_counter() - begun - seconds, 2),
    }  # fmt: skip
    return model, [row]


def _drawn(
    train: Examples, forms: Sequence[Examples], settings: Settings, balance: Balance, fabric: Machine
) -> Iterator[tuple[Tensor, Tensor]]:
    """What is learnt from, in pieces: features with their targets."""
    if balance.sampler is None and balance.mix is None:
        for form in forms:
            x = form.inputs(np.arange(len(form)), fabric.device)
            yield x, torch.from_numpy(form.targets).to(fabric.device)
        return
    feed = Feed(train, balance, settings.seed, lambda x, answers, chance: (x, answers), fabric)
    constant = settings.epochs - first_to_keep(balance, settings.epochs)  # what comes before is of other shares
    count = max(1, min(constant, EPOCHS, DRAWN // len(train)))
    for epoch in range(settings.epochs - count, settings.epochs):
        order = epoch_batches(epoch, train.targets, settings.batch, settings.seed, balance)
        for batch in feed.batches(epoch, order, 0):
            yield batch.inputs, batch.answers
