"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Machines that run tests are shared: how long an example takes says nothing.
settings.register_profile("evenray", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evenray")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run in parallel processes, so each keeps to one thread; the same sums come out on any machine."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


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
}


@pytest.fixture(scope="session")
def tiny_recipe() -> dict[str, object]:
    """The fields of a recipe that runs in seconds."""
    return dict(TINY)


@pytest.fixture(scope="session")
def tiny_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MedMNIST file of 60, 24 and 30 pictures of 28 pixels; every third is of class 1, which a bright square tells."""
    import numpy as np

    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 60), ("val", 24), ("test", 30)):
        labels = (np.arange(n) % 3 == 0).astype(np.uint8)
        images = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
        images[labels == 1, 8:18, 8:18] += 60
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    path = tmp_path_factory.mktemp("archive") / "tiny.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="session")
def finished_run(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run on `tiny_archive`; copy it before changing anything."""
    from evenray.core.artefacts import RunFolder
    from evenray.core.recipe import Recipe
    from evenray.stages.line import Job, run

    folder = tmp_path_factory.mktemp("runs") / "finished"
    run(Job(RunFolder(folder), str(tiny_archive), Recipe(**TINY)))
    return folder


@pytest.fixture
def shut_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders named shut cannot be opened, not even by root."""
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
