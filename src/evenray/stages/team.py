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

from .tools import Tools

if TYPE_CHECKING:
    from evenray.learning.train.alone import Machine

__all__ = ["help_out", "leading", "sharing"]

TRAIN, END = "train", "end"
GONE = re.compile(r"gloo|nccl|closed by peer|connection re(set|fused)|process ?group", re.IGNORECASE)


@contextmanager
def leading(tools: Tools) -> Iterator[None]:
    """While the first process walks the line; in the end, also a bad one, the others are let go."""
    try:
        yield
    finally:
        if tools.team is not None and not tools.shares:  # in the midst of a training nobody would hear a word
            tools.team.broadcast(END)
            _leave()


def help_out(tools: Tools, train: Callable[[str], object]) -> None:
    """What the other processes do: wait for the first one's word, train with it, until it has done. The word names the work."""
    assert tools.team is not None
    while (word := tools.team.broadcast("")) != END:
        train(word.removeprefix(f"{TRAIN} "))
    _leave()


@contextmanager
def sharing(tools: Tools) -> Iterator[Machine]:
    """The processes to train with: all of them, called together by the first; or this one, where it is alone.

    Raises TrainingError where another process has gone.
    """
    team = tools.team
    if team is None:
        yield tools.machine
        return
    if team.global_rank == 0:
        team.broadcast(f"{TRAIN} {tools.key}")
    tools.shares = True
    try:
        yield team
    except RuntimeError as error:
        if GONE.search(str(error)) is None:
            raise
        raise TrainingError(
            f"Another of the {team.world_size} processes of this training has gone ({str(error).splitlines()[0][:120]}); start"
            " the same command again: it goes on from the last checkpoint."
        ) from error
    tools.shares = False


def _leave() -> None:
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
