"""Under way: whether bots that run have come to their end, and who runs those that have not.

A run of `trancher run` has no last entry, because longer candles may come; so what it is doing is
read from how far its bots have come and from their leases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from trancher.core.order import BotName
from trancher.store import progress, tables


class Going(StrEnum):
    """How a run goes on.

    OVER has come to the end of its candles. GOING_ON is run by a process. STOPPED was given up by
    its process before the end; LEFT had a process that died. UNFINISHED is a backtest without an
    end, of which nobody knows whether it is being done.
    """

    OVER = "over"
    GOING_ON = "going on"
    STOPPED = "stopped"
    LEFT = "left"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotUnderWay:
    """How a bot that runs goes on.

    Attributes:
        over: whether it has come to the end of its candles.
        owner: the process that had it last, and did not give it up.
        until: when the lease of that one runs out, by the database's clock, UTC.
    """

    bot: BotName
    over: bool
    owner: str | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """How bots that run go on.

    Attributes:
        at: when this was read, by the database's clock, UTC; None where it has none.
    """

    bots: tuple[BotUnderWay, ...]
    at: datetime | None

    def owners(self, now: datetime) -> tuple[str, ...]:
        """Return the processes that run some of the bots.

        Args:
            now: the host's time, UTC, where the database has no clock.
        """
        at = self.at or now
        found = [one.owner for one in self.bots if one.owner is not None and one.until > at]
        return tuple(dict.fromkeys(found))

    def going(self, now: datetime) -> Going:
        """Return how they go on together; `now` as in `owners`."""
        left = [one for one in self.bots if not one.over]
        if not left:
            return Going.OVER
        if self.owners(now):
            return Going.GOING_ON
        died = any(one.owner is not None for one in left)
        return Going.LEFT if died else Going.STOPPED


def load(connection: Connection) -> Mapping[tuple[int, int], BotUnderWay]:
    """Return how each bot that runs goes on, by the numbers of its portfolio and its run."""
    usage, lease, done = tables.bot_usage.c, tables.lease.c, tables.progress.c
    found = connection.execute(
        select(
            usage.portfolio_id,
            usage.run_id,
            usage.bot,
            lease.owner,
            lease.until,
            done.phase,
            done.next_at,
        )
        .join_from(
            tables.bot_usage,
            tables.lease,
            (lease.portfolio_id == usage.portfolio_id) & (lease.bot == usage.bot),
        )
        .join(
            tables.progress,
            (done.portfolio_id == usage.portfolio_id) & (done.bot == usage.bot),
        )
        .order_by(usage.portfolio_id, usage.run_id)
    )
    return {
        (row.portfolio_id, row.run_id): BotUnderWay(
            bot=row.bot,
            over=row.phase == progress.OVER and row.next_at is None,
            owner=row.owner,
            until=row.until,
        )
        for row in found
    }
