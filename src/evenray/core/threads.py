"""One thread for small matrices."""

from __future__ import annotations

from contextlib import AbstractContextManager

__all__ = ["one_blas_thread"]


def one_blas_thread() -> AbstractContextManager[object]:
    """Within this context NumPy's and SciPy's BLAS computes in one thread.

    Of a matrix of a few hundred rows threads do little but wait for each other, actively: forty times the processor time was
    measured, and minutes on a busy machine.

    >>> with one_blas_thread():
    ...     pass
    """
    import scipy.linalg  # noqa: F401 - what is loaded later keeps its threads, and SciPy has a BLAS of its own
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
