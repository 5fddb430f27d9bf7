"""The entry point: every expected failure ends in one sentence and an exit code, never in a traceback."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from importlib import import_module
from pathlib import Path

from evenray.core.errors import EvenrayError
from evenray.core.memory import out_of_memory

from ._app import app
from ._screen import say, screen

__all__ = ["main"]

INTERRUPTED = 130
# Each registers its verbs, in the order of the help.
for _verb in (
    "line",
    "demo",
    "enhance",
    "histogram",
    "predict",
    "serve",
    "export",
    "share",
    "deidentify",
    "weights",
    "compare_runs",
    "ensemble",
    "robustness",
    "table7",
    "workbench",
    "labs",
):
    import_module(f"{__package__}.{_verb}")


OUT_OF_MEMORY = (
    "There is not enough memory. Make room (other programs; --jobs 1, a smaller --batch or --size), then run the same command again:"
    " what was finished stands."
)


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    # Threads that wait for work should sleep: spinning, they slow everything down as soon as the machine is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    gc.set_threshold(50_000, 20, 20)  # looking for garbage while torch is imported took a fifth of the time
    warnings.showwarning = _show_warning
    try:
        Path.cwd()
    except FileNotFoundError:
        _fail("The working directory has been removed; change to one that exists.", 1)
    try:
        app()
    except EvenrayError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _stopped()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _stopped()
        raise
    except Exception as error:
        from evenray.core.artefacts import refusal, remedy

        if out_of_memory(error):
            _fail(OUT_OF_MEMORY, 1)
        why = refusal(error)
        if why is None:
            raise
        where = f" {error.filename}" if isinstance(error, OSError) and error.filename else ""
        _fail(f"Cannot write{where}: {why}; {remedy(why)}, then run the same command again.", 1)


def _fail(sentence: str, code: int) -> None:
    say(sentence, mark="error", mark_style="bold red")
    sys.exit(code)


def _stopped() -> None:
    screen.print("\nStopped. Run the same command again: it goes on where it stopped.")
    sys.exit(INTERRUPTED)


_shown: set[str] = set()


def _show_warning(message: Warning | str, *about: object, **more: object) -> None:
    """A warning as one line, once; where in the code it arose does not help who reads it."""
    if str(message) not in _shown:
        _shown.add(str(message))
        say(str(message), mark="warning", mark_style="yellow")
