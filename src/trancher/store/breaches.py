"""Breaches: bots whose books differ from their journal make no entries until somebody resumes.

What differs is stopped as narrowly as it can be named: one position where all of it is of that
one, the bot otherwise, and the whole portfolio where it is of no bot. Backtests, and bots that
have never been run, trade nothing and are left alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from trancher.core.order import BotName
from trancher.store import sharing, stops, tables
from trancher.store.halts import Action, Halt, Scope
from trancher.store.verify import Difference

_LONGEST: Final = 200


class _Reach(NamedTuple):
    """Whose entries are stopped."""

    portfolio_id: int
    bot: BotName | None


def freeze(
    connection: Connection, differences: Iterable[Difference], *, at: datetime
) -> tuple[Halt, ...]:
    """Stop the entries that the books do not vouch for; return what stops them.

    What was found before and still stands is returned, and not placed a second time.
    """
    reaches = _reaches(connection)
    found = defaultdict[_Reach, list[Difference]](list)
    for one in differences:
        reach = reaches.get((one.whose.portfolio_id, one.whose.run_id))
        if reach is not None:
            found[reach].append(one)
    # Portfolios in one order, for each is locked until the end of the transaction.
    ordered = sorted(found, key=lambda reach: (reach.portfolio_id, reach.bot or ""))
    return tuple(_stopped(connection, reach, found[reach], at) for reach in ordered)


def _reaches(connection: Connection) -> Mapping[tuple[int | None, int | None], _Reach]:
    """Return what stops a run that somebody runs, and what stops a portfolio, by their ids."""
    table = tables.bot_usage
    reaches: dict[tuple[int | None, int | None], _Reach] = {}
    for row in connection.execute(select(table.c.portfolio_id, table.c.run_id, table.c.bot)):
        reaches[row.portfolio_id, row.run_id] = _Reach(row.portfolio_id, row.bot)
        reaches[row.portfolio_id, None] = _Reach(row.portfolio_id, None)
    return reaches


def _stopped(
    connection: Connection, reach: _Reach, differences: Sequence[Difference], at: datetime
) -> Halt:
    of = {one.whose.position_id for one in differences}
    target = of.pop() if len(of) == 1 else None
    # Two that verify at once find one after the other what stands.
    sharing.lock(connection, reach.portfolio_id)
    for standing in stops.standing(connection, reach.portfolio_id):
        if (
            standing.action is Action.BREACH
            and standing.bot == reach.bot
            and standing.target in {None, target}
        ):
            return standing
    scope = Scope.POSITION if target is not None else Scope.BOT
    return stops.place(
        connection,
        portfolio_id=reach.portfolio_id,
        scope=Scope.PORTFOLIO if reach.bot is None else scope,
        bot=reach.bot,
        target=target,
        action=Action.BREACH,
        share=None,
        reason=_reason(differences),
        at=at,
    )


def _reason(differences: Sequence[Difference]) -> str:
    """Return what differs on one line, short enough to be read among other lines."""
    # A damaged file may hold anything in the place of a text.
    said = "".join(letter if letter.isprintable() else "?" for letter in str(differences[0]))
    more = len(differences) - 1
    short = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return short if more == 0 else f"{short}; and {more:,} more"
