"""Every lab, cell by cell: an exercise left blank or done wrong says what to mend, and its solution is right, in both languages."""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from evenray.core.errors import UsageError
from evenray.core.texts import LANGUAGES, Texts
from evenray.teaching import LABS, Lab, NotYet, Source, as_script
from evenray.teaching.lab import same
from evenray.teaching.source import NO_VALUE, Cell

Names = dict[str, Any]
ODD: tuple[Any, ...] = (
    0, -1.5, float("nan"), 10**400, 1j, True, "", "b ", b"b", [], (), {}, {1}, [[1], [1, 2]], [..., 1], [None], object(), int, len,
    lambda: 1 / 0, lambda: ..., lambda x: x, np.zeros(3), np.zeros((2, 2), object), np.array("x"), np.float32(1), range(3),
    torch.ones(2, requires_grad=True), torch.ones(()), pl.Series([1, 2]), Path("x"), KeyError("x"),
)  # fmt: skip


def executed(code: str, names: Names) -> None:
    """Run a cell as a notebook does: what its last line gives is shown."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if hasattr(shown, "_repr_html_"):
            assert "<script" not in shown._repr_html_()


class Asked:
    """What the checks of a lab are asked, by name: `wrong(answer)` asks the check again with another answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wrong: dict[str, Callable[[Any], None]] = {}
        check, quiz, guess = Lab.check, Lab.quiz, Lab.guess

        def checked(lab: Lab, name: str, answer: Any, expected: Any, **more: Any) -> None:
            self.wrong[name] = lambda other: check(lab, name, other, expected, **more)
            check(lab, name, answer, expected, **more)

        def quizzed(lab: Lab, name: str, answer: Any) -> None:
            self.wrong[name] = lambda other: quiz(lab, name, other)
            quiz(lab, name, answer)

        def guessed(lab: Lab, name: str, answer: Any, truth: float) -> None:
            self.wrong[name] = lambda other: guess(lab, name, other, truth)
            guess(lab, name, answer, truth)

        for name, function in (("check", checked), ("quiz", quizzed), ("guess", guessed)):
            monkeypatch.setattr(Lab, name, function)


def code(lab: Source) -> Iterator[Cell]:
    return (cell for cell in lab.cells if cell.texts is None)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", LABS)
def test_blanks_and_wrong_answers_say_what_to_mend_and_solutions_are_right(
    name: str, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVENRAY_DATA", raising=False)
    lab, names, asked = Source.of(name), Names(), Asked(monkeypatch)
    for cell in code(lab):
        if cell.asks:
            with pytest.raises(NotYet) as told:
                executed(cell.exercise.replace("{lang}", lang), dict(names))
            check = re.findall(r'lab\.\w+\("(\w+)"', cell.exercise)[0]
            hints = [one.texts[lang] for one in lab.replies_to(check) if not one.right and one.value is NO_VALUE]
            quiz = Texts(lang)("labs.choose", known="'a', 'b', 'c'")
            assert Texts(lang)("labs.blank") in str(told.value)
            assert (hints or [quiz])[0] in str(told.value)
        executed(cell.solution.replace("{lang}", lang), names)
    assert set(asked.wrong) == {reply.name for reply in lab.replies}, "texts that no check says, or a check without"
    assert "✗" not in capsys.readouterr().out
    for ask in asked.wrong.values():
        for odd in ODD:
            with contextlib.suppress(NotYet):  # nothing else is raised; a guess may be any number
                ask(odd)
    for reply in lab.replies:
        if not reply.right and reply.value is not NO_VALUE:
            with pytest.raises(NotYet, match=re.escape(reply.texts[lang])):
                asked.wrong[reply.name](reply.value)


@pytest.mark.parametrize("name", LABS)
def test_solutions_are_right_on_real_images(name: str, evenray_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_DATA", str(evenray_data))
    names = Names()
    for cell in code(Source.of(name)):
        executed(cell.solution.replace("{lang}", "ko"), names)
    assert names["lab"].data == evenray_data


@pytest.mark.parametrize(
    ("name", "solution", "mistake", "hint"),
    [
        ("1_histogram", "(low <= values) & (values < low + 1)", "(low < values) & (values <= low + 1)", "its upper edge"),
        ("1_histogram", "(low <= values) & (values < low + 1)", "(low < values) & (values < low + 1)", "in no interval"),
        ("1_histogram", "(low <= values) & (values < low + 1)", "(low <= values) & (values <= low + 1)", "counted twice"),
        ("1_histogram", "** 3).mean()", "** 2).mean()", "the power is 3"),
        ("1_histogram", "((C - C[darkest]) / (1 - C[darkest])).clip(0, 1)", "C", "subtract C[darkest]"),
        ("1_histogram", "((C - C[darkest]) / (1 - C[darkest])).clip(0, 1)", "str(C)", "ended with TypeError"),
        ("1_histogram", "((C - C[darkest]) / (1 - C[darkest])).clip(0, 1)", "C[:3]", "ended with IndexError"),
        ("1_histogram", "cornered.pixels >= 8", "8", "the shape (); expected (216, 216)"),
        ("1_histogram", '"b"', '"d"', "choose one of 'a', 'b', 'c'"),
        ("2_vgg16", "(n + 2 * p - k) // s + 1", "(n + p - k) // s + 1", "on both sides"),
        ("2_vgg16", "(n + 2 * p - k) // s + 1", "(n + 2 * p - k) // s", "the first place counts"),
        ("2_vgg16", "* f).sum()", "* f[::-1, ::-1]).sum()", "six lines"),
        ("2_vgg16", "np.pad(x, padding), len(f)", "x, len(f)", "six lines"),
        ("2_vgg16", "np.pad(x, padding), len(f)", "np.pad(x, padding), f", "ended with"),
        ("2_vgg16", "(k * k * channels + 1) * filters", "k * k * channels * filters", "biases are missing"),
        ("2_vgg16", "(k - 1) * jump", "(k - 1)", "pixels of the map"),
        ("2_vgg16", "(one + two) / 2", "one", "not one of the two"),
        ("3_class_imbalance", "np.log(y) + (1 - alpha) * (1 - t)", "(np.log(y) + (1 - alpha) * (1 - t)", "as it is printed"),
        ("3_class_imbalance", "0.025 ** (1 / n)", "0.05 ** (1 / n)", "n-th root of 0.025"),
        ("3_class_imbalance", "np.log(true) - np.log(learnt)", "np.log(learnt) - np.log(true)", "signs are exchanged"),
        ("3_class_imbalance", "500 / 501", "500 / 500", "one of the answers is wrong"),
    ],
)  # fmt: skip
def test_a_mistake_in_code_is_told_by_its_kind(
    name: str, solution: str, mistake: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENRAY_DATA", raising=False)
    names, heavy = Names(), ("er.score", "anatomy(", "conv2d(small")
    for cell in code(Source.of(name)):
        done = cell.solution.replace("{lang}", "en")
        if cell.asks and solution in done:
            wrong = done.replace(solution, mistake, 1)
            if hint == "as it is printed":  # the slide's own formula, its last bracket closed
                wrong = wrong.replace("np.log(1 - y))", "np.log(1 - y)))")
            with pytest.raises(NotYet) as told:
                executed(wrong, names)
            assert hint in str(told.value)
            return
        if not any(word in done for word in heavy):
            executed(done, names)
    pytest.fail(f"no cell of {name} has {solution}")


@pytest.mark.parametrize("name", LABS)
def test_both_languages_say_the_same(name: str) -> None:
    """Numbers of two digits or more, and names of code; words of commands such as FILE are translated."""
    lab = Source.of(name)
    for texts in [cell.texts for cell in lab.cells if cell.texts] + [reply.texts for reply in lab.replies]:
        assert re.search("[가-힣]", texts["ko"])
        assert not re.search("[가-힣]", texts["en"])
        assert facts(texts["en"]) == facts(texts["ko"]), texts
        assert texts["en"].count("\n#") == texts["ko"].count("\n#")


def facts(text: str) -> set[str]:
    numbers = set(re.findall(r"\d[\d,.]*\d", text))
    spans = {re.sub(r"[A-Z]{4,}|[가-힣]+", "_", span) for span in re.findall(r"`([^`\n]+)`", text)}
    return numbers | spans


@pytest.mark.parametrize("name", LABS)
def test_an_exercise_holds_no_solution(name: str) -> None:
    script = as_script(Source.of(name), "en", solved=False)
    assert "#:" not in script
    asking = [cell for cell in code(Source.of(name)) if cell.asks]
    assert len(asking) >= 9
    for cell in asking:
        assert "..." in cell.exercise
        assert "..." not in cell.solution
        assert cell.solution not in script


def test_as_a_program_an_exercise_ends_with_its_hint(tmp_path: Path) -> None:
    script = tmp_path / "exercise.py"
    script.write_text(as_script(Source.of("1_histogram"), "ko", solved=False), encoding="utf-8")
    done = subprocess.run([sys.executable, "-X", "utf8", str(script)], capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert done.stderr.endswith("이 셀의 ... 자리를 채우세요. 'a', 'b', 'c' 중에서 고르세요.\n")


def test_a_notebook_shows_the_words_of_a_hint_alone() -> None:
    assert NotYet("✗ mend this")._render_traceback_() == ["✗ mend this"]


def test_answers_of_any_kind_are_compared_without_an_error() -> None:
    assert same(np.float32(0.5), 0.5)
    assert same(np.array([1, 2]), [1, 2])
    assert not any(same(answer, 1.0) for answer in ("1", None, {}, [1.0], object(), np.ones(2), True, float("nan")))
    assert not any(
        same(answer, [1, 2]) for answer in ("12", 3, {1, 2}, [1, "2"], [[1], [2]], np.ones((2, 2)), lambda: 1)
    )
    assert not same([1], "a")


def test_a_guess_must_be_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab("1_histogram")
    lab.guess("mean", 3, 180.25)
    assert "You guessed 3; it is 180.2." in capsys.readouterr().out
    for guess in ("bright", True, [1]):
        with pytest.raises(NotYet, match="is no number"):
            lab.guess("mean", guess, 180.25)


@pytest.mark.parametrize(
    "text",
    [
        "<!-- en -->\nAlone.\n```python\nx = 1\n```\n",
        "<!-- hint x -->\n<!-- en -->\nAlone.\n",
        "<!-- en -->\nText.\n<!-- ko -->\n글.\n```python\nx = 1\n",
    ],
)
def test_a_text_without_its_translation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lab planted"):
        Source.parse("planted", text)


def test_several_lines_take_the_place_of_a_blank() -> None:
    text = "```python\ndef f(x):\n    ...  #: y = x\n    #: for _ in y:\n    #:     pass\n\n\nz = 1\n```\n"
    [cell] = Source.parse("x", text).cells
    assert cell.exercise == "def f(x):\n    ...\n\n\nz = 1"
    assert cell.solution == "def f(x):\n    y = x\n    for _ in y:\n        pass\n\n\nz = 1"


def test_an_image_is_one_that_shows_what_the_texts_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreadable, mostly black and flat files are passed over; where there is no other, one is drawn."""
    import cv2

    monkeypatch.delenv("EVENRAY_DATA", raising=False)
    (tmp_path / "a.png").write_bytes(b"no image")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((40, 40), np.uint8))
    cv2.imwrite(str(tmp_path / "b2.png"), np.full((40, 40), 200, np.uint8))
    assert Lab("1_histogram", data=tmp_path).image().name == "phantom.png"
    cv2.imwrite(str(tmp_path / "c.png"), np.random.default_rng(0).integers(60, 200, (40, 40), dtype=np.uint8))
    assert Lab("1_histogram", data=tmp_path).image() == tmp_path / "c.png"
    with pytest.raises(UsageError, match="is no folder"):
        Lab("1_histogram", data=tmp_path / "absent")
