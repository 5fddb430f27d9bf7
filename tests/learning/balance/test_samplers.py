"""What the samplers draw, counted; the counts that imbalanced-learn gives follow from its definition, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.errors import UsageError
from evenray.learning.balance import _sampling, make, shard
from evenray.learning.balance._sampling import draw, permuted
from evenray.learning.train.loop import first_to_keep


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


@pytest.mark.parametrize("size", [1, 7, 32_768, 32_769, 100_003, 1 << 17])
def test_permuted_is_a_permutation(size):
    assert (np.sort(permuted(np.arange(size), size, (3, 4))) == np.arange(size)).all()


def chi_square(values, cells):
    counts, expected = np.bincount(values, minlength=cells), len(values) / cells
    return ((counts - expected) ** 2 / expected).sum()


@pytest.mark.parametrize("size", [5000, 100_000])
def test_permuted_is_as_even_as_chance(size):
    """Chi-squares with 99 degrees of freedom stay below 149 in 999 of 1000 draws."""
    keys = range(2000)
    places = np.array([permuted(np.array([0, 1, 2]), size, (key, 0)) for key in keys]).astype(np.int64)
    for column in places.T:
        assert chi_square(column * 100 // size, 100) < 149
    assert chi_square((places[:, 1] - places[:, 0]) % size * 100 // size, 100) < 149  # neighbours do not stay together
    order = permuted(np.arange(size), size, (0, 1)).astype(np.int64)
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 4 / size**0.5
    pairs = order[: size // 2 * 2].reshape(-1, 2) * 10 // size
    assert chi_square(pairs[:, 0] * 10 + pairs[:, 1], 100) < 149


def test_a_shuffled_row_comes_out_in_every_order_equally_often():
    rows = np.tile(np.arange(4), (48_000, 1))
    _sampling.shuffle(rows, np.random.default_rng(5))
    assert (np.sort(rows, axis=1) == np.arange(4)).all()
    found, counts = np.unique(rows @ [64, 16, 4, 1], return_counts=True)
    assert len(found) == 24
    assert ((counts - 2000) ** 2 / 2000).sum() < 49.7  # 23 degrees of freedom, 999 of 1000 draws


def test_pieces_that_do_not_fit_one_chunk_come_out_the_same(monkeypatch):
    targets = targets_of([700, 200, 50])
    whole = [drawn(spec, targets) for spec in ("oversample", "undersample", "progressive")]
    monkeypatch.setattr(_sampling, "CHUNK", 64)
    for before, spec in zip(whole, ("oversample", "undersample", "progressive"), strict=True):
        assert (drawn(spec, targets) == before).all()


def test_draw_of_an_absent_class_is_empty():
    windows = [np.empty(2, dtype=np.int64), np.empty(0, dtype=np.int64)]
    draw(np.array([0, 0]), windows, np.array([0, 0]), seed=0)
    assert sorted(windows[0]) == [0, 1]


@given(length=st.integers(1, 60), batch=st.integers(1, 8), world=st.integers(1, 4))
def test_shards_are_equally_long_and_lose_nothing(length, batch, world):
    parts = [shard(np.arange(length), batch=batch, rank=r, world=world) for r in range(world)]
    assert len({len(p) for p in parts}) == 1
    assert set(np.concatenate(parts)) == set(range(length))
    with pytest.raises(UsageError, match="expected 0 to"):
        shard(np.arange(length), batch=batch, rank=world, world=world)


def test_shards_keep_batches_balanced():
    targets = targets_of([300, 40])
    order = drawn("undersample", targets, batch=8)
    for rank in range(3):
        mine = targets[shard(order, batch=8, rank=rank, world=3)]
        assert (mine.reshape(-1, 8).sum(axis=1) == 4).all()


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
