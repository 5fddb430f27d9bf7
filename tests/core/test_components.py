"""Components against a flood from item to item."""

from __future__ import annotations

import numpy as np
import pytest

from evenray.core.components import components


def flooded(count: int, links: np.ndarray) -> list[int]:
    """The component of each item: the number of the flood that first reaches it."""
    reached = [-1] * count
    floods = 0
    for start in range(count):
        if reached[start] >= 0:
            continue
        wet = {start}
        while (grown := wet | {int(b) for a, b in links if a in wet} | {int(a) for a, b in links if b in wet}) != wet:
            wet = grown
        for item in wet:
            reached[item] = floods
        floods += 1
    return reached


@pytest.mark.parametrize("seed", range(20))
def test_components_are_numbered_by_their_first_items(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    links = rng.integers(0, count, (int(rng.integers(0, count)), 2))
    assert components(count, links).tolist() == flooded(count, links)


def test_no_items_and_no_links() -> None:
    assert components(0, []).tolist() == []
    assert components(3, []).tolist() == [0, 1, 2]


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(200_000)  # a climb of one step at a time would take hours
    assert components(200_000, np.stack([order[1:], order[:-1]], axis=1)).tolist() == [0] * 200_000
