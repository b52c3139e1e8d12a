"""Bots that follow candles as they come do what a backtest does once all have come."""

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import OTHER, several, with_places
from backtest.replays import SYMBOL, Row, candles_of, replay_of
from running.company import Company
from running.floor import journal_of
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.core.events import Event
from trancher.market.candles import Candles
from trancher.store.verify import verify

FEW = settings(max_examples=max(settings().max_examples // 50, 10))
Kind = Callable[[Sequence[Dial]], str]
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=30).map(rows_from)


@FEW
@given(
    bots=st.lists(dials(), min_size=1, max_size=3),
    of_kind=st.sampled_from([several, with_places]),
    path=paths,
    other=paths,
    seed=st.integers(0, 2**32),
)
def test_whoever_follows_does_what_the_backtest_did(
    bots: Sequence[Dial], of_kind: Kind, path: Sequence[Row], other: Sequence[Row], seed: int
) -> None:
    """
    Event for event before the last close, which only a bot that waits for more looks at; though
    candles come a few at a time, and processes die. Each bot has an account of its own here, for
    candles of two symbols that do not come at once put their bots in another order.
    """
    text = of_kind(bots[:1])
    assume('of = "equity"' not in text)
    said = parse(text, file="case.toml")
    symbol = said.bots[0].symbol
    whole = {SYMBOL: candles_of(path), OTHER: candles_of(other)}
    expected = before(
        [one.event for one in replay_of(said, whole).run().store.journal], whole[symbol]
    )
    dice = Random(seed)  # noqa: S311 nothing secret is drawn

    with TemporaryDirectory() as folder:
        first = whole | {symbol: whole[symbol].first(dice.randint(1, len(whole[symbol])))}
        company = Company(f"sqlite:///{folder}/books.db", said, first, follows=True)

        def die() -> None:
            if dice.random() < 0.05:
                company.kill(said.bots[0].name)

        company.run(meanwhile=die)
        known = len(first[symbol])
        while known < len(whole[symbol]):
            known = min(known + dice.randint(1, 4), len(whole[symbol]))
            company.grow({symbol: whole[symbol].first(known)})
            die()
            company.run(meanwhile=die)
        found = journal_of(company.database).get(said.bots[0].name, [])
        differences = verify(company.database).differences
        company.database.close()

    assert before(found, whole[symbol]) == expected
    assert differences == ()


def before(events: Sequence[Event], candles: Candles) -> list[Event]:
    """Return what happened before the last close."""
    end = candles.closed_at(len(candles) - 1)
    return [event for event in events if at_of(event) < end]


def at_of(event: Event) -> datetime:
    """Return when an event happened."""
    at = event.at
    assert isinstance(at, datetime)
    return at
