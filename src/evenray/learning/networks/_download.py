"""torchvision's weight files: downloaded once, checked against the hash in their name, kept in a cache."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from evenray.core.errors import EvenrayError, UsageError

__all__ = ["TORCHVISION", "cache_folder", "fetch"]

BASE = "https://download.pytorch.org/models/"
TORCHVISION = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "googlenet_bn": "googlenet-1378be20.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg11_bn": "vgg11_bn-6002323d.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg13_bn": "vgg13_bn-abd245e5.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
    "vgg16_features": "vgg16_features-amdegroot-88682ab5.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg19_bn": "vgg19_bn-c79401a0.pth",
}
CHUNK = 1 << 20


def cache_folder() -> Path:
    """Where downloads are kept: $EVENRAY_CACHE, else `evenray` in $XDG_CACHE_HOME or ~/.cache."""
    if "EVENRAY_CACHE" in os.environ:
        return Path(os.environ["EVENRAY_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "evenray"


Tick = Callable[[int, int | None], None]


def _silent(done: int, total: int | None) -> None:
    return


def fetch(network: str, *, offline: bool = False, base: str = BASE, tick: Tick = _silent) -> Path:
    """The weight file that torchvision has for a network: from our cache, from torch's, or downloaded.

    `offline` (or $EVENRAY_OFFLINE) forbids the download. A file whose SHA-256 does not begin as its name says is
    never used. `tick` hears of the bytes that have come and of how many there are (None: not told). Raises UsageError
    where there is no such file, EvenrayError where it cannot be had whole.
    """
    if network not in TORCHVISION:
        raise UsageError(f"torchvision has no weights for '{network}'; it has them for {', '.join(TORCHVISION)}.")
    name = TORCHVISION[network]
    torch_hub = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")) / "hub" / "checkpoints"
    for path in (cache_folder() / "weights" / name, torch_hub / name):
        if path.is_file() and _is_whole(path, name):
            return path
    target = cache_folder() / "weights" / name
    if offline or os.environ.get("EVENRAY_OFFLINE"):
        raise UsageError(
            f"{name} is not in {target.parent}, and downloads are off; fetch {base}{name} and put it there."
        )
    _download(base + name, target, tick)
    return target


def _download(url: str, target: Path, tick: Tick) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=60) as answer:
            length = answer.headers.get("Content-Length")
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                tick(file.tell(), int(length) if length else None)
        if not _is_whole(Path(partial), target.name):
            raise EvenrayError(f"{url} arrived damaged (its SHA-256 is not the one in its name); try again.")
        Path(partial).replace(target)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise EvenrayError(f"{url} could not be fetched ({error}); fetch it by hand and put it at {target}.") from error
    finally:
        Path(partial).unlink(missing_ok=True)


def _is_whole(path: Path, name: str) -> bool:
    """Whether the file's SHA-256 begins with the eight digits at the end of `name`."""
    digits = name.removesuffix(".pth")[-8:]
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(digits)
