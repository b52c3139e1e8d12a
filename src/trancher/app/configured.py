"""A configuration as values: all that is here has been checked, and can be built on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trancher.app.output import Json
from trancher.core.bot import Bot
from trancher.core.instrument import FeeIn, Instrument
from trancher.core.limits import BotLimits, PortfolioLimits
from trancher.core.money import ZERO, percent
from trancher.core.order import BotName
from trancher.core.rungs import Plan
from trancher.core.signals import Thermometer
from trancher.core.tranches import Disposal
from trancher.seat import places_of

STEP_ASSUMED: Final = Decimal("0.00000001")
FEE_ASSUMED: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioSettings:
    """One account's money and its limits over all bots.

    Attributes:
        quote: the currency everything is counted in.
        cash: quote at the start, > 0.
        timezone: whose days the daily limits count by.
    """

    name: str
    quote: str
    cash: Decimal
    timezone: ZoneInfo
    limits: PortfolioLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTerms:
    """What a configuration says of an instrument; None where it says nothing."""

    price_tick: Decimal | None = None
    quantity_step: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    fee_in: FeeIn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSettings:
    """How a backtest fills orders.

    Attributes:
        evaluate: close or intracandle.
        same_candle: worst, best or path: the order of events assumed inside a candle.
        slippage: how much worse than the price seen a taker's fill is, 0 <= ratio < 1.
        participation: share of a candle's volume that orders may fill; None fills any size.
    """

    evaluate: str
    same_candle: str
    slippage: Decimal
    participation: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSetting:
    """A built-in signal as a bot uses it.

    Attributes:
        parameters: its own keys and their values.
        weight: its part in the score, 0 < weight <= 1.
        max_age: how long its events stay valid; None means one candle.
    """

    parameters: Mapping[str, int | Decimal]
    weight: Decimal
    max_age: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSetting:
    """An outside signal as a bot uses it.

    Attributes:
        weight: its part in the score, 0 < weight <= 1.
        max_age: how long what it said counts.
    """

    weight: Decimal
    max_age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSettings:
    """All that a bot listens to, by name; no name is in both."""

    built_in: Mapping[str, SignalSetting]
    external: Mapping[str, ExternalSetting]

    @property
    def names(self) -> tuple[str, ...]:
        """Every signal that is enabled."""
        return (*self.built_in, *self.external)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """A bot that only lacks its instrument; one with several strategies begins with the first.

    Attributes:
        strategy: the entry plan's name, such as dca; or the strategy's own.
        timeframe: of the candles its signals read; None means the file's own.
        others: the bot with each of its other strategies, in their order.
    """

    name: BotName
    symbol: str
    strategy: str
    timeframe: timedelta | None
    signals: SignalSettings
    thermometer: Thermometer
    plan: Plan
    limits: BotLimits
    disposal: Disposal
    others: "tuple[BotSettings, ...]" = ()

    @property
    def strategies(self) -> "tuple[BotSettings, ...]":
        """The bot with each of its strategies, in their order."""
        return (self, *self.others)

    @property
    def strategy_names(self) -> str:
        """What it does, in a word or several."""
        return " + ".join(one.strategy for one in self.strategies)

    @property
    def has_several(self) -> bool:
        """Whether it has more than one place for a position."""
        return bool(self.others) or self.limits.max_positions > 1

    @property
    def places(self) -> "tuple[BotSettings, ...]":
        """The bot with the strategy of each of its places; none where it has but one place."""
        if not self.has_several:
            return ()
        return tuple(places_of(self.strategies, max_positions=self.limits.max_positions))

    def at(self, place: int) -> "BotSettings":
        """Return the bot with the strategy of one of its places, which count from 1."""
        return self.strategies[place - 1] if self.others else self

    def bots(self, instrument: Instrument) -> tuple[Bot, ...]:
        """Return the bot on `instrument` once for each of its strategies."""
        return tuple(one.bot(instrument) for one in self.strategies)

    def bot(self, instrument: Instrument) -> Bot:
        """Return the bot on `instrument`, which is the one of its symbol."""
        assert instrument.symbol == self.symbol
        return Bot(
            name=self.name,
            instrument=instrument,
            plan=self.plan,
            limits=self.limits,
            disposal=self.disposal,
            thermometer=self.thermometer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration.

    Attributes:
        file: what it was read from, as it was given.
        text: as it was written.
        bots: in the order of the file, at least one, each with a name of its own.
        instruments: what the configuration says of instruments, by symbol.
        warnings: what is allowed and may surprise, in words.
        notes: what is a choice and no mistake, and worth knowing, in words.
        meaning: all that the configuration means, by key, in one spelling and with defaults.
        config_hash: sha256 of the meaning; layout and spelling do not count.
    """

    file: str
    text: str = field(compare=False)
    portfolio: PortfolioSettings
    bots: tuple[BotSettings, ...]
    backtest: BacktestSettings
    instruments: Mapping[str, InstrumentTerms]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    meaning: Mapping[str, Json] = field(compare=False)
    config_hash: str

    def instrument(self, symbol: str, *, price_tick: Decimal | None) -> Instrument:
        """Return the instrument of `symbol`, defaults where the configuration says nothing.

        Args:
            price_tick: the tick read off the candles, for a configuration without one; None
                where there are no candles.
        """
        return instrument_of(
            symbol, self.instruments.get(symbol, InstrumentTerms()), price_tick=price_tick
        )

    def assumptions(self, symbol: str, *, price_tick: Decimal | None) -> tuple[str, ...]:
        """Return, in words, what `instrument` takes for granted when asked the same."""
        terms = self.instruments.get(symbol, InstrumentTerms())
        instrument = instrument_of(symbol, terms, price_tick=price_tick)
        said = {
            "price_tick": f"price tick {instrument.price_tick:f}"
            + (", read off the candles" if price_tick is not None else ""),
            "quantity_step": f"quantity step {instrument.quantity_step:f}",
            "min_quantity": "no minimum quantity",
            "min_notional": "no minimum notional",
            "maker_fee": f"maker fee {percent(instrument.maker_fee)}",
            "taker_fee": f"taker fee {percent(instrument.taker_fee)}",
            "fee_in": "fee of a buy taken in quote",
        }
        return tuple(
            f"{symbol}: {said[term.name]}"
            for term in fields(terms)
            if getattr(terms, term.name) is None
        )


def instrument_of(
    symbol: str, terms: InstrumentTerms, *, price_tick: Decimal | None
) -> Instrument:
    """Return the instrument that `terms` describe, defaults where they say nothing.

    Raises:
        InvalidInstrument: no exchange could have it.
    """
    tick = price_tick if terms.price_tick is None else terms.price_tick
    return Instrument(
        symbol=symbol,
        price_tick=_or(tick, STEP_ASSUMED),
        quantity_step=_or(terms.quantity_step, STEP_ASSUMED),
        min_quantity=_or(terms.min_quantity, ZERO),
        min_notional=_or(terms.min_notional, ZERO),
        maker_fee=_or(terms.maker_fee, FEE_ASSUMED),
        taker_fee=_or(terms.taker_fee, FEE_ASSUMED),
        fee_in=FeeIn.QUOTE if terms.fee_in is None else terms.fee_in,
    )


def _or(said: Decimal | None, assumed: Decimal) -> Decimal:
    return assumed if said is None else said
