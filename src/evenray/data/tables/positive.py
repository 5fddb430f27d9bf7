"""The positive class: the one that sensitivity is measured on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from evenray.core.errors import UsageError
from evenray.core.messages import Message

__all__ = ["no_class", "positive_class"]

# What does not mean disease, in small letters with blanks; 양성 is not here: it says positive as often as benign.
HEALTHY = {
    "normal", "normals", "healthy", "negative", "neg", "benign", "control", "controls", "unremarkable", "absent",
    "no finding", "no findings", "no disease", "none", "no", "false", "0", "-1",
    "gesund", "unauffällig", "unauffaellig", "negativ", "gutartig", "kontrolle", "kein befund", "ohne befund", "nein",
    "sain", "saine", "normale", "normaux", "négatif", "negatif", "négative", "bénin", "bénigne", "témoin", "non",
    "sano", "sana", "sanos", "negativo", "negativa", "benigno", "benigna", "sin hallazgos", "normali",
    "saudável", "saudavel", "saudáveis", "não", "nao", "sem achados", "controle", "controllo",
    "正常", "正常例", "健康", "健常", "健常者", "陰性", "阴性", "良性", "異常なし", "所見なし", "无异常", "未见异常", "对照",
    "정상", "정상군", "음성", "건강", "건강인", "이상 없음", "이상없음", "소견 없음", "소견없음", "대조군",
}  # fmt: skip


def healthy(name: str) -> bool:
    """Whether a class's name, or one of several in it, says that there is no disease.

    >>> healthy("Unauffällig"), healthy("normal, benign"), healthy("No_Finding"), healthy("음성"), healthy("양성")
    (True, True, True, True, False)
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    words = [re.sub(r"(?<=\w)[\s_-]+", " ", word.strip()).strip() for word in re.split(r"[,/;、，]", plain)]
    return not HEALTHY.isdisjoint(words)


def no_class(asked: str, classes: Iterable[str]) -> UsageError:
    """The error where the positive class that was asked for does not exist."""
    known = ", ".join(sorted(classes))
    return UsageError(
        f"There is no class named '{asked}'; {f'the classes are: {known}' if known else 'there are none'}."
    )


def positive_class(classes: tuple[str, ...], counts: dict[str, int], asked: str | None) -> tuple[str, Message | None]:
    """The positive class and why: the one asked for, the only one that is not healthy, or the rarest.

    >>> positive_class(("NORMAL", "PNEUMONIA"), {"NORMAL": 5, "PNEUMONIA": 9}, None)
    ('PNEUMONIA', Message(code='scan.positive_named', values={}))
    """
    if asked is not None:
        if asked not in classes:
            raise no_class(asked, classes)
        return asked, Message("scan.positive_asked")
    if not classes:
        return "", None
    diseased = [name for name in classes if not healthy(name)]
    if len(diseased) == 1:
        return diseased[0], Message("scan.positive_named")
    candidates = diseased or list(classes)
    chosen = min(candidates, key=lambda name: (counts[name], name))
    several = sum(counts[name] == counts[chosen] for name in candidates) > 1
    return chosen, Message("scan.positive_first" if several else "scan.positive_rarest")
