"""The grammar of --column: which column means what, and what its values are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from evenray.core.errors import UsageError

from .meanings import MEANINGS

__all__ = ["Asked", "columns_asked"]

ALIASES = {"image": "path", "file": "path", "part": "split", "finding": "findings", "class": "label"}
EXAMPLES = "such as path=Name,label=Abnormality, or label=dx:mel+bcc=malignant,*=benign"
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",:=+"]+)|([,:=+])')


@dataclass(frozen=True)
class Asked:
    """What --column says: the columns of each meaning, and by meaning what values become; "" makes one missing.

    `rest` is what all other values become (`*`), by meaning.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    rest: dict[str, str] = field(default_factory=dict)

    @property
    def used(self) -> set[str]:
        """All columns that are named."""
        return {column for columns in self.columns.values() for column in columns}

    def without(self, places: Collection[str]) -> Asked:
        """The same but for what is said of some columns, which something else reads."""
        kept = {meaning: tuple(name for name in names if name not in places) for meaning, names in self.columns.items()}
        return replace(self, columns={meaning: names for meaning, names in kept.items() if names})


def columns_asked(texts: Iterable[str]) -> Asked:
    """Read MEANING=COLUMN[+COLUMN][:VALUE[+VALUE]=NAME,...,*=NAME], several joined by commas.

    A name that holds one of `,:=+` stands in double quotes. Raises UsageError for anything else.

    >>> columns_asked(["path=Name,label=dx:mel+bcc=malignant,*=benign"])  # doctest: +NORMALIZE_WHITESPACE
    Asked(columns={'path': ('Name',), 'label': ('dx',)}, values={'label': {'mel': 'malignant', 'bcc': 'malignant'}},
          rest={'label': 'benign'})
    >>> columns_asked(['findings=Edema+"Mass, large"', "label=Target:0=benign,1=malignant,?="]).values
    {'label': {'0': 'benign', '1': 'malignant', '?': ''}}
    """
    asked = Asked()
    for text in texts:
        _read(asked, text)
    return asked


def _read(asked: Asked, text: str) -> None:
    meaning = None
    for piece in _pieces(text):
        names, *more = _split(piece, "=")
        left = _names(names)
        start = ALIASES.get(left[0], left[0]) if len(left) == 1 else None
        if start in MEANINGS and more and not _quoted(names):
            meaning, right = start, piece[piece.index(("=", True)) + 1 :]
            columns, *mapping = _split(right, ":")
            if meaning in asked.columns and meaning not in ("ignore", "fill"):
                raise UsageError(f"--column names {meaning} twice ('{text}'); name it once.")
            asked.columns[meaning] = asked.columns.get(meaning, ()) + tuple(_names(columns))
            if len(asked.columns[meaning]) > 1 and meaning not in ("ignore", "label", "findings", "path", "fill"):
                raise UsageError(f"--column gives {meaning} several columns ('{text}'); name one.")
            if not any(asked.columns[meaning]):
                raise _wrong(text)
            if mapping:
                _add_value(asked, meaning, [token for part in mapping for token in part], text)
        elif meaning is None:
            raise _wrong(text)
        else:
            _add_value(asked, meaning, piece, text)


def _add_value(asked: Asked, meaning: str, piece: list[tuple[str, bool]], text: str) -> None:
    parts = _split(piece, "=")
    if len(parts) != 2:
        raise _wrong(text)
    name = "".join(token for token, _ in parts[1]).strip()
    for value in _names(parts[0]):
        if value == "*":
            asked.rest[meaning] = name
        else:
            asked.values.setdefault(meaning, {})[value] = name


def _pieces(text: str) -> list[list[tuple[str, bool]]]:
    """The tokens between commas, each with whether it is one of the signs."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise UsageError(
                f"--column is '{text}'; a double quote stands at both ends of a name, as in label=\"a, b\"."
            )
        quoted, plain, sign = found.groups()
        tokens.append((sign, True) if sign else (quoted if quoted is not None else plain.strip(), False))
        at = found.end()
    return _split(tokens, ",")


def _split(tokens: list[tuple[str, bool]], sign: str) -> list[list[tuple[str, bool]]]:
    found: list[list[tuple[str, bool]]] = [[]]
    for token in tokens:
        if token == (sign, True):
            found.append([])
        else:
            found[-1].append(token)
    return found


def _names(tokens: list[tuple[str, bool]]) -> list[str]:
    return ["".join(token for token, _ in part).strip() for part in _split(tokens, "+")]


def _quoted(tokens: list[tuple[str, bool]]) -> bool:
    return len(tokens) != 1


def _wrong(text: str) -> UsageError:
    return UsageError(f"--column is '{text}'; give MEANING=COLUMN, {EXAMPLES}. Meanings are {', '.join(MEANINGS)}.")
