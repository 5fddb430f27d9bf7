"""AdamW that does not load torch's compiler, which is not used here and takes as long to load as torch itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

__all__ = ["AdamW"]

STEP = inspect.unwrap(torch.optim.Adam.step)


class AdamW(torch.optim.AdamW):
    """torch's; what torch wraps to be passed over by its compiler is called as it is."""

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        with torch.no_grad():
            return STEP(self, closure)
