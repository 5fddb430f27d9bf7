"""Names of files as text: they may hold any bytes, and what holds text takes UTF-8, what shows it no control characters."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

__all__ = ["as_path", "as_text", "printable", "printable_json"]

# Control characters, marks that turn the direction of reading, breaks of lines, and bytes that are no UTF-8 (PEP 383).
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
ESCAPED = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")


def printable(text: str) -> str:
    r"""A text that can be written anywhere and moves no cursor: what cannot be printed stands as \x1b or \u202e.

    >>> printable("scan 1.png"), printable("bad\udcff\x1b[31m.png"), printable("\u202egnp.png")
    ('scan 1.png', 'bad\\xff\\x1b[31m.png', '\\u202egnp.png')
    """
    return UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def printable_json(text: str) -> str:
    """JSON text of one line with the same meaning and nothing in it that steers a terminal.

    >>> printable_json('"a\\u202e"') == '"a\\\\u202e"'
    True
    """
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_text(path: str | Path) -> str:
    """The name of a file as text to keep in a table, or to show; `as_path` finds the file again."""
    return printable(str(path))


def as_path(text: str | Path) -> Path:
    r"""The file that `as_text` named.

    A name that holds a backslash, an x and two digits itself is taken as it stands where there is such a file.

    >>> str(as_path(as_text("bad\udcff\n.png"))) == "bad\udcff\n.png"
    True
    """
    path, there = Path(text), False
    with suppress(OSError):  # a name that no file can have
        there = "\\" not in str(text) or path.exists()
    return path if there else Path(ESCAPED.sub(_meant, str(text)))


def _meant(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code + 0xDC00 if found[1] and code >= 0x80 else code)
