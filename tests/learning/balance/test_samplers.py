"""What the samplers draw, counted; the counts that imbalanced-learn gives follow from its definition, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.errors import UsageError
from evenray.learning.balance import _sampling, make
from evenray.learning.balance._sampling import draw
from evenray.learning.train.schedule import first_to_keep


def targets_of(counts, seed=0):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def drawn(spec, targets, epoch=0, batch=8, seed=0):
    counts = np.bincount(targets)
    return make(spec, counts, tuple("abcdef"[: len(counts)])).sampler(targets, batch=batch, seed=seed, epoch=epoch)


@pytest.mark.parametrize(
    ("counts", "ratio", "expected"),
    [
        ([500, 1], 1.0, [500, 500]),  # RandomOverSampler(sampling_strategy="auto"): all classes as the largest
        ([500, 1], 0.5, [500, 250]),  # sampling_strategy=0.5: int(0.5 * 500) of the minority
        ([900, 100, 301], 1 / 3, [900, 300, 301]),  # a class that has more already keeps its own
        ([7, 7], 1.0, [7, 7]),
    ],
)
def test_oversampling_gives_exact_counts(counts, ratio, expected):
    targets = targets_of(counts)
    order = drawn(f"oversample({ratio})", targets)
    assert np.bincount(targets[order]).tolist() == expected
    times = np.bincount(order, minlength=len(targets))
    for k, n in enumerate(counts):
        of_class = times[targets == k]
        assert of_class.min() >= 1, "no case is lost"
        assert of_class.max() - of_class.min() <= 1, "copies are spread evenly"
        assert of_class.sum() == max(n, expected[k])


def test_which_cases_are_repeated_once_more_changes_with_the_epoch():
    targets = targets_of([25, 10])
    more = [np.bincount(drawn("oversample", targets, epoch=e), minlength=35)[targets == 1] for e in range(40)]
    assert np.sum(more, axis=0).min() > 40 * 2  # 25 draws over 10 cases: each gets its third copy now and then


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(1, 40), min_size=2, max_size=4), batch=st.integers(4, 20), seed=st.integers(0, 5))
def test_undersampling_balances_every_batch_and_leaves_no_case_out(counts, batch, seed):
    targets, rarest, K = targets_of(counts, seed), min(counts), len(counts)
    epochs = [drawn("undersample", targets, epoch=e, batch=batch, seed=seed) for e in range(-(-max(counts) // rarest))]
    for order in epochs:
        assert np.bincount(targets[order], minlength=K).tolist() == [rarest] * K
        for first in range(0, len(order), batch):
            in_batch = np.bincount(targets[order[first : first + batch]], minlength=K)
            assert in_batch.max() - in_batch.min() <= (0 if batch % K == 0 else 1)
    assert set(np.concatenate(epochs)) == set(range(len(targets))), "every case is seen over successive epochs"


def test_undersampling_shows_the_majority_equally_often_in_the_long_run():
    targets = targets_of([30, 7])
    times = np.bincount(np.concatenate([drawn("undersample", targets, epoch=e) for e in range(30)]))
    assert times[targets == 0].tolist() == [7] * 30  # 30 epochs x 7 = 7 x 30 cases
    assert times[targets == 1].tolist() == [30] * 7


def test_a_batch_must_hold_every_class():
    with pytest.raises(UsageError, match="A batch of 2 cannot hold a case of each of 3 classes"):
        drawn("undersample", targets_of([9, 9, 9]), batch=2)


def test_progressive_sampling_goes_from_the_data_to_balance_and_spares_nobody():
    targets = targets_of([90, 10])
    shares = [np.bincount(targets[drawn("progressive(epochs=8)", targets, epoch=e)])[1] for e in range(8)]
    assert shares == [10, 20, 30, 40, 50, 50, 50, 50]
    times = np.bincount(np.concatenate([drawn("progressive(epochs=8)", targets, epoch=e) for e in range(8)]))
    for k in (0, 1):
        assert np.ptp(times[targets == k]) <= 1


@pytest.mark.parametrize("epochs", [1, 2, 3, 6, 25])
@pytest.mark.parametrize("until", [0, 0.3, 0.5, 1])
def test_progressive_sampling_gets_to_balance_within_the_epochs_planned(epochs, until):
    """From the epoch on that is the first to keep, to the last one."""
    targets = targets_of([90, 10])
    remedy = make(f"progressive(until={until})", [90, 10], ["a", "b"], epochs=epochs)
    shares = [np.bincount(targets[remedy.sampler(targets, batch=8, seed=0, epoch=e)])[1] for e in range(epochs)]
    assert set(shares[first_to_keep(remedy, epochs) :]) == {50}
    assert all(share < 50 for share in shares[: first_to_keep(remedy, epochs)])


def splitmix(seed: int, count: int) -> list[int]:
    """The first words of SplitMix64 (Steele et al. 2014, figure 14), by Python's integers."""
    words = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) % 2**64
        word = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
        words.append(word ^ (word >> 31))
    return words


@pytest.mark.parametrize("length", [2, 9, 5000, 100_003])
def test_shuffling_is_durstenfelds_by_lemires_places(length: int) -> None:
    seed = int(np.random.default_rng(3).integers(0, 1 << 64, dtype=np.uint64))
    words, expected = iter(splitmix(seed, 2 * length)), list(range(length))
    for last in range(length - 1, 0, -1):
        product = (next(words) >> 32) * (last + 1)
        while product % 2**32 < (2**32 - last - 1) % (last + 1):
            product = (next(words) >> 32) * (last + 1)
        place = product >> 32
        expected[last], expected[place] = expected[place], expected[last]
    order = np.arange(length)
    _sampling.shuffle(order, np.random.default_rng(3))
    assert order.tolist() == expected


def test_a_shuffled_row_comes_out_in_every_order_equally_often():
    rows = np.tile(np.arange(4), (48_000, 1))
    _sampling.shuffle(rows, np.random.default_rng(5))
    assert (np.sort(rows, axis=1) == np.arange(4)).all()
    found, counts = np.unique(rows @ [64, 16, 4, 1], return_counts=True)
    assert len(found) == 24
    assert ((counts - 2000) ** 2 / 2000).sum() < 49.7  # 23 degrees of freedom, 999 of 1000 draws


def test_a_draw_wraps_around_into_a_new_order() -> None:
    members = np.arange(10, 17)
    stream = draw(members, 0, 35, key=(1, 0))
    for cycle in stream.reshape(5, 7):
        assert sorted(cycle) == list(members)
    assert len({tuple(cycle) for cycle in stream.reshape(5, 7)}) == 5
    assert (draw(members, 5, 20, key=(1, 0)) == stream[5:25]).all()
    assert len(draw(np.empty(0, np.int64), 0, 0, key=(1, 0))) == 0


def test_augmented_copies_change_only_classes_that_are_repeated():
    import torch

    balance = make("oversample_augmented", [90, 10], ("a", "b"))
    x, t = torch.rand(2000, 1, 12, 10), torch.tensor([0, 1] * 1000)
    changed, labels = balance.mix(x, t, np.random.default_rng(0))
    differs = (changed != x).flatten(1).any(1).numpy()
    assert not differs[0::2].any()
    assert differs[1::2].mean() == pytest.approx(8 / 9, abs=0.04)  # of nine draws of a rare case eight are copies
    assert torch.equal(labels, t)


def test_augmentation_turns_by_the_degrees_it_says():
    """A bright spot on the right edge, turned by up to 90 degrees about the centre of an oblong picture, keeps its
    distance in pixels.
    """
    import torch

    balance = make("oversample_augmented(degrees=90, shift=0, zoom=0, light=0)", [1000, 1], ("a", "b"))
    x = torch.zeros(40, 1, 41, 81)
    x[:, 0, 19:22, 54:57] = 1  # 15 pixels right of the centre (20, 40)
    turned, _ = balance.mix(x, torch.ones(40, dtype=torch.int64), np.random.default_rng(0))
    rows, columns = torch.meshgrid(torch.arange(41.0) - 20, torch.arange(81.0) - 40, indexing="ij")
    mass = turned[:, 0].sum((1, 2))
    down, right = (turned[:, 0] * rows).sum((1, 2)) / mass, (turned[:, 0] * columns).sum((1, 2)) / mass
    np.testing.assert_allclose(torch.hypot(down, right), 15, atol=0.3)
    assert np.ptp(torch.atan2(down, right).numpy()) > 1.5


def test_mixup_blends_the_rare_and_tells_its_labels():
    import torch

    counts = np.array([90, 10])
    balance = make("minority_mixup(alpha=0.4)", counts, ("a", "b"))
    targets = targets_of(counts)
    order = balance.sampler(targets, batch=90, seed=0, epoch=0)
    rng, total = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        y = torch.from_numpy(targets[rng.permutation(order)])
        x = y.double()[:, None, None, None].expand(-1, 1, 2, 2)  # pixels that say the label
        mixed, labels = balance.mix(x, y, rng)
        np.testing.assert_allclose(mixed[:, 0, 0, 0], labels[:, 1], atol=1e-12)
        assert (labels[y == 0, 0] == 1).all()
        assert (labels[y == 1, 1] >= 0.5).all()
        total += labels.sum(0).numpy()
    np.testing.assert_allclose(total / total.sum(), balance.prior, atol=0.004)
