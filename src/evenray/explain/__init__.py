"""Looking into a network: where a decision came from, whether the map can be trusted, what the layers do."""

from __future__ import annotations

from .attribution import attribute, attributions
from .sanity import Check, sanity

__all__ = ["Check", "attribute", "attributions", "sanity"]
