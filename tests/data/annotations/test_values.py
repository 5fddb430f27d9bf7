"""What values of masks mean, told from all of them; each kind on several instances, with faults that must not change it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.core.texts import LANGUAGES, Texts
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.mask_values import meaning_of_values
from evenray.data.annotations.reading import clean_boxes, indexed
from evenray.data.audit.mask_extent import mask_extent
from evenray.data.audit.mask_values import mask_values
from evenray.data.scan import scan

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import MASKS, SHAPE, N, binary, image, write

Counts = list[tuple[int, int]]
STRAY: Counts = [(0, 90), (127, 1), (255, 9)]


def jpeg(seed: int) -> Counts:
    """Levels near black and near white, and a few between, as a mask saved as JPEG has them."""
    rng = np.random.default_rng(seed)
    near = [(v, int(rng.integers(50, 900))) for v in (*range(8), *range(248, 256))]
    return near + [(v, int(rng.integers(1, 4))) for v in rng.choice(np.arange(20, 230), 30, replace=False).tolist()]


@pytest.mark.parametrize(
    ("masks", "classes", "kind"),
    [
        ([[(0, 9)], [(0, 5), (255, 4)]], ("foreground",), "binary"),
        ([[(0, 9)], [(0, 9)]], ("foreground",), "binary"),  # all empty
        ([[(0, 5), (1, 4)], [(0, 5), (255, 4)]], ("foreground",), "binary"),  # two ways of writing it
        ([[(255, 9)], [(0, 5), (255, 4)]], ("foreground",), "binary"),  # a full one
        ([[(0, 5), (k, 4)] for k in range(246, 256)], ("foreground",), "binary"),  # ways of writing white
        ([[(0, 5), (k, 4)] for k in range(1, 13)], ("foreground",), "objects"),  # each mask its number
        ([[(0, 5), (1 + n % 2, 4)] for n in range(9)], ("1", "2"), "numbers"),  # no image has both
        ([[(0, 5), (1, 4)]] * 9 + [[(0, 5), (2, 4)]], ("foreground",), "binary"),  # one mask is no class
        ([STRAY] + [[(0, 90), (255, 10)]] * 9, ("foreground",), "binary"),  # one editor's trace
        ([jpeg(seed) for seed in range(9)], ("foreground",), "binary"),
        ([[(0, 5), (1, 4)], [(0, 5), (3, 4)], [(0, 5), (1, 2), (3, 1)]], ("1", "3"), "numbers"),
        ([[(0, 5), (1, 4), (255, 1)], [(0, 5), (2, 1)]], ("1", "2"), "numbers"),  # 255 is unknown
        ([[(0, 900), (128, 60), (255, 40)], [(0, 900), (128, 50), (255, 50)]], ("128", "255"), "levels"),
        ([[(0, 9), *((k, 3) for k in range(1, n))] for n in (5, 30, 61)], ("foreground",), "objects"),
        (
            [[(0, 9), *((k, 3) for k in range(1, n))] for n in (3, 5, 6, 9)],
            ("foreground",),
            "objects",
        ),  # few, never the same number
        ([[(0, 9), *((k, 3) for k in range(1, 5))]] * 9, ("1", "2", "3", "4"), "numbers"),  # always the same
        (
            [[(0, 900), *((k + n, 30) for k in range(7, 240, 40))] for n in range(9)],
            ("foreground",),
            "objects",
        ),  # with gaps, of a crop
        ([[(0, 900), *((900 + k + n, 30) for k in range(0, 5000, 7))] for n in range(3)], ("foreground",), "objects"),
        (
            [[(0, 9), *((k << 16, 3) for k in range(1, n))] for n in (12, 9, 7, 6)],
            ("foreground",),
            "objects",
        ),  # in one channel
        ([[(0, 9), (0xFF0000, 3)], [(0, 9), (0x00FF00, 3)]], ("#00ff00", "#ff0000"), "colours"),
    ],
)
def test_the_meaning_of_values(masks: list[Counts], classes: tuple[str, ...], kind: str) -> None:
    found = meaning_of_values(masks)
    assert (found.classes, found.kind) == (classes, kind)
    assert meaning_of_values(masks[::-1]) == found


LAYERS: list[Counts] = [[(0, 9), *((k, 3) for k in range(1, n))] for n in (3, 5, 6, 9)]


@pytest.mark.parametrize(
    ("masks", "named", "kind"),
    [
        (LAYERS, range(9), "numbers"),
        (LAYERS, range(8), "objects"),  # a list of something else
        (LAYERS, (), "objects"),
        ([[(0, 5), (1, 4)]] * 9 + [[(0, 5), (2, 4)]], range(3), "numbers"),
        ([[(0, 9), *((k, 3) for k in range(1, n)), (255, 1)] for n in (5, 30, 61)], range(61), "numbers"),
        ([[(0, 9), (1, 3)]] * 4, range(2), "binary"),
    ],
)
def test_numbers_that_a_list_names_are_classes(masks: list[Counts], named: range | tuple[int, ...], kind: str) -> None:
    found = meaning_of_values(masks, named=named)
    assert found.kind == kind
    if kind == "numbers":
        numbers = sorted({value for counts in masks for value, _ in counts} - {0, 255})
        assert found.classes == tuple(map(str, numbers))


def test_layers_of_which_each_image_has_another_number_are_named_by_dataset_json(tmp_path: Path) -> None:
    names = {"background": 0} | {f"layer{k}": k for k in range(1, 9)}
    for n, layers in enumerate((8, 2, 4, 5, 8, 3)):
        image(tmp_path / "imagesTr" / f"oct_{n:03}_0000.png", n)
        mask = np.zeros(SHAPE, np.uint8)
        for k in range(1, layers + 1):
            mask[2 * k] = k
        write(tmp_path / "labelsTr" / f"oct_{n:03}.png", mask)
    assert scan(tmp_path).classes == ("foreground",)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": names}))
    assert scan(tmp_path).classes == tuple(f"layer{k}" for k in range(1, 9))


@pytest.mark.parametrize(
    ("levels", "of", "classes"),
    [
        ((128,), range(8), ("128", "255")),  # in 8 of 30 masks, and few of their pixels
        ((127,), range(2), ("127", "255")),
        ((127,), range(1), ("foreground",)),  # one editor's trace
        ((128,), range(30), ("foreground",)),  # edges of masks that were made half as large
        ((64, 128, 191), range(30), ("foreground",)),
        (tuple(range(30, 220, 25)), range(8), ("foreground",)),  # too many levels to be drawn
    ],
)
def test_rare_levels_are_classes_where_masks_are_not_blurred(
    levels: tuple[int, ...], of: range, classes: tuple[str, ...]
) -> None:
    masks: list[Counts] = [[(0, 900), *((level, 5) for level in levels if n in of), (255, 300)] for n in range(30)]
    found = meaning_of_values(masks)
    assert found.classes == classes
    assert meaning_of_values(masks[::-1]) == found


@pytest.mark.parametrize("name", ["numbers_of_objects", "numbers_in_red"])
def test_numbers_of_objects_are_expected(name: str, tmp_path: Path) -> None:
    MASKS[name](tmp_path)
    dataset = scan(tmp_path)
    assert dataset.cases["mask_unexpected"].sum() == 0
    assert not mask_values(dataset)


def test_numbers_of_a_mask_each_are_all_marked_and_joined_classes_are_told() -> None:
    each = np.arange(13)[None]
    found = meaning_of_values([[(0, 5), (k, 4)] for k in range(1, 13)])
    assert indexed(each, found.values, found.indices)[0].tolist() == [0] + [1] * 12
    joined = meaning_of_values([[(0, 5), (1, 4)], [(0, 5), (2, 4)]])
    assert indexed(each, joined.values, joined.indices)[0].tolist() == [0] + [1] * 12
    assert (
        Texts("en").message(joined.note)
        == "each mask has a single value (1, 2), and all of these are taken as one class"
    )


@pytest.mark.parametrize("values", [(255, 0), (255, 128, 0), (7, 3, 0), (1, 0)])
def test_white_all_around_is_background(values: tuple[int, ...]) -> None:
    masks = [sorted(zip(values, (90, 10 + n, 5), strict=False)) for n in range(9)]
    found = meaning_of_values(masks, [values[0]] * 9)
    assert found.inverted
    assert indexed(np.array([values]), found.values, found.indices)[0].tolist()[0] == 0
    assert indexed(np.array([values[1:]]), found.values, found.indices).min() > 0
    assert not meaning_of_values(masks, [values[0]] * 5 + [None] * 4).inverted  # as large organs lie in some


@pytest.mark.parametrize("touches", [False, True])
def test_several_files_of_an_image_that_are_dark_on_white_are_joined_where_any_is_dark(
    touches: bool, tmp_path: Path
) -> None:
    """Pixel by pixel the highest value of two lesions apart is white everywhere; of one at the edge white is not all around."""
    wanted = {}
    for n in range(N):
        image(tmp_path / f"x{n}.png", n)
        parts = [np.zeros(SHAPE, bool) for _ in range(1 + (n > 0))]
        parts[0][3 : 5 + n, 4:11] = True
        if n:
            parts[1][12:18, 15 : 20 + n % 3] = True
        if touches and n == 1:
            parts[1][:, : SHAPE[1] // 2] = True
        for k, part in enumerate(parts):
            write(tmp_path / f"x{n}_mask{f'_{k}' if k else ''}.png", np.where(part, 0, 255).astype(np.uint8))
        wanted[f"x{n}.png"] = np.any(parts, axis=0)
    found = scan(tmp_path, wanted=Wanted(task="segment"))
    assert found.classes == ("foreground",)
    for row, (file, pixels) in enumerate(found.cases.select("file", "mask_pixels").iter_rows()):
        assert pixels == [int(wanted[file].sum())]
        assert np.array_equal(read_mask(found, row) == 1, wanted[file])
    assert found.cases["mask_hash"].n_unique() == N
    assert not [one for one in mask_extent(found) if one.severity == "warning"]


def test_masks_that_are_all_full_are_warned_of(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"x{n}.png", n)
        own = np.full(SHAPE, 255, np.uint8)
        own[0, : n + 1] = 0
        own[-1, :12] = 0
        write(tmp_path / f"x{n}_mask.png", own)
    [found] = mask_extent(scan(tmp_path, wanted=Wanted(task="segment")))
    assert (found.severity, found.variant, len(found.cases)) == ("warning", "full_all", N)
    for language in LANGUAGES:
        assert "95 %" in Texts(language)("finding.mask_extent.advice.full_all")


def test_images_without_a_mask_say_nothing_of_what_masks_that_are_dark_on_white_mean(tmp_path: Path) -> None:
    """Their pixels are all of the background, however it is written in the masks of others."""
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
        if n < N - 2:
            write(tmp_path / "masks" / f"{n}.png", np.where(binary(n), 0, 255).astype(np.uint8))
    found = scan(tmp_path, wanted=Wanted(unannotated="empty"))
    assert found.classes == ("foreground",)
    sizes = {f"images/{n}.png": [int(binary(n).sum()) if n < N - 2 else 0] for n in range(N)}
    assert dict(found.cases.select("file", "mask_pixels").iter_rows()) == sizes
    for row, file in enumerate(found.cases["file"]):
        assert int((read_mask(found, row) == 1).sum()) == sizes[file][0]
    assert found.cases["mask_unexpected"].sum() == 0


def test_what_is_unknown_at_the_border_is_no_background() -> None:
    found = meaning_of_values([[(0, 90), (1, 9), (2, 3), (255, 9)]] * 5, [255] * 5)
    assert (found.classes, found.inverted) == (("1", "2"), False)


def test_too_many_colours_are_no_classes() -> None:
    with pytest.raises(DataError, match="have 100 colours"):
        meaning_of_values([[(0x010203 * k, 3) for k in range(1, 101)]])


def test_the_nearest_value_counts() -> None:
    np.testing.assert_array_equal(indexed(np.array([[0, 127, 128, 250]]), [0, 255], [0, 1]), [[0, 0, 1, 1]])
    reddish = np.array([[0xF01008, 0x02FE03]])
    np.testing.assert_array_equal(indexed(reddish, [0, 0x00FF00, 0xFF0000], [0, 1, 2]), [[2, 1]])
    numbers = meaning_of_values([[(0, 5), (1, 4), (255, 1)], [(0, 5), (2, 1)]])
    np.testing.assert_array_equal(
        indexed(np.array([[0, 1, 2, 255]]), numbers.values, numbers.indices), [[0, 1, 2, 255]]
    )


def test_boxes_are_cut_at_the_image_and_those_without_area_are_left_out() -> None:
    def box(kind: int, *corners: float, ignored: bool = False) -> dict[str, object]:
        return {"class": kind, **dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True)), "ignored": ignored}

    raw = [
        box(0, -5, 2, 10, 8),
        box(1, 3, 3, 3, 9),
        box(1, 9, 9, 4, 12),
        box(2, 4, 4, 99, 9, ignored=True),
        box(0, 40, 4, 50, 9),
    ]
    found = clean_boxes(raw, (20, 30))  # type: ignore[arg-type]
    assert found.tolist() == [[0, 0, 2, 10, 8], [-3, 4, 4, 30, 9]]
    assert clean_boxes([], (20, 30)).shape == (0, 5)
