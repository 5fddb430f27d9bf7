"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

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


@pytest.fixture(scope="session")
def evenray_data() -> Path:
    """The folder of real images: $EVENRAY_DATA, or shared/data beside the checkout; skips where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EVENRAY_DATA", beside))
    if not folder.is_dir():
        pytest.skip("real images are absent; point EVENRAY_DATA at them")
    return folder
