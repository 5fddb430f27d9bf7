"""The phantoms: grey range, lesions where the truth says, exposure, and the physics that makes them look like a chest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import skew

from evenray.data.demo.anatomy import Lesion, draw_lesions
from evenray.data.demo.canvas import MM_PER_PIXEL, SHAPE, X, Y, ellipsoid
from evenray.data.demo.detector import View, affine, expose
from evenray.data.demo.film import MACHINES, PADDING, anatomy_of, picture
from evenray.data.demo.phantom import attenuation, lung_thickness
from evenray.data.demo.plan import Film

SITES = ("north", "south")


def film(patient=0, *, sick=False, site="north", **more):
    return Film(patient, 0, sick, "sick" if sick else "healthy", site, **more)


def disc(shape, mark):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - mark.row) ** 2 + (columns - mark.column) ** 2 <= mark.radius**2


@pytest.mark.parametrize("site", SITES)
def test_pixels_keep_to_twelve_bits_and_leave_zero_to_padding(site):
    for patient in range(8):
        drawn = picture(film(patient, site=site, padded=patient % 2 == 0), seed=0)
        inside = drawn.pixels if patient % 2 else drawn.pixels[12:-12, 12:-12]
        assert drawn.pixels.max() <= 4095
        assert inside.min() >= 1
        assert all(160 <= side <= 256 for side in drawn.pixels.shape)


def test_padding_frames_the_picture_and_covers_nothing():
    bare, padded = (picture(film(padded=padded), seed=0).pixels for padded in (False, True))
    rows, columns = np.flatnonzero((padded != PADDING).any(1)), np.flatnonzero((padded != PADDING).any(0))
    assert np.array_equal(padded[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], bare)
    assert padded.size > bare.size


def test_overexposed_films_crowd_at_the_bright_end():
    for patient in range(10):
        normal, over = (picture(film(patient, site="south", overexposed=o), seed=0).pixels for o in (False, True))
        assert skew(over, axis=None) < min(-0.4, skew(normal, axis=None) - 0.5)
        assert np.median(over) > max(0.55 * 4095, np.median(normal) + 0.1 * 4095)
        assert np.mean(over == 4095) < 0.35, "most grey levels survive"


@pytest.mark.parametrize("site", SITES)
def test_a_lesion_brightens_the_place_that_the_truth_table_names(site):
    for patient in range(10):
        sick, well = (
            picture(film(patient, sick=True, site=site, padded=True), seed=0, noise=False, lesions=has).pixels.astype(
                float
            )
            for has in (True, False)
        )
        marks = picture(film(patient, sick=True, site=site, padded=True), seed=0).marks
        gain = sick - well
        discs = [disc(sick.shape, mark) for mark in marks]
        for mark, inside in zip(marks, discs, strict=True):
            assert gain[inside].mean() == pytest.approx(mark.contrast, rel=0.05, abs=25)
            assert mark.contrast > 40
        beyond = ~np.any([disc(sick.shape, replace(mark, radius=2.0 * mark.radius)) for mark in marks], axis=0)
        assert np.abs(gain[beyond]).mean() < 0.35 * max(mark.contrast for mark in marks)


def test_lesions_attenuate_more_than_the_mirror_place_wherever_that_is_free_lung():
    """The heart bends the comparison low in the chest, so only the upper half of the lungs counts."""
    compared = 0
    for patient in range(30):
        anatomy = replace(anatomy_of(patient, 0), pacemaker=False)
        lung = lung_thickness(anatomy)
        lesions = draw_lesions(np.random.default_rng(patient), lung)[:1]
        lesion, shown = lesions[0], attenuation(anatomy, lung, lesions)
        if lesion.y < 0.5 * anatomy.lung_height and abs(lesion.x) > 0.45 * anatomy.half_width:
            here, there = (np.hypot(X - side * lesion.x, Y - lesion.y) < 0.7 * lesion.radius for side in (1, -1))
            assert shown[here].mean() > shown[there].mean()
            compared += 1
    assert compared >= 5


def test_lesions_lie_in_the_lungs_and_are_five_to_twelve_pixels_wide_at_64():
    widths = []
    for patient in range(30):
        drawn = picture(film(patient, sick=True), seed=0)
        assert 1 <= len(drawn.marks) <= 3
        widths += [2 * mark.radius * 64 / drawn.pixels.shape[1] for mark in drawn.marks]
    assert min(widths) >= 4.5
    assert max(widths) <= 13.5


def test_a_healthy_patient_has_no_lesion():
    assert picture(film(), seed=0).marks == ()


def test_one_patient_keeps_the_anatomy_but_not_the_position():
    first, second = (picture(replace(film(5), number=number), seed=0) for number in (0, 1))
    assert anatomy_of(5, 0) is anatomy_of(5, 0)
    assert first.pixels.shape != second.pixels.shape or not np.array_equal(first.pixels, second.pixels)


def test_an_ellipsoid_has_the_volume_of_an_ellipsoid():
    layer = np.zeros(SHAPE, np.float32)
    ellipsoid(layer, 12.0, 100.0, 40.0, 25.0, 30.0, turn=0.5)
    assert layer.sum() * MM_PER_PIXEL**2 == pytest.approx(4 / 3 * np.pi * 40 * 25 * 15, rel=0.01)


def test_a_ball_of_muscle_in_the_lung_attenuates_as_beer_and_lambert_say():
    anatomy = anatomy_of(1, 0)
    lung = lung_thickness(anatomy)
    x, y, radius = 80.0, 110.0, 20.0
    ball = Lesion("nodule", x, y, radius, 1.0, 2.0, np.array([[x, y, radius]]))
    added = attenuation(anatomy, lung, (ball,)) - attenuation(anatomy, lung)
    row, column = np.abs(Y - y).argmin(), np.abs(X - x).argmin()
    assert added[row, column] == pytest.approx(2 * radius * (0.019 - 0.005), rel=0.06)
    assert added[np.hypot(X - x, Y - y) > 1.3 * radius].max() < 1e-3


def test_the_affine_map_puts_a_known_point_where_it_belongs():
    view = View((100, 80), 2.0, (10.0, 50.0), 0.0, 0.0, 1.0, (0, 0, 0, 0), False, "")
    assert affine(view) @ [10.0, 50.0, 1.0] == pytest.approx([39.5, 49.5])
    assert affine(view) @ [30.0, 50.0, 1.0] == pytest.approx([49.5, 49.5])


def test_noise_is_that_of_counted_quanta():
    """Four times the dose halves the noise, and the pictures without it agree but for the darkness of exposure control."""
    anatomy = anatomy_of(2, 0)
    rays = attenuation(anatomy, lung_thickness(anatomy))
    view = View((220, 200), 1.7, (0.0, 125.0), 0.0, 0.0, 1.0, (0, 0, 0, 0), False, "")
    spread = {}
    for dose in (1.0, 4.0):
        dosed = replace(view, dose=dose)
        clean = expose(rays, dosed, MACHINES["south"], None)
        noisy = expose(rays, dosed, MACHINES["south"], np.random.default_rng(0))
        spread[dose] = float(np.std((noisy - clean)[80:120, 60:140]))
    assert spread[1.0] / spread[4.0] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("patient", range(4))
@pytest.mark.parametrize("site", ["north", "south"])
def test_masks_and_boxes_are_where_the_lesions_change_the_picture(patient: int, site: str) -> None:
    taken = film(patient, sick=True, site=site, padded=True)
    drawn, well = picture(taken, seed=3, noise=False), picture(taken, seed=3, noise=False, lesions=False)
    assert drawn.mask.shape == drawn.pixels.shape
    assert not well.mask.any()
    gain = drawn.pixels.astype(float) - well.pixels
    marked = drawn.mask > 0
    # The machine evens out what is broad, so the rest of the picture changes as well, but less.
    assert gain[marked].mean() > 3 * abs(gain[~marked]).mean()
    assert marked.flat[gain.argmax()]
    assert set(np.unique(drawn.mask)) == {0, 1}
    inside = np.zeros_like(marked)
    for mark in drawn.marks:
        x0, y0, x1, y1 = mark.box
        assert x0 <= mark.column <= x1
        assert y0 <= mark.row <= y1
        inside[y0:y1, x0:x1] = True
    assert not (marked & ~inside).any()
