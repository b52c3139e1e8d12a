"""Readings: what the signals of a bot say at each close of its feed.

Signals are read off closed candles of the bot's timeframe, and outside ones as they came; here
they are laid on the closes at which the bot is evaluated, all at once. The core's own objects are
built only for the closes that somebody looks at.

Invariants:
1. A reading knows candles that have closed, and outside signals that had come, by its close.
2. A signal whose latest candle closed more than one timeframe ago is stale: its level is absent,
   and its score is 0 with its weight kept. Age is counted to the evaluation: to the close, or to
   the opening of the candle inside which something is touched.
3. Score and temperature are what the core makes of the same scores, to the last digit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trancher.backtest.scores import Ranks, combined_scores, lowest_over, ranks_of
from trancher.backtest.times import micros
from trancher.core.day import EPOCH, MICROSECOND, span
from trancher.core.money import ONE
from trancher.core.signals import (
    EVENT,
    RISING,
    SCORE,
    SILENT,
    Readings,
    Thermometer,
    combined,
    contributions,
)
from trancher.files import Integers
from trancher.market.candles import Candles, InvalidInterval, aggregate
from trancher.market.indicators import Values, bars_of
from trancher.market.levels import QUANTA
from trancher.market.outside import OutsideSignal
from trancher.market.signal_series import level_of, score_of, series_of
from trancher.market.signals import Signal

_NEVER: Final = -(2**62)
_PLACES: Final = 9  # of a score


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTerms:
    """A signal as a bot uses it.

    Attributes:
        weight: its part in the score, 0 < weight <= 1.
        max_age: how long its events stay valid, inclusive; None means one candle.
    """

    signal: Signal
    weight: Decimal
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalTerms:
    """An outside signal as a bot uses it.

    Attributes:
        weight: its part in the score, 0 < weight <= 1.
        max_age: how long its score counts and its events stay valid, inclusive.
    """

    weight: Decimal
    max_age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSignals:
    """All that a bot listens to.

    Attributes:
        timeframe: of the candles its signals are read off; None means the file's own.
        built_in: those read off candles, by name.
        external: from outside, by name; no name is in both.
        outside: what came from outside for this bot, in order of time; other names are not heard.
        confirm: how long a score must hold to be confirmed; 0 means not at all.
    """

    timeframe: timedelta | None = None
    built_in: Mapping[str, SignalTerms] = field(default_factory=dict)
    external: Mapping[str, ExternalTerms] = field(default_factory=dict)
    outside: Sequence[OutsideSignal] = ()
    confirm: timedelta = timedelta(0)
    thermometer: Thermometer = field(default_factory=Thermometer)

    def __post_init__(self) -> None:
        assert not set(self.built_in) & set(self.external)
        assert self.confirm >= timedelta(0)

    @property
    def weights(self) -> dict[str, Decimal]:
        terms: dict[str, SignalTerms | ExternalTerms] = {**self.built_in, **self.external}
        return {name: one.weight for name, one in terms.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latest:
    """The latest word of one source: an event, or what a signal says.

    Attributes:
        last: when it came, by close, microseconds since 1970 UTC; long ago where never.
        max_age: for so many microseconds it counts, inclusive.
    """

    last: Integers
    max_age: int

    def counts(self, index: int, now: int) -> bool:
        """Say whether the word that was the latest at a close still counts at `now`."""
        return now - int(self.last[index]) <= self.max_age


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeedReadings:
    """What the signals of a bot say, one entry a close of its feed.

    Attributes:
        known_at: the closes, microseconds since 1970 UTC.
        weights: of all enabled signals.
        levels: by signal; NaN where absent.
        scores: by signal, in units of 1e-9.
        spoken: when each signal said its level and its score.
        events: the sources of each event, by name.
        score, confirmed: in units of 1e-9.
        ranks: of the temperature.
        told: what the candles told, for one who hears more from outside.
        confirm: for so many microseconds a score must hold to be confirmed.
    """

    known_at: Integers
    weights: Mapping[str, Decimal]
    levels: Mapping[str, Values]
    scores: Mapping[str, Integers]
    spoken: Mapping[str, Latest]
    events: Mapping[str, Sequence[Latest]]
    score: Integers
    confirmed: Integers
    ranks: Ranks
    thermometer: Thermometer
    confirm: int
    told: "Listener"

    def at(self, index: int) -> Readings:
        """Return the readings at a close."""
        assert index >= 0
        if not self.weights:
            return SILENT
        return Readings(
            indicators=self._indicators(index),
            events=self._events(index, int(self.known_at[index])),
            score=score_of(int(self.score[index])),
            confirmed_score=score_of(int(self.confirmed[index])),
            temperature=RISING[int(self.ranks[index])],
            contributions=contributions(self._scores(index), self.weights),
        )

    def aged(self, index: int, now: int) -> Readings:
        """Return the readings of a close as they have aged until `now`; nothing new is heard.

        Args:
            now: the close or later, microseconds since 1970 UTC.
        """
        if now == self.known_at[index] or not self.weights:
            return self.at(index)
        fresh = {name for name, one in self.spoken.items() if one.counts(index, now)}
        scores = {name: one for name, one in self._scores(index).items() if name in fresh}
        score = combined(scores, self.weights)
        return Readings(
            indicators={n: one for n, one in self._indicators(index).items() if n in fresh},
            events=self._events(index, now),
            score=score,
            confirmed_score=self._confirmed(score, index, now),
            temperature=self.thermometer.next(RISING[int(self.ranks[index])], score),
            contributions=contributions(scores, self.weights),
        )

    def _indicators(self, index: int) -> dict[str, Decimal]:
        levels = {name: float(levels[index]) for name, levels in self.levels.items()}
        return {name: level_of(one) for name, one in levels.items() if not isnan(one)}

    def _scores(self, index: int) -> dict[str, Decimal]:
        return {name: score_of(int(units[index])) for name, units in self.scores.items()}

    def _events(self, index: int, now: int) -> dict[str, datetime]:
        """Return the events of a close that are valid at `now`, with the time each last came."""
        valid: dict[str, datetime] = {}
        for name, sources in self.events.items():
            came = [int(one.last[index]) for one in sources if one.counts(index, now)]
            if came:
                valid[name] = EPOCH + max(came) * MICROSECOND
        return valid

    def _confirmed(self, score: Decimal, index: int, now: int) -> Decimal:
        """Return the lowest score from `confirm` before `now`, when it is `score`, as a close."""
        if not self.confirm:
            return score
        known_at = self.known_at[: index + 1]
        first = int(np.searchsorted(known_at, now - self.confirm, side="right")) - 1
        return (
            min(score, score_of(int(self.score[first : index + 1].min()))) if first >= 0 else -ONE
        )

    def array(self, name: str) -> Values:
        """Return one value a close: a level, NaN where absent; the score; 1 for a valid event.

        Args:
            name: a signal's for its level, SCORE for the score, EVENT and its name for an event;
                one of which nobody knows has never come.
        """
        if name == SCORE:
            return self.score / QUANTA
        if name in self.levels:
            return self.levels[name]
        valid = np.zeros(len(self.known_at))
        for one in self.events.get(name.removeprefix(EVENT), ()):
            valid[self.known_at - one.last <= one.max_age] = 1.0
        return valid


def readings_of(candles: Candles, signals: BotSignals) -> FeedReadings:
    """Return what a bot's signals say at each close of `candles`.

    Raises:
        InvalidInterval: the file's candles are coarser than the timeframe, or do not divide it.
    """
    told = Listener(candles.opened_at + candles.interval // MICROSECOND)
    if signals.built_in:
        told.listen_to_candles(_coarse(candles, signals.timeframe), signals.built_in)
    return _with_outside(told, signals)


def heard_more(before: FeedReadings, signals: BotSignals) -> FeedReadings:
    """Return the readings of a bot that has heard more from outside; its candles tell the same.

    Args:
        signals: those that `before` was made of, with all that came from outside until now.
    """
    return _with_outside(before.told, signals)


def readings_without_candles(at: datetime, signals: BotSignals) -> Readings:
    """Return what a bot reads at a time that knows no candle, only what came from outside.

    Every built-in signal counts as one that is stale, and a score that has to be confirmed is not.
    """
    told = Listener(np.array([micros(at)], dtype=np.int64))
    told.miss_candles(signals.built_in)
    return _with_outside(told, signals).at(0)


def _with_outside(told: "Listener", signals: BotSignals) -> FeedReadings:
    """Return the readings of what candles told, and of what came from outside."""
    heard, known_at = told.copy(), told.known_at
    for name, terms in signals.external.items():
        heard.listen_outside(name, terms, [row for row in signals.outside if row.name == name])
    score = combined_scores(heard.scores, signals.weights, len(known_at))
    confirm = signals.confirm // MICROSECOND
    return FeedReadings(
        known_at=known_at,
        weights=signals.weights,
        levels=heard.levels,
        scores=heard.scores,
        spoken=heard.spoken,
        events=heard.events,
        score=score,
        confirmed=lowest_over(score, known_at, confirm),
        ranks=ranks_of(score, signals.thermometer),
        thermometer=signals.thermometer,
        confirm=confirm,
        told=told,
    )


def _coarse(candles: Candles, timeframe: timedelta | None) -> Candles:
    if timeframe is None:
        return candles
    if timeframe < candles.interval:
        raise InvalidInterval(
            f"found candles of {span(candles.interval)}, expected {span(timeframe)} or finer, "
            "which the signals need"
        )
    return aggregate(candles, timeframe)


class Listener:
    """What is heard at each close, signal after signal."""

    def __init__(self, known_at: Integers) -> None:
        self.levels: dict[str, Values] = {}
        self.scores: dict[str, Integers] = {}
        self.spoken: dict[str, Latest] = {}
        self.events: dict[str, list[Latest]] = {}
        self.known_at = known_at

    def copy(self) -> "Listener":
        """Return the same, to go on listening with."""
        copy = Listener(self.known_at)
        copy.levels, copy.scores = dict(self.levels), dict(self.scores)
        copy.spoken = dict(self.spoken)
        copy.events = {name: list(sources) for name, sources in self.events.items()}
        return copy

    def miss_candles(self, names: Iterable[str]) -> None:
        """Take the signals of these names for stale."""
        count = len(self.known_at)
        for name in names:
            self.levels[name] = np.full(count, np.nan)
            self.scores[name] = np.zeros(count, dtype=np.int64)
            self.spoken[name] = Latest(last=np.full(count, _NEVER), max_age=0)

    def listen_to_candles(self, coarse: Candles, signals: Mapping[str, SignalTerms]) -> None:
        """Lay what signals say at coarse candles on the closes."""
        timeframe = coarse.interval // MICROSECOND
        closed_at = coarse.opened_at + timeframe
        latest = np.searchsorted(closed_at, self.known_at, side="right") - 1
        # Where there is none, -1 takes the absent value that is put at the end.
        spoken = Latest(last=np.append(closed_at, _NEVER)[latest], max_age=timeframe)
        fresh = np.where(self.known_at - spoken.last <= timeframe, latest, -1)
        built_in = {name: terms.signal for name, terms in signals.items()}
        series = series_of(built_in, bars_of(coarse))
        for name, said in series.items():
            self.levels[name] = np.append(said.levels, np.nan)[fresh]
            self.scores[name] = np.append(said.scores, 0)[fresh]
            self.spoken[name] = spoken
            max_age = signals[name].max_age
            max_age = coarse.interval if max_age is None else max_age
            for event, came in said.events.items():
                last = np.maximum.accumulate(np.where(came, closed_at, _NEVER))
                self._add(event, np.append(last, _NEVER)[latest], max_age)

    def listen_outside(
        self, name: str, terms: ExternalTerms, rows: Sequence[OutsideSignal]
    ) -> None:
        """Lay what one signal said outside, in order of time, on the closes."""
        spoken = [(micros(row.at), row.score) for row in rows if row.score is not None]
        units = [int(score.scaleb(_PLACES)) for _, score in spoken]
        said_at, latest = self._latest([at for at, _ in spoken])
        max_age = terms.max_age // MICROSECOND
        self.spoken[name] = Latest(last=said_at, max_age=max_age)
        fresh = self.known_at - said_at <= max_age
        self.scores[name] = np.where(fresh, np.array([*units, 0], dtype=np.int64)[latest], 0)
        for event in sorted({row.event for row in rows if row.event is not None}):
            last, _ = self._latest([micros(row.at) for row in rows if row.event == event])
            self._add(event, last, terms.max_age)

    def _latest(self, times: Sequence[int]) -> tuple[Integers, NDArray[np.intp]]:
        """Return, by close, the latest of rising times, and which it is: -1 where none is."""
        rising = np.array(times, dtype=np.int64)
        latest = np.searchsorted(rising, self.known_at, side="right") - 1
        return np.append(rising, _NEVER)[latest], latest

    def _add(self, event: str, last: Integers, max_age: timedelta) -> None:
        one = Latest(last=last, max_age=max_age // MICROSECOND)
        self.events.setdefault(event, []).append(one)
