"""The fingerprint against SciPy's cosine transform, and its turns against turned pictures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dctn

from evenray.data.audit._fingerprint import TURNS, fingerprint_of, turned

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
TURNED = {
    "left_right": PICTURE[:, ::-1],
    "top_bottom": PICTURE[::-1],
    "180": np.rot90(PICTURE, 2),
    "90": np.rot90(PICTURE, -1),
    "270": np.rot90(PICTURE),
    "mirrored_90": PICTURE.T,
    "mirrored_270": np.rot90(PICTURE, 2).T,
}


def test_it_is_the_cosine_transform() -> None:
    expected = dctn(PICTURE.astype(np.float64), norm="ortho")[:8, :8] / (32 * 255)
    assert np.allclose(fingerprint_of(PICTURE), expected, atol=1e-6)


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_of_the_fingerprint_is_that_of_the_picture(turn: str) -> None:
    assert np.allclose(turned(fingerprint_of(PICTURE)[None], turn)[0], fingerprint_of(TURNED[turn]), atol=1e-6)


def test_every_turn_of_the_square_is_there_once() -> None:
    pictures = {TURNED[turn].tobytes() for turn in TURNS}
    assert len(pictures) == 7
    assert PICTURE.tobytes() not in pictures


def test_a_negative_has_the_opposite_signs() -> None:
    both = fingerprint_of(PICTURE).ravel()[1:], fingerprint_of(255 - PICTURE).ravel()[1:]
    assert np.allclose(both[0], -both[1], atol=1e-6)
