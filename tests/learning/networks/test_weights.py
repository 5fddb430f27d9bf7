"""Weight files: their kind, the preprocessing that comes with them, grey into colour, and wrong files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import ReadError, UsageError
from evenray.learning.networks import Classifier, build, load, save
from evenray.learning.networks._grey import fold_grey, install_grey

SPEC = "vgg11(head=average, width=0.1)"


def weight_file(path: Path, metadata: dict[str, str] | None = None, head: bool = True) -> dict[str, Tensor]:
    """A file of random weights for SPEC in three channels; returns its tensors."""
    network = build(SPEC, classes=2, channels=3, size=28, seed=5).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    state = {k: v.contiguous() for k, v in network.state_dict().items() if head or not k.startswith("classifier")}
    if path.suffix == ".safetensors":
        save_file(state, path, metadata)
    else:
        torch.save(state, path)
    return state


def grey(number: int = 2, side: int = 28) -> Tensor:
    return torch.rand(number, 1, side, side, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", ["torchvision", "caffe"])
def test_the_preprocessing_comes_with_the_weights(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.safetensors"
    state = weight_file(path)
    model = build(SPEC, classes=2, channels=3, size=28, pretrained=f"{kind}:{path}").eval()
    x = torch.rand(2, 3, 28, 28, generator=torch.Generator().manual_seed(3))
    if kind == "torchvision":
        seen = (x - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
            1, 3, 1, 1
        )
    else:
        seen = 255 * x.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    reference = build(SPEC, classes=2, channels=3, size=28).network.eval()
    reference.load_state_dict(state)
    torch.testing.assert_close(model(x), reference(seen), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["torchvision", "caffe"])
def test_grey_equals_the_repeated_channel_borders_included(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.safetensors"
    weight_file(path)
    colour = build(SPEC, classes=2, channels=3, size=28, pretrained=f"{kind}:{path}").eval()
    single = build(SPEC, classes=2, channels=1, size=28, pretrained=f"{kind}:{path}").eval()
    x = grey()
    first = "network.features.0"
    maps = [outputs(model, first, image) for model, image in ((colour, x.expand(-1, 3, -1, -1)), (single, x))]
    torch.testing.assert_close(maps[1], maps[0], rtol=1e-5, atol=1e-5 * float(maps[0].max()))
    torch.testing.assert_close(single(x), colour(x.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)
    assert single.get_submodule(first).weight.shape[1] == 1


def outputs(model: Classifier, layer: str, x: Tensor) -> Tensor:
    found: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda m, a, output: found.append(output.detach().clone())
    )
    model(x)
    handle.remove()
    return found[0]


@pytest.mark.parametrize("side", [1, 2, 3, 5, 11, 30])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (7, 2, 3), (11, 4, 2), (7, 2, 1), (5, 1, 2), (3, 2, 0)]
)
def test_grey_is_exact_for_every_first_layer(side: int, kernel: int, stride: int, padding: int) -> None:
    if side + 2 * padding < kernel:
        return
    generator = torch.Generator().manual_seed(0)
    colour = nn.Conv2d(3, 4, kernel, stride, padding).double()
    mean, std = (0.4, 0.5, 0.7), (0.2, 0.3, 0.25)
    holder = nn.Sequential(nn.Conv2d(3, 4, kernel, stride, padding))
    install_grey(holder)
    weight, offset, (m,), (d,) = fold_grey(colour.weight.detach(), mean, std)
    holder[0].weight.data, holder[0].offset, holder[0].bias.data = weight, offset, colour.bias.detach().float()
    x = torch.rand(2, 1, side, side + 3, generator=generator)
    seen = (x.double() - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    torch.testing.assert_close(holder((x - m) / d).double(), colour(seen.double()), rtol=1e-4, atol=1e-5)


def test_summing_the_filters_alone_would_be_wrong_at_the_borders(tmp_path: Path) -> None:
    """Why the offset map is there: without it, zero padding means another grey than in the colour network."""
    state = weight_file(tmp_path / "w.safetensors")
    mean, std = (
        torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1),
        torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1),
    )
    weight, x = state["features.0.weight"], grey()
    exact = functional.conv2d((x - mean) / std, weight, padding=1)
    naive = functional.conv2d((x - mean.mean()) / std.mean(), weight.sum(1, keepdim=True), padding=1)
    naive = naive + (exact - naive)[:, :, 5:6, 5:6]
    assert (exact - naive).abs().max() > 1e-3


def test_a_grey_model_saves_and_loads(tmp_path: Path) -> None:
    weight_file(tmp_path / "w.safetensors")
    model = build(SPEC, classes=2, channels=1, size=28, pretrained=f"torchvision:{tmp_path / 'w.safetensors'}").eval()
    save(model, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors").eval()
    assert torch.equal(again(grey()), model(grey()))
    assert again.description == model.description


def test_fine_tuning_starts_from_a_model_of_this_package(tmp_path: Path) -> None:
    first = build(SPEC, classes=4, channels=1, size=28, mean=[0.3], std=[0.2], seed=9)
    save(first, tmp_path / "m.safetensors")
    second = build(SPEC, classes=2, channels=1, size=28, pretrained=tmp_path / "m.safetensors")
    assert second.description.mean == first.description.mean
    assert second.description.pretrained.fresh == ("classifier.1.weight", "classifier.1.bias")
    assert torch.equal(second.state()["features.0.weight"], first.state()["features.0.weight"])


def test_a_grey_model_starts_another_grey_model(tmp_path: Path) -> None:
    weight_file(tmp_path / "w.safetensors")
    first = build(SPEC, classes=2, channels=1, size=28, pretrained=f"caffe:{tmp_path / 'w.safetensors'}").eval()
    save(first, tmp_path / "m.safetensors")
    second = build(SPEC, classes=2, channels=1, size=28, pretrained=tmp_path / "m.safetensors").eval()
    assert torch.equal(second(grey()), first(grey()))


def test_the_kind_is_told_by_metadata_or_by_the_name_and_hash(tmp_path: Path) -> None:
    weight_file(tmp_path / "bgr.safetensors", {"channels": "BGR"})
    weight_file(tmp_path / "x.pth")
    digest = hashlib.sha256((tmp_path / "x.pth").read_bytes()).hexdigest()
    named = (tmp_path / "x.pth").rename(tmp_path / f"vgg11-{digest[:8]}.pth")
    for path, kind in ((tmp_path / "bgr.safetensors", "caffe"), (named, "torchvision")):
        model = build(SPEC, classes=2, channels=3, size=28, pretrained=path)
        assert model.description.pretrained.kind == kind


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "vgg11-00000000.pth"])
def test_an_unclear_kind_is_asked_for(tmp_path: Path, name: str) -> None:
    weight_file(tmp_path / name)
    with pytest.raises(UsageError, match=r"write torchvision:.* or caffe:"):
        build(SPEC, classes=2, channels=3, size=28, pretrained=tmp_path / name)


def test_a_wrong_file_names_the_first_keys_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weight_file(path)
    with pytest.raises(
        UsageError, match=r"not in the file, first features\.2\.weight.* not in the network, first features\.3"
    ):
        build("vgg16(head=average, width=0.1)", classes=2, channels=3, size=28, pretrained=f"torchvision:{path}")
    with pytest.raises(
        UsageError, match=r"differ in shape, first features\.0\.weight: \(6, 3, 3, 3\) in the file, \(64,"
    ):
        build("vgg11", classes=2, channels=3, size=28, pretrained=f"torchvision:{path}")


def test_a_classical_head_is_taken_but_for_another_number_of_classes(tmp_path: Path) -> None:
    spec = "vgg11(head=classical, width=0.05)"
    trained = build(spec, classes=3, channels=3, size=64, seed=4)
    save_file(trained.state(), tmp_path / "w.safetensors")
    weights = f"torchvision:{tmp_path / 'w.safetensors'}"
    same = build(spec, classes=3, channels=3, size=64, pretrained=weights)
    assert same.description.pretrained.fresh == ()
    other = build(spec, classes=5, channels=3, size=64, pretrained=weights)
    assert other.description.pretrained.fresh == ("classifier.6.weight", "classifier.6.bias")
    average = build("vgg11(head=average, width=0.05)", classes=3, channels=3, size=64, pretrained=weights)
    assert average.description.pretrained.fresh == ("classifier.1.weight", "classifier.1.bias")
    with pytest.raises(UsageError, match=r"grid=2"):
        build(spec, classes=3, channels=3, size=224, pretrained=weights)
    gridded = build("vgg11(head=classical, width=0.05, grid=2)", classes=3, channels=3, size=224, pretrained=weights)
    assert gridded.description.pretrained.fresh == ()


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(ReadError, match="more than tensors"):
        build(SPEC, classes=2, channels=3, size=28, pretrained=f"torchvision:{tmp_path / 'w.pth'}")


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    weight_file(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match=name):
        build(SPEC, classes=2, channels=3, size=28, pretrained=f"torchvision:{tmp_path / name}")


def test_the_authors_convolutions_enter_vgg16(evenray_data: Path) -> None:
    path = evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"
    model = build("vgg16(head=average)", classes=2, channels=1, size=28, pretrained=path).eval()
    assert model.description.pretrained.kind == "caffe"
    assert model.description.pretrained.fresh == ("classifier.1.weight", "classifier.1.bias")
    colour = build("vgg16(head=average)", classes=2, channels=3, size=28, pretrained=path).eval()
    with torch.no_grad():
        a, b = model.features(grey()), colour.features(grey().expand(-1, 3, -1, -1))
    assert float((a - b).abs().max() / b.abs().max()) < 1e-4


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "w.pth"
    state = weight_file(path)
    state["features.3.weight"][0, 0, 0, 0] = value
    torch.save(state, path)
    with pytest.raises(
        UsageError, match=r"w.pth: 1 of its tensors hold values that are no numbers, first features.3.weight"
    ):
        build(SPEC, classes=2, channels=3, size=28, pretrained=f"torchvision:{path}")
