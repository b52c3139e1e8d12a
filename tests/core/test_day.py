from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from trancher.core.day import Day, day_of, span


@pytest.mark.parametrize(
    ("at", "zone", "today", "ends_at"),
    [
        ("2025-01-01T00:00:00", "UTC", "2025-01-01", "2025-01-02T00:00:00"),
        ("2025-01-01T23:59:59", "UTC", "2025-01-01", "2025-01-02T00:00:00"),
        ("2025-01-02T00:00:00", "UTC", "2025-01-02", "2025-01-03T00:00:00"),
        ("2025-01-01T23:00:00", "Europe/Berlin", "2025-01-02", "2025-01-02T23:00:00"),
        ("2025-01-01T04:59:59", "America/New_York", "2024-12-31", "2025-01-01T05:00:00"),
        # The clocks go forward: 23 hours. And back: 25.
        ("2025-03-29T23:00:00", "Europe/Berlin", "2025-03-30", "2025-03-30T22:00:00"),
        ("2025-10-25T22:00:00", "Europe/Berlin", "2025-10-26", "2025-10-26T23:00:00"),
    ],
)
def test_a_day_is_the_zones_own(at: str, zone: str, today: str, ends_at: str) -> None:
    """
    Trades count for the day on the wall clock: 23 or 25 hours where the clocks are changed.
    """
    assert day_of(datetime.fromisoformat(at).replace(tzinfo=UTC), ZoneInfo(zone)) == Day(
        date=date.fromisoformat(today),
        ends_at=datetime.fromisoformat(ends_at).replace(tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=15), "15m"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=36), "36h"),
        (timedelta(days=60), "60d"),
        (timedelta(days=1), "1d"),
        (timedelta(milliseconds=1500), "0:00:01.500000"),
    ],
)
def test_a_length_of_time_is_written_as_it_is_configured(length: timedelta, text: str) -> None:
    """
    In the largest unit that leaves nothing over; what has none is written out.
    """
    assert span(length) == text
