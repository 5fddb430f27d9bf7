"""Prediction: the engines at equal precision, and a folder of X-rays against the pure compute.

    python benchmarks/prediction.py            every engine at 28 and at 224, and all 5,840 X-rays: about ten minutes
    python benchmarks/prediction.py --quick    a quarter of the channels, fewer repeats, 64 X-rays: under a minute
    python benchmarks/prediction.py --json FILE

VGG16 with batch normalisation, untrained: the time does not depend on the weights. Ratios within one run are what counts: the engines
take turns, and of each the best turn is taken. "much" is what is worth a conversion to OpenVINO (export/quick.py). The X-rays are
those of $EVENRAY_DATA (or ../shared/data); without them films are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import cv2
import numpy as np
import polars as pl
from figures import Figures, note

from evenray.learning.train import keep_malloc

keep_malloc()

import torch  # noqa: E402

from evenray.core.artefacts.model import DistributionRecord, NetworkRecord  # noqa: E402
from evenray.core.types import Dataset  # noqa: E402
from evenray.data.scan.files import list_files  # noqa: E402
from evenray.images.readers import read  # noqa: E402
from evenray.learning import export  # noqa: E402
from evenray.learning.networks import build  # noqa: E402
from evenray.learning.predict.about import About  # noqa: E402
from evenray.learning.predict.engines import Model, compiled, load  # noqa: E402
from evenray.learning.predict.files import Item, predict  # noqa: E402
from evenray.learning.predict.out_of_distribution import Fingerprint, fit  # noqa: E402
from evenray.metrics import Calibration  # noqa: E402

SPEC, QUICK = "vgg16_bn", "vgg16_bn(width=0.25)"
Run = Callable[[Any], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and images")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    options = parser.parse_args()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EVENRAY_CACHE"] = scratch
        for size in (28, 224):
            place = Path(scratch) / str(size)
            model = saved(place, size, QUICK if options.quick else SPEC)
            much = export.quicker(model, place, 1_000_000)
            engines(figures, place, model, much, options.quick)
        folder(figures, model if options.quick else much, Path(scratch), 64 if options.quick else None)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def saved(folder: Path, size: int, spec: str) -> Model:
    """The network as a file and as ONNX, loaded as `evenray predict RUN` loads it."""
    network = build(spec, classes=2, channels=1, size=size).eval()
    record = NetworkRecord.model_validate_json(network.description.model_dump_json())
    about = About(
        classes=("normal", "sick"), positive="sick", contrast="none", value_range=None, native=size, side=size, scale=255,
        view="centre", balance="none", prior=(0.5, 0.5), counts=(100, 100), calibration=Calibration("none", {}), threshold=0.5,
        rule="fixed", prevalence=None, training_images=None, network=record, references={},
    )  # fmt: skip
    export.onnx(network, about, folder, np.random.default_rng(0).random((4, 1, size, size), dtype=np.float32))
    return load(export.safetensors(network, about, folder), device="cpu")


def engines(figures: Figures, folder: Path, model: Model, much: Model, quick: bool) -> None:
    """Images a second of each engine, all on the same batch; the others as their makers' guides call them."""
    import onnxruntime
    import openvino

    size, low = model.about.side, model.precision
    batch = min(model.batch, 8) if quick and size > 28 else model.batch
    x = np.random.default_rng(0).random((batch, 1, size, size), dtype=np.float32)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    network = (
        build(model.about.network.spec, classes=2, channels=1, size=size).eval().to(memory_format=torch.channels_last)
    )  # type: ignore[call-overload]
    graphs = {name: openvino.Core().compile_model(str(folder / "model.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": name})
              for name in dict.fromkeys((low, "f32"))}  # fmt: skip

    def plain(x_NCHW: Any, half: bool) -> Any:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            return network(torch.from_numpy(x_NCHW).contiguous(memory_format=torch.channels_last)).float().numpy()

    runs: dict[str, Run] = {
        f"evenray predict, much ({much.engine} {much.precision})": much.run,
        f"evenray predict, little ({model.engine} {model.precision})": model.run,
        f"torch {low}": lambda x_NCHW: plain(x_NCHW, low == "bf16"),
        f"OpenVINO {low}": lambda x_NCHW: graphs[low](x_NCHW),
    }
    seconds = turns(runs, x, 2 if quick else 10)
    best = min(seconds.values())
    ratio = best / next(iter(seconds.values()))
    note(figures, f"evenray predict against the fastest in {low}, {size} pixels (ratio)", ratio, ">= 0.95")
    if not quick or size == 28:
        seconds |= turns({"OpenVINO int8": eight_bits(folder, model, x, low)}, x, 2 if quick else 10)
        note(figures, f"OpenVINO int8 against {low}, {size} pixels (ratio)", best / seconds["OpenVINO int8"], ">= 1.2")
        wide: dict[str, Run] = {
            "torch f32": lambda x_NCHW: plain(x_NCHW, False),
            "OpenVINO f32": lambda x_NCHW: graphs["f32"](x_NCHW),
        }
        seconds |= turns(
            wide | {"ONNX Runtime f32": lambda x_NCHW: session.run(None, {"x_NCHW": x_NCHW})}, x, 1 if quick else 4
        )
    print(f"\n| {model.about.network.spec}, {size} x {size}, batch {len(x)} | images/s |\n|---|---:|")
    for name, least in seconds.items():
        print(f"| {name} | {len(x) / least:.1f} |")


def eight_bits(folder: Path, model: Model, x: Any, precision: str) -> Run:
    import openvino

    network = build(model.about.network.spec, classes=2, channels=1, size=model.about.side).eval()
    path, _ = export.openvino(folder / "model.onnx", model.about, network, folder, x[:4])
    return compiled(
        openvino.Core().read_model(str(export.quantized(path, model.about, [x[i : i + 1] for i in range(4)]))),
        precision,
    )


def turns(runs: dict[str, Run], x: Any, rounds: int) -> dict[str, float]:
    """The least seconds of one batch; the runs take turns, so that a slow minute is everyone's."""
    found = dict.fromkeys(runs, np.inf)
    for run in runs.values():
        run(x)
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run(x)
            found[name] = min(found[name], time.perf_counter() - start)
    return found


def known(files: list[Item]) -> DistributionRecord | None:
    """What these images are like, as training would have kept it."""
    prints = [Fingerprint.of(read(item.path)) for item in files]
    sketches = {"histogram": [one.histogram for one in prints], "fingerprint": [one.picture for one in prints]}
    numbers = ("rows", "columns", "channels", "bits", "photometric", "noise", "sharpness")
    rows = [{name: getattr(one, name) for name in numbers} | {"label": "sick"} for one in prints]
    cases = pl.DataFrame(rows, infer_schema_length=None).with_row_index("sketch")
    stacked = {name: np.stack(pictures) for name, pictures in sketches.items()}
    return fit(Dataset(cases, ("sick", "well"), "sick", ".", sketches=stacked))


def folder(figures: Figures, model: Model, scratch: Path, most: int | None) -> None:
    """`evenray predict` on a folder of X-rays, out-of-distribution check and all, against the same batches out of memory, in turns."""
    files = films(scratch, most)
    kept = known(files[:: max(1, len(files) // 500)])
    model = replace(model, about=model.about.model_copy(update={"training_images": kept}))
    x = np.random.default_rng(0).random((model.batch, 1, 224, 224), dtype=np.float32)
    pieces = np.array_split(np.arange(len(files)), max(1, len(files) // (320 if len(files) > 1000 else 64)))
    whole, pure = [], []
    predict(model, files[:32])
    for piece in pieces:
        start = time.perf_counter()
        answers = predict(model, [files[i] for i in piece])
        whole.append(time.perf_counter() - start)
        assert answers.table.height == len(piece)
        start = time.perf_counter()
        batches = -(-len(piece) // model.batch)
        for _ in range(batches):
            model.run(x)
        pure.append((time.perf_counter() - start) * len(piece) / (batches * model.batch))
    print(f"\n| {len(files)} X-rays at 224 | s | images/s |\n|---|---:|---:|")
    for name, seconds in (("pure compute", sum(pure)), ("evenray predict", sum(whole))):
        print(f"| {name} | {seconds:.1f} | {len(files) / seconds:.1f} |")
    ratio = float(np.median(np.array(whole) / np.array(pure)))  # each piece against its neighbour in time
    note(figures, f"predicting {len(files)} X-rays at 224 against the pure compute (ratio)", ratio, "<= 1.1")


def films(scratch: Path, most: int | None) -> list[Item]:
    root = (
        Path(os.environ.get("EVENRAY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "chest-xray-224"
    )
    if not root.is_dir():
        root = scratch / "films"
        root.mkdir()
        rng = np.random.default_rng(0)
        for number in range(most or 1000):
            small = rng.integers(0, 255, (28, 28), dtype=np.uint8)
            cv2.imwrite(str(root / f"{number:05d}.jpg"), cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC))
    names = list_files(root).paths
    return [Item(name, root / name) for name in (names if most is None else names[:: len(names) // most][:most])]


if __name__ == "__main__":
    main()
