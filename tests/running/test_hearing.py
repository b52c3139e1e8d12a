"""Signals handed to bots that run: they decide what a backtest decides by a file of them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.cases import rows_from
from backtest.everything import everything, many
from backtest.replays import SYMBOL, Row, candles_of, replay_of
from running.company import Company
from running.floor import journal_of
from running.handing import handed, heard_by
from strategies import Dial, dials
from trancher.app.settings import parse
from trancher.core.order import BotName
from trancher.running.actor import Actor
from trancher.store.commands import Said
from trancher.store.verify import verify

BOT: Final = BotName("bot")
FEW = settings(max_examples=max(settings().max_examples // 20, 10))
paths = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=40).map(rows_from)
LISTENS: Final = '[bot.signals]\nexternal = {desk = {weight = 0.9, max_age = "3h"}}\n'
SCORES: Final = ("1", "0.7", "0.123456789", "0", "-0.6", "-1")
SAID: Final = (
    *(Said(name="desk", event=event) for event in ("rsi_oversold", "price_drop")),
    *(Said(name="desk", score=Decimal(score)) for score in SCORES),
)


Kind = Callable[[Dial], str]


@FEW
@given(
    bot=dials(),
    of_kind=st.sampled_from([everything, many]),
    path=paths,
    seed=st.integers(0, 2**32),
)
def test_what_is_handed_in_is_decided_as_if_a_file_had_said_it(
    bot: Dial, of_kind: Kind, path: Sequence[Row], seed: int
) -> None:
    """
    Event for event, with a position or several, though the process dies now and then: a signal
    is known to every later candle, and to whoever goes on.
    """
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    # A place whose building ends at a close lets another one begin, which a second look sees.
    text = of_kind(bot).replace("[bot.signals]\n", LISTENS).replace('build_window = "4h"', "")
    said, candles = parse(text, file="case.toml"), {SYMBOL: candles_of(path)}
    with TemporaryDirectory() as folder:
        company = Company(f"sqlite:///{folder}/books.db", said, candles)

        def hand_in() -> None:
            if random.random() < 0.3 and _stands_between_candles(company.actors[BOT]):
                handed(company, BOT, random.choice(SAID))
            if random.random() < 0.1:
                company.kill(BOT)

        company.run(meanwhile=hand_in)

        expected = replay_of(said, candles, outside=heard_by(company.database)).run()
        journal = [entry.event for entry in expected.store.journal]
        assert journal_of(company.database) == {BOT: journal}
        assert verify(company.database).differences == ()
        company.database.close()


def _stands_between_candles(actor: Actor) -> bool:
    """Say whether a bot has candles to come, and has done nothing at its last close."""
    step = actor.next
    if step is None or step.candle == 0 or not actor.between_candles:
        return False
    waits = any(actor.exchange.waits(seat.name) for seat in actor.seats)
    return not waits and all(seat.past.closed_at != seat.priced_at for seat in actor.seats)
