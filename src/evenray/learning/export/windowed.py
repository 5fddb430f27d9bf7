"""How the answers of an exported network about windows are put together, in words for other programs."""

from __future__ import annotations

from evenray.learning.box_windows import CLEAR, INNER, LARGE, SMALL
from evenray.learning.boxes.decoding import kept_in
from evenray.learning.predict.about import About
from evenray.learning.windows import OVERLAP, SIGMA

__all__ = ["windows_of"]


def windows_of(about: About) -> str:
    """What stands in the metadata under `windows`."""
    start = (
        f"Windows of {about.size} pixels lie in the square of {about.side} from edge to edge, in even steps of at most {OVERLAP:g} of"
        " their side. "
    )
    mirror = about.view == "flips"
    if about.task == "segment":
        look = (
            "Their p and those of their mirror images, mirrored back, are averaged"
            if mirror
            else "Their p are averaged"
        )
        return (
            f"{start}{look}, each pixel with the weight exp(-(r^2 + c^2) / 2), 0.0001 at least, of its distance r, c from the"
            f" window's middle along rows and columns in {SIGMA:g} of the window's side; the mean takes the place of p"
        )
    look = (
        " The answers about a look and about its mirror image are averaged, default box by default box: of the mirror image dx changes"
        " its sign and the default box is the one mirrored across."
        if mirror
        else ""
    )
    return (
        f"{start}The whole square, resized to one window with antialiasing, is looked at too; windows of one level are left out."
        f"{look} Each look is decoded by itself. The whole answers for boxes whose longer side exceeds {LARGE:g} of a window's side"
        f" in the square. A window answers for boxes whose longer side is at most {SMALL:g} of its own, whose middle lies {INNER:g}"
        f" of its side or more from each of its borders and whose edges {CLEAR:g} or more, but for borders that are those of the"
        " square. All these boxes pass the suppression once more together, and the"
        f" {kept_in(about.side)} of the highest scores remain"
    )
