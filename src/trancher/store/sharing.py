"""Sharing: what the bots of a portfolio use of its money and limits, over all processes.

One row holds the sums over all bots, one row each bot's own part, one row each day its trades and
what they earned. Who runs a bot borrows them at the beginning of a step and gives them back at its
end, in the transaction that writes down what the step did.

Invariants:
1. Whoever has borrowed is alone: the row of the sums is locked until the transaction ends, and it
   is always the first that is.
2. The sums are those of the bots' own rows.
3. A reservation stands as long as its order works, and what it has reserved is given back once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, ClientOrderId
from trancher.store import tables
from trancher.store.errors import StoreFailure
from trancher.store.prepared import Prepared, changing, key
from trancher.store.write import Bundle
from trancher.treasury import NOTHING, Reservation, Treasury, Used

_VERSION_MOVED: Final = "sums that somebody else has changed meanwhile"
_BOT: Final = ("portfolio_id", "bot")
_SUMMED: Final = ("active", "exits_reserved", "ordered", "worth", "set_aside")
# SQLite lets one transaction write at a time, and a step has begun as one.
_LOCK: Final = Prepared(
    select(tables.portfolio_usage)
    .where(*key(tables.portfolio_usage, "portfolio_id"))
    .with_for_update()
)
_OWN: Final = Prepared(select(tables.bot_usage).where(*key(tables.bot_usage, *_BOT)))
_RESERVATIONS: Final = Prepared(select(tables.reservation).where(*key(tables.reservation, *_BOT)))
_DAYS: Final = Prepared(
    select(tables.trading_day).where(
        *key(tables.trading_day, "portfolio_id"), tables.trading_day.c.day >= bindparam("first")
    )
)
_SYMBOLS: Final = Prepared(
    select(tables.symbol_usage).where(*key(tables.symbol_usage, "portfolio_id"))
)
_KEEP_SUMS: Final = Prepared(
    changing(
        tables.portfolio_usage,
        *("cash", "peak_equity", "version", *_SUMMED),
        by=("portfolio_id", "version"),
    )
)
_KEEP_OWN: Final = Prepared(changing(tables.bot_usage, "exposure", *_SUMMED, by=_BOT))
_RELEASE: Final = Prepared(
    delete(tables.reservation).where(*key(tables.reservation, *_BOT, "order_id"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A bot that runs, and what it is run with.

    Attributes:
        run_id: the run that its journal is of.
        load: the number of the load in force whose limits it goes by; 0 where there was none.
        zone: whose days the daily limits count by.
    """

    portfolio_id: int
    run_id: int
    bot: BotName
    symbol: str
    zone: tzinfo
    load: int = 0


class _DayUsage(NamedTuple):
    """What a day has used, in the words of its row."""

    trades: int
    realized: Decimal
    streak: int


_QUIET: Final = _DayUsage(0, ZERO, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """What was borrowed for a step.

    Attributes:
        treasury: to work with; the rest is how it was.
        version: of the sums.
        used: the bot's own part.
        set_aside: quote for its rungs, in all its places; None where none is.
        symbols: those that have a row.
        first: no day before it was borrowed, and none may change.
    """

    owner: Owner
    treasury: Treasury
    version: int
    used: Used
    set_aside: Decimal | None
    symbols: frozenset[str]
    first: date
    days: Mapping[date, _DayUsage]
    working: Mapping[ClientOrderId, Reservation]


def join(connection: Connection, owner: Owner, *, cash: Decimal) -> None:
    """Let a bot take part, which begins a portfolio that nobody has run yet with `cash` quote.

    Raises:
        StoreError: it cannot be written.
    """
    one = tables.portfolio_usage.c.portfolio_id == owner.portfolio_id
    if connection.execute(select(tables.portfolio_usage.c.version).where(one)).first() is None:
        start = {
            "portfolio_id": owner.portfolio_id,
            "cash": cash,
            "peak_equity": cash,
            "active": 0,
            "exits_reserved": 0,
            "ordered": ZERO,
            "set_aside": ZERO,
            "worth": ZERO,
            "version": 0,
        }
        connection.execute(insert(tables.portfolio_usage), start)
    connection.execute(
        insert(tables.bot_usage),
        {
            "portfolio_id": owner.portfolio_id,
            "bot": owner.bot,
            "run_id": owner.run_id,
            "symbol": owner.symbol,
            **_columns(NOTHING),
            "set_aside": None,
            "exposure": ZERO,
        },
    )


def lock(connection: Connection, portfolio_id: int) -> Any:
    """Return the row of a portfolio's sums, locked until the transaction ends."""
    return _LOCK.rows(connection, key_portfolio_id=portfolio_id)[0]


def bots_of(connection: Connection, portfolio_id: int) -> tuple[BotName, ...]:
    """Return the bots that take part in a portfolio, in the configuration's order."""
    usage, bot = tables.bot_usage.c, tables.bot.c
    found = connection.execute(
        select(usage.bot)
        .join(
            tables.bot,
            (bot.portfolio_id == usage.portfolio_id) & (bot.run_id == usage.run_id),
        )
        .where(usage.portfolio_id == portfolio_id)
        .order_by(bot.id, bot.run_id)
    )
    return tuple(found.scalars())


def lock_if_run(connection: Connection, portfolio_id: int) -> None:
    """Lock the sums of a portfolio, where it has any: nobody may have run its bots yet."""
    _LOCK.rows(connection, key_portfolio_id=portfolio_id)


@exact
def borrow(connection: Connection, owner: Owner, *, since: datetime) -> Borrowed:
    """Return the portfolio's money and limits, to be alone with until the transaction ends.

    Args:
        since: when the step begins; days before it matter only where an order works since then.
    """
    sums = lock(connection, owner.portfolio_id)
    own = _OWN.rows(connection, **_bot(owner))[0]
    used = _used(own, {owner.symbol: own.exposure})
    treasury = Treasury(sums.cash, owner.zone)
    treasury.peak_equity = sums.peak_equity
    if own.set_aside is not None:
        treasury.rungs[owner.bot] = own.set_aside
    for row in _RESERVATIONS.rows(connection, **_bot(owner)):
        order_id, day = ClientOrderId(row.order_id), date.fromisoformat(row.day)
        treasury.working[order_id] = Reservation(cost=row.cost, day=day)
    first = min([treasury.day(since).date, *(one.day for one in treasury.working.values())])
    for row in _DAYS.rows(connection, **_portfolio(owner), first=first.isoformat()):
        day = date.fromisoformat(row.day)
        treasury.trades[day], treasury.realized[day] = row.trades, row.realized
        treasury.streaks[day] = row.streak
    exposure = {row.symbol: row.exposure for row in _SYMBOLS.rows(connection, **_portfolio(owner))}
    treasury.others = _less(_used(sums, exposure), used)
    return Borrowed(
        owner=owner,
        treasury=treasury,
        version=sums.version,
        used=used,
        set_aside=own.set_aside,
        symbols=frozenset(exposure),
        first=first,
        days=_days_of(treasury),
        working=dict(treasury.working),
    )


@exact
def give_back(bundle: Bundle, borrowed: Borrowed, used: Used) -> None:
    """Put what a step has changed of what it borrowed into what it writes.

    That fails if the sums were not locked as they ought to be.

    Args:
        used: the bot's own part, as it is now.
    """
    owner, treasury = borrowed.owner, borrowed.treasury
    sums = _plus(treasury.others, used)
    bundle.change(
        _KEEP_SUMS,
        {
            **_portfolio(owner),
            "key_version": borrowed.version,
            "cash": treasury.cash,
            "peak_equity": treasury.peak_equity,
            **_columns(sums),
            "set_aside": sums.set_aside,
            "version": borrowed.version + 1,
        },
        unless_one=StoreFailure(
            where="portfolio_usage", found=_VERSION_MOVED, expected="to be alone with them"
        ),
    )
    set_aside = _set_aside(treasury)
    if used != borrowed.used or set_aside != borrowed.set_aside:
        own = {
            **_bot(owner),
            **_columns(used),
            "set_aside": set_aside,
            "exposure": used.exposure[owner.symbol],
        }
        bundle.change(_KEEP_OWN, own)
    if used.exposure[owner.symbol] != borrowed.used.exposure[owner.symbol]:
        row = {
            "portfolio_id": owner.portfolio_id,
            "symbol": owner.symbol,
            "exposure": sums.exposure[owner.symbol],
        }
        known = owner.symbol in borrowed.symbols
        (bundle.update if known else bundle.insert)(tables.symbol_usage, [row])
    _keep_days(bundle, borrowed)
    _keep_reservations(bundle, borrowed)


def _set_aside(treasury: Treasury) -> Decimal | None:
    """Return the quote for the rungs of a bot's positions; None where none is set aside."""
    return sum(treasury.rungs.values(), ZERO) if treasury.rungs else None


def _days_of(treasury: Treasury) -> dict[date, _DayUsage]:
    days = treasury.trades.keys() | treasury.realized.keys() | treasury.streaks.keys()
    return {
        day: _DayUsage(
            treasury.trades[day], treasury.realized.get(day, ZERO), treasury.streaks[day]
        )
        for day in sorted(days)
    }


def _keep_days(bundle: Bundle, borrowed: Borrowed) -> None:
    treasury = borrowed.treasury
    for day, found in _days_of(treasury).items():
        if found != borrowed.days.get(day, _QUIET):
            assert day >= borrowed.first, (day, borrowed.first)
            row = {
                "portfolio_id": borrowed.owner.portfolio_id,
                "day": day.isoformat(),
                **found._asdict(),
            }
            known = day in borrowed.days
            (bundle.update if known else bundle.insert)(tables.trading_day, [row])


def _keep_reservations(bundle: Bundle, borrowed: Borrowed) -> None:
    owner, now = borrowed.owner, borrowed.treasury.working
    for order_id in borrowed.working.keys() - now.keys():
        bundle.change(_RELEASE, {**_bot(owner), "key_order_id": order_id})
    for order_id, one in now.items():
        if one == borrowed.working.get(order_id):
            continue
        row = {
            "portfolio_id": owner.portfolio_id,
            "bot": owner.bot,
            "order_id": order_id,
            "cost": one.cost,
            "day": one.day.isoformat(),
        }
        known = order_id in borrowed.working
        (bundle.update if known else bundle.insert)(tables.reservation, [row])


def _portfolio(owner: Owner) -> dict[str, object]:
    return {"key_portfolio_id": owner.portfolio_id}


def _bot(owner: Owner) -> dict[str, object]:
    return {"key_portfolio_id": owner.portfolio_id, "key_bot": owner.bot}


def _used(row: Any, exposure: Mapping[str, Decimal]) -> Used:
    return Used(
        active=row.active,
        exits_reserved=row.exits_reserved,
        ordered=row.ordered,
        set_aside=row.set_aside or ZERO,
        worth=row.worth,
        exposure=exposure,
    )


def _columns(used: Used) -> dict[str, Any]:
    """Return what a row of sums and a row of a bot have in common."""
    return {
        "active": used.active,
        "exits_reserved": used.exits_reserved,
        "ordered": used.ordered,
        "worth": used.worth,
    }


def _plus(one: Used, other: Used) -> Used:
    return Used(
        active=one.active + other.active,
        exits_reserved=one.exits_reserved + other.exits_reserved,
        ordered=one.ordered + other.ordered,
        set_aside=one.set_aside + other.set_aside,
        worth=one.worth + other.worth,
        exposure={
            symbol: one.exposure.get(symbol, ZERO) + other.exposure.get(symbol, ZERO)
            for symbol in _symbols_of(one, other)
        },
    )


def _less(one: Used, other: Used) -> Used:
    return Used(
        active=one.active - other.active,
        exits_reserved=one.exits_reserved - other.exits_reserved,
        ordered=one.ordered - other.ordered,
        set_aside=one.set_aside - other.set_aside,
        worth=one.worth - other.worth,
        exposure={
            symbol: one.exposure.get(symbol, ZERO) - other.exposure.get(symbol, ZERO)
            for symbol in _symbols_of(one, other)
        },
    )


def _symbols_of(one: Used, other: Used) -> Iterable[str]:
    return sorted(one.exposure.keys() | other.exposure.keys())
