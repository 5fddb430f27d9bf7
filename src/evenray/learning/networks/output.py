"""What the outputs of a network are: one class of several (a soft-max), findings each by itself (a sigmoid each), or boxes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["Output", "as_classes", "as_outputs"]

Output = Literal["softmax", "sigmoid", "boxes"]


def as_classes(logits: Tensor, output: Output) -> Tensor:
    """Logits of which a soft-max along dimension 1 gives the probabilities: those of a sigmoid become two classes, no and yes.

    >>> as_classes(torch.tensor([[0.0, 2.0]]), "sigmoid").shape
    torch.Size([1, 2, 2])
    """
    return logits if output == "softmax" else torch.stack([torch.zeros_like(logits), logits], 1)


def as_outputs(classes: Tensor, output: Output) -> Tensor:
    """What `as_classes` was made of, to the constant that a soft-max does not see.

    >>> as_outputs(as_classes(torch.tensor([[0.0, 2.0]]), "sigmoid"), "sigmoid")
    tensor([[0., 2.]])
    """
    return classes if output == "softmax" else classes[:, 1] - classes[:, 0]
