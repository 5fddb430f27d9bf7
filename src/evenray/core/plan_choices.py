"""What of the plan can be chosen that has no option of its own."""

from __future__ import annotations

from typing import Any

from .errors import UsageError, unknown_name

__all__ = ["CHOOSABLE", "check_choice"]

# The values, or the least whole number, that each choice takes; str is a spec.
CHOOSABLE: dict[str, tuple[Any, ...] | int | type[str]] = {
    "channels": (1, 3), "members": 1, "keep": ("best", "last"), "compare_networks": str, "compare_size": 28, "compare_epochs": 1,
    "compare_cases": 20,
}  # fmt: skip


def check_choice(name: str, value: Any) -> None:
    """UsageError for a choice that there is none of, or that takes no such value."""
    if name not in CHOOSABLE:
        raise unknown_name("choice of the plan without an option of its own", name, CHOOSABLE)
    allowed = CHOOSABLE[name]
    if isinstance(allowed, int):
        if type(value) is not int or value < allowed:
            raise UsageError(f"{name} is {value}; give a whole number from {allowed} up.")
    elif isinstance(allowed, tuple):
        if value not in allowed:
            raise UsageError(f"{name} is {value}; give {' or '.join(map(str, allowed))}.")
    elif not isinstance(value, allowed):
        raise UsageError(f"{name} is {value}; give one network, such as 'vgg11_bn(width=0.25)'.")
