"""Beyond this process: engines for the map-shaped stages, and files at URLs; the only place that names either."""

from .apart import apart
from .engines import Engine, engine
from .fetching import is_pacs, local
from .isolated import isolated
from .remote import Mirror, RemoteFolder, is_url, sent

__all__ = ["Engine", "Mirror", "RemoteFolder", "apart", "engine", "is_pacs", "is_url", "isolated", "local", "sent"]
