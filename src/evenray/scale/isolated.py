"""Reading in processes of their own: a file that crashes its decoder, hangs or swallows memory costs that file only.

Workers stay from one map to the next (starting one takes half a second), and end with this process, however it ends. The
limits on time and memory are kept by the system in the worker itself (core/budget.py); here it is only noticed that one
has died, of which item, and why (docs/decisions/0015-files-are-read-in-processes-that-may-die.md).
"""

from __future__ import annotations

import atexit
import contextlib
import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from evenray.core.budget import SECONDS
from evenray.core.errors import WorkerError
from evenray.core.lost import Lost, Parts

from .isolated_job import Given, Job

__all__ = ["isolated"]

WORKER = Path(__file__).with_name("isolated_worker.py")
SMALL = 2**15  # bytes of an item that fit into the pipe while the worker writes an answer
LEAN = (
    2**30
)  # bytes of a worker that is worth keeping; one that prepares images for a network has half of it from the start
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Memory of large images is kept for the next one: to hand it back and ask again costs up to a tenth of the reading (glibc).
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
ENDED = (
    signal.SIGKILL,
    signal.SIGTERM,
)  # by others, or by the system, whose memory was short; perhaps not for this item


def isolated(jobs: int = 0, ahead: int = 1) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
    """A `map` over `jobs` processes (0: one a core), results in order as they come; nothing runs in this process.

    The function is found by its name in the worker, which imports its module, never the main one. Where an item ends its
    worker, `Lost` with the reason stands for its result; of an item that has `Parts`, the part is left out and the rest
    done. What the function raises is raised here. Each process has `ahead` items waiting, so that it never waits for the next
    one. WorkerError where no process can be started.

    >>> list(isolated(1)(abs, [-1, 2]))
    [1, 2]
    """

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        if not items:
            return
        job = Job(function, items, ahead)
        workers = _borrowed(min(jobs or os.cpu_count() or 1, len(items)))
        for worker in workers:
            worker.jobs.put(job)
        whole = False
        try:
            for index in range(len(items)):
                yield job.result(index)
            whole = True
        finally:
            job.close()
            _returned(workers, end=not whole)

    return run


class _Worker(threading.Thread):
    """A thread of this process and the process that it feeds: the system ends that when this thread has gone."""

    def __init__(self) -> None:
        super().__init__(name="isolated", daemon=True)
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.idle = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.shared = tempfile.TemporaryFile()  # noqa: SIM115 - closed where this thread ends
        self.shared.write(bytes(8))  # not only made so long: on a full disk the first look at it would end this process
        self.shared.flush()
        self.part = mmap.mmap(self.shared.fileno(), 8)
        self.start()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            try:
                self._work(job)
            except BaseException as error:
                job.fail(error)
            self.idle.set()
        self.end()
        self.part.close()
        self.shared.close()

    def _work(self, job: Job) -> None:
        waiting: deque[Given] = deque()
        if self.process is None or self.process.poll() is not None:
            self._begin()
        self._send(job.function)
        while True:
            small = True
            while small and len(waiting) <= job.ahead and (given := job.take(wait=not waiting)) is not None:
                waiting.append(given)
                small = self._give(given)
            if not waiting:
                return
            try:
                answer = self._received()
            except EOFError:
                if job.closed:
                    return
                self._replace(job, waiting)
                continue
            job.put(waiting.popleft().index, answer)

    def _give(self, given: Given) -> bool:
        """Send an item; whether another may be sent behind it."""
        message = pickle.dumps(("item", given.item), 5)
        self._send(message)
        return len(message) < SMALL

    def _replace(self, job: Job, waiting: deque[Given]) -> None:
        """Another process for one that has died: of the first item that it had not answered, the others are given again."""
        assert self.process is not None
        code = self.process.wait()
        first, part = waiting[0], int.from_bytes(self.part[:8], "little")
        first.tries += 1
        if -code not in ENDED or first.tries > 1:
            reason = _reason(code)
            if isinstance(first.item, Parts):
                first.item, first.tries = first.item.without(part, reason), 0
            else:
                job.put(waiting.popleft().index, (True, Lost(reason)))
        self._begin()
        self._send(job.function)
        for given in waiting:
            self._give(given)

    def _begin(self) -> None:
        self.end()
        command = [sys.executable, "-P", str(WORKER), str(os.getpid()), str(self.shared.fileno())]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=-1,
            pass_fds=(self.shared.fileno(),), env={**KEEP_MEMORY, **os.environ, **ONE_THREAD},
        )  # fmt: skip
        self._send(pickle.dumps(sys.path))
        try:
            self._received()  # that it is ready
        except EOFError:
            raise WorkerError(
                f"No process to read files in can be started ('{sys.executable}' ended with {self.process.wait()}); see whether"
                " this Python starts, and how many processes and how much memory this account may have."
            ) from None

    def _send(self, message: bytes) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died, which is noticed where its answer is awaited
            self.process.stdin.write(len(message).to_bytes(8, "little") + message)
            self.process.stdin.flush()

    def _received(self) -> tuple[bool, Any]:
        """The next answer; EOFError where the process has died."""
        assert self.process is not None
        assert self.process.stdout is not None
        head = self.process.stdout.read(8)
        body = self.process.stdout.read(int.from_bytes(head, "little")) if len(head) == 8 else b""
        if len(head) < 8 or len(body) < int.from_bytes(head, "little"):
            raise EOFError
        answer: tuple[bool, Any] = pickle.loads(body)
        return answer

    def end(self) -> None:
        """End the process."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe else None
        self.process = None


def _reason(code: int) -> str:
    """Why a file is set aside that has ended its process."""
    if -code == signal.SIGXCPU:
        return f"takes more than {SECONDS:.0f} s of computing to decode, many times what a sound file of its size takes"
    if -code == signal.SIGALRM:
        return "cannot be read to its end: its decoder waits for ever"
    if -code == signal.SIGKILL:
        return "ends the process that reads it, twice; the system may have been short of memory"
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"is damaged: its decoder crashes on it ({name})"


_idle: list[_Worker] = []
_lock = threading.Lock()


def _borrowed(count: int) -> list[_Worker]:
    """So many workers, those that wait first."""
    with _lock:
        found = [_idle.pop() for _ in range(min(count, len(_idle)))]
    found += [_Worker() for _ in range(count - len(found))]
    for worker in found:
        worker.idle.clear()
    return found


def _returned(workers: Sequence[_Worker], end: bool) -> None:
    """Workers wait for the next job, but for fat ones; with `end`, what still works for a job that has been left is ended."""
    for worker in workers:
        process = worker.process
        if end and not worker.idle.is_set() and process is not None:
            process.kill()
    for worker in workers:
        worker.idle.wait()
        if worker.process is None or worker.process.poll() is not None or _bytes(worker.process.pid) > LEAN:
            worker.jobs.put(None)
            continue
        with _lock:
            _idle.append(worker)


def _bytes(process: int) -> int:
    """The memory that a process holds; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


@atexit.register
def _end_all() -> None:
    while _idle:
        worker = _idle.pop()
        worker.jobs.put(None)
        worker.join()


os.register_at_fork(after_in_child=_idle.clear)
