"""Conversion to OpenVINO for large predictions, where it saves more time than it takes."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evenray.core.artefacts import cache_folder, digest
from evenray.core.errors import EvenrayError
from evenray.learning import networks
from evenray.learning.predict.engines import Model, load

from . import formats

__all__ = ["quicker"]

# OpenVINO in bfloat16 is 3 to 12 % faster than torch, and the conversion takes some ten seconds: what it has to be worth,
# in pixels of the network's input (3,000 images of 224 x 224).
WORTH = 150_000_000


def quicker(model: Model, source: str | Path, images: int) -> Model:
    """`model`, loaded from `source`, for predicting `images`: by OpenVINO if that pays, else as it is.

    The choice follows from the number of images alone, so the same command gives the same answers. The converted file is
    kept in `cache_folder()`, by the digest of the model; where the conversion is not faithful, torch goes on.
    """
    wanted = model.engine == "torch" and model.device == "cpu" and model.precision == "bf16"
    packages = ("onnx", "onnxscript", "onnxruntime", "openvino")
    if model.about.windowed:
        return model  # what it is worth was measured on whole images
    if model.about.network.parts:
        return model  # OpenVINO would resize the images for each part in bfloat16
    if not wanted or images * model.about.side**2 < WORTH or any(find_spec(package) is None for package in packages):
        return model
    source = Path(source)
    folder = cache_folder() / "engines" / digest([model.about.as_json(), version("openvino")])[:24]
    try:
        if not (folder / "model.xml").is_file():
            _convert(model, source / "model.safetensors" if source.is_dir() else source, folder)
        return load(folder / "model.xml")
    except EvenrayError:
        return model


def _convert(model: Model, file: Path, folder: Path) -> None:
    network = networks.load(file).eval()
    shape = (4, model.about.channels, model.about.side, model.about.side)
    some = np.random.default_rng(0).random(shape, dtype=np.float32)
    with TemporaryDirectory(prefix="evenray-") as spare:
        path, _ = formats.onnx(network, model.about, Path(spare), some)
        formats.openvino(path, model.about, network, folder, some)
