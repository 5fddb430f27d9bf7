"""One function a format; each writes a file that says of itself how to prepare images for it and what its answers mean."""

from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, EvenrayError, MissingExtra, UsageError
from evenray.learning import networks
from evenray.learning.boxes.decoding import CANDIDATES, KEPT, kept_in
from evenray.learning.looks import look_of
from evenray.learning.networks import Classifier
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import KEY, Run, compiled

from .windowed import windows_of

__all__ = ["onnx", "openvino", "quantized", "safetensors"]

OPSET = 18
TOLERANCE = 1e-4
INPUT, OUTPUT = "x_NCHW", "logits_NK"
Batch = NDArray[np.float32]


def safetensors(model: Classifier, about: About, folder: Path) -> Path:
    """model.safetensors, with model.json beside it; 'evenray predict' takes the former."""
    with atomic(folder / "model.safetensors") as temporary:
        networks.save(model, temporary)
    with atomic(folder / "model.json") as temporary:
        temporary.write_text(about.text(), encoding="utf-8")
    return folder / "model.safetensors"


def onnx(model: Classifier, about: About, folder: Path, some: Batch) -> tuple[Path, float]:
    """model.onnx, and how far its logits are from torch's in float32 at most, on `some`: two images or windows or more.

    The batch is free, the side is not. Input: x_NCHW float32 in unit levels; output: logits. Normalisation is in the graph, and so
    is the test-time augmentation but that of windows. Raises DataError where they differ by 1e-4 or more (of logits beyond 1, by
    that share).
    """
    _need("exporting to ONNX", "onnx", "onnxscript", "onnxruntime")
    if about.network.spec.startswith("onnx("):
        raise UsageError(
            "The trunk of this model is a graph of another file, which is not exported again; export with --format safetensors,"
            " which holds it."
        )
    path = folder / "model.onnx"
    network = _Augmented(model, about).eval()
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    with _quiet():
        try:
            program: Any = torch.onnx.export(
                network, (torch.from_numpy(some[:2]),), dynamo=True, opset_version=OPSET, input_names=[INPUT],
                output_names=[OUTPUT], dynamic_shapes={"x_NCHW": {0: batch}}, verbose=False,
            )  # fmt: skip
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            raise EvenrayError(
                f"{about.network.spec} under the view '{about.view}' has no form in ONNX: {str(error).splitlines()[0]}"
                " Evaluate with --tta centre, or export with --format safetensors."
            ) from error
        for part in (program.model.graph, *program.model.functions.values()):
            for node in part.all_nodes():
                node.metadata_props.clear()  # they say in which folders of this machine the code lies
        program.model.metadata_props.update(_metadata(about))
        with atomic(path) as temporary:
            program.save(str(temporary), external_data=False)
    return path, _checked(path, network, some, _by_onnxruntime(path), "Export with --format safetensors.")


def openvino(source: Path, about: About, model: Classifier, folder: Path, some: Batch) -> tuple[Path, float]:
    """model.xml and model.bin in float32 of an exported .onnx, and how far their logits are from torch's, as in `onnx`."""
    _need("exporting to OpenVINO", "openvino")
    import openvino as ov

    graph = ov.Core().read_model(str(source))
    path = folder / f"{source.stem}.xml"
    _save(graph, about, path)
    network = _Augmented(model, about).eval()
    instead = "OpenVINO resizes images otherwise: export to ONNX, or evaluate with --tta centre."
    return path, _checked(path, network, some, compiled(graph, "f32"), instead)


def quantized(path: Path, about: About, images: Sequence[Batch]) -> Path:
    """model.int8.xml beside an exported .xml: weights and activations in 8-bit integers.

    Their ranges are taken from `images`, a few hundred of training, one a batch.
    """
    _need("8-bit integers", "nncf", "openvino")
    os.environ.setdefault("NNCF_CI", "1")  # it would report its use to its makers otherwise
    import openvino as ov

    with _quiet(), redirect_stdout(io.StringIO()):  # it draws its own bars
        import nncf

        graph = ov.Core().read_model(str(path))
        smaller = nncf.quantize(graph, nncf.Dataset(list(images)), subset_size=len(images))
    target = path.with_suffix(".int8.xml")
    _save(smaller, about, target)
    return target


class _Augmented(nn.Module):
    """The network under its test-time augmentation, which is what is exported; of windows the network alone."""

    def __init__(self, model: Classifier, about: About) -> None:
        super().__init__()
        self.model, self.view, self.windowed = model, about.view, about.windowed
        self.look = look_of(about.task)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if (self.view == "centre" or self.windowed) and x_NCHW.shape[-1] == self.model.size:
            logits: Tensor = self.model(x_NCHW)
            return logits
        return self.look(self.model, x_NCHW, self.view)


def _metadata(about: About) -> dict[str, str]:
    """Everything for evenray in one entry, and what other programs need in entries of their own."""
    plain = {
        "task": about.task, "classes": list(about.classes), "positive": about.positive, "threshold": about.cuts,
        "contrast": about.contrast, "grey_range": about.value_range, "size": about.side, "channels": about.channels,
        "calibration": [one.calibration.as_json() for one in about.points] or about.calibration.as_json(),
        "class_prior": about.prior, "balance": about.balance,
    }  # fmt: skip
    told = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in plain.items()
    }
    told["input"] = (
        f"{INPUT}: float32 (batch, {about.channels}, {about.graph_side}, {about.graph_side}), 0 black, 1 white; the image under the"
        f" contrast, fitted into {'a square of ' + str(about.side) + ' pixels' if about.windowed else 'the square'} with its aspect"
        f" kept, the rest black{'; then a window of it' if about.windowed else ''}; normalised inside the graph"
    )
    if about.windowed:
        told["windows"] = windows_of(about)
    if about.task == "segment":
        told["least_log_odds"] = json.dumps(about.calling.least)
        told["decoding"] = (
            f"{OUTPUT}: float32 (batch, 1 + classes, {about.graph_side}, {about.graph_side}), the background first; p is its soft-max"
            " over axis 1. A pixel is of the class whose log p / (1 - p) reaches its own of least_log_odds and exceeds it most, else"
            " background. Cut the square back to the image and resize the log-odds before that to have masks in its own pixels"
        )
    if about.task == "detect":
        candidates, kept = _most(about)
        told["decoding"] = (
            f"{OUTPUT}: float32 (batch, boxes, 8 + 1 + classes), a row a default box: offsets dx, dy, dw, dh; the default box itself,"
            " centre cx, cy and sides w, h as shares of the image's side; log-odds of the background and the classes. The box has the"
            " centre cx + .1 dx w, cy + .1 dy h and the sides w exp(.2 dw), h exp(.2 dh), the exponents 10 at most; cut it to the"
            " square, from 0 to 1, and leave it out where nothing is left. Its score for a class is that of a soft-max over background"
            f" and classes. Of each class keep scores of .01 and more, the {candidates} highest at most, then by falling score those"
            " that overlap no kept box of the class by more than .45 of their union; of these the"
            f" {kept} highest of all classes remain. The probability is the calibration of log score / (1 - score), one a class; a box"
            " is called from the threshold of its class on. Places are of the square that the image was fitted into"
        )
    told["notice"] = "research software, not a medical device"
    return told | {KEY: about.text()}


def _most(about: About) -> tuple[int, int]:
    """How many boxes of a class are candidates in what the network looks at, and how many of all classes remain."""
    kept = KEPT if about.windowed else kept_in(about.side)
    return max(CANDIDATES, kept), kept


def _save(graph: Any, about: About, path: Path) -> None:
    """Write an .xml with its .bin, the .bin first, so that no .xml is without it."""
    import openvino as ov

    for name, value in _metadata(about).items():
        graph.set_rt_info(value, [name])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.xml")
    try:
        ov.save_model(graph, str(temporary), compress_to_fp16=False)
        temporary.with_suffix(".bin").replace(path.with_suffix(".bin"))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_suffix(".bin").unlink(missing_ok=True)


def _by_onnxruntime(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda x: np.asarray(session.run(None, {INPUT: x})[0], dtype=np.float64)


def _checked(path: Path, network: nn.Module, some: Batch, run: Run, instead: str) -> float:
    """The largest difference between what was written and torch, over batches of one and of all images."""
    with torch.inference_mode():
        wanted = network(torch.from_numpy(some)).numpy().astype(np.float64)
    found = np.stack([run(some), np.concatenate([run(x[None]) for x in some])])
    difference = float(np.abs(found - wanted).max())
    if not difference < TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        for file in {path, path.with_suffix(".bin")}:
            file.unlink(missing_ok=True)
        raise DataError(
            f"The logits of {path.name} differ from torch's by {difference:.2g}, where less than {TOLERANCE:g} was expected; the"
            f" file is withdrawn. {instead}"
        )
    return difference


def _need(purpose: str, *packages: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(purpose, package, "export")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warnings and log lines of exporters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
