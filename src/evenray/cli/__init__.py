"""The command line: thin. Parse, call a stage, print."""

from ._app import app
from ._main import main

__all__ = ["app", "main"]
