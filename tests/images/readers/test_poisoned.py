"""No byte of an image comes from elsewhere: freed memory is filled with one value, then with another, and nothing may change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import hashlib, json, sys, tempfile, warnings
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np, tifffile
warnings.simplefilter("ignore")
import fuzz_readers
from evenray.core.errors import ReadError
from evenray.images import readers

def planar():
    for kind in ("u1", "u2", "f4", "f8"):
        for order in "<>":
            for packing in (None, "zlib", "lzw"):
                out = Path(tempfile.mkdtemp()) / "a.tif"
                pixels = (np.random.default_rng(0).random((3, 40, 50)) * 200).astype(kind)
                tifffile.imwrite(out, pixels, photometric="rgb", planarconfig="separate", byteorder=order, compression=packing)
                yield f"planar {kind} {order} {packing}", out.read_bytes()

def cut(data):
    return {"whole": data, "cut": data[: len(data) * 2 // 3], "holed": data[: len(data) // 2] + bytes(9) + data[len(data) // 2 + 9 :]}

files = {f"{kind} {name}": data for kind, found in fuzz_readers.corpus().items() for name, data in found.items()}
files |= dict(planar())
path, said = Path(tempfile.mkdtemp()) / "file", {}
if sys.argv[2]:
    files = {name: data for name, data in files.items() if name.startswith(("pgm", "bmp"))}
if sys.argv[2] == "leaky":  # a decoder that fills half of its memory: what this test has to notice
    from evenray.images.readers import raster_pnm
    def leaky(path, data):
        pixels = np.empty((300, 400), np.uint8)
        pixels[:150] = 7
        return pixels, 255.0
    raster_pnm.decode = leaky
for name, data in files.items():
    for how, content in cut(data).items():
        path.write_bytes(content)
        try:
            images = [readers.read(path, fragment=one) for one in readers.fragments(path)]
            seen = [hashlib.sha256(image.pixels.tobytes()).hexdigest()[:12] + str(image.value_range) for image in images]
        except ReadError as error:
            seen = error.reason
        said[f"{name} {how}"] = seen
json.dump(said, sys.stdout)
"""


def read_with(fill: int, leaky: str = "") -> dict[str, object]:
    """What is read of every kind of file, whole and damaged, where malloc fills memory that it gives and takes back."""
    environment = {
        **os.environ, "MALLOC_PERTURB_": str(fill), "PYTHONPATH": str(ROOT / "src"),
        "MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TOP_PAD_": str(2**24),  # no fresh pages of the system, which are zero
        "PYTHONMALLOC": "malloc", "NUMPY_WARN_IF_NO_MEM_POLICY": "0",
    }  # fmt: skip
    command = [sys.executable, "-c", SCRIPT, str(ROOT / "tools"), leaky]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_no_byte_comes_from_elsewhere() -> None:
    one, other = read_with(0x5A), read_with(0xC3)
    assert len(one) > 150
    assert {name: (seen, other[name]) for name, seen in one.items() if seen != other[name]} == {}
    assert sum(isinstance(seen, list) for seen in one.values()) > 60


def test_a_decoder_that_leaves_memory_as_it_was_is_noticed() -> None:
    one, other = read_with(0x5A, "leaky"), read_with(0xC3, "leaky")
    assert {name for name, seen in one.items() if seen != other[name]} == {
        name for name in one if name.startswith("pgm")
    }
