"""The words that people have for the parts of a split."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["PARTS", "part_of"]

WORDS = {
    "train": ("train", "training", "학습", "훈련", "学習", "訓練", "训练", "entraînement", "entrenamiento",
              "treino", "addestramento"),
    "validation": ("validation", "val", "valid", "validate", "validating", "dev", "tune", "tuning", "검증", "検証", "验证",
                   "validierung", "validación", "validação", "validazione"),
    "test": ("test", "testing", "holdout", "hold out", "held out", "heldout", "시험", "테스트", "テスト", "测试",
             "prueba", "teste"),
}  # fmt: skip
PART = {word: part for part, words in WORDS.items() for word in words}
# The words that the names of arrays in MedMNIST files use, and their usual variants.
PARTS = {word: PART[word] for word in ("train", "training", "val", "valid", "validation", "dev", "test", "testing")}
THINGS = re.compile(r"\s*(set|split|data|dataset|part|partition|용|데이터|데이터셋|세트|셋|데이터 세트|データ|集)$")


@lru_cache(4096)
def part_of(word: str) -> str | None:
    """The part that a word or a folder's name means; None where it means none.

    >>> part_of("Training set"), part_of("val_set"), part_of("TEST"), part_of("hold-out"), part_of("검증용"), part_of("fold 1")
    ('train', 'validation', 'test', 'test', 'validation', None)
    """
    plain = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", word).lower()).strip()
    return PART.get(plain) or PART.get(THINGS.sub("", plain))
