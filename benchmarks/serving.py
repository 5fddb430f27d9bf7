"""The REST service under load: 1, 4 and 16 clients against the rate of the engine itself; and a soak.

    python benchmarks/serving.py               VGG16 with batch normalisation at 224, half a minute a row: about four minutes
    python benchmarks/serving.py --quick       a quarter of the channels, five seconds a row: under a minute
    python benchmarks/serving.py --run RUN     a model of yours, on the images below --images FOLDER
    python benchmarks/serving.py --soak 30     20 clients for 30 minutes: memory, threads, processes and files stay where they are
    python benchmarks/serving.py --json FILE

The server is a process of its own, as `evenray serve` starts it, and clients are threads here, each with one connection and one
request under way. The engine's rate is that of whole batches that are decoded already, on the same cores; it is measured before
and after each row, and the mean counts, so that a slow minute is everyone's. What no server can beat is printed below the table:
the network's share of the time of the cores where these decode as well, and, with n requests under way and x answers a second,
the n / x that one takes on average (Little).

Columns: `network` is the share of the time in which the server's network computes, `images` how many go together; `cores, ms` is
what a core spends for an answer: the network's own whole batches, the whole server with the processes that decode, and the
clients. Times of cores hold on a busy machine as well, rates do not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import cv2
import numpy as np
from figures import Figures, note
from prediction import saved

from evenray.learning.predict.decoding import Item, Task, decode
from evenray.learning.predict.engines import Model, load

ROWS = (1, 4, 16)
SOAKING = 20  # clients
CRAMPED = {"Content-Type": "application/octet-stream"}


@dataclass
class Told:
    """What clients saw: seconds of each answer, and how many had which status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def p(self, share: float) -> float:
        return float(np.quantile(self.seconds, share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smaller network, shorter rows")
    parser.add_argument("--run", type=Path, help="a finished run or exported model in place of the untrained network")
    parser.add_argument("--images", type=Path, help="a folder of images to send")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="soak instead of the table")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    options = parser.parse_args()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = load(options.run) if options.run else saved(folder / "model", 224, network(options.quick))
        source = options.run or folder / "model" / "model.safetensors"
        bodies = sent(options.images)
        if options.soak:
            soak(figures, source, bodies, options.soak * 60)
        else:
            table(figures, model, source, bodies, 5 if options.quick else 30)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def network(quick: bool) -> str:
    return "vgg16_bn(width=0.25)" if quick else "vgg16_bn"


def sent(folder: Path | None) -> list[bytes]:
    """The files to send: those of a folder, or drawn films of 512 x 512 as PNG."""
    if folder is not None:
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()][:64]
    rng = np.random.default_rng(0)
    films = [cv2.GaussianBlur(rng.integers(0, 256, (512, 512), np.uint8), (0, 0), 8) for _ in range(16)]
    return [cv2.imencode(".png", film)[1].tobytes() for film in films]


class Server:
    """`evenray serve` as a process, on a free port, warm when it is entered."""

    def __init__(self, source: Path, *options: str) -> None:
        code = "import sys; from evenray.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "serve", str(source), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> Server:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "http://" in line:
                self.port = int(line.split("http://127.0.0.1:")[1].split(":")[0])
                break
        else:
            raise SystemExit("The server has not started; see above.")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # the log, so that it never waits
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


def load_of(
    port: int,
    clients: int,
    seconds: float,
    bodies: Sequence[bytes],
    paths: Sequence[str] = ("/v1/predict",),
    pace: float = 0,
) -> Told:
    """What `clients` see that ask one after the other for so many seconds; the first answer of each does not count.

    With a `pace` each waits between two requests, so that all together ask that often a second at the most.
    """
    told, lock, begin = Told(), threading.Lock(), threading.Barrier(clients)

    def client(number: int) -> None:
        chance = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        begin.wait()
        end, first = time.monotonic() + seconds, True
        while time.monotonic() < end:
            if pace:
                time.sleep(chance.expovariate(pace / clients))
            clock = time.monotonic()
            connection.request("POST", chance.choice(paths), chance.choice(bodies), CRAMPED)
            answer = connection.getresponse()
            answer.read()
            with lock:
                told.statuses[answer.status] = told.statuses.get(answer.status, 0) + 1
                if not first:
                    told.seconds.append(time.monotonic() - clock)
            first = False
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


@dataclass(frozen=True)
class Alone:
    """Images a second of the engine alone, in whole batches, and what a core spends for one (ms)."""

    rate: float
    ms: float


def engine(model: Model, seconds: float) -> Alone:
    about = model.about
    batch = min(model.batch, 16)
    x = np.random.default_rng(0).random((batch, about.channels, about.side, about.side), dtype=np.float32)
    model.run(x)
    done, begun, spent = 0, time.monotonic(), time.process_time()
    while time.monotonic() < begun + seconds:
        model.run(x)
        done += batch
    return Alone(done / (time.monotonic() - begun), (time.process_time() - spent) / done * 1e3)


def decoding(model: Model, bodies: Sequence[bytes]) -> float:
    """What a core spends to decode a file for the network (ms)."""
    with tempfile.TemporaryDirectory() as scratch:
        tasks = [Task(Item(str(n), Path(scratch) / str(n)), None, True) for n in range(len(bodies))]
        for task, body in zip(tasks, bodies, strict=True):
            task.item.path.write_bytes(body)
        decode(tasks[0], model.about)
        spent = time.process_time()
        for task in tasks:
            decode(task, model.about)
        return (time.process_time() - spent) / len(tasks) * 1e3


@dataclass(frozen=True)
class Worked:
    """What a server has spent so far: seconds of its cores, seconds in which its network computed, batches and their images."""

    cores: float
    network: float
    batches: float
    images: float

    @classmethod
    def of(cls, server: Server) -> Worked:
        process = server.process.pid
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            told = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
        names = ("evenray_network_seconds_total", "evenray_batch_images_count", "evenray_batch_images_sum")
        return cls(sum(map(spent_by, (process, *below(process)))), *(float(told[name]) for name in names))


def spent_by(process: int) -> float:
    """The seconds of cores that a process has taken."""
    parts = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def table(figures: Figures, model: Model, source: Path, bodies: Sequence[bytes], seconds: float) -> None:
    cv2.setNumThreads(1)
    print(
        "\n| clients | answers/s | of the engine's own | network | images | cores, ms: engine + rest of the server + clients |"
        " median ms | p95 ms | p95 / single | least possible at the engine's rate |"
    )
    print("|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|")
    with Server(source) as server:
        load_of(server.port, 4, 2, bodies)
        single = 0.0
        for clients in ROWS:
            before, begun, own_cores, clock = (
                engine(model, seconds / 4),
                Worked.of(server),
                time.process_time(),
                time.monotonic(),
            )
            told = load_of(server.port, clients, seconds, bodies)
            over, count = Worked.of(server), sum(told.statuses.values())
            clock, asking = time.monotonic() - clock, (time.process_time() - own_cores) / count * 1e3
            alone = (before, engine(model, seconds / 4))
            rate, ms = (statistics.mean(getattr(one, name) for one in alone) for name in ("rate", "ms"))
            if set(told.statuses) != {200}:
                raise SystemExit(f"Not all answers were 200: {told.statuses}")
            own, serving = count / clock, (over.cores - begun.cores) / count * 1e3
            single = single or told.p(0.5)
            least = clients / rate / single
            print(
                f"| {clients} | {own:.1f} | {own / rate:.2f} | {(over.network - begun.network) / clock:.2f} |"
                f" {(over.images - begun.images) / (over.batches - begun.batches):.1f} | {ms:.1f}"
                f" + {serving - ms:.1f} + {asking:.1f} |"
                f" {told.p(0.5) * 1e3:.0f} | {told.p(0.95) * 1e3:.0f} | {told.p(0.95) / single:.2f} | {least:.2f} |"
            )
        calm = load_of(server.port, clients, seconds, bodies, pace=rate / 2)
    print(f"| {clients}, at half the engine's rate | {sum(calm.statuses.values()) / seconds:.1f} | | | | | {calm.p(0.5) * 1e3:.0f} |"
          f" {calm.p(0.95) * 1e3:.0f} | {calm.p(0.95) / single:.2f} | |")  # fmt: skip
    note(figures, "rate at 16 clients against the engine's own in batches (ratio)", own / rate, ">= 0.9")
    note(figures, "p95 at 16 clients against a single request (ratio)", told.p(0.95) / single, "<= 3")
    note(
        figures,
        "p95 of 16 clients at half the engine's rate against a single request (ratio)",
        calm.p(0.95) / single,
        "<= 3",
    )
    each = decoding(model, bodies)
    print(
        f"\nWhat no server can beat here: a file takes {each:.1f} ms of a core to decode and {ms:.1f} in the network, so cores that do"
    )
    print(f"both give {ms / (ms + each):.2f} of the engine's rate; with all that this server and the clients spend,")
    print(
        f"{ms / (serving + asking):.2f}. A request in {clients} takes {least:.1f} times a single one on average at the engine's rate."
    )


def soak(figures: Figures, source: Path, bodies: Sequence[bytes], seconds: float) -> None:
    """20 clients that ask for everything, with files that cannot be read among them."""
    bodies = [*bodies, b"no image", bodies[0][: len(bodies[0]) // 2]]
    paths = (
        "/v1/predict",
        "/v1/predict?lang=ko",
        "/v1/enhance?method=clahe",
        "/v1/histogram",
        "/v1/predict?prevalence=0.01",
    )
    seen: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as own:
        os.environ["TMPDIR"] = own
        with Server(source) as server:
            load_of(server.port, SOAKING, 10, bodies, paths)
            over = threading.Event()

            def look() -> None:
                while not over.wait(seconds / 60):
                    seen.append(held(server.process.pid, Path(own)))

            looking = threading.Thread(target=look)
            looking.start()
            told = load_of(server.port, SOAKING, seconds, bodies, paths)
            over.set()
            looking.join()
            time.sleep(1)
            last = held(server.process.pid, Path(own))
        left = sum(1 for _ in Path(own).rglob("*"))
    print(
        f"\n{sum(told.statuses.values())} answers in {seconds / 60:.0f} minutes, by status: {dict(sorted(told.statuses.items()))}"
    )
    print("| | first third | last third | at rest |\n|---|---:|---:|---:|")
    third = max(1, len(seen) // 3)
    for name in last:
        first, end = (statistics.mean(one[name] for one in part) for part in (seen[:third], seen[-third:]))
        print(f"| {name} | {first:.1f} | {end:.1f} | {last[name]:.1f} |")
        if name != "files":
            note(figures, f"{name}, last third of the soak against the first (ratio)", end / first, "<= 1.05")
    note(figures, "files left by requests while the server rests", last["files"], "<= 2")  # its folder and lock
    note(figures, "files left when it has stopped", float(left), "<= 0")
    note(
        figures,
        "answers of the soak that are server errors",
        float(sum(n for s, n in told.statuses.items() if s >= 500)),
        "<= 0",
    )


def held(process: int, folder: Path) -> dict[str, float]:
    """What a server and the processes below it hold: MB of memory, threads, processes, descriptors, files."""
    everyone = [process, *below(process)]
    found: dict[str, Any] = {"MB": 0.0, "threads": 0, "processes": len(everyone), "descriptors": 0}
    for one in everyone:
        place = Path(f"/proc/{one}")
        try:
            found["MB"] += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            found["threads"] += sum(1 for _ in (place / "task").iterdir())
            found["descriptors"] += sum(1 for _ in (place / "fd").iterdir())
        except OSError:  # it has just ended
            continue
    return found | {
        "files": sum(len(folders) + len(files) for _, folders, files in os.walk(folder))
    }  # some go meanwhile


def below(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *below(int(child))]
    return found


if __name__ == "__main__":
    main()
