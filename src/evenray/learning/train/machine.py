"""The device and its precision, the allocator, and the processes that share a training."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import torch

from evenray.core.errors import UsageError
from evenray.core.processes import Processes, processes

from .alone import Alone, Machine

__all__ = ["keep_malloc", "machine", "team"]

Precision = Literal["bf16-mixed", "32-true", "64-true"]

# The first process may be at work alone for long, with the comparison say, while the others wait for the training.
PATIENCE = timedelta(days=7)


def machine(device: str = "auto", *, precision: Precision | None = None) -> Alone:
    """This process on one device: `auto` takes a GPU where there is one; bfloat16 only where it is faster."""
    name, index = _device(device)
    _prepare()
    where = torch.device(name, index) if name == "cuda" else torch.device(name)
    return Alone(where, precision or _precision(name))


def team(device: str = "auto", *, precision: Precision | None = None) -> Machine | None:
    """Fabric over all processes that torchrun or srun started, joined; None where this is the only one.

    Each process has a GPU of its own, the one of its number on its machine, or its share of the processor.
    """
    all_of_us = processes()
    if all_of_us.count == 1:
        return None
    name, _ = _device(device)
    nodes, odd = divmod(all_of_us.count, all_of_us.local_count)
    if odd:
        raise UsageError(
            f"{all_of_us.count} processes are {all_of_us.local_count} on one machine and fewer on another; start the same"
            " number on each."
        )
    if name == "cuda" and ":" in device:
        raise UsageError(f"--device is '{device}', but each of {all_of_us.count} processes has its own; give cuda.")
    if name == "cuda" and all_of_us.local_count > torch.cuda.device_count():
        raise UsageError(
            f"{all_of_us.local_count} processes are started on a machine with {torch.cuda.device_count()} GPU; start one a"
            " GPU."
        )
    if all_of_us.slurm:
        _as_torchrun(os.environ, all_of_us)
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    _prepare()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells which precision it was told to use
    backend = "nccl" if name == "cuda" else "gloo"
    fabric = Fabric(
        accelerator=name, devices=all_of_us.local_count, num_nodes=nodes,
        plugins=[TorchElasticEnvironment(), plugin(name, precision or _precision(name))],
        strategy=DDPStrategy(process_group_backend=backend, timeout=PATIENCE),
    )  # fmt: skip
    fabric.launch()
    return fabric


def plugin(name: str, precision: Precision) -> Any:
    """Fabric's word for a precision. Images stay as they are: in bfloat16 neighbouring grey levels are one, and the network
    begins by stretching them."""
    from lightning_fabric.plugins.precision import DoublePrecision, MixedPrecision
    from lightning_fabric.plugins.precision import Precision as Plain

    if precision != "bf16-mixed":
        return DoublePrecision() if precision == "64-true" else Plain()

    class Mixed(MixedPrecision):
        def convert_input(self, data: Any) -> Any:
            return data

    return Mixed("bf16-mixed", name)


def _device(device: str) -> tuple[str, int]:
    found = device
    if device == "auto":
        found = "cuda" if torch.cuda.is_available() else "cpu"
    name, colon, index = found.partition(":")
    if name not in ("cpu", "cuda", "mps") or (colon and (name != "cuda" or not index.isdecimal())):
        raise UsageError(f"There is no device '{device}'; give auto, cpu, cuda or cuda:1.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[name]
    if int(index or 0) >= count:
        raise UsageError(
            f"The device '{device}' is asked for, but torch finds {count or 'no'} GPU of that kind; leave --device out,"
            " or give cpu."
        )
    return name, int(index or 0)


def _prepare() -> None:
    # As use_deterministic_algorithms(True, warn_only=True), which would also tell, and so load, torch's compiler.
    torch.set_deterministic_debug_mode("warn")
    # Deterministic, torch also fills all new memory before it is written to; our results depend on none of it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _precision(name: str) -> Precision:
    native = torch.cuda.is_bf16_supported() if name == "cuda" else name == "cpu" and _cpu_is_faster_in_bf16()
    return "bf16-mixed" if native else "32-true"


def _cpu_is_faster_in_bf16() -> bool:
    try:
        return _fast_in_bf16(Path("/proc/cpuinfo").read_text())
    except OSError:
        return False


def _fast_in_bf16(cpuinfo: str) -> bool:
    """Whether a processor is faster in bfloat16 than in float32, by what Linux says of it.

    AMD's AVX-512 is, and AMX. Intel's AVX-512 without AMX, which some virtual machines hide, took 1.1 to 1.8 times as long
    (Emerald Rapids; docs/log.md).

    >>> _fast_in_bf16("vendor_id : GenuineIntel\\nflags : avx512f avx512_bf16")
    False
    """
    return "amx_bf16" in cpuinfo or ("avx512_bf16" in cpuinfo and "AuthenticAMD" in cpuinfo)


def _as_torchrun(environment: MutableMapping[str, str], all_of_us: Processes) -> None:
    """Where the processes meet, in torchrun's words: on the first machine of the SLURM step, at a port of its job."""
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

    job = int(environment.get("SLURM_JOB_ID", "0"))
    first = SLURMEnvironment.resolve_root_node_address(environment.get("SLURM_STEP_NODELIST", "127.0.0.1"))
    for name, value in {"MASTER_ADDR": first, "MASTER_PORT": 15000 + job % 10000}.items():
        environment.setdefault(name, str(value))
    environment.update({
        "WORLD_SIZE": str(all_of_us.count), "RANK": str(all_of_us.rank), "LOCAL_RANK": str(all_of_us.local_rank),
        "LOCAL_WORLD_SIZE": str(all_of_us.local_count), "GROUP_RANK": environment.get("SLURM_NODEID", "0"),
    })  # fmt: skip


def keep_malloc() -> None:
    """Have glibc keep big buffers instead of handing them back after every layer: a third of the time on a CPU."""
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
                libc.mallopt(option, value)
        except (OSError, AttributeError):  # another C library: only the speed is lost
            return
