"""What a person may ask of a position in a random life, and the decision that answers it."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.bot import Bot, Past
from trancher.core.by_hand import decide_by_hand, decide_cancel, decide_sale
from trancher.core.conditions import Observation
from trancher.core.decide_exit import decide_close
from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, Usage
from trancher.core.money import exact
from trancher.core.order import TrancheId
from trancher.core.outside import adoption, correction, way_back
from trancher.core.position import Position

WHO: Final = "by hand"


class Wish(StrEnum):
    """What is asked for: nothing, a size, a share, a tranche, the whole, or a cancel; or what is
    told: that there is more, or less, or nothing, or that this was not so.
    """

    NOTHING = "nothing"
    LITTLE = "15"
    MUCH = "45"
    PART = "0.3"
    MOST = "0.95"
    OLDEST = "tranche_1"
    SECOND = "tranche_2"
    ALL = "all"
    CANCEL = "cancel"
    MORE = "more is there"
    LESS = "less is there"
    GONE = "all is gone"
    UNDO = "undo"


ADDS: Final = (Wish.LITTLE, Wish.MUCH)
OUTSIDE: Final = (Wish.MORE, Wish.LESS, Wish.GONE, Wish.UNDO)
BY_NAME: Final = (Wish.OLDEST, Wish.SECOND)


def granted(
    wish: Wish,
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
) -> Decision | None:
    """Return what is decided, or None where there is nothing to decide."""
    match wish:
        case Wish.LITTLE | Wish.MUCH:
            return decide_by_hand(
                bot,
                position,
                seen,
                Decimal(wish),
                past=past,
                usage=usage,
                limits=limits,
                reason=WHO,
            )
        case Wish.PART | Wish.MOST:
            return decide_sale(bot, position, seen, Decimal(wish), reason=WHO)
        case Wish.OLDEST | Wish.SECOND:
            tranche = TrancheId(wish)
            known = any(one.id == tranche for one in position.book.tranches)
            return decide_sale(bot, position, seen, tranche, reason=WHO) if known else None
        case Wish.ALL:
            return decide_close(bot, position, seen, reason=WHO)
        case Wish.CANCEL:
            return decide_cancel(position, seen, reason=WHO)
        case Wish.NOTHING | Wish.MORE | Wish.LESS | Wish.GONE | Wish.UNDO:
            return None


@exact
def told(wish: Wish, position: Position, seen: Observation) -> Sequence[Event]:
    """Return what happens without a trade because a person says what is there; or nothing.

    No order works while less is told of, as nobody can.
    """
    if wish is Wish.MORE and position.state is not State.CLOSING:
        return adoption(
            position,
            quantity=Decimal("0.203"),
            cost=Decimal("17.77"),
            price=seen.price,
            reason=WHO,
            at=seen.at,
        )
    if position.working or position.held == 0:
        return ()
    if wish is Wish.UNDO and position.undoable is not None:
        return way_back(position, reason=WHO, at=seen.at)
    if wish in {Wish.LESS, Wish.GONE}:
        left = Decimal(0) if wish is Wish.GONE else position.held * Decimal("0.61")
        return correction(position, left, None, reason=WHO, at=seen.at)
    return ()
