"""The invented people of the demo archive: chest measures in millimetres, and the lesions of the sick ones.

The frame of a patient: x grows towards the right edge of the film (the patient's left), y downwards; the midline is
x = 0 and the tips of the lungs lie at y = 0. All measures vary between people about those of an adult chest film.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import MM_PER_PIXEL, SHAPE, Layer, X, Y

__all__ = ["Anatomy", "Lesion", "draw_anatomy", "draw_lesions"]


@dataclass(frozen=True)
class Anatomy:
    """One invented chest; lengths in mm. `shoulder` is how much lower than usual the shoulders hang, `aeration` how full of
    air the lungs are (1 is usual).

    `silhouette` is how far the aortic arch, the pulmonary trunk and the heart stand out to the left of the midline, and
    the level of the heart's tip (1 at the diaphragm); `vessels` holds one segment a row: x and y of both ends and
    the diameter, from the finest to the widest.

    >>> 110 < draw_anatomy(np.random.default_rng(0)).half_width < 160
    True
    """

    sex: str
    half_width: float
    lung_height: float
    depth: float
    wall: float
    shoulder: float
    aeration: float
    breast: float
    left_dome_drop: float
    dome_arch: float
    rib_spacing: float
    rib_radius: float
    rib_fall: float
    bone: float
    clavicle_tilt: float
    scapula: float
    trachea_shift: float
    gas: float
    nipple: float
    pacemaker: bool
    silhouette: tuple[float, float, float, float]
    vessels: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True)
class Lesion:
    """One lesion: centre and radius in mm, and its density, from 0 (air-filled lung) to 1 (solid as muscle).

    `depth` is its thickness along the rays in radii (2 for a ball). `kind` is nodule (round) or consolidation (a patch
    with a ragged outline); `blobs` are the balls that it is made of, one a row: x, y and radius in mm.
    """

    kind: str
    x: float
    y: float
    radius: float
    density: float
    depth: float
    blobs: NDArray[np.float64] = field(repr=False)


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """One chest at random."""

    def about(mean: float, spread: float) -> float:
        """A normal variate cut at two spreads, so that nobody is a monster."""
        return float(mean + spread * np.clip(rng.standard_normal(), -2.0, 2.0))

    female = bool(rng.random() < 0.5)  # every line below draws in its order
    width, height = about(129.0 if female else 141.0, 8.0), about(230.0 if female else 248.0, 19.0)
    silhouette = (about(35.0, 4.0), about(32.0, 3.5), about(88.0, 11.0), about(0.93, 0.03))
    depth, wall, shoulder = about(205.0 if female else 225.0, 22.0), about(34.0, 11.0), about(0.0, 12.0)
    aeration, breast = about(1.0, 0.12), max(0.0, about(30.0, 16.0)) if female else 0.0
    return Anatomy(
        "F" if female else "M", width, height, depth, wall, shoulder, aeration, breast,
        left_dome_drop=about(10.0, 7.0), dome_arch=about(34.0, 6.0), rib_spacing=about(0.094, 0.003) * height,
        rib_radius=about(6.6, 0.6), rib_fall=about(52.0, 6.0), bone=about(1.0, 0.15), clavicle_tilt=about(30.0, 9.0),
        scapula=about(8.0, 8.0), trachea_shift=about(-2.0, 3.0), gas=max(0.0, about(12.0, 8.0)),
        nipple=about(6.0, 2.0) if rng.random() < 0.3 else 0.0, pacemaker=bool(rng.random() < 0.03), silhouette=silhouette,
        vessels=_vessels(rng, height),
    )  # fmt: skip


def _vessels(rng: np.random.Generator, lung_height: float) -> NDArray[np.float64]:
    """Both lungs' vessels: trees that fork four times from the hila, float64 (segments, 5)."""
    trunks = 6
    generations = []
    side = np.repeat([-1.0, 1.0], trunks)
    start = np.stack([side * 30.0, np.where(side < 0, 0.44, 0.40) * lung_height + rng.uniform(-14, 14, 2 * trunks)], 1)
    fan = np.tile(np.linspace(-1.5, 1.5, trunks), 2)
    angle = fan + rng.normal(0.0, 0.12, 2 * trunks)
    width = rng.uniform(11.0, 16.0, 2 * trunks)
    for length in (20.0, 25.0, 27.0, 25.0, 22.0):
        reach = length * rng.uniform(0.7, 1.3, len(angle))
        end = start + np.stack([side * reach * np.cos(angle), reach * np.sin(angle)], 1)
        generations.append(np.column_stack([start, end, width]))
        turn = rng.uniform(0.15, 0.55, len(angle)) * rng.choice([-1.0, 1.0], len(angle))
        side, start = np.tile(side, 2), np.tile(end, (2, 1))
        angle = np.concatenate([angle + 0.6 * turn, angle - turn])
        width = np.concatenate([width * 0.8, width * 0.6])
    dots = np.column_stack(
        [rng.choice([-1.0, 1.0], 12) * rng.uniform(35, 100, 12), rng.uniform(0.1, 0.9, 12) * lung_height]
    )
    end_on = np.column_stack([dots, dots + 0.1, rng.uniform(4.0, 8.0, 12)])  # vessels that run along the rays
    return np.concatenate([*generations[::-1], end_on])


def draw_lesions(rng: np.random.Generator, lung: Layer) -> tuple[Lesion, ...]:
    """One to three lesions that lie in the lungs and apart from each other.

    `lung` is the thickness of lung in mm on the canvas; lesions lie where it is thick.
    """
    lesions: list[Lesion] = []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.33, 0.17]))):
        kind = "nodule" if rng.random() < 0.55 else "consolidation"
        radius = float(rng.uniform(15.0, 24.0) if kind == "nodule" else rng.uniform(24.0, 36.0))
        place = _place(rng, lung, radius, lesions)
        density, depth = float(rng.uniform(0.7, 1.0)), float(rng.uniform(4.8, 6.0))
        lesions.append(Lesion(kind, *place, radius, density, depth, _blobs(rng, kind, place, radius)))
    return tuple(lesions)


def _place(rng: np.random.Generator, lung: Layer, radius: float, others: list[Lesion]) -> tuple[float, float]:
    """A centre where the lung is thick all around, away from the other lesions: the best of thirty tries."""
    around = cv2.blur(lung, (2 * round(0.6 * radius / MM_PER_PIXEL) + 1,) * 2)
    best, place = -np.inf, (0.0, 0.0)
    for row, column in zip(rng.integers(SHAPE[0], size=30), rng.integers(SHAPE[1], size=30), strict=True):
        x, y = float(X[0, column]), float(Y[row, 0])
        gap = min((float(np.hypot(x - o.x, y - o.y)) - radius - o.radius for o in others), default=0.0)
        worth = min(float(around[row, column]), 95.0) + 2.0 * min(gap, 0.0)
        if worth > best:
            best, place = worth, (x, y)
    return place


def _blobs(rng: np.random.Generator, kind: str, place: tuple[float, float], radius: float) -> NDArray[np.float64]:
    if kind == "nodule":
        return np.array([[*place, radius]])
    count = 7
    turn = rng.uniform(0.0, 2.0 * np.pi, count)
    out = radius * np.sqrt(rng.uniform(0.02, 0.36, count))
    sizes = radius * rng.uniform(0.38, 0.62, count)
    return np.column_stack([place[0] + out * np.cos(turn), place[1] + out * np.sin(turn), sizes])
