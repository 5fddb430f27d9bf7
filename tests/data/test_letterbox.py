"""Letterboxing: what the square looks like, and that everything finds its way back to the file's own pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.data.letterbox import Placement, letterbox

SIDES = st.integers(1, 90)


class TestLetterbox:
    @given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3]), st.sampled_from([255, 65535]))
    def test_aspect_is_kept_and_the_rest_is_black(self, rows: int, columns: int, channels: int, scale: int) -> None:
        image = Image(np.full((rows, columns), 9, np.uint8), (0, 9))
        found, _ = letterbox(image, 28, channels, scale)
        assert found.shape == (28, 28) + ((3,) if channels == 3 else ())
        grey = found if channels == 1 else found[..., 0]
        inside = np.argwhere(grey > 0)
        height, width = inside.max(0) - inside.min(0) + 1
        assert max(height, width) == 28
        assert abs(height / 28 - rows / max(rows, columns)) <= 1 / 28
        assert abs(width / 28 - columns / max(rows, columns)) <= 1 / 28
        assert set(np.unique(grey)) <= {0, scale}
        assert (grey > 0).sum() == height * width

    def test_levels_span_black_to_white_and_saturate(self) -> None:
        pixels = np.array([[-2000, -1000, 0, 1000, 3000]], np.int16)
        found = letterbox(Image(pixels, (-1000, 1000)), 5, 1, 65535)[0][2]
        assert found.tolist() == [0, 0, 32768, 65535, 65535]

    def test_missing_pixels_are_black(self) -> None:
        pixels = np.full((4, 4), 200, np.uint8)
        valid = np.ones((4, 4), bool)
        valid[:, 2:] = False
        image = Image(pixels, (0, 200), valid)
        assert letterbox(image, 4, 1, 255)[0][0].tolist() == [255, 255, 0, 0]
        assert (image.pixels == 200).all()

    def test_colour_becomes_luma_and_grey_three_channels(self) -> None:
        colour: NDArray[Any] = np.zeros((4, 4, 3), np.uint8)
        colour[..., 0] = 255
        assert letterbox(Image(colour, (0, 255)), 4, 1, 255)[0][0, 0] == 76  # 0.299 of red
        assert letterbox(Image(colour, (0, 255)), 4, 3, 255)[0][0, 0].tolist() == [255, 0, 0]
        assert letterbox(Image(colour[..., 0], (0, 255)), 4, 3, 255)[0][0, 0].tolist() == [255, 255, 255]

    def test_shrinking_takes_the_mean(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
        expected = pixels.reshape(30, 2, 30, 2).mean((1, 3))
        assert np.abs(letterbox(Image(pixels, (0, 255)), 30, 1, 255)[0] - expected).max() <= 0.5


class TestPlacement:
    @given(SIDES, SIDES, st.integers(4, 64))
    def test_points_and_boxes_there_and_back(self, rows: int, columns: int, size: int) -> None:
        placement = Placement.of((rows, columns), size)
        rng = np.random.default_rng(rows * columns)
        for shape in ((7, 2), (5, 4), (4,)):
            there = rng.random(shape) * rows
            np.testing.assert_allclose(placement.to_image(placement.from_image(there)), there, atol=1e-9)
        corners = placement.from_image(np.array([0, 0, rows, columns]))
        np.testing.assert_allclose(corners, [*placement.offset, *np.add(placement.offset, placement.inner)])

    @given(st.integers(8, 90), st.integers(8, 90), st.integers(16, 64), st.sampled_from([255, 65535]))
    def test_a_bright_rectangle_lies_where_its_box_is_said_to_lie(
        self, rows: int, columns: int, size: int, white: int
    ) -> None:
        pixels = np.zeros((rows, columns), np.uint8)
        box = np.array([rows // 4, columns // 4, rows - rows // 4, columns - columns // 4])
        pixels[box[0] : box[2], box[1] : box[3]] = 255
        square, placement = letterbox(Image(pixels, (0, 255)), size, 1, white)
        lit = np.argwhere(square > 0.4 * white)
        found = np.array([*lit.min(0), *(lit.max(0) + 1)])
        assert np.abs(found - placement.from_image(box)).max() <= 1

    def test_a_mask_at_the_images_own_size_comes_back_as_it_was(self) -> None:
        mask = np.random.default_rng(0).random((20, 32)) > 0.5
        square, placement = letterbox(Image(mask.astype(np.uint8), (0, 1)), 32, 1, 255)
        np.testing.assert_array_equal(placement.restore(square > 0), mask)

    @pytest.mark.parametrize(("shape", "size"), [((60, 45), 20), ((9, 14), 56), ((50, 50), 50)])
    def test_a_smooth_map_comes_back_nearly_as_it_was(self, shape: tuple[int, int], size: int) -> None:
        smooth = cv2.resize(np.random.default_rng(1).random((3, 3)).astype(np.float32), shape[::-1])
        square, placement = letterbox(Image(smooth, (0.0, 1.0)), size, 1, 65535)
        back = placement.restore(square.astype(np.float32) / 65535)
        assert back.shape == shape
        assert np.abs(back - smooth).mean() < 0.02

    @pytest.mark.parametrize("layers", [1, 4, 5, 9])
    @pytest.mark.parametrize("shape", [(5, 7), (40, 30)])
    def test_each_of_many_layers_comes_back_as_it_would_alone(self, shape: tuple[int, int], layers: int) -> None:
        values = np.random.default_rng(3).random((16, 16, layers)).astype(np.float32)
        placement = Placement.of(shape, 16)
        alone = np.dstack([placement.restore(values[..., layer]) for layer in range(layers)])
        np.testing.assert_allclose(placement.restore(values).reshape(*shape, layers), alone, atol=1e-6)

    def test_classes_of_a_mask_are_never_mixed_and_channels_stay(self) -> None:
        values = np.random.default_rng(2).choice([0, 100, 200], (8, 8, 2)).astype(np.uint8)
        back = Placement.of((5, 13), 8).restore(values)
        assert back.shape == (5, 13, 2)
        assert set(np.unique(back)) <= {0, 100, 200}

    def test_a_map_of_another_size_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"shape \(7, 7\); expected \(8, 8\)"):
            Placement.of((5, 13), 8).restore(np.zeros((7, 7)))
