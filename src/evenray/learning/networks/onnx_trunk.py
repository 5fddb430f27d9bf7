"""The trunk of any ONNX file, frozen: onnxruntime computes its last map, and a linear layer on the global average learns.

The graph is cut behind the last map of more than one pixel, so that a classifier's own head is left out. The graph itself is
a tensor of the network's state, so that models of it are saved, loaded and averaged as any. No gradient passes through it:
it is taken as it is (`--finetune frozen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional

from evenray.core.artefacts.weight import Weight
from evenray.core.errors import MissingExtra, ReadError, UsageError

from ._network import Network

__all__ = ["OnnxTrunk", "TrunkGraph", "onnx", "read_graph", "tensors_of_graph"]

Count = Annotated[int, Ge(1)]


def onnx(classes: int, channels: int, size: int, *, maps: Count, side: Count, graph: Count) -> OnnxTrunk:
    """A trunk of an ONNX file that makes `maps` maps of side `side`; its graph has so many bytes. `weights import` writes
    this spec."""
    return OnnxTrunk(classes, channels, maps, side, graph)


class OnnxTrunk(Network):
    """The graph and the preprocessing that it expects (three channels, RGB or BGR, or one) in front of a linear layer."""

    graph_u8: Tensor
    mean: Tensor
    std: Tensor
    bgr: Tensor

    def __init__(self, classes: int, channels: int, maps: int, side: int, graph: int) -> None:
        super().__init__()
        self.register_buffer("graph_u8", torch.zeros(graph, dtype=torch.uint8))
        for name, value in (("mean", 0.0), ("std", 1.0)):
            self.register_buffer(name, torch.full((3,), value))
        self.register_buffer("bgr", torch.zeros((), dtype=torch.bool))
        self.maps, self._fc = nn.Identity(), nn.Linear(maps, classes)
        self.channels, self.wide, self.side = channels, maps, side
        self.blocks, self.head_modules, self.outputs, self.activations = [["maps"]], ("_fc",), ("_fc",), ("maps",)
        self._session: Any = None

    @property
    def preparation(self) -> Sequence[Any]:
        return self.mean.tolist(), self.std.tolist(), self.bgr.item()

    def pass_shapes(self, channels: int, size: int) -> None:
        """The map's shape is known; the graph is not run for it."""
        self.head(self.pool(self.maps(torch.empty(1, self.wide, self.side, self.side, device=self._fc.weight.device))))

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        found = torch.from_numpy(self._run(self._prepared(x_NCHW.detach()).float().cpu().numpy())).to(x_NCHW.device)
        if torch.is_grad_enabled():
            found.requires_grad_()  # for maps of attribution, which ask for the gradient of the last map
        made: Tensor = self.maps(found)
        return made

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self._fc(features)
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return functional.conv2d(map_NCHW, self._fc.weight[:, :, None, None], self._fc.bias)

    def _prepared(self, x_NCHW: Tensor) -> Tensor:
        colours = 1 if bool(self.mean.isnan().any()) else 3  # of a grey trunk the other two means are not defined
        if x_NCHW.shape[1] != colours:
            x_NCHW = x_NCHW.expand(-1, 3, -1, -1) if colours == 3 else x_NCHW.mean(1, keepdim=True)
        if bool(self.bgr):
            x_NCHW = x_NCHW.flip(1)
        return (x_NCHW - self.mean[:colours, None, None]) / self.std[:colours, None, None]

    def _run(self, x_NCHW: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self._session is None:
            self._session = _runtime(self.graph_u8.cpu().numpy().tobytes())
        session = self._session
        given = session.get_inputs()[0]
        step = given.shape[0] if isinstance(given.shape[0], int) else len(x_NCHW)
        try:
            made = [session.run(None, {given.name: x_NCHW[i : i + step]})[0] for i in range(0, len(x_NCHW), step)]
        except Exception as error:  # onnxruntime's are of a module of its own, and of many kinds
            raise UsageError(
                f"The ONNX trunk does not take images of {tuple(x_NCHW.shape[1:])}, only {given.shape[1:]}: choose --size."
            ) from error
        return np.concatenate(made)

    def __getstate__(self) -> dict[str, Any]:
        """Sessions belong to a process."""
        return self.__dict__ | {"_session": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxTrunk:
        made = OnnxTrunk(self._fc.out_features, self.channels, self.wide, self.side, len(self.graph_u8))
        made.load_state_dict(self.state_dict())
        return made.train(self.training)


@dataclass(frozen=True)
class TrunkGraph:
    """A graph cut behind its last map: its bytes, the channels and side it takes, the maps it makes, its multiply-adds (10^9),
    and whether evenray exported it."""

    content: bytes
    channels: int
    size: int
    maps: int
    side: int
    multiply_adds: float
    own: bool

    @property
    def spec(self) -> str:
        return f"onnx(maps={self.maps}, side={self.side}, graph={len(self.content)})"


def read_graph(path: Path, size: int) -> TrunkGraph:
    """The trunk in an ONNX file for images of `size` (its own, where it is fixed); ReadError where there is none."""
    try:
        import onnx as package
        from onnx import shape_inference, utils
    except ImportError as error:
        raise MissingExtra("a trunk in ONNX", "onnx", "export") from error
    try:
        model = package.load(str(path), load_external_data=False)
        [given] = [each for each in model.graph.input if each.name not in {w.name for w in model.graph.initializer}]
        dims = given.type.tensor_type.shape.dim
        channels, size = dims[1].dim_value, dims[2].dim_value or size
        for dim, value in zip(dims[2:], (size, size), strict=True):
            dim.dim_value = value
        model = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        shapes = {
            value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in model.graph.value_info
        }
        shapes |= {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in model.graph.output}
        last = [name for node in model.graph.node for name in node.output if _is_map(shapes.get(name, []))][-1]
    except (ValueError, IndexError, package.checker.ValidationError, shape_inference.InferenceError) as error:
        raise ReadError(
            path, f"holds no network with one image in and a map of its features inside ({error})"
        ) from error
    except Exception as error:  # protobuf's DecodeError has no public home
        raise ReadError(path, f"is no ONNX file ({type(error).__name__})") from error
    if channels not in (1, 3):
        raise ReadError(path, f"takes images of {channels} channels; 1 and 3 are known")
    cut = utils.Extractor(model).extract_model([given.name], [last])
    weights = {each.name: list(each.dims) for each in model.graph.initializer}
    work = sum(
        np.prod(shapes[node.output[0]][2:]) * np.prod(weights[node.input[1]])
        for node in cut.graph.node
        if node.op_type == "Conv" and node.input[1] in weights and node.output[0] in shapes
    )
    maps, side = shapes[last][1], shapes[last][2]
    own = any(each.key == "evenray" for each in model.metadata_props)
    return TrunkGraph(cut.SerializeToString(), channels, size, maps, side, float(work) / 1e9, own)


def tensors_of_graph(path: Path, weight: Weight) -> dict[str, Tensor]:
    """The state of an OnnxTrunk, but for its head, from a cut graph in the cache and its record."""
    padded = {"mean": [*weight.mean, *[float("nan")] * (3 - len(weight.mean))], "std": [*weight.std, 1.0, 1.0][:3]}
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    numbers = {name: torch.tensor(values, dtype=torch.float32) for name, values in padded.items()}
    return {"graph_u8": torch.from_numpy(content), **numbers, "bgr": torch.tensor(weight.channels == "BGR")}


def _is_map(shape: list[int]) -> bool:
    return len(shape) == 4 and min(shape[1:]) > 0 and min(shape[2:]) > 1


def _runtime(content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("a trunk in ONNX", "onnxruntime", "export") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
