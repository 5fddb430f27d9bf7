"""A server at work, with a model of every task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from evenray.core.artefacts.model import NetworkRecord, TrainingCounts
from evenray.learning import export
from evenray.learning.networks import build
from evenray.learning.predict.about import About, FindingPoint
from evenray.metrics import Calibration
from evenray.serve.limits import Limits
from evenray.serve.models import Models
from evenray.serve.rest import rest_application
from evenray.serve.running import in_background
from evenray.serve.security import Access
from evenray.serve.service import Service

SPECS = {
    "tag": ("vgg11_bn(width=0.05)", 28, "sigmoid"),
    "segment": ("unet('vgg11_bn(width=0.05)')", 32, "softmax"),
    "detect": ("ssd('vgg11_bn(width=0.05)')", 48, "boxes"),
}
MOST = 400_000  # bytes of a request


def untrained(folder: Path, task: str, seed: int = 5, threshold: float = 0.33, side: int | None = None) -> Path:
    """A model of a task whose network has learnt nothing, and which calls a good deal at that threshold; it takes images of `side`
    where that is given, through windows."""
    spec, size, output = SPECS[task]
    network = build(spec, classes=2 + (task == "segment"), channels=1, size=size, seed=seed, output=output).eval()  # type: ignore[arg-type]
    point = FindingPoint(calibration=Calibration("none", {}), threshold=threshold, rule="fixed")
    about = About(
        task=task, classes=("mass", "nodule"), positive="", contrast="none", value_range=None, native=side or size, side=side or size,  # type: ignore[arg-type]
        scale=255, view="centre", balance="none", prior=(0.4, 0.4), counts=(8, 8), calibration=Calibration("none", {}),
        threshold=None, rule=None, prevalence=None, training_images=None, points=(point, point), references={},
        findings=TrainingCounts(present=(8, 8), absent=(12, 12)),
        network=NetworkRecord.model_validate_json(network.description.model_dump_json()),
    )  # fmt: skip
    return export.safetensors(network, about, folder).parent


@pytest.fixture(scope="session")
def sources(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A model of every task, by the name that the server knows it by."""
    folder = tmp_path_factory.mktemp("models")
    return {"finished": str(finished_run)} | {task: str(untrained(folder / task, task)) for task in SPECS}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """PNG files of 28 to 60 pixels."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(1)
    paths = [folder / f"{n}.png" for n in range(6)]
    for n, path in enumerate(paths):
        cv2.imwrite(str(path), rng.integers(0, 150, (28 + 4 * n, 40 + 4 * n), dtype=np.uint8))
    return paths


@pytest.fixture(scope="session")
def service(sources: dict[str, str]) -> Service:
    return Service(Models(list(sources.values()), "cpu"), jobs=1, queue=8, seconds=30)


@pytest.fixture(scope="session")
def url(service: Service) -> Iterator[str]:
    """The address of a server at work, which takes requests of 400 kB and waits four seconds for them."""
    with in_background(rest_application(service, Access(), Limits(MOST, 4))) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as found:
        yield found
