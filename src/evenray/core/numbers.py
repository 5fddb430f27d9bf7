"""How figures are printed: rounded, but never to a bound that they have not reached."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["DUST", "brief", "claimed", "decimals", "interval", "probability", "signed"]

DUST = 1e-12  # what sums of floats leave


def decimals(value: float, digits: int = 3, top: float = 1.0) -> str:
    """A number with so many decimals; what lies between 0 and `top` without being either is not rounded to one of them.

    >>> decimals(0.5), decimals(0.99972), decimals(0.0002), decimals(1.0), decimals(-0.0002), decimals(99.97, 1, top=100)
    ('0.500', '>0.999', '<0.001', '1.000', '0.000', '>99.9')
    >>> decimals(59171.923)
    '59,172'
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text, step = f"{value:.{digits}f}", 10.0**-digits
    if DUST < value < top - DUST and float(text) in (0, top):
        return f"<{step:.{digits}f}" if float(text) == 0 else f">{top - step:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def brief(value: float) -> str:
    """Three significant digits, as a threshold needs when its class is rare, and as many more as it takes to stay below 1.

    >>> brief(0.0012345), brief(0.99996), brief(1 + 1e-15), brief(12.345)
    ('0.00123', '0.99996', '>1', '12.3')
    """
    if 1 < value < 1 + DUST:
        return ">1"
    digits = 3
    while value < 1 <= float(f"{value:.{digits}g}"):
        digits += 1
    return f"{value:.{digits}g}"


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign; what rounds to nothing has none.

    >>> signed(0.031), signed(-0.031), signed(-0.0002), signed(0.0)
    ('+0.031', '-0.031', '0.000', '0.000')
    """
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    show: Callable[[float], str] = decimals,
    *beside: str,
) -> str:
    """A figure with its interval and what stands beside it, and words where there is none; None stands for NaN, as in JSON.

    >>> interval(0.912, 0.87, 0.95), interval(-0.0312, -0.05, -0.0002, signed), interval(0.5, None, None)
    ('0.912 (0.870 to 0.950)', '-0.031 (-0.050 to 0.000)', '0.500 (no interval)')
    >>> interval(None, None, None), interval(None, None, None, decimals, "p = 1.000")
    ('undefined', 'undefined (p = 1.000)')
    """
    if value is None or value != value:
        return f"undefined ({'; '.join(beside)})" if beside else "undefined"
    known = low is not None and high is not None and low == low and high == high
    told = f"{show(low)} to {show(high)}" if known else "no interval"  # type: ignore[arg-type]
    return f"{show(value)} ({'; '.join([told, *beside])})"


def probability(p: float | None) -> str:
    """A p-value; nothing where there is none.

    >>> probability(0.0214), probability(0.00002), probability(1.0), probability(float("nan"))
    ('0.021', '< 0.001', '1.000', '')
    """
    return "" if p is None or p != p else "< 0.001" if p < 0.001 else f"{p:.3f}"


def claimed(p: float | None) -> str:
    """A p-value as it stands in a sentence, after the letter.

    >>> claimed(0.0214), claimed(1e-159), claimed(0.0), claimed(0.00096), claimed(None)
    ('= 0.021', '< 0.001', '< 0.001', '< 0.001', '–')
    """
    told = probability(p)
    return f"= {told}" if told[:1].isdigit() else told or "–"
