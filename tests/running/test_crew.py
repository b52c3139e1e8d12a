"""A crew goes on whatever its host's clock and its database do meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from backtest.replays import candles_of
from running.company import LENGTH, NOW, HandClock
from running.floor import QUIET, journal_of
from store.kept import opened_at
from trancher.app.backtesting import Source
from trancher.app.running import crew_of, is_there
from trancher.app.settings import parse
from trancher.backtest.feed import Feed
from trancher.core.order import BotName
from trancher.market.candles import Candles
from trancher.running.crew import Crew
from trancher.running.host import News
from trancher.store import commands
from trancher.store.commands import Answer, Command, Deed
from trancher.store.database import Database
from trancher.store.verify import verify

OFTEN = BotName("often")
ROUNDS = 200
PLANTED = {
    "sqlite": (
        (
            "CREATE TRIGGER planted BEFORE INSERT ON journal WHEN instr(NEW.payload, 'absurd') "
            "BEGIN SELECT RAISE(ABORT, 'planted'); END"
        ),
        "DROP TRIGGER planted",
    ),
    "postgresql": (
        "ALTER TABLE journal ADD CONSTRAINT planted CHECK (strpos(payload, 'absurd') = 0)",
        "ALTER TABLE journal DROP CONSTRAINT planted",
    ),
}
"""What makes, and takes away, a rule of the books by which they do not hold what is absurd."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(f"sqlite:///{tmp_path}/books.db")
    yield database
    database.close()


@dataclass
class Watch:
    """Watches a crew from outside: counts its rounds, and hears what it tells."""

    clock: HandClock = field(default_factory=HandClock)
    rounds: int = 0
    heard: list[News] = field(default_factory=list)

    def tell(self, _: BotName, news: News, __: str) -> None:
        self.heard.append(news)

    def going_on(self, then: Callable[[int], bool]) -> Callable[[], bool]:
        """Return what lets a crew go on for some rounds, and acts between them.

        Args:
            then: acts after so many rounds, and says whether to go on.
        """

        def ask() -> bool:
            self.rounds += 1
            self.clock.at += timedelta(milliseconds=20)
            return then(self.rounds) and self.rounds < ROUNDS

        return ask


def crew(database: Database, watch: Watch, *, alone: bool) -> Crew:
    """Return a crew of one bot, which waits for the others unless it is alone."""
    settings = parse(QUIET, file="c.toml")
    rows = [(at, 100, 100, 100, 100) for at in range(24)]
    candles = candles_of(rows, interval=timedelta(hours=1))
    return crew_of(
        database,
        settings,
        {"BTC/USD": Source(name="day.csv", candles=candles)},
        (),
        bots=[OFTEN],
        alone=alone,
        lease=LENGTH,
        clock=watch.clock,
        stop_file=None,
        tell=watch.tell,
    )


def test_a_clock_that_was_set_back_keeps_nobody_from_being_heard(database: Database) -> None:
    """
    Else whoever flattens a bot would have to wait until the clock has caught up.
    """
    watch = Watch()
    one = crew(database, watch, alone=False)
    said: list[Answer | None] = []

    def then(rounds: int) -> bool:
        if rounds == 10:
            watch.clock.at = NOW - timedelta(hours=1)
            flatten = Command(deed=Deed.FLATTEN, reason="a test")
            with database.writing() as connection:
                commands.ask(
                    connection, portfolio_id=1, bot=OFTEN, command=flatten, key=None, at=NOW
                )
        if rounds > 10:
            with database.reading() as connection:
                said.append(commands.answer_of(connection, portfolio_id=1, number=1))
        return not said or said[-1] is None

    one.run(going_on=watch.going_on(then), moved=lambda _: None)

    assert said[-1] is not None
    assert len(said) < 10


def test_books_that_nobody_may_write_for_a_while_are_waited_for(database: Database) -> None:
    """
    A bot whose process ended then would not sell when they can be written again.
    """
    watch = Watch()
    one = crew(database, watch, alone=True)

    def then(rounds: int) -> bool:
        if rounds == 3:
            keep_from_writing(database, pragma="ON")
        if News.ANEW in watch.heard or News.DATABASE in watch.heard:
            keep_from_writing(database, pragma="OFF")
        return True

    one.run(going_on=watch.going_on(then), moved=lambda _: None)

    assert {News.ANEW, News.DATABASE} & set(watch.heard)
    assert one.is_over
    assert len(journal_of(database)[OFTEN]) > 4


def test_what_the_books_may_not_hold_is_answered_and_the_bot_goes_on(empty_url: str) -> None:
    """
    Done again after each failure, it would keep the bot from its exits for ever.
    """
    watch, database = Watch(), opened_at(empty_url)
    one = crew(database, watch, alone=True)
    absurd = Command(deed=Deed.ADOPT, reason="absurd", quantity=Decimal(1), cost=Decimal(100))
    with database.writing() as connection:
        commands.ask(connection, portfolio_id=1, bot=OFTEN, command=absurd, key=None, at=NOW)
        connection.exec_driver_sql(PLANTED[connection.dialect.name][0])

    one.run(going_on=watch.going_on(lambda _: True), moved=lambda _: None)

    with database.reading() as connection:
        said = commands.answer_of(connection, portfolio_id=1, number=1)
    with database.writing() as connection:
        connection.exec_driver_sql(PLANTED[connection.dialect.name][1])
    assert said is not None
    assert said.problem is not None
    assert "bot often: found the database's refusal" in said.problem
    assert said.problem.endswith("expected what the books may hold")
    assert one.is_over
    assert verify(database).differences == ()
    database.close()


def keep_from_writing(database: Database, *, pragma: str) -> None:
    """Let the connection of this process write nothing, as one to a read-only file would."""
    with database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA query_only = {pragma}")


def test_a_stop_file_of_which_nobody_can_tell_stops_entries(tmp_path: Path) -> None:
    """
    Whoever placed it wants no entry, though its folder cannot be read now; and no process may end
    of it, for exits go on.
    """
    file = tmp_path / "STOP"
    assert not is_there(file)
    file.touch()
    assert is_there(file)
    file.unlink()
    file.symlink_to(tmp_path / "gone")
    assert is_there(file)
    assert is_there(tmp_path / ("x" * 300))
    assert not is_there(tmp_path / "no folder" / "STOP")


def test_a_bot_that_stands_further_than_the_candles_here_waits_for_them(
    database: Database,
) -> None:
    """
    Its files are looked at now and then, and who ran it before had looked later. In a candle of
    its own that only stands in that one's place it would do what was done, once more.
    """
    first, later = Watch(), Watch()
    long, short = (
        candles_of([(at, 100, 100, 100, 100) for at in range(hours)], interval=timedelta(hours=1))
        for hours in (24, 20)
    )
    first_on = first.going_on(lambda _: News.FOLLOWS not in first.heard)
    following(database, first, {}, long).run(going_on=first_on, moved=lambda _: None)
    before = journal_of(database)
    more: dict[str, Feed] = {}

    def grow(rounds: int) -> bool:
        if rounds == ROUNDS // 2:
            assert later.heard == [News.SHORT]
            assert journal_of(database) == before
            more["BTC/USD"] = Feed("BTC/USD", long)
        return News.FOLLOWS not in later.heard

    following(database, later, more, short).run(
        going_on=later.going_on(grow), moved=lambda _: None
    )

    assert later.heard == [News.SHORT, News.RUNS, News.FOLLOWS]
    assert journal_of(database) == before
    assert len(before[OFTEN]) > 3


def following(
    database: Database, watch: Watch, more: Mapping[str, Feed], candles: Candles
) -> Crew:
    """Return a crew of one bot that follows candles."""
    return crew_of(
        database,
        parse(QUIET, file="c.toml"),
        {"BTC/USD": Source(name="day.csv", candles=candles)},
        (),
        bots=[OFTEN],
        alone=True,
        lease=LENGTH,
        clock=watch.clock,
        stop_file=None,
        tell=watch.tell,
        more=lambda: more,
    )
