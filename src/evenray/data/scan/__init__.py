"""The table of cases: made by scanning files, kept in the run folder."""

from evenray.core.artefacts.cases import load, save
from evenray.data.exclusions import check_exclusions, read_exclusions, without

from .scanning import scan

__all__ = ["check_exclusions", "load", "read_exclusions", "save", "scan", "without"]
