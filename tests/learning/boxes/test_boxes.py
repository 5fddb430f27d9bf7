"""Matching, the MultiBox loss, decoding and the affine, by properties and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from evenray.learning.augment import Chance, moved
from evenray.learning.balance import make
from evenray.learning.boxes.decoding import decode, suppress
from evenray.learning.boxes.encoding import (
    BACKGROUND,
    UNKNOWN,
    centred,
    corners,
    encoded,
    match,
    overlaps,
    restored,
)
from evenray.learning.boxes.moving import drawn_affine, moved_boxes
from evenray.learning.boxes.multibox import MultiBox
from evenray.learning.networks.default_boxes import default_boxes

DEFAULTS = torch.from_numpy(default_boxes((16, 8, 4, 2, 1)))
NONE = [float("nan")] * 5


def some_boxes(seed: int, n: int) -> torch.Tensor:
    """Boxes of 5 % of the side and more, two classes, (n, 5)."""
    drawn = torch.rand(n, 4, generator=torch.Generator().manual_seed(seed))
    sides = 0.05 + drawn[:, 2:] * 0.3
    first = drawn[:, :2] * (1 - sides)
    return torch.cat([(torch.arange(n) % 2)[:, None], first, first + sides], 1)


def test_overlaps_against_counted_pixels() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 20, (2, 6, 2))
    boxes = np.concatenate([first, first + rng.integers(1, 12, (2, 6, 2))], 2)
    masks = np.zeros((2, 6, 40, 40), bool)
    for which, of_one in enumerate(boxes):
        for i, (x0, y0, x1, y1) in enumerate(of_one):
            masks[which, i, y0:y1, x0:x1] = True
    a, b = masks[0][:, None], masks[1][None]
    shared, union = (a & b).sum((2, 3)), (a | b).sum((2, 3))
    ours, of_b = (overlaps(*torch.from_numpy(boxes).float().unbind(0), of_b=flag).numpy() for flag in (False, True))
    np.testing.assert_allclose(ours, shared / union, rtol=1e-5)
    np.testing.assert_allclose(of_b, shared / masks[1].sum((1, 2)), rtol=1e-5)


def test_encoding_is_undone() -> None:
    boxes = some_boxes(1, 200)[:, 1:]
    torch.testing.assert_close(corners(centred(boxes)), boxes)
    defaults = DEFAULTS[:200]
    torch.testing.assert_close(
        corners(restored(encoded(centred(boxes), defaults), defaults)), boxes, atol=1e-5, rtol=1e-4
    )
    # the paper's g^cx = (g - d) / d_w / .1 and g^w = log(g_w / d_w) / .2
    offsets = encoded(torch.tensor([0.52, 0.5, 0.4, 0.2]), torch.tensor([0.5, 0.5, 0.2, 0.2]))
    torch.testing.assert_close(offsets, torch.tensor([1.0, 0.0, np.log(2) / 0.2, 0.0], dtype=torch.float32))


@pytest.mark.parametrize("seed", range(5))
def test_every_object_is_answered_for_and_nothing_else(seed: int) -> None:
    boxes = some_boxes(seed, 6)
    told, offsets = match(torch.cat([boxes, torch.tensor([NONE])]), DEFAULTS)
    shared = overlaps(boxes[:, 1:], corners(DEFAULTS))
    answering = told > BACKGROUND
    assert bool(answering[shared.max(0).values > 0.5].all())
    back = corners(restored(offsets[answering], DEFAULTS[answering]))
    of = overlaps(back, boxes[:, 1:]).max(1)
    assert of.values.min() > 0.99  # each decodes to an object
    assert sorted(set(of.indices.tolist())) == list(range(6))  # to every one
    assert bool((told[answering] == boxes[of.indices, 0].long() + 1).all())
    far = answering & (shared.max(0).values <= 0.5)
    assert int(far.sum()) <= 6  # those that answer because nothing overlaps more


def test_ignored_and_absent_boxes() -> None:
    told, _ = match(torch.tensor([[-1.0, 0.0, 0.0, 0.5, 0.5], NONE]), DEFAULTS)
    middle, inside = DEFAULTS[:, :2], (DEFAULTS[:, :2] < 0.4).all(1) & (DEFAULTS[:, 2:] < 0.15).all(1)
    assert bool((told[inside] == UNKNOWN).all())
    assert bool((told[(middle > 0.6).all(1)] == BACKGROUND).all())
    nothing, offsets = match(torch.tensor([NONE]), DEFAULTS)
    assert bool((nothing == BACKGROUND).all())
    assert not offsets.any()


def answered(n: int, seed: int = 0) -> torch.Tensor:
    """Answers of a network of two classes that was never trained, (n, A, 8 + 3)."""
    drawn = torch.randn(n, len(DEFAULTS), 4 + 3, generator=torch.Generator().manual_seed(seed))
    return torch.cat([drawn[..., :4], DEFAULTS.expand(n, -1, -1), drawn[..., 4:]], 2)


def test_the_loss_by_hand() -> None:
    """Of one image: cross-entropy of the matched and of the three hardest background boxes for each, and smooth L1."""
    boxes, answers = some_boxes(0, 3)[None], answered(1)
    told, offsets = match(boxes[0], DEFAULTS)
    positive = told > 0
    n = int(positive.sum())
    each = cross_entropy(answers[0, :, 8:], told, reduction="none")
    hardest = each[~positive].sort(descending=True).values[: 3 * n]
    gap = (answers[0, positive, :4] - offsets[positive]).abs()
    smooth = torch.where(gap < 1, 0.5 * gap**2, gap - 0.5).sum()
    torch.testing.assert_close(MultiBox()(answers, boxes), (each[positive].sum() + hardest.sum() + smooth) / n)


def test_without_a_ratio_every_default_box_counts() -> None:
    boxes, answers = some_boxes(0, 3)[None], answered(1)
    told, offsets = match(boxes[0], DEFAULTS)
    answers[0, :, :4] = offsets  # only the classes count
    p = torch.softmax(answers[0, :, 8:], 1).gather(1, told[:, None])[:, 0]
    expected = -((1 - p) ** 2 * p.log()).sum() / (told > 0).sum()
    focal = make("focal(gamma=2)", [9, 3, 3], ("background", "a", "b")).loss
    torch.testing.assert_close(MultiBox(focal, ratio=None)(answers, boxes), expected)


def test_parts_of_a_batch_add_up() -> None:
    """What processes that share a batch lose, each weighed by its images, is what one loses on all of it."""
    boxes = torch.stack([some_boxes(seed, 4 - seed) for seed in (0,)] * 4)
    boxes[1], boxes[2, 1:] = torch.nan, torch.nan  # one image with nothing, and one with little
    answers = answered(4)
    whole = MultiBox()(answers, boxes)
    parts = [slice(0, 1), slice(1, 4)]
    counts = [sum(max(1, int((match(b, DEFAULTS)[0] > 0).sum())) for b in boxes[part]) for part in parts]
    total = torch.tensor([float(sum(counts)), 4.0])
    shared = [MultiBox(summed=lambda own: total)(answers[part], boxes[part]) for part in parts]
    torch.testing.assert_close((shared[0] + 3 * shared[1]) / 4, whole)
    assert MultiBox()(answers[1:2], boxes[1:2]) > 0


def test_ignored_default_boxes_have_no_gradient() -> None:
    boxes = torch.tensor([[[-1.0, 0.0, 0.0, 0.6, 1.0]]])
    answers = answered(1).requires_grad_()
    MultiBox(ratio=None)(answers, boxes).backward()
    told, _ = match(boxes[0], DEFAULTS)
    assert answers.grad is not None
    assert not answers.grad[0, told == UNKNOWN].any()
    assert bool(answers.grad[0, told == BACKGROUND].any())


def test_what_is_answered_comes_back() -> None:
    """Answers made from boxes decode to these boxes, each once, with its class."""
    boxes = torch.tensor([[0, 0.1, 0.1, 0.35, 0.3], [1, 0.5, 0.55, 0.9, 0.95], [1, 0.15, 0.6, 0.3, 0.8]])
    told, offsets = match(boxes, DEFAULTS)
    answers = torch.zeros(1, len(DEFAULTS), 8 + 3)
    answers[0, :, :4], answers[0, :, 4:8] = offsets, DEFAULTS
    answers[0, torch.arange(len(DEFAULTS)), 8 + told] = 8.0
    [found] = decode(answers)
    sure = found.scores > 0.5
    assert int(sure.sum()) == 3
    order = np.argsort(found.boxes[sure][:, 0])
    np.testing.assert_allclose(found.boxes[sure][order], boxes[[0, 2, 1], 1:].numpy(), atol=1e-5)
    assert found.classes[sure][order].tolist() == [0, 1, 1]


def by_the_book(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray, shared: float) -> list[int]:
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        own = [k for k in kept if classes[k] == classes[i]]
        if not own or overlaps(*(torch.from_numpy(boxes[j]).float().view(-1, 4) for j in ([i], own))).max() <= shared:
            kept.append(int(i))
    return kept


def test_suppression_by_the_book() -> None:
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 0.7, (150, 2))
    boxes = np.column_stack([first, first + rng.uniform(0.1, 0.3, (150, 2))])
    classes, scores = rng.integers(0, 3, 150), rng.uniform(size=150)
    found = suppress(boxes, classes, scores)
    kept = by_the_book(boxes, classes, scores, 0.45)
    assert found.scores.tolist() == scores[kept].tolist()
    assert (found.boxes == boxes[kept]).all()
    assert (found.classes == classes[kept]).all()
    assert len(suppress(np.zeros((1, 4)), np.zeros(1, np.int64), np.ones(1)).scores) == 0


@pytest.mark.parametrize("flips", [False, True])
def test_boxes_move_as_their_images_do(flips: bool) -> None:
    """Bright rectangles on black: after the affine each box is where the bright pixels are."""
    n, side = 24, 64
    x, boxes = torch.zeros(n, 1, side, side), torch.full((n, 2, 5), torch.nan)
    rng = np.random.default_rng(0)
    for i in range(n):
        x0, y0 = rng.integers(4, 30, 2)
        w, h = rng.integers(12, 28, 2)
        x[i, 0, y0 : y0 + h, x0 : x0 + w] = 1.0
        boxes[i, 0] = torch.tensor([1, x0, y0, x0 + w, y0 + h]) / torch.tensor([1, side, side, side, side])
    affine = drawn_affine(Chance.of([3], n).uniform(6), flips=flips)
    assert bool((affine[:, 0, 0] < 0).any()) is flips
    after, there = moved(x, affine), moved_boxes(boxes, affine)
    assert bool(there[:, 1].isnan().all())
    seen = 0
    for i in range(n):
        rows, columns = np.nonzero(after[i, 0].numpy() > 0.5)
        if there[i, 0].isnan().any():
            continue
        found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / side
        np.testing.assert_allclose(there[i, 0, 1:].numpy(), found, atol=1.01 / side)
        seen += 1
    assert seen > n / 2


def test_what_does_not_count_stays_while_anything_of_it_is_in_sight() -> None:
    """A crop of the upper left quarter: little is left of two boxes, one of which is an object; nothing of the third."""
    crop = torch.tensor([[[0.5, 0.0, -0.5], [0.0, 0.5, -0.5]]])
    boxes = torch.tensor([[[-2.0, 0.4, 0.1, 0.9, 0.2], [1.0, 0.4, 0.1, 0.9, 0.2], [-1.0, 0.6, 0.6, 0.9, 0.9]]])
    ignored, object_, outside = moved_boxes(boxes, crop)[0]
    torch.testing.assert_close(ignored, torch.tensor([-2.0, 0.8, 0.2, 1.0, 0.4]))
    assert object_.isnan().all()
    assert outside.isnan().all()
