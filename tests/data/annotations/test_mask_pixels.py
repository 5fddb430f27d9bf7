"""Masks of one data set that were saved in several ways: what each file says on its own must not change what all say together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.scan import scan

from .drawn import SHAPE, N, binary, image, mask_of

WHITE, BLUE, RED = (255, 255, 255), (0, 0, 255), (255, 0, 0)


def saved(root: Path, pictures: list[Image.Image]) -> Dataset:
    """A data set of these masks."""
    (root / "masks").mkdir()
    for n, picture in enumerate(pictures):
        image(root / "images" / f"{n}.png", n)
        picture.save(root / "masks" / f"{n}.png")
    dataset = scan(root)
    assert dataset.rejected.height == 0
    return dataset


def assert_read(dataset: Dataset, masks: list[np.ndarray]) -> None:
    """That the masks are these, and that what was counted of them agrees."""
    of = {f"images/{n}.png": mask for n, mask in enumerate(masks)}
    for row, file in enumerate(dataset.cases["file"]):
        np.testing.assert_array_equal(read_mask(dataset, row), of[file], file)
        counts = [int((of[file] == k + 1).sum()) for k in range(len(dataset.classes))]
        assert dataset.cases["mask_pixels"][row].to_list() == counts
    assert dataset.cases.select(pl.sum("mask_unexpected")).item() == 0


def coloured(mask: np.ndarray, *colours: tuple[int, int, int]) -> Image.Image:
    """A picture of three channels with a colour for each index from 1 on, black about them."""
    return Image.fromarray(np.array([(0, 0, 0), *colours], np.uint8)[mask])


def only(mask: np.ndarray, index: int) -> np.ndarray:
    return mask * (mask == index)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("cut_out", [False, True])
def test_a_mask_without_a_lesion_is_empty_with_an_opaque_alpha_plane(mode: str, cut_out: bool, tmp_path: Path) -> None:
    """And where the mask is what is opaque, as in pictures that were cut out, it is that."""
    masks = [binary(n) if n > 1 else binary(n) * 0 for n in range(N)]
    pictures = []
    for mask in masks:
        picture = Image.fromarray((mask * 0 if cut_out else mask) * np.uint8(255)).convert(mode)
        if cut_out:
            picture.putalpha(Image.fromarray(mask * np.uint8(255)))
        pictures.append(picture)
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == ("foreground",)
    assert_read(dataset, masks)


@pytest.mark.parametrize("way", ["colours", "grey", "palette"])
def test_white_is_one_class_beside_colours_also_where_an_image_has_no_other(way: str, tmp_path: Path) -> None:
    """And blue another, also where an image has blue alone; masks without a colour may be of one channel."""
    whole = [mask_of(n) for n in range(N)]
    masks = [only(mask, 1 + n % 2) if n < 4 else mask for n, mask in enumerate(whole)]
    pictures = [coloured(mask, BLUE, WHITE) for mask in masks]
    for n in (1, 3) if way != "colours" else ():
        pictures[n] = pictures[n].convert("L") if way == "grey" else pictures[n].quantize(8)
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == ("#0000ff", "#ffffff")
    assert_read(dataset, masks)


def test_white_is_one_class_where_no_image_has_two_colours(tmp_path: Path) -> None:
    masks = [only(mask_of(n), 1 + n % 2) for n in range(N)]
    dataset = saved(tmp_path, [coloured(mask, WHITE, RED) for mask in masks])
    assert dataset.classes == ("#ff0000", "#ffffff")
    assert_read(dataset, [np.array([0, 2, 1], np.uint8)[mask] for mask in masks])


def test_greys_of_three_channels_and_of_one_are_the_same(tmp_path: Path) -> None:
    masks = [binary(n) for n in range(N)]
    dataset = saved(tmp_path, [coloured(mask, WHITE).convert(("RGB", "L", "1")[n % 3]) for n, mask in enumerate(masks)])
    assert dataset.classes == ("foreground",)
    assert_read(dataset, masks)


@pytest.mark.parametrize(
    ("levels", "method"),
    [
        ((255,), Image.Quantize.MEDIANCUT),  # numbers the levels of each file from the brightest down
        ((128, 255), Image.Quantize.MEDIANCUT),
        ((255,), Image.Quantize.FASTOCTREE),  # from the darkest up
    ],
)
def test_grey_palettes_that_each_file_has_of_its_own_are_levels(
    levels: tuple[int, ...], method: Image.Quantize, tmp_path: Path
) -> None:
    """An empty mask has one level, others do not have all of them."""
    masks = [mask_of(n) * (mask_of(n) <= len(levels)) * (n > 0) for n in range(N)]
    masks[1] = only(masks[1], 1)
    grey = [Image.fromarray(np.array([0, *levels], np.uint8)[mask]) for mask in masks]
    dataset = saved(tmp_path, [picture.quantize(8, method=method) for picture in grey])
    assert dataset.classes == (("foreground",) if len(levels) == 1 else ("128", "255"))
    assert_read(dataset, masks)


VOC = [c for k in range(256) for c in ((k & 1) * 128, (k >> 1 & 1) * 128, (k >> 2 & 1) * 128)]


@pytest.mark.parametrize(
    ("palette", "numbers"),
    [
        (VOC, (1, 7)),  # in which 7 is grey
        ([c for k in range(4) for c in (85 * k,) * 3], (1, 2)),  # a palette for the eye, the same for all
        ([c for k in range(4) for c in (85 * k,) * 3] + [0] * 756, (1, 2)),
        ([0] * 768, (1, 2)),  # which nobody made
    ],
)
def test_numbers_of_a_palette_that_all_files_share_stay_numbers(
    palette: list[int], numbers: tuple[int, int], tmp_path: Path
) -> None:
    masks = [only(mask_of(n), 2) if n == 0 else mask_of(n) for n in range(N)]
    masks[1][:] = 1
    pictures = [Image.fromarray(np.array([0, *numbers], np.uint8)[mask]) for mask in masks]
    for picture in pictures:
        picture.putpalette(palette)
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == tuple(map(str, numbers))
    assert_read(dataset, masks)


def in_own_palette(mask: np.ndarray, colours: list[tuple[int, int, int]]) -> Image.Image:
    """Colours in the order in which they come in this mask, as programs that make files smaller number them."""
    order = list(dict.fromkeys(mask.ravel().tolist()))
    picture = Image.fromarray(
        np.argsort([order.index(k) if k in order else 99 for k in range(3)]).argsort().astype(np.uint8)[mask]
    )
    picture.putpalette([value for k in order for value in colours[k]])
    return picture


def at_the_corner(number: int) -> np.ndarray:
    """Index 2 always, and index 1 in every other image, in the pixel that comes first."""
    mask = only(mask_of(number), 2)
    mask[: 3 + number, :5] = number % 2
    return mask


def test_colours_that_each_file_numbers_as_it_likes_are_classes(tmp_path: Path) -> None:
    masks = [at_the_corner(n) for n in range(N)]
    pictures = [in_own_palette(mask, [(0, 0, 0), BLUE, RED]) for mask in masks]
    assert {picture.getpixel((20, 13)) for picture in pictures} == {1, 2}  # of RED: else these would be numbers
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == ("#0000ff", "#ff0000")
    assert_read(dataset, masks)


@pytest.mark.parametrize("ending", ["gif", "png"])
@pytest.mark.parametrize("folder", ["masks", "masks/liver"])
def test_what_is_not_black_is_marked_where_black_has_another_number(ending: str, folder: str, tmp_path: Path) -> None:
    """In folders of classes too."""
    masks = [binary(n) for n in range(N)]
    for n, mask in enumerate(masks):
        image(tmp_path / "images" / f"{n}.png", n)
        picture = coloured(mask, RED)
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (picture if ending == "gif" else picture.quantize(8)).save(tmp_path / folder / f"{n}.{ending}")
        if folder != "masks":
            (tmp_path / "masks" / "cyst").mkdir(exist_ok=True)
            Image.fromarray(only(mask_of(n), 2) * np.uint8(127)).save(tmp_path / "masks" / "cyst" / f"{n}.png")
    with Image.open(tmp_path / folder / f"0.{ending}") as first:
        assert (first.mode, first.getpixel((0, 0))) == ("P", 1)  # else numbers would do
    dataset = scan(tmp_path)
    if folder == "masks":
        assert dataset.classes == ("#ff0000",)
        assert_read(dataset, masks)
    else:
        assert dataset.classes == ("cyst", "liver")
        assert_read(dataset, [np.array([0, 2, 1], np.uint8)[mask_of(n)] for n in range(N)])


@pytest.mark.parametrize("first", [WHITE, (60, 16, 152)])
def test_a_palette_without_black_begins_with_the_background_where_that_is_most(
    first: tuple[int, int, int], tmp_path: Path
) -> None:
    masks = [mask_of(n) for n in range(N)]
    pictures = [Image.fromarray(mask) for mask in masks]
    for picture in pictures:
        picture.putpalette([*first, *BLUE, *RED])
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == ("1", "2")
    assert_read(dataset, masks)


def test_objects_that_each_file_colours_as_it_likes_are_told_by_their_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(N):
        numbers = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) // 5 % 100
        pictures.append(Image.fromarray(np.where(numbers > 30, 0, numbers).astype(np.uint8)))
        pictures[-1].putpalette([0, 0, 0, *rng.integers(1, 256, 3 * 255).tolist()])
    dataset = saved(tmp_path, pictures)
    assert dataset.classes == ("foreground",)
    assert_read(dataset, [(np.asarray(picture) > 0).astype(np.uint8) for picture in pictures])


def test_a_mask_of_more_pages_than_its_image_is_set_aside(tmp_path: Path) -> None:
    """As the mask of fewer frames is: of several classes or objects the first page alone would count."""
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
        pages = [Image.fromarray(only(mask_of(n), k) * np.uint8(255 // k)) for k in (1, 2)]
        (tmp_path / "masks").mkdir(exist_ok=True)
        pages[0].save(tmp_path / "masks" / f"{n}.tif", save_all=True, append_images=pages[1:] if n == 2 else [])
    found = scan(tmp_path)
    assert (len(found), found.rejected["file"].to_list()) == (N - 1, ["images/2.png"])
    assert "its mask 'masks/2.tif' has 2 frames, and its image 1" in found.rejected["reason"][0]


def test_drawn_shapes_are_what_these_tests_take_them_for() -> None:
    assert all(set(np.unique(mask_of(n))) == {0, 1, 2} and mask_of(n).shape == SHAPE for n in range(N))
