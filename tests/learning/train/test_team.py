"""Two processes learn what one does: through torchrun and as srun starts them, to 1e-6 in float64."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch

from evenray.core.errors import TrainingError
from evenray.learning.balance import DoubleCorrectionWarning
from evenray.stages.team import sharing

# What each process does; one that torchrun did not start does the whole of it alone.
WORK = """
import sys
from pathlib import Path
import numpy as np
import torch
from evenray.learning import networks
from evenray.learning.balance import make
from evenray.data.store import Store
from evenray.learning.train import Part, Settings, examples, fit, machine
from evenray.learning.train.validation import forward
from evenray.learning.train.machine import team

torch.set_num_threads(1)
class Killed(BaseException): pass

def part(n, seed):
    rng = np.random.default_rng(seed)
    targets = (np.arange(n) % 3 == 0).astype(np.int64)
    pixels = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
    pixels[targets == 1, 8:18, 8:18] += 60
    return Part(Store((pixels,), 255), np.arange(n), targets)

def marked(n, seed):
    plain = part(n, seed)
    masks = np.zeros(plain.store.shards[0].shape, np.uint8)
    masks[plain.targets == 1, 8:18, 8:18] = 1
    masks[::5, :4] = 255  # unknown
    shares = np.column_stack([784 - 100 * plain.targets, 100 * plain.targets])
    return examples("segment", Store(plain.store.shards, 255, masked=(masks,)), plain.rows, shares)

out, stop = Path(sys.argv[1]), int(sys.argv[2])
fabric = team("cpu", precision="64-true") or machine("cpu", precision="64-true")
found = {"rank": fabric.global_rank, "world": fabric.world_size}
networks_of = {"none": "vgg11(head=average, width=0.05)", "minority_mixup | weighted": "vgg11_bn(head=average, width=0.05)",
               "weighted | dice": "unet(vgg11_bn(width=0.05))"}
for spec, network in networks_of.items():
    model = networks.build(network, classes=2, channels=1, size=28, seed=0).double()
    ticks = iter(range(stop))
    def tick():
        if next(ticks, None) is None: raise Killed
    kind, of = ("segment", marked) if network.startswith("unet") else ("classify", part)
    settings = Settings(task=kind, epochs=2, batch=7, learning_rate=1e-3, flips=True, keep="best")
    try:  # 31 images: four batches of 7 and one of 3, so that no part is even
        trained, history = fit(model, of(31, 0), of(20, 1), settings, make(spec, [20, 11], ("well", "sick")), fabric,
                               folder=out / network[:8], tick=tick, save_every=0)
    except Killed:
        continue
    logits = torch.from_numpy(forward(trained, of(20, 1), 7, fabric).astype(np.float64))
    found[network] = {"weights": trained.state_dict(), "logits": logits, "history": history}
torch.save(found, out / f"found-{fabric.global_rank}.pt")
"""


def environment(**more: str) -> dict[str, str]:
    source = str(Path(__file__).parents[3] / "src")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "PYTEST"))}
    return {**kept, "PYTHONPATH": source, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", **more}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def by_torchrun(script: Path, out: Path) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={free_port()}"]
    done = subprocess.run([*words, str(script), str(out), "99"], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


def by_srun(words: list[str]) -> None:
    """Two tasks with the variables that srun sets for a step on one machine."""
    common = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1", "SLURM_STEP_NODELIST": "localhost",
              "SLURM_JOB_ID": "17", "SLURM_NTASKS": "2", "MASTER_PORT": free_port()}  # fmt: skip
    tasks = [
        subprocess.Popen(
            [sys.executable, *words], stderr=subprocess.PIPE,
            env=environment(**common, SLURM_PROCID=rank, SLURM_LOCALID=rank, SLURM_NODEID="0"),
        ) for rank in ("0", "1")
    ]  # fmt: skip
    said = [task.communicate(timeout=300)[1].decode() for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said


def found(folder: Path, rank: int = 0) -> dict[str, object]:
    read: dict[str, object] = torch.load(folder / f"found-{rank}.pt", weights_only=True)
    return read


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("team") / "work.py"
    path.write_text(WORK)
    return path


@pytest.fixture(scope="module")
def alone(script: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one process learns: this one, which has torch at hand; it computes in one thread as those do."""
    out = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", [str(script), str(out), "99"])
        warnings.simplefilter("ignore", DoubleCorrectionWarning)  # of a chain that has all that processes share
        runpy.run_path(str(script))
    return found(out)


def assert_same(one: dict[str, object], two: dict[str, object]) -> None:
    for network in (
        "vgg11(head=average, width=0.05)",
        "vgg11_bn(head=average, width=0.05)",
        "unet(vgg11_bn(width=0.05))",
    ):
        first, second = one[network], two[network]
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        for name, tensor in first["weights"].items():
            torch.testing.assert_close(second["weights"][name], tensor, rtol=0, atol=1e-6)
        torch.testing.assert_close(second["logits"], first["logits"], rtol=0, atol=1e-6)
        for row, other in zip(first["history"], second["history"], strict=True):
            for name in set(row) - {"seconds", "validation_seconds"}:
                assert other[name] == pytest.approx(row[name], abs=1e-6), name


def test_two_processes_learn_what_one_does_also_when_stopped_and_started_otherwise(
    script: Path, alone: dict[str, object], tmp_path: Path
) -> None:
    by_srun([str(script), str(tmp_path), "6"])
    assert set(found(tmp_path, 1)) == {"rank", "world"}  # stopped in the second epoch
    position = torch.load(tmp_path / "vgg11_bn" / "last.pt", weights_only=True)["position"]
    assert (position["epoch"], position["batch"]) == (1, 2)
    by_torchrun(script, tmp_path)
    assert (found(tmp_path)["world"], found(tmp_path, 1)["rank"]) == (2, 1)
    assert_same(alone, found(tmp_path))
    assert_same(found(tmp_path), found(tmp_path, 1))


def test_the_command_line_under_srun(tiny_archive: Path, tmp_path: Path) -> None:
    """The first process writes all there is, the second helps and is silent."""
    asked = [
        "--network",
        "vgg11_bn(head=average, width=0.05)",
        "--epochs",
        "2",
        "--size",
        "28",
        "--contrast",
        "none",
        "--balance",
        "none",
    ]
    words = ["-c", "from evenray.cli import main; main()", "train", str(tiny_archive), *asked, "--jobs", "1", "-o"]
    run = tmp_path / "run"
    by_srun([*words, str(run)])
    assert pl.read_csv(run / "history.csv")["epoch"].to_list() == [1, 2] * 3  # of three members
    assert (run / "model.safetensors").exists()
    assert not list(run.rglob("*.tmp"))


def test_another_process_that_has_gone_is_told(tmp_path: Path) -> None:
    team = SimpleNamespace(global_rank=1, world_size=2)
    context = SimpleNamespace(team=team, shares=False)
    said = r"Another of the 2 processes .* has gone \(.*closed by peer.*\); start"
    with pytest.raises(TrainingError, match=said), sharing(context):  # type: ignore[arg-type]
        raise RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:3377")
    with pytest.raises(RuntimeError, match="shape"), sharing(context):  # type: ignore[arg-type]
        raise RuntimeError("shape mismatch")
