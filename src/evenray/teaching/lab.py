"""What a lab's notebook uses: images to work on, checks that say what to mend, and values side by side."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import weakref
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import UsageError
from evenray.core.texts import Texts

from . import material
from .source import NO_VALUE, Reply, Source

__all__ = ["Lab", "NotYet", "Row"]

SHOWN = 60


class NotYet(Exception):
    """An answer that is still missing or wrong; its words say what to mend. A notebook shows the words alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Row:
    """Values side by side in a notebook; their texts in a terminal."""

    def __init__(self, *values: object) -> None:
        self.values = values

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.values))

    def _repr_html_(self) -> str:
        shown = (getattr(value, "_repr_html_", value.__repr__)() for value in self.values)
        cells = "".join(f'<div style="flex:1 1 260px;max-width:440px">{each}</div>' for each in shown)
        return f'<div style="display:flex;flex-wrap:wrap;gap:16px">{cells}</div>'


class Lab:
    """A lab in one language. `data` is a folder of images to work on, by default $EVENRAY_DATA; drawn ones where there is none.

    >>> lab = Lab("1_histogram")
    >>> lab.check("counts", [9, 32, 109, 180, 132, 34, 4], [9, 32, 109, 180, 132, 34, 4])
    ✓ This is the table of the slides.
    >>> lab.check("counts", ..., [9, 32, 109, 180, 132, 34, 4])
    Traceback (most recent call last):
    ...
    evenray.teaching.lab.NotYet: ✗ Replace the ... in this cell. Hint: count the values with low <= value < low + 1.
    """

    def __init__(self, name: str, lang: str = "en", data: str | Path | None = None) -> None:
        self.source, self.say, self.lang = Source.of(name), Texts(lang), lang
        given = data if data is not None else os.environ.get("EVENRAY_DATA") or None
        self.data = None if given is None else Path(given)
        if self.data is not None and not self.data.is_dir():
            raise UsageError(f"'{given}' is no folder; give one of images, or leave it out (and EVENRAY_DATA unset).")

    @staticmethod
    def row(*values: object) -> Row:
        """The values side by side."""
        return Row(*values)

    def numbers(self) -> NDArray[np.float64]:
        """The 500 numbers of the slides' table, with two decimals."""
        return material.numbers()

    def image(self) -> Path:
        """The file of a chest radiograph: of `data`, or a drawn one."""
        found = material.radiograph(self.data)
        if found is None:
            folder = Path(tempfile.mkdtemp(prefix="evenray-lab-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            found = material.drawn_radiograph(folder)
        return found

    def cases(self, healthy: int, sick: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Images uint8 (N, 28, 28) and targets (N,), 1 sick: chest radiographs of `data` where it holds PneumoniaMNIST, or drawn."""
        return material.cases(self.data, healthy, sick)

    def check(self, name: str, answer: Any, expected: Any, *, within: float = 1e-6) -> None:
        """Say whether an answer is right; NotYet with what to mend where it is not.

        `answer` and `expected` are numbers, texts, arrays or lists of them, equal within the relative and absolute error `within`.
        A function is called without arguments for its answer, so that what it raises is told in words.
        """
        answer = self._asked(name, answer)
        wanted = expected() if callable(expected) else expected
        if not same(answer, wanted, within):
            raise NotYet(f"✗ {self._wrong(answer, wanted)} {self._hint(name, answer)}")
        self._praise(name, answer)

    def quiz(self, name: str, answer: Any) -> None:
        """A question with answers to choose from; NotYet says why another one is wrong."""
        known = [reply.value for reply in self.source.replies_to(name) if reply.value is not NO_VALUE]
        told = ", ".join(sorted(map(repr, known)))
        if missing(answer):
            raise NotYet(f"✗ {self.say('labs.blank')} {self.say('labs.choose', known=told)}")
        if not any(same(answer, value) for value in known):
            raise NotYet("✗ " + self.say("labs.option", answer=_short(answer), known=told))
        if not self._reply(name, answer, right=True):
            raise NotYet(f"✗ {self._hint(name, answer)}")
        self._praise(name, answer)

    def guess(self, name: str, guess: Any, truth: float) -> None:
        """A number guessed before it is revealed: never wrong, but it must be made."""
        guess = self._asked(name, guess)
        try:
            number = float(guess) if type(guess) is not bool and isinstance(guess, Real) else math.nan
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise NotYet("✗ " + self.say("labs.guess", answer=_short(guess)))
        told = self._reply(name, guess, right=True)
        print(
            "→ " + self.say("labs.guessed", guess=f"{number:.4g}", truth=f"{truth:.4g}"),
            told.texts[self.lang] if told else "",
        )

    def _asked(self, name: str, answer: Any) -> Any:
        """The answer, called for where it is a function; NotYet where it is missing or its code fails."""
        if callable(answer) and not isinstance(answer, type):
            try:
                answer = answer()
            except Exception as error:
                if "ellipsis" not in str(error):
                    told = self.say("labs.raised", kind=type(error).__name__, error=str(error))
                    raise NotYet(f"✗ {told} {self._hint(name)}") from None
                answer = ...
        if missing(answer):
            raise NotYet(f"✗ {self.say('labs.blank')} {self._hint(name)}")
        return answer

    def _wrong(self, answer: Any, wanted: Any) -> str:
        found = (
            None if isinstance(wanted, list | tuple) else getattr(answer, "shape", () if np.isscalar(answer) else None)
        )
        if found is not None and tuple(found) != np.shape(wanted):
            return self.say("labs.shape", found=str(tuple(found)), wanted=str(np.shape(wanted)))
        return self.say("labs.wrong", answer=_short(answer))

    def _reply(self, name: str, answer: Any, *, right: bool) -> Reply | None:
        """The reply for this very answer, else that for any."""
        known = [reply for reply in self.source.replies_to(name) if reply.right == right]
        exact = (reply for reply in known if reply.value is not NO_VALUE and same(answer, reply.value))
        return next(exact, next((reply for reply in known if reply.value is NO_VALUE), None))

    def _hint(self, name: str, answer: Any = None) -> str:
        reply = self._reply(name, answer, right=False)
        return "" if reply is None else self.say("labs.hint", hint=reply.texts[self.lang])

    def _praise(self, name: str, answer: Any) -> None:
        reply = self._reply(name, answer, right=True)
        print("✓ " + (reply.texts[self.lang] if reply else self.say("labs.right")))


def missing(answer: Any) -> bool:
    """Whether a student has written nothing yet: `...`, or what a function of nothing but `...` returns."""
    return answer is ... or answer is None or (isinstance(answer, list | tuple) and any(map(missing, answer)))


def same(answer: Any, wanted: Any, within: float = 1e-6) -> bool:
    """Whether two values agree: lists item by item, numbers and arrays within an error, the rest exactly.

    >>> same((1, [2.0000001]), [1, [2]]), same("b", "a"), same(True, 1), same([1, 2], [1])
    (True, False, False, False)
    """
    if isinstance(wanted, list | tuple):
        listed = getattr(answer, "tolist", getattr(answer, "to_list", lambda: answer))  # of arrays, tensors, series
        answer = answer if isinstance(answer, type) else listed()
        several = isinstance(answer, list | tuple) and len(answer) == len(wanted)
        return several and all(same(one, other, within) for one, other in zip(answer, wanted, strict=True))
    if isinstance(wanted, str | bool) or isinstance(answer, str | bool):
        return type(answer) is type(wanted) and bool(answer == wanted)
    return _close(answer, wanted, within)


def _close(answer: ArrayLike, wanted: ArrayLike, within: float) -> bool:
    try:
        found, right = np.asarray(answer, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # such as torch's, of a tensor with a gradient
        return False
    return found.shape == right.shape and np.allclose(found, right, rtol=within, atol=within)


def _short(answer: Any) -> str:
    text = " ".join(repr(answer).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
