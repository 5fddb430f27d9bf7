"""A small network that has learnt something of which the cause is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from evenray.learning.networks import Classifier, build


@pytest.fixture(scope="package")
def trained() -> Classifier:
    """A small network that has learnt to tell images with a bright square from those without."""
    torch.manual_seed(0)  # dropout
    model = build("vgg11_bn(width=0.125)", classes=2, channels=1, size=32, mean=[0.3], std=[0.3]).train()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for step in range(60):
        x, targets, _ = squares(32, step)
        loss = nn.functional.cross_entropy(model(x), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def squares(number: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise, every second image with a bright square; the images, the classes, the masks of the squares."""
    generator = torch.Generator().manual_seed(seed)
    x, masks = 0.3 * torch.rand(number, 1, 32, 32, generator=generator), torch.zeros(number, 32, 32, dtype=torch.bool)
    targets = torch.arange(number) % 2
    for i in range(1, number, 2):
        top, left = torch.randint(2, 20, (2,), generator=generator).tolist()
        masks[i, top : top + 10, left : left + 10] = True
    x[masks.unsqueeze(1)] += 0.6
    return x, targets, masks
