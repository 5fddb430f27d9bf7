"""Tables as text: two encodings are read, the others refused, and no letter is ever replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError, UsageError
from evenray.data.scan import read_exclusions

from ..conftest import read_labels

WORDS = ("정상", "폐렴", "결핵")
KOREAN = "image,target\n" + "".join(f"{i}.png,{word}\n" for i, word in enumerate(WORDS))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_whole(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(KOREAN.encode(encoding))
    assert read_labels(path).table["label"].to_list() == list(WORDS)


def test_utf_16_as_excel_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(KOREAN.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"))
    assert read_labels(path).table.to_dicts()[1] == {"path": "1.png", "label": "폐렴"}


@pytest.mark.parametrize(
    ("text", "encoding", "line"),
    [(KOREAN, "cp949", 2), ("image,target\na,sain\nb,opacité\n", "cp1252", 3), ("image,target\na,sain\nb,é\n", "latin-1", 3),
     (KOREAN, "utf-16-le", 1)],
)  # fmt: skip
def test_what_is_not_unicode_is_refused_with_its_first_line(
    tmp_path: Path, text: str, encoding: str, line: int
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DataError, match=rf"t\.csv' is not UTF-8: line {line} \(.*save it as 'CSV UTF-8'"):
        read_labels(path)


def test_utf_16_that_is_cut_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(KOREAN.encode("utf-16")[:-1])
    with pytest.raises(DataError, match="begins as UTF-16 and is damaged at byte"):
        read_labels(path)


def test_exclusions_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes("case,reason\n정상/a.png,흐림\n".encode("cp949"))
    with pytest.raises(UsageError, match=r"plan\.csv' is not UTF-8: line 2"):
        read_exclusions(path)
