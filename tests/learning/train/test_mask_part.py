"""Examples with masks: image and mask move together, patches are cut by class, and pixels are counted exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evenray.core.marks import OUTSIDE_PIXEL, UNKNOWN_PIXEL
from evenray.data.store import Store
from evenray.learning import networks
from evenray.learning.augment import Chance, augment_masks
from evenray.learning.balance import Balance, make
from evenray.learning.tasks.segment import Segment
from evenray.learning.train import Settings, examples, fit, forward, machine
from evenray.learning.train.mask_part import MaskPart, log_odds, pixel_counts
from evenray.learning.train.part import Views
from evenray.metrics.pixel_bins import BINS, REACH, STEP, log_odds_of


def part(n: int = 24, side: int = 32, seed: int = 0) -> MaskPart:
    """Images with a bright square, which the mask marks, in three of four."""
    rng = np.random.default_rng(seed)
    pixels, masks = rng.integers(0, 90, (n, side, side), dtype=np.uint8), np.zeros((n, side, side), np.uint8)
    for i in range(n):
        if i % 4:
            row, column = rng.integers(2, side - 10, 2)
            masks[i, row : row + 8, column : column + 8] = 1
    pixels[masks == 1] += 120
    shares = np.array([[m.size - m.sum(), m.sum()] for m in masks]) * 1_000_000 // (side * side)
    found = examples("segment", Store((pixels,), 255, masked=(masks,)), np.arange(n), shares)
    assert isinstance(found, MaskPart)
    return found


def test_image_and_mask_move_by_the_same_turn() -> None:
    x = torch.zeros(32, 1, 40, 40)
    x[:, :, 12:25, 16:30] = 1
    y = x[:, 0].to(torch.uint8)
    moved_x, moved_y = augment_masks(x.clone(), y, Chance.of([3], 32), flips=True)
    known = moved_y != UNKNOWN_PIXEL
    assert 0.95 < known.float().mean() < 1  # cut-outs alone
    bright = moved_x[:, 0] > 0.5
    agree = (bright == (moved_y == 1))[known].float().mean()
    assert agree > 0.985  # all but the borders, where one is interpolated and the other is not
    assert set(moved_y.unique().tolist()) == {0, 1, UNKNOWN_PIXEL}
    assert moved_y.float().std(0).sum() > 0


def test_what_enters_is_background_and_what_is_cut_out_is_unknown() -> None:
    x, y = torch.full((64, 1, 40, 40), 0.5), torch.ones(64, 40, 40, dtype=torch.uint8)
    _, moved = augment_masks(x, y, Chance.of([0], 64))
    assert set(moved.unique().tolist()) == {0, 1, UNKNOWN_PIXEL}
    entered, cut = ((moved == value).float().mean((1, 2)) for value in (0, UNKNOWN_PIXEL))
    assert 0.02 < entered.mean() < entered.max() < 0.35
    assert 0.005 < cut.mean() < cut.max() < 0.1


def test_outside_the_image_is_learnt_as_background_and_not_counted() -> None:
    masks = np.full((3, 32, 32), OUTSIDE_PIXEL, np.uint8)
    masks[:, 8:24] = 1
    masks[:, 8] = UNKNOWN_PIXEL
    own = MaskPart(
        Store((np.zeros((3, 32, 32), np.uint8),), 255, masked=(masks,)), np.arange(3), np.zeros((3, 2), np.int64)
    )
    learnt = own.answers(np.arange(3), torch.device("cpu"))
    assert (learnt[:, :8] == 0).all()
    assert (learnt[:, 24:] == 0).all()
    assert (learnt[:, 8] == UNKNOWN_PIXEL).all()
    counts = own.told(np.arange(3), torch.zeros(3, 2, 32, 32))
    assert counts.sum((1, 3)).tolist() == [[0, 15 * 32]] * 3


@pytest.mark.parametrize("share", [None, 0.5, 1.0])
def test_patches_lie_about_the_class_as_often_as_asked(share: float | None) -> None:
    """In images of which a class has 0.4 %, patches by class hold it, others seldom do."""
    x, y = torch.zeros(200, 1, 128, 128), torch.zeros(200, 128, 128, dtype=torch.uint8)
    y[:, 60:68, 20:28] = 1
    rows = np.arange(200)
    own = MaskPart(Store((np.zeros((200, 128, 128), np.uint8),), 255), rows, np.zeros((200, 2), np.int64))
    changed_x, changed_y = own.changed(x, y, Chance.of([1], 200), Views(32, foreground=share))
    assert changed_x.shape == (200, 1, 32, 32)
    has = float((changed_y == 1).flatten(1).any(1).float().mean())
    by_chance = 0.12
    wanted = by_chance if share is None else share + (1 - share) * by_chance
    assert has == pytest.approx(wanted, abs=0.12)
    assert own.plain(x, Chance.of([2], 200), Views(32)).shape == (200, 1, 32, 32)


def test_pixels_are_counted_one_by_one() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, classes = (
        4 * torch.randn(2, 3, 7, 6, generator=generator),
        torch.randint(0, 3, (2, 7, 6), generator=generator),
    )
    classes[0, :2] = UNKNOWN_PIXEL
    found = pixel_counts(logits, classes)
    p = logits.double().softmax(1).numpy()
    wanted = np.zeros((2, 2, 2, BINS), int)
    for n, row, column in np.ndindex(classes.shape):
        if classes[n, row, column] == UNKNOWN_PIXEL:
            continue
        for k in (1, 2):
            own = p[n, k, row, column]
            place = int(np.clip((np.log(own / (1 - own)) + REACH) // STEP, 0, BINS - 1))
            wanted[n, k - 1, int(classes[n, row, column] == k), place] += 1
    assert np.abs(found.astype(int) - wanted).sum() <= 4  # at the edge of a bin
    np.testing.assert_allclose(log_odds(logits)[0].numpy(), log_odds_of(logits[0].numpy()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("spec", ["none", "dice_cross_entropy | oversample"])
def test_it_learns_under_every_kind_of_remedy(spec: str) -> None:
    train, check, fabric = part(32, 28), part(16, 28, seed=1), machine("cpu")
    model = networks.build("unet('vgg11_bn(width=0.05)')", classes=2, channels=1, size=28)
    remedy = Segment().remedy(spec, train.targets, ("square",), "")
    settings = Settings(epochs=14, batch=8, learning_rate=0.01, task="segment", keep="best")
    model, history = fit(model, train, check, settings, remedy.balance, fabric)
    assert max(row["validation_dice"] for row in history) > 0.6
    assert {"validation_loss", "validation_dice_error"} <= set(history[0])
    told = forward(model, check, 8, fabric)
    assert told.shape == (16, 1, 2, BINS)
    assert told.sum() == 16 * 28 * 28


def test_validation_figures_are_those_of_the_masks() -> None:
    rng = np.random.default_rng(0)
    classes = torch.from_numpy((rng.random((6, 16, 16)) < 0.2).astype(np.int64))
    classes[5] = 0
    logits = torch.zeros(6, 2, 16, 16)
    logits[:, 1] = torch.from_numpy(rng.normal(-2, 1, (6, 16, 16))) + 3.0 * classes
    told = Segment().validation_metrics(pixel_counts(logits, classes), np.zeros((6, 2), np.int64))
    best = 0.0
    for cut in np.arange(-6, 6, 0.1):
        called = logits[:5, 1] >= cut
        dice = 2 * (called & (classes[:5] == 1)).sum((1, 2)) / (called.sum((1, 2)) + classes[:5].sum((1, 2)))
        best = max(best, float(dice.mean()))
    assert told["validation_dice"] == pytest.approx(best, abs=0.01)
    loss = torch.nn.functional.cross_entropy(logits, classes)
    assert told["validation_loss"] == pytest.approx(float(loss), abs=0.01)


def test_a_remedy_is_undone() -> None:
    """Of pixels whose posterior is known, a weighted loss leads to other log-odds, and the question leads back."""
    shares = np.array([[950_000, 50_000]] * 10)
    question = Segment().remedy("weighted", shares, ("lesion",), "").questions[0]
    posterior = np.array([0.02, 0.3, 0.8])
    learnt = np.log(posterior / (1 - posterior)) + np.log(950 / 50)  # what equal weights of both classes lead to
    p = question.probabilities(np.column_stack([np.zeros(3), learnt]))[:, 1]
    assert p == pytest.approx(posterior, rel=1e-3)
    region = Segment().remedy("dice", shares, ("lesion",), "").questions[0]
    assert region.balance.prior is None
    assert region.balance.posterior is False
    assert Balance() == make("none", [3, 1], ("a", "b"))


def test_oversampling_draws_images_with_the_rare_class() -> None:
    shares = np.array([[1_000_000, 0, 0]] * 12 + [[900_000, 100_000, 0]] * 6 + [[990_000, 0, 10_000]] * 2)
    remedy = Segment().remedy("oversample", shares, ("common", "rare"), "")
    assert remedy.balance.sampler is not None
    order = remedy.balance.sampler(shares, batch=4, seed=0, epoch=0)
    assert np.bincount(order, minlength=20)[18:].sum() == 12
    common, rare = remedy.questions
    assert rare.balance.prior is not None
    assert rare.balance.prior[1] > 3 * rare.prior[1]
    assert common.prior[1] == pytest.approx(0.03, abs=0.001)
