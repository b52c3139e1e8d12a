"""Signals handed to bots at work: when they are stale, at what they fill, and what they leave."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from backtest.scripted import MIDNIGHT, SYMBOL, bot, candles_of, head
from running.company import Company
from running.floor import journal_of
from running.handing import handed, heard_by
from trancher.app.settings import parse
from trancher.core.events import Filled
from trancher.core.limits import RefusalCode
from trancher.core.order import BotName
from trancher.store.commands import Answer, Said
from trancher.store.verify import verify

NEWS: Final = BotName("news")
WAITS: Final = """plan = "signals"
steps = [{signal = "buy", size = 20}]
[bot.signals.external]
desk = {max_age = "2h"}"""
BUY: Final = Said(name="desk", event="buy")
HOUR: Final = timedelta(hours=1)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Return a company whose bot waits for the event alone; hourly candles at 100, 110 and 120."""
    prices = [(price, price, price, price) for price in (100, 110, 120)]
    settings = parse(head() + bot(NEWS, WAITS), file="case.toml")
    return Company(f"sqlite:///{tmp_path}/books.db", settings, {SYMBOL: candles_of(prices)})


def fills(company: Company) -> list[tuple[Decimal, datetime]]:
    """Return the price and the time of each fill."""
    told = journal_of(company.database)[NEWS]
    return [(one.fill.price, one.fill.at) for one in told if isinstance(one, Filled)]


def test_what_comes_of_it_fills_at_the_next_opening(company: Company) -> None:
    """
    Decided at the close of 01:00, at 100, it is bought where the next candle opens, at 110.
    """
    said = handed(company, NEWS, BUY, at=MIDNIGHT + HOUR)
    before = fills(company)
    company.run()

    assert [(one.price, one.at) for one in said.decisions] == [(Decimal(100), MIDNIGHT + HOUR)]
    assert before == []
    assert fills(company) == [(Decimal(110), MIDNIGHT + HOUR)]


def test_at_a_price_that_is_said_it_fills_at_once(company: Company) -> None:
    """
    As an entry by hand does.
    """
    handed(company, NEWS, BUY, at=MIDNIGHT + HOUR, price=Decimal(95))

    assert fills(company) == [(Decimal(95), MIDNIGHT + HOUR)]


def test_where_no_candle_comes_it_fills_at_the_last_close(company: Company) -> None:
    """
    An order that waited for an opening would wait for ever.
    """
    handed(company, NEWS, BUY, at=MIDNIGHT + 3 * HOUR)

    assert fills(company) == [(Decimal(120), MIDNIGHT + 3 * HOUR)]


def test_before_the_first_close_there_is_no_price(company: Company) -> None:
    """
    It is not heard, unless somebody says one; then the event alone decides.
    """
    first = handed(company, NEWS, BUY, at=MIDNIGHT)
    second = handed(company, NEWS, BUY, at=MIDNIGHT, price=Decimal(99))

    assert first == Answer(
        problem=f"bot news: found no price of {SYMBOL} yet, expected one by --price"
    )
    assert len(heard_by(company.database)) == 1
    assert (len(second.decisions), fills(company)) == (1, [(Decimal(99), MIDNIGHT)])


def test_a_signal_that_waited_too_long_is_refused(company: Company) -> None:
    """
    It counts for two hours, and nobody heard it for longer: not heard, and that is on record.
    """
    said = handed(company, NEWS, BUY, at=MIDNIGHT + HOUR, waits=2 * HOUR + timedelta(seconds=1))

    (decision,) = said.decisions
    (refusal,) = decision.refusals
    assert (refusal.code, refusal.missing) == (RefusalCode.STALE_SIGNAL, Decimal(1))
    assert heard_by(company.database) == ()
    company.run()
    assert fills(company) == []
    assert verify(company.database).differences == ()


def test_one_that_waited_as_long_as_it_counts_is_heard(company: Company) -> None:
    """
    The limit is inclusive, as everywhere.
    """
    said = handed(company, NEWS, BUY, at=MIDNIGHT + HOUR, waits=2 * HOUR)

    assert [one.accepted for one in said.decisions] == [True]


def test_a_signal_that_the_bot_does_not_list_is_no_decision(company: Company) -> None:
    """
    The command refuses it; a row that says it all the same is answered, and nothing happens.
    """
    said = handed(company, NEWS, Said(name="wire", event="buy"), at=MIDNIGHT + HOUR)

    assert said.problem == (
        "bot news: found no signal wire from outside that it listens to, expected one of: desk"
    )
    assert heard_by(company.database) == ()
