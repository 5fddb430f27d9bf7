"""Components against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from evenray.core.components import components


@pytest.mark.parametrize("seed", range(40))
def test_components_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 200))
    links = rng.integers(0, count, (int(rng.integers(0, 2 * count)), 2))
    graph = scipy.sparse.coo_array((np.ones(len(links)), links.T), shape=(count, count))
    assert (
        components(count, links).tolist()
        == scipy.sparse.csgraph.connected_components(graph, directed=False)[1].tolist()
    )


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(200_000)  # a climb of one step at a time would take hours
    assert components(200_000, np.stack([order[1:], order[:-1]], axis=1)).tolist() == [0] * 200_000
