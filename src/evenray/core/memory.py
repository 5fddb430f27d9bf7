"""Telling that memory ran out: each library says it in its own way."""

from __future__ import annotations

import errno
import re

__all__ = ["out_of_memory"]

# torch and its oneDNN, OpenCV, the loader of shared libraries, threads, Rust's allocator, CUDA
SAID = re.compile(
    r"can't allocate memory|cannot allocate memory|not enough memory|insufficient memory|out of memory|failed to allocate"
    r"|failed to map segment|cannot map|can't start new thread|memory allocation of \d+ bytes failed|std::bad_alloc"
    r"|could not create a primitive|could not spawn threads",
    re.IGNORECASE,
)


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it came of, says that memory ran out.

    >>> out_of_memory(MemoryError()), out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    (True, True)
    >>> out_of_memory(ImportError("libx.so.1: failed to map segment from shared object")), out_of_memory(ValueError("x"))
    (True, False)
    >>> out_of_memory(RuntimeError("could not create a primitive"))
    True
    """
    while error is not None:
        short = isinstance(error, OSError) and error.errno == errno.ENOMEM
        if short or isinstance(error, MemoryError) or SAID.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
