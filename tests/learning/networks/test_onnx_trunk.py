"""Trunks in ONNX: cut behind their last map, fed as their record says, frozen; against the same network in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from evenray.core.errors import ReadError, UsageError
from evenray.evidence.explain import attribute
from evenray.learning.networks import build, load, save
from evenray.learning.networks.importing import import_weights

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

MEAN, STD = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
RNG = np.random.default_rng(0)
FILTERS, DENSE = RNG.normal(size=(5, 3, 3, 3)).astype(np.float32), RNG.normal(size=(5, 7)).astype(np.float32)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))


def classifier(path: Path, batch: int | str = "N", side: int | str = "S", channels: int = 3) -> Path:
    """Convolution of stride 2, ReLU, global average, seven classes."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("MatMul", ["f", "d"], ["y"]),
    ]
    weights = [numpy_helper.from_array(FILTERS[:, :channels], "w"), numpy_helper.from_array(DENSE, "d")]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, channels, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 7])], weights,
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def expected(x_NCHW: Tensor) -> Tensor:
    seen = (x_NCHW - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    return functional.conv2d(seen, torch.from_numpy(FILTERS), stride=2, padding=1).relu().mean((2, 3))


@pytest.mark.parametrize(("batch", "side"), [("N", "S"), (1, 32)])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_the_features_are_those_of_the_last_map(tmp_path: Path, batch: int | str, side: int | str, order: str) -> None:
    path = classifier(tmp_path / "net.onnx", batch, side)
    weight = import_weights(path, name="foreign", size=32, mean=MEAN, std=STD, channels=order)  # type: ignore[arg-type]
    assert weight.size == 32
    assert weight.network.startswith("onnx(maps=5, side=16")
    assert weight.multiply_adds == pytest.approx(5 * 27 * 16 * 16 / 1e9)
    model = build(weight.network, classes=2, channels=3, size=32, pretrained="foreign").eval()
    x = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        model.features(x).detach(), expected(x.flip(1) if order == "BGR" else x), rtol=1e-4, atol=1e-5
    )
    grey = build(weight.network, classes=2, channels=1, size=32, pretrained="foreign").eval()
    three = x[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(grey.features(x[:, :1]).detach(), expected(three), rtol=1e-4, atol=1e-5)


def test_a_model_of_it_is_saved_with_its_graph_and_explained(tmp_path: Path) -> None:
    weight = import_weights(classifier(tmp_path / "net.onnx"), name="foreign", size=32, mean=MEAN, std=STD)
    model = build(weight.network, classes=2, channels=1, size=32, pretrained="foreign", seed=3).eval()
    save(model, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors").eval()
    x = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again(x), model(x))
    maps = attribute(again, x, target=1)
    assert maps.shape == (2, 32, 32)
    assert float(maps.std()) > 0


@pytest.mark.parametrize(("key", "own"), [("evenray", True), ("producer", False)])
def test_what_evenray_exported_is_known_as_its_own(tmp_path: Path, key: str, own: bool) -> None:
    model = onnx.load(classifier(tmp_path / "net.onnx"))
    model.metadata_props.add(key=key, value="{}")
    onnx.save(model, tmp_path / "net.onnx")
    assert import_weights(tmp_path / "net.onnx", name="graph", size=32, mean=MEAN, std=STD).own is own


def test_a_grey_trunk_takes_one_channel(tmp_path: Path) -> None:
    weight = import_weights(
        classifier(tmp_path / "net.onnx", channels=1), name="grey", size=32, mean=[0.5], std=[0.25], licence="ours"
    )
    assert weight.channels == "grey"
    model = build(weight.network, classes=2, channels=1, size=32, pretrained="grey").eval()
    x = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    made = functional.conv2d((x - 0.5) / 0.25, torch.from_numpy(FILTERS[:, :1]), stride=2, padding=1).relu()
    torch.testing.assert_close(model.features(x).detach(), made.mean((2, 3)), rtol=1e-4, atol=1e-5)


def test_what_is_no_trunk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(ReadError, match=r"bad\.onnx"):
        import_weights(tmp_path / "bad.onnx", mean=MEAN, std=STD)
    with pytest.raises(UsageError, match="give --mean and --std"):
        import_weights(classifier(tmp_path / "net.onnx"))
    with pytest.raises(UsageError, match="is nothing without its file"):
        build("onnx(maps=5, side=16, graph=10)", classes=2, channels=1, size=32)
