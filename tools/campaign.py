"""Misfortunes upon every stage of the line: `python tools/campaign.py [--stages train,report] [--kinds kill,full] [--trials 3]`.

Each trial takes the folder as it stands before a stage, starts the stage by the command line in a process of its own, and lets a
misfortune happen to it:

    kill    signal 9 at a random moment, three times
    full    a disk with room for a random part of what the stage writes (a tmpfs as root, else a limit on the size of files)
    shut    a disk that becomes read-only at a random moment (as root; else a folder without the right to write)
    memory  a limit on the address space, a random amount above what the process has when it starts
    clock   killed, then continued ten years earlier or later, with files that are as old or from the future
    two     the same command twice at once
    moved   the folder renamed while the stage works, and continued at its new place, with the images moved as well

Then the same command runs undisturbed, and what it leaves is compared, byte for byte, with a run to which nothing happened; files
that differ between two runs to which nothing happened (times, costs) are compared by name. Counted are how the process ended (done,
refused with a sentence, died) and whether what came after it was the same. A traceback, a death that nothing explains, a file that
is left over and other bytes are faults, and end the campaign with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from evenray.core.recipe import STAGES

SERVER = multiprocessing.get_context("forkserver")
OPTIONS = (
    "--network", "vgg11_bn(width=0.05)", "--epochs", "2", "--choose", "members=1", "--size", "28", "--folds", "2", "--seeds", "1",
    "--contrast", "none", "--contrast", "equalize", "--balance", "minority_mixup", "--device", "cpu", "--save-every", "0",
)  # fmt: skip
YEARS = 10 * 365 * 86400.0


def archive(path: Path) -> Path:
    """84 images of 28 pixels to learn from and 30 to test, in the form of MedMNIST; a bright square tells the sick."""
    rng, arrays = np.random.default_rng(0), {}
    for part, n in (("train", 60), ("val", 24), ("test", 30)):
        labels = (np.arange(n) % 3 == 0).astype(np.uint8)
        images = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
        images[labels == 1, 8:18, 8:18] += rng.integers(0, 60, (int(labels.sum()), 1, 1), dtype=np.uint8)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


# -- one process ---------------------------------------------------------------------------------------------------------
def command(words: list[str], log: Path, memory: int, shift: float, temporary: Path | None) -> None:
    """What `evenray WORDS` does, in a process that has imported everything; `memory` bytes more than it has now."""
    import torch

    from evenray.cli import main

    os.setsid()
    torch.set_num_threads(1)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(handle, number)
    if temporary is not None:
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None
    if shift:
        clock, nanoseconds = time.time, time.time_ns
        time.time = lambda: clock() + shift
        time.time_ns = lambda: nanoseconds() + int(shift * 1e9)
    sys.argv = ["evenray", *words]
    if memory:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        main()
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        os._exit(70)


def takes_all(stage: str) -> bool:
    return list(STAGES).index(stage) >= list(STAGES).index("compare")


@dataclass
class Started:
    """A command under way, and where its output goes."""

    process: BaseProcess
    log: Path

    def wait(self, seconds: float | None = None) -> bool:
        self.process.join(seconds)
        return self.process.exitcode is not None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()

    @property
    def ended(self) -> str:
        """How: done, refused, died of a signal, or a fault and its last line."""
        code, text = self.process.exitcode, self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        if "Traceback" in text or code == 70:
            return f"fault: traceback: {lines[-1][:160]}"
        if code == 0:
            return "done"
        if code is not None and code < 0:
            return f"died of {signal.Signals(-code).name}"
        return "refused" if "error" in text else f"fault: exit code {code} without a sentence: {lines[-1][:160]}"

    @property
    def sentence(self) -> str:
        text = " ".join(self.log.read_text("utf-8", "replace").split())
        return text[text.find("error") :][:230] if "error" in text else ""


def start(stage: str, place: Path, log: Path, memory: int = 0, shift: float = 0.0) -> Started:
    options = OPTIONS if takes_all(stage) else ()
    words = [stage, str(place / "images.npz"), "-o", str(place / "run"), *options]
    temporary = place if place.is_mount() else None  # as full as the disk of the run
    return begun(words, log, memory, shift, temporary)


def begun(words: list[str], log: Path, memory: int = 0, shift: float = 0.0, temporary: Path | None = None) -> Started:
    """`evenray WORDS` under way, with a clock that is `shift` seconds fast and temporary files in a folder."""
    process = SERVER.Process(target=command, args=(words, log, memory, shift, temporary))
    process.start()
    return Started(process, log)


# -- what a stage leaves ---------------------------------------------------------------------------------------------------
def left(run: Path) -> dict[str, str]:
    """The hash of every file of a run folder."""
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*")) if path.is_file()
    }  # fmt: skip


@dataclass
class Reference:
    """Runs to which nothing happened: the folder before each stage, how long each took, and what it left."""

    before: dict[str, Path]
    seconds: dict[str, float]
    after: dict[str, dict[str, str]]
    written: dict[str, int]  # bytes
    varying: set[str]

    def differences(self, stage: str, run: Path) -> list[str]:
        found, expected = left(run), self.after[stage]
        names = sorted(set(found) ^ set(expected))
        return names + [n for n in expected if n in found and found[n] != expected[n] and n not in self.varying]


def reference(base: Path, stages: list[str]) -> Reference:
    """Two runs of these stages, in two places, to which nothing happens."""
    kept = Reference({}, {}, {}, {}, set())
    for number in (1, 2):
        place = base / ("trial" if number == 1 else "another") / "here"
        archive(place / "images.npz")
        for stage in stages:
            if number == 1:
                kept.before[stage] = base / f"before-{stage}"
                shutil.copytree(place, kept.before[stage], symlinks=True)
            size, began = _bytes(place), time.perf_counter()
            done = start(stage, place, base / "log")
            done.wait()
            if done.ended != "done":
                sys.exit(f"{stage} fails undisturbed: {done.ended} {done.sentence}")
            if number == 1:
                kept.seconds[stage] = time.perf_counter() - began
                kept.after[stage], kept.written[stage] = left(place / "run"), max(_bytes(place) - size, 20_000)
            else:
                now = left(place / "run")
                kept.varying |= {name for name, found in kept.after[stage].items() if now.get(name) != found}
        shutil.rmtree(place.parent)
    return kept


def _bytes(place: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in place.rglob("*") if path.is_file())


# -- misfortunes: each lets something happen to the stage in a place, and gives the place where it goes on -------------------
@dataclass
class Trial:
    stage: str
    place: Path
    log: Path
    rng: random.Random
    kept: Reference
    ends: list[Started] = field(default_factory=list)
    shift: float = 0.0

    def start(self, **how: float) -> Started:
        one = start(self.stage, self.place, self.log.with_name(f"{self.log.name}-{len(self.ends)}"), **how)  # type: ignore[arg-type]
        self.ends.append(one)
        return one

    def moment(self) -> float:
        return self.rng.uniform(0.02, 1.0) * self.kept.seconds[self.stage]


def kill(trial: Trial) -> None:
    for _ in range(3):
        one = trial.start()
        if not one.wait(trial.moment()):
            one.kill()


def full(trial: Trial) -> None:
    room = int(trial.rng.uniform(0.0, 1.0) * trial.kept.written[trial.stage])
    if os.getuid():
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        trial.start().wait()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        return
    with disk(trial, _bytes(trial.place) + room) as remount:
        trial.start().wait()
        remount("rw,size=1g")


def shut(trial: Trial) -> None:
    if os.getuid():
        (trial.place / "run").chmod(0o500)
        trial.start().wait()
        (trial.place / "run").chmod(0o700)
        return
    with disk(trial, 1 << 30) as remount:
        early = trial.rng.random() < 0.5
        one = None if early else trial.start()
        if one is not None:
            one.wait(trial.moment())
        while subprocess.run(
            ["mount", "-o", "remount,ro", str(trial.place)], capture_output=True, check=False
        ).returncode:
            time.sleep(0.01)  # a file is being written
        (one or trial.start()).wait()
        remount("rw")


def memory(trial: Trial) -> None:
    trial.start(memory=int(trial.rng.uniform(1, 400) * 2**20)).wait()


def clock(trial: Trial) -> None:
    one = trial.start()
    if not one.wait(trial.moment()):
        one.kill()
    trial.shift = trial.rng.choice((-YEARS, YEARS))
    then = time.time() + trial.rng.choice((-YEARS, YEARS))
    for path in trial.place.rglob("*"):
        os.utime(path, (then, then))


def two(trial: Trial) -> None:
    both = [trial.start(), trial.start()]
    for one in both:
        one.wait()


def moved(trial: Trial) -> None:
    one = trial.start()
    one.wait(trial.moment())
    elsewhere = trial.place.with_name("moved")
    trial.place.rename(elsewhere)
    one.wait()
    if (trial.place / "run" / "provenance.json").exists() or (one.ended == "done" and trial.place.exists()):
        raise Left(f"a run at the old place: {', '.join(left(trial.place))[:160]}")
    shutil.rmtree(trial.place, ignore_errors=True)
    trial.place = elsewhere


class Left(Exception):
    """Something stands where nothing should."""


@contextlib.contextmanager
def disk(trial: Trial, size: int) -> Iterator[Callable[[str], None]]:
    """The place of a trial on a disk of its own, of so many bytes; what stands there in the end is copied back."""
    there, aside = trial.place, trial.place.with_name("aside")
    there.rename(aside)
    there.mkdir()
    rounded = -(-size // 4096) * 4096 + 65536
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={rounded}", "tmpfs", str(there)], check=True)

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(there)], check=True)

    try:
        shutil.copytree(aside, there, dirs_exist_ok=True)
        yield remount
        shutil.rmtree(aside)
        shutil.copytree(there, aside)
    finally:
        subprocess.run(["umount", "-l", str(there)], check=True)
        there.rmdir()
        aside.rename(there)


KINDS = {one.__name__: one for one in (kill, full, shut, memory, clock, two, moved)}


def judged(trial: Trial, kind: str) -> tuple[str, list[str]]:
    """How the process ended, and the faults."""
    try:
        KINDS[kind](trial)
    except Left as wrong:
        return "done", [str(wrong)]
    ends = [one.ended for one in trial.ends]
    faults = [f"{end} {one.sentence}" for end, one in zip(ends, trial.ends, strict=True) if end.startswith("fault")]
    dead = [one for one in trial.ends if one.ended.startswith("died") and kind not in ("kill", "clock")]
    faults += [f"{one.ended}: {' '.join(one.log.read_text('utf-8', 'replace').split())[-200:]}" for one in dead]
    again = start(trial.stage, trial.place, trial.log.with_name("again"), shift=trial.shift)
    again.wait()
    if again.ended != "done":
        faults.append(f"LOST: does not go on: {again.ended} {again.sentence}")
    elif wrong := trial.kept.differences(trial.stage, trial.place / "run"):
        faults.append(f"LOST: other files: {', '.join(wrong[:4])}")
    how = "died" if any(end.startswith("died") for end in ends) else "refused" if "refused" in ends else "done"
    return how, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--trials", type=int, default=3, help="of each stage and kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    SERVER.set_forkserver_preload(
        ["evenray.cli", "evenray.stages", "evenray.learning.train", "evenray.evidence.compare"]
    )
    counts, faults = Counter[tuple[str, str]](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        stages, kinds, order = options.stages.split(","), options.kinds.split(","), list(STAGES)
        kept = reference(base, order[: max(map(order.index, stages)) + 1])
        print(f"undisturbed: {sum(kept.seconds.values()):.1f} s; compared by name:", *sorted(kept.varying), flush=True)
        for number, kind, stage in itertools.product(range(options.trials), kinds, stages):
            place = base / "trial" / "here"
            shutil.copytree(kept.before[stage], place)
            trial = Trial(
                stage, place, base / "trial" / "log", random.Random(f"{options.seed} {stage} {kind} {number}"), kept
            )
            how, wrong = judged(trial, kind)
            counts[stage, kind] += not wrong
            counts[kind, how] += 1
            said = next((one.sentence for one in trial.ends if one.sentence), "")
            faults += [f"{stage}, {kind} {number}: {each}" for each in wrong]
            print(f"{stage:9} {kind:7} {how:8} {'; '.join(wrong) or said}", flush=True)
            shutil.rmtree(base / "trial")
    print("\n" + " ".join(f"{word:>9}" for word in ("", *kinds)))
    for stage in stages:
        print(
            " ".join(f"{word:>9}" for word in (stage, *(f"{counts[stage, kind]}/{options.trials}" for kind in kinds)))
        )
    for how in ("done", "refused", "died"):
        print(" ".join(f"{word:>9}" for word in (how, *(str(counts[kind, how]) for kind in kinds))))
    print("\n".join(["", f"{len(faults)} faults", *faults]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
