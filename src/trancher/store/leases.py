"""Leases: who runs a bot. One owner at a time, and what an earlier one still writes is refused.

A lease has an epoch, which grows with every owner. Whoever writes for a bot says its epoch in the
same transaction; one that was taken over meanwhile finds another epoch there and keeps nothing.

Invariants:
1. Of two that take a lease at once one gets it.
2. A lease that has run out, or was given up, is free; any other is not.
3. What is written under an epoch was written before the next owner began.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from trancher.core.order import BotName
from trancher.store import tables
from trancher.store.errors import StoreFailure
from trancher.store.prepared import Prepared, changing

_HOLD: Final = Prepared(
    changing(tables.lease, "owner", "until", by=("portfolio_id", "bot", "epoch"))
)


class LeaseLost(StoreFailure):
    """Another process has taken the bot over; this one must let go of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to run a bot.

    Attributes:
        owner: who has it, in words that a person can find the process by.
        epoch: counts the owners of the bot from 1.
        until: when it runs out, by the database's clock, UTC.
    """

    portfolio_id: int
    bot: BotName
    owner: str
    epoch: int
    until: datetime


def holder(
    connection: Connection, *, portfolio_id: int, bot: BotName, now: datetime
) -> str | None:
    """Return who runs a bot now, or None."""
    table = tables.lease
    row = connection.execute(select(table).where(*_of(portfolio_id, bot))).one_or_none()
    if row is None or row.owner is None or row.until <= now:
        return None
    assert isinstance(row.owner, str)
    return row.owner


def ends_at(connection: Connection, *, portfolio_id: int, bot: BotName, now: datetime) -> datetime:
    """Return when a bot is free again if its holder keeps silent; `now` where it is."""
    table = tables.lease
    row = connection.execute(select(table).where(*_of(portfolio_id, bot))).one_or_none()
    if row is None or row.owner is None:
        return now
    assert isinstance(row.until, datetime)
    return max(row.until, now)


def offer(connection: Connection, *, portfolio_id: int, bot: BotName, now: datetime) -> None:
    """Make the lease of a bot that nobody has run yet."""
    row = {"portfolio_id": portfolio_id, "bot": bot, "owner": None, "epoch": 0, "until": now}
    connection.execute(insert(tables.lease), row)


def take(
    connection: Connection,
    *,
    portfolio_id: int,
    bot: BotName,
    owner: str,
    now: datetime,
    length: timedelta,
) -> Lease | None:
    """Take the lease of a bot, unless somebody else has it now.

    A process may take its own once more: what it had begun under the old epoch is void then.

    Args:
        owner: names the process, and no other one.
        now: by the database's clock.
        length: after which it runs out, unless it is held again, > 0.
    """
    table = tables.lease
    epoch = connection.execute(
        update(table)
        .where(
            *_of(portfolio_id, bot),
            or_(table.c.owner.is_(None), table.c.owner == owner, table.c.until <= now),
        )
        .values(owner=owner, epoch=table.c.epoch + 1, until=now + length)
        .returning(table.c.epoch)
    ).scalar()
    if epoch is None:
        return None
    return Lease(portfolio_id=portfolio_id, bot=bot, owner=owner, epoch=epoch, until=now + length)


def hold(connection: Connection, lease: Lease, *, now: datetime, length: timedelta) -> Lease:
    """Hold a lease for another `length`; until the transaction ends nobody can take it.

    Raises:
        LeaseLost: somebody else has it, or had it since.
    """
    held = _HOLD.change(
        connection,
        key_portfolio_id=lease.portfolio_id,
        key_bot=lease.bot,
        key_epoch=lease.epoch,
        owner=lease.owner,
        until=now + length,
    )
    if held == 0:
        raise LeaseLost(
            where=f"bot {lease.bot}",
            found="another process that runs it",
            expected=f"to be the only one, {lease.owner}",
        )
    return replace(lease, until=now + length)


def give_up(connection: Connection, lease: Lease) -> None:
    """Let somebody else have a bot at once; nothing happens where somebody has."""
    table = tables.lease
    connection.execute(
        update(table)
        .where(*_of(lease.portfolio_id, lease.bot), table.c.epoch == lease.epoch)
        .values(owner=None)
    )


def revoke(connection: Connection) -> None:
    """Take every lease from whoever has it, in books of any schema.

    It waits for the steps that are being done; each later one finds that its lease is lost.
    """
    if connection.dialect.has_table(connection, tables.lease.name):
        connection.exec_driver_sql("UPDATE lease SET owner = NULL, epoch = epoch + 1")


def _of(portfolio_id: int, bot: BotName) -> tuple[ColumnElement[bool], ...]:
    return (tables.lease.c.portfolio_id == portfolio_id, tables.lease.c.bot == bot)
