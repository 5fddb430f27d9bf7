"""The page that looks into a network; what it shows has been computed by `explain.inside`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from evenray.core.artefacts import atomic

from .language import Language
from .page import rendered

__all__ = ["layers_page"]

SECTIONS = ("anatomy", "convolution", "filters", "maps", "patches")


def layers_page(
    path: Path, found: Mapping[str, Any], *, name: str, about: Mapping[str, Any], language: str = "en"
) -> Path:
    """Write the page about the network `name` to `path`; sections that nothing was found for are left out.

    `about` says what stands at its top: size, channels, classes, trained (a weight file's name or None), image.
    """
    shown = [
        (section, "explain", {"found": found[section], "about": about}) for section in SECTIONS if section in found
    ]
    text = rendered(SimpleNamespace(name=name, provenance={}), Language(language), shown, "layers")
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
