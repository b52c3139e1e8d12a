"""Halting: entries are stopped and resumed, and what a stop asks of the bots that it reaches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.app.running_bots import Running, answers, longest_lease, refreshed
from trancher.core.order import BotName
from trancher.store import stops
from trancher.store.commands import Answer, Command
from trancher.store.halts import Action, Halt, Scope
from trancher.store.reading import BotBooks

_PATIENCE: Final = 3.0
"""Seconds that a stop waits beyond the lease of the process that runs the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What somebody wants stopped; as store.halts.Halt, before it has a number and a time."""

    scope: Scope
    bot: BotName | None
    target: str | None
    action: Action
    share: Decimal | None
    reason: str


def stop(
    found: Running,
    stopping: Stopping,
    bots: Sequence[BotBooks],
    *,
    command: Callable[[Halt], Command | None],
    clock: Callable[[], datetime],
) -> tuple[Halt, dict[BotName, Answer | str | None]]:
    """Stop entries, in every process, from now on until they are resumed.

    What is asked of the bots beside it is written with it: whoever dies meanwhile, it is done.

    Args:
        bots: those that it reaches.
        command: says what a halt asks of each of them.

    Returns:
        The halt, and for each bot what came of it; None where nothing is asked.
    """
    placed, asked = found.database.transact(
        lambda connection: stops.with_commands(
            connection,
            stops.place(
                connection,
                portfolio_id=found.run.portfolio_id,
                scope=stopping.scope,
                bot=stopping.bot,
                target=stopping.target,
                action=stopping.action,
                share=stopping.share,
                reason=stopping.reason,
                at=clock(),
            ),
            portfolio_id=found.run.portfolio_id,
            bots=None if stopping.bot is None else [one.facts.name for one in bots],
            command=command,
        )
    )
    if not asked:
        return placed, {one.facts.name: None for one in bots}
    reached = {one.facts.name: one for one in bots}
    if not reached.keys() >= set(asked.values()):
        # Some began since they were listed.
        found = refreshed(found)
        reached = {one.facts.name: one for one in found.bots}
    # All has to be flat then, also of a process that has just died.
    waits = longest_lease(found, reached.values(), clock) + _PATIENCE
    said = answers(
        found,
        {number: reached[name] for number, name in asked.items()},
        clock=clock,
        seconds=waits,
    )
    return placed, dict(zip(asked.values(), said, strict=True))


def resume(
    found: Running, *, bot: BotName | None, target: str | None, clock: Callable[[], datetime]
) -> tuple[Halt, ...]:
    """Lift what was stopped with these very words."""
    return found.database.transact(
        lambda connection: stops.lift(
            connection,
            portfolio_id=found.run.portfolio_id,
            bot=bot,
            target=target,
            at=clock(),
        )
    )


def standing_halts(found: Running) -> Sequence[Halt]:
    """Return what is stopped, oldest first."""
    with found.database.reading() as connection:
        return stops.standing(connection, found.run.portfolio_id)
