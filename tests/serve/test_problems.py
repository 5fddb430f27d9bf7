"""What errors are answered with: of the disk and of memory, too, and never with a path of the server's."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, EvenrayError, ReadError, StorageError, UsageError
from evenray.core.texts import LANGUAGES, Texts
from evenray.serve.problems import problem_of, response_of


def storage(number: int) -> StorageError:
    """What evenray makes of an error of the disk."""
    with pytest.raises(StorageError) as raised, atomic(Path("/tmp/evenray-test/secret")):
        raise OSError(number, os.strerror(number), "/srv/secret")
    return raised.value


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/srv/secret"), 507, "serve.storage"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/secret"), 507, "serve.storage"),
        (RuntimeError("underlying IO error: No space left on device (os error 28): /srv/secret"), 507, "serve.storage"),
        (storage(errno.EROFS), 507, "serve.storage"),
        (storage(errno.EDQUOT), 507, "serve.storage"),
        (MemoryError(), 503, "serve.memory"),
        (RuntimeError("can't start new thread"), 503, "serve.memory"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), 503, "serve.memory"),
        (ReadError("/srv/secret", "the file is empty (0 bytes)"), 422, "serve.unreadable"),
        (UsageError("size is 7."), 422, "serve.failed"),
        (DataError("The run is out of date."), 409, "serve.failed"),
        (EvenrayError("No."), 409, "serve.failed"),
        (OSError(errno.EPIPE, "/srv/secret"), 500, "serve.internal"),
        (ValueError("/srv/secret"), 500, "serve.internal"),
    ],
)
def test_an_error_is_answered_with_its_kind_and_no_path(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status_code, problem.code) == (status, code)
    told = [bytes(response_of(problem, language).body).decode() for language in LANGUAGES]
    assert not any("secret" in text for text in told)
    if code in ("serve.storage", "serve.memory"):
        assert Texts("ko")(code, reason="").split(":")[0] in told[1]
        assert "space" not in told[1]
