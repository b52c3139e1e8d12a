"""Stops: a halt reaches every process from the step that comes after it on, and no exit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event

import pytest

from store.booth import NOON, Booth, Fair, rented
from store.kept import opened_at
from store.test_sharing import wrong
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision
from trancher.core.limits import RefusalCode
from trancher.core.order import BotName
from trancher.store import stops
from trancher.store.database import Database
from trancher.store.halts import Action, Halt, Scope

FAIR = Fair()
PAUSED, STOPPED = RefusalCode.PAUSED, RefusalCode.EMERGENCY_STOP


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def place(
    database: Database,
    action: Action = Action.PAUSE,
    *,
    bot: str | None = None,
    target: str | None = None,
) -> Halt:
    """Stop entries of a bot, or of all."""
    scope = Scope.PORTFOLIO if bot is None else Scope.BOT
    with database.writing() as connection:
        return stops.place(
            connection,
            portfolio_id=1,
            scope=scope if target is None else Scope.POSITION,
            bot=None if bot is None else BotName(bot),
            target=target,
            action=action,
            share=None,
            reason="a test",
            at=NOON,
        )


def lift(database: Database, *, bot: str | None = None, target: str | None = None) -> list[int]:
    """Lift halts; return their numbers."""
    name = None if bot is None else BotName(bot)
    with database.writing() as connection:
        lifted = stops.lift(connection, portfolio_id=1, bot=name, target=target, at=NOON)
    return [one.number for one in lifted]


def codes(decision: Decision) -> list[RefusalCode]:
    """Return why an entry was refused."""
    return [refusal.code for refusal in decision.refusals]


def test_a_halt_holds_back_the_entries_that_it_reaches(database: Database) -> None:
    """
    Of one bot, or of all; and no exit.
    """
    one, other = rented(database, FAIR, "one"), rented(database, FAIR, "other")
    assert one.buy(NOON).accepted

    place(database, bot="one")
    assert codes(one.buy(NOON)) == [PAUSED]
    assert other.buy(NOON).accepted
    place(database, Action.FREEZE)

    assert codes(one.buy(NOON)) == [PAUSED, STOPPED]
    assert codes(other.buy(NOON)) == [STOPPED]
    assert one.sell(NOON).accepted
    assert other.sell(NOON).accepted
    assert wrong(database, FAIR) == []


def test_a_halt_that_is_lifted_holds_back_nothing(database: Database) -> None:
    """
    Each is lifted by the words it was placed with, and by no others.
    """
    booth = rented(database, FAIR)
    place(database)
    place(database, bot="bot")
    place(database, Action.CANCEL, bot="bot", target="bot-1")

    assert lift(database) == [1]
    assert codes(booth.buy(NOON)) == [PAUSED, STOPPED]
    assert lift(database, bot="bot") == [2]
    assert lift(database, bot="bot") == []
    assert codes(booth.buy(NOON)) == [STOPPED]
    assert lift(database, bot="bot", target="bot-1") == [3]

    assert booth.buy(NOON).accepted


def test_halts_are_numbered_whoever_places_them_at_once(empty_url: str) -> None:
    """
    Under the lock of the sums: none is lost, and none shares a number.
    """
    databases = [opened_at(empty_url) for _ in range(4)]
    rented(databases[0], FAIR)

    with ThreadPoolExecutor(4) as pool:
        placed = list(pool.map(place, databases * 4))

    assert sorted(halt.number for halt in placed) == list(range(1, 17))
    for one in databases:
        one.close()


def test_a_halt_placed_during_a_step_holds_back_the_next(empty_url: str) -> None:
    """
    It waits for the step that is under way, and once it stands no entry gets by.
    """
    ours, theirs = opened_at(empty_url), opened_at(empty_url)
    one, other = rented(ours, FAIR, "one"), rented(ours, FAIR, "other")
    borrowed, asked = Event(), Event()

    def pause() -> Halt:
        borrowed.wait()
        asked.set()
        return place(theirs)

    with ThreadPoolExecutor(1) as pool:
        placed = pool.submit(pause)
        with one.step(NOON) as engine:
            assert engine.treasury.cash == FAIR.cash
            borrowed.set()
            asked.wait()
            assert bought(one)
            assert not placed.done()
        placed.result()

    assert codes(one.buy(NOON)) == [PAUSED]
    assert codes(other.buy(NOON)) == [PAUSED]
    ours.close()
    theirs.close()


def bought(booth: Booth) -> bool:
    """Enter inside a step that has begun."""
    seen = Observation(price=Decimal(100), at=NOON, look=Look.EVERYTHING)
    booth.exchange.touch(booth.name, seen.price, NOON)
    return booth.engine.add(booth.name, seen, Decimal(50), reason="a test").accepted
