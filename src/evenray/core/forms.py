"""What is typed for a setting, on a command line or in a form, as the value that it stands for."""

from __future__ import annotations

import re
from typing import Any

from .errors import UsageError
from .settings import Declared

__all__ = ["numbers_by_class", "parsed"]

EXAMPLES = {"class_weights": "sick=0.75,healthy=0.25", "cost": "sick=500,healthy=1"}


def parsed(about: Declared, value: Any) -> Any:
    """The value of a setting; UsageError where the text does not have its form."""
    if about.form == "specs":
        specs = [spec for text in value for spec in _specs(text)]
        return specs[0] if len(specs) == 1 else tuple(dict.fromkeys(specs))
    if about.form == "names":
        return tuple(dict.fromkeys(name for text in value for name in _specs(text)))
    if about.form == "texts":
        return tuple(value)
    if about.form == "values":
        return dict(_choice(about.option, text) for text in value)
    if about.form == "pair":
        return _pair(about, value)
    return _shares(about.option, value) if about.form == "shares" else value


def _specs(text: str) -> list[str]:
    """Split at commas outside of brackets.

    >>> _specs("none, clahe(clip=2, tiles=8)")
    ['none', 'clahe(clip=2, tiles=8)']
    """
    depth, found = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [spec.strip() for spec in found if spec.strip()]


def _pair(about: Declared, text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{about.option} is '{text}'; {about.expected}, such as {about.example}.") from None
    return low, high


def _choice(option: str, text: str) -> tuple[str, int | str]:
    """
    >>> _choice("--choose", "compare_size=64"), _choice("--choose", "keep=last")
    (('compare_size', 64), ('keep', 'last'))
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise UsageError(f"{option} is '{text}'; give NAME=VALUE, such as keep=last.")
    return name, int(value) if value.isdecimal() else value


def _shares(option: str, text: str) -> float | dict[str, float]:
    """A share, or one for each class.

    >>> _shares("--prevalence", "0.01"), _shares("--prevalence", "1%"), _shares("--prevalence", "normal=0.9, sick=0.1")
    (0.01, 0.01, {'normal': 0.9, 'sick': 0.1})
    """
    if "=" in text:
        return numbers_by_class(option.removeprefix("--"), text)
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise UsageError(f"{option} is '{text}'; give a share such as 0.01, or one for each class.") from None


def numbers_by_class(name: str, text: str) -> dict[str, float]:
    """CLASS=NUMBER,CLASS=NUMBER, each class once; class names may hold blanks and commas.

    >>> numbers_by_class("cost", "normal, benign=1, malignant=3")
    {'normal, benign': 1.0, 'malignant': 3.0}
    """
    option = f"--{name.replace('_', '-')}"
    example = EXAMPLES.get(name, "sick=0.01,healthy=0.99")
    wrong = UsageError(f"{option} is '{text}'; give CLASS=NUMBER,CLASS=NUMBER, such as {example}.")
    pairs = re.findall(r"\s*([^=,][^=]*?)\s*=\s*([^,=]+?)\s*(?:,|$)", text)
    if not pairs or "".join(text.split()) != ",".join("".join(f"{name}={value}".split()) for name, value in pairs):
        raise wrong
    numbers: dict[str, float] = {}
    for class_name, value in pairs:
        if class_name in numbers:
            raise UsageError(
                f"{option} names the class '{class_name}' twice, with {numbers[class_name]:g} and with {value}; give each class"
                " one number."
            )
        try:
            numbers[class_name] = float(value)
        except ValueError:
            raise wrong from None
    return numbers
