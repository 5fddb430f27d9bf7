"""One film of the plan as pixels: the patient put before the machine of the site, with the truth about the lesions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy, Lesion, draw_anatomy, draw_lesions
from .detector import WHITE, Machine, View, affine, expose, placed, to_pixels
from .phantom import attenuation, lung_thickness
from .plan import Film, generator

__all__ = ["KINDS", "PADDING", "Mark", "Picture", "anatomy_of", "picture"]

KINDS = ("consolidation", "nodule")
PADDING = 0  # as shown: black; real pixels start at 1
PEOPLE, LESIONS = 1, 2  # the two branches of random numbers: of patients with their films, and of their lesions

MACHINES = {
    "north": Machine(scatter=0.30, photons=5.0e4, black=-0.9, white=1.9, detail=1.7),
    "south": Machine(scatter=0.42, photons=2.5e4, black=-0.9, white=1.7, detail=1.4),
}


@dataclass(frozen=True)
class Mark:
    """Where a lesion lies in the picture: centre and radius in pixels (0-based, pixel centres at whole numbers).

    `contrast` is how much brighter it makes its disc on average, in grey levels of 4095, before noise. `box` is what its outline
    takes of the picture: x0, y0, x1, y1, half-open.
    """

    kind: str
    row: float
    column: float
    radius: float
    contrast: float
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """`pixels` uint16 (rows, columns), 1 black to 4095 white, 0 padding; `spacing` in mm per pixel in the patient. `mask` is uint8 of
    the same shape: 1 where lesions lie."""

    pixels: NDArray[np.uint16]
    spacing: float
    marks: tuple[Mark, ...]
    mask: NDArray[np.uint8]


@lru_cache(maxsize=8)
def anatomy_of(patient: int, seed: int) -> Anatomy:
    """The chest of a patient; the same on all films."""
    return draw_anatomy(generator(seed, PEOPLE, patient, 0))


def picture(film: Film, seed: int, *, noise: bool = True, lesions: bool = True) -> Picture:
    """Draw a film; `noise` and `lesions` can be left out to see what they do. Faults of the plan are not applied.

    >>> drawn = picture(Film(patient=0, number=0, sick=True, label="sick", site="north"), seed=0)
    >>> drawn.pixels.dtype, drawn.pixels.ndim, len(drawn.marks) in (1, 2, 3)
    (dtype('uint16'), 2, True)
    """
    anatomy, rng = anatomy_of(film.patient, seed), generator(seed, PEOPLE, film.patient, 1 + film.number)
    view, strips = _view(rng, film, anatomy), _four(rng.integers(3, 11, 4) * film.padded)
    machine, lung = MACHINES[film.site], lung_thickness(anatomy)
    within = draw_lesions(generator(seed, LESIONS, film.patient), lung) if film.sick and lesions else ()
    rays = attenuation(anatomy, lung, within)
    shown = to_pixels(expose(rays, view, machine, rng if noise else None))
    pixels = cv2.copyMakeBorder(shown, *strips, cv2.BORDER_CONSTANT, value=PADDING)
    marks: list[Mark] = []
    mask = np.zeros(pixels.shape, np.uint8)
    if within:
        gain = _gain(rays, attenuation(anatomy, lung), view, machine)
        aired = placed(lung, view) > 0
        for lesion in within:
            outline = np.zeros(pixels.shape, np.uint8)
            inside = outline[strips[0] :, strips[2] :][: view.shape[0], : view.shape[1]]
            inside[_covered(lesion, view) & aired] = 1
            mask[outline > 0] = 1
            marks.append(_mark(lesion, gain, view, (strips[0], strips[2]), outline))
    return Picture(np.asarray(pixels, dtype=np.uint16), view.spacing, tuple(marks), mask)


def _covered(lesion: Lesion, view: View) -> NDArray[np.bool_]:
    """The pixels of the picture whose centres lie within a ball of the lesion."""
    covered = np.zeros(view.shape, bool)
    rows, columns = np.ogrid[: view.shape[0], : view.shape[1]]
    for x, y, radius in lesion.blobs.tolist():
        column, row = affine(view) @ np.array([x, y, 1.0])
        covered |= (rows - row) ** 2 + (columns - column) ** 2 <= (radius / view.spacing) ** 2
    return covered


def _view(rng: np.random.Generator, film: Film, anatomy: Anatomy) -> View:
    """How this film was taken: field, position of the patient, dose, collimation, marker."""
    if film.site == "north":
        rows, field = int(rng.integers(204, 237)), rng.uniform(346.0, 384.0)
        columns = round(rows * rng.uniform(0.93, 1.0))
    else:
        rows, field = int(rng.integers(196, 233)), rng.uniform(368.0, 404.0)
        columns = max(160, round(rows * rng.uniform(0.82, 0.87)))
    aside, below = np.clip(rng.normal(0.0, (9.0, 12.0)), -20.0, 20.0).tolist()
    strips = np.where(rng.random(4) < 0.6, rng.integers(3, 11, 4), 0) * film.collimated
    return View(
        shape=(rows, columns),
        spacing=field / rows,
        centre=(aside, 0.5 * anatomy.lung_height + 8.0 + below),
        turn=float(np.clip(rng.normal(0.0, 0.03), -0.06, 0.06)),
        tilt=float(np.clip(rng.normal(0.0, 0.18), -0.36, 0.36)),
        dose=float(rng.uniform(0.7, 1.4)),
        collimation=_four(strips),
        overexposed=film.overexposed,
        marker="LR"[int(rng.integers(2))] * film.marked,
    )


def _four(widths: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right."""
    top, bottom, left, right = widths.tolist()
    return top, bottom, left, right


def _gain(
    with_lesions: NDArray[np.float32], without: NDArray[np.float32], view: View, machine: Machine
) -> NDArray[np.float64]:
    """Grey levels that the lesions add, pixel by pixel, without noise."""
    clean = replace(view, marker="")
    sick, well = (np.clip(expose(rays, clean, machine, None), 0.0, 1.0) for rays in (with_lesions, without))
    return np.asarray((sick - well) * (WHITE - 1))


def _mark(
    lesion: Lesion, gain: NDArray[np.float64], view: View, corner: tuple[int, int], outline: NDArray[np.uint8]
) -> Mark:
    column, row = affine(view) @ np.array([lesion.x, lesion.y, 1.0])
    radius = lesion.radius / view.spacing
    rows, columns = np.ogrid[: view.shape[0], : view.shape[1]]
    disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    contrast = float(gain[disc].mean()) if disc.any() else 0.0
    x, y, width, height = cv2.boundingRect(outline)
    box = (x, y, x + width, y + height)
    return Mark(lesion.kind, float(row) + corner[0], float(column) + corner[1], radius, contrast, box)
