"""The formats of tools for annotating, in the order in which a file is asked whether it is of them."""

from __future__ import annotations

from .box_lists import BOX_LISTS
from .cell_lists import CELL_LISTS
from .cvat import CVAT
from .darwin import DARWIN
from .label_studio import LABEL_STUDIO
from .labelme import LABELME
from .named_boxes import NAMED_BOXES
from .shapes import Format
from .slide_outlines import SLIDE_OUTLINES
from .supervisely import SUPERVISELY
from .via import VIA

__all__ = ["FORMATS"]

FORMATS: dict[str, Format] = {
    own.name: own
    for own in (
        LABELME,
        VIA,
        SUPERVISELY,
        DARWIN,
        LABEL_STUDIO,
        CVAT,
        SLIDE_OUTLINES,
        CELL_LISTS,
        BOX_LISTS,
        NAMED_BOXES,
    )
}
