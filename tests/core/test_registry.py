"""Registries: lazy, explicit, and clear about what is wrong with a step."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Gt, Le

from evenray.core.errors import UsageError
from evenray.core.registry import Registry


def shift(
    context: str, by: Annotated[float, Gt(0), Le(10)] = 1.0, *, mode: str = "wrap", **more: Annotated[int, Gt(0)]
) -> Any:
    return context, by, mode, more


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setitem(sys.modules, "made_up_plugins", sys.modules[__name__])
    return Registry("shift", {"shift": "made_up_plugins:shift", "absent": "no_such_module:f"}, context=1)


def test_a_step_is_bound_with_its_defaults(registry: Registry) -> None:
    assert registry.bind("shift")("x") == ("x", 1.0, "wrap", {})
    assert registry.bind("shift(2, mode=clip, sick=3)")("x") == ("x", 2, "clip", {"sick": 3})


def test_nothing_is_imported_before_it_is_asked_for(registry: Registry) -> None:
    assert list(registry) == ["shift", "absent"]
    assert len(registry) == 2
    assert "absent" in registry
    assert "no_such_module" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        registry["absent"]


def test_the_parameters_leave_out_the_context(registry: Registry) -> None:
    assert list(registry.parameters("shift")) == ["by", "mode", "more"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("shfit", "There is no shift named 'shfit'; did you mean shift? Known: shift, absent."),
        ("shift(0)", "shift(0): by is 0, but input should be greater than 0"),
        ("shift(by=11)", "shift(by=11): by is 11, but input should be less than or equal to 10"),
        ("shift(much)", "shift(much): by is 'much', but input should be a valid number"),
        ("shift(1, 2)", "too many positional arguments; shift takes by=1.0, mode=wrap"),
        ("shift(1, by=2)", "multiple values for argument 'by'"),
        ("shift(sick=-1)", "sick is -1, but input should be greater than 0"),
    ],
)
def test_a_wrong_step_is_refused_with_value_expectation_and_fix(registry: Registry, spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        registry.bind(spec)


def test_every_table_of_the_package_names_functions_that_exist() -> None:
    from evenray.data.audit import checks
    from evenray.images.contrast import contrasts
    from evenray.images.readers import readers
    from evenray.learning.balance import balances
    from evenray.learning.networks import networks
    from evenray.metrics import rules

    for table in (contrasts, balances, networks, checks, readers, rules):
        assert all(callable(table[name]) for name in table), table.kind
        for target in table.table.values():
            module = target.partition(":")[0]
            assert Path(str(sys.modules[module].__file__)).name == f"{module.rpartition('.')[2]}.py"
