"""What a person may ask of a position in a random life, and the decision that answers it."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.bot import Bot, Past
from trancher.core.by_hand import decide_by_hand, decide_cancel, decide_sale
from trancher.core.conditions import Observation
from trancher.core.decide_exit import decide_close
from trancher.core.decision import Decision
from trancher.core.limits import PortfolioLimits, Usage
from trancher.core.order import TrancheId
from trancher.core.position import Position

WHO: Final = "by hand"


class Wish(StrEnum):
    """What is asked for: nothing, a size, a share, a tranche, the whole, or a cancel."""

    NOTHING = "nothing"
    LITTLE = "15"
    MUCH = "45"
    PART = "0.3"
    MOST = "0.95"
    OLDEST = "tranche_1"
    SECOND = "tranche_2"
    ALL = "all"
    CANCEL = "cancel"


ADDS: Final = (Wish.LITTLE, Wish.MUCH)
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
        case Wish.NOTHING:
            return None
