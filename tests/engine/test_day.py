from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trancher.core.day import day_of

ZONES = (
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Africa/Cairo",
    "Pacific/Apia",
    "Europe/London",
)


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("UTC", "2025-07-02T00:00:00+00:00"),
        ("America/New_York", "2025-07-02T04:00:00+00:00"),
        ("Asia/Kolkata", "2025-07-01T18:30:00+00:00"),
    ],
)
def test_a_day_ends_at_the_midnight_of_its_zone(zone: str, ends: str) -> None:
    """
    One microsecond before it is still the first of July, at it the second.
    """
    midnight = datetime.fromisoformat(ends)

    before = day_of(midnight - timedelta(microseconds=1), ZoneInfo(zone))
    after = day_of(midnight, ZoneInfo(zone))

    assert (before.date, before.ends_at) == (date(2025, 7, 1), midnight)
    assert (after.date, after.ends_at) == (date(2025, 7, 2), midnight + timedelta(days=1))


@pytest.mark.parametrize(
    ("zone", "begins", "hours"),
    [
        ("America/New_York", "2025-03-09T05:00:00+00:00", 23),
        ("America/New_York", "2025-03-10T04:00:00+00:00", 24),
        ("America/New_York", "2025-11-02T04:00:00+00:00", 25),
        ("Europe/London", "2025-03-30T00:00:00+00:00", 23),
        ("Europe/London", "2025-10-25T23:00:00+00:00", 25),
        ("Africa/Cairo", "2024-04-25T22:00:00+00:00", 23),
        ("Africa/Cairo", "2024-10-30T21:00:00+00:00", 25),
        ("Asia/Kolkata", "2025-03-08T18:30:00+00:00", 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(zone: str, begins: str, hours: int) -> None:
    """
    23 and 25 hours where the clocks are changed, in Cairo at midnight itself.
    """
    start = datetime.fromisoformat(begins)

    today = day_of(start, ZoneInfo(zone))

    assert today.ends_at - start == timedelta(hours=hours)
    assert day_of(start - timedelta(microseconds=1), ZoneInfo(zone)).ends_at == start


@given(
    at=st.datetimes(
        min_value=datetime(2005, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
        max_value=datetime(2030, 1, 1),  # noqa: DTZ001 - see above
        timezones=st.just(UTC),
    ),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_days_follow_each_other_without_a_gap(at: datetime, zone: ZoneInfo) -> None:
    """
    The end of a day is in UTC, lies ahead, still belongs to nobody before it, and is the first
    instant of a later date.
    """
    today = day_of(at, zone)

    last = day_of(today.ends_at - timedelta(microseconds=1), zone)
    following = day_of(today.ends_at, zone)
    assert today.ends_at.tzinfo is UTC
    assert at < today.ends_at <= at + timedelta(hours=25)
    assert last == today
    assert following.date > today.date
