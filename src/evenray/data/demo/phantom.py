"""One phantom: the thickness of air, lung, soft tissue and bone along every ray of a chest film.

Each part is a path length in mm; the sum of path length x attenuation coefficient is what the detector (detector.py)
turns into grey levels. The lungs are what the chest wall, the heart and the diaphragm leave free.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .anatomy import Anatomy, Lesion
from .bones import bones
from .canvas import SHAPE, Layer, X, Y, curve, edge, ellipsoid, ramp, segments, tubes

__all__ = ["attenuation", "lung_thickness"]

SOFT, LUNG = 0.0190, 0.0050  # attenuation per mm at about 65 keV; inflated lung is mostly air
ACROSS = np.abs(X)


def attenuation(anatomy: Anatomy, lung: Layer, lesions: tuple[Lesion, ...] = ()) -> Layer:
    """Line integrals of attenuation, float32 (H, W), 0 in air; `lung` comes from lung_thickness(anatomy).

    >>> from .anatomy import draw_anatomy
    >>> chest = draw_anatomy(np.random.default_rng(0))
    >>> rays = attenuation(chest, lung_thickness(chest))
    >>> bool(rays.min() == 0.0), bool(3.0 < rays.max() < 9.0)  # nothing in air, one ray in thousands behind the spine
    (True, True)
    """
    body = _body(anatomy)
    vessels = np.minimum(1.5 * segments(anatomy.vessels, 1.5) * ramp(lung, 0.0, 25.0), lung)
    total = SOFT * (body - _air(anatomy, lung)) - anatomy.aeration * (SOFT - LUNG) * (lung - vessels)
    total += _lesions(lesions, lung - vessels) + bones(anatomy)
    total = np.maximum(total, 0.0) * ramp(body, 0.0, 8.0)
    if anatomy.pacemaker:
        total += _pacemaker(anatomy)
    return np.asarray(total, dtype=np.float32)


def lung_thickness(anatomy: Anatomy) -> Layer:
    """Thickness of lung in mm along every ray, float32 (H, W): the chest less mediastinum, heart and diaphragm."""
    widest = 0.62 * anatomy.lung_height
    up = np.minimum(Y - widest, 0.0) / widest
    wall = (1.0 - np.sqrt((X / anatomy.half_width) ** 2 + up * up)) * anatomy.half_width
    dome = _dome(anatomy) - Y
    depth = 0.74 * anatomy.depth
    above = depth * edge(wall, 62.0) * edge(dome, 34.0)
    behind = 0.20 * depth * edge(wall, 40.0) * ramp(dome, -46.0, 0.0)  # the sulcus behind the diaphragm's dome
    return np.asarray(np.maximum(np.maximum(above, behind) - _mediastinum(anatomy, depth), 0.0), dtype=np.float32)


def _dome(anatomy: Anatomy) -> Layer:
    """The y of the diaphragm's outline in each column: a dome on each side, the patient's left one lower."""
    middle = 0.50 * anatomy.half_width
    span = np.where(middle < ACROSS, anatomy.half_width - middle, 1.25 * anatomy.half_width)
    out = (ACROSS - middle) / span
    level = anatomy.lung_height + anatomy.left_dome_drop * ramp(X, -10.0, 10.0)
    return np.asarray(level + anatomy.dome_arch * out * out, dtype=np.float32)


def _mediastinum(anatomy: Anatomy, depth: float) -> Any:
    """What stands between the lungs: the spine with the great vessels, and the heart's silhouette before them."""
    level = Y / np.float32(anatomy.lung_height)
    half = curve(level, [(-0.3, 30), (0.0, 24), (0.3, 21), (0.6, 21), (1.0, 27), (1.3, 30)])
    band = 0.80 * depth * np.sqrt(np.maximum(1.0 - (X / half) ** 2, 0.0))
    knob, trunk, girth, tip = anatomy.silhouette
    atrium = 0.5 * girth
    vein = [(-0.3, 30.0), (0.0, 25.0), (0.2, 26.0), (0.45, 27.0)]
    right = curve(level, [*vein, (0.57, 0.75 * atrium), (0.72, atrium), (0.86, atrium), (1.0, 36.0)])
    upper = [(-0.3, 28.0), (0.06, 23.0), (0.14, 25.0), (0.23, knob), (0.32, 28.0), (0.43, trunk), (0.55, trunk + 5.0)]
    lower = [(0.68, 0.72 * girth), (0.82, 0.95 * girth), (tip, girth), (tip + 0.08, 0.9 * girth), (1.3, 0.6 * girth)]
    left = curve(level, upper + lower)
    middle, reach = (left - right) / 2.0, (left + right) / 2.0
    thick = depth * (0.66 + 0.04 * ramp(level, 0.42, 0.62))
    return np.maximum(band, thick * np.sqrt(np.maximum(1.0 - ((X - middle) / reach) ** 2, 0.0)))


def _body(anatomy: Anatomy) -> Any:
    """Thickness of the whole body in mm: trunk, neck, shoulders; breasts and nipples."""
    outer = anatomy.half_width + anatomy.wall
    arms = [(-48.0, 84.0), (-25.0, 150.0), (10.0, 250.0), (60.0, 235.0), (110.0, outer + 8.0)]
    lowered = [(y + anatomy.shoulder, x) for y, x in arms]
    half = curve(Y, [(-110.0, 56.0), (-70.0, 58.0), *lowered, (400.0, outer + 2.0)])
    depth = anatomy.depth * curve(Y, [(-110, 0.55), (-60, 0.60), (20, 0.90), (120, 1.0), (400, 1.08)])
    out = (X / half) ** 2
    trunk = depth * np.sqrt(np.maximum(1.0 - out * out, 0.0))
    front, nipples = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    level, low = 0.80 * anatomy.lung_height, 0.84 * anatomy.lung_height
    for side in (-anatomy.half_width, anatomy.half_width):
        if anatomy.breast > 0.0:
            ellipsoid(front, 0.60 * side, level, 62.0, 66.0, anatomy.breast)
        if anatomy.nipple > 0.0:  # small round shadows that look like nodules and are none
            ellipsoid(nipples, 0.66 * side, low, anatomy.nipple, anatomy.nipple, 11.0)
    front *= ramp(Y, level - 80.0, level + 50.0)
    return trunk + (front + nipples) * (trunk > 0)


def _air(anatomy: Anatomy, lung: Layer) -> Any:
    """Air in mm outside the lungs: the windpipe with its two branches, and the bubble of gas in the stomach."""
    fork, shift = 0.30 * anatomy.lung_height, anatomy.trachea_shift
    branches = tubes(
        [
            ([(0.5 * shift, fork - 3.0), (-16.0, fork + 16.0), (-36.0, fork + 36.0)], 9.0, 13.0),
            ([(0.5 * shift, fork - 3.0), (20.0, fork + 20.0), (42.0, fork + 34.0)], 9.0, 12.0),
            ([(0.0, -110.0), (0.3 * shift, -40.0), (shift, 0.5 * fork), (0.5 * shift, fork)], 14.0, 20.0),
        ],
        2.4,
    )
    gas = np.zeros(SHAPE, np.float32)
    if anatomy.gas > 4.0:
        below = anatomy.lung_height + anatomy.left_dome_drop + 34.0
        ellipsoid(gas, 0.46 * anatomy.half_width, below, 30.0, anatomy.gas, 2.4 * anatomy.gas, -0.15)
    return branches * (1.0 - ramp(lung, 0.0, 40.0)) + gas


def _lesions(lesions: tuple[Lesion, ...], lung: Layer) -> Any:
    """Attenuation that lesions add: where one lies, `lung` (mm of air-filled lung) becomes as dense as the lesion is."""
    added = np.zeros(SHAPE, np.float32)
    for lesion in lesions:
        chord = np.zeros(SHAPE, np.float32)
        for x, y, radius in lesion.blobs.tolist():
            ellipsoid(chord, x, y, radius, radius, lesion.depth * radius)
        soft = cv2.GaussianBlur(chord, (0, 0), 1.2 if lesion.kind == "nodule" else 3.0)
        added = np.maximum(added, lesion.density * (SOFT - LUNG) * np.minimum(soft, lung))
    return added


def _pacemaker(anatomy: Anatomy) -> Layer:
    """A metal box under the left clavicle, with its lead down to the heart: bright, and no sign of a lesion."""
    x, y, heart = 0.66 * anatomy.half_width, 44.0, 0.82 * anatomy.lung_height
    lead = [(x, y), (x - 30.0, y - 4.0), (20.0, 24.0), (-14.0, 70.0), (-22.0, 0.6 * anatomy.lung_height), (24.0, heart)]
    return tubes([(lead, 1.6, 0.9), ([(x - 8.0, y), (x + 12.0, y + 4.0)], 30.0, 1.6)], 0.9)
