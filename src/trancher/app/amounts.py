"""The kinds of value that are numbers: quote, counts, ratios, sizes, durations, comparisons.

Numbers are decimals from their text; true and false are none. A ratio is a fraction, and may be
written "10%"; a bare number above 1 can only have been meant as percent, and is refused.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from trancher.app.words import Kind, Mismatch
from trancher.core.conditions import Comparison, Indicator
from trancher.core.errors import InvalidNumber
from trancher.core.money import BOUND, EXACT, ONE, parse_decimal

DURATION: Final = "".join(f"(?:[0-9]{{1,9}}{unit})?" for unit in "wdhms")
LONGEST: Final = timedelta(days=36500)
_UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
# Whole parts of at most 15 digits: whatever matches lies below 1e15.
_PERCENT: Final = r"-?[0-9]{1,15}(\.[0-9]{1,20})?%"
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Share:
    """A size written as a share, of max_position_size or of equity: 0 < ratio <= 1."""

    ratio: Decimal


def _number(value: object) -> Decimal | None:
    """Return a bare number, or None for anything else; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if abs(number) < BOUND else None


def number(*, above: int | None = None, least: int | None = None, most: int | None = None) -> Kind:
    """Return a decimal number in quote, base or points."""
    words = f"a number {_range_in_words(above, least, most)}"

    def read(value: object) -> Decimal:
        found = _number(value)
        if found is None or not _inside(found, above=above, least=least, most=most):
            raise Mismatch(expected=words, hint=_unquoted(value))
        return found

    schema = {"type": "number", **_range_in_schema(above, least, most)}
    return Kind(expected=words, read=read, schema=schema)


def number_or_off(*, least: int) -> Kind:
    """Return a decimal number, or None for "off"."""
    words = f'a number of {least} or more, or "off" for no limit'

    def read(value: object) -> Decimal | None:
        if value == "off":
            return None
        found = _number(value)
        if found is None or found < least:
            raise Mismatch(expected=words, hint=_unquoted(value))
        return found

    schema = {"anyOf": [{"type": "number", "minimum": least}, {"const": "off"}]}
    return Kind(expected=words, read=read, schema=schema, none="off")


def _unquoted(value: object) -> str:
    """Say that a number in quotes is a text, and that a huge one is none."""
    if not isinstance(value, str):
        huge = isinstance(value, int | Decimal) and _number(value) is None
        return "" if isinstance(value, bool) or not huge else "numbers stay below 1e15"
    try:
        return f"write {parse_decimal(value):f} without quotes"
    except InvalidNumber:
        return ""


def score(*, least: int = -1) -> Kind:
    """Return a score, from `least` to 1."""
    words = f"a score from {least} to 1"

    def read(value: object) -> Decimal:
        found = _number(value)
        if found is None or not least <= found <= 1:
            raise Mismatch(expected=words, hint=_unquoted(value))
        return found

    schema = {"type": "number", "minimum": least, "maximum": 1}
    return Kind(expected=words, read=read, schema=schema)


def count(*, least: int, most: int) -> Kind:
    """Return a whole number."""
    words = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Mismatch(expected=words, hint=_unquoted(value))
        return value

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Kind(expected=words, read=read, schema=schema)


def count_or_off(*, least: int = 0) -> Kind:
    """Return a whole number of at least `least`, or None for "off"."""
    words = f'a whole number of {least} or more, or "off" for no limit'

    def read(value: object) -> int | None:
        if value == "off":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < BOUND:
            raise Mismatch(expected=words, hint=_unquoted(value))
        return value

    schema = {"anyOf": [{"type": "integer", "minimum": least}, {"const": "off"}]}
    return Kind(expected=words, read=read, schema=schema, none="off")


def read_ratio(value: object, *, expected: str) -> Decimal:
    """Return the fraction that "10%" or 0.10 writes.

    Raises:
        Mismatch: anything else, and a bare number that can only have been meant as percent.
    """
    if isinstance(value, str) and re.fullmatch(_PERCENT, value, re.ASCII):
        return EXACT.multiply(parse_decimal(value[:-1]), _HUNDREDTH)
    found = _number(value)
    if found is None:
        hint = _quoted_ratio(value) if isinstance(value, str) else ""
        raise Mismatch(expected=expected, hint=hint)
    if abs(found) > 1:
        raise Mismatch(expected=expected, hint=f'write "{found:f}%" for {found:f} percent')
    return found


def _quoted_ratio(text: str) -> str:
    squeezed = text.replace(" ", "")
    if squeezed != text and re.fullmatch(_PERCENT, squeezed, re.ASCII):
        return f'write "{squeezed}"'
    try:
        return f'write "{parse_decimal(text):f}%" for percent'
    except InvalidNumber:
        return ""


def ratio(
    *,
    above: int | None = None,
    least: int | None = None,
    below: int | None = None,
    most: int | None = None,
    nonzero: bool = False,
) -> Kind:
    """Return a fraction; the bounds are in percent."""
    bounds = [
        f"above {above} %" if above is not None else "",
        f"of at least {least} %" if least is not None else "",
        f"below {below} %" if below is not None else "",
        f"of at most {most} %" if most is not None else "",
        "other than 0 %" if nonzero else "",
    ]
    words = f'a ratio {" and ".join(b for b in bounds if b)}, written "10%" or 0.10'

    def read(value: object) -> Decimal:
        found = read_ratio(value, expected=words)
        percent = EXACT.multiply(found, Decimal(100))
        low = (above is None or percent > above) and (least is None or percent >= least)
        high = (below is None or percent < below) and (most is None or percent <= most)
        if not low or not high or (nonzero and percent == 0):
            raise Mismatch(expected=words)
        return found

    return Kind(expected=words, read=read, schema=_RATIO_SCHEMA)


_RATIO_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "number", "minimum": -1, "maximum": 1},
        {"type": "string", "pattern": f"^{_PERCENT}$"},
    ]
}


def size() -> Kind:
    """Return quote, or a Share."""
    words = 'a number of quote above 0, or a share such as "25%"'

    def read(value: object) -> Decimal | Share:
        if isinstance(value, str) and re.fullmatch(_PERCENT, value, re.ASCII):
            share = read_ratio(value, expected=words)
            if 0 < share <= ONE:
                return Share(share)
        found = _number(value)
        if found is None or found <= 0:
            raise Mismatch(expected=words, hint=_unquoted(value))
        return found

    percent = {"type": "string", "pattern": f"^{_PERCENT}$"}
    schema = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, percent]}
    return Kind(expected=words, read=read, schema=schema)


class Part(StrEnum):
    """A part to sell that is no share."""

    REST = "rest"
    TRANCHE = "tranche"


def sell_share() -> Kind:
    """Return the share to sell, or the word for a part that is none."""
    words = 'a share above 0 % and of at most 100 % such as "25%", "rest" or "tranche"'

    def read(value: object) -> Decimal | Part:
        if isinstance(value, str) and value in set(Part):
            return Part(value)
        share = read_ratio(value, expected=words)
        if not 0 < share <= ONE:
            raise Mismatch(expected=words)
        return share

    schema = {"anyOf": [{"enum": list(Part)}, *_RATIO_SCHEMA["anyOf"]]}
    return Kind(expected=words, read=read, schema=schema)


def duration(*, zero: bool = False) -> Kind:
    """Return a time span; with `zero` also none, written 0 or "off"."""
    none = ", or 0 for none" if zero else ""
    words = f'a duration such as "15m", "36h" or "1h30m" in w, d, h, m, s{none}'

    def read(value: object) -> timedelta:
        if zero and (value == "off" or (_number(value) == 0)):
            return timedelta(0)
        span = _span(value)
        if span is None or span > LONGEST or (span == timedelta(0) and not zero):
            raise Mismatch(expected=words)
        return span

    text: dict[str, Any] = {"type": "string", "pattern": f"^{DURATION}$", "minLength": 2}
    schema = {"anyOf": [text, {"enum": [0, "off"]}]} if zero else text
    return Kind(expected=words, read=read, schema=schema)


def _span(value: object) -> timedelta | None:
    if not isinstance(value, str) or not value or not re.fullmatch(DURATION, value, re.ASCII):
        return None
    parts = re.findall(r"([0-9]+)([wdhms])", value, re.ASCII)
    return sum((_UNITS[unit] * int(digits) for digits, unit in parts), timedelta(0))


def timeframe() -> Kind:
    """Return a candle's length whose grid fits the day or the week."""
    words = 'a timeframe of at least "1m" that divides a day evenly, or "1w"'
    day, week = _UNITS["d"], _UNITS["w"]

    def read(value: object) -> timedelta:
        span = _span(value)
        fits = span is not None and (span == week or (span > timedelta(0) and not day % span))
        if span is None or not fits or span < _UNITS["m"]:
            raise Mismatch(expected=words)
        return span

    schema = {"type": "string", "pattern": f"^{DURATION}$", "minLength": 2}
    return Kind(expected=words, read=read, schema=schema)


def comparison(name: str, *, least: int = -1000, most: int = 1000) -> Kind:
    """Return an Indicator called `name`, whose values go from `least` to `most`."""
    example = "<30" if most == 100 else ">=0.05" if most == 1 else "<-0.5"
    words = f'a comparison with a number from {least} to {most} such as "{example}"'
    pattern = r"(<=|>=|<|>)(-?[0-9]{1,15}(?:\.[0-9]{1,20})?)"

    def read(value: object) -> Indicator:
        squeezed = value.replace(" ", "") if isinstance(value, str) else ""
        found = re.fullmatch(pattern, squeezed, re.ASCII)
        if found is None:
            raise Mismatch(expected=words)
        how, threshold = Comparison(found[1]), parse_decimal(found[2])
        never = {Comparison.BELOW: threshold == least, Comparison.ABOVE: threshold == most}
        if not least <= threshold <= most:
            raise Mismatch(expected=words)
        if never.get(how, False):
            raise Mismatch(expected=words, hint="this never holds")
        return Indicator(name=name, comparison=how, threshold=threshold)

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Kind(expected=words, read=read, schema=schema)


def _inside(found: Decimal, above: int | None, least: int | None, most: int | None) -> bool:
    low = (above is None or found > above) and (least is None or found >= least)
    return low and (most is None or found <= most)


def _range_in_words(above: int | None, least: int | None, most: int | None) -> str:
    if above is not None:
        return f"above {above}" + (f", at most {most}" if most is not None else "")
    return f"of {least} or more" if most is None else f"from {least} to {most}"


def _range_in_schema(above: int | None, least: int | None, most: int | None) -> dict[str, int]:
    named = {"exclusiveMinimum": above, "minimum": least, "maximum": most}
    return {name: bound for name, bound in named.items() if bound is not None}
