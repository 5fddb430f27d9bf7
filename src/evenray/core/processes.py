"""The processes that torchrun or SLURM's srun started to work together; read from the environment, which both fill."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Processes", "processes"]


@dataclass(frozen=True)
class Processes:
    """How many there are, on this machine and in all, and which of them this one is.

    >>> Processes.of({"WORLD_SIZE": "8", "RANK": "5", "LOCAL_WORLD_SIZE": "4", "LOCAL_RANK": "1"})
    Processes(count=8, rank=5, local_count=4, local_rank=1, slurm=False)
    >>> Processes.of({"SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "5", "SLURM_LOCALID": "1"})
    Processes(count=8, rank=5, local_count=4, local_rank=1, slurm=True)
    >>> Processes.of({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"})  # a batch script that did not call srun
    Processes(count=1, rank=0, local_count=1, local_rank=0, slurm=False)
    """

    count: int = 1
    rank: int = 0
    local_count: int = 1
    local_rank: int = 0
    slurm: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Processes:
        def number(name: str, otherwise: int) -> int:
            text = environment.get(name, "")
            return int(text) if text.isdecimal() else otherwise

        if (count := number("WORLD_SIZE", 1)) > 1:
            local = number("LOCAL_WORLD_SIZE", count)
            return cls(count, number("RANK", 0), local, number("LOCAL_RANK", 0))
        if (count := number("SLURM_STEP_NUM_TASKS", 1)) > 1:
            local = -(-count // number("SLURM_STEP_NUM_NODES", 1))
            return cls(count, number("SLURM_PROCID", 0), local, number("SLURM_LOCALID", 0), slurm=True)
        return cls()


def processes() -> Processes:
    """Those of this run; one where neither torchrun nor srun started it."""
    return Processes.of(os.environ)
