"""Trancher: a position engine for spot trading bots.

These names are the library: pure, exact, standard library only. The modules behind them say more.
"""

from trancher.core.book import Book
from trancher.core.errors import TrancherError
from trancher.core.evolve import evolve
from trancher.core.instrument import FeeIn, Instrument
from trancher.core.lifecycle import TRANSITIONS, State
from trancher.core.limits import BotLimits, PortfolioLimits, Refusal, RefusalCode
from trancher.core.manual import record_entry, record_exit
from trancher.core.money import parse_decimal
from trancher.core.order import BotName, Fill, PositionId, Side, TradeId
from trancher.core.pnl import Figures, figures, identity_gap, realized_pnl_of, unrealized_pnl_of
from trancher.core.position import Position, new_position
from trancher.core.tranches import Disposal, Exit, Match, Tranche

__all__ = [
    "TRANSITIONS",
    "Book",
    "BotLimits",
    "BotName",
    "Disposal",
    "Exit",
    "FeeIn",
    "Figures",
    "Fill",
    "Instrument",
    "Match",
    "PortfolioLimits",
    "Position",
    "PositionId",
    "Refusal",
    "RefusalCode",
    "Side",
    "State",
    "TradeId",
    "Tranche",
    "TrancherError",
    "evolve",
    "figures",
    "identity_gap",
    "new_position",
    "parse_decimal",
    "realized_pnl_of",
    "record_entry",
    "record_exit",
    "unrealized_pnl_of",
]
