"""Engines for the map-shaped stages; the only place that names one."""

from .local import local

__all__ = ["local"]
