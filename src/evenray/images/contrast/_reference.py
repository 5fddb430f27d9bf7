"""What a histogram is matched to: a named distribution, or one saved from an image or a data set."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenray.core.errors import UsageError, unknown_name
from evenray.core.spec import syntax
from evenray.images.histogram import Histogram

__all__ = ["DISTRIBUTIONS", "add_references", "distribution", "fix_references", "saved", "without_files"]

BY_CONTENT = "sha256:"  # and the digest of a histogram: a reference by its content
DISTRIBUTIONS = ("uniform", "normal", "exponential", "rayleigh")


def distribution(name: str, place: NDArray[np.float64], mean: float, sd: float) -> NDArray[np.float64]:
    """The cumulative share at positions 0 to 1 of a distribution cut off there, from 0 to 1.

    `mean` is that of the whole distribution, before it is cut off; only the normal one has an `sd`.

    >>> distribution("uniform", np.array([0.0, 0.25, 1.0]), 0.5, 0.2)
    array([0.  , 0.25, 1.  ])
    """
    if name == "uniform":
        return place
    if name == "normal":
        shares = ndtr((place - mean) / sd)
        first, last = ndtr(-mean / sd), ndtr((1 - mean) / sd)
    elif name == "exponential":
        shares, first, last = -np.expm1(-place / mean), 0.0, -np.expm1(-1 / mean)
    else:
        square = 2 * (mean / np.sqrt(np.pi / 2)) ** 2
        shares, first, last = -np.expm1(-(place**2) / square), 0.0, -np.expm1(-1 / square)
    if not last > first:
        raise UsageError(f"{name} with mean {mean} and sd {sd} has nothing between 0 and 1; bring the mean nearer.")
    return np.asarray((shares - first) / (last - first))


def saved(reference: str) -> Histogram:
    """The histogram saved under a file name; the error for an unknown name lists the distributions."""
    if reference in _known:
        return _known[reference]
    if not _files.get():
        raise unknown_name("reference", reference, DISTRIBUTIONS)
    path = Path(reference)
    if not path.exists() and path.suffix != ".json":
        raise unknown_name("reference", reference, [*DISTRIBUTIONS, "a histogram saved as .json"])
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _loaded(str(path), stamp)


@contextmanager
def without_files() -> Iterator[None]:
    """Within it specs read no file, whatever they name: for specs that somebody else sent."""
    token = _files.set(False)
    try:
        yield
    finally:
        _files.reset(token)


@lru_cache(maxsize=16)
def _loaded(path: str, stamp: int) -> Histogram:
    return Histogram.load(path)


def fix_references(spec: str) -> tuple[str, dict[str, Histogram]]:
    """A spec whose references are named by their content, and the histograms of these names, for `add_references`.

    So it means the same wherever it is used, and is another one when a file has changed. UsageError where one is gone.

    >>> fix_references("clahe(clip=2) | match(normal)")
    ('clahe(clip=2) | match(normal)', {})
    """
    if "match" not in spec:
        return spec, {}
    by_content = _ByContent()
    try:
        tree = syntax(spec)
    except UsageError:  # told where it is used
        return spec, {}
    tree = by_content.visit(tree)
    return (ast.unparse(tree), by_content.found) if by_content.found else (spec, {})


def add_references(references: Mapping[str, Histogram]) -> None:
    """Let specs that `fix_references` gave find their references in this process."""
    _known.update(references)


_known: dict[str, Histogram] = {}
_files = ContextVar("_files", default=True)


class _ByContent(ast.NodeTransformer):
    def __init__(self) -> None:
        self.found: dict[str, Histogram] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "match":
            node.args[:1] = [self._named(value) for value in node.args[:1]]
            for keyword in node.keywords:
                if keyword.arg == "reference":
                    keyword.value = self._named(keyword.value)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A quoted spec, as the method of `local`."""
        if isinstance(node.value, str) and "match(" in node.value:
            text, found = fix_references(node.value)
            self.found |= found
            return ast.Constant(text)
        return node

    def _named(self, value: ast.expr) -> ast.expr:
        text = value.id if isinstance(value, ast.Name) else getattr(value, "value", None)
        if not isinstance(text, str) or text in DISTRIBUTIONS:
            return value
        histogram = saved(text)
        content = json.dumps([histogram.counts.tolist(), histogram.edges.tolist()])
        name = f"{BY_CONTENT}{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        self.found[name] = histogram
        return ast.Constant(name)
