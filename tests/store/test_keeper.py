"""The keeper: a step is on the disk wholly or not at all, and none follows one that was lost."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from store.booth import NOON, Fair, rented
from store.kept import opened_at
from store.test_commit_unknown import Cut
from store.test_sharing import everything, wrong
from trancher.core.conditions import Look, Observation
from trancher.core.order import ClientOrderId, PositionId
from trancher.store import progress
from trancher.store.database import Database
from trancher.store.errors import CommitUnknown, StoreFailure
from trancher.store.progress import Memory, Progress
from trancher.store.verify import verify
from trancher.store.write import Bundle

FAIR = Fair()


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def test_a_step_that_asks_for_nothing_touches_nothing(database: Database) -> None:
    """
    Most steps of a bot are such: no transaction, no lease renewed.
    """
    booth = rented(database, FAIR)
    counted = Cut.of(database)
    booth.keeper._database = counted  # noqa: SLF001 the transactions are what is counted

    with booth.keeper.step(NOON) as opened:
        assert not opened.has_borrowed

    assert counted.count == 0


def test_no_step_follows_one_that_was_lost(database: Database) -> None:
    """
    What it had in mind would be written with the next one: a fill without its cash.
    """
    booth = rented(database, FAIR)
    with suppress(ZeroDivisionError), booth.step(NOON):
        booth.engine.evaluate(booth.name, seen())
        raise ZeroDivisionError
    before = everything(database)

    with pytest.raises(StoreFailure, match="a step before it that was not kept"):
        booth.buy(NOON)

    assert everything(database) == before
    booth.keeper.give_up()
    assert rented(database, FAIR).buy(NOON).accepted
    assert wrong(database, FAIR) == []


def test_no_step_follows_one_that_did_something_and_was_not_kept(database: Database) -> None:
    """
    Whoever forgets to keep a step has lost it, though nothing was raised.
    """
    booth = rented(database, FAIR)
    with booth.keeper.step(NOON) as booth._opened:  # noqa: SLF001 a step as a careless caller does it
        booth.engine.evaluate(booth.name, seen())

    with pytest.raises(StoreFailure, match="a step before it that was not kept"):
        booth.buy(NOON)


def test_no_step_begins_inside_another(database: Database) -> None:
    """
    One would wait for the other for ever.
    """
    booth = rented(database, FAIR)
    with pytest.raises(StoreFailure, match="was not kept"), booth.step(NOON):
        booth.buy(NOON)


@pytest.mark.parametrize("reached", [False, True])
def test_after_a_commit_that_nobody_answered_the_books_say_where_a_bot_stands(
    database: Database, *, reached: bool
) -> None:
    """
    The process that gave the commit believes nothing; the next one reads whether it was done.
    """
    cut = OnceCut.of(database)
    booth = rented(cut, FAIR)
    cut.how = reached
    with pytest.raises(CommitUnknown):
        booth.buy(NOON)
    with pytest.raises(StoreFailure, match="was not kept"):
        booth.buy(NOON)
    booth.keeper.give_up()

    again = rented(database, FAIR)

    assert (again.engine.seats[again.name].position.held > 0) is reached
    assert again.buy(NOON).accepted
    assert wrong(database, FAIR) == []
    assert verify(database).differences == ()


class OnceCut(Database):
    """Books whose connection is cut at the end of one transaction.

    Attributes:
        how: whether the commit comes to the server before that; None cuts nothing.
    """

    how: bool | None = None

    @classmethod
    def of(cls, database: Database) -> "OnceCut":
        """Take over books."""
        return cls(database._engine, place=database._place, identity=database.identity)  # noqa: SLF001 a stand-in for its connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        lost = CommitUnknown(where=self.where, found="a broken connection", expected="an answer")
        how, self.how = self.how, None
        with super().writing() as connection:
            yield connection
            if how is False:
                raise lost
        if how is True:
            raise lost


def seen() -> Observation:
    """Return a price at which the bot's plan enters."""
    return Observation(price=Decimal(100), at=NOON, look=Look.EVERYTHING)


def test_progress_is_read_as_it_was_written(database: Database) -> None:
    """
    Every part of it: times, prices with their digits, and what is absent.
    """
    owner = rented(database, FAIR).keeper.owner
    come = Progress(
        next_at=NOON,
        phase=2,
        candle_at=NOON - timedelta(microseconds=1),
        seen_at=NOON,
        price=Decimal("100.10"),
        memory=Memory(
            opened=7,
            last_entry_at=NOON,
            changed=True,
            peak=Decimal("1.50"),
            peak_position=PositionId("bot-7"),
            resting=(ClientOrderId("bot-7-1"),),
        ),
    )
    number, bot = owner.portfolio_id, owner.bot
    for one in (come, Progress()):
        with database.writing() as connection:
            bundle = Bundle(connection.dialect)
            progress.save(bundle, one, portfolio_id=number, bot=bot)
            bundle.write(connection)

        with database.reading() as connection:
            found = progress.load(connection, portfolio_id=number, bot=bot)

        assert repr(found) == repr(one)
