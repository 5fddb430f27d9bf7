"""What is explained of a network: one number for each image and class, whatever the task.

Of a class or a finding it is the logit. Of masks it is the mean log-odds of the pixels that the network calls the class, where it
calls none of the hundredth of pixels that come nearest to it (after Seg-Grad-CAM, Vinogradova et al. 2020). Of boxes it is the
log-odds of the class in the default box that is surest of it. Which pixels or which box is settled once, on the image as it is, so
that a part that is covered cannot move the question elsewhere.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from evenray.learning.boxes.encoding import LOGITS
from evenray.learning.networks import Classifier, members
from evenray.learning.train.mask_part import log_odds

__all__ = ["NEAREST", "Answers", "by_place", "chance", "chances", "classes_of", "focus_of", "subject"]

Subject = Literal["class", "finding", "pixels", "box"]
NEAREST = 0.01  # share of the pixels
NO_BOX = -30.0  # log-odds


class Answers(nn.Module):
    """A model as a function of x_NCHW and `focus_NP`, the places that count, to the scores (N, K) that are explained."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, x_NCHW: Tensor, focus_NP: Tensor) -> Tensor:
        return _weighted(by_place(self.model(x_NCHW)), focus_NP)


def subject(model: Classifier) -> Subject:
    """What is explained: "class", "finding", "pixels" or "box", a code that the texts have a sentence for."""
    if model.description.output != "softmax":
        return "finding" if model.description.output == "sigmoid" else "box"
    return "pixels" if members(model)[0].network.of_pixels else "class"


def focus_of(model: Classifier, x_NCHW: Tensor, targets_N: Tensor) -> Tensor:
    """Which places of each image count for its target, float32 (N, P) of zeros and ones.

    >>> from evenray.learning.networks import build
    >>> focus_of(build("vgg11(width=0.1)", classes=2, channels=1, size=28), torch.rand(3, 1, 28, 28), torch.tensor([0, 1, 1])).shape
    torch.Size([3, 1])
    """
    with torch.no_grad():
        return _focus(model(x_NCHW), targets_N)


def chance(model: Classifier, scores_NK: Tensor, targets_N: Tensor) -> Tensor:
    """The probability (N,) of each image's target that its scores stand for, as the network gives it: before calibration."""
    if subject(model) == "class":
        return scores_NK.softmax(1).gather(1, targets_N[:, None])[:, 0]
    return scores_NK.gather(1, targets_N[:, None])[:, 0].sigmoid()


def chances(model: Classifier, out: Tensor, targets_N: Tensor) -> Tensor:
    """The probability (N,) of each image's target as it is explained, out of the outputs of the model; or of several targets in one
    image.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28).eval()
    >>> round(float(chances(model, model(torch.rand(1, 1, 28, 28)), torch.tensor([0, 1])).sum().detach()), 4)
    1.0
    """
    if out.ndim == 2:
        return chance(model, out.expand(len(targets_N), -1), targets_N)
    scores_NKP, found = by_place(out), []
    for n, k in enumerate(targets_N.tolist()):  # one after the other: every place of a large image may be in it
        own_1P = scores_NKP[n if len(out) > 1 else 0, k][None]
        focus_1P = _places(own_1P, out.ndim)
        found.append((own_1P * focus_1P).sum() / focus_1P.sum())
    return torch.stack(found).sigmoid()


def _focus(out: Tensor, targets_N: Tensor) -> Tensor:
    return _places(by_place(out)[torch.arange(len(targets_N)), targets_N], out.ndim)


def _places(own_NP: Tensor, dimensions: int) -> Tensor:
    """Those that count, by the scores of the target and what the model's outputs look like."""
    if dimensions == 2:
        return torch.ones_like(own_NP)
    if dimensions == 3:
        return nn.functional.one_hot(own_NP.argmax(1), own_NP.shape[1]).to(own_NP.dtype)
    nearest = own_NP.topk(max(1, int(own_NP.shape[1] * NEAREST)), 1).values[:, -1:]
    called = own_NP >= 0
    return torch.where(called.any(1, keepdim=True), called, own_NP >= nearest).to(own_NP.dtype)


def _weighted(scores_NKP: Tensor, focus_NP: Tensor) -> Tensor:
    weighted: Tensor = (scores_NKP * focus_NP[:, None]).sum(2) / focus_NP.sum(1, keepdim=True)
    return weighted


def by_place(out: Tensor) -> Tensor:
    """The outputs of a network as scores (N, K, P)."""
    if out.ndim == 2:
        return out[..., None]
    if out.ndim == 3:  # boxes: background first; rows of NaN are none
        return log_odds(out[..., LOGITS].transpose(1, 2)[..., None])[..., 0].nan_to_num(nan=NO_BOX)
    return log_odds(out).flatten(2)


def classes_of(model: Classifier) -> int:
    """How many classes there are to explain: those of masks without the background."""
    return model.classes - (subject(model) == "pixels")
