"""The table of cases: made by scanning files, kept in the run folder."""

from .files import load, save
from .scan import scan

__all__ = ["load", "save", "scan"]
