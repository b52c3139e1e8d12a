"""What people ask of bots: an entry soon or not at all, a sale whenever somebody runs the bot."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from running.test_crew import OFTEN, Watch, crew
from store.kept import opened_at
from trancher.running.crew import Crew
from trancher.store import commands, tables
from trancher.store.commands import LASTS, Answer, Command, Deed
from trancher.store.database import Database
from trancher.store.verify import verify

ADD = Command(deed=Deed.ADD, reason="a test", size=Decimal(25), price=Decimal(100))
SELL = Command(deed=Deed.SELL, reason="a test", share=Decimal(1), price=Decimal(100))
SECOND = timedelta(seconds=1)


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def ask(database: Database, watch: Watch, command: Command, *, age: timedelta) -> int:
    """Let somebody have asked something of the bot so long ago."""
    with database.writing() as connection:
        placed = commands.ask(
            connection,
            portfolio_id=1,
            bot=OFTEN,
            command=command,
            key="k",
            at=database.now(connection, watch.clock) - age,
        )
    return placed.number


def answer(database: Database, number: int) -> Answer:
    """Return what came of it."""
    with database.reading() as connection:
        said = commands.answer_of(connection, portfolio_id=1, number=number)
    assert said is not None
    return said


def run(one: Crew, watch: Watch) -> None:
    """Run the bot to its end."""
    one.run(going_on=watch.going_on(lambda _: True), moved=lambda _: None)
    assert one.is_over


def test_an_entry_that_was_asked_for_long_ago_is_not_made(database: Database) -> None:
    """
    Whoever asked has given up, or is dead: nobody wants it at that price any more.
    """
    watch = Watch()
    one = crew(database, watch, alone=True)
    number = ask(database, watch, ADD, age=LASTS + 30 * SECOND)

    run(one, watch)

    said = answer(database, number)
    assert said.decisions == ()
    assert said.problem is not None
    assert said.problem.startswith("bot often: found an entry asked for 4")
    assert said.problem.endswith(" s ago, expected 10 s at most; nothing is bought")
    assert verify(database).differences == ()


def test_one_that_was_asked_for_just_now_is_made(database: Database) -> None:
    """
    Through the limits, as ever.
    """
    watch = Watch()
    one = crew(database, watch, alone=True)
    number = ask(database, watch, ADD, age=SECOND)

    run(one, watch)

    (decision,) = answer(database, number).decisions
    assert decision.accepted


def test_a_sale_is_made_however_long_ago_it_was_asked_for(database: Database) -> None:
    """
    Nobody who asked to be rid of it wants to keep it because nobody ran the bot.
    """
    watch = Watch()
    begun = crew(database, watch, alone=True)
    begun.run(going_on=watch.going_on(lambda rounds: rounds < 8), moved=lambda _: None)
    number = ask(database, watch, SELL, age=timedelta(days=3))

    watch.rounds = 0
    run(crew(database, watch, alone=True), watch)

    assert any(decision.accepted for decision in answer(database, number).decisions)


def test_what_was_withdrawn_is_never_done_and_its_key_is_free(database: Database) -> None:
    """
    Sent once more it is a new wish, and is done.
    """
    watch, withdrawn = Watch(), Answer(problem="nobody answered")
    one = crew(database, watch, alone=True)
    first = ask(database, watch, ADD, age=SECOND)
    assert withdraw(database, watch, first, withdrawn)

    again = ask(database, watch, ADD, age=SECOND)
    run(one, watch)

    assert again != first
    assert answer(database, first) == withdrawn
    assert answer(database, again).decisions[0].accepted


def test_what_was_answered_is_not_withdrawn(database: Database) -> None:
    """
    One of the two comes first, and whoever comes second learns it.
    """
    watch = Watch()
    one = crew(database, watch, alone=True)
    number = ask(database, watch, ADD, age=SECOND)
    run(one, watch)
    before = answer(database, number)

    assert not withdraw(database, watch, number, Answer(problem="nobody answered"))

    assert answer(database, number) == before


def withdraw(database: Database, watch: Watch, number: int, said: Answer) -> bool:
    """Take a command back, if nobody has answered it."""
    with database.writing() as connection:
        return commands.withdraw(
            connection, portfolio_id=1, number=number, said=said, at=watch.clock()
        )


def test_what_no_program_of_this_version_knows_is_answered(database: Database) -> None:
    """
    A newer one has asked it; the bot goes on with its candles, and hears what comes after it.
    """
    watch = Watch()
    one = crew(database, watch, alone=True)
    strange = ask(database, watch, ADD, age=SECOND)
    with database.writing() as connection:
        payload = commands.COMMANDS.encode(ADD).replace('"add"', '"dance"')
        connection.execute(update(tables.command).values(payload=payload, key=None))
    known = ask(database, watch, ADD, age=SECOND)

    run(one, watch)

    said = answer(database, strange)
    assert said.problem is not None
    assert said.problem.startswith("bot often: found 'dance', expected what its program")
    assert answer(database, known).decisions[0].accepted
