"""The positive class: the one that sensitivity is measured on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from evenray.core.errors import UsageError
from evenray.core.messages import Message

__all__ = ["ask_for_positive", "healthy", "no_class", "positive_class"]

# What does not mean disease, in small letters with blanks; 양성 is not here: it says positive as often as benign.
HEALTHY = {
    "normal", "normals", "healthy", "well", "negative", "neg", "benign", "control", "controls", "unremarkable", "absent", "clear",
    "no finding", "no findings", "no disease", "disease free", "none", "no", "false", "0", "-1", "healthy control", "hc", "clean",
    "gesund", "gesunde", "unauffällig", "unauffaellig", "negativ", "gutartig", "kontrolle", "kein befund", "ohne befund", "nein",
    "sain", "saine", "sains", "normale", "normaux", "négatif", "negatif", "négative", "bénin", "bénigne", "témoin", "non", "aucun",
    "sano", "sana", "sanos", "sanas", "negativo", "negativa", "benigno", "benigna", "sin hallazgos", "normali", "normales",
    "saudável", "saudavel", "saudáveis", "não", "nao", "sem achados", "controle", "controllo", "ninguno",
    "正常", "正常例", "健康", "健常", "健常者", "陰性", "阴性", "良性", "異常なし", "所見なし", "无异常", "未见异常", "对照", "無所見",
    "無病変",
    "정상", "정상군", "음성", "건강", "건강인", "이상 없음", "이상없음", "소견 없음", "소견없음", "대조군", "무병변", "없음",
}  # fmt: skip
# Words before or after what is denied: no_tumor, non-COVID, without mass, 결핵아님, 無病変, sans lésion.
DENIED = re.compile(
    r"(no|non|not|without|w/o|absence of|free of|negative for|kein|keine|keinen|ohne|nicht|pas de|sans|aucun|aucune|sin|ningún"
    r"|ninguna|sem|senza) \w.*"
    r"|un ?(infected|affected|diseased|remarkable)"
    r"|(no|non)(tumou?r|covid|disease|cancer|lesion|finding|pneumonia|glaucoma|nodule|mass)s?"
    r"|.*\w (free|negative|normal|absent)|.*\w ?(아님|아닌|없음|없는|음성|正常|陰性|阴性|なし|ではない)"
    r"|(无|無|未见)\w+|비(감염|질환)\w*|무(증상|소견|병변)\w*"
)
# What looks denied or healthy and is not: abnormal, 비정상, 異常, nodule.
SICK = re.compile(r"(.* )?((ab|un|not |non )?abnormal\w*|(ab|not |non )normal\w*)|비정상.*|異常|异常"
                  r"|non ?(specific|small cell|hodgkin|benign).*|not (well|healthy|benign|clear)"
                  r"|unhealthy|unwell|nicht (gesund|normal)|anormal\w*|unclear|un(known|determined|classified)")  # fmt: skip
FEW = 1 / 3  # a class of at most a third of the other is the one looked for, whatever it is called


def healthy(name: str) -> bool:
    """Whether a class's name, or one of several in it, says that there is no disease.

    >>> healthy("Unauffällig"), healthy("normal, benign"), healthy("No_Finding"), healthy("음성"), healthy("양성")
    (True, True, True, True, False)
    >>> [healthy(name) for name in ("non-COVID", "no_tumor", "notumor", "Uninfected", "not_glaucoma", "결핵아님", "disease_free")]
    [True, True, True, True, True, True, True]
    >>> [healthy(name) for name in ("abnormal", "비정상", "nodule", "non-small-cell", "Norwood", "unknown", "異常", "not normal")]
    [False, False, False, False, False, False, False, False]
    >>> healthy("ETT - Abnormal"), healthy("ETT - Normal"), healthy("knee not normal")
    (False, True, False)
    >>> healthy("Normal(Healthy skin)"), healthy("Abnormal(Ulcer)")
    (True, False)
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = re.sub(r"(?<=[a-z])(?=\d+$)", " ", plain)
    words = [re.sub(r"(?<=\w)[\s_-]+", " ", word.strip()).strip() for word in re.split(r"[,/;、，|()\[\]]", plain)]
    if not HEALTHY.isdisjoint(words):
        return True
    return any(DENIED.fullmatch(word) and not SICK.fullmatch(word) for word in words)


def no_class(asked: str, classes: Iterable[str]) -> UsageError:
    """The error where the positive class that was asked for does not exist."""
    known = ", ".join(sorted(classes))
    return UsageError(
        f"There is no class named '{asked}'; {f'the classes are: {known}' if known else 'there are none'}."
    )


def positive_class(classes: tuple[str, ...], counts: dict[str, int], asked: str | None) -> tuple[str, Message | None]:
    """The positive class and why: the one asked for, the only one that is not healthy, or the rarest.

    Of two classes of which both or neither look healthy, and none is rare, the reason is `scan.positive_doubtful`: nobody can
    tell which is meant, and a run asks.

    >>> positive_class(("NORMAL", "PNEUMONIA"), {"NORMAL": 5, "PNEUMONIA": 9}, None)
    ('PNEUMONIA', Message(code='scan.positive_named', values={}))
    >>> [positive_class(("양성", other), {"양성": 2, other: 9}, None)[0] for other in ("악성", "음성")]
    ['악성', '양성']
    >>> positive_class(("cat", "dog"), {"cat": 9, "dog": 5}, None)[1].code
    'scan.positive_doubtful'
    """
    if asked is not None:
        if asked not in classes:
            raise no_class(asked, classes)
        return asked, Message("scan.positive_asked")
    if not classes:
        return "", None
    diseased = [name for name in classes if not healthy(name) and not _benign_beside(name, classes)]
    if len(diseased) == 1 and len(classes) > 1:
        return diseased[0], Message("scan.positive_named")
    candidates = diseased or list(classes)
    chosen = min(candidates, key=lambda name: (counts[name], name))
    if len(classes) == 2 and counts[chosen] > FEW * max(counts.values()):
        return chosen, Message("scan.positive_doubtful")
    several = sum(counts[name] == counts[chosen] for name in candidates) > 1
    return chosen, Message("scan.positive_first" if several else "scan.positive_rarest")


def _benign_beside(name: str, classes: Iterable[str]) -> bool:
    """Whether 양성, which says positive as well as benign, stands beside 악성, malignant, and so means benign."""
    return "양성" in name and "악성" not in name and any("악성" in other for other in classes)


def ask_for_positive(classes: tuple[str, ...], counts: dict[str, int], asked: str | None) -> None:
    """UsageError where two classes do not tell which of them is the positive one."""
    _, why = positive_class(classes, counts, asked)
    if why is not None and why.code == "scan.positive_doubtful":
        first, second = classes
        look = "both look healthy" if healthy(first) else "neither looks healthy"
        raise UsageError(
            f"Which class is the positive one, which sensitivity is about: '{first}' ({counts[first]}) or '{second}'"
            f" ({counts[second]})? Of their names {look}; say --positive '{first}' or --positive '{second}'."
        )
