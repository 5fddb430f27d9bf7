"""A PACS on this machine: Orthanc with its DICOMweb, on free ports of the loopback, in a folder of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PLUGIN = next(iter(Path("/usr/share/orthanc/plugins").glob("*DicomWeb*.so*")), None)
USER, WORD = "reader", "only-for-the-tests"


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


@contextmanager
def orthanc(folder: Path, **settings: object) -> Iterator[str]:
    """The address of its DICOMweb, HOST:PORT/dicom-web; it wants USER and WORD. `settings` are more of its own, such as DicomPort.
    The test is skipped where it is not installed."""
    if shutil.which("Orthanc") is None or PLUGIN is None:
        pytest.skip("Orthanc with DICOMweb is not installed (Debian: orthanc, orthanc-dicomweb)")
    port = free_port()
    (folder / "orthanc.json").write_text(
        json.dumps({
            "Name": "TEST", "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "storage"), "HttpPort": port,
            "DicomPort": free_port(), "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {USER: WORD},
            "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, **settings,
        })
    )  # fmt: skip
    with (folder / "orthanc.log").open("w") as log:
        server = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
        try:
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=1)
                except urllib.error.HTTPError:  # it wants to know who asks: it is there
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                pytest.fail((folder / "orthanc.log").read_text()[-2000:])
            yield f"127.0.0.1:{port}/dicom-web"
        finally:
            server.terminate()
            server.wait(20)
