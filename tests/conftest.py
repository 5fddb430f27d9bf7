"""Fixtures that every test may use."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Machines that run tests are shared: how long an example takes says nothing.
settings.register_profile("evenray", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evenray")

# The processes that run tests, and those that tests start, each compile every module anew where no bytecode is kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Before NumPy is there, and for processes that tests start too: the matrices are small, and threads of BLAS take many times as
# long to wait for each other as one takes to compute, all the more where processes share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

Make = Callable[[Path], object]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run in parallel processes, so each keeps to one thread; the same sums come out on any machine."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(autouse=True, scope="session")
def one_job() -> Iterator[None]:
    """And to one process beside it, where a test does not ask for more: each imports torch first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Make], Path]:
    """made_once(name, make) is a folder that make(folder) has filled, in the first of the parallel processes to need it.

    All of them read it: copy it before changing anything.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    place = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()

    def get(name: str, make: Make) -> Path:
        folder, finished = place / "once" / name, place / "once" / f"{name}.finished"
        folder.parent.mkdir(exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go where the file is closed, or the process ends
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                finished.touch()
        return folder

    return get


@pytest.fixture(autouse=True, scope="session")
def no_weights_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What this machine has of trained weights would change plans: tests begin with none."""
    from evenray.learning.networks import catalogue

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENRAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(catalogue, "_in_wheel", lambda known: None)
        yield


@pytest.fixture(scope="session")
def evenray_data() -> Path:
    """The folder of real images: $EVENRAY_DATA, or shared/data beside the checkout; skips where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EVENRAY_DATA", beside))
    if not folder.is_dir():
        pytest.skip("real images are absent; point EVENRAY_DATA at them")
    return folder


CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium to look at pages with; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


# The smallest recipe that goes through every stage, comparison included.
TINY = {
    "network": "vgg11_bn(width=0.05)",
    "epochs": 2,
    "size": 28,
    "folds": 2,
    "seeds": 1,
    "contrast": ("none", "equalize"),
    "balance": "none",
    "choose": {"members": 2},
}


@pytest.fixture(scope="session")
def tiny_recipe() -> dict[str, object]:
    """The fields of a recipe that runs in seconds."""
    return dict(TINY)


@pytest.fixture(scope="session")
def tiny_archive(made_once: Callable[[str, Make], Path]) -> Path:
    """A MedMNIST file of 60, 24 and 30 pictures of 28 pixels; every third is of class 1, which a bright square tells."""
    return made_once("archive", _draw_archive) / "tiny.npz"


def _draw_archive(folder: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 60), ("val", 24), ("test", 30)):
        labels = (np.arange(n) % 3 == 0).astype(np.uint8)
        images = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
        images[labels == 1, 8:18, 8:18] += 60
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    np.savez(folder / "tiny.npz", **arrays)


@pytest.fixture(scope="session")
def finished_run(tiny_archive: Path, made_once: Callable[[str, Make], Path]) -> Path:
    """The folder of a whole run on `tiny_archive`; copy it before changing anything."""
    from evenray.core.artefacts import RunFolder
    from evenray.core.recipe import Recipe
    from evenray.stages.line import Job, run

    return made_once("finished", lambda folder: run(Job(RunFolder(folder), str(tiny_archive), Recipe(**TINY))))


@pytest.fixture
def shut_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders named shut cannot be opened, not even by root."""
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
