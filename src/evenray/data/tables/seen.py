"""What is known of the images before they are read: where they lie, and what the headers of a few of them say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import polars as pl

from evenray.core.errors import MissingExtra, ReadError
from evenray.core.names import as_path
from evenray.images.readers import Identity, identity

from .match_paths import folded, without_ending, without_zeros

__all__ = ["Seen", "side_of", "steps_of", "unpadded"]

SAMPLE = 64  # files whose headers are opened
NUMBERED = re.compile(r"([a-z가-힣]{1,12})[-_ ]?0*(\d+)")
SIDE = {
    **dict.fromkeys(("l", "left", "lt", "os", "좌", "좌측", "좌안", "왼쪽"), "L"),
    **dict.fromkeys(("r", "right", "rt", "od", "우", "우측", "우안", "오른쪽"), "R"),
}  # fmt: skip


class Seen:
    """The files below `root`, which are listed when they are first asked for; `patient_of` finds a patient in a path."""

    def __init__(self, root: Path, files: Callable[[], list[str]], patient_of: Callable[[str], str | None]) -> None:
        self.root, self._files, self.patient_of = root, files, patient_of

    @cached_property
    def files(self) -> list[str]:
        return self._files()

    @property
    def is_listed(self) -> bool:
        """Whether the files were asked for already."""
        return "files" in self.__dict__

    @cached_property
    def stems(self) -> pl.Series:
        """The names of the files in small letters without their endings, each once."""
        return self._names.select(folded(pl.col("name"))).to_series().unique()

    @cached_property
    def numbers(self) -> pl.Series:
        """The same; names that are numbers without the zeros before them, as a table may have lost these."""
        return self._names.select(without_zeros(pl.col("name"))).to_series().unique()

    @cached_property
    def _names(self) -> pl.DataFrame:
        names = pl.DataFrame({"name": self.files}, schema={"name": pl.String})
        return names.select(pl.col("name").str.extract(r"([^/]*)$").str.normalize("NFC"))

    @cached_property
    def by_step(self) -> dict[str, list[str]]:
        """The files by every folder above them, by the beginnings of their names, and by the numbers of both."""
        found: dict[str, list[str]] = {}
        for file in self.files:
            for step in steps_of(file):
                found.setdefault(step, []).append(file)
        known = set(found)
        for step in known:
            if (plain := unpadded(step)) not in known:
                found[plain] = [*found.get(plain, ()), *found[step]]
        return found

    @cached_property
    def identities(self) -> list[tuple[str, Identity]]:
        """What the headers of some files say, spread over all of them; none where they have no such headers."""
        found: list[tuple[str, Identity]] = []
        for number, file in enumerate(self.files[:: max(1, -(-len(self.files) // SAMPLE))]):
            with suppress(ReadError, MissingExtra):
                found.append((file, identity(as_path(self.root / file))))
            if number == 8 and not any(who.sop_instance_uid or who.patient_id for _, who in found):
                return []
        return found

    @property
    def with_side(self) -> float:
        """The share of sampled files whose side is known, by the header or by the path."""
        known = [who.laterality or side_of(file) for file, who in self.identities] or [
            side_of(file) for file in self.files[:: max(1, len(self.files) // SAMPLE)]
        ]
        return sum(side is not None for side in known) / max(1, len(known))


def steps_of(file: str) -> set[str]:
    """What a path can be found by beside its name: its folders, the beginnings of its name, and the numbers of these.

    >>> sorted(steps_of("files/p10/s50414267/view1_a.jpg"))
    ['10', '50414267', 'files', 'p10', 's50414267', 'view1', 'view1_a']
    """
    *folders, name = file.split("/")
    stem = _plain(without_ending(name))
    steps = {_plain(folder) for folder in folders} | {stem}
    for cut in re.finditer(r"[-_ .]", stem):
        steps.add(stem[: cut.start()])
    if sided := re.fullmatch(r"(\d{3,})[lr]", stem):
        steps.add(sided[1])
    for step in [_plain(folder) for folder in folders]:
        if numbered := NUMBERED.fullmatch(step):
            steps.add(numbered[2])
    for step in list(steps):
        if step.isdecimal() and step.startswith("0"):
            steps.add(step.lstrip("0") or "0")
    return steps - {""}


def unpadded(step: str) -> str:
    """A step without the zeros before its numbers.

    >>> unpadded("ucsf-pdgm-0004"), unpadded("s00_07"), unpadded("1.50")
    ('ucsf-pdgm-4', 's0_7', '1.50')
    """
    return re.sub(r"(?<![\d.])0+(?=\d)", "", step)


def side_of(text: str) -> str | None:
    """L or R, where a path or a value says one of them and not both.

    >>> side_of("a/Mass_P_00001_LEFT_CC.dcm"), side_of("왼쪽"), side_of("22678622_MG_R_CC.dcm"), side_of("left/right.png")
    ('L', 'L', 'R', None)
    """
    words = re.split(r"[\W_]+", _plain(text))
    found = {SIDE[word] for word in words if word in SIDE}
    return next(iter(found)) if len(found) == 1 else None


def _plain(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).casefold()
