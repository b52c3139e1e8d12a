"""Exact numbers: the only module that divides or rounds, and the context all others compute in.

Invariants:
1. Under EXACT a sum, difference or product that does not fit raises instead of rounding.
2. A float that is turned into a Decimal, or ordered against one, raises under EXACT.
3. share_of never gives out more than the whole; what the division leaves over stays behind.
4. Text becomes a number by parse_decimal alone: finite, |x| < 1e15, plain digits.
"""

import re
from collections.abc import Callable
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from trancher.core.errors import InvalidNumber

P = ParamSpec("P")
R = TypeVar("R")

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
BOUND: Final = Decimal("1e15")
QUOTE_QUANTUM: Final = Decimal("1e-10")
"""Smallest step of a share of cost or fee, and of a simulated fee in quote."""
BASE_FEE_QUANTUM: Final = Decimal("1e-12")
"""Smallest step of a simulated fee taken in base."""
SHARE_QUANTUM: Final = Decimal("1e-18")
"""Smallest step of the quantity that the average rule takes from one tranche."""
QUOTIENT_DIGITS: Final = 20
"""Significant digits of a price that is a quotient, where it is shown."""

_TRAPS = [Inexact, FloatOperation, InvalidOperation, DivisionByZero, Overflow]
EXACT: Final = Context(prec=250, traps=_TRAPS)
# Products of four amounts of 33 digits fit, so every division below starts from exact operands.
_DIVIDE: Final = Context(prec=600, rounding=ROUND_DOWN, traps=_TRAPS[1:])
_SHOW: Final = Context(prec=QUOTIENT_DIGITS, rounding=ROUND_HALF_EVEN, traps=_TRAPS[1:])
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` compute under EXACT: decimal settings belong to a thread."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        before = getcontext()
        if before is EXACT:
            # Most calls come from inside another: to them a context of their own means nothing.
            return function(*args, **kwargs)
        setcontext(EXACT)
        try:
            return function(*args, **kwargs)
        finally:
            setcontext(before)

    return inside


def parse_decimal(text: str) -> Decimal:
    """Return the number that `text` writes in plain digits, with every digit kept.

    Raises:
        InvalidNumber: anything but a minus, digits and one point; or |x| >= 1e15.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise InvalidNumber(found=text, expected="a plain decimal number such as 0.25")
    number = Decimal(text)
    if abs(number) >= BOUND:
        raise InvalidNumber(found=text, expected="a number below 1e15")
    return number


def share_of(whole: Decimal, part: Decimal, total: Decimal, *, quantum: Decimal) -> Decimal:
    """Return `whole x part / total`, rounded toward zero to a multiple of `quantum`.

    Args:
        whole: the amount to share out, in any asset; negative for a rebate.
        part: how much of `total` the share is for, 0 <= part <= total.
        total: what `whole` belongs to, > 0.
        quantum: smallest step of the share, a power of ten.
    """
    assert total > 0
    assert 0 <= part <= total
    # A whole number of quanta, counted by integer division: exact, and no digit more than needed.
    quanta = _DIVIDE.divide_int(_DIVIDE.multiply(whole, part), _DIVIDE.multiply(total, quantum))
    # Adding zero turns the minus zero that a small rebate leaves into zero.
    return _DIVIDE.add(_DIVIDE.multiply(quanta, quantum), ZERO)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` that is not above `value` (value >= 0, step > 0)."""
    return floor_ratio(value, ONE, step)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of `step` that is not below `value` (step > 0)."""
    return ceil_ratio(value, ONE, step)


def floor_ratio(numerator: Decimal, denominator: Decimal, step: Decimal) -> Decimal:
    """Return numerator / denominator floored to a multiple of `step`, decided without rounding.

    Args:
        numerator: >= 0.
        denominator: > 0.
        step: > 0, for instance a price tick or a quantity step.
    """
    assert numerator >= 0
    return _DIVIDE.multiply(
        _DIVIDE.divide_int(numerator, _DIVIDE.multiply(denominator, step)), step
    )


def ceil_ratio(numerator: Decimal, denominator: Decimal, step: Decimal) -> Decimal:
    """Return numerator / denominator raised to a multiple of `step`, decided without rounding."""
    unit = _DIVIDE.multiply(denominator, step)
    whole, rest = _DIVIDE.divmod(numerator, unit)
    return _DIVIDE.multiply(_DIVIDE.add(whole, ONE) if rest > 0 else whole, step)


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Return numerator / denominator to 20 significant digits, half to even: for showing only."""
    return _SHOW.divide(numerator, denominator).normalize(_SHOW)


def percent(ratio: Decimal) -> str:
    """Return `ratio` as people write it: 0.105 is 10.5 %."""
    text = f"{_SHOW.multiply(ratio, Decimal(100)):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
