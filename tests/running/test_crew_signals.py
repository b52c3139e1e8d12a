"""A crew hands its bots the signals that come while it works."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from backtest.replays import FIRST, candles_of
from backtest.scripted import SYMBOL, bot, head
from running.company import LENGTH, NOW
from running.floor import journal_of
from running.handing import heard_by
from running.test_crew import Watch
from store.kept import opened_at
from trancher.app.backtesting import Source
from trancher.app.running import crew_of
from trancher.app.settings import parse
from trancher.core.events import Filled
from trancher.core.order import BotName
from trancher.store import commands
from trancher.store.commands import Command, Deed, Said
from trancher.store.database import Database
from trancher.store.verify import verify

HOUR: Final = timedelta(hours=1)
OFTEN, NEWS = BotName("often"), BotName("news")
BUYS: Final = 'plan = "dca"\nsize = 10\nevery = "1h"\nmax_tranches = 50'
WAITS: Final = """plan = "rungs"
rungs = [{when = {flat = true}, size = 10}, {when = {signal = "buy"}, size = 20}]
[bot.signals.external]
desk = {max_age = "2h"}"""
LEAVES: Final = 'time_stop = "20h"'
OFF: Final = 'max_tranches = "off"\nmax_position_size = "off"'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(f"sqlite:///{tmp_path}/books.db")
    yield database
    database.close()


def test_a_signal_is_heard_at_the_time_that_all_have_come_to(database: Database) -> None:
    """
    One bot looks at every candle; the other has passed over twenty quiet ones, to where its time
    is over. It hears the signal at the close that the first has come to, and buys at the opening.
    """
    watch = Watch()
    settings = parse(
        head() + bot(OFTEN, BUYS, limits=OFF) + bot(NEWS, WAITS, LEAVES), file="c.toml"
    )
    candles = candles_of(
        [(at, 100 + at, 100 + at, 100 + at, 100 + at) for at in range(24)], interval=HOUR
    )
    crew = crew_of(
        database,
        settings,
        {SYMBOL: Source(name="day.csv", candles=candles)},
        (),
        bots=[OFTEN, NEWS],
        alone=False,
        lease=LENGTH,
        clock=watch.clock,
        stop_file=None,
        tell=watch.tell,
    )

    def then(rounds: int) -> bool:
        if rounds == 20:
            said = Said(name="desk", event="buy")
            with database.writing() as connection:
                commands.ask(
                    connection,
                    portfolio_id=1,
                    bot=NEWS,
                    command=Command(deed=Deed.SIGNAL, reason="signal desk", said=said),
                    key=None,
                    at=NOW,
                )
        return True

    crew.run(going_on=watch.going_on(then), moved=lambda _: None)

    (heard,) = heard_by(database)
    bought = [one.fill for one in journal_of(database)[NEWS] if isinstance(one, Filled)]
    first, second, *later = (int((one.at - FIRST) / HOUR) for one in bought)
    assert (first, min(later)) == (1, 21)
    assert 2 <= second < 12
    assert heard.at == bought[1].at
    assert bought[1].price == 100 + second
    assert verify(database).differences == ()
