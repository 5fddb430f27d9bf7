"""What processes that decode files are sent."""

import pickle
import subprocess
import sys

import numpy as np

from evenray.core.types import Image
from evenray.images.contrast import fix_references
from evenray.images.histogram import Histogram
from evenray.learning.predict.preparation import Preparation


def test_a_process_that_decodes_never_imports_torch(tmp_path):
    """PyTorch takes 290 MB in each of them, and more than a second of its start."""
    code = "import sys, evenray.learning.predict.decoding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_the_contrast_matches_to_goes_along(tmp_path):
    rng = np.random.default_rng(0)
    image = Image(rng.integers(0, 200, (20, 30)).astype(np.uint8), (0, 255))
    Histogram.of(Image(rng.integers(100, 255, (40, 40)).astype(np.uint8), (0, 255))).save(tmp_path / "bright.json")
    contrast, references = fix_references(f"match('{tmp_path / 'bright.json'}')")
    sent = Preparation(contrast, side=16, channels=1, scale=255, references=references)
    expected = sent.pixels(image)
    assert expected.mean() > 100
    file = tmp_path / "sent.pickle"
    file.write_bytes(pickle.dumps((sent, image)))
    code = (
        "import pickle, sys; sent, image = pickle.loads(open(sys.argv[1], 'rb').read());"
        "sys.stdout.buffer.write(sent.pixels(image).tobytes())"
    )
    found = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True).stdout
    assert found == expected.tobytes()
