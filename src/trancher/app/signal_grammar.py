"""The grammar of signals: the tables of [bot.signals], and the tests that conditions make of them.

To add a signal: its class in market/signals.py, and here a model with its parameters, its key in
Signals, its level in IndicatorTest and its events in EVENTS.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from trancher.app import amounts, words
from trancher.app.section import Section
from trancher.app.words import Mismatch
from trancher.core.conditions import Indicator
from trancher.core.signals import Thermometer

EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "rsi": ("rsi_oversold", "rsi_overbought"),
    "macd": ("macd_bullish_cross", "macd_bearish_cross"),
    "ma_cross": ("ma_bullish_cross", "ma_bearish_cross"),
    "ma_support": ("ma_support",),
    "bollinger": ("bollinger_lower", "bollinger_upper"),
    "price_drop": ("price_drop",),
}
"""The named events of each built-in signal."""
NEVER_SELL: Final = frozenset({"price_drop"})
"""The signals whose score is never below 0."""

_BANDS: Final = Thermometer()
_PERIOD: Final = amounts.count(least=2, most=10_000)
_ATR: Final = "Candles of the average true range it is measured in."


class SignalSection(Section):
    """What every built-in signal has; the other keys are its parameters."""

    PLACE = "a signal"

    weight: Annotated[Decimal, amounts.ratio(above=0, most=100)] = Field(
        default=Decimal(1), description="Its part in the score."
    )
    max_age: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="How long its events stay valid; absent: one candle."
    )


class RsiSection(SignalSection):
    """Wilder's relative strength index of closes, 0 to 100."""

    PLACE = "[bot.signals.rsi]"

    period: Annotated[int, _PERIOD] = Field(default=14, description="Candles to smooth over.")
    oversold: Annotated[Decimal, amounts.number(least=0, most=100)] = Field(
        default=Decimal(30), description="The score is 1 here and below."
    )
    overbought: Annotated[Decimal, amounts.number(least=0, most=100)] = Field(
        default=Decimal(70), description="The score is -1 here and above."
    )


class MacdSection(SignalSection):
    """Histogram of the MACD, in average true ranges."""

    PLACE = "[bot.signals.macd]"

    fast: Annotated[int, _PERIOD] = Field(default=12, description="Candles of the fast average.")
    slow: Annotated[int, _PERIOD] = Field(default=26, description="Candles of the slow average.")
    signal: Annotated[int, _PERIOD] = Field(default=9, description="Candles of the signal line.")
    atr: Annotated[int, _PERIOD] = Field(default=14, description=_ATR)


class MaCrossSection(SignalSection):
    """Distance of two moving averages, in average true ranges."""

    PLACE = "[bot.signals.ma_cross]"

    fast: Annotated[int, _PERIOD] = Field(default=10, description="Candles of the fast average.")
    slow: Annotated[int, _PERIOD] = Field(default=20, description="Candles of the slow average.")
    atr: Annotated[int, _PERIOD] = Field(default=14, description=_ATR)


class MaSupportSection(SignalSection):
    """Distance of the close from a moving average, in average true ranges."""

    PLACE = "[bot.signals.ma_support]"

    period: Annotated[int, _PERIOD] = Field(default=50, description="Candles of the average.")
    atr: Annotated[int, _PERIOD] = Field(default=14, description=_ATR)


class BollingerSection(SignalSection):
    """Where the close stands between the Bollinger bands, 0 to 1."""

    PLACE = "[bot.signals.bollinger]"

    period: Annotated[int, _PERIOD] = Field(default=20, description="Candles of the average.")
    width: Annotated[Decimal, amounts.number(above=0, most=100)] = Field(
        default=Decimal(2), description="Standard deviations from the average to a band."
    )


class PriceDropSection(SignalSection):
    """How far the close is below the highest close of a window, a ratio."""

    PLACE = "[bot.signals.price_drop]"

    window: Annotated[int, _PERIOD] = Field(default=24, description="Candles to look back.")
    drop: Annotated[Decimal, amounts.ratio(above=0, below=100)] = Field(
        default=Decimal("0.05"), description="The score is 1 here and beyond."
    )


class ExternalSection(Section):
    """A signal that comes from outside, by its name."""

    PLACE = "a signal of [bot.signals.external]"

    weight: Annotated[Decimal, amounts.ratio(above=0, most=100)] = Field(
        default=Decimal(1), description="Its part in the score."
    )
    max_age: Annotated[timedelta, amounts.duration()] = Field(
        default=timedelta(hours=1), description="How long what it said counts."
    )


class Bands(Section):
    """The lowest score of each temperature."""

    PLACE = "[bot.signals.temperature]"

    cool: Annotated[Decimal, amounts.score()] = Field(
        default=_BANDS.cool, description="COOL from here on."
    )
    warm: Annotated[Decimal, amounts.score()] = Field(
        default=_BANDS.warm, description="WARM from here on."
    )
    hot: Annotated[Decimal, amounts.score()] = Field(
        default=_BANDS.hot, description="HOT from here on."
    )


def _names(value: object) -> object:
    if not isinstance(value, dict):
        raise Mismatch(expected="a table per signal")
    for name in value:
        if re.fullmatch(words.WORD, name, re.ASCII) is None:
            found = f"the key {name[:60]!r}"
            raise Mismatch(at=(name,), found=found, expected="a name of a-z, 0-9 and _")
        if name in EVENTS:
            raise Mismatch(at=(name,), found="the name of a built-in signal", expected="another")
    return value


class Signals(Section):
    """What a bot listens to."""

    PLACE = "[bot.signals]"

    rsi: RsiSection | None = Field(default=None, description="Relative strength index.")
    macd: MacdSection | None = Field(default=None, description="Momentum of the trend.")
    ma_cross: MaCrossSection | None = Field(default=None, description="Trend by two averages.")
    ma_support: MaSupportSection | None = Field(
        default=None, description="A moving average from above."
    )
    bollinger: BollingerSection | None = Field(default=None, description="Bollinger bands.")
    price_drop: PriceDropSection | None = Field(default=None, description="A fall of the price.")
    external: Annotated[dict[str, ExternalSection], BeforeValidator(_names)] = Field(
        default={}, description="Signals from outside, a table per name."
    )
    temperature: Bands = Field(default=Bands(), description="Where the temperatures begin.")
    hysteresis: Annotated[Decimal, amounts.score(least=0)] = Field(
        default=_BANDS.hysteresis,
        description="How far below a band the score may fall without leaving it.",
    )
    confirm: Annotated[timedelta, amounts.duration(zero=True)] = Field(
        default=timedelta(0), description="How long a score must have held before it buys."
    )

    @property
    def built_in(self) -> Mapping[str, SignalSection]:
        """The built-in signals that are enabled, by name."""
        held = {name: getattr(self, name) for name in EVENTS}
        return {name: section for name, section in held.items() if section is not None}


class IndicatorTest(Section):
    """A comparison of one signal's level on the last closed candle."""

    PLACE = "a comparison"

    rsi: Annotated[Indicator | None, amounts.comparison("rsi", least=0, most=100)] = Field(
        default=None, description='Such as "<30"; holds at every candle where it is true.'
    )
    macd: Annotated[Indicator | None, amounts.comparison("macd")] = Field(
        default=None, description="In average true ranges."
    )
    ma_cross: Annotated[Indicator | None, amounts.comparison("ma_cross")] = Field(
        default=None, description="In average true ranges."
    )
    ma_support: Annotated[Indicator | None, amounts.comparison("ma_support")] = Field(
        default=None, description="In average true ranges."
    )
    bollinger: Annotated[Indicator | None, amounts.comparison("bollinger")] = Field(
        default=None, description="0 on the lower band, 1 on the upper."
    )
    price_drop: Annotated[Indicator | None, amounts.comparison("price_drop", least=0, most=1)] = (
        Field(default=None, description="A ratio, such as >=0.05.")
    )
