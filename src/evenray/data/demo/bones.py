"""The bones of a phantom: what they attenuate beyond the soft tissue whose place they take."""

from __future__ import annotations

from typing import Any

import numpy as np

from .anatomy import Anatomy
from .canvas import SHAPE, Layer, X, Y, curve, edge, ellipsoid, filled, ramp, tubes

__all__ = ["bones"]

COMPACT, SPONGY = 0.036, 0.009  # per mm at about 65 keV, beyond soft tissue's 0.019
HALF = X[:, SHAPE[1] // 2 :]  # the skeleton has two like halves: draw the patient's left one, mirror it


def bones(anatomy: Anatomy) -> Layer:
    """Attenuation that the skeleton adds, float32 (H, W), no unit (a line integral)."""
    half = _ribs(anatomy) + _spine(anatomy) + _clavicles(anatomy)
    both = np.concatenate([half[:, ::-1], half], axis=1) + _shoulder_blades(anatomy)
    return np.asarray(anatomy.bone * both, dtype=np.float32)


def _ribs(anatomy: Anatomy) -> Any:
    """Ten ribs: hoops about the chest, tilted, so that each projects to two half ellipses, rear and front."""
    cartilage = ramp(HALF, 0.30 * anatomy.half_width, 0.55 * anatomy.half_width)  # the front ends turn to cartilage
    rear, front = _half_hoops(anatomy, -1.0, 1.0), _half_hoops(anatomy, 1.0, 0.86)
    return 0.70 * rear * ramp(HALF, 8.0, 16.0) + 0.48 * cartilage * front


def _half_hoops(anatomy: Anatomy, half: float, fall: float) -> Any:
    """All rear (half = -1) or front (+1) halves at once, from each pixel's distance to the nearest rib.

    A rib meets the side of the chest at the level `side`, where the chest is `width` wide; from there it rises
    (rear) or falls (front) as an ellipse does. Which side level a pixel belongs to is found by iteration.
    """
    drop, widest = np.float32(half * fall * anatomy.rib_fall), np.float32(0.62 * anatomy.lung_height)
    width: Any = np.float32(anatomy.half_width)
    turn = np.sqrt(np.maximum(1.0 - (HALF / width) ** 2, 0.0))
    for _ in range(3):
        side = Y - drop * turn
        up = np.clip((widest - side) / widest, 0.0, 0.97)
        width = anatomy.half_width * np.sqrt(1.0 - up * up)
        turn = np.sqrt(np.maximum(1.0 - (HALF / width) ** 2, 0.0))
    index = (side - anatomy.rib_fall) / anatomy.rib_spacing
    nearest = np.clip(np.rint(index), 0.0, 9.0)
    steep = HALF / np.maximum(turn * width, 0.08 * width) * (abs(drop) / width)
    off = (index - nearest) * anatomy.rib_spacing / np.sqrt(1.0 + steep * steep)
    return _shell(off, anatomy.rib_radius, 1.5) * ramp(width + 2.0 - HALF, 0.0, 3.0)


def _spine(anatomy: Anatomy) -> Any:
    """Vertebrae with paler discs between them; two pedicles and a spinous process each."""
    half = curve(Y, [(-110, 11), (0, 14), (300, 19), (400, 21)])
    block = (Y + 12.0) / anatomy.rib_spacing
    within = np.abs(block - np.rint(block)) * 2.0  # 0 in the middle of a vertebra, 1 in the disc
    body = edge(half - HALF, 5.0) * (0.45 + 0.55 * ramp(0.86 - within, 0.0, 0.10))
    plates = edge(half - HALF, 3.0) * ramp(0.12 - np.abs(within - 0.74), 0.0, 0.10)
    pedicle = ((HALF - 0.72 * half) / 4.2) ** 2 + (within * anatomy.rib_spacing / 10.5) ** 2
    process = ramp(1.0 - (HALF / 3.6) ** 2 - ((within - 0.9) / 0.55) ** 2, 0.0, 0.5)
    return SPONGY * (22.0 * body + 12.0 * plates) + 0.10 * ramp(1.1 - pedicle, 0.0, 0.6) + 0.12 * process


def _clavicles(anatomy: Anatomy) -> Any:
    along = (HALF - 13.0) / (anatomy.half_width + 12.0)
    middle = 28.0 - anatomy.clavicle_tilt * along + 60.0 * along * (1.0 - along) * (0.55 - along)
    ends = ramp(along, -0.02, 0.03) * ramp(1.0 - along, -0.02, 0.03)
    return 1.5 * _shell((Y - middle) / 1.04, 6.4, 1.7) * ends


def _shoulder_blades(anatomy: Anatomy) -> Layer:
    """Shoulder blades, turned out of the lungs more or less, and the upper arms."""
    outlines, strokes, balls = [], [], np.zeros(SHAPE, np.float32)
    for side in (-1.0, 1.0):
        at = side * (anatomy.half_width + anatomy.scapula)
        outlines.append([(at + side * x, y) for x, y in _BLADE])
        for line, width, height in ((_RIM, 8.0, 0.30), (_RIDGE, 8.0, 0.16), (_ARM, 22.0, 0.40)):
            strokes.append(([(at + side * x, y) for x, y in line], width, height))
        ellipsoid(balls, at + side * 62.0, 16.0, 25.0, 25.0, 42.0 * SPONGY)
    return 0.18 * filled(outlines, 2.2) + tubes(strokes, 2.4) + balls


# Millimetres outwards and downwards from the upper outer corner of the chest.
_BLADE = ((44, -4), (-10, 6), (-26, 34), (-20, 92), (-2, 138), (8, 132), (22, 82), (46, 34))
_RIM = ((6, 134), (20, 84), (42, 42))
_RIDGE = ((-22, 34), (20, 14), (52, -2))
_ARM = ((66, 24), (92, 120), (110, 240))


def _shell(off: Any, radius: float, shell: float) -> Any:
    """Attenuation across a round bone, `off` mm from its axis: compact bone around spongy bone."""
    outer = 2.0 * np.sqrt(np.maximum(radius * radius - off * off, 0.0))
    inner = 2.0 * np.sqrt(np.maximum((radius - shell) ** 2 - off * off, 0.0))
    return COMPACT * (outer - inner) + SPONGY * inner
