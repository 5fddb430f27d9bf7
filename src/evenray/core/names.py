"""Names of files as text: they may hold any bytes, and what holds text takes UTF-8, what shows it no control characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["as_path", "as_text", "in_utf8", "printable", "printable_json"]

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
    r"""The name of a file as text to keep in a table, or to show; `as_path` finds the file again.

    >>> as_text("bad\udcff.png"), as_text(r"odd\xff.png")
    ('bad\\xff.png', 'odd\\x5cxff.png')
    """
    return printable(ESCAPED.sub(lambda found: f"\\x5c{found[0][1:]}", str(path)))


def as_path(text: str | Path) -> Path:
    r"""The file that `as_text` named.

    A text that is a name as it stands, for there is such a file, is that file.

    >>> all(str(as_path(as_text(name))) == name for name in ("bad\udcff\n.png", r"odd\xff.png", "a/b.png"))
    True
    """
    path, there = Path(text), False
    with suppress(OSError):  # a name that no file can have
        there = "\\" not in str(text) or path.exists()
    return path if there else Path(ESCAPED.sub(_meant, str(text)))


@contextmanager
def in_utf8(path: Path) -> Iterator[Path]:
    """A name in UTF-8 of a file to read or to write, for libraries that take no other: a link, where it has none itself."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with TemporaryDirectory(prefix="evenray-") as folder:
            link = Path(folder, "file").with_suffix(path.suffix if path.suffix.isascii() else "")
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path


def _meant(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code + 0xDC00 if found[1] and code >= 0x80 else code)
