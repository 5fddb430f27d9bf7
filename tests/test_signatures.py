"""No dictionary of anything crosses a module: what public functions take and give has a type that says what is in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import evenray

SOURCE = Path(evenray.__file__).parent
OPEN = re.compile(r"([dD]ict|Mapping)\[(typing\.)?str, *(typing\.)?(Any|object)\]")
AT_THE_EDGE = ("as_json", "of_json", "of")  # methods from and to JSON

# What may stay, by its dotted name (a star stands for any), with the reason.
ALLOWED = {
    "verbs._line.Settings": "settings of a verb by name, before the recipe checks them",
    "cli._options.given": "settings of a verb by name, before the recipe checks them",
    "cli._options.of_settings": "annotations of options, which typer reads and to which Python gives no type",
    "cli._options.of_stages": "annotations of options, which typer reads and to which Python gives no type",
    "cli._options.signed": "annotations of options, which typer reads and to which Python gives no type",
    "serve.application.refused_with": "what a route may answer, as FastAPI takes it",
    "reporting.sections.*.Row": "a row of a table as polars gives it, for the template of the section",
    "reporting.sections.threshold.Script": "what the script of the page reads, as JSON",
}


def signatures(tree: ast.AST, name: str) -> Iterator[tuple[str, list[ast.expr | None]]]:
    """The public functions, methods and properties of a module with their annotations, and the aliases of types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If | ast.Try):
            yield from signatures(node, name)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from signatures(node, f"{name}.{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            asked = node.args
            taken = [*asked.posonlyargs, *asked.args, *asked.kwonlyargs, asked.vararg, asked.kwarg]
            yield f"{name}.{node.name}", [node.returns, *(each.annotation for each in taken if each)]
        elif (
            isinstance(node, ast.Assign)
            and isinstance(tree, ast.Module)
            and isinstance(node.value, ast.Subscript | ast.BinOp)
        ):
            yield f"{name}.{ast.unparse(node.targets[0])}", [node.value]


def breaches(source: Path) -> set[str]:
    found = set()
    for path in source.rglob("*.py"):
        module = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for name, types in signatures(ast.parse(path.read_text(encoding="utf-8")), module):
            if any(OPEN.search(ast.unparse(each)) for each in types if each):
                found.add(name)
    return {name for name in found if name.rpartition(".")[2] not in AT_THE_EDGE}


def test_signatures_say_what_is_in_a_dictionary() -> None:
    assert {name for name in breaches(SOURCE) if not any(fnmatchcase(name, entry) for entry in ALLOWED)} == set()


def test_nothing_is_allowed_in_vain() -> None:
    found = breaches(SOURCE)
    assert [entry for entry in ALLOWED if not any(fnmatchcase(name, entry) for name in found)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(x: dict[str, Any]) -> None: ...", {"data.gadgets.f"}),
        ("def f(*, x: Mapping[str, Any] | None = None) -> None: ...", {"data.gadgets.f"}),
        ("async def f() -> 'list[dict[str, Any]]': ...", {"data.gadgets.f"}),
        ("def f(*x: typing.Mapping[str, typing.Any]): ...", {"data.gadgets.f"}),
        ("def f() -> tuple[int, dict[str, object]]: ...", {"data.gadgets.f"}),
        ("if TYPE_CHECKING:\n    def f() -> dict[str, Any]: ...", {"data.gadgets.f"}),
        ("class Gadget:\n    @property\n    def size(self) -> dict[str, Any]: ...", {"data.gadgets.Gadget.size"}),
        ("Sizes = Mapping[str, Any]\ndef f(x: Sizes) -> None: ...", {"data.gadgets.Sizes"}),
        ("Sizes = dict[str, Any] | None", {"data.gadgets.Sizes"}),
        ("class Gadget:\n    def as_json(self) -> dict[str, Any]: ...", set()),
        ("class _Gadget:\n    def size(self) -> dict[str, Any]: ...", set()),
        ("def _f(x: dict[str, Any]) -> None: ...", set()),
        ("def f(x: dict[str, int], **settings: Any) -> None:\n    y: dict[str, Any] = {}", set()),
        ("def f(x: int) -> None:\n    def inner(y: dict[str, Any]) -> None: ...", set()),
    ],
)
def test_a_planted_function_is_found(tmp_path: Path, code: str, found: set[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gadgets.py").write_text(code)
    assert breaches(tmp_path) == found
