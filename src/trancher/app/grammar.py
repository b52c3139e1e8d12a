"""The grammar of a configuration: one model per table, one field per key.

What a key may hold is said by its kind (words.py, amounts.py); what keys mean together is checked
where they become values of the core (expand.py).

To add a key: a field here with its description, a line in docs/reference/configuration.md, and
what it does in expand.py.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator

from trancher.app import amounts, words
from trancher.app.entries import AnyEntry, known_plan
from trancher.app.exit_grammar import Exit
from trancher.app.section import Listed, Section
from trancher.app.signal_grammar import Signals
from trancher.app.words import Mismatch
from trancher.core.limits import BotLimits, ExitReserve, PortfolioLimits, ReserveFunds
from trancher.core.signals import Temperature

_BOT = BotLimits()
_PORTFOLIO = PortfolioLimits()


def _symbols(value: object) -> object:
    if not isinstance(value, dict):
        raise Mismatch(expected='a table of symbols such as "BTC/USD"')
    kind = words.text(words.SYMBOL, expected='a symbol such as "BTC/USD"')
    for symbol in value:
        try:
            kind.read(symbol)
        except Mismatch as problem:
            found = f"the key {symbol[:60]!r}"
            raise Mismatch(at=(symbol,), found=found, expected=problem.expected) from None
    return value


Cap = Annotated[Decimal, amounts.number(least=0)]


class Portfolio(Section):
    """One account's money and its limits over all bots."""

    PLACE = "[portfolio]"

    name: Annotated[
        str,
        words.text(
            words.NAME,
            expected="a name such as main, of at most 64 letters, digits and ._-",
        ),
    ] = Field(default="main", description="What the books call the portfolio.")
    quote: Annotated[str, words.text(words.ASSET, expected='an asset such as "USD"')] = Field(
        description="The currency that everything in the portfolio is counted in."
    )
    cash: Annotated[Decimal, amounts.number(above=0)] = Field(
        description="Quote to begin with, above 0."
    )
    timezone: Annotated[ZoneInfo, words.time_zone()] = Field(
        default=ZoneInfo("UTC"),
        description="Where the portfolio's day begins; it counts daily trades.",
    )
    max_active_positions: Annotated[int | None, amounts.count_or_off()] = Field(
        default=_PORTFOLIO.max_active_positions,
        description="Positions open at once, over all bots.",
    )
    max_daily_trades: Annotated[int | None, amounts.count_or_off()] = Field(
        default=_PORTFOLIO.max_daily_trades,
        description="Entries and exits of a day, over all bots.",
    )
    exit_reserve: Annotated[str, words.one_of(*ExitReserve)] = Field(
        default=_PORTFOLIO.exit_reserve.value,
        description="Trades of the day kept back for each position's way out.",
    )
    max_exposure: Annotated[Decimal | None, amounts.number_or_off(least=0)] = Field(
        default=None, description="Quote that all bots together hold and buy."
    )
    symbol_caps: Annotated[dict[str, Cap], BeforeValidator(_symbols)] = Field(
        default={}, description="The same for one symbol, by symbol."
    )
    max_daily_loss: Annotated[Decimal | None, amounts.number_or_off(least=0)] = Field(
        default=None, description="Quote lost in a day, net; then no entry until the next."
    )
    max_losing_streak: Annotated[int | None, amounts.count_or_off(least=1)] = Field(
        default=None, description="Positions closed at a loss in a row on one day."
    )
    max_drawdown: Annotated[Decimal | None, words.or_off(amounts.ratio(least=0, below=100))] = (
        Field(default=None, description="How far equity may stand below its peak.")
    )


class Exchange(Section):
    """Where orders go."""

    PLACE = "[exchange]"

    name: Annotated[str, words.exchange_name()] = Field(
        default="paper", description="The simulated exchange is the only one in this version."
    )


class InstrumentSection(Section):
    """A pair, with what its exchange demands of an order."""

    PLACE = '[instrument."SYMBOL"]'

    price_tick: Annotated[Decimal | None, amounts.number(above=0)] = Field(
        default=None, description="Smallest step of a price; a backtest reads it off the candles."
    )
    quantity_step: Annotated[Decimal | None, amounts.number(above=0)] = Field(
        default=None, description="Smallest step of a quantity, base."
    )
    min_quantity: Annotated[Decimal | None, amounts.number(least=0)] = Field(
        default=None, description="Smallest quantity of an order, base."
    )
    min_notional: Annotated[Decimal | None, amounts.number(least=0)] = Field(
        default=None, description="Smallest price x quantity of an order, quote."
    )
    maker_fee: Annotated[Decimal | None, amounts.ratio(above=-10, below=100)] = Field(
        default=None,
        description="Fee of a resting order, a share of its notional; negative is a rebate.",
    )
    taker_fee: Annotated[Decimal | None, amounts.ratio(least=0, below=100)] = Field(
        default=None, description="Fee of an order that fills at once, a share of its notional."
    )
    fee_in: Annotated[str | None, words.one_of("quote", "base")] = Field(
        default=None, description="The asset that the fee of a buy is taken in."
    )


class Backtest(Section):
    """How a backtest fills orders."""

    PLACE = "[backtest]"

    evaluate: Annotated[str, words.one_of("close", "intracandle")] = Field(
        default="intracandle",
        description="Look at price levels on closes only, or inside candles too.",
    )
    same_candle: Annotated[str, words.one_of("worst", "best", "path")] = Field(
        default="worst", description="What came first where one candle touches several levels."
    )
    slippage: Annotated[Decimal, amounts.ratio(least=0, below=100)] = Field(
        default=Decimal(0), description="How much worse than the price seen a taker's fill is."
    )
    participation: Annotated[Decimal | None, words.or_off(amounts.ratio(above=0, most=100))] = (
        Field(
            default=None, description="Share of a candle's volume that orders may fill together."
        )
    )


class Limits(Section):
    """What a bot's entries must respect."""

    PLACE = "[bot.limits]"

    max_position_size: Annotated[Decimal | None, amounts.number_or_off(least=0)] = Field(
        default=_BOT.max_position_size, description="Quote in one position."
    )
    max_tranches: Annotated[int | None, amounts.count_or_off()] = Field(
        default=_BOT.max_tranches, description="Tranches of one position."
    )
    min_tranche_size: Annotated[Decimal | None, amounts.number_or_off(least=0)] = Field(
        default=_BOT.min_tranche_size, description="Quote, the smallest entry."
    )
    max_tranche_size: Annotated[Decimal | None, amounts.number_or_off(least=0)] = Field(
        default=_BOT.max_tranche_size, description="Quote, the largest entry."
    )
    tranche_cooldown: Annotated[timedelta, amounts.duration(zero=True)] = Field(
        default=_BOT.tranche_cooldown,
        description="Time from the bot's last entry fill to the next entry.",
    )
    reserve_funds: Annotated[str, words.one_of(*ReserveFunds)] = Field(
        default=_BOT.reserve_funds.value,
        description="Quote set aside for the rungs still to come.",
    )
    min_temperature: Annotated[str | None, words.one_of(*Temperature, words.OFF)] = Field(
        default=None,
        description="Entries need this temperature; absent: WARM for rungs that ask for a score.",
    )


_NAME = words.text(
    words.NAME,
    expected="a name of letters, digits, dots, dashes and underscores, at most 64",
)
_ENTRY = "a table [bot.entry] with a plan"
AnEntry = Annotated[AnyEntry, Field(discriminator="plan"), BeforeValidator(known_plan)]


class StrategySection(Section):
    """One of several strategies of a bot."""

    PLACE = "[[bot.strategy]]"
    HOME = False

    name: Annotated[str, _NAME] = Field(description="Unique in the bot.")
    entry: AnEntry = Field(description="a table with a plan")
    exit: Exit = Field(default=Exit(), description="When to sell.")


class BotSection(Section):
    """One strategy on one instrument, or several."""

    PLACE = "[[bot]]"

    name: Annotated[str, _NAME] = Field(description="Unique in the portfolio.")
    symbol: Annotated[str, words.text(words.SYMBOL, expected='a symbol such as "BTC/USD"')] = (
        Field(description="The instrument, base/quote.")
    )
    timeframe: Annotated[timedelta | None, amounts.timeframe()] = Field(
        default=None, description="Candles that signals read; absent: those of the file."
    )
    max_positions: Annotated[int | None, amounts.count(least=1, most=100)] = Field(
        default=None, description="Positions that the bot has at once; absent: 1."
    )
    limits: Limits = Field(default=Limits(), description="What entries must respect.")
    signals: Signals = Field(default=Signals(), description="What the bot listens to.")
    entry: AnEntry | None = Field(
        default=None, description="When to buy; not where there are strategies."
    )
    exit: Exit = Field(default=Exit(), description="When to sell.")
    strategy: Annotated[list[StrategySection] | None, Listed("a list of [[bot.strategy]]")] = (
        Field(default=None, description="Several strategies, instead of entry and exit.")
    )

    @field_validator("max_positions")
    @classmethod
    def _one_is_none(cls, most: int | None) -> int | None:
        # What says the same as an absent key has to mean the same.
        return None if most == 1 else most

    @classmethod
    def _check_keys(cls, value: Mapping[str, Any]) -> None:
        if "strategy" not in value:
            if "entry" not in value:
                raise Mismatch(at=("entry",), expected=_ENTRY)
            return
        for key in ("entry", "exit"):
            if key in value:
                raise Mismatch(
                    at=(key,),
                    found="it beside [[bot.strategy]]",
                    expected=f"{key} in each strategy, or no strategy",
                )

    @property
    def strategies(self) -> "tuple[BotSection, ...]":
        """The bot with each of its strategies alone, in their order."""
        if self.strategy is None:
            return (self,)
        return tuple(
            self.model_copy(update={"entry": one.entry, "exit": one.exit}) for one in self.strategy
        )


class Configuration(Section):
    """A whole configuration."""

    PLACE = "the whole file"

    portfolio: Portfolio = Field(description="a table [portfolio]")
    exchange: Exchange = Field(default=Exchange(), description="Where orders go.")
    instrument: Annotated[dict[str, InstrumentSection], BeforeValidator(_symbols)] = Field(
        default={}, description="Steps, minimums and fees, by symbol."
    )
    backtest: Backtest = Field(default=Backtest(), description="How a backtest fills orders.")
    bot: Annotated[list[BotSection], Listed("at least one [[bot]]")] = Field(
        description="at least one [[bot]]"
    )
