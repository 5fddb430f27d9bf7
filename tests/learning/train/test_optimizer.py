"""Our AdamW against torch's own, bit for bit, through a state that is saved and taken up."""

from __future__ import annotations

import copy

import torch
from torch import nn

from evenray.learning.train.optimizer import AdamW


def test_it_steps_as_torchs_does_and_goes_on_from_its_state() -> None:
    torch.manual_seed(0)
    own = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    other, x = copy.deepcopy(own), torch.randn(3, 5)
    options = {"lr": 0.1, "weight_decay": 0.02, "fused": True}
    first, second = AdamW(own.parameters(), **options), torch.optim.AdamW(other.parameters(), **options)
    for number in range(4):
        for model, optimizer in ((own, first), (other, second)):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
        assert all(torch.equal(a, b) for a, b in zip(own.parameters(), other.parameters(), strict=True))
        if number == 1:
            saved = copy.deepcopy(first.state_dict())
            first = AdamW(own.parameters(), **options)
            first.load_state_dict(saved)
    assert first.state_dict()["param_groups"] == second.state_dict()["param_groups"]
