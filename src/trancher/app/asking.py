"""Asks about one more trade: finds the position, in the books or none, and tries it.

Invariant: nothing is written; a look never trades.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import engine_portfolio
from trancher.app.bot_standing import BotStanding, latest_of
from trancher.app.configured import BotSettings, Settings
from trancher.app.output import BadInput
from trancher.app.standing import Standing, standing
from trancher.app.what_if_view import Asked
from trancher.backtest.rehearsal import usage_alone
from trancher.backtest.trial import Trial
from trancher.backtest.what_if import add, sell
from trancher.core.bot import NO_PAST, Past
from trancher.core.lifecycle import State
from trancher.core.limits import Refusal, Usage
from trancher.core.order import PositionId
from trancher.core.position import Position, new_position

_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


def ask(
    settings: Settings,
    chosen: BotSettings,
    *,
    price: Decimal,
    size: Decimal | None,
    share: Decimal | None,
    url: str | None,
) -> Asked:
    """Return what one more entry, one more exit, or both in that order would come to.

    Args:
        price: quote per base, > 0.
        size: quote of the entry, > 0; None for none.
        share: of what is then held, 0 < share <= 1; None sells nothing.
        url: of the books in which the bot's position is; None begins with nothing.

    Raises:
        BadInput: there is no such position, or nothing to sell.
    """
    found = None if url is None else standing(url)
    one = None if found is None else _of_bot(found, chosen)
    position = _nothing(settings, chosen) if one is None else one.position
    if position.state is State.CLOSING:
        raise BadInput(
            f"--db: found {position.id} selling all, expected a position that is not being closed"
        )
    at = _NEVER if found is None else found.at
    bot = chosen.bot(position.instrument)
    trial = Trial(bot=bot, slippage=settings.backtest.slippage, price=price, at=at)
    added = None
    if size is not None:
        past, usage = _circumstances(settings, found, one, position, at)
        added = add(
            trial, position, size, past=past, usage=usage, limits=settings.portfolio.limits
        )
        if found is None:
            added = replace(added, refusals=_undated(added.refusals))
    held = position if added is None else added.after
    if share is not None and held.held == 0:
        raise BadInput(
            "--sell: found nothing held, expected a position; --db names its books, --add buys one"
        )
    return Asked(
        source=_source(settings, found),
        trial=trial,
        before=position,
        added=added,
        sold=None if share is None else sell(trial, held, share),
    )


def _undated(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return refusals without times: from nothing there is no time to count from."""
    return tuple(replace(one, unblocks_at=None) for one in refusals)


def _of_bot(found: Standing, chosen: BotSettings) -> BotStanding:
    places = found.places(chosen.name)
    mine = [one for one in places if one.settings.strategy == chosen.strategy]
    if not mine:
        raise BadInput(
            f"--db: found no strategy {chosen.strategy} of {chosen.name}, expected one of "
            f"{', '.join(dict.fromkeys(one.settings.strategy for one in places))}"
        )
    one = latest_of(mine)
    if one.settings.symbol != chosen.symbol:
        raise BadInput(
            f"--db: found {chosen.name} on {one.settings.symbol}, expected it on {chosen.symbol}"
        )
    return one


def _nothing(settings: Settings, chosen: BotSettings) -> Position:
    return new_position(
        position_id=PositionId(f"{chosen.name}-1"),
        bot=chosen.name,
        instrument=settings.instrument(chosen.symbol, price_tick=None),
        disposal=chosen.disposal,
    )


def _circumstances(
    settings: Settings,
    found: Standing | None,
    one: BotStanding | None,
    position: Position,
    at: datetime,
) -> tuple[Past, Usage]:
    """Return what the bot remembers, and what of the limits is in use."""
    if found is None or one is None:
        return NO_PAST, usage_alone(engine_portfolio(settings), position, at)
    return one.past, found.usage(one, at)


def _source(settings: Settings, found: Standing | None) -> str:
    if found is None:
        return "from nothing"
    said = f"as run {found.run.id} left it"
    other = found.settings.config_hash != settings.config_hash
    return f"{said}, under another configuration" if other else said
