"""What each bot came to: how many of its positions won, and what its symbol did meanwhile.

Bots share one cash, so that no drawdown of a single bot is told: there is nothing to fall from.

Invariant: a position that is open has neither won nor lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trancher.backtest.summary import BotSummary
from trancher.core.bot import Bot
from trancher.core.money import ONE, exact, quotient
from trancher.core.order import BotName, SeatName
from trancher.market.candles import Candles


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRow:
    """One bot of a run.

    Attributes:
        closed: its positions that are closed.
        won: those of them that realized more than nothing, net.
        win_rate: won / closed, a ratio; None where none is closed.
        buy_and_hold: last close / first open - 1 of its symbol, fees left out, a ratio; None
            without candles.
    """

    bot: BotName
    closed: int
    won: int
    win_rate: Decimal | None
    buy_and_hold: Decimal | None


@exact
def by_bot(
    bots: Iterable[BotSummary], traded: Mapping[SeatName, Bot], candles: Mapping[str, Candles]
) -> tuple[BotRow, ...]:
    """Return a row for each bot; `candles` are by symbol."""
    return tuple(_row(bot, candles.get(traded[bot.name].instrument.symbol)) for bot in bots)


def _row(bot: BotSummary, candles: Candles | None) -> BotRow:
    closed = [one for one in bot.positions if one.closed_at is not None]
    won = sum(one.book.realized_pnl > 0 for one in closed)
    return BotRow(
        bot=bot.name,
        closed=len(closed),
        won=won,
        win_rate=quotient(Decimal(won), Decimal(len(closed))) if closed else None,
        buy_and_hold=None if candles is None else _held(candles),
    )


def _held(candles: Candles) -> Decimal:
    first, last = (candles.price(int(one)) for one in (candles.open[0], candles.close[-1]))
    return quotient(last, first) - ONE
