"""How values show themselves in a notebook: the types say that they do, reporting draws them, and a table joins the two."""

from __future__ import annotations

import importlib

__all__ = ["RENDERERS", "Displayed"]

# Class name -> "module:function" that makes its HTML; evenray/__init__.py, which may know every storey, fills it in.
RENDERERS: dict[str, str] = {}


class Displayed:
    """Shows itself as HTML in a notebook where there is a renderer for its class, else by its repr."""

    def _repr_html_(self) -> str | None:
        place = RENDERERS.get(type(self).__name__)
        if place is None:
            return None
        module, _, function = place.partition(":")
        html: str = getattr(importlib.import_module(module), function)(self)
        return html
