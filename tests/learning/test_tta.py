"""Test-time augmentation: which crops the network is shown, and how its answers are averaged."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evenray.core.errors import UsageError
from evenray.learning.networks import Classifier, build
from evenray.learning.tta import check_tta, dense, fuse, largest_scale, multicrop, passes, tta_logits


@pytest.fixture(scope="module")
def model() -> Classifier:
    return build("vgg11(head=average, width=0.1)", classes=3, channels=1, size=32).eval()


class Recorder(torch.nn.Module):
    """Stands in for a model of size 4 and notes every crop that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.size, self.seen = 4, []
        self.description = SimpleNamespace(output="softmax", scale_jitter=None)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        self.seen.append(x_NCHW.clone())
        return x_NCHW.mean((1, 2, 3)).unsqueeze(1) * torch.tensor([[1.0, -1.0]])


def ramp(height: int, width: int) -> Tensor:
    return (torch.arange(height).view(1, 1, -1, 1) * 100.0 + torch.arange(width)).expand(1, 1, -1, -1)


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_the_centre_is_the_middle_of_the_image() -> None:
    recorder = Recorder()
    tta_logits(recorder, ramp(4, 10), "centre")  # type: ignore[arg-type]
    assert torch.equal(recorder.seen[0], ramp(4, 10)[..., 3:7])


def test_flips_show_the_image_and_its_mirror() -> None:
    recorder = Recorder()
    tta_logits(recorder, ramp(4, 4), "flips")  # type: ignore[arg-type]
    assert [torch.equal(seen, x) for seen, x in zip(recorder.seen, (ramp(4, 4), ramp(4, 4).flip(3)), strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "view",
    ["centre", "flips(1.5)", "fivecrop(flip=True)", "multicrop", "multicrop(grid=3, scales=[1, 1.25, 2], flip=True)",
     "dense", "dense(scales=[0.8, 1.3], flip=True)", "multicrop(grid=2) | dense | centre"],
)  # fmt: skip
@pytest.mark.parametrize("trained", [None, (8 / 7, 16 / 7)])
def test_passes_are_those_that_the_network_makes(
    view: str, trained: tuple[float, float] | None, model: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(model, "description", model.description.model_copy(update={"scale_jitter": trained}))
    watch = model.network.features.register_forward_pre_hook(
        lambda _, given: seen.append(given[0].shape[2] * given[0].shape[3] / model.size**2)
    )
    tta_logits(model, images(1, 1, 100, 100), view)
    watch.remove()
    assert passes(view, model.size, trained) == pytest.approx(seen)


def test_the_papers_multi_crop_is_150_crops_with_flips_and_75_without() -> None:
    scales = "scales=[2, 3, 4]"
    for view, crops in ((f"multicrop(flip=True, {scales})", 150), (f"multicrop({scales})", 75),
                        ("multicrop(grid=3, scales=[2])", 9), ("fivecrop", 5), ("fivecrop(2, flip=True)", 10)):  # fmt: skip
        recorder = Recorder()
        tta_logits(recorder, ramp(16, 16), view)  # type: ignore[arg-type]
        assert len(recorder.seen) == crops
        assert {tuple(seen.shape[-2:]) for seen in recorder.seen} == {(4, 4)}


def test_the_grid_reaches_every_corner_evenly() -> None:
    recorder = Recorder()
    tta_logits(recorder, ramp(8, 12), "multicrop(grid=3, scales=[2])")  # type: ignore[arg-type]
    corners = [(int(seen[0, 0, 0, 0]) // 100, int(seen[0, 0, 0, 0]) % 100) for seen in recorder.seen]
    assert corners == [(top, left) for top in (0, 2, 4) for left in (0, 4, 8)]


def test_five_crops_are_the_corners_and_the_middle() -> None:
    recorder = Recorder()
    tta_logits(recorder, ramp(8, 12), "fivecrop(scale=2)")  # type: ignore[arg-type]
    corners = [(int(seen[0, 0, 0, 0]) // 100, int(seen[0, 0, 0, 0]) % 100) for seen in recorder.seen]
    assert corners == [(0, 0), (0, 8), (4, 0), (4, 8), (2, 4)]


def test_places_that_the_grid_holds_twice_count_twice_and_are_computed_once() -> None:
    """Two pixels of room and five crops along an axis: the starts 0, 0, 1, 2, 2."""
    recorder, x = Recorder(), images(1, 1, 6, 4)
    found = tta_logits(recorder, x, "multicrop(grid=5, scales=[1.0])").softmax(1)  # type: ignore[arg-type]
    assert len(recorder.seen) == 3
    crops = [x[:, :, top : top + 4] for top in (0, 0, 1, 2, 2)]
    expected = torch.stack([Recorder()(crop).softmax(1) for crop in crops]).mean(0)
    torch.testing.assert_close(found, expected)


def test_dense_at_the_training_size_is_the_centre(model: Classifier) -> None:
    x = images(2, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(dense(model, x, scales=[1.0]), model(x).log_softmax(1), rtol=0, atol=1e-5)


def test_dense_is_the_mean_over_all_places_of_a_classical_head() -> None:
    """Against sliding the head over the map by hand."""
    model = build("vgg11(head=classical, width=0.05)", classes=3, channels=1, size=64).eval()
    x = images(1, 1, 96, 128)
    with torch.no_grad():
        map_NCHW = model.network.trunk(model.normalise(x))
        grid = model.network.grid
        rows, columns = (side - grid + 1 for side in map_NCHW.shape[-2:])
        places = [map_NCHW[..., i : i + grid, j : j + grid].flatten(1) for i in range(rows) for j in range(columns)]
        expected = torch.stack([model.network.classifier(place) for place in places]).mean(0)
        assert (rows, columns) == (2, 3)
        torch.testing.assert_close(model(x), expected)
        torch.testing.assert_close(model.score_maps(x)[0].mean((2, 3)), expected)


def test_a_constant_image_looks_the_same_from_everywhere(model: Classifier) -> None:
    x = torch.full((1, 1, 32, 32), 0.7)
    with torch.no_grad():
        torch.testing.assert_close(tta_logits(model, x, "multicrop(grid=2, scales=[1.25])"), model(x).log_softmax(1))


def test_a_chain_averages_the_soft_maxes_of_its_views(model: Classifier) -> None:
    x = images(2, 1, 32, 32)
    chain = tta_logits(model, x, "dense(scales=[1.5]) | multicrop(grid=2, scales=[1.5])").softmax(1)
    parts = [
        tta_logits(model, x, view).softmax(1) for view in ("dense(scales=[1.5])", "multicrop(grid=2, scales=[1.5])")
    ]
    torch.testing.assert_close(chain, (parts[0] + parts[1]) / 2)


def test_looking_leaves_the_model_as_it_was(model: Classifier) -> None:
    model.train()
    logits = tta_logits(model, images(1, 1, 32, 32), "flips")
    assert model.training
    assert not logits.requires_grad
    model.eval()


@given(
    st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=5),
    st.lists(st.floats(0.01, 10), min_size=5, max_size=5),
)
def test_fusing_is_the_weighted_mean_of_soft_maxes(members: list[tuple[float, float]], weights: list[float]) -> None:
    logits = [torch.tensor([member], dtype=torch.float64) for member in members]
    used = weights[: len(members)]
    expected = np.average([one.softmax(1).numpy() for one in logits], axis=0, weights=used)
    np.testing.assert_allclose(fuse(logits, used).softmax(1).numpy(), expected, atol=1e-12)


def test_a_member_of_weight_zero_does_not_count() -> None:
    logits = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]])]
    torch.testing.assert_close(fuse(logits, [1, 0]), logits[0].log_softmax(1))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0, 1.0], [0.0, 0.0], [1.0, -1.0]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(UsageError, match=r"one (weight )?a member"):
        fuse([torch.zeros(1, 2), torch.zeros(1, 2)], weights)


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ("multicrop(scales=[0.5])", "greater than or equal to 1"),
        ("dense(scales=[])", "at least 1 item"),
        ("sides", "no test-time augmentation named"),
        ("multicrop(grid=0)", "greater than or equal to 1"),
    ],
)
def test_impossible_views_are_refused(model: Classifier, view: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        tta_logits(model, images(1, 1, 32, 32), view)


@pytest.mark.parametrize(
    ("trained", "pixels"),
    [
        (None, [224, 256, 288]),  # section 4.2, Table 4: S = 256
        ((12 / 7, 12 / 7), [352, 384, 416]),  # S = 384
        ((8 / 7, 16 / 7), [256, 384, 512]),  # S in [256; 512]
    ],
)
@pytest.mark.parametrize("view", ["dense", "multicrop"])
def test_without_scales_they_are_the_papers_for_the_training_scale(
    view: str, trained: tuple[float, float] | None, pixels: list[int]
) -> None:
    model = build("vgg11(head=average, width=0.05)", classes=2, channels=1, size=28).eval()
    model.description = model.description.model_copy(update={"scale_jitter": trained})
    x = images(1, 1, 40, 40)
    named = tta_logits(model, x, f"{view}(scales={[side / 224 for side in pixels]})")
    torch.testing.assert_close(tta_logits(model, x, view), named, rtol=0, atol=1e-5)
    assert largest_scale(view, trained) == pytest.approx(pixels[-1] / 224)


@pytest.mark.parametrize("view", ["flips", "dense(flip=True)", "centre | multicrop(3, [1.2], True)"])
def test_mirror_images_have_to_be_allowed(view: str) -> None:
    with pytest.raises(UsageError, match="exchanges left and right"):
        check_tta(view, flips=False)
    check_tta(view, flips=True)
    check_tta("dense | multicrop(grid=3)", flips=False)


def test_multicrop_and_dense_take_images_that_are_not_square(model: Classifier) -> None:
    x = images(1, 1, 40, 75)
    with torch.no_grad():
        assert multicrop(model, x, grid=2, scales=[1.0, 1.3]).shape == (1, 3)
        assert dense(model, x, scales=[1.0, 1.3], flip=True).shape == (1, 3)


@pytest.mark.parametrize("head", ["average", "classical"])
@pytest.mark.parametrize("sides", [(70, 97), (101, 65), (90, 127)])
def test_dense_on_odd_sizes_is_the_mean_over_its_places(head: str, sides: tuple[int, int]) -> None:
    """Against the head applied by hand to every grid x grid cut of the map."""
    model = build(f"overfeat_fast(head={head}, width=0.05)", classes=3, channels=1, size=64).eval()
    x = images(1, 1, *sides)
    grid = model.network.grid or 1
    with torch.no_grad():
        map_NCHW = model.network.trunk(model.normalise(x))
        height, width = map_NCHW.shape[-2:]
        cuts = [
            map_NCHW[..., i : i + grid, j : j + grid].flatten(1)
            for i in range(height - grid + 1)
            for j in range(width - grid + 1)
        ]
        expected = torch.stack([model.network.classifier(cut) for cut in cuts]).mean(0)
        torch.testing.assert_close(model.score_maps(x)[0].mean((2, 3)), expected)


@given(members=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=4))
def test_of_findings_fusing_is_the_mean_of_sigmoids(members: list[tuple[float, float]]) -> None:
    logits = [torch.tensor([one], dtype=torch.float64) for one in members]
    found = fuse(logits, output="sigmoid").sigmoid()
    assert torch.allclose(found, torch.stack(logits).sigmoid().mean(0), atol=1e-9)
