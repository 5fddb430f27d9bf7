"""Misfortunes upon the servers: `python tools/campaign_server.py [--servers serve,app,pacs] [--kinds upload,job] [--trials 3]`.

Rows of the table are `evenray serve RUN`, `evenray app RUNS`, and `evenray serve RUN --pacs URL` beside a real Orthanc (Debian:
orthanc, orthanc-dicomweb). What happens to them:

    upload    signal 9 while a file is being sent
    batch     signal 9 while many requests are answered; beside a PACS, while studies are
    job       signal 9 while a job works that was begun from the page Runs, which a new server follows, stops and takes up
    moved     the run folder renamed while it is served; then a server at its old place, and one at its new place
    replaced  the run folder exchanged for another run's, or its network cut in half, while requests are answered
    shut      the disk of the run (of the runs, of the states of studies) becomes read-only, before or after the start
    full      a disk for temporary files that becomes full, before or after the start (a tmpfs, as root; else not tried)
    memory    a limit on the address space, a random amount above what the process has when it starts
    clock     killed, then started ten years earlier or later, with files that are as old or from the future
    two       a second server on the same port; two on one run folder, in which both begin a job; two on the same states of studies

Whatever is answered must be what `evenray predict` says, or be refused with a sentence and no status 500. A server that ends by itself
does so with a sentence and exit code 1 or 2. Then a server starts undisturbed: it must answer right, end with 0 when asked to, and
have left no temporary file and no process; the run folder must be as it was, a job must have left the bytes of one to which nothing
happened, and every study must have one report. Whatever else is seen is a fault, and ends the campaign with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from campaign import SERVER, YEARS, Started, archive, begun, left

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.scale.orthanc import USER, WORD, orthanc
from tests.serve.pacs.conftest import Hospital

RECIPE = (
    "--network", "vgg11_bn(width=0.05)", "--epochs", "1", "--choose", "members=1", "--size", "28", "--folds", "2", "--seeds", "1",
    "--contrast", "none", "--balance", "none", "--device", "cpu",
)  # fmt: skip
ROUTES = {"serve": "/v1/predict", "app": "/try-it/run", "pacs": "/v1/predict"}
PATIENCE = 120.0  # seconds for whatever must come to pass
SAME = (
    "model.safetensors",
    "predictions.parquet",
    "split.parquet",
    "cases.parquet",
    "model.json",
)  # whatever the moment
OF_JOBS = ("events.jsonl", "job.log")
Truth = dict[str, list[float]]  # by the file's name: the probabilities that `predict` gives


class Fault(Exception):
    """Something that must not happen."""


# -- servers ---------------------------------------------------------------------------------------------------------------
@dataclass
class Server:
    """A server under way; `url` is empty where it has ended by itself."""

    started: Started
    url: str = ""

    @property
    def process(self) -> int:
        return self.started.process.pid or 0

    @property
    def log(self) -> str:
        return self.started.log.read_text("utf-8", "replace") if self.started.log.exists() else ""

    def kill(self) -> None:
        """Signal 9 to the server alone: whatever it has started must end by itself, or go on as a job does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        self.started.process.join()

    def end(self) -> None:
        """Asked to stop, it does so with exit code 0."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGTERM)
        if not self.started.wait(60):
            self.kill()
            raise Fault("does not stop when it is asked to")
        if self.started.process.exitcode:
            raise Fault(f"stopped with exit code {self.started.process.exitcode}: {self.log[-300:]!r}")


@dataclass
class Place:
    """What all trials start from: a run, another one, pictures with what each run says of them, and the bytes of a job."""

    base: Path
    pictures: dict[str, bytes]
    truths: dict[str, Truth]
    job: dict[str, str] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)
    seconds: float = 0.0
    hospital: Any = None


@dataclass
class Trial:
    row: str
    folder: Path
    rng: random.Random
    kept: Place
    servers: list[Server] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    shift: float = 0.0
    how: str = "done"
    run: Path = Path()  # where the served run lies

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    def words(self, port: int = 0, state: str = "state") -> list[str]:
        if self.row == "app":
            return ["app", str(self.run.parent), "--no-browser", "--port", str(port)]
        words = ["serve", str(self.run), "--port", str(port), "--jobs", "1", "--device", "cpu", "--seconds", "60"]
        if self.row == "serve":
            return words
        state_folder = str(self.folder / state)
        return [*words, "--pacs", self.kept.hospital.url, "--everything", "--every", "0.5", "--state", state_folder]

    def start(self, memory: int = 0, **more: Any) -> Server:
        """A server that answers, or has ended by itself: refused with a sentence, or Fault."""
        log = self.folder / f"log-{len(self.servers)}"
        one = Server(begun(self.words(**more), log, memory, self.shift, self.temporary))
        self.servers.append(one)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := next((line for line in one.log.splitlines() if "http://127.0.0.1" in line), ""):
                one.url = "http://127.0.0.1:" + found.split("http://127.0.0.1:")[1].split(" ")[0].strip(":/.,")
                return one
            if one.started.wait(0.05):
                self.refused(one)
                return one
        raise Fault(f"neither starts nor ends: {one.log[-300:]!r}")

    def refused(self, one: Server) -> None:
        code, text = one.started.process.exitcode, one.log
        plain = [line for line in text.splitlines() if line.strip() and not line.startswith("{")]
        if code not in (1, 2) or not any(line.startswith("error") for line in plain) or "Traceback" in text:
            raise Fault(f"ended by itself with {code}: {text[-400:]!r}")
        self.how = "refused"

    # -- asking --------------------------------------------------------------------------------------------------------
    def ask(self, url: str, truths: tuple[str, ...] = ("run",), refusals: tuple[int, ...] = ()) -> int:
        """Ask about some pictures and compare with `predict`; the status. Fault for any other than 200 and `refusals`."""
        count = 1 if self.row == "app" else self.rng.randint(1, len(self.kept.pictures))
        names = self.rng.sample(sorted(self.kept.pictures), count)
        files = [("file", (name, self.kept.pictures[name])) for name in names]
        answered = httpx.post(url + ROUTES[self.row], files=files, timeout=PATIENCE)
        self.said(answered, refusals)
        if answered.status_code == 200:
            told = answered.json()
            told = told.get("predicted", told)
            found = [[one[f"p_{name}"] for name in ("0", "1")] for one in told["answers"]]
            if told["rejected"] and not found:
                raise Fault(f"a good file is rejected: {told['rejected']}")
            if all(found != [self.kept.truths[truth][name] for name in names] for truth in truths):
                raise Fault(f"other answers than predict's: {found}")
        return answered.status_code

    def said(self, answered: httpx.Response, refusals: tuple[int, ...]) -> None:
        status = answered.status_code
        if status < 300:
            return
        if status not in refusals:
            raise Fault(f"{answered.request.url.path} answers {status} {answered.text[:200]}")
        told = answered.json()
        if not told.get("message", "").strip() or str(self.folder) in answered.text:
            raise Fault(f"status {status} without a good sentence: {answered.text[:200]}")
        self.how = "refused"

    def send(self, count: int = 2) -> None:
        self.studies += [self.kept.hospital.send() for _ in range(count)]

    def answered(self, seconds: float = PATIENCE) -> None:
        """Every study has one report, and only one."""
        waited(lambda: all(self.kept.hospital.answers(study)[0] for study in self.studies), "a study is LOST", seconds)
        time.sleep(1.0)  # whatever a second server would store twice
        if wrong := [each for study in self.studies if (each := self.kept.hospital.answers(study)) != [1, 1, 0]]:
            raise Fault(f"reports, overlays and masks of a study are {wrong[0]}")

    def many(
        self, url: str, truths: tuple[str, ...] = ("run",), refusals: tuple[int, ...] = (), clients: int = 4
    ) -> Asking:
        return Asking(self, url, truths, refusals, clients)


def waited(test: Callable[[], Any], otherwise: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise Fault(otherwise)
        time.sleep(0.2)


class Asking:
    """Clients that ask without a pause until they are closed; an answer that is cut is no fault where the server was killed."""

    def __init__(
        self, trial: Trial, url: str, truths: tuple[str, ...], refusals: tuple[int, ...], clients: int
    ) -> None:
        self.over, self.killed, self.faults, self.answers = threading.Event(), False, list[str](), 0

        def client() -> None:
            while not self.over.is_set():
                try:
                    trial.ask(url, truths, refusals)
                    self.answers += 1
                except httpx.TransportError as error:
                    self.over.wait(0.1)
                    if not self.killed:
                        self.faults.append(f"no answer: {type(error).__name__}")
                    return
                except Fault as fault:
                    self.faults.append(str(fault))
                    return

        self.threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise Fault(self.faults[0])


# -- misfortunes -----------------------------------------------------------------------------------------------------------
def upload(trial: Trial) -> None:
    one = trial.start()
    host, port = one.url.removeprefix("http://").split(":")
    head = f"POST {ROUTES[trial.row]} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + bytes(trial.rng.randrange(3_900_000)))
        time.sleep(trial.rng.uniform(0, 0.3))
        one.kill()


def batch(trial: Trial) -> None:
    one = trial.start()
    if trial.row == "pacs":
        trial.send(4)
        time.sleep(trial.rng.uniform(0, 6))
        one.kill()
        return
    asking = trial.many(one.url)
    time.sleep(trial.rng.uniform(0.1, 3.0))
    asking.killed = True
    one.kill()
    asking.close()


def job(trial: Trial) -> None:
    one = trial.start()
    name = new_job(trial, one.url)
    time.sleep(trial.rng.uniform(0.02, 1.0) * trial.kept.seconds)
    one.kill()
    second = trial.start()
    if state_of(second.url, name) == "running":
        if trial.rng.random() < 0.5:
            trial.said(httpx.post(f"{second.url}/runs/{name}/stop", timeout=60), (409,))  # 409: it has just ended
        else:
            kill_job(trial.run.parent / name)
        waited(lambda: state_of(second.url, name) != "running", "a job does not stop")
    if state_of(second.url, name) != "done":
        trial.said(httpx.post(f"{second.url}/runs/{name}/start", timeout=60), ())
    same_job(trial, second.url, name)
    second.end()


def new_job(trial: Trial, url: str) -> str:
    """Begin a run like the one that is there."""
    form = httpx.get(f"{url}/runs/form", params={"like": "run"}, timeout=60).json()
    settings = {one["name"]: one["value"] for one in form["fields"]}
    answered = httpx.post(f"{url}/runs/new", json={"like": "run", "name": "new", "settings": settings}, timeout=60)
    trial.said(answered, ())
    return str(answered.json()["run"])


def state_of(url: str, name: str) -> str:
    cards = httpx.get(f"{url}/runs/list", timeout=60).json()["runs"]
    return next((card["state"] for card in cards if card["name"] == name), "absent")


def kill_job(folder: Path) -> None:
    from evenray.core.artefacts.lock import worker

    if process := worker(folder):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


def same_job(trial: Trial, url: str, name: str) -> None:
    """The job ends, and has left the bytes of one to which nothing happened."""
    waited(lambda: state_of(url, name) != "running", "a job does not end", 300)
    folder = trial.run.parent / name
    if (state := state_of(url, name)) != "done":
        raise Fault(f"LOST: a job is {state}: {(folder / 'job.log').read_text('utf-8', 'replace')[-300:]!r}")
    found, expected = left(folder), trial.kept.job
    wrong = sorted(set(found) ^ set(expected))
    wrong += [
        each for each in expected if each in found and found[each] != expected[each] and each not in trial.kept.varying
    ]
    if wrong:
        raise Fault(f"LOST: other files of a job: {', '.join(wrong[:4])}")
    shutil.rmtree(folder)


def moved(trial: Trial) -> None:
    one = trial.start()
    asking = trial.many(one.url, refusals=(404, 409, 422) if trial.row == "app" else ())
    time.sleep(trial.rng.uniform(0, 1))
    if trial.row == "app":
        there, elsewhere = trial.run.parent, trial.folder / "elsewhere"
    else:
        there, elsewhere = trial.run, trial.folder / "elsewhere" / "run"
        elsewhere.parent.mkdir()
    there.rename(elsewhere)
    time.sleep(trial.rng.uniform(2, 4))
    asking.close()
    if trial.row == "app":
        fresh = {"like": "run", "name": "new", "settings": {}}
        trial.said(httpx.post(f"{one.url}/runs/new", json=fresh, timeout=60), (404,))
        trial.said(httpx.get(f"{one.url}/runs", timeout=60), ())
    elif trial.row == "pacs":
        trial.send(1)
        trial.answered()
    one.end()
    if trial.start().url:
        raise Fault("a server starts where there is no run")
    if there.exists():
        raise Fault(f"something stands at the old place: {there}")
    trial.run = elsewhere / "run" if trial.row == "app" else elsewhere


def replaced(trial: Trial) -> None:
    one = trial.start()
    cut = trial.rng.random() < 0.5
    asking = trial.many(one.url, ("run",) if cut else ("run", "another"), (404, 409, 422) if trial.row == "app" else ())
    time.sleep(trial.rng.uniform(0.5, 2))
    network, aside = trial.run / "model.safetensors", trial.folder / "aside"
    if cut:
        network.rename(aside)
        network.write_bytes(aside.read_bytes()[: trial.rng.randrange(aside.stat().st_size)])
    else:
        shutil.copytree(trial.kept.base / "another", trial.folder / "another")
        trial.run.rename(aside)
        (trial.folder / "another").rename(trial.run)
    time.sleep(trial.rng.uniform(3, 6))
    asking.close()
    if not cut:
        trial.ask(one.url, ("another",))
        if trial.row == "pacs":
            trial.send(1)
            trial.answered()
    one.end()
    if cut:
        if (broken := trial.start()).url:
            if trial.row != "app":
                raise Fault("a server starts with half a network")
            trial.ask(broken.url, refusals=(409, 422))
            broken.end()
        aside.rename(network)
    else:
        shutil.rmtree(trial.run)
        aside.rename(trial.run)


def shut(trial: Trial) -> None:
    if trial.row == "pacs":
        trial.start().end()  # the states of studies are there
    early = trial.rng.random() < 0.5
    places = [trial.run.parent] + ([trial.folder / "state"] if trial.row == "pacs" else [])
    with ExitStack() as stack:
        opened = [stack.enter_context(disk(each, 200 << 20)) for each in places]
        one = None if early else trial.start()
        for each in opened:
            each("ro")
        one = one or trial.start()
        if one.url:
            trial.ask(one.url)
            if trial.row == "app":
                fresh = {"like": "run", "name": "new", "settings": {}}
                trial.said(httpx.post(f"{one.url}/runs/new", json=fresh, timeout=60), (507,))
                trial.said(httpx.post(f"{one.url}/runs/run/start", timeout=60), (507,))
                trial.said(httpx.delete(f"{one.url}/runs/run", timeout=60), (507,))
            elif trial.row == "pacs":
                trial.send(1)
                time.sleep(3)
        for each in opened:
            each("rw")
        if one.url and trial.row == "pacs":
            trial.answered()
        if one.url:
            one.end()


def full(trial: Trial) -> None:
    early, filler = trial.rng.random() < 0.5, trial.temporary / "filler"
    with disk(trial.temporary, 8 << 20) as _:
        one = None if early else trial.start()
        room = trial.rng.choice((0, 0, trial.rng.randrange(600_000)))
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        os.truncate(filler, max(0, filler.stat().st_size - room))
        one = one or trial.start()
        if one.url:
            for _ in range(4):
                trial.ask(one.url, refusals=(507,))
            answered = httpx.post(one.url + ROUTES[trial.row], content=bytes(2_000_000), timeout=60)
            trial.said(answered, (422, 507))
            if trial.row == "pacs":
                trial.send(1)
                time.sleep(3)
        filler.unlink()
        if one.url:
            trial.ask(one.url)  # there is room again: the same server answers
            if trial.row == "pacs":
                trial.answered()
            one.end()


def memory(trial: Trial) -> None:
    one = trial.start(memory=int(trial.rng.uniform(1, 1500) * 2**20))
    if not one.url:
        return
    for _ in range(4):
        try:
            trial.ask(one.url, refusals=(409, 422, 503))
        except httpx.TransportError:
            one.started.wait(5)
            raise Fault(f"the server has died: {one.started.process.exitcode}: {one.log[-300:]!r}") from None
    if trial.row == "pacs":
        trial.send(1)
        time.sleep(3)
    one.end()


def clock(trial: Trial) -> None:
    one = trial.start()
    if trial.row == "pacs":
        trial.send(2)
        time.sleep(trial.rng.uniform(0, 4))
    else:
        trial.ask(one.url)
    one.kill()
    trial.shift = trial.rng.choice((-YEARS, YEARS))
    then = time.time() + trial.rng.choice((-YEARS, YEARS))
    for path in trial.folder.rglob("*"):
        os.utime(path, (then, then))
    second = trial.start()
    trial.ask(second.url)
    if trial.row == "app":
        name = new_job(trial, second.url)
        same_job(trial, second.url, name)
        gone = httpx.delete(f"{second.url}/runs/run", timeout=60)
        trial.said(gone, ())
        trial.said(httpx.post(f"{second.url}/runs/deleted/{gone.json()['run']}/restore", timeout=60), ())
        (trial.run.parent / ".deleted").rmdir()
    second.end()
    trial.shift = trial.rng.choice((-YEARS, 0, YEARS))


def two(trial: Trial) -> None:
    one = trial.start()
    if trial.start(port=int(one.url.rsplit(":", 1)[1])).url:
        raise Fault("two servers on one port")
    state = trial.rng.choice(("state", "another-state"))
    second = trial.start(state=state) if trial.row == "pacs" else trial.start()
    if trial.row == "pacs":
        trial.send(4)
        trial.answered()
    asking = [trial.many(each.url, clients=2) for each in (one, second)]
    time.sleep(1)
    for each in asking:
        each.close()
    if trial.row == "app":
        name = new_job(trial, one.url)
        time.sleep(trial.rng.uniform(0, 3))
        httpx.post(f"{one.url}/runs/{name}/stop", timeout=60)
        waited(lambda: state_of(one.url, name) != "running", "a job does not stop")
        statuses, together = list[int](), threading.Barrier(2)

        def begin(url: str) -> None:
            together.wait()
            statuses.append(httpx.post(f"{url}/runs/{name}/start", timeout=60).status_code)

        threads = [threading.Thread(target=begin, args=(each.url,)) for each in (one, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sorted(statuses) != [200, 409]:
            raise Fault(f"two servers that begin one job answer {statuses}")
        same_job(trial, second.url, name)
    one.end()
    second.end()


@contextmanager
def disk(place: Path, size: int) -> Iterator[Callable[[str], None]]:
    """A folder on a disk of its own, of so many bytes; what stands there in the end is copied back."""
    aside = place.with_name(f"{place.name}-aside")
    place.rename(aside)
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)

    def remount(how: str) -> None:
        waited(lambda: not subprocess.run(["mount", "-o", f"remount,{how}", str(place)], capture_output=True, check=False).returncode,
               f"the disk does not become {how}")  # fmt: skip

    try:
        shutil.copytree(aside, place, dirs_exist_ok=True)
        yield remount
        shutil.rmtree(aside)
        shutil.copytree(place, aside)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()
        aside.rename(place)


KINDS = {one.__name__: one for one in (upload, batch, job, moved, replaced, shut, full, memory, clock, two)}
AS_ROOT = ("shut", "full")


# -- judging ---------------------------------------------------------------------------------------------------------------
def applies(row: str, kind: str) -> bool:
    return (kind != "job" or row == "app") and (kind not in AS_ROOT or not os.getuid())


def judged(trial: Trial, kind: str) -> list[str]:
    """The faults of a trial."""
    before = left(trial.run)
    try:
        KINDS[kind](trial)
        again = trial.start()
        if not again.url:
            raise Fault(f"LOST: does not start again: {again.log[-300:]!r}")
        trial.ask(again.url)
        if trial.row == "app" and state_of(again.url, "run") != "done":
            raise Fault(f"LOST: a run that was done is {state_of(again.url, 'run')}")
        if trial.row == "pacs":
            trial.send(1)
            trial.answered()
        again.end()
        for one in trial.servers:
            if "Traceback" in one.log:
                raise Fault(f"traceback: {one.log[-300:]!r}")
        changed = {name for name, found in left(trial.run).items() if before.get(name) != found} - set(OF_JOBS)
        if changed:
            raise Fault(f"the run has changed: {', '.join(sorted(changed))}")
        with contextlib.suppress(Fault):
            waited(lambda: not alive(trial), "", 10)
        if processes := alive(trial):
            raise Fault(f"processes are left: {'; '.join(processes)}")
        own = (
            path.name for path in trial.temporary.iterdir() if not path.name.startswith("torchinductor_")
        )  # a cache of torch's
        if there := sorted(own):
            raise Fault(f"left in the temporary folder: {', '.join(there)}")
        if others := [path.name for path in trial.run.parent.iterdir() if path.name not in ("run", "images.npz")]:
            raise Fault(f"left beside the run: {', '.join(others)}")
    except (Fault, httpx.HTTPError) as fault:
        return [f"{type(fault).__name__} {fault}" if isinstance(fault, httpx.HTTPError) else str(fault)]
    finally:
        for one in trial.servers:
            one.started.kill()
        for path in trial.folder.rglob(".lock"):
            kill_job(path.parent)
    return []


def alive(trial: Trial) -> list[str]:
    """The commands of processes of the sessions of the trial's servers."""
    sessions, found = {one.process for one in trial.servers}, []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[3]) in sessions and words[0] not in "ZX":
                found.append(stat.with_name("cmdline").read_text().replace("\0", " ")[-160:])
    return found


def prepared(base: Path) -> Place:
    """Two runs of one archive, pictures, and what each run says of them."""
    from evenray.verbs.predict import predict

    images = archive(base / "images.npz")
    for name, seed in (("run", "0"), ("another", "1")):
        done = begun(["run", str(images), "-o", str(base / name), *RECIPE, "--seed", seed], base / f"log-{name}")
        done.wait()
        if done.ended != "done":
            sys.exit(f"the run fails undisturbed: {done.ended} {done.sentence}")
    rng, folder, pictures = np.random.default_rng(3), base / "pictures", dict[str, bytes]()
    folder.mkdir()
    for number in range(5):
        drawn = rng.integers(0, 150, (28 + 9 * number, 40 + 7 * number), dtype=np.uint8)
        pictures[f"{number}.png"] = cv2.imencode(".png", drawn)[1].tobytes()
        (folder / f"{number}.png").write_bytes(pictures[f"{number}.png"])
    truths = {}
    for name in ("run", "another"):
        table = predict(base / name, folder, device="cpu", jobs=1).table
        truths[name] = {Path(row["file"]).name: [row["p_0"], row["p_1"]] for row in table.to_dicts()}
    if truths["run"] == truths["another"]:
        sys.exit("both runs say the same: the campaign could not tell one from the other")
    return Place(base, pictures, truths)


def fresh(kept: Place, row: str, seed: str) -> Trial:
    folder = kept.base / "trial"
    trial = Trial(row, folder, random.Random(seed), kept)
    trial.run = folder / "runs" / "run"
    shutil.copytree(kept.base / "run", trial.run)
    trial.temporary.mkdir()
    return trial


def undisturbed(kept: Place) -> dict[str, str]:
    """The bytes of a job."""
    trial = fresh(kept, "app", "reference")
    one, clock = trial.start(), time.monotonic()
    folder = trial.run.parent / new_job(trial, one.url)
    waited(lambda: state_of(one.url, folder.name) != "running", "a job does not end", 600)
    if (state := state_of(one.url, folder.name)) != "done":
        sys.exit(f"a job is {state} undisturbed: {(folder / 'job.log').read_text()[-500:]}")
    kept.seconds, found = time.monotonic() - clock, left(folder)
    one.end()
    shutil.rmtree(trial.folder)
    return found


def reference(kept: Place) -> None:
    """Two jobs to which nothing happens: their bytes, and the files in which they differ."""
    kept.job = undisturbed(kept)
    again = undisturbed(kept)
    kept.varying = {name for name, value in kept.job.items() if again.get(name) != value} | set(OF_JOBS)
    if wrong := kept.varying & set(SAME):
        sys.exit(f"two jobs to which nothing happened differ in {', '.join(wrong)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=",".join(ROUTES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--trials", type=int, default=3, help="of each server and kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows, kinds = options.servers.split(","), options.kinds.split(",")
    SERVER.set_forkserver_preload(
        ["evenray.cli", "evenray.serve.rest", "evenray.app.workbench", "evenray.learning.predict.files"]
    )
    counts, hows, faults = Counter[tuple[str, str]](), Counter[tuple[str, str]](), list[str]()
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {
            "EVENRAY_CACHE": str(base / "cache"), "EVENRAY_DICOMWEB_USER": USER, "EVENRAY_DICOMWEB_PASSWORD": WORD,
        }  # fmt: skip
        kept = prepared(base)
        if "pacs" in rows:
            (base / "orthanc").mkdir()
            kept.hospital = Hospital(f"dicomweb://{stack.enter_context(orthanc(base / 'orthanc', StableAge=1))}")
        if "app" in rows:
            reference(kept)
            print(f"a job takes {kept.seconds:.1f} s; compared by name:", *sorted(kept.varying), flush=True)
        for number, kind, row in itertools.product(range(options.trials), kinds, rows):
            if not applies(row, kind):
                continue
            trial = fresh(kept, row, f"{options.seed} {row} {kind} {number}")
            wrong = judged(trial, kind)
            counts[row, kind] += not wrong
            hows[kind, trial.how] += 1
            faults += [f"{row}, {kind} {number}: {each}" for each in wrong]
            print(f"{row:6} {kind:9} {trial.how:8} {'; '.join(wrong)}", flush=True)
            shutil.rmtree(trial.folder)
    print("\n" + " ".join(f"{word:>9}" for word in ("", *kinds)))
    for row in rows:
        cells = (f"{counts[row, kind]}/{options.trials}" if applies(row, kind) else "-" for kind in kinds)
        print(" ".join(f"{word:>9}" for word in (row, *cells)))
    for how in ("done", "refused"):
        print(" ".join(f"{word:>9}" for word in (how, *(str(hows[kind, how]) for kind in kinds))))
    print("\n".join(["", f"{len(faults)} faults", *faults]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
