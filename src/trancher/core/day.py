"""Time as the portfolio counts it: its day, by its zone, and lengths of time in words; and as
columns count it, in microseconds since 1970."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a time zone.

    Attributes:
        date: in the zone.
        ends_at: when the next one begins, UTC.
    """

    date: date
    ends_at: datetime


def day_of(at: datetime, zone: tzinfo) -> Day:
    """Return the day that `at` belongs to in `zone`: 23 or 25 hours where the clocks change."""
    today = at.astimezone(zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, tzinfo=zone)
    return Day(date=today, ends_at=midnight.astimezone(UTC))


def span(length: timedelta) -> str:
    """Return a length of time as it is written in a configuration: 15m, 36h, 60d."""
    for unit, size in _UNITS.items():
        if length >= size and not length % size:
            return f"{length // size}{unit}"
    if not length:
        return "0s"
    return str(length)
