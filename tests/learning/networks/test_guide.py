"""The guide names everything that can be chosen, and its Python is true."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evenray.evidence.explain import attributions
from evenray.learning.networks import networks
from evenray.learning.tta import tta_methods

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
GUIDE = (GUIDES / "networks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*networks, *tta_methods])
def test_every_name_is_in_the_guide(name: str) -> None:
    assert f"`{name}" in GUIDE


@pytest.mark.parametrize("name", attributions)
def test_every_attribution_is_in_its_guide(name: str) -> None:
    assert f"`{name}" in (GUIDES / "attribution.md").read_text(encoding="utf-8")


def test_the_python_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With smaller networks and smaller images than the guide's."""
    monkeypatch.chdir(tmp_path)
    blocks = [block.split("```")[0] for block in GUIDE.split("```python\n")[1:]]
    assert len(blocks) == 3
    names = {"x_NCHW": torch.rand(2, 1, 28, 28), "torch": torch, "batches": [torch.rand(2, 1, 28, 28)]}
    for block in blocks:
        small = block.replace("vgg16_bn(head=average)", "vgg16_bn(head=average, width=0.05)").replace(
            "size=224", "size=28"
        )
        exec(small.replace("channel=7", "channel=3").replace("channel=5", "channel=2"), names)
    assert names["step"].layer == "features.0"
    assert len(names["patches"]) == 2
