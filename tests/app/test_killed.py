"""A workbench that is killed: its job goes on, and a new workbench follows it, stops it, and takes it up to the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from evenray.app.jobs import EVENTS
from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.core.artefacts.lock import worker
from evenray.serve.running import in_background

COMMAND = "from evenray.cli import main; main()"
# What a run is about; the rest tells of times and costs.
KEPT = (
    "cases.parquet",
    "split.parquet",
    "choice.json",
    "model.json",
    "model.safetensors",
    "predictions.parquet",
    "scores.json",
)


def waited(test: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_of_a_killed_workbench_is_taken_up_by_the_next_with_the_same_bytes(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the same sums as in the run that it is compared with
    runs, job = tmp_path / "runs", tmp_path / "runs" / "two"
    shutil.copytree(finished_run, runs / "one")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-c", COMMAND, "app", str(runs), "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)})
    assert server.stderr is not None
    while "http://" not in (line := server.stderr.readline()):
        assert line, "the workbench has not started"
    url = "http://" + line.split("http://")[1].split()[0]
    form = httpx.get(f"{url}/runs/form", params={"like": "one"}, timeout=60).json()
    settings = {field["name"]: field["value"] for field in form["fields"]}
    begun = httpx.post(f"{url}/runs/new", json={"like": "one", "name": "two", "settings": settings}, timeout=60)
    assert begun.json() == {"run": "two"}
    first = worker(job)
    assert first is not None
    server.kill()  # while the job still imports what it needs
    server.communicate()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with in_background(workbench(Workplace.of(runs))) as url, httpx.Client(base_url=url, timeout=60) as client:

        def state() -> str:
            return str({card["name"]: card["state"] for card in client.get("/runs/list").json()["runs"]}["two"])

        assert state() == "running"
        assert worker(job) == first
        assert client.post("/runs/two/start").status_code == 409  # nobody works there twice
        assert client.delete("/runs/two").status_code == 409
        waited(lambda: (job / EVENTS).is_file() and b'"epoch_done"' in (job / EVENTS).read_bytes())
        assert client.post("/runs/two/stop").status_code == 200
        waited(lambda: worker(job) is None)  # looked at here: to ask the workbench each time costs more than the job
        assert state() == "stopped"
        assert not (job / "report.html").exists()
        assert client.post("/runs/two/start").status_code == 200
        waited(lambda: worker(job) is None)
        assert state() == "done"
    found, expected = (
        [hashlib.sha256((each / name).read_bytes()).hexdigest() for name in KEPT] for each in (job, runs / "one")
    )
    assert found == expected
    assert list(temporary.glob("evenray-*")) == []  # the second has removed what the first had left
