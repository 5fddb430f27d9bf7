"""Large images are explained a few at a time, with the answers of all together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from evenray.core.types import Predictions
from evenray.data.store import Store
from evenray.evidence.explain import randomise, room
from evenray.evidence.explain.randomise import with_random_labels
from evenray.evidence.explain.removal import removal
from evenray.evidence.explain.room import parts_of
from evenray.learning.networks import Classifier, build
from evenray.learning.train import Part
from evenray.stages.attributing import noted_marks

NETWORK, SIDE, N = "unet('vgg11_bn(width=0.05)')", 48, 5


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through a network at once, each time; two are as many as may."""
    found = list[int]()
    plain = Classifier.forward

    def watched(self: Classifier, x: Tensor) -> Tensor:
        found.append(len(x))
        return plain(self, x)

    monkeypatch.setattr(Classifier, "forward", watched)
    for module in (room, randomise):
        monkeypatch.setattr(module, "AT_ONCE", 2 * SIDE * SIDE)
    return found


def model() -> Classifier:
    return build(NETWORK, classes=3, channels=1, size=SIDE).eval()


def test_what_is_removed_is_followed_a_few_images_at_a_time(shown: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    x, targets = torch.rand(N, 1, SIDE, SIDE), torch.arange(N) % 2
    maps = np.random.default_rng(0).random((N, SIDE, SIDE)).astype(np.float32)
    few = removal(model(), x, targets, maps, seed=3)
    assert max(shown) == 2
    monkeypatch.setattr(room, "AT_ONCE", 1_000_000)
    together = removal(model(), x, targets, maps, seed=3)
    assert max(shown) == N
    for key, curves in together.items():
        np.testing.assert_allclose(few[key], curves, rtol=1e-4)


def test_cards_and_labels_that_mean_nothing_take_a_few_images_at_a_time(shown: list[int]) -> None:
    cases = [f"c{n}" for n in range(N)]
    table = {"case": cases, "target_0": [True] * N, "target_1": [False] * N, "called_0": [9] * N, "called_1": [0] * N,
             "hit_0": [9] * N, "hit_1": [0] * N}  # fmt: skip
    explained = SimpleNamespace(
        predictions=Predictions(pl.DataFrame(table), ("a", "b"), "", "segment"), cuts=[0.5, 0.5], model=model(),
        dataset=SimpleNamespace(classes=("a", "b")), place_of={case: i for i, case in enumerate(cases)},
        seen=lambda pairs: pairs, inputs=lambda seen: torch.rand(len(seen), 1, SIDE, SIDE),
    )  # fmt: skip
    assert len(noted_marks(explained, [("typical", case) for case in cases])) == N  # type: ignore[arg-type]
    assert max(shown) == 2
    pixels = np.random.default_rng(0).integers(0, 255, (9, SIDE, SIDE)).astype(np.uint8)
    part = Part(Store((pixels,), 255), np.arange(9), np.zeros(9, np.int64))

    def loss(logits: Tensor, answers: Tensor, progress: float) -> Tensor:
        return nn.functional.cross_entropy(logits.mean((2, 3)), answers)

    with_random_labels(model(), part, loss)
    assert max(shown) == 2


def test_all_go_together_where_they_are_small_and_none_is_lost() -> None:
    for number, side in ((16, 320), (7, 700), (3, 4096)):
        parts = list(parts_of(torch.zeros(number, 1, 1, 1).expand(-1, -1, side, side)))
        assert [k for part in parts for k in range(part.start, part.stop)] == list(range(number))
        assert (len(parts) == 1) == (side == 320)
