"""Signals over candles: all at once for a replay, one after the other for a run.

Invariant: what a stream says at a candle is what the batch says there, bit for bit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from trancher.core.money import ZERO
from trancher.market.indicators import Bars, Study, StudyStream, Values, places_moved
from trancher.market.levels import QUANTA
from trancher.market.signals import Said, Signal

_QUANTUM_PLACES: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReading:
    """What a signal says at one candle.

    Attributes:
        level: what conditions compare; None while warming up.
        score: -1 to 1; 0 while warming up.
        events: that came about at this candle, by name.
    """

    level: Decimal | None = None
    score: Decimal = ZERO
    events: tuple[str, ...] = ()


def series_of(signals: Mapping[str, Signal], bars: Bars) -> dict[str, Said]:
    """Return what each signal says at each bar; an indicator that several read is made once."""
    made: dict[Study, tuple[Values, ...]] = {}
    for signal in signals.values():
        made |= {study: study.batch(bars) for study in signal.studies if study not in made}
    return {
        name: signal.said(bars, [output for study in signal.studies for output in made[study]])
        for name, signal in signals.items()
    }


def reading_at(said: Said, index: int) -> SignalReading:
    """Return what a signal says at one candle."""
    level = float(said.levels[index])
    return SignalReading(
        level=None if np.isnan(level) else level_of(level),
        score=score_of(int(said.scores[index])),
        events=tuple(name for name, came in said.events.items() if came[index]),
    )


def score_of(units: int) -> Decimal:
    """Return a score from its units of 1e-9, exact under any decimal context."""
    return Decimal(f"{units}E-{_QUANTUM_PLACES}")


def level_of(level: float) -> Decimal:
    """Return a level, which is rounded to 9 decimals, as the decimal that it stands for."""
    return score_of(round(level * QUANTA))


class SignalStream:
    """One signal, told one closed candle after the other.

    After a restart, tell it the last candles anew. The first `settles_after` of them are too few:
    a smoothed value remembers where it began. From there on, that memory is smaller than what a
    float64 holds, and readings are those of a longer history, save that the ninth decimal may be
    rounded the other way.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._streams = [StudyStream(study) for study in signal.studies]
        self._moved: int | None = None
        self._before: tuple[list[float], list[float]] | None = None

    def update(self, *, high: Decimal, low: Decimal, close: Decimal) -> SignalReading:
        """Take a closed candle, prices > 0, and return what the signal says at it."""
        if self._moved is None:
            self._moved = places_moved(close)
        bar = [_moved(price, self._moved) for price in (high, low, close)]
        outputs = [
            output
            for stream in self._streams
            for output in stream.update(high=bar[0], low=bar[1], close=bar[2])
        ]
        nothing = [np.nan]
        bars_before, outputs_before = self._before or (nothing * len(bar), nothing * len(outputs))
        self._before = bar, outputs
        columns = _pairs(bars_before, bar)
        bars = Bars(high=columns[0], low=columns[1], close=columns[2])
        return reading_at(self._signal.said(bars, _pairs(outputs_before, outputs)), -1)


def settles_after(signal: Signal) -> int:
    """Return how many candles it takes until what came before them no longer shows."""
    return max(study.memory for study in signal.studies)


def _moved(price: Decimal, places: int) -> float:
    return float(f"{price:f}E{places}")


def _pairs(before: Iterable[float], now: Iterable[float]) -> list[Values]:
    return [np.array(pair) for pair in zip(before, now, strict=True)]
