"""Mutated files end as an Image that can be copied, or a ReadError; $EVENRAY_FUZZ_CASES asks for more than a few hundred."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "fuzz_readers.py"
CASES = int(os.environ.get("EVENRAY_FUZZ_CASES", "800"))
SEED = os.environ.get("EVENRAY_FUZZ_SEED", "0")
PEAK_MB = 1500


def test_mutated_files_end_as_an_image_or_a_read_error() -> None:
    command = [sys.executable, str(SCRIPT), "--cases", str(CASES), "--seed", SEED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 + CASES / 10, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert not found["unread"]
    assert not found["faults"]
    assert not found["lost"]
    assert sum(sum(counts.values()) for counts in found["outcomes"].values()) == CASES
    for kind, counts in found["outcomes"].items():  # mutants that are all refused at the door would test nothing
        assert counts.get("image", 0) > 0, kind
        assert counts.get("ReadError (named)", 0) > 0, kind
    assert found["peak_mb"] < PEAK_MB
