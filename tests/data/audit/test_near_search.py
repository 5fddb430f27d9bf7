"""The search for near duplicates against an exhaustive one."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from evenray.core.types import Dataset
from evenray.data.audit._fingerprint import fingerprint_of
from evenray.data.audit._near_search import BITS_APART, candidates, near_copies, near_groups


def dataset_of(pixels: NDArray[np.uint8], **columns: list[str]) -> Dataset:
    names = [f"{i:05d}" for i in range(len(pixels))]
    prints = fingerprint_of(pixels).reshape(-1, 64).astype("<f2")
    given = {"case": names, "pixel_hash": names, "label": ["a"] * len(names)}
    table = pl.DataFrame(given | columns).with_columns(std=pl.lit(0.2)).with_row_index("sketch")
    return Dataset(table, ("a",), "a", ".", sketches={"fingerprint": prints, "thumbnail": pixels})


def aligned(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures that have much in common, as chest X-rays have."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:32, 0:32] / 31
    common = 120 + 80 * np.cos(2 * np.pi * x) * np.sin(np.pi * y)
    own = np.kron(rng.normal(0, 22, (count, 8, 8)), np.ones((4, 4)))
    return np.clip(common + own, 0, 255).astype(np.uint8)


def test_codes_apart_by_few_bits_are_found() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2**63, 2000, dtype=np.uint64) << np.uint64(1)
    planted = codes[:400].copy()
    for flip in range(6):
        planted ^= np.uint64(1) << rng.integers(1, 64, 400).astype(np.uint64)
        assert flip < BITS_APART
    everything = np.concatenate([codes, planted])
    found = {tuple(pair) for pair in candidates(everything, np.arange(len(everything))).tolist()}
    distance = np.bitwise_count(everything[:, None] ^ everything[None, :])
    exhaustive = {(i, j) for i, j in np.argwhere(distance <= BITS_APART).tolist() if i < j}
    assert found <= exhaustive
    assert len(found & {(i, 2000 + i) for i in range(400)}) >= 392


def test_copies_are_found_and_nothing_else() -> None:
    pixels = aligned(800)
    copies = np.clip(255 * (pixels[:80] / 255) ** 0.8 + np.random.default_rng(2).normal(0, 2, (80, 32, 32)), 0, 255)
    groups = near_groups(dataset_of(np.concatenate([pixels, copies.astype(np.uint8)])))
    assert {group.cases for group in groups} == {(f"{i:05d}", f"{800 + i:05d}") for i in range(80)}
    assert min(group.correlation for group in groups) > 0.95


@pytest.mark.parametrize("count", [2, 30])
def test_a_pair_of_negatives_is_told_in_a_set_of_any_size(count: int) -> None:
    pixels = aligned(count)
    pixels[1] = 255 - pixels[0]
    groups = near_groups(dataset_of(pixels), negative=True)
    assert [group.cases for group in groups] == [("00000", "00001")]
    assert near_groups(dataset_of(pixels)) == []


@pytest.mark.parametrize("light", [1.0, 0.4])
def test_copies_in_another_set_are_found_and_nothing_else(light: float) -> None:
    """The other set is as light or darker as a whole, has near twins of its own, and a negative of a known image."""
    known, strangers = aligned(400), aligned(300, seed=9)
    changed = np.clip(255 * (known[:40] / 255) ** 0.8 + np.random.default_rng(2).normal(0, 2, (40, 32, 32)), 0, 255)
    other = np.concatenate([strangers, strangers[:20] + 2, changed, 255 - known[60:62]]) * light
    found = near_copies(dataset_of(known), dataset_of(other.astype(np.uint8)))
    assert found == [f"{i:05d}" for i in range(320, 362)]


def test_a_set_of_negatives_is_no_set_of_copies() -> None:
    assert near_copies(dataset_of(aligned(200)), dataset_of(255 - aligned(200, seed=9))) == []


def test_what_differs_in_a_group_is_told() -> None:
    pixels = np.concatenate([aligned(40), aligned(40)[:3]])
    count = len(pixels)
    labels = ["b" if i == 40 else "a" for i in range(count)]
    patients = ["p" if i in (1, 41) else str(i) for i in range(count)]
    groups = near_groups(dataset_of(pixels, label=labels, patient=patients, part=["train"] * 42 + ["test"]))
    assert [group.labels_differ for group in groups] == [True, False, False]
    assert [group.patients_differ for group in groups] == [True, False, True]
    assert [group.parts_differ for group in groups] == [False, False, True]


def test_many_copies_of_one_image_are_one_group_soon() -> None:
    pixels = np.concatenate([aligned(500), np.repeat(aligned(1, seed=9), 3000, axis=0)])
    pixels[500:, 0, 0] += np.arange(3000, dtype=np.uint8) % 4
    start = time.process_time()
    groups = near_groups(dataset_of(pixels))
    assert [len(group.cases) for group in groups] == [3000]
    assert time.process_time() - start < 10
