"""Midnight over processes: each trade counts for one day, and no day has more than its cap.

Eight processes trade across 00:00 of the portfolio's zone, at the beginning and at the end of days
of 23, 24 and 25 hours; each is at a time of its own, so some are in the new day already.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from postgres import empty_database
from store.booth import FREE, Fair
from store.crowd import Round, crowd
from store.judge import Judge
from store.kept import opened_at
from store.told import differences, portfolio

pytestmark = pytest.mark.slow

CAP: Final = 18
STEADY: Final = ("2024-03-31", "2024-10-27", "2025-03-30", "2025-10-26")
NIGHTS: Final = {
    "UTC": STEADY,
    "Asia/Tehran": STEADY,
    "Europe/Berlin": STEADY,
    "America/New_York": ("2024-03-10", "2024-11-03", "2025-03-09", "2025-11-02"),
    "America/St_Johns": ("2024-03-10", "2024-11-03", "2025-03-09", "2025-11-02"),
    "Australia/Lord_Howe": ("2024-04-07", "2024-10-06", "2025-04-06", "2025-10-05"),
    # Its clocks change at midnight itself, which then is there twice, or not at all.
    "America/Santiago": ("2024-04-06", "2024-09-08", "2025-04-05", "2025-09-07"),
}


@pytest.mark.parametrize("kind", ["file", "server"])
def test_no_day_has_more_than_its_cap_and_each_trade_is_in_one(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Every decision is right by the day that it was taken on; the days are those of the journals.
    """
    with empty_database() as server:
        file = f"sqlite:///{tmp_path_factory.mktemp('midnight')}/books.db"
        url = server if kind == "server" else file
        database = opened_at(url)
        with crowd(url) as processes:
            for zone, nights in NIGHTS.items():
                limits = replace(FREE, max_daily_trades=CAP)
                fair = Fair(name=zone, zone=ZoneInfo(zone), limits=limits)
                judge, judged = Judge(fair=fair), set[date]()
                processes.gather(fair)
                for told in rounds(nights, fair):
                    for one in processes.do(told):
                        judge.see(one)
                        judged.add(one.at.astimezone(fair.zone).date())
                    assert judge.wrong == []

                assert judge.costs == {}
                assert judge.refused > 0
                # Yesterday, the day itself, and tomorrow, of each night.
                assert len(judged) == 12
                number = portfolio(database, zone)
                assert not differences(
                    database, cash=fair.cash, portfolio_id=number, zone=fair.zone
                )
        database.close()


def rounds(nights: tuple[str, ...], fair: Fair) -> Iterator[Round]:
    """Yield what all do about the midnights of some nights: before, across, and after each."""
    seed = 0
    for night in nights:
        day = date.fromisoformat(night)
        for one in (day, day + timedelta(days=1)):
            midnight = datetime(one.year, one.month, one.day, tzinfo=fair.zone)
            for minutes in (-20, -5, 10, 25):
                seed += 1
                at = midnight.astimezone(ZoneInfo("UTC")) + timedelta(minutes=minutes)
                yield Round(seed=seed, at=at, spread=600, leaving=minutes == 25)
