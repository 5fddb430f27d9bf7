"""The windows of computed tomography by name."""

from __future__ import annotations

from evenray.core.errors import unknown_name

__all__ = ["CT_WINDOWS", "ct_window"]

# (center, width) in Hounsfield units, as fastai.medical.imaging lists them.
CT_WINDOWS: dict[str, tuple[float, float]] = {
    "brain": (40, 80),
    "subdural": (100, 254),
    "stroke": (32, 8),
    "brain_bone": (600, 2800),
    "brain_soft": (40, 375),
    "lung": (-600, 1500),
    "mediastinum": (50, 350),
    "abdomen": (50, 400),
    "liver": (30, 150),
    "spine_soft": (50, 250),
    "spine_bone": (400, 1800),
}


def ct_window(name: str, also: tuple[str, ...] = ()) -> tuple[float, float]:
    """The center and width of a window; an unknown name raises UsageError with the known ones, those in `also` before them.

    `lungs`, as fastai.medical.imaging writes it, is `lung`.

    >>> ct_window("brain"), ct_window("lungs")
    ((40, 80), (-600, 1500))
    """
    known = CT_WINDOWS.get({"lungs": "lung"}.get(name, name))
    if known is None:
        raise unknown_name("window", name, [*also, *CT_WINDOWS])
    return known
