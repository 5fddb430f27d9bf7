"""What tasks whose labels are about whole images have in common."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from evenray.core.types import Dataset
from evenray.learning.balance import Balance

from .task import Ints, Loss, Usual

__all__ = ["USUAL", "WholeImages"]

# The figures of a comparison: none that needs a threshold, which is not chosen yet.
COMPARED = ("auprc", "auroc", "sensitivity_at_specificity", "brier", "log_loss", "ece")
USUAL = Usual(balance=("none", "weighted", "oversample"), threshold="youden")


class WholeImages:
    """An output a class, targets as the data set has them, and the loss of a remedy on each case, cross-entropy where it has none."""

    ranks_by = "validation_macro_auprc"
    compared = COMPARED
    gained, keeps_features = None, True
    usual = USUAL
    draws = False
    shown = ("auroc", "auprc")

    def outputs(self, classes: tuple[str, ...]) -> int:
        return len(classes)

    def targets(self, dataset: Dataset) -> Ints:
        return dataset.targets

    def loss(self, balance: Balance, summed: Callable[[Tensor], Tensor]) -> Loss:
        return balance.loss or _cross_entropy


def _cross_entropy(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
    return functional.cross_entropy(logits_NK, targets)
