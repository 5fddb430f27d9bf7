"""One process on one device, as lightning's Fabric would run it: loading Fabric takes longer than the first steps of a training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["Alone", "Machine"]

T = TypeVar("T")


class Machine(Protocol):
    """What training asks of the machine: Alone has it, and Fabric, which joins many processes."""

    @property
    def device(self) -> torch.device: ...
    @property
    def world_size(self) -> int: ...
    @property
    def global_rank(self) -> int: ...
    def autocast(self) -> Any: ...
    def setup(self, module: nn.Module, *optimizers: torch.optim.Optimizer) -> Any: ...
    def backward(self, tensor: Tensor) -> None: ...
    def broadcast(self, obj: T) -> T: ...


class Alone:
    """The only process; computes in `precision`: bf16-mixed, 32-true or 64-true.

    >>> machine = Alone(torch.device("cpu"), "bf16-mixed")
    >>> wrapped, _ = machine.setup(nn.Linear(3, 2), None)
    >>> with machine.autocast():
    ...     torch.ones(1, 1) @ torch.ones(1, 1), wrapped(torch.ones(1, 3)).dtype
    (tensor([[1.]], dtype=torch.bfloat16), torch.float32)
    """

    world_size, global_rank = 1, 0

    def __init__(self, device: torch.device, precision: str) -> None:
        self.device, self.precision = device, precision

    @contextmanager
    def autocast(self) -> Iterator[None]:
        if self.precision == "bf16-mixed":
            with torch.autocast(self.device.type, torch.bfloat16):
                yield
            return
        before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

    @property
    def dtype(self) -> torch.dtype:
        """That of weights and images."""
        return torch.float64 if self.precision == "64-true" else torch.float32

    def setup(self, module: nn.Module, *optimizers: Any) -> Any:
        """The module, computing in this precision, and the optimisers as they are."""
        return _Wrapped(module.to(self.device, self.dtype), self), *optimizers

    def backward(self, tensor: Tensor) -> None:
        tensor.backward()  # type: ignore[no-untyped-call]

    def broadcast(self, obj: T) -> T:
        return obj


class _Wrapped:
    """A module whose forward pass is in the machine's precision."""

    def __init__(self, module: nn.Module, machine: Alone) -> None:
        self.module, self.machine = module, machine

    def __call__(self, x: Tensor) -> Tensor:
        with self.machine.autocast():
            answers: Tensor = self.module(x.to(self.machine.dtype))
        return answers.to(torch.get_default_dtype())

    def train(self, mode: bool = True) -> None:
        self.module.train(mode)
