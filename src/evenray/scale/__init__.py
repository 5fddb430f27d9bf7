"""Beyond this process: engines for the map-shaped stages, and files at URLs; the only place that names either."""

from .engines import Map, engine
from .local import local
from .remote import Mirror, RemoteFolder, fetched, is_url, sent

__all__ = ["Map", "Mirror", "RemoteFolder", "engine", "fetched", "is_url", "local", "sent"]
