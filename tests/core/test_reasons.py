"""What the library says of files and specs is said in Korean, too, and every such sentence is known to the table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import evenray
from evenray.core.errors import EvenrayError
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.learning.predict.out_of_distribution import NAMES, PLAIN

SOURCE = Path(evenray.__file__).parent
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")  # three words one after the other, in no list


def texts_of(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression may be, {} for each value; none where that cannot be seen here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)


def said_of_files() -> Iterator[tuple[str, str]]:
    """Every reason that a file is refused with, by where it stands: of errors, and of functions that return one."""
    for path in [
        *SOURCE.glob("images/readers/**/*.py"),
        *SOURCE.glob("scale/isolated.py"),
        SOURCE / "core" / "budget.py",
    ]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("ReadError", "inflated") and node.args:
                found = node.args[-1]
            elif isinstance(node, ast.FunctionDef) and node.name in ("_unknown", "_no_pixels", "_reason"):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and inner.value is not None:
                        yield from ((text, path.name) for text in texts_of(inner.value))
                continue
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("_FOREIGN", "NO_MEMORY"):
                values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
                yield from ((text, path.name) for value in values for text in texts_of(value))
                continue
            else:
                continue
            yield from ((text, path.name) for text in texts_of(found))


def test_every_reason_of_a_file_has_its_sentence_in_every_language() -> None:
    said = dict(said_of_files())
    assert len(said) > 100
    known = {re.sub(r"\{\w+\}", "{}", text) for key, text in Texts("en").texts.items() if key.startswith("reason.")}
    assert {text: said[text] for text in said.keys() - known if text.strip("{}")} == {}


@pytest.mark.parametrize(
    "spec",
    [
        "gamma(-1)", "gamma('a')", "gamma(1, 2, 3)", "gamma(x=1)", "gama(2)", "nonsense", "gamma(", "gamma(a=1, a=2)", "x" * 1001,
        "clahe(tiles=0)", "clahe(tiles=999)", "clahe(tiles=1.5)", "clahe(clip=nan)", "log(base=1)", "linear(9, 2)", "percentile(5, 1)",
        "piecewise([(2, 3)])", "window(center=3)", "match('nothing')", "gamma(**a)", "window(preset=knee)", "gamma(2) | ",
        " | ".join(["invert"] * 90),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_spec_is_said_in_korean(zeros: Image, spec: str) -> None:
    with pytest.raises(EvenrayError) as raised:
        enhance(zeros, spec)
    assert not ENGLISH.search(Texts("ko").reason(str(raised.value)))
    assert Texts("en").reason(str(raised.value)) == str(raised.value)


def test_values_are_put_into_words_and_quoted_texts_stay() -> None:
    say = Texts("ko")
    stale = "'one' is out of date: the inputs of stage train have changed since; 'evenray evaluate one' brings it up to date."
    assert say.reason(stale).startswith("'one' 실행이 최신이 아닙니다: train 단계의 입력이")
    nested = "is damaged: valid has a shape of its own"
    assert say.reason(nested) == "손상되었습니다: valid has a shape of its own"
    assert say.reason("has a damaged member 'is not a file.npy'") == "'is not a file.npy' 항목이 손상되었습니다"
    assert say.reason("nobody knows this") == "nobody knows this"
    assert say.reason("side 3 (trained on from 5 up)") == "한 변의 길이 3(학습 영상: 5 이상)"
    assert all(re.search("[가-힣]", say.reason(NAMES.get(name, name))) for name in (*PLAIN, *NAMES))
    long = "There is no " * 100_000
    assert say.reason(long) == long


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reason_is_written_twice(language: str) -> None:
    said = [text for key, text in Texts("en").texts.items() if key.startswith("reason.")]
    assert len(said) == len(set(said))
    assert Texts(language).reason(said[0])


@pytest.fixture(scope="module")
def zeros() -> Image:
    import numpy as np

    return Image(np.zeros((8, 8), np.uint8), (0, 255))
