"""The command serve: it says where it answers, answers, and ends when asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from evenray.cli import app
from evenray.core.errors import UsageError

COMMAND = [sys.executable, "-c", "import sys; from evenray.cli import main; sys.exit(main())", "serve"]


def test_a_run_is_served_until_it_is_told_to_stop(finished_run: Path, tmp_path: Path) -> None:
    environment = os.environ | {"EVENRAY_TOKEN": "0123456789abcdef", "TMPDIR": str(tmp_path)}
    options = ["--port", "0", "--jobs", "1", "--device", "cpu", "--lang", "ko"]
    server = subprocess.Popen(
        [*COMMAND, str(finished_run), *options], stderr=subprocess.PIPE, text=True, env=environment
    )
    assert server.stderr is not None
    line = next(line for line in server.stderr if "http://" in line)
    assert "서비스 중입니다: finished" in line
    url = line.split("에서")[0]
    picture = cv2.imencode(".png", np.zeros((30, 30), np.uint8))[1].tobytes()
    assert httpx.post(f"{url}/v1/predict", content=picture).status_code == 401
    headers = {"Authorization": "Bearer 0123456789abcdef"}
    answered = httpx.post(f"{url}/v1/predict", content=picture, headers=headers, timeout=60)
    assert answered.json()["answers"][0]["decision"] in ("0", "1")
    server.send_signal(signal.SIGTERM)
    _, rest = server.communicate(timeout=60)
    assert (server.returncode, rest.splitlines()[-1]) == (0, "종료했습니다.")
    assert list(tmp_path.glob("evenray-uploads-*")) == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--host", "0.0.0.0"], "there is no token"),
        (["--token", "short"], "too easy to guess"),
        (["--lang", "fr"], "lang"),
        (["--body-part", "CHEST"], "--body-part is about the studies of a PACS; give --pacs URL"),
        (["--everything"], "give --pacs URL"),
        (["another-run", "--pacs", "dicomweb://127.0.0.1:1/rs"], "2 are named; start a server for each"),
        (["--pacs", "dicomweb://me:secret@pacs/rs"], "EVENRAY_DICOMWEB_TOKEN"),
        (["--pacs", "pacs.example"], "dicomweb://127.0.0.1:8042/dicom-web"),
    ],
)
def test_what_is_not_safe_is_refused_before_a_model_is_loaded(options: list[str], why: str) -> None:
    refused = CliRunner().invoke(app, ["serve", "no-such-run", *options])
    assert isinstance(refused.exception, UsageError)
    assert why in str(refused.exception)


def test_a_missing_extra_names_itself(tmp_path: Path) -> None:
    hidden = (
        "import importlib.util as u, sys; found = u.find_spec;"
        " u.find_spec = lambda name, *more: None if name == 'fastapi' else found(name, *more);"
        " from evenray.cli import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", hidden, "serve", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "serving needs fastapi; install it with: pip install 'evenray[app]'" in " ".join(done.stderr.split())
