"""What an exported detector says of how its answers become boxes is what is done with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from evenray.learning.boxes.decoding import decode, kept_in
from evenray.learning.boxes.encoding import DEFAULT, LOGITS
from evenray.learning.export.formats import _most
from evenray.learning.export.windowed import windows_of


def answers(scores: list[float]) -> torch.Tensor:
    """Boxes side by side in a grid, of one class, with these scores."""
    found = torch.zeros(1, len(scores), LOGITS.start + 2)
    across = 64
    for n in range(len(scores)):
        found[0, n, DEFAULT] = torch.tensor(
            [(n % across + 0.5) / across, (n // across + 0.5) / across, 0.5 / across, 0.5 / across]
        )
    p = torch.tensor(scores, dtype=torch.float32)
    found[0, :, LOGITS] = torch.stack([1 - p, p], 1).log()
    return found


@pytest.mark.parametrize(("windowed", "side"), [(False, 128), (False, 600), (True, 900)])
def test_as_many_boxes_remain_as_is_told(windowed: bool, side: int) -> None:
    about: Any = SimpleNamespace(windowed=windowed, side=side)
    look = decode(answers([0.5] * 2500)) if windowed else decode(answers([0.5] * 2500), kept_in(side))
    assert len(look[0].scores) == _most(about)[1]


def test_as_many_candidates_count_as_is_told() -> None:
    """All but one lie on one another: that one counts where its score is among those of the candidates."""
    about: Any = SimpleNamespace(windowed=False, side=128)
    for place in (_most(about)[0], _most(about)[0] + 1):
        told = answers([0.9] * (place - 1) + [0.5])
        told[0, : place - 1, DEFAULT] = told[0, 0, DEFAULT].clone()
        told[0, -1, DEFAULT] = torch.tensor([0.9, 0.9, 0.1, 0.1])
        assert len(decode(told)[0].scores) == (2 if place == _most(about)[0] else 1)


def test_of_all_windows_together_as_many_remain_as_the_square_may_have() -> None:
    about: Any = SimpleNamespace(task="detect", view="centre", size=300, side=900)
    assert f"the {kept_in(900)} of the highest scores remain" in windows_of(about)
