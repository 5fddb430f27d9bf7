"""The other end of isolated.py: calls functions on items that come by standard input, in a process that may die of them.

Run as a script, so that nothing but what a function needs is imported. A message is its length in 8 bytes and a pickle.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import pickle
import resource
import signal
import sys
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1


def main(parent: int, shared: int) -> None:
    """Answer item after item until the input ends."""
    _end_with(parent)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a C library prints must not come between the answers
    questions = sys.stdin.buffer
    sys.path[:] = _received(questions)
    import cv2

    from evenray.core import budget

    cv2.setNumThreads(1)  # one process on each core
    part = mmap.mmap(shared, 8)

    def tell_part(number: int) -> None:
        part[:8] = number.to_bytes(8, "little")

    budget.keep(tell_part)
    function: Any = None
    _send(answers, (True, "ready"))
    while (question := _received(questions)) is not None:
        kind, value = question
        try:
            if kind == "function":
                folder, packed = value
                with contextlib.suppress(OSError):  # it is gone; whole paths work on
                    os.chdir(folder)
                function = pickle.loads(packed)
                continue
            tell_part(0)
            answer = (True, function(value))
        except Exception as error:
            answer = (False, error)
        _send(answers, answer)


def _end_with(parent: int) -> None:
    """Let the system end this process when its parent has gone, however that ended, in the midst of whatever it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent ends its processes
    with contextlib.suppress(OSError, AttributeError):  # another system: it ends when its input does
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _received(questions: BinaryIO) -> Any:
    head = questions.read(8)
    return pickle.loads(questions.read(int.from_bytes(head, "little"))) if len(head) == 8 else None


def _send(answers: BinaryIO, answer: tuple[bool, Any]) -> None:
    try:
        packed = pickle.dumps(answer, 5)
    except Exception as error:
        packed = pickle.dumps((False, RuntimeError(f"{answer[1]!r:.200} cannot be sent: {error}")), 5)
    rest = memoryview(len(packed).to_bytes(8, "little") + packed)
    while rest:
        rest = rest[os.write(answers.fileno(), rest) :]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
