"""Pictures keep their pixels, shrink when they are large, and say nothing where the file is absent."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.reporting.figures.svg import png_uri
from evenray.reporting.pictures import LONGEST, heat, photograph


def pixels(uri: str | None) -> NDArray[Any]:
    assert uri is not None
    raw = base64.b64decode(uri.partition(",")[2])
    return np.asarray(cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED))


def save(path: Path, image: NDArray[np.uint8]) -> Path:
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return path


def test_a_thumbnail_keeps_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    np.testing.assert_array_equal(pixels(png_uri(image)), image)


def test_a_large_image_is_shrunk_and_keeps_its_aspect(tmp_path: Path) -> None:
    found = pixels(photograph(save(tmp_path / "흉부.png", np.full((900, 1800), 120, np.uint8))))
    assert found.shape == (LONGEST // 2, LONGEST)
    assert abs(int(found.mean()) - 120) <= 1


def test_colour_stays_colour(tmp_path: Path) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 2] = 200
    found = pixels(photograph(save(tmp_path / "a.png", image)))
    assert found.shape == (64, 64, 3)
    assert found[32, 32].argmax() == 2


def test_heat_is_opaque_where_it_is_hot(tmp_path: Path) -> None:
    image = np.zeros((40, 40), np.uint8)
    image[:, 20:] = 255
    found = pixels(heat(save(tmp_path / "map.png", image)))
    assert found.shape == (40, 40, 4)
    assert found[20, 5, 3] == 0
    assert found[20, 35, 3] == 255
    assert found[20, 35, 2] > 200  # hot is bright, red before blue
    assert found[20, 35, 2] > found[20, 35, 0]


def test_an_absent_file_is_none(tmp_path: Path) -> None:
    assert photograph(tmp_path / "none.png") is None
    assert heat(tmp_path / "none.png") is None
