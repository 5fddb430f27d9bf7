"""How many images a model computes together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from evenray.learning.predict.engines import Model


def batch(side: int, size: int, parts: tuple[int, ...] = (), task: str = "classify") -> int:
    network = SimpleNamespace(parts=[SimpleNamespace(size=part) for part in parts])
    about = cast("Any", SimpleNamespace(side=side, size=size, task=task, network=network))
    return Model(about, cast("Any", None), "torch", "f32").batch


@pytest.mark.parametrize(("parts", "expected"), [((), 256), ((28, 64), 256), ((28, 112), 64), ((28, 224), 16)])
def test_a_mix_computes_as_many_together_as_its_largest_part_allows(parts: tuple[int, ...], expected: int) -> None:
    assert batch(28, 28, parts) == expected


def test_a_closer_look_is_larger_in_every_part() -> None:
    assert (batch(300, 224), batch(1024, 512)) == (11, 1)
    assert batch(64, 28) == 16
    assert batch(256, 28, (28, 112)) == 1
