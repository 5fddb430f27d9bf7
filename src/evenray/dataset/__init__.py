"""The table of cases: made by scanning files, kept in the run folder."""

from .exclusions import check_exclusions, read_exclusions, without
from .files import load, save
from .scan import scan

__all__ = ["check_exclusions", "load", "read_exclusions", "save", "scan", "without"]
