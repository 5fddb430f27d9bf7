"""The two inner loops of global methods, compiled: counting 16-bit values and looking them up.

OpenCV has both. These take four values from memory at a time; count with counters of 16 bits, which stay in the first
cache, two for each value, so that neighbours that are alike do not wait for each other; and gather sixteen results in a
vector before they write. On 3000 x 3000 pixels of 12 bits with one thread that is 2.6 ms for the counts where OpenCV takes
3.1 (3.6 and 7.3 on a smooth image), and 1.6 for the look-up where OpenCV takes 2.7. See `fast.py` for when they are used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .compiled import compiled

__all__ = ["BOUNDARY", "add_marginals", "count_words", "look_up_words", "stream_words"]

BOUNDARY = 32  # bytes of the vectors that are written
_FLUSH = 32_766  # words of four values after which a 16-bit counter could be full; even, for their halves


@compiled
def count_words(words: NDArray[np.uint64], mask: np.uint64, counts: NDArray[np.uint32]) -> np.uint64:
    """Add the counts of the values in `words`, four of 16 bits each, to counts (mask + 1,); all of them or-ed together.

    Counts of 32 bits, so that all tables stay in the first cache. Values above `mask` are counted at their lower bits:
    where what comes back has other bits, count again with more.
    """
    seen, both = np.uint64(0), np.zeros(2 * counts.shape[0], np.uint16)
    for start in range(0, words.shape[0], _FLUSH):
        seen |= _tally(words[start : start + _FLUSH], mask, both)
        _flush(both, counts)
    return seen


@compiled
def _tally(words: NDArray[np.uint64], mask: np.uint64, both: NDArray[np.uint16]) -> np.uint64:
    """Two counters a value, `both[2 * value]` for the even of a word's four values, the next for the odd ones.

    An odd last word counts in the first alone. Two counters beside each other are written at once where neighbours are
    alike, without waiting for each other; words of both halves come in turn, as neighbouring words are alike too.
    """
    seen, unit, half = np.uint64(0), np.uint16(1), words.shape[0] // 2
    odd, place = np.uint64(1), mask << np.uint64(1)
    for k in range(half):
        here, far = words[k], words[k + half]
        seen |= here | far
        both[here << odd & place] += unit
        both[here >> np.uint64(15) & place | odd] += unit
        both[far << odd & place] += unit
        both[far >> np.uint64(15) & place | odd] += unit
        both[here >> np.uint64(31) & place] += unit
        both[here >> np.uint64(47) & place | odd] += unit
        both[far >> np.uint64(31) & place] += unit
        both[far >> np.uint64(47) & place | odd] += unit
    for k in range(2 * half, words.shape[0]):
        seen |= words[k]
        for shift in (0, 16, 32, 48):
            both[(words[k] >> np.uint64(shift) & mask) << odd] += unit
    return seen


@compiled
def _flush(both: NDArray[np.uint16], counts: NDArray[np.uint32]) -> None:
    for k in range(counts.shape[0]):
        counts[k] += np.uint32(both[2 * k]) + np.uint32(both[2 * k + 1])
    both[:] = 0


@compiled
def add_marginals(counts: NDArray[np.uint32], total: NDArray[np.int64]) -> None:
    """Add to total (256,) how often each byte occurs in values of two bytes of which there are counts (65536,)."""
    for high in range(256):
        row, every = counts[high * 256 : high * 256 + 256], np.int64(0)
        for low in range(256):
            total[low] += row[low]
            every += row[low]
        total[high] += every


def _sixteen(past_caches: bool) -> Any:
    """outcome[index * 16 : index * 16 + 16] = table[the sixteen values in words[index * 4 : index * 4 + 4]], for loops.

    Written for LLVM, as numba makes single writes of it, which take half as long again.
    """

    def typed(_context: Any, table: Any, words: Any, outcome: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            entries, values, written = (
                context.make_array(kind)(context, builder, given).data
                for kind, given in zip(signature.args[:3], arguments[:3], strict=True)
            )
            long, every = ir.IntType(64), ir.VectorType(ir.IntType(16), 16)
            first = builder.mul(arguments[3], long(4))
            four = [builder.load(builder.gep(values, [builder.add(first, long(k))])) for k in range(4)]
            found = ir.Constant(every, ir.Undefined)
            for k in range(16):
                value = builder.and_(builder.lshr(four[k // 4], long(k % 4 * 16)), long(65_535))
                found = builder.insert_element(found, builder.load(builder.gep(entries, [value])), ir.IntType(32)(k))
            target = builder.bitcast(builder.gep(written, [builder.mul(arguments[3], long(16))]), every.as_pointer())
            store = builder.store(found, target, align=BOUNDARY if past_caches else 2)
            if past_caches:
                store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
            return context.get_dummy_value()

        return types.void(table, words, outcome, index), generate

    return intrinsic(typed)


_look_up_sixteen, _stream_sixteen = _sixteen(past_caches=False), _sixteen(past_caches=True)


@intrinsic
def _settle(_context: Any) -> Any:
    """Wait until what was written past the caches can be read by other threads."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@compiled
def look_up_words(words: NDArray[np.uint64], table: NDArray[np.uint16], outcome: NDArray[np.uint16]) -> None:
    """The values in `words`, four of 16 bits each, through table (65536,) into outcome, (4 x words,).

    The number of words is a multiple of four.
    """
    for index in range(words.shape[0] // 4):
        _look_up_sixteen(table, words, outcome, index)


@compiled
def stream_words(words: NDArray[np.uint64], table: NDArray[np.uint16], outcome: NDArray[np.uint16]) -> None:
    """`look_up_words` that writes past the caches, into an outcome that begins at a multiple of BOUNDARY bytes.

    For outcomes that would not stay there: memory is not read before it is written, and the values stay in the caches.
    """
    for index in range(words.shape[0] // 4):
        _stream_sixteen(table, words, outcome, index)
    _settle()  # type: ignore[call-arg]  # numba gives the context
