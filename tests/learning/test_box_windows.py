"""Boxes of large images: every object is found once wherever it lies, whatever the borders of windows cut."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.learning.box_windows import _packed, box_answers
from evenray.learning.boxes.decoding import Detected, decode, kept_in
from evenray.learning.boxes.encoding import DEFAULT, LOGITS, OFFSETS, overlaps
from evenray.learning.networks import Classifier, build
from evenray.learning.windows import TOGETHER, window_starts

SIZE = 64
Boxes = NDArray[np.float64]


class Sighted:
    """Finds every connected region that it is shown, also what a border cuts off one, with edges wrong by a share `blur`."""

    size, training = SIZE, False

    def __init__(self, blur: float = 0.0) -> None:
        self.rng, self.blur, self.shown = np.random.default_rng(0), blur, list[tuple[int, ...]]()

    def eval(self) -> None: ...

    def train(self, mode: bool) -> None: ...

    def __call__(self, x_NCSS: Tensor) -> Tensor:
        self.shown.append(tuple(x_NCSS.shape))
        each = [_packed(self._seen(one[0].numpy()), 1) for one in x_NCSS]
        most = 1 + max(map(len, each))
        nothing = torch.tensor([*[0.0] * LOGITS.start, 0.0, -60.0])
        return torch.stack([torch.cat([e, nothing.expand(most - len(e), -1)]) for e in each])

    def _seen(self, pixels: NDArray[np.float32]) -> Detected:
        boxes = regions(pixels > 0.5)
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        boxes = (boxes + self.rng.uniform(-self.blur, self.blur, boxes.shape) * sides).clip(0, self.size) / self.size
        return Detected(boxes, np.zeros(len(boxes), np.int64), self.rng.uniform(0.5, 0.99, len(boxes)))


def regions(mask: NDArray[np.bool_]) -> Boxes:
    """Left, top, right and bottom of each connected region, by scipy."""
    found = scipy.ndimage.find_objects(scipy.ndimage.label(mask)[0])
    return np.array([[c.start, r.start, c.stop, r.stop] for r, c in found], np.float64).reshape(-1, 4)


def drawn(seed: int, side: int, most: int, gap: int = 8) -> NDArray[np.float32]:
    """An image with bright rectangles of 4 to `most` pixels a side, none near another, none much longer than wide."""
    rng, pixels = np.random.default_rng(seed), np.zeros((side, side), np.float32)
    for _ in range(60):
        height = int(rng.integers(4, most + 1))
        width = int(np.clip(height * rng.uniform(0.5, 2), 4, most))
        top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
        around = slice(max(0, top - gap), top + height + gap), slice(max(0, left - gap), left + width + gap)
        if not pixels[around].any():
            pixels[top : top + height, left : left + width] = 1
    return pixels


def found_by(model: Sighted, pixels: NDArray[np.float32]) -> Boxes:
    side = len(pixels)
    answers = box_answers(model, torch.from_numpy(pixels)[None, None])  # type: ignore[arg-type]
    return decode(answers, kept_in(side))[0].boxes * side


@pytest.mark.parametrize("blur", [0.0, 0.06])
@pytest.mark.parametrize(("side", "most"), [(65, 30), (150, 30), (200, 20), (203, 120)])
def test_every_object_is_found_once_wherever_it_lies(side: int, most: int, blur: float) -> None:
    """Small ones, those that a border cuts, and those larger than any window."""
    for seed in range(6):
        pixels = drawn(seed, side, most)
        true, found = (torch.from_numpy(boxes) for boxes in (regions(pixels > 0), found_by(Sighted(blur), pixels)))
        shared = overlaps(true, found)
        assert len(found) == len(true)
        assert sorted(shared.argmax(1).tolist()) == list(range(len(true)))
        small = (true[:, 2:] - true[:, :2]).max(1).values <= 3 / 8 * SIZE
        assert bool((shared.max(1).values >= (0.999 if blur == 0 else 0.7))[small].all())
        assert bool((shared.max(1).values > 0.7)[~small].all())  # to a pixel of the small image, three of this one


def test_an_object_that_slides_over_the_borders_of_windows_stays_one() -> None:
    """Of every size up to the whole image, at every place along the way."""
    side = 128
    for length in (6, 23, 26, 28, 30, 33, 64):
        for left in range(0, side - length + 1, 5):
            pixels = np.zeros((side, side), np.float32)
            pixels[40 : 40 + length, left : left + length] = 1
            assert len(found_by(Sighted(), pixels)) == 1, (length, left)


def test_windows_come_a_few_at_once_and_empty_ones_not_at_all() -> None:
    model = Sighted()
    found_by(model, drawn(0, 256, 20))
    assert max(shape[0] for shape in model.shown) <= TOGETHER
    assert max(max(shape[2:]) for shape in model.shown) <= SIZE
    windows = len(window_starts(256, SIZE)) ** 2
    assert 1 < sum(shape[0] for shape in model.shown) <= 1 + windows
    nothing = Sighted()
    assert len(found_by(nothing, np.zeros((256, 256), np.float32))) == 0
    assert len(nothing.shown) == 1


def test_a_window_beside_the_image_is_not_looked_at_in_whatever_company() -> None:
    """One object: of all windows those that hold some of it are looked at, and the whole image."""
    model, pixels = Sighted(), np.zeros((256, 256), np.float32)
    pixels[100:110, 100:110] = 1
    assert len(found_by(model, pixels)) == 1
    starts = window_starts(256, SIZE)
    along = sum(bool(pixels[start : start + SIZE].any()) for start in starts)
    assert sum(shape[0] for shape in model.shown) == 1 + along**2 < 1 + len(starts) ** 2


@pytest.fixture(scope="module")
def ssd() -> Classifier:
    return build("ssd('vgg11(width=0.1)')", classes=2, channels=1, size=48, output="boxes").eval()


def test_an_image_that_fits_is_looked_at_as_it_is(ssd: Classifier) -> None:
    x = torch.rand(3, 1, 48, 48)
    with torch.no_grad():
        torch.testing.assert_close(box_answers(ssd, x), ssd(x))


def test_a_look_without_numbers_is_not_one_in_which_nothing_is() -> None:
    """Of the second image one window is answered with NaN: no box of it is told, and what is told is not finite."""

    class Broken(Sighted):
        def __call__(self, x_NCSS: Tensor) -> Tensor:
            found = super().__call__(x_NCSS)
            found[(x_NCSS > 0.8).flatten(1).any(1)] = torch.nan
            return found

    x = torch.zeros(2, 1, 150, 150)
    x[:, 0, 20:40, 30:60] = 0.7
    x[1, 0, 100, 100] = 0.9
    answers = box_answers(Broken(), x)  # type: ignore[arg-type]
    first, second = decode(answers)
    assert (len(first.scores), len(second.scores)) == (1, 0)
    filled_up = answers.isnan().all(2)
    assert (answers.isfinite().all(2) | filled_up).all(1).tolist() == [True, False]


def test_boxes_are_packed_and_unpacked() -> None:
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 0.7, (40, 2))
    boxes = np.concatenate([first, first + rng.uniform(0.01, 0.3, (40, 2))], 1)
    one = Detected(boxes, rng.integers(0, 3, 40), np.sort(rng.uniform(0.02, 1, 40))[::-1].copy())
    kept = decode(_packed(one, 3)[None])[0]
    rows = [int(np.abs(one.boxes - box).sum(1).argmin()) for box in kept.boxes]
    np.testing.assert_allclose(kept.boxes, one.boxes[rows], atol=1e-6)
    np.testing.assert_allclose(kept.scores, one.scores[rows], atol=1e-5)
    assert kept.classes.tolist() == one.classes[rows].tolist()


@pytest.mark.parametrize("side", [48, 110])
def test_of_mirrored_views_nothing_depends_on_the_side(ssd: Classifier, side: int) -> None:
    """The mirror image has the mirrored boxes with the same scores, which of one view alone it has not."""
    x = torch.rand(1, 1, side, side)
    there, here = (decode(box_answers(ssd, one, "flips"), 50)[0] for one in (x.flip(-1), x))
    back = np.column_stack([1 - there.boxes[:, 2], there.boxes[:, 1], 1 - there.boxes[:, 0], there.boxes[:, 3]])
    assert len(here.scores) > 0
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-5)
    shared = overlaps(torch.from_numpy(here.boxes), torch.from_numpy(back)).max(1).values
    assert float(shared.quantile(0.05)) > 0.99


def test_a_mirrored_view_counts_as_much_as_the_image(ssd: Classifier) -> None:
    """The mean of two answers, the mirrored of which is about the mirror image of its default box."""
    x = torch.rand(1, 1, 48, 48)
    with torch.no_grad():
        here, there = ssd(x)[0], ssd(x.flip(-1))[0]
    mean = box_answers(ssd, x, "flips")[0]
    for row in range(0, len(here), 97):
        default = here[row, DEFAULT].clone()
        default[0] = 1 - default[0]
        (twin,) = torch.nonzero((there[:, DEFAULT] - default).abs().max(1).values < 1e-5).flatten().tolist()
        back = there[twin].clone()
        back[0] = -back[0]
        torch.testing.assert_close(mean[row, LOGITS], (here[row, LOGITS] + back[LOGITS]) / 2)
        torch.testing.assert_close(mean[row, OFFSETS], (here[row, OFFSETS] + back[OFFSETS]) / 2)
        torch.testing.assert_close(mean[row, DEFAULT], here[row, DEFAULT])
