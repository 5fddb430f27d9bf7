"""Studies into a real Orthanc and answers out of it: none missing, none twice, memory flat, also where servers are killed.

    python benchmarks/pacs.py               500 studies, two servers at once that are killed ten times: some ten minutes
    python benchmarks/pacs.py --quick       12 studies, two servers, one killed: under a minute on quiet cores
    python benchmarks/pacs.py --day         20,000 studies, one server that nobody kills: a day of a large hospital, in some hours
    python benchmarks/pacs.py --run RUN     a model of yours in place of an untrained network
    python benchmarks/pacs.py --json FILE

Needs Orthanc with DICOMweb (Debian: orthanc, orthanc-dicomweb), which is started on this machine with an empty storage. Servers are
processes of their own, `evenray serve RUN --pacs URL --everything`; killed ones (SIGKILL, at any moment) are started again. Studies
come in portions, each of which is counted at the PACS and then deleted, so that a day's load fits on the disk. Memory is that of
a server with its decoders, read while it works.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pydicom
from figures import Figures, note, told
from prediction import saved
from serving import Server, held

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.scale.orthanc import USER, WORD, orthanc
from tests.serve.pacs.conftest import Hospital

DAY = 20_000
SIDE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="12 studies")
    parser.add_argument("--day", action="store_true", help="20,000 studies")
    parser.add_argument("--studies", type=int, help="another number of studies")
    parser.add_argument("--run", type=Path, help="a finished run in place of the untrained network")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    options = parser.parse_args()
    studies = options.studies or (12 if options.quick else DAY if options.day else 500)
    servers, kills = (1, 0) if options.day else (2, 1 if options.quick else 10)
    os.environ |= {"EVENRAY_DICOMWEB_USER": USER, "EVENRAY_DICOMWEB_PASSWORD": WORD}
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = options.run
        if source is None:
            saved(
                folder / "model",
                64 if options.quick else 224,
                "vgg11_bn(width=0.1)" if options.quick else "vgg16_bn(width=0.25)",
            )
            source = folder / "model" / "model.safetensors"
        with orthanc(folder, StableAge=1, SaveJobs=False) as address:
            beside(figures, Hospital(f"dicomweb://{address}"), source, folder, studies, servers, kills)
    told(figures, options.json)


def beside(
    figures: Figures, hospital: Hospital, source: Path, folder: Path, studies: int, servers: int, kills: int
) -> None:
    """Send studies, kill servers, and count what came of it."""
    options = ["--pacs", hospital.url, "--everything", "--every", "0.5", "--jobs", "1"]
    portion = max(1, studies // (2 if studies < 100 else 5 if kills else 40))
    chance, memory = random.Random(0), list[float]()
    deaths = sorted(chance.sample(range(portion + 1, studies), kills))  # the first portion is calm: it says how fast
    seen = {"answered": 0, "missing": 0, "twice": 0, "without overlay": 0}
    begun, calm, rate = time.monotonic(), 0, 0.0
    with ExitStack() as stack:

        def started(number: int) -> Server:
            return stack.enter_context(Server(source, *options, "--state", str(folder / f"state-{number}")))

        running = [started(number) for number in range(servers)]
        print(
            "\n| studies | answered | missing | twice | killed | MB of a server | studies/s |\n|---:|---:|---:|---:|---:|---:|---:|"
        )
        done = killed = 0
        while done < studies:
            clock, alive = time.monotonic(), killed
            sent = [
                hospital.send(Rows=SIDE, Columns=SIDE, PixelData=noise(done + n))
                for n in range(min(portion, studies - done))
            ]
            waiting, end = set(sent), time.monotonic() + 600 + 10 * len(sent)
            while waiting and time.monotonic() < end:
                waiting -= {study for study in waiting if hospital.answers(study)[0]}
                if not waiting and killed == alive:
                    calm, rate = calm + len(sent), rate + time.monotonic() - clock
                if killed < kills and done + len(sent) - len(waiting) >= deaths[killed]:
                    time.sleep(chance.random())  # in the midst of whatever it does
                    victim = killed % servers
                    running[victim].process.kill()
                    running[victim] = started(victim)
                    killed += 1
                memory.append(held(running[0].process.pid, folder / "nothing")["MB"])
                time.sleep(0.2 if len(sent) < 20 else 2.0)
            time.sleep(1.0)  # whatever a second server would store twice
            for study in sent:
                reports, overlays, _ = hospital.answers(study)
                seen["answered"] += reports > 0
                seen["missing"] += reports == 0
                seen["twice"] += reports > 1 or overlays > 1
                seen["without overlay"] += overlays == 0
            done += len(sent)
            cells = (
                done,
                seen["answered"],
                seen["missing"],
                seen["twice"],
                killed,
                f"{memory[-1]:.0f}",
                f"{calm / max(rate, 1e-9):.2f}",
            )
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
            if done < studies:
                emptied(hospital)
    third = max(1, len(memory) // 3)
    first, last = statistics.median(memory[:third]), statistics.median(memory[-third:])
    print(
        f"\n{studies} studies in {time.monotonic() - begun:.0f} s; MB of a server: first third {first:.0f}, last third {last:.0f}."
    )
    note(figures, "studies without an answer", float(seen["missing"]), "<= 0")
    note(figures, "studies answered twice", float(seen["twice"]), "<= 0")
    note(figures, "studies without an overlay", float(seen["without overlay"]), "<= 0")
    note(figures, "studies a second against a day's 20,000 (ratio)", calm / max(rate, 1e-9) * 86_400 / DAY, ">= 1")
    if not kills:
        note(figures, "memory in the last third against the first (ratio)", last / first, "<= 1.1")
    print(f"That is {calm / max(rate, 1e-9) * 86_400:.0f} studies a day.")


def noise(seed: int) -> bytes:
    """Pixels of an image of 12 bits that is no other's."""
    return np.random.default_rng(seed).integers(0, 4096, (SIDE, SIDE), np.uint16).tobytes()


def emptied(hospital: Hospital) -> None:
    """Delete all studies of the PACS."""
    archive = hospital.archive
    for name in archive.json("/studies"):
        archive.client._session.delete(f"{archive.root}/studies/{name}")


if __name__ == "__main__":
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    main()
