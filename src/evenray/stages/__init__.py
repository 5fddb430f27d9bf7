"""The main job: scan -> audit -> split -> compare -> train -> evaluate -> explain -> report, each stage only when needed."""

from .context import Context
from .line import STAGES, run

__all__ = ["STAGES", "Context", "run"]
