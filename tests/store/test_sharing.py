"""What bots share: sums that are those of their parts, reservations that are given back once."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from engine.fakes import NO_LIMITS
from store.booth import FREE, NOON, Booth, Fair, rented
from store.kept import opened_at
from store.told import differences, told
from trancher.core.limits import ExitReserve, RefusalCode, ReserveFunds
from trancher.core.order import ClientOrderId
from trancher.store import sharing, tables
from trancher.store.database import Database
from trancher.store.errors import StoreError, StoreFailure
from trancher.store.verify import verify
from trancher.store.write import Bundle

DAY = timedelta(days=1)


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def wrong(database: Database, fair: Fair) -> list[str]:
    """Return where the shared rows are not what the journals tell."""
    return differences(database, cash=fair.cash, zone=fair.zone)


def act(drawn: Random, booth: Booth, at: datetime) -> None:
    """Do something that may be done now."""
    position = booth.engine.seats[booth.name].position
    price = str(drawn.randrange(80, 120))
    if position.working:
        booth.open(at, price) if drawn.random() < 0.5 else booth.cancel(at)
    elif position.held and drawn.random() < 0.5:
        booth.sell(at, part=drawn.choice(["0.3", "1"]), price=price, fills=drawn.random() < 0.7)
    else:
        booth.buy(at, price=price, fills=drawn.random() < 0.7)


@pytest.mark.parametrize("seed", range(3))
def test_the_sums_are_those_of_the_parts_after_every_step(database: Database, seed: int) -> None:
    """
    Whatever four bots on two symbols do: buy, wait, fill, cancel, sell a part or all.
    """
    fair = Fair(
        zone=ZoneInfo("America/New_York"),
        exits=3,
        own=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER),
    )
    drawn, at = Random(seed), NOON  # noqa: S311 nothing secret is drawn
    booths = [rented(database, fair, f"bot{i}", f"S{i % 2}/USD") for i in range(4)]

    for _ in range(40):
        at += timedelta(minutes=drawn.randrange(240))
        act(drawn, drawn.choice(booths), at)
        assert wrong(database, fair) == []

    assert told(database, zone=fair.zone).fills > 10
    assert verify(database).differences == ()


def usage(database: Database) -> tuple[Decimal, dict[str, int]]:
    """Return what all orders may still cost, and the trades of each day."""
    day = tables.trading_day.c
    with database.reading() as connection:
        ordered = connection.execute(select(tables.portfolio_usage.c.ordered)).scalar_one()
        days = connection.execute(select(day.day, day.trades)).all()
    return ordered, {row.day: row.trades for row in days if row.trades}


def test_a_reservation_is_given_back_once(database: Database) -> None:
    """
    The money and the day's trade, whichever day it ends on; what fills keeps the trade.
    """
    fair = Fair()
    booth = rented(database, fair)
    assert booth.buy(NOON, fills=False).accepted
    assert usage(database) == (Decimal("50.50"), {"2025-06-02": 1})

    booth.cancel(NOON + DAY)
    assert usage(database) == (Decimal(0), {})
    booth.cancel(NOON + DAY)
    assert usage(database) == (Decimal(0), {})

    assert booth.buy(NOON + DAY, fills=False).accepted
    booth.open(NOON + 2 * DAY)
    assert usage(database) == (Decimal(0), {"2025-06-03": 1})
    assert wrong(database, fair) == []


def test_a_process_that_goes_on_gives_back_what_another_reserved(database: Database) -> None:
    """
    The reservation stands in the database, and nowhere else once its process is gone.
    """
    fair = Fair()
    booth = rented(database, fair)
    booth.buy(NOON, fills=False)
    booth.keeper.give_up()

    rented(database, fair).cancel(NOON + DAY)

    assert usage(database) == (Decimal(0), {})
    assert wrong(database, fair) == []


def test_money_reserved_by_one_is_no_money_for_another(database: Database) -> None:
    """
    Free cash is what nobody has spent or reserved, over all bots.
    """
    fair = Fair(cash=Decimal("100.99"))
    one, other = rented(database, fair, "one"), rented(database, fair, "other")
    assert one.buy(NOON, fills=False).accepted

    refused = other.buy(NOON)

    assert [refusal.code for refusal in refused.refusals] == [RefusalCode.INSUFFICIENT_FUNDS]
    assert refused.refusals[0].measured == Decimal("50.49")
    one.cancel(NOON)
    assert other.buy(NOON + timedelta(minutes=2)).accepted
    assert wrong(database, fair) == []


def test_a_step_that_raises_leaves_nothing(database: Database) -> None:
    """
    Not a reservation, not a journal entry, not a version.
    """
    fair = Fair()
    booth = rented(database, fair)
    booth.buy(NOON)
    before = everything(database)

    with suppress(ZeroDivisionError), booth.step(NOON) as engine:
        engine.treasury.reserve(ClientOrderId("x"), cost=Decimal(1), decided_at=NOON)
        booth.keep()
        raise ZeroDivisionError

    assert everything(database) == before


def test_a_step_that_nobody_keeps_leaves_nothing(database: Database) -> None:
    """
    What it has borrowed is there for the next one as it was.
    """
    booth = rented(database, Fair())
    before = everything(database)

    with booth.keeper.step(NOON) as opened:
        opened.treasury().cash = Decimal(0)

    assert everything(database) == before
    assert rented(database, Fair(), "other").buy(NOON).accepted


def everything(database: Database) -> dict[str, object]:
    """Return every row of every table but the leases, which each step renews."""
    with database.reading() as connection:
        return {
            table.name: connection.execute(select(table)).all()
            for table in tables.metadata.sorted_tables
            if table is not tables.lease
        }


def test_sums_that_somebody_changed_unlocked_are_kept_by_nobody(database: Database) -> None:
    """
    The lock is not the only guard: sums have a version, and it has to be the one borrowed.
    """
    booth = rented(database, Fair())
    table = tables.portfolio_usage
    with database.writing() as connection:
        borrowed = sharing.borrow(connection, booth.keeper.owner, since=NOON)
        connection.execute(update(table).values(version=table.c.version + 1))

        bundle = Bundle(connection.dialect)
        sharing.give_back(bundle, borrowed, borrowed.used)

        with pytest.raises(StoreFailure, match="somebody else has changed meanwhile"):
            bundle.write(connection)


def test_a_day_counts_by_the_zone_of_the_portfolio(database: Database) -> None:
    """
    Half an hour before midnight and half an hour after are two days, in New York.
    """
    limits = replace(FREE, max_daily_trades=1, exit_reserve=ExitReserve.NONE)
    fair = Fair(zone=ZoneInfo("America/New_York"), limits=limits)
    one, other = rented(database, fair, "one"), rented(database, fair, "other")
    midnight = datetime(2025, 6, 3, tzinfo=fair.zone)

    asked = [
        booth.buy(midnight + timedelta(minutes=minutes)).accepted
        for booth, minutes in ((one, -30), (other, -30), (other, 30), (one, 30))
    ]

    assert asked == [True, False, True, False]
    assert usage(database)[1] == {"2025-06-02": 1, "2025-06-03": 1}
    assert wrong(database, fair) == []


def lose(booth: Booth, at: datetime) -> None:
    """Buy and sell lower."""
    assert booth.buy(at).accepted
    booth.sell(at, price="90")


def test_losses_in_a_row_count_over_all_bots(database: Database) -> None:
    """
    Two bots that lose once each are two in a row; a new day begins without any.
    """
    fair = Fair(limits=replace(FREE, max_losing_streak=2))
    one, other = rented(database, fair, "one"), rented(database, fair, "other")
    lose(one, NOON)
    lose(other, NOON)

    refused = one.buy(NOON)

    assert [refusal.code for refusal in refused.refusals] == [RefusalCode.LOSING_STREAK]
    assert one.buy(NOON + DAY).accepted


def test_a_bot_that_is_behind_breaks_no_streak_of_a_later_day(database: Database) -> None:
    """
    Bots are not all at the same time: one may close a position of yesterday when others have
    begun today, and both days keep their own count.
    """
    fair = Fair(limits=replace(FREE, max_losing_streak=2))
    one, behind = rented(database, fair, "one"), rented(database, fair, "behind")
    assert behind.buy(NOON).accepted
    lose(one, NOON + DAY)
    lose(one, NOON + DAY)
    behind.sell(NOON, price="110")

    refused = one.buy(NOON + DAY)

    assert [refusal.code for refusal in refused.refusals] == [RefusalCode.LOSING_STREAK]
    lose(behind, NOON)
    lose(behind, NOON)
    late = behind.buy(NOON)
    assert [refusal.code for refusal in late.refusals] == [RefusalCode.LOSING_STREAK]


def test_a_bot_that_is_sent_to_another_symbol_is_refused(database: Database) -> None:
    """
    Its exposure would be counted for a symbol that it holds nothing of.
    """
    rented(database, Fair(), "bot", "ACME/USD").buy(NOON)

    with pytest.raises(StoreError, match="bot bot: found a journal of ACME/USD, expected one of"):
        rented(database, Fair(), "bot", "OTHER/USD")
