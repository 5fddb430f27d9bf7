"""From attenuation to grey levels: X-rays, scatter, quantum noise, collimation, and what the machine makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import MM_PER_PIXEL, ORIGIN

__all__ = ["WHITE", "Machine", "View", "affine", "expose", "placed", "to_pixels"]

WHITE = 4095  # 12 bits stored; 0 is kept free for padding


@dataclass(frozen=True)
class Machine:
    """How one site's machine makes pictures.

    `scatter` is the share of scattered rays behind the grid, `photons` how many unattenuated X-rays a pixel counts,
    `black` and `white` the optical depths shown as such, `detail` how much finer structure is lifted against the
    broad one.
    """

    scatter: float
    photons: float
    black: float
    white: float
    detail: float


@dataclass(frozen=True)
class View:
    """How one film was taken.

    `shape` (rows, columns) of the picture and `spacing` its mm per pixel in the patient; `centre` the patient's point
    (mm) in the middle of it, `turn` its rotation in radians; `tilt` how much more of the beam reaches the right edge
    than the left (0.1 is 10 %: a grid out of line); `dose` relative to the machine's; `collimation` is the width in
    pixels (top, bottom, left, right) of the strip kept out of the beam; `overexposed` crowds the grey levels at the
    bright end; `marker` is L, R or empty.
    """

    shape: tuple[int, int]
    spacing: float
    centre: tuple[float, float]
    turn: float
    tilt: float
    dose: float
    collimation: tuple[int, int, int, int]
    overexposed: bool
    marker: str


def expose(
    attenuation: NDArray[np.float32], view: View, machine: Machine, noise: np.random.Generator | None
) -> NDArray[np.float64]:
    """The picture as the machine shows it, float64 (rows, columns), 0 black (most X-rays) to 1 white; no noise if None."""
    rays = np.exp(-(placed(attenuation, view) + _marker(view)).astype(np.float64)) * _beam(view)
    rays *= _open_beam(view)
    rays = (1.0 - machine.scatter) * rays + machine.scatter * _spread(rays, 55.0 / view.spacing)
    rays = np.maximum(rays, 1e-5)
    if noise is not None:
        grains = cv2.GaussianBlur(noise.standard_normal(view.shape), (0, 0), 0.5) * 1.6
        rays = np.maximum(rays + grains * np.sqrt(rays / (machine.photons * view.dose)), 0.3 * rays)
    return _shown(-np.log(rays), view, machine)


def to_pixels(picture: NDArray[np.float64]) -> NDArray[np.uint16]:
    """0..1 to the levels 1 to 4095, uint16; 0 stays free for padding.

    >>> to_pixels(np.array([[0.0, 0.5, 1.2]]))
    array([[   1, 2048, 4095]], dtype=uint16)
    """
    return np.rint(1.0 + (WHITE - 1) * np.clip(picture, 0.0, 1.0)).astype(np.uint16)


def affine(view: View) -> NDArray[np.float64]:
    """The 2 x 3 matrix from (x, y) of the patient in mm to (column, row) of the picture."""
    cosine, sine = np.cos(view.turn) / view.spacing, np.sin(view.turn) / view.spacing
    turned = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array([(view.shape[1] - 1) / 2.0, (view.shape[0] - 1) / 2.0])
    return np.column_stack([turned, middle - turned @ np.array(view.centre)])


def placed(attenuation: NDArray[np.float32], view: View) -> NDArray[np.float32]:
    """The canvas (attenuation, or the thickness of a part) as it falls on the detector, float32 of the shape of the view."""
    matrix = affine(view)
    from_canvas = np.column_stack([matrix[:, :2] * MM_PER_PIXEL, matrix[:, 2] + matrix[:, :2] @ np.array(ORIGIN)])
    rows, columns = view.shape
    placed = cv2.warpAffine(
        attenuation, from_canvas, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(placed, dtype=np.float32)


def _marker(view: View) -> NDArray[np.float32]:
    """A letter of lead in the upper corner of that side of the patient: R on the left of the picture."""
    image = np.zeros(view.shape, np.uint8)
    if view.marker:
        top, _, left, right = view.collimation
        column = left + 7 if view.marker == "R" else view.shape[1] - right - 19
        cv2.putText(image, view.marker, (column, top + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    return image.astype(np.float32) / np.float32(255.0 / 3.0)


def _spread(picture: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """A broad Gaussian blur, done on a smaller copy: nothing fine is left to lose."""
    rows, columns = picture.shape
    factor = max(1.0, sigma / 3.0)
    small = cv2.resize(picture, (round(columns / factor), round(rows / factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), dtype=np.float64)


def _beam(view: View) -> NDArray[np.float64]:
    """The unattenuated beam: weaker towards the anode (above) and, where the grid is out of line, to one side."""
    rows, columns = view.shape
    return np.linspace(1.06, 0.94, rows)[:, None] * np.linspace(1.0 - view.tilt / 2.0, 1.0 + view.tilt / 2.0, columns)


def _open_beam(view: View) -> NDArray[np.float64]:
    top, bottom, left, right = view.collimation
    rows, columns = view.shape
    beam = np.full(view.shape, 2e-3)
    beam[top : rows - bottom, left : columns - right] = 1.0
    return np.asarray(cv2.GaussianBlur(beam, (0, 0), 0.6), dtype=np.float64)


def _lung_depth(depth: NDArray[np.float64], view: View) -> float:
    """Optical depth where the sensors of the automatic exposure control lie: over both upper lungs."""
    points = affine(view) @ np.array([[-75.0, -65.0, 65.0, 75.0], [95.0, 115.0, 115.0, 95.0], [1.0] * 4])
    patch = [depth[int(row) - 8 : int(row) + 8, int(column) - 8 : int(column) + 8] for column, row in points.T]
    return float(np.median(patch)) + 0.25 * float(np.log(view.dose))


def _shown(depth: NDArray[np.float64], view: View, machine: Machine) -> NDArray[np.float64]:
    """The machine's processing: optical depth to 0..1, the broad structure compressed and the fine one lifted."""
    linear = (depth - _lung_depth(depth, view) - machine.black) / (machine.white - machine.black)
    broad = _spread(linear, 20.0 / view.spacing)
    level = np.clip(broad, 0.0, 1.6) - 0.5
    picture = 0.5 + level / np.sqrt(1.0 + level * level) + machine.detail * (linear - broad)
    if view.overexposed:
        picture = 1.0 - np.maximum(1.0 - picture, 0.0) ** 1.5 * 0.67
    return picture
