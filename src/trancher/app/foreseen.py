"""Foreseen: what an adoption, a correction or an undo would do, before it is asked for.

Invariant: what is foreseen is decided by what does it (running/stock.py), on the books as they
stand; who runs the bot may do something else first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.app.output import BadInput
from trancher.app.running_bots import Running
from trancher.app.standing import Standing, standing_of
from trancher.app.tables import exactly, price, quote
from trancher.core.bot import exposure_of
from trancher.core.errors import TrancherError
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import exact, quotient
from trancher.core.order import BotName
from trancher.core.position import Position
from trancher.running.stock import changed, happening, meant_alone
from trancher.seat import Seat
from trancher.store import commands
from trancher.store.commands import Changed, Command
from trancher.store.reading import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would become of a position.

    Attributes:
        over: each limit that it would be over then, in words; they hold back entries only.
    """

    changed: Changed
    over: tuple[str, ...]


def is_done(found: Running, bot: BotName, key: str | None) -> bool:
    """Say whether a command of that name was asked for before: then nothing more will happen."""
    if key is None:
        return False
    with found.database.reading() as connection:
        return commands.is_known(connection, portfolio_id=found.run.portfolio_id, bot=bot, key=key)


@exact
def foresee(
    found: Running, bot: BotName, command: Command, *, clock: Callable[[], datetime]
) -> Foreseen:
    """Return what a command would do now.

    Raises:
        BadInput: it cannot be carried out.
    """
    standing = standing_of(Books(found.database), found.run)
    places = standing.places(bot)
    try:
        seat = meant_alone(command, [one.seat for one in places])
        events = happening(command, seat, at=clock(), price=places[0].price)
        said = changed(seat.position, events)
        after = seat.position
        for event in events:
            after = evolve(after, event)
    except TrancherError as problem:
        raise BadInput(f"bot {bot}: {problem}") from problem
    return Foreseen(changed=said, over=tuple(_over(standing, seat, after)))


def in_words(one: Changed) -> str:
    """Return what becomes of a position, on one line."""
    told = f"{one.position}: {_held(one.held, one.cost)} -> {_held(one.left, one.cost_left)}"
    return f"{told}; it is closed" if one.state is State.CLOSED else told


def _held(quantity: Decimal, cost: Decimal) -> str:
    if quantity == 0:
        return "nothing"
    average = price(quotient(cost, quantity))
    return f"{exactly(quantity)} for {quote(cost)} ({average} each)"


def _over(standing: Standing, seat: Seat, after: Position) -> Iterator[str]:
    """Yield the limits that a position would be over."""
    limits, of_all = seat.bot.limits, standing.settings.portfolio.limits
    size, most = after.anchor_cost, limits.max_position_size
    if most is not None and size > most:
        yield f"max_position_size: it has {quote(size)} of at most {quote(most)}"
    count = after.tranches_counted
    if limits.max_tranches is not None and count > limits.max_tranches:
        yield f"max_tranches: it has {count} of at most {limits.max_tranches}"
    active = len(standing.active) + (not seat.active)
    if of_all.max_active_positions is not None and active > of_all.max_active_positions:
        yield f"max_active_positions: {active} of at most {of_all.max_active_positions}"
    exposure = sum(
        (exposure_of(one.position) for one in standing.active if one.seat is not seat),
        exposure_of(after),
    )
    if of_all.max_exposure is not None and exposure > of_all.max_exposure:
        yield f"max_exposure: {quote(exposure)} of at most {quote(of_all.max_exposure)}"
