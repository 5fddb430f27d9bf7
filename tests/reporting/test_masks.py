"""Masks: what marking nothing is right for is the share of the background, however many classes there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts.scores import CalibrationRecord, Figure, PartScores, ScoresRecord
from evenray.core.types import Predictions
from evenray.metrics.masks import score_masks
from evenray.metrics.pixel_bins import BINS
from evenray.reporting.figures import agreement
from evenray.reporting.language import Language
from evenray.reporting.page import Section, rendered, template
from evenray.reporting.sections import masks, notices, summary

N, PIXELS = 6, 1000


def run_of(shares: tuple[float, ...], *, told: bool = True) -> Any:
    """A run whose classes cover so much of every image, half of which was found and none of it elsewhere."""
    names, columns = tuple("abc"[: len(shares)]), dict[str, Any]()
    for k, share in enumerate(shares):
        true = int(share * PIXELS)
        columns |= {f"target_{k}": 1, f"true_{k}": true, f"called_{k}": true // 2, f"hit_{k}": true // 2}
        columns |= {f"pixels_{k}": PIXELS}
    if told:
        columns["right"] = PIXELS - sum(int(share * PIXELS) // 2 for share in shares)
    cases = [str(n) for n in range(N)]
    table = pl.DataFrame({"case": cases, "patient": cases, "part": ["test"] * N}).with_columns(
        **{name: pl.lit(value) for name, value in columns.items()},
        **{f"bins_{k}": pl.lit([1] * (2 * BINS)) for k in range(len(shares))},
    )
    predictions = Predictions(table, names, "", "segment")
    means, each = score_masks(predictions, [0.5] * len(shares), resamples=20)
    none = CalibrationRecord(method="none", parameters={})
    findings = {
        name: ScoresRecord.model_construct(threshold=0.5, calibration=none, parts={"test": PartScores.of(own)})
        for name, own in each.items()
    }
    results = ScoresRecord.model_construct(threshold_rule="dice", unit="px", findings=findings)
    return SimpleNamespace(
        results=results, test=PartScores.of(means), predictions=predictions, marked=True, nested=None, torn=(),
        facts=SimpleNamespace(task="segment"), tested=table.select("patient"),
    )  # fmt: skip


def page(run: Any, language: str) -> str:
    say = Language(language)
    return rendered(say, "masks", [Section("masks", "evaluate", masks.context(run, say))], "report")


def test_background_is_said_to_be_nearly_all_where_it_is() -> None:
    assert "Nearly all pixels are background" in page(run_of((0.05, 0.02)), "en")
    little = page(run_of((0.4, 0.5)), "en")
    assert "Nearly all" not in little
    assert "nearly every" not in little
    assert "Marking nothing is right for 10.0 % of the pixels, those of the background" in little
    assert "거의 모든" not in page(run_of((0.4, 0.5)), "ko")
    assert "배경인 화소 10.0%에서는 맞지만" in page(run_of((0.4, 0.5)), "ko")


@pytest.mark.parametrize(("shares", "nothing", "network"), [((0.4, 0.5), 0.1, 0.55), ((0.4,), 0.6, 0.8)])
def test_the_headline_counts_each_pixel_once(
    shares: tuple[float, ...], nothing: float, network: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "notices", lambda run, say: [])
    run = run_of(shares)
    said = f"right for {100 * nothing:.1f} % of the pixels and find nothing; the network is right for {100 * network:.1f} %."
    assert summary.context(run, Language("en")).sentences[-1].endswith(said)
    shown = masks.context(run, Language("en"))
    assert shown is not None
    accuracy = dict(shown.beside)["accuracy"]
    assert (accuracy.value, accuracy.baseline) == pytest.approx((network, nothing))


def test_runs_that_counted_classes_alone_say_nothing_of_all_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "notices", lambda run, say: [])
    run = run_of((0.4, 0.5), told=False)
    assert not any("right for" in sentence for sentence in summary.context(run, Language("en")).sentences)
    shown = masks.context(run, Language("en"))
    assert shown is not None
    assert "accuracy" not in dict(shown.beside)
    assert shown.background == pytest.approx(0.1)


@pytest.mark.parametrize("empty", [0, 40])
def test_agreement_is_of_all_images_as_in_the_table(empty: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images in which nothing is and nothing was called agree, and draw the limits together."""
    true = [30.0, 50.0, 0.0, 20.0, 10.0] + [0.0] * empty
    called = [20.0, 70.0, 5.0, 0.0, 12.0] + [0.0] * empty
    table = pl.DataFrame({"area_true_0": true, "area_called_0": called})
    drawn = list[tuple[list[float], list[float]]]()

    class Watched(agreement.Plot):
        def line(self, xs: Any, ys: Any, *more: Any, **settings: Any) -> None:
            drawn.append((list(xs), list(ys)))
            super().line(xs, ys, *more, **settings)

    monkeypatch.setattr(agreement, "Plot", Watched)
    [figure] = masks._areas(Predictions(table, ("a",), "", "segment"), "mm", Language("en"))
    gaps = np.subtract(called, true)
    spread = 1.959963984540054 * gaps.std()
    levels = [gaps.mean() - spread, gaps.mean(), gaps.mean() + spread]
    assert [ys[0] for _, ys in drawn[-3:]] == pytest.approx(levels)
    assert figure.svg.data is not None
    assert figure.svg.data.height == 5 + empty
    assert figure.svg.body.count("<circle") == 5 + (empty > 0)


def test_a_threshold_that_the_validation_part_could_not_choose_is_told() -> None:
    run = run_of((0.4, 0.5))
    assert "not chosen by the rule" not in page(run, "en")
    run.results.findings["b"] = run.results.findings["b"].model_copy(update={"refused_points": ("dice",)})
    assert "The validation part has none of b: there the threshold was not chosen by the rule dice but is 0.5." in page(
        run, "en"
    )
    assert "검증 데이터에 b 클래스가 없어" in page(run, "ko")


@pytest.mark.parametrize(
    ("low", "value", "title"),
    [(np.nan, 0.3, "No interval is known"), (np.nan, 0.0, "Not shown to be better"), (0.2, 0.3, None)],
)
def test_what_has_no_interval_is_not_said_to_be_chance(low: float, value: float, title: str | None) -> None:
    gain = Figure(value=value, low=low, high=low + 0.1, baseline=0.0)
    found = notices._masks({"dice_gain": gain, "dice": gain}, Language("en"))
    assert [each.title[: len(title or "")] for each in found] == ([title] if title else [])
    assert len(notices._masks({"dice_gain": gain, "dice": gain}, Language("ko"))) == len(found)
    boxes = notices._boxes({"map50": gain}, Language("ko"))
    assert bool(boxes) == (title is not None)


def test_few_test_patients_are_told() -> None:
    run = run_of((0.4,))
    vars(run).update(ledger=SimpleNamespace(test_opened=()), current=True, attributions=None, auroc=None)
    assert "The test part has 6 patients." in notices._test(run, Language("en"))[-1].text
    assert "6명" in notices._test(run, Language("ko"))[-1].text
    run.test = run.test.model_copy(update={"patients": notices.FEW})
    assert all("The test part has" not in each.text for each in notices._test(run, Language("en")))


@pytest.mark.parametrize(("code", "wrong"), [("en", "Wrong"), ("ko", "틀린 증례")])
def test_cards_of_masks_are_told_of_as_worst_and_typical_not_as_wrong_and_right(code: str, wrong: str) -> None:
    """The class of both is that whose masks overlap worst: to call it predicted and labelled would make no mistake of it."""
    entry = SimpleNamespace(case="c1", probability=0.9, window=(1, 2, 81, 82))
    card = SimpleNamespace(entry=entry, predicted="vessel", label="vessel", picture=None, heat=None)
    say = Language(code)
    told = template("cards.html.j2").render(say=say, groups=[("marked_mistake", [card]), ("marked_hit", [card])])
    assert say("mistakes.marked_mistake") in told
    assert wrong not in told
    assert say("mistakes.said", predicted="vessel", probability=say.percent(0.9)) not in told
    assert say("mistakes.truth", label="vessel") not in told
    assert say("mistakes.truth_marked", label="vessel") in told
    assert say("mistakes.window", left=1, top=2, right=81, bottom=82) in told


@pytest.mark.parametrize(("code", "told"), [("en", "no interval"), ("ko", "신뢰구간 없음")])
def test_a_figure_without_an_interval_says_so_in_place_of_dashes(code: str, told: str) -> None:
    shown = (
        template("parts.html.j2")
        .make_module({"say": Language(code)})
        .estimate(  # type: ignore[attr-defined]
            Figure(value=1.0, low=np.nan, high=np.nan, baseline=0.0)
        )
    )
    assert told in shown
    assert "–" not in shown
