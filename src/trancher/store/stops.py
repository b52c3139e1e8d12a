"""Stops: the halts of a portfolio as the database has them, for every process that runs a bot.

A halt is placed and lifted under the lock of the portfolio's sums, which every entry needs: once
it is placed no entry is decided that it reaches, in any process.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from trancher.core import limits
from trancher.core.limits import RefusalCode
from trancher.core.order import BotName
from trancher.store import commands, configurations, sharing, tables
from trancher.store.commands import Command
from trancher.store.halts import Action, Halt, Scope
from trancher.store.prepared import Prepared, key
from trancher.store.sharing import Owner

_CODES: Final[Mapping[Action, limits.HaltCode]] = {
    Action.PAUSE: RefusalCode.PAUSED,
    Action.BREACH: RefusalCode.RECONCILIATION_BREAK,
}
_STANDING: Final = Prepared(
    select(tables.halt)
    .where(*key(tables.halt, "portfolio_id"), tables.halt.c.lifted_at.is_(None))
    .order_by(tables.halt.c.number)
)


def in_force(connection: Connection, owner: Owner) -> tuple[limits.Halt, ...]:
    """Return what stops entries of a bot now."""
    return reaching(standing(connection, owner.portfolio_id), owner.bot)


def reaching(halts: Iterable[Halt], bot: BotName) -> tuple[limits.Halt, ...]:
    """Return those of a portfolio's halts that stop entries of a bot, as the core knows them."""
    return tuple(
        limits.Halt(
            code=_CODES.get(one.action, RefusalCode.EMERGENCY_STOP),
            lifted_by=one.lifted_by,
        )
        for one in halts
        if one.bot in (None, bot)
    )


def standing(connection: Connection, portfolio_id: int) -> tuple[Halt, ...]:
    """Return the halts of a portfolio that nobody has lifted, oldest first."""
    return tuple(map(_halt, _STANDING.rows(connection, key_portfolio_id=portfolio_id)))


def place(
    connection: Connection,
    *,
    portfolio_id: int,
    scope: Scope,
    bot: BotName | None,
    target: str | None,
    action: Action,
    share: Decimal | None,
    reason: str,
    at: datetime,
) -> Halt:
    """Stop the entries that `scope` reaches, from the end of this transaction on."""
    sharing.lock(connection, portfolio_id)
    table = tables.halt
    highest = select(func.max(table.c.number)).where(table.c.portfolio_id == portfolio_id)
    halt = Halt(
        number=configurations.next_number(connection, highest),
        scope=scope,
        bot=bot,
        target=target,
        action=action,
        share=share,
        reason=reason,
        at=at,
    )
    row = {
        "portfolio_id": portfolio_id,
        "number": halt.number,
        "scope": scope,
        "bot": bot,
        "target": target,
        "action": action,
        "share": share,
        "reason": reason,
        "at": at,
        "lifted_at": None,
    }
    connection.execute(insert(table), row)
    return halt


def with_commands(
    connection: Connection,
    placed: Halt,
    *,
    portfolio_id: int,
    bots: Iterable[BotName] | None,
    command: Callable[[Halt], Command | None],
) -> tuple[Halt, Mapping[int, BotName]]:
    """Ask bots for what a halt wants of them, in the transaction that places it.

    Args:
        bots: None for all that have bought anything by then; who comes later buys nothing.
        command: says what that is; None where it only stops entries.

    Returns:
        The halt, and the bots by the numbers of what was asked of them.
    """
    wanted = command(placed)
    if wanted is None:
        return placed, {}
    asked = {
        commands.ask(
            connection,
            portfolio_id=portfolio_id,
            bot=bot,
            command=wanted,
            key=None,
            at=placed.at,
        ).number: bot
        for bot in (sharing.bots_of(connection, portfolio_id) if bots is None else bots)
    }
    return placed, asked


def lift(
    connection: Connection,
    *,
    portfolio_id: int,
    bot: BotName | None,
    target: str | None,
    at: datetime,
) -> tuple[Halt, ...]:
    """Lift the halts that were placed with these very words; return them.

    Args:
        bot: whose; None for those of all of the portfolio.
        target: the position or tranche; None for those of a whole bot, or of the portfolio.
    """
    sharing.lock(connection, portfolio_id)
    lifted = tuple(
        one for one in standing(connection, portfolio_id) if (one.bot, one.target) == (bot, target)
    )
    table = tables.halt
    for one in lifted:
        connection.execute(
            update(table)
            .where(table.c.portfolio_id == portfolio_id, table.c.number == one.number)
            .values(lifted_at=at)
        )
    return lifted


def _halt(row: Any) -> Halt:
    return Halt(
        number=row.number,
        scope=Scope(row.scope),
        bot=row.bot,
        target=row.target,
        action=Action(row.action),
        share=row.share,
        reason=row.reason,
        at=row.at,
        lifted_at=row.lifted_at,
    )
