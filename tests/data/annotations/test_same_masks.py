"""Masks of two words of which one lies in the other: of two readers where they are alike, of an organ and a part of it where not."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import image, write

N, SHAPE = 6, (90, 104)


def vessels(number: int, width: int) -> np.ndarray:
    found = np.zeros(SHAPE, np.uint8)
    for k in range(4):
        cv2.line(found, (50, 45), (12 + 25 * k, 5 if (k + number) % 2 else 84), 255, width)
    return found


def disc(number: int, radius: float) -> np.ndarray:
    """By the distance of each pixel from the centre."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.where(np.hypot(y - 45, x - 50 - number) <= radius, 255, 0).astype(np.uint8)


def lay(root: Path, one: str, other: str, drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for n, masks in enumerate(drawn):
        image(root / "pictures" / f"im{n:04}.png", n)
        picture = cv2.imread(str(root / "pictures" / f"im{n:04}.png"), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(root / "pictures" / f"im{n:04}.png"), cv2.resize(picture, SHAPE[::-1]))
        for word, mask in zip((one, other), masks, strict=True):
            write(root / f"labels-{word}" / f"im{n:04}.{word}.png", mask)


@pytest.mark.parametrize("widths", [(1, 3), (3, 5), (5, 3)])
def test_a_reader_who_draws_wider_is_asked_about_and_each_answer_works(widths: tuple[int, int], tmp_path: Path) -> None:
    """As STARE's two readers, of whom the second draws vessels wider; thin ones have a third of the pixels then."""
    lay(tmp_path, "ah", "vk", [(vessels(n, widths[0]), vessels(n, widths[1])) for n in range(N)])
    with pytest.raises(DataError, match="masks of several kinds") as refused:
        scan(tmp_path)
    patterns = re.findall(r"--masks '([^']+)'", str(refused.value))
    assert patterns == ["labels-ah/*", "labels-vk/*"]
    for pattern, width in zip(patterns, widths, strict=True):
        found = scan(tmp_path, wanted=Wanted(masks=pattern))
        assert found.classes == ("foreground",)
        pixels = sorted(sum(each) for each in found.cases["mask_pixels"].to_list())
        assert pixels == sorted(int((vessels(n, width) > 0).sum()) for n in range(N))


@pytest.mark.parametrize("radii", [(6, 30), (18, 30), (25, 30)])
def test_a_part_of_an_organ_is_a_class_of_its_own(radii: tuple[float, float], tmp_path: Path) -> None:
    """A tumour in a liver, and a cup in its disc, up to .83 of its diameter."""
    lay(tmp_path, "tumour", "liver", [(disc(n, radii[0]), disc(n, radii[1])) for n in range(N)])
    assert scan(tmp_path).classes == ("liver", "tumour")


def test_two_outlines_of_one_organ_are_asked_about(tmp_path: Path) -> None:
    lay(tmp_path, "ah", "vk", [(disc(n, 37.5), disc(n, 40.9)) for n in range(N)])
    with pytest.raises(DataError, match="masks of several kinds"):
        scan(tmp_path)
