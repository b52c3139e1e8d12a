"""The portfolio's day, by its time zone: 23 or 25 hours where the clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


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
    """Return the day that `at` belongs to in `zone`."""
    today = at.astimezone(zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, tzinfo=zone)
    return Day(date=today, ends_at=midnight.astimezone(UTC))
