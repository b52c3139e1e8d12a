"""Versions: the configuration of a portfolio that is in force, and bots that go on with it.

A bot takes another configuration only while it holds nothing and no order of it works: a position
keeps to its end the one that it began with. It is taken in the transaction that takes the lease,
so whoever goes on with the bot finds it taken wholly or not at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from trancher.core.order import PositionId
from trancher.store import progress, tables
from trancher.store.codec import LOADS
from trancher.store.entries import ConfigurationLoaded, VersionTaken, with_version
from trancher.store.errors import NewVersion
from trancher.store.prepared import Prepared, key
from trancher.store.progress import Memory, PlaceReached, Progress, progress_of
from trancher.store.resuming import Resumed, last_closed
from trancher.store.runs import NewRun
from trancher.store.sharing import Owner
from trancher.store.write import Bundle

# People load configurations, so there are few.
_NUMBERS: Final = Prepared(
    select(tables.loading.c.number).where(*key(tables.loading, "portfolio_id"))
)


def number(connection: Connection, portfolio_id: int) -> int:
    """Return the number of the load that is in force; 0 where nothing was ever loaded."""
    loads = _NUMBERS.rows(connection, key_portfolio_id=portfolio_id)
    return max((load.number for load in loads), default=0)


def check(connection: Connection, owner: Owner) -> None:
    """See that a bot still goes by the configuration in force.

    Raises:
        NewVersion: it does not.
    """
    found = number(connection, owner.portfolio_id)
    if found != owner.load:
        raise NewVersion(
            where=f"bot {owner.bot}",
            found=f"load {found} in force",
            expected=f"load {owner.load}, whose limits it goes by",
        )


def in_force(connection: Connection, portfolio_id: int) -> ConfigurationLoaded | None:
    """Return the load of a portfolio that is in force; None where nothing was ever loaded."""
    table = tables.loading.c
    payload = connection.execute(
        select(table.payload)
        .where(table.portfolio_id == portfolio_id)
        .order_by(table.number.desc())
        .limit(1)
    ).scalar()
    return None if payload is None else LOADS.decode(payload)


def may_take(resumed: Resumed, new: NewRun) -> bool:
    """Say whether a bot goes on with a configuration now, that is not the one it has."""
    another = new.configuration_hash != resumed.started.configuration_hash
    return another and not resumed.open


def take(
    connection: Connection,
    resumed: Resumed,
    done: Progress,
    new: NewRun,
    *,
    owner: Owner,
    at: datetime,
) -> tuple[Resumed, Progress]:
    """Let a bot go on with the configuration in force; return what it goes on with.

    Args:
        new: what the bot would begin with; its configuration is that one.
    """
    before, loaded = resumed.started, in_force(connection, owner.portfolio_id)
    assert loaded is not None
    assert loaded.configuration_hash == new.configuration_hash
    (facts,), (known,) = new.bots, before.bots
    taken = VersionTaken(
        at=at,
        configuration_version=loaded.configuration_version,
        configuration_hash=loaded.configuration_hash,
        configuration_text=loaded.configuration_text,
        # Its number is its own for ever, wherever the configuration has it now.
        bots=(replace(facts, id=known.id),),
    )
    started = with_version(before, taken)
    places = max(1, len(facts.places))
    last = last_closed(
        connection, portfolio_id=owner.portfolio_id, run_id=owner.run_id, places=places
    )
    reached = _reached(done, places, {place: one.id for place, one in last.items()})
    resumed.store.go_on_with(taken)
    bundle = Bundle(connection.dialect)
    linked = resumed.store.write(bundle)
    progress.save(bundle, reached, portfolio_id=owner.portfolio_id, bot=owner.bot)
    bundle.write(connection)
    # Where the transaction does not end well, nobody has the store.
    resumed.store.written(linked)
    return replace(resumed, started=started, last=last), reached


def _reached(done: Progress, places: int, last: Mapping[int, PositionId]) -> Progress:
    """Return how far each of so many places has come, of which some may be new.

    A new one begins where the first one stands. What was refused again and again is over.
    """
    known = done.each[:places]
    first = known[0]
    begun = PlaceReached(
        next_at=first.next_at,
        phase=first.phase,
        candle_at=first.candle_at,
        seen_at=first.seen_at,
        price=first.price,
        memory=Memory(
            opened=first.memory.opened,
            last_entry_at=first.memory.last_entry_at,
            seen_to=first.memory.seen_to,
            untold_from=first.memory.untold_from,
        ),
    )
    each = [*known, *[begun] * (places - len(known))]
    return progress_of(
        [
            replace(one, last=last.get(place), memory=replace(one.memory, refused=None))
            for place, one in enumerate(each, start=1)
        ]
    )
