"""Beyond this process: engines for the map-shaped stages, and files at URLs; the only place that names either."""

from .apart import apart
from .engines import Engine, engine
from .isolated import isolated
from .remote import Mirror, RemoteFolder, fetched, is_url, sent

__all__ = ["Engine", "Mirror", "RemoteFolder", "apart", "engine", "fetched", "is_url", "isolated", "sent"]
