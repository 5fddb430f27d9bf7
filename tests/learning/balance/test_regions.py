"""Losses of regions against references worked in numpy pixel by pixel, and what remedies do with masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenray.core.errors import UsageError
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.learning.balance import make
from evenray.learning.tasks.pixels import pixel_loss

CLASSES = ("background", "cyst", "tumour")
COUNTS = np.array([900, 60, 40])


def batch(unknown: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 3, 6, 5, generator=generator, dtype=torch.double)
    classes = torch.randint(0, 3, (3, 6, 5), generator=generator)
    if unknown:
        classes[0, :2] = UNKNOWN_PIXEL
    return logits, classes


def counted(logits: Tensor, classes: Tensor) -> list[tuple[float, float, float]]:
    """TP, FP and FN of each class but the background, one pixel after another."""
    p = np.exp(logits.numpy())
    p /= p.sum(axis=1, keepdims=True)
    found = []
    for k in (1, 2):
        tp = fp = fn = 0.0
        for n, row, column in np.ndindex(classes.shape):
            label = int(classes[n, row, column])
            if label == UNKNOWN_PIXEL:
                continue
            own = p[n, k, row, column]
            tp, fp, fn = (tp + own, fp, fn + 1 - own) if label == k else (tp, fp + own, fn)
        found.append((tp, fp, fn))
    return found


def value(spec: str, logits: Tensor, classes: Tensor) -> float:
    return float(pixel_loss(make(spec, COUNTS, CLASSES))(logits, classes, 0.5))


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    ("spec", "of_class"),
    [
        ("dice", lambda tp, fp, fn: 1 - 2 * tp / (2 * tp + fp + fn)),
        ("tversky", lambda tp, fp, fn: 1 - tp / (tp + 0.3 * fp + 0.7 * fn)),
        ("tversky(0.5, 0.5)", lambda tp, fp, fn: 1 - 2 * tp / (2 * tp + fp + fn)),
        ("focal_tversky", lambda tp, fp, fn: (1 - tp / (tp + 0.3 * fp + 0.7 * fn)) ** 0.75),
    ],
)
def test_losses_of_regions_are_the_papers(spec: str, of_class: object, unknown: bool) -> None:
    logits, classes = batch(unknown)
    wanted = np.mean([of_class(*counts) for counts in counted(logits, classes)])  # type: ignore[operator]
    assert value(spec, logits, classes) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("unknown", [False, True])
def test_dice_with_cross_entropy_is_their_sum(unknown: bool) -> None:
    logits, classes = batch(unknown)
    pixels = cross_entropy(logits, classes, ignore_index=UNKNOWN_PIXEL, reduction="sum") / classes.numel()
    together = value("dice_cross_entropy", logits, classes)
    assert together == pytest.approx(value("dice", logits, classes) + float(pixels), rel=1e-6)


@pytest.mark.parametrize("spec", ["none", "weighted", "weighted(background=1, cyst=5, tumour=9)", "focal(gamma=2)"])
def test_a_pixel_is_a_case_to_every_other_remedy(spec: str) -> None:
    """The loss of a batch of masks is that of its known pixels as a batch of cases, times their share."""
    logits, classes = batch(unknown=True)
    known = classes != UNKNOWN_PIXEL
    pixels, remedy = logits.permute(0, 2, 3, 1)[known], make(spec, COUNTS, CLASSES)
    plain = cross_entropy(pixels, classes[known])
    own = plain if remedy.loss is None else remedy.loss(pixels, classes[known], 0.5)
    assert value(spec, logits, classes) == pytest.approx(float(own) * float(known.double().mean()), rel=1e-6)


def test_a_weighted_loss_and_a_region_add_up() -> None:
    logits, classes = batch()
    together = value("weighted | dice", logits, classes)
    assert together == pytest.approx(value("weighted", logits, classes) + value("dice", logits, classes), rel=1e-6)
    with pytest.raises(UsageError, match="both set the region"):
        make("dice | tversky", COUNTS, CLASSES)


@pytest.mark.parametrize("spec", ["dice", "tversky", "focal_tversky", "dice_cross_entropy"])
def test_descent_finds_a_rare_region(spec: str) -> None:
    """From undecided logits of free pixels, the loss leads to the mask itself, of which 2 % is positive."""
    classes = torch.zeros(2, 20, 20, dtype=torch.long)
    classes[0, 3:7, 4:8] = 1
    logits = torch.zeros(2, 2, 20, 20, requires_grad=True)
    loss, optimizer = pixel_loss(make(spec, [784, 16], CLASSES[:2])), torch.optim.Adam([logits], 0.3)
    for _ in range(60):
        optimizer.zero_grad()
        loss(logits, classes, 0.0).backward()
        optimizer.step()
    assert torch.equal(logits.argmax(1), classes)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("spec", ["none", "dice", "dice_cross_entropy", "focal_tversky"])
def test_nothing_known_and_nothing_there_leave_finite_gradients(spec: str) -> None:
    for classes in (torch.full((1, 4, 4), UNKNOWN_PIXEL), torch.zeros(1, 4, 4, dtype=torch.long)):
        logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
        pixel_loss(make(spec, [9, 1], CLASSES[:2]))(logits, classes, 0.0).backward()
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


def test_the_parts_of_a_batch_add_up_over_processes() -> None:
    """With the counts of regions summed over two processes, the mean of their gradients is that of the whole batch."""
    logits, classes = batch(unknown=True)
    balance = make("weighted | dice", COUNTS, CLASSES)
    whole = logits.clone().requires_grad_()
    pixel_loss(balance)(whole, classes, 0.0).backward()
    parts = logits.clone().requires_grad_()
    total, shares = 0.0, [(slice(0, 1), 2 / 3), (slice(1, 3), 4 / 3)]

    def summed(own: Tensor) -> Tensor:
        from evenray.learning.tasks.pixels import soft_counts

        return sum(soft_counts(parts[part], classes[part]) for part, _ in shares)  # type: ignore[return-value]

    region = pixel_loss(make("dice", COUNTS, CLASSES), summed)
    for part, share in shares:
        pixels = pixel_loss(make("weighted", COUNTS, CLASSES))(parts[part], classes[part], 0.0)
        total = total + pixels * share / 2
    (total + region(parts[:1], classes[:1], 0.0)).backward()
    assert whole.grad is not None
    assert parts.grad is not None
    torch.testing.assert_close(parts.grad, whole.grad)


def test_what_is_about_masks_says_that_calibration_alone_corrects() -> None:
    for spec in ("dice", "dice_cross_entropy", "tversky", "focal_tversky", "foreground_patches"):
        assert make(spec, COUNTS, CLASSES).posterior is False
    assert make("foreground_patches(0.3) | dice", COUNTS, CLASSES).foreground == 0.3
    assert make("weighted", COUNTS, CLASSES).posterior is None
