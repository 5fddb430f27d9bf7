"""Files that were sent: in a folder that only this account may open, each for as long as its answer takes."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile

from evenray.images.readers import npz

from .problems import Problem

__all__ = ["ARCHIVE", "FILES", "private_folder", "received"]

FILES = 256  # in one request
FIELDS = 64
FIELD_BYTES = 2**16
HEAD = 512  # bytes that tell a format
PREFIX = "evenray-uploads-"
LOCK = "lock"
ARCHIVE = ".npz"  # the one ending by which a file is taken to hold many images


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for what is sent, gone at the end. One that a killed server has left is removed by the next."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (left / LOCK).open("rb") as lock:  # another account's cannot be opened
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its server lives where it cannot be had
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, (Path(name) / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


@asynccontextmanager
async def received(request: Request, folder: Path) -> AsyncIterator[list[Path]]:
    """The files of a request's multipart field `file`, or its raw body, in the order sent; they are gone at the end.

    They are called by their numbers: what the sender calls them may name a person, and might lead out of the folder. Problem
    where there is none, or too many.
    """
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            paths = await _of_form(request, place)
        else:
            paths = await _of_body(request, place)
        if not paths:
            raise Problem(422, "serve.no_file")
        yield paths
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _of_form(request: Request, place: Path) -> list[Path]:
    async with request.form(max_files=FILES + 1, max_fields=FIELDS, max_part_size=FIELD_BYTES) as form:
        sent = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if len(sent) > FILES:
            raise Problem(413, "serve.too_many", count=len(sent), most=FILES)
        return [await asyncio.to_thread(_kept, part.file, place / str(number)) for number, part in enumerate(sent, 1)]


async def _of_body(request: Request, place: Path) -> list[Path]:
    path = place / "1"
    with path.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)
    return [_named(path)] if path.stat().st_size else []


def _kept(source: BinaryIO, path: Path) -> Path:
    with path.open("wb") as file:
        shutil.copyfileobj(source, file, 2**20)
    return _named(path)


def _named(path: Path) -> Path:
    """A file under the ending that says it holds many images, where its content does; every other is known without."""
    with path.open("rb") as file:
        return path.rename(path.with_suffix(ARCHIVE)) if npz.sniff(file.read(HEAD)) else path
