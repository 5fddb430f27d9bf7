"""Exported models: the same logits as torch's, from files that say all by themselves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evenray.core.artefacts.model import HistogramRecord, NetworkRecord
from evenray.core.errors import DataError, MissingExtra, ReadError, UsageError
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.histogram import Histogram
from evenray.learning import export
from evenray.learning.networks import Classifier, average, build, mix
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import load
from evenray.learning.tta import tta_logits
from evenray.metrics import Calibration

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
openvino = pytest.importorskip("openvino", reason="needs the extra 'export'")

REFERENCE = Histogram(np.array([0, 0, 5]), np.array([0.0, 1.0, 2.0, 3.0]), 0, 1.0)
VIEW, SIDE = "centre | dense(scales=[1.25])", 35


def about(model: Classifier, view: str = VIEW, side: int = SIDE) -> About:
    return About(
        classes=("sick", "well"), positive="sick", contrast="clahe(clip=2)", value_range=(0.0, 4095.0), side=side,
        native=90, scale=65535, view=view, balance="oversample", prior=(0.25, 0.75), counts=(3, 9),
        calibration=Calibration("temperature", {"temperature": 1.5}),
        threshold=0.25, rule="youden", prevalence=None, training_images=None,
        network=NetworkRecord.model_validate_json(model.description.model_dump_json()), weights="0" * 64,
        references={"sha256:12": HistogramRecord.of(REFERENCE.as_json())},
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Classifier:
    return build("vgg11_bn(width=0.05)", classes=2, channels=1, size=28, seed=3, mean=[0.4], std=[0.3]).eval()


@pytest.fixture(scope="module")
def some() -> Any:
    return np.random.default_rng(0).random((5, 1, SIDE, SIDE), dtype=np.float32)


@pytest.fixture(scope="module")
def folder(model: Classifier, some: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.onnx of a network under a view that looks closer; model.xml and model.int8.xml of one that looks once."""
    folder = tmp_path_factory.mktemp("exported")
    once = about(model, "centre", 28)
    path, _ = export.onnx(model, once, folder, some[..., :28, :28])
    path, difference = export.openvino(path, once, model, path.parent, some[..., :28, :28])
    assert difference < 1e-4
    export.quantized(path, once, [x[None, :, :28, :28] for x in some])
    path, difference = export.onnx(model, about(model), folder, some)
    assert difference < 1e-4
    return folder


@pytest.mark.parametrize("n", [1, 2, 5])
def test_onnx_gives_the_logits_of_torch_at_any_batch(folder: Path, model: Classifier, some: Any, n: int) -> None:
    with torch.no_grad():
        wanted = tta_logits(model, torch.from_numpy(some[:n]), VIEW).numpy()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"x_NCHW": some[:n]})[0] - wanted).max() < 1e-4


def test_openvino_gives_the_logits_of_torch(folder: Path, model: Classifier, some: Any) -> None:
    with torch.no_grad():
        wanted = model(torch.from_numpy(some[..., :28, :28])).numpy()
    graph = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert np.abs(graph([some[..., :28, :28]])[0] - wanted).max() < 1e-4


def speak(model: Classifier) -> None:
    """Fresh heads say next to nothing, in which differences would not be seen."""
    model.get_submodule(f"network.{model.network.outputs[0]}").weight.data.mul_(100)


def test_an_average_of_networks_is_exported_as_one(some: Any, tmp_path: Path) -> None:
    view = "flips(1.2)"
    members = [build("vgg11(width=0.05)", classes=2, channels=1, size=28, seed=seed).eval() for seed in (1, 2)]
    for one in members:
        speak(one)
    model, x = average(members).eval(), some[..., :28, :28]
    onnx, difference = export.onnx(model, about(model, view, 28), tmp_path, x)
    assert difference < 1e-4
    graph, difference = export.openvino(onnx, about(model, view, 28), model, onnx.parent, x)
    assert difference < 1e-4
    with torch.no_grad():
        wanted = torch.stack([tta_logits(one, torch.from_numpy(x), view).softmax(1) for one in members]).mean(0).numpy()
        assert np.abs(tta_logits(members[0], torch.from_numpy(x), view).softmax(1).numpy() - wanted).max() > 1e-3
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    compiled = openvino.Core().compile_model(str(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for logits in (session.run(None, {"x_NCHW": x})[0], compiled(x)[0]):
        assert np.abs(torch.from_numpy(logits).softmax(1).numpy() - wanted).max() < 1e-4


@pytest.mark.parametrize(
    ("view", "other"), [("centre", "efficientnet_lite0(width=0.25)"), ("flips", "zeiler_fergus(width=0.05)")]
)
def test_networks_of_different_kinds_and_sizes_are_exported_as_one(tmp_path: Path, view: str, other: str) -> None:
    small = build("vgg11(width=0.05)", classes=2, channels=1, size=28, seed=1).eval()
    large = build(other, classes=2, channels=1, size=56, seed=2).eval()
    x = np.random.default_rng(1).random((2, 1, 56, 56), dtype=np.float32)
    speak(small)
    speak(large)
    model = mix([small, large], 56).eval()
    onnx, difference = export.onnx(model, about(model, view, 56), tmp_path, x)
    assert difference < 1e-4
    assert export.openvino(onnx, about(model, view, 56), model, onnx.parent, x)[1] < 1e-4


def test_openvino_is_refused_where_it_resizes_otherwise(
    folder: Path, model: Classifier, some: Any, tmp_path: Path
) -> None:
    source = tmp_path / "model.onnx"
    source.write_bytes((folder / "model.onnx").read_bytes())
    with pytest.raises(
        DataError, match=r"model.xml differ from torch's by .* withdrawn. OpenVINO resizes images otherwise"
    ):
        export.openvino(source, about(model), model, source.parent, some)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_anybody_can_read_what_onnx_needs(folder: Path) -> None:
    import onnx

    proto = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(proto)
    told = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(told["classes"]) == ["sick", "well"]
    assert told["contrast"] == "clahe(clip=2)"
    assert (json.loads(told["threshold"]), json.loads(told["grey_range"])) == (0.25, [0.0, 4095.0])
    assert json.loads(told["class_prior"]) == [0.25, 0.75]
    assert "normalised inside the graph" in told["input"]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param


@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.int8.xml"])
def test_a_file_tells_all_that_prediction_needs(folder: Path, model: Classifier, name: str) -> None:
    loaded = load(folder / name)
    wanted = about(model) if name.endswith("onnx") else about(model, "centre", 28)
    assert loaded.about.as_json() == wanted.as_json()
    assert enhance(Image(np.arange(3, dtype=np.uint8)[None], (0, 2)), "match('sha256:12')").pixels.tolist() == [
        [2, 2, 2]
    ]
    assert loaded.engine == ("onnxruntime" if name.endswith("onnx") else "openvino")


def test_an_openvino_model_answers_two_threads_at_once(folder: Path, some: Any) -> None:
    loaded, x = load(folder / "model.xml"), some[..., :28, :28]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(loaded.run, [x] * 20))
    assert all((one == found[0]).all() for one in found)


def test_eight_bits_are_near_and_smaller(folder: Path, some: Any) -> None:
    wide, small = load(folder / "model.xml"), load(folder / "model.int8.xml")
    some = some[..., :28, :28]
    assert 0 < np.abs(wide.run(some) - small.run(some)).max() < 0.2
    assert (folder / "model.int8.bin").stat().st_size < 0.5 * (folder / "model.bin").stat().st_size


def test_safetensors_beside_its_json(model: Classifier, some: Any, tmp_path: Path) -> None:
    loaded = load(export.safetensors(model, about(model), tmp_path), device="cpu")
    assert loaded.about.as_json() == about(model).as_json()
    with torch.no_grad():
        wanted = tta_logits(model, torch.from_numpy(some), VIEW).numpy()
    assert np.abs(loaded.run(some) - wanted).max() < (1e-5 if loaded.precision == "f32" else 0.05)


def test_a_network_of_no_form_is_refused_and_nothing_left(
    model: Classifier, some: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray.learning.export import formats

    monkeypatch.setattr(formats, "_by_onnxruntime", lambda path: lambda x: np.zeros((len(x), 2)) + 7)
    with pytest.raises(DataError, match="differ from torch's by"):
        export.onnx(model, about(model, "centre", 28), tmp_path, some[..., :28, :28])
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_models(folder: Path, tmp_path: Path) -> None:
    for name in ("model.onnx", "model.xml"):
        (tmp_path / name).write_text("nothing")
        with pytest.raises(ReadError, match="cannot load it"):
            load(tmp_path / name)
    import onnx

    proto = onnx.load(folder / "model.onnx")
    del proto.metadata_props[:]
    onnx.save(proto, tmp_path / "foreign.onnx")
    with pytest.raises(DataError, match="does not say how to prepare images"):
        load(tmp_path / "foreign.onnx")
    with pytest.raises(UsageError, match="--device cuda is for torch"):
        load(folder / "model.onnx", device="cuda")


def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, model: Classifier, some: Any, tmp_path: Path
) -> None:
    from evenray.learning.export import formats

    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(MissingExtra, match=r"exporting to ONNX needs onnxscript.*evenray\[export\]"):
        export.onnx(model, about(model), tmp_path, some)
