"""The form of a new run, from the recipe's own declaration; and what was filled in, as a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from evenray.core.forms import parsed
from evenray.core.recipe import Recipe
from evenray.core.settings import DATA, METHOD, Declared, declared
from evenray.core.texts import Texts

__all__ = ["Field", "fields_of", "recipe_of", "typed"]

FEW = ("contrast", "balance", "network", "effort", "threshold", "seed")  # shown before all others
SEVERAL = ("specs", "names", "texts", "values")  # typed one a line


class Field(BaseModel):
    """A field: `form` as `Declared` has it; `default` is what the setting is where nothing is typed."""

    name: str
    label: str
    help: str
    panel: str
    form: str
    whole: bool
    choices: tuple[str, ...]
    default: str
    value: str
    first: bool


def fields_of(texts: Texts, recipe: Recipe | None = None) -> list[Field]:
    """Every setting of a recipe, as it is typed; those of `recipe` filled in where it says something else than the default."""
    order = {DATA: 0, METHOD: 1}
    found = [
        _field(about, texts, recipe) for about in declared(Recipe).values() if about.name not in ("exclude", "column")
    ]
    return sorted(
        found, key=lambda field: (not field.first, FEW.index(field.name) if field.first else order.get(field.panel, 2))
    )


def _field(about: Declared, texts: Texts, recipe: Recipe | None) -> Field:
    value = about.default if recipe is None else getattr(recipe, about.name)
    given = typed(about, value) if value != about.default else ""
    return Field(
        name=about.name, label=texts.texts.get(f"recipe.{about.name}", about.name.replace("_", " ")),
        help=texts.texts.get(f"app.setting.{about.name}", about.help), panel=about.panel, form=about.form, whole=about.whole,
        choices=about.choices, default=typed(about, about.default), value=given, first=about.name in FEW,
    )  # fmt: skip


def typed(about: Declared, value: Any) -> str:
    """A value as a person types it into a form: several one a line.

    >>> about = declared(Recipe)
    >>> typed(about["contrast"], ("none", "clahe(clip=2)")), typed(about["flips"], True), typed(about["size"], None)
    ('none\\nclahe(clip=2)', 'true', '')
    """
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if about.form == "pair":
        return ",".join(f"{part:g}" for part in value)
    if isinstance(value, Mapping):
        pairs = [f"{name}={item}" for name, item in value.items()]
        return ("\n" if about.form in SEVERAL else ",").join(pairs)
    return "\n".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def recipe_of(filled: Mapping[str, str], base: Recipe | None = None) -> Recipe:
    """The recipe that was typed: what is empty is as by default, and what no form shows as in `base`. UsageError that names the
    setting where it cannot be.

    >>> recipe_of({"contrast": "none\\nequalize", "size": "64", "flips": "true"}).contrasts
    ('none', 'equalize')
    """
    about = declared(Recipe)
    kept = {} if base is None else {name: getattr(base, name) for name in ("exclude", "column")}
    values = {
        name: parsed(about[name], _value(about[name], text))
        for name, text in filled.items()
        if name in about and text.strip()
    }
    return Recipe(**{**kept, **values})


def _value(about: Declared, text: str) -> Any:
    if about.form in SEVERAL:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text.strip() == "true" if about.form == "flag" else text.strip()
