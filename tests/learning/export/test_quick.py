"""Much to predict goes to OpenVINO once, little stays with torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenray.learning.export import quick, quicker
from evenray.learning.predict.engines import load

pytest.importorskip("openvino", reason="needs the extra 'export'")


def test_much_is_predicted_by_openvino(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path))
    # Whatever this processor has: the engines are compared in what they compute in.
    model = replace(load(finished_run, device="cpu"), precision="bf16")
    much = 1 + quick.WORTH // model.about.side**2
    assert quicker(model, finished_run, much - 2) is model
    assert quicker(replace(model, device="cuda"), finished_run, much).engine == "torch"
    assert quicker(replace(model, precision="f32"), finished_run, much).engine == "torch"
    fast = quicker(model, finished_run, much)
    assert fast.engine == "openvino"
    assert fast.about.as_json() == model.about.as_json()
    x = np.random.default_rng(1).random((7, 1, 28, 28), dtype=np.float32)
    assert np.abs(fast.run(x) - model.run(x)).max() < 0.05
    written = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.xml"))]
    assert quicker(model, finished_run, much).engine == "openvino"
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.xml"))] == written
    assert not list(tmp_path.rglob("*.onnx"))


def test_without_the_extra_torch_goes_on(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(load(finished_run, device="cpu"), precision="bf16")
    monkeypatch.setattr(quick, "find_spec", lambda name: None)
    assert quicker(model, finished_run, 10**9) is model
