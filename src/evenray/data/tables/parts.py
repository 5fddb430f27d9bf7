"""The words that people have for the parts of a split."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["PARTS", "part_of", "parts_of"]

WORDS = {
    "train": ("train", "training", "trainval", "train val", "train and val", "train and validation", "training and validation",
              "학습", "훈련", "学習", "訓練", "训练", "entraînement", "entrenamiento",
              "treino", "addestramento"),
    "validation": ("validation", "val", "valid", "validate", "validating", "dev", "tune", "tuning", "검증", "検証", "验证",
                   "validierung", "validación", "validação", "validazione"),
    "test": ("test", "testing", "holdout", "hold out", "held out", "heldout", "시험", "테스트", "テスト", "测试",
             "prueba", "teste"),
}  # fmt: skip
PART = {word: part for part, words in WORDS.items() for word in words}
# The words that the names of arrays in MedMNIST files use, and their usual variants.
PARTS = {word: PART[word] for word in ("train", "training", "val", "valid", "validation", "dev", "test", "testing")}
THINGS = re.compile(
    r"\s*(sets?|splits?|data|datasets?|part|partition|용|데이터|데이터셋|세트|셋|데이터 세트|データ|集)$"
)

FOLLOWED = re.compile(r"[-_ ]?(?:[A-D]|\d{1,4})$")


@lru_cache(4096)
def part_of(word: str) -> str | None:
    """The part that a word or a folder's name means; None where it means none.

    >>> part_of("Training set"), part_of("val_set"), part_of("TEST"), part_of("hold-out"), part_of("검증용"), part_of("fold 1")
    ('train', 'validation', 'test', 'test', 'validation', None)
    """
    plain = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", word).lower()).strip()
    return PART.get(plain) or PART.get(THINGS.sub("", plain))


def parts_of(words: Iterable[str]) -> dict[str, str] | None:
    """The part that each word means, None where one means none. Where they mean several parts, more may stand beside that, as in
    TestA and test_images; where they mean one, such words count something else.

    >>> parts_of(["Train", "TestA", "Test-B"]), parts_of(["train_1", "train_2"]), parts_of(["train", "normal"])
    ({'Train': 'train', 'TestA': 'test', 'Test-B': 'test'}, None, None)
    >>> parts_of(["train_images", "test_simple", "train_and_validation_sets"])
    {'train_images': 'train', 'test_simple': 'test', 'train_and_validation_sets': 'train'}
    """
    words = list(words)
    plain = {word: part for word in words if (part := part_of(word))}
    if len(plain) == len(words):
        return plain
    found = {word: plain.get(word) or part_of(FOLLOWED.sub("", word)) or _one_within(word) for word in words}
    known = {word: part for word, part in found.items() if part is not None}
    return known if len(known) == len(words) and len(set(known.values())) > 1 else None


def _one_within(word: str) -> str | None:
    """The only part that one of the words within a word means."""
    parts = {part for each in re.split(r"(?<=[a-z])(?=[A-Z])|[\W_]+", word) if (part := part_of(each))}
    return parts.pop() if len(parts) == 1 else None
