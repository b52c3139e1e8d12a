"""Limits over processes: eight of them ask at once, and none gets more than there is.

`make limits` asks for 200 rounds of each limit; TRANCHER_ROUNDS says how many otherwise.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from postgres import empty_database
from store.booth import FREE, NOON, Fair
from store.crowd import Crowd, Did, Round, crowd
from store.judge import Judge
from store.kept import opened_at
from store.told import differences, portfolio
from trancher.core.lifecycle import State
from trancher.core.limits import ExitReserve, PortfolioLimits
from trancher.store import tables
from trancher.store.database import Database
from trancher.store.reading import Books
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("TRANCHER_ROUNDS", "20"))
DAY = timedelta(days=1)
LEAST = 16


@dataclass(frozen=True)
class Square:
    """Books, and the processes on them."""

    kind: str
    database: Database
    crowd: Crowd


@pytest.fixture(scope="module", params=["file", "server"])
def square(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Square]:
    """Return books with a crowd, in a file and on a server."""
    with empty_database() as server:
        file = f"sqlite:///{tmp_path_factory.mktemp('limits')}/books.db"
        url = server if request.param == "server" else file
        database = opened_at(url)
        with crowd(url) as processes:
            yield Square(request.param, database, processes)
        database.close()


def daily(reserve: ExitReserve) -> PortfolioLimits:
    """Return a cap on the day's trades."""
    return replace(FREE, max_daily_trades=14, exit_reserve=reserve)


CAPS = {"S0/USD": Decimal(100), "S1/USD": Decimal(149), "S2/USD": Decimal(0)}
LIMITS = {
    "active": Fair(limits=replace(FREE, max_active_positions=5)),
    "daily, one exit": Fair(limits=daily(ExitReserve.ONE)),
    "daily, a ladder": Fair(limits=daily(ExitReserve.LADDER), exits=3),
    "daily, none": Fair(limits=daily(ExitReserve.NONE)),
    "exposure": Fair(limits=replace(FREE, max_exposure=Decimal(333))),
    "symbols": Fair(limits=replace(FREE, symbol_caps=CAPS)),
    "cash": Fair(cash=Decimal(404)),
    "daily loss": Fair(limits=replace(FREE, max_daily_loss=Decimal(2))),
    "all": Fair(
        cash=Decimal(505),
        limits=PortfolioLimits(
            max_active_positions=6,
            max_daily_trades=17,
            max_exposure=Decimal(400),
            symbol_caps={"S0/USD": Decimal(150)},
            max_daily_loss=Decimal(2),
        ),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_no_entry_exceeds_a_limit_and_none_is_refused_wrongly(square: Square, name: str) -> None:
    """
    Every decision is held against what stood when it was taken, in the order of commits; what was
    done against the fills; and at the end the shared rows against the journals. Sales always go.
    """
    fair = replace(LIMITS[name], name=name)
    judge, asked, begun = Judge(fair=fair), 0, time.monotonic()
    square.crowd.gather(fair)
    for number in range(ROUNDS):
        at = NOON + number * DAY
        did = square.crowd.do(Round(seed=number, at=at))
        did += square.crowd.do(Round(seed=number, at=at + DAY / 4, leaving=True))
        asked += sum(one.buys for one in did)
        for one in did:
            judge.see(one)
        assert judge.wrong == []
        assert fills_of(square.database, name, did) == {one.trade_id for one in did} - {None}
        assert judge.costs == {}
        assert active(square.database, name) == 0
    took = time.monotonic() - begun

    assert judge.refused > 0
    assert judge.entries.total() > ROUNDS
    assert asked > LEAST * ROUNDS
    portfolio_id = portfolio(square.database, name)
    found = differences(square.database, cash=fair.cash, portfolio_id=portfolio_id, zone=fair.zone)
    assert found == []
    for run in Books(square.database).runs():
        if run.portfolio_id == portfolio_id:
            assert verify(square.database, run_id=run.id).differences == ()
    print(  # noqa: T201 a figure for whoever looks
        f"\n{square.kind}, {name}: {asked} asked, {judge.entries.total()} entered, "
        f"{judge.version} steps, {judge.version / took:,.0f} a second"
    )


def test_counting_first_and_writing_then_is_caught(square: Square) -> None:
    """
    The same judge finds what a step without the lock does: the limit is exceeded.
    """
    fair = Fair(name="naive", limits=replace(FREE, max_active_positions=5))
    judge = Judge(fair=fair)
    square.crowd.gather(fair, naive=True)
    for number in range(ROUNDS):
        at = NOON + number * DAY
        for one in square.crowd.do(Round(seed=number, at=at)):
            judge.see(one)
        for one in square.crowd.do(Round(seed=number, at=at + DAY / 4, leaving=True)):
            judge.see(one)

    assert any("MAX_ACTIVE_POSITIONS" in one for one in judge.wrong)


def fills_of(database: Database, name: str, did: list[Did]) -> set[str]:
    """Return the fills that are written of the time of a round."""
    fill = tables.fill.c
    first, last = min(one.at for one in did), max(one.at for one in did)
    query = select(fill.trade_id).where(
        fill.portfolio_id == portfolio(database, name), fill.at >= first, fill.at <= last
    )
    with database.reading() as connection:
        return set(connection.execute(query).scalars())


def active(database: Database, name: str) -> int:
    """Return how many positions are not CLOSED."""
    position = tables.position.c
    query = (
        select(func.count())
        .select_from(tables.position)
        .where(position.portfolio_id == portfolio(database, name), position.state != State.CLOSED)
    )
    with database.reading() as connection:
        found = connection.execute(query).scalar_one()
    assert isinstance(found, int)
    return found
