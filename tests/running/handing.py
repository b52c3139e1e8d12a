"""Handing in: signals from outside for bots of a company, and what was heard of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from running.company import Company
from trancher.core.order import BotName
from trancher.market.outside import OutsideSignal
from trancher.store import commands
from trancher.store.commands import Answer, Command, Deed, Said
from trancher.store.database import Database
from trancher.store.entries import SignalHeard
from trancher.store.reading import Books


def handed(
    company: Company,
    name: BotName,
    said: Said,
    *,
    price: Decimal | None = None,
    at: datetime | None = None,
    waits: timedelta = timedelta(0),
) -> Answer:
    """Hand a signal to a bot, which is at work between two candles; return its answer.

    Args:
        at: by the market's time; None where the bot stands.
        waits: so long until the bot hears it.
    """
    actor, database = company.actors[name], company.database
    command = Command(deed=Deed.SIGNAL, reason=f"signal {said.name}", said=said, price=price)
    database.transact(
        lambda connection: commands.ask(
            connection,
            portfolio_id=actor.keeper.owner.portfolio_id,
            bot=actor.name,
            command=command,
            key=said.key,
            at=database.now(connection, company.clock),
        )
    )
    (asked,) = actor.keeper.asked()
    company.clock.at += waits
    return actor.obey(asked, at=at or actor.at or company.clock())


def heard_by(database: Database) -> Sequence[OutsideSignal]:
    """Return what the bots of a database have heard, as a file would say it."""
    books = Books(database)
    lines = [line for run in books.runs() for line in books.journal(run, limit=run.entries)]
    heard = [line.entry for line in lines if isinstance(line.entry, SignalHeard)]
    return tuple(
        OutsideSignal(at=one.at, name=one.name, score=one.score, event=one.event, bot=one.bot)
        for one in sorted(heard, key=lambda one: one.at)
    )
