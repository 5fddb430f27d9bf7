"""model.json: what is not as this evenray writes it is refused with its file, its field and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenray.core.artefacts.model import ModelRecord
from evenray.core.errors import DataError


@pytest.fixture
def content() -> dict[str, Any]:
    network = {
        "spec": "vgg11",
        "classes": 2,
        "channels": 1,
        "size": 28,
        "scale_jitter": [1.0, 1.5],
        "mean": [0.4],
        "members": 1,
        "parts": [],
    }
    return {
        "version": 2, "task": "classify", "classes": ["sick", "well"],
        "positive": "sick", "contrast": "none", "balance": "none", "prior": [0.25, 0.75],
        "counts": [3, 9], "value_range": [0, 4095], "scale": 65535, "native": 90, "image_side": None, "network": network,
        "training_images": None,
        "references": {}, "findings": None,
    }  # fmt: skip


def test_what_is_written_is_read(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(content))
    record = ModelRecord.read(tmp_path)
    assert (record.value_range, record.network.scale_jitter) == ((0.0, 4095.0), (1.0, 1.5))
    assert record.as_json() == content
    assert record.write(tmp_path) == ["model.json"]
    assert ModelRecord.read(tmp_path) == record


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"counts": None}, "counts is None, where an array was expected"),
        ({"counts": [3, "9"]}, "counts.1 is '9', where an integer was expected"),
        ({"levels": None}, "there is no field levels"),
        ({"network": {"spec": "vgg11"}}, "network.classes is missing"),
        ({"version": 1}, "version is 1, where 2 was expected"),
    ],
)
def test_another_file_is_refused_with_its_field(
    content: dict[str, Any], change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "model.json").write_text(json.dumps(content | change))
    with pytest.raises(DataError) as error:
        ModelRecord.read(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'model.json'}: {said}; the file was changed or damaged, or is of another version of evenray:"
        f" 'evenray run {tmp_path}' makes it again."
    )


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe"])
def test_no_json_is_damage(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(text)
    with pytest.raises(
        DataError, match=r"model.json: it holds no JSON; the file was .*'evenray run .*' makes it again"
    ):
        ModelRecord.read(tmp_path)


def test_an_absent_file_is_named_with_its_verb(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no model.json in .*; 'evenray run .*' makes it"):
        ModelRecord.read(tmp_path)
