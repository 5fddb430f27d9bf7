"""What runs the network: torch, ONNX Runtime or OpenVINO, depending on the model file.

All take x_NCHW float32 in unit levels and return logits (N, K); normalisation is part of the graph. What an exported graph says of
windows is put together here as torch does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, MissingExtra, ReadError, UsageError

from .about import About

if TYPE_CHECKING:
    from evenray.learning.networks import Classifier
    from evenray.learning.train.alone import Machine

__all__ = ["KEY", "Model", "compiled", "faster_in_bf16", "load", "of_network", "of_whole_images"]

KEY = "evenray"  # the name of our entry in the metadata of an exported file
Run = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True)
class Model:
    """A loaded network: `run(x_NCHW) -> logits_NK` (of masks logits_NKHW) in batches of `batch`, and what prediction needs
    beside it."""

    about: About
    run: Run
    engine: str
    precision: str
    device: str = "cpu"

    @property
    def batch(self) -> int:
        """Images that are computed together: enough to keep the cores busy, few enough for the caches."""
        about = self.about
        # A part of a mix resizes what it is given by the ratio of both sides.
        side = max([about.side, *(about.side * part.size // about.size for part in about.network.parts)])
        if about.task == "segment" or about.side > about.size:  # whose outputs, or images, are large
            return max(1, min(16, 2**20 // side**2))
        return 256 if side <= 64 else 64 if side <= 128 else 16


def load(path: str | Path, *, device: str = "auto", threads: int = 0) -> Model:
    """A model to predict with: a run folder, its model.safetensors (or an exported one), an exported .onnx or .xml.

    `device` is for torch: auto, cpu, cuda, cuda:1. `threads` 0 takes every core. Raises DataError or ReadError for
    what is no such model, MissingExtra where its engine is not installed.
    """
    path = Path(path)
    if path.is_dir() or path.suffix == ".safetensors":
        return _torch(path, device)
    if not path.is_file():
        raise DataError(
            f"There is no '{path}'; give a run folder, a model.safetensors, an .onnx or an OpenVINO .xml file."
        )
    engine = {".onnx": _onnx, ".xml": _openvino}.get(path.suffix)
    if engine is None:
        raise UsageError(
            f"'{path}' is no model; give a run folder, a model.safetensors, an .onnx or an OpenVINO .xml file."
        )
    if device not in ("auto", "cpu"):
        raise UsageError(f"--device {device} is for torch; '{path.name}' runs on the CPU. Give the run folder instead.")
    return engine(path, threads)


def _torch(path: Path, device: str) -> Model:
    from evenray.learning import networks
    from evenray.learning.train import keep_malloc, machine

    folder, file = (path, path / "model.safetensors") if path.is_dir() else (path.parent, path)
    if not file.is_file():
        raise DataError(f"There is no '{file}'; give a finished run folder, or an exported model.")
    about = About.of_run(folder)
    keep_malloc()
    return of_network(networks.load(file), about, machine(device))


def of_network(network: Classifier, about: About, fabric: Machine) -> Model:
    """A network as it is predicted with, which moves it to where it computes."""
    import torch

    from evenray.learning.looks import look_of

    network.to(fabric.device).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    look = look_of(about.task)

    def run(x_NCHW: NDArray[np.float32]) -> NDArray[np.float64]:
        x = torch.from_numpy(x_NCHW).to(fabric.device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), fabric.autocast():
            logits: NDArray[np.float64] = look(network, x, about.view).float().cpu().numpy().astype(np.float64)
        return logits

    return Model(about, run, "torch", _precision(fabric), fabric.device.type)


def _onnx(path: Path, threads: int) -> Model:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra(f"predicting with '{path.name}'", "onnxruntime", "export") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base but Exception
        raise ReadError(path, f"ONNX Runtime cannot load it: {str(error).splitlines()[0]}") from None
    about = _about(path, session.get_modelmeta().custom_metadata_map.get(KEY))
    name = session.get_inputs()[0].name

    def run(x_NCHW: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(session.run(None, {name: np.ascontiguousarray(x_NCHW)})[0], dtype=np.float64)

    return Model(about, of_whole_images(run, about), "onnxruntime", "f32")


def _openvino(path: Path, threads: int) -> Model:
    try:
        import openvino
    except ImportError:
        raise MissingExtra(f"predicting with '{path.name}'", "openvino", "export") from None
    core = openvino.Core()
    try:
        graph = core.read_model(str(path))
    except RuntimeError as error:
        raise ReadError(path, f"OpenVINO cannot load it: {str(error).splitlines()[0]}") from None
    about = _about(path, graph.get_rt_info()[KEY].astype(str) if KEY in graph.get_rt_info() else None)
    precision = "bf16" if faster_in_bf16() else "f32"
    return Model(about, of_whole_images(compiled(graph, precision, threads), about), "openvino", precision)


def compiled(graph: Any, precision: str, threads: int = 0) -> Run:
    """An OpenVINO graph as a function of batches."""
    import openvino

    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    model = openvino.Core().compile_model(graph, "CPU", options)
    own = threading.local()  # a request answers one thread at a time

    def run(x_NCHW: NDArray[np.float32]) -> NDArray[np.float64]:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        found = own.request.infer([np.ascontiguousarray(x_NCHW)], share_inputs=True)[0]
        return np.array(found, dtype=np.float64)

    return run


def of_whole_images(run: Run, about: About) -> Run:
    """An exported graph as a function of whole images, also where it takes windows of them."""
    if not about.windowed:
        return run
    import torch

    from evenray.learning.looks import look_of

    from .graph import Graph

    network, look = cast("Classifier", Graph(run, about.size)), look_of(about.task)  # all that looks ask of one

    def whole(x_NCHW: NDArray[np.float32]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = look(network, torch.from_numpy(x_NCHW), about.view).numpy().astype(np.float64)
        return found

    return whole


def faster_in_bf16() -> bool:
    """Whether this processor is faster in bfloat16 than in float32."""
    from evenray.learning.train import machine

    return _precision(machine("cpu")) == "bf16"


def _precision(fabric: Machine) -> str:
    import torch

    with fabric.autocast():
        return "bf16" if torch.is_autocast_enabled(fabric.device.type) else "f32"


def _about(path: Path, text: str | None) -> About:
    if text is None:
        raise DataError(f"'{path}' does not say how to prepare images for it; export it with 'evenray export RUN'.")
    return About.parsed(text, path, "export it anew with 'evenray export RUN'")
