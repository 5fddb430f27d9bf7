"""Several processes, one run: the first walks the line and alone writes; the others help it to train.

torchrun or srun starts the same command several times. The first process says a word to the others when there is
something to share, and another when it is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evenray.core.errors import TrainingError

if TYPE_CHECKING:
    from evenray.learning.train.alone import Machine

    from .context import Context

__all__ = ["help_out", "leading", "sharing"]

TRAIN, END = "train", "end"
GONE = re.compile(r"gloo|nccl|closed by peer|connection re(set|fused)|process ?group", re.IGNORECASE)


@contextmanager
def leading(context: Context) -> Iterator[None]:
    """While the first process walks the line; in the end, also a bad one, the others are let go."""
    try:
        yield
    finally:
        if context.team is not None and not context.shares:
            context.team.broadcast(END)
            _part()


def help_out(context: Context, train: Callable[[Context], object]) -> None:
    """What the other processes do: wait for the first one's word, train with it, until it has done."""
    assert context.team is not None
    while context.team.broadcast("") == TRAIN:
        train(context)
    _part()


@contextmanager
def sharing(context: Context) -> Iterator[Machine]:
    """The processes to train with: all of them, called together by the first; or this one, where it is alone.

    Raises TrainingError where another process has gone.
    """
    team = context.team
    if team is None:
        yield context.fabric
        return
    if team.global_rank == 0:
        team.broadcast(TRAIN)
    context.shares = True
    try:
        yield team
    except RuntimeError as error:
        if GONE.search(str(error)) is None:
            raise
        raise TrainingError(
            f"Another of the {team.world_size} processes of this training has gone ({str(error).splitlines()[0][:120]}); start"
            " the same command again: it goes on from the last checkpoint."
        ) from error
    context.shares = False


def _part() -> None:
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
