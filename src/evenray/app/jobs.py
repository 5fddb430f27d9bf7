"""Jobs: processes of `evenray ... --events`, which outlive the server. The run folder is the state; nothing else is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from evenray.core.artefacts import Ledger, RunFolder
from evenray.core.artefacts.lock import InUse, hand, worker
from evenray.core.errors import EvenrayError
from evenray.core.names import printable
from evenray.serve.problems import Problem

__all__ = ["EVENTS", "State", "error_of", "start", "state_of", "stop"]

EVENTS, LOG = "events.jsonl", "job.log"
State = Literal["running", "done", "failed", "stopped", "new"]
# A server that was begun in the background of a shell ignores SIGINT, and what it starts would, too.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from evenray.cli import main; main()"
)
ERROR = "error "  # how the command line begins the sentence that it fails with


def start(folder: Path, verb: str, options: Sequence[str] = ()) -> None:
    """Begin or take up the work of a run folder, which has its recipe. Problem 409 where somebody works there already."""
    command = [sys.executable, "-c", PROGRAM, verb, str(folder), "--events", str(folder / EVENTS), *options]

    def process() -> int:
        with (folder / LOG).open("wb") as log:
            begun = subprocess.Popen(
                command, cwd=folder.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        threading.Thread(target=begun.wait, daemon=True).start()  # or its number would stay taken when it has ended
        return begun.pid

    try:
        hand(folder, process)
    except InUse:
        raise Problem(409, "app.running") from None


def stop(folder: Path) -> None:
    """Ask the work to end as Ctrl-C does: what is done stands, and it can be taken up. Problem 409 where nobody works."""
    process = worker(folder)
    if process is None:
        raise Problem(409, "app.not_running")
    os.kill(process, signal.SIGINT)


def state_of(folder: Path) -> State:
    """How far a run is, from its folder alone."""
    if worker(folder) is not None:
        return "running"
    if error_of(folder):
        return "failed"
    try:
        run = RunFolder(folder)
        stages = run.ledger.stages if run.has(Ledger.file) else {}
        whole = run.has("report.html") and "report" in stages and not run.stale("report")
    except EvenrayError:  # of another version
        return "failed"
    return "done" if whole else "stopped" if stages else "new"


def error_of(folder: Path) -> str:
    """The sentence that the last job of a folder failed with; empty where it did not."""
    path = folder / LOG
    if not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if not lines or lines[-1] == "KeyboardInterrupt":  # stopped while it began
        return ""
    traceback = any(line.startswith("Traceback") for line in lines)
    # Grave findings of the audit begin alike, but do not stand last.
    return printable(lines[-1].removeprefix(ERROR)) if traceback or lines[-1].startswith(ERROR) else ""
