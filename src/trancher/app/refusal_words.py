"""A refusal as words and as a document; how long it lasts is told in sentences.py."""

import math
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from trancher.app.output import Json, instant, plain
from trancher.app.tables import exactly, quote, share
from trancher.core.day import span
from trancher.core.limits import Refusal, Unit

_COUNTED: Final = {Unit.TRANCHES, Unit.POSITIONS, Unit.TRADES, Unit.ORDERS, Unit.SIGNALS}
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_SHORT: Final = 3  # letters of a length of time that nobody has to count out


def extent(refusal: Refusal, *, currency: str) -> str:
    """Return the code of a refusal, and what was measured against what."""
    said = refusal.unit in {Unit.SECONDS, Unit.RATIO}
    unit = currency if refusal.unit is Unit.QUOTE else refusal.unit.value
    if refusal.unit in _COUNTED and refusal.limit == 1:
        unit = unit.removesuffix("s")
    seconds = refusal.unit is Unit.SECONDS
    missing = _remaining(refusal.missing) if seconds else amount(refusal.missing, refusal.unit)
    of = "" if refusal.key is None else f" ({refusal.key})"
    return (
        f"{refusal.code}{of}: {amount(refusal.measured, refusal.unit)} against "
        f"{amount(refusal.limit, refusal.unit)}{'' if said else f' {unit}'}, {missing} "
        f"{'over' if refusal.measured > refusal.limit else 'short'}"
    )


def amount(number: Decimal, unit: Unit) -> str:
    """Return what was measured, as a person writes it."""
    if unit is Unit.QUOTE:
        return quote(number)
    if unit is Unit.RATIO:
        return share(number)
    if unit is Unit.SECONDS:
        return lasting(timedelta(seconds=int(number)))
    return exactly(number)


def _remaining(seconds: Decimal) -> str:
    """Return what is missing of a length of time, rounded up: as long as it lasts it is not 0."""
    if 0 < seconds < 1:
        return "under 1s"
    return lasting(timedelta(seconds=math.ceil(seconds)))


def lasting(length: timedelta) -> str:
    """Return a length of time as people say it: 90m and 36h, but 1d 7h 59m 59s."""
    said = span(length)
    if len(said) <= _SHORT or not length % _DAY:
        return said
    minutes, seconds = divmod(length // _SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"d": days, "h": hours, "m": minutes, "s": seconds}
    return " ".join(f"{count}{unit}" for unit, count in parts.items() if count)


def refusal_document(refusal: Refusal) -> Mapping[str, Json]:
    """Return one reason against an order."""
    return {
        "code": refusal.code.value,
        "measured": plain(refusal.measured),
        "limit": plain(refusal.limit),
        "missing": plain(refusal.missing),
        "unit": refusal.unit.value,
        "unblocks_at": instant(refusal.unblocks_at),
        "unblocks_when": refusal.unblocks_when,
        "key": refusal.key,
    }
