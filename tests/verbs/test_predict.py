"""predict with its answers at a URL: what a table there names is there too."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest

import evenray as er
from tests.serve.conftest import untrained


def test_masks_go_to_the_url_that_the_table_goes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    memory, rng = fsspec.filesystem("memory"), np.random.default_rng(0)
    memory.store.clear()
    for name in ("p1/001.png", "p2/001.png"):
        (tmp_path / name).parent.mkdir()
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 150, (30, 40), dtype=np.uint8))
    model = untrained(tmp_path / "model", "segment")
    sources = [tmp_path / "p1", tmp_path / "p2"]
    er.predict(model, sources, "memory://out/answers.json", device="cpu", jobs=1)
    er.predict(model, sources, tmp_path / "answers.json", device="cpu", jobs=1)
    answers = json.loads(memory.cat_file("/out/answers.json"))["answers"]
    assert [answer["mask"] for answer in answers] == ["p1/001_mask.png", "p2/001_mask.png"]
    for answer in answers:
        here = tmp_path / "answers_masks" / answer["mask"]
        assert memory.cat_file(f"/out/answers_masks/{answer['mask']}") == here.read_bytes()
    memory.store.clear()
