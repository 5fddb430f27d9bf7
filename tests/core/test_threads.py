"""Small matrices are computed in one thread."""

from __future__ import annotations

import scipy.linalg  # noqa: F401 - has a BLAS of its own, which is to be there before it is limited
from threadpoolctl import threadpool_info, threadpool_limits

from evenray.core.threads import one_blas_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_and_afterwards_those_that_it_had() -> None:
    with threadpool_limits(2, user_api="blas"):
        with one_blas_thread():
            assert threads() == {1}
        assert threads() == {2}
