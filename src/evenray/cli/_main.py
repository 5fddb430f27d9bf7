"""The entry point: every expected failure ends in one sentence and an exit code, never in a traceback."""

from __future__ import annotations

import errno
import os
import sys

from rich.markup import escape

from evenray.core.errors import EvenrayError

from . import demo, light, line  # noqa: F401  (each registers its verbs)
from ._app import app, screen

__all__ = ["main"]


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage."""
    # Threads that wait for work should sleep: spinning, they slow everything down as soon as the machine is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except EvenrayError as error:
        screen.print(f"[bold red]error[/bold red] {escape(str(error))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        screen.print("\nStopped. Run the same command again: it goes on where it stopped.")
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        why = (error.strerror or str(error)).lower()
        where = f" {error.filename}" if error.filename else ""
        screen.print(
            f"[bold red]error[/bold red] Cannot write{escape(where)}: {why}; make room, then run the same command again."
        )
        sys.exit(1)
