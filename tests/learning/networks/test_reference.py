"""The authors' VGG16 convolutions against other implementations of the same weights, on real radiographs in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from evenray.learning.networks import Classifier, build

CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
POOLED_AFTER = (2, 7, 14, 21, 28)
BGR_MEAN = np.array([103.939, 116.779, 123.68], np.float32).reshape(1, 3, 1, 1)


@pytest.fixture(scope="module")
def weight_file(evenray_data: Path) -> Path:
    return evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"


def radiographs(folder: Path, number: int, sides: tuple[int, int]) -> NDArray[np.uint8]:
    """BGR, (N, H, W, 3), as OpenCV reads them."""
    files = sorted((folder / "chest-xray-224" / "test" / "PNEUMONIA").iterdir())[:number]
    found = [cv2.resize(cv2.imread(str(file)), sides[::-1], interpolation=cv2.INTER_AREA) for file in files]
    return np.stack(found)


def ours(path: Path, images_bgr: NDArray[np.uint8], grey: bool) -> tuple[NDArray[np.float32], Classifier]:
    """Logits of a five-class average head on the convolutions."""
    model = build("vgg16(head=average)", classes=5, channels=1 if grey else 3, size=224, pretrained=path).eval()
    pixels = images_bgr[..., :1] if grey else images_bgr[..., ::-1]
    x_NCHW = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        logits: NDArray[np.float32] = model(x_NCHW).numpy()
    return logits, model


def head_of(model: Classifier) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    state = model.state()
    return state["classifier.1.weight"].numpy(), state["classifier.1.bias"].numpy()


def relative(found: NDArray[Any], reference: NDArray[Any]) -> float:
    return float(np.abs(found - reference).max() / np.abs(reference).max())


def in_numpy(path: Path, images_bgr: NDArray[np.uint8], model: Classifier) -> NDArray[np.float32]:
    """Patches times filters, in numpy alone, from the file itself."""
    tensors = load_file(path)
    x = images_bgr.transpose(0, 3, 1, 2).astype(np.float32) - BGR_MEAN
    for number in CONVOLUTIONS:
        weight, bias = (tensors[f"features.{number}.{kind}"].astype(np.float32) for kind in ("weight", "bias"))
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 9 * x.shape[1])
        maps = patches @ weight.reshape(len(weight), -1).T + bias
        x = np.maximum(maps.reshape(len(x), *x.shape[2:], -1).transpose(0, 3, 1, 2), 0)
        if number in POOLED_AFTER:
            even = x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
            x = even.reshape(*even.shape[:2], even.shape[2] // 2, 2, even.shape[3] // 2, 2).max((3, 5))
    weight, bias = head_of(model)
    logits: NDArray[np.float32] = x.mean((2, 3)) @ weight.T + bias
    return logits


@pytest.mark.parametrize("grey", [False, True])
def test_logits_are_those_of_numpy(evenray_data: Path, weight_file: Path, grey: bool) -> None:
    images = radiographs(evenray_data, 1, (128, 144))
    logits, model = ours(weight_file, images, grey)
    assert relative(logits, in_numpy(weight_file, images, model)) < 1e-4


def as_onnx(path: Path, model: Classifier, sides: tuple[int, int]) -> bytes:
    """The network as an ONNX graph, made from the file itself with onnx's own helpers."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    constants = [numpy_helper.from_array(array, name) for name, array in zip(("W", "B"), head_of(model), strict=True)]
    nodes, last = [], "x"
    for number in CONVOLUTIONS:
        for kind, array in ((k, load_file(path)[f"features.{number}.{k}"]) for k in ("weight", "bias")):
            constants.append(numpy_helper.from_array(array.astype(np.float32), f"{kind}{number}"))
        inputs = [last, f"weight{number}", f"bias{number}"]
        nodes.append(helper.make_node("Conv", inputs, [f"c{number}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [last := f"r{number}"]))
        if number in POOLED_AFTER:
            pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
            nodes.append(helper.make_node("MaxPool", [last], [f"p{number}"], **pool))
            last = f"p{number}"
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["g"]))
    nodes.append(helper.make_node("Flatten", ["g"], ["f"]))
    nodes.append(helper.make_node("Gemm", ["f", "W", "B"], ["y"], transB=1))
    entry = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, *sides])
    answer = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 5])
    graph = helper.make_graph(nodes, "vgg16", [entry], [answer], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    data: bytes = made.SerializeToString()
    return data


@pytest.mark.parametrize("engine", ["onnxruntime", "opencv"])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("sides", [(224, 224), (192, 160)])
def test_logits_are_those_of_another_engine(
    evenray_data: Path, weight_file: Path, engine: str, grey: bool, sides: tuple[int, int]
) -> None:
    images = radiographs(evenray_data, 2, sides)
    logits, model = ours(weight_file, images, grey)
    graph = as_onnx(weight_file, model, sides)
    x = images.transpose(0, 3, 1, 2).astype(np.float32) - BGR_MEAN
    if engine == "onnxruntime":
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        found = np.concatenate([session.run(None, {"x": one[None]})[0] for one in x])
    else:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(graph, np.uint8))
        found = np.concatenate([_opencv(net, one[None]) for one in x])
    assert relative(logits, found) < 1e-4


def _opencv(net: Any, x: NDArray[np.float32]) -> NDArray[np.float32]:
    net.setInput(x)
    found: NDArray[np.float32] = net.forward().copy()
    return found
