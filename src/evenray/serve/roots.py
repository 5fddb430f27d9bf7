"""The folders that a server was given: whatever a request names lies in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .problems import Problem

__all__ = ["Roots"]


class Roots:
    """Folders (or files) by the name that requests call them by: their own name, numbered where two are called the same.

    >>> sorted(Roots([Path("/a/run"), Path("/b/run"), Path("/b/scans")]).names)
    ['run', 'run-2', 'scans']
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.names: dict[str, Path] = {}
        for path in paths:
            whole = path.resolve()
            name, number = whole.name or "root", 1
            while (named := name if number == 1 else f"{name}-{number}") in self.names:
                number += 1
            self.names[named] = whole

    def path(self, name: str, below: str = "") -> Path:
        """A file or folder in a root, links followed; Problem 404 for what does not exist or lies outside of it, which are
        not told apart."""
        root = self.names.get(name)
        if root is not None and "\0" not in below:
            try:
                found = (root / below).resolve() if below else root
                if found.is_relative_to(root) and found.exists():
                    return found
            except (OSError, RuntimeError):  # a name too long, or links in a circle
                pass
        raise Problem(404, "serve.unknown_path")
