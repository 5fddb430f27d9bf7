"""JPEG-LS by CharLS, in a helper process with a time limit.

A damaged stream can send CharLS into a loop of many seconds, inside one call that Python cannot interrupt: 40 x 48
pixels with two bytes doubled took 11 s. Nothing but the end of a process stops that.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codestreams import Codestream

__all__ = ["decode"]

SECONDS = 6.0  # and one more for every megapixel, many times what a sound stream needs
WORKER = Path(__file__).with_name("_jpegls_worker.py")

_lock = threading.Lock()
_helper: tuple[int, subprocess.Popen[bytes]] | None = None


def decode(data: bytes, stream: Codestream) -> NDArray[Any]:
    """(H, W) or (H, W, samples), uint8 or uint16; TimeoutError or ValueError for a stream that cannot be decoded."""
    with _lock:
        answer = _asked(data, SECONDS + stream.rows * stream.columns / 1e6)
    if not answer or answer[0] == 0:
        raise ValueError("not a sound JPEG-LS stream")
    samples = np.frombuffer(answer, "u1" if stream.precision <= 8 else "<u2", offset=1)
    if stream.components == 1:
        return samples.reshape(stream.rows, stream.columns)
    if answer[0] == 1:  # colour by plane
        return samples.reshape(stream.components, stream.rows, stream.columns).transpose(1, 2, 0)
    return samples.reshape(stream.rows, stream.columns, stream.components)


def _asked(data: bytes, seconds: float) -> bytes:
    helper = _running()
    assert helper.stdin
    assert helper.stdout
    timer = threading.Timer(seconds, helper.kill)
    timer.start()
    try:
        helper.stdin.write(len(data).to_bytes(8, "little"))
        helper.stdin.write(data)
        helper.stdin.flush()
        head = helper.stdout.read(8)
        answer = helper.stdout.read(int.from_bytes(head, "little"))
    except BrokenPipeError:
        answer = b""
    finally:
        timer.cancel()
    if not answer:
        _stop()
        raise TimeoutError(f"the JPEG-LS decoder died, or was stopped after {seconds:.0f} s")
    return answer


def _running() -> subprocess.Popen[bytes]:
    """The helper of this process, begun on first use; one that a fork has brought along is not ours."""
    global _helper
    if _helper is None or _helper[0] != os.getpid() or _helper[1].poll() is not None:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        command = [sys.executable, "-P", str(WORKER)]
        _helper = (os.getpid(), subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null))
    return _helper[1]


@atexit.register
def _stop() -> None:
    global _helper
    if _helper is not None and _helper[0] == os.getpid():
        _, process = _helper
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    _helper = None
