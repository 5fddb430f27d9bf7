"""The balance bench in a real browser: what it counts, learns and corrects is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evenray.app.benches.balance import seen as seen_of
from evenray.core.run import Run
from evenray.core.texts import Texts
from evenray.learning.balance import correct


def opened(visit: Callable[..., Any], address: str, lang: str = "en", **how: Any) -> Any:
    seen = visit(address, **how)
    seen.go(f"/balance-bench?lang={lang}").wait_for_selector("body[data-ready]", state="attached")
    return seen


def figures(page: Any, of: str) -> dict[str, str]:
    found = page.eval_on_selector_all(f"[data-of={of}]", "all => all.map(e => [e.dataset.figure, e.textContent])")
    return dict(found)


@pytest.mark.parametrize(("lang", "width", "dark"), [("en", 1280, False), ("ko", 390, True)])
def test_always_healthy_is_right_for_all_but_one(
    visit: Callable[..., Any], address: str, lang: str, width: int, dark: bool
) -> None:
    seen = opened(visit, address, lang, width=width, dark=dark)
    page = seen.page
    never, mine = figures(page, "never"), figures(page, "mine")
    assert [never[name] for name in ("tp", "fn", "fp", "tn")] == ["0", "1", "0", "500"]
    assert never["accuracy"] == "99.8 %"
    assert sum(int(mine[name]) for name in ("tp", "fn", "fp", "tn")) == 501
    page.focus("#threshold")
    page.keyboard.press("Home")  # everybody is called sick
    everybody = figures(page, "mine")
    assert [everybody[name] for name in ("tp", "fn", "fp", "tn")] == ["1", "0", "500", "0"]
    assert everybody["ppv"] == "0.2 %"
    told = Texts(lang)("app.balance_bench.paradox_one", right=500, total=501, share="99.8 %")
    assert page.inner_text("#paradox") == told
    seen.well()


def test_scores_have_the_auroc_of_the_slider(visit: Callable[..., Any], address: str) -> None:
    page = opened(visit, address).page
    ill, score, distance = page.evaluate(
        """async () => { const { apart, population } = await import("/static/people.js");
        const found = population(40000, 20000, .8);
        return [Array.from(found.ill), Array.from(found.score), apart(.93)] }"""
    )
    assert distance == pytest.approx(np.sqrt(2) * norm.ppf(0.93), abs=1e-6)
    assert roc_auc_score(ill, score) == pytest.approx(0.8, abs=0.01)


LEARN = """async () => {
  const { Learner, REMEDIES, disagreement, sample } = await import("/static/toy.js");
  const data = sample(1500, 60, 5), fresh = sample(3000, 120, 6), steps = 3000;
  const learners = REMEDIES.map(name => new Learner(name, data, { alpha: .9, seed: 3 }));
  for (const one of learners) while (one.steps < steps) one.step();
  const told = (one, right) => Array.from(fresh.t, (_, i) => one.logOdds(fresh.x[i], fresh.y[i], right));
  const lists = of => [of.x, of.y, of.t].map(values => Array.from(values));
  const pool = learners[2].pool.map(i => data.t[i]), batch = learners[3].batch.map(i => data.t[i]);
  return { data: lists(data), fresh: lists(fresh), learnt: learners.map(one => one.learnt), pool, batch,
    raw: learners.map(one => told(one, false)), corrected: learners.map(one => told(one, true)),
    apart: [false, true].map(right => disagreement(learners, fresh, right)) };
}"""


def test_the_remedies_are_learnt_and_meet_after_the_correction(visit: Callable[..., Any], address: str) -> None:
    """Against scikit-learn's logistic regression on the same points, and the package's own prior correction."""
    found = opened(visit, address).page.evaluate(LEARN)

    def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([x, y, x * x, x * y, y * y], 1)

    x, y, t = map(np.array, found["data"])
    fresh = squares(*map(np.array, found["fresh"][:2]))
    raw, corrected = np.array(found["raw"]), np.array(found["corrected"])
    weights = {"none": None, "weighted": {0: 0.1, 1: 0.9}, "oversample": {0: 1, 1: 25}, "balanced": {0: 1, 1: 25}}
    for k, weight in enumerate(weights.values()):
        reference = LogisticRegression(C=1e9, max_iter=5000, class_weight=weight).fit(squares(x, y), t)
        expected = reference.predict_proba(fresh)[:, 1]
        assert np.abs(1 / (1 + np.exp(-raw[k])) - expected).mean() < 0.02, k
    share = 60 / 1560
    for k, learnt in enumerate(found["learnt"]):
        own = correct(np.column_stack([np.zeros(len(fresh)), raw[k]]), [1 - share, share], [1 - learnt, learnt])
        assert np.allclose(corrected[k], own[:, 1] - own[:, 0])
    assert sum(found["pool"]) * 2 == len(found["pool"])  # duplicated until both are alike in number
    assert sum(found["batch"]) * 2 == len(found["batch"])
    before, after = found["apart"]
    assert after < 0.15 * before


def test_the_toy_trains_while_one_watches(visit: Callable[..., Any], address: str) -> None:
    seen = opened(visit, address, "ko")
    page = seen.page
    before = page.inner_text("#apart-after-told")
    page.click("#run")
    page.wait_for_timeout(600)
    page.click("#run")
    steps = page.inner_text("#steps-told")
    assert page.inner_text("#apart-after-told") != before
    page.click("#corrected")
    share = 100 * 30 / 1530
    told = page.locator("dd[data-figure=mean]").all_inner_texts()
    assert all(abs(float(text.rstrip(" %")) - share) < 2.5 for text in told), told
    assert page.inner_text("#steps-told") == steps  # it has stopped
    seen.well()


def test_ones_own_runs_are_told_truly(visit: Callable[..., Any], address: str, place: Path) -> None:
    run = Run(place / "finished")
    found = seen_of(run)
    assert found is not None
    assert run.predictions is not None
    test = run.predictions.part(found.part)
    logits = test.table.select("logit_0", "logit_1").to_numpy()
    odds = logits[:, test.positive_index] - logits[:, 1 - test.positive_index]
    assert found.raw == pytest.approx(float(np.mean(1 / (1 + np.exp(-odds)))))
    assert found.calibrated == pytest.approx(float(test.probabilities[:, test.positive_index].mean()))
    assert found.share == pytest.approx(float(np.mean(test.targets == test.positive_index)))
    assert len(found.cases) == found.total == test.table.height
    page = opened(visit, address).page
    row = page.locator("#run-rows tr").first.inner_text()
    assert "finished" in row
    assert f"{round(100 * found.corrected, 1):g} %" in row
    assert page.locator("#strips canvas").count() == 3
