"""Readings on a feed, against a plain recomputation with the core's own words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import isnan
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.signal_cases import FIRST, HOUR, QUICK, Row, candles_of, closing, drawn_rows, part
from sparing import one_in
from trancher.backtest.readings import (
    BotSignals,
    ExternalTerms,
    FeedReadings,
    SignalTerms,
    readings_of,
)
from trancher.backtest.times import micros
from trancher.core.money import exact
from trancher.core.signals import (
    SILENT,
    Readings,
    Temperature,
    Thermometer,
    combined,
    contributions,
)
from trancher.market.candles import Candles, InvalidInterval, aggregate
from trancher.market.indicators import bars_of
from trancher.market.outside import OutsideSignal
from trancher.market.signal_series import SignalReading, reading_at, series_of
from trancher.market.signals import MaCross, PriceDrop, Rsi

QUARTER: Final = timedelta(minutes=15)
ZERO: Final = Decimal(0)


Heard = tuple[dict[str, Decimal], dict[str, Decimal], dict[str, datetime]]


def heard_at(
    candles: Candles, signals: BotSignals, *, later: timedelta = timedelta(0)
) -> list[Heard]:
    """Return the levels, scores and events known at each close that still count `later`."""
    timeframe = signals.timeframe or candles.interval
    coarse = aggregate(candles, timeframe)
    series = series_of({n: terms.signal for n, terms in signals.built_in.items()}, bars_of(coarse))
    said = {
        name: [(coarse.closed_at(index), reading_at(one, index)) for index in range(len(coarse))]
        for name, one in series.items()
    }
    closes = [candles.closed_at(index) for index in range(len(candles))]
    return [_heard(said, signals, timeframe, at, at + later) for at in closes]


def _heard(
    said: Mapping[str, Sequence[tuple[datetime, SignalReading]]],
    signals: BotSignals,
    timeframe: timedelta,
    closed_at: datetime,
    now: datetime,
) -> Heard:
    latest: dict[str, SignalReading] = {}
    came: list[tuple[datetime, str, timedelta]] = []
    for name, readings in said.items():
        known = [(at, one) for at, one in readings if at <= closed_at]
        latest |= {name: one for at, one in known if now - at <= timeframe}  # noqa: B035 the last
        max_age = signals.built_in[name].max_age
        max_age = timeframe if max_age is None else max_age
        came += [(at, event, max_age) for at, one in known for event in one.events]
    for name, terms in signals.external.items():
        rows = [row for row in signals.outside if row.name == name and row.at <= closed_at]
        spoken = [(row.at, row.score) for row in rows if row.score is not None]
        if spoken and now - spoken[-1][0] <= terms.max_age:
            latest[name] = SignalReading(score=spoken[-1][1])
        came += [(row.at, row.event, terms.max_age) for row in rows if row.event is not None]
    valid = sorted((at, event) for at, event, max_age in came if now - at <= max_age)
    levels = {name: one.level for name, one in latest.items() if one.level is not None}
    scores = {name: one.score for name, one in latest.items()}
    return levels, scores, {event: at for at, event in valid}


@exact
def expected(candles: Candles, signals: BotSignals) -> list[Readings]:
    """Return the readings at each close, one after the other, as SPEC 8 says them."""
    temperature = Temperature.FROZEN
    history: list[tuple[datetime, Decimal]] = []
    readings: list[Readings] = []
    for index, (levels, scores, events) in enumerate(heard_at(candles, signals)):
        now, score = candles.closed_at(index), combined(scores, signals.weights)
        temperature = signals.thermometer.next(temperature, score)
        history.append((now, score))
        readings.append(
            Readings(
                indicators=levels,
                events=events,
                score=score,
                confirmed_score=lowest(history, now - signals.confirm),
                temperature=temperature,
                contributions=contributions(scores, signals.weights),
            )
        )
    return readings


@exact
def expected_later(candles: Candles, signals: BotSignals, later: timedelta) -> list[Readings]:
    """Return what one more evaluation finds, so much after each close, without a new word."""
    closes = expected(candles, signals)
    history = [(candles.closed_at(index), one.score) for index, one in enumerate(closes)]
    readings: list[Readings] = []
    for index, (levels, scores, events) in enumerate(heard_at(candles, signals, later=later)):
        now, score = candles.closed_at(index) + later, combined(scores, signals.weights)
        known = [*history[: index + 1], (now, score)]
        readings.append(
            Readings(
                indicators=levels,
                events=events,
                score=score,
                confirmed_score=lowest(known, now - signals.confirm),
                temperature=signals.thermometer.next(closes[index].temperature, score),
                contributions=contributions(scores, signals.weights),
            )
        )
    return readings


def lowest(history: Sequence[tuple[datetime, Decimal]], since: datetime) -> Decimal:
    """Return the lowest score in force from `since` on; -1 where none was in force then."""
    before = [score for at, score in history if at <= since]
    return min([before[-1], *(s for at, s in history if at > since)]) if before else Decimal(-1)


weights = st.decimals("0.001", 1, places=3)
lengths = st.sampled_from([timedelta(0), QUARTER, HOUR, timedelta(minutes=50), timedelta(hours=9)])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Candles, BotSignals]:
    """Draw quarters of an hour with gaps, signals on quarters or hours, and words from outside."""
    rows: list[Row] = draw(drawn_rows(longest=25))
    gaps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 5, 17]), min_size=len(rows)))
    places = np.cumsum(gaps[: len(rows)]).tolist()
    candles = candles_of(rows, places=places, interval=QUARTER)
    names = draw(st.lists(st.sampled_from(sorted(QUICK)), min_size=1, unique=True))
    built_in = {
        name: SignalTerms(
            signal=QUICK[name], weight=draw(weights), max_age=draw(st.none() | lengths)
        )
        for name in names
    }
    external = {
        name: ExternalTerms(weight=draw(weights), max_age=draw(lengths))
        for name in draw(st.lists(st.sampled_from(["desk", "model"]), unique=True))
    }
    words = st.one_of(
        st.decimals(-1, 1, places=9).map(lambda score: {"score": score}),
        st.sampled_from(["breakout", "price_drop"]).map(lambda event: {"event": event}),
    )
    speakers = st.sampled_from(["desk", "model"])
    said = draw(st.lists(st.tuples(st.integers(0, 600), speakers, words)))
    outside = [
        OutsideSignal(at=FIRST + minutes * timedelta(minutes=1), name=name, **word)
        for minutes, name, word in sorted(said, key=lambda one: one[0])
    ]
    return candles, BotSignals(
        timeframe=draw(st.sampled_from([None, QUARTER, HOUR])),
        built_in=built_in,
        external=external,
        outside=outside,
        confirm=draw(lengths),
        thermometer=draw(
            st.sampled_from(
                [
                    Thermometer(),
                    Thermometer(hysteresis=ZERO),
                    Thermometer(
                        cool=Decimal("-0.2"),
                        warm=Decimal("0.0000000005"),
                        hot=Decimal("0.1"),
                        hysteresis=Decimal("0.3"),
                    ),
                ]
            )
        ),
    )


@one_in(5)
@given(case=cases())
def test_readings_are_what_the_core_makes_of_the_signals(
    case: tuple[Candles, BotSignals],
) -> None:
    """
    Levels, events, score, confirmation, temperature and contributions at every close equal a fold
    with the core's own functions, over gaps, other timeframes and words from outside.
    """
    candles, signals = case

    readings = readings_of(candles, signals)

    assert [readings.at(index) for index in range(len(candles))] == expected(candles, signals)


@one_in(5)
@given(case=cases(), minutes=st.sampled_from([0, 1, 15, 16, 50, 60, 61, 540, 541]))
def test_readings_age_until_they_are_looked_at(
    case: tuple[Candles, BotSignals], minutes: int
) -> None:
    """
    Inside the first candle after a gap what has become stale is absent, and its score 0; score,
    confirmation and temperature are what an evaluation then would find without a new word.
    """
    candles, signals = case
    later = timedelta(minutes=minutes)

    readings = readings_of(candles, signals)

    aged = [readings.aged(i, micros(candles.closed_at(i) + later)) for i in range(len(candles))]
    assert aged == expected_later(candles, signals, later)


@one_in(5)
@given(case=cases())
def test_arrays_say_what_the_readings_say(case: tuple[Candles, BotSignals]) -> None:
    """
    The gauge searches the arrays, and the core decides on the readings: they must agree.
    """
    candles, signals = case
    readings = readings_of(candles, signals)

    heard = {one for index in range(len(candles)) for one in readings.at(index).events}
    names = ["score", *signals.built_in, *(f"event:{name}" for name in readings.events)]
    arrays = {name: readings.array(name) for name in names}

    assert heard <= set(readings.events)
    for index in range(len(candles)):
        at = readings.at(index)
        assert arrays["score"][index] == float(at.score)
        for name in signals.built_in:
            level = at.indicators.get(name)
            value = float(arrays[name][index])
            assert isnan(value) if level is None else value == float(level)
        events = {name: arrays[name][index] for name in arrays if name.startswith("event:")}
        assert events == {name: float(name[6:] in at.events) for name in events}


def heard(candles: Candles, **said: object) -> FeedReadings:
    return readings_of(candles, BotSignals(**said))  # type: ignore[arg-type]


def test_an_event_is_valid_for_its_age_and_not_after() -> None:
    """
    One that came at 03:00 with a max_age of 1h is valid at 04:00, and gone at 04:15.
    """
    rows = [(price, price, price) for price in (100,) * 12 + (90,) * 8]
    candles = candles_of(rows, interval=QUARTER)
    drop = PriceDrop(window=2, drop=Decimal("0.05"))
    terms = SignalTerms(signal=drop, weight=Decimal(1), max_age=HOUR)

    readings = heard(candles, timeframe=QUARTER, built_in={"price_drop": terms})

    came = FIRST + timedelta(hours=3, minutes=15)
    valid = [readings.at(index).events for index in range(len(candles))]
    assert valid == [{}] * 12 + [{"price_drop": came}] * 5 + [{}] * 3


def test_an_event_is_valid_for_one_candle_of_its_timeframe_where_nothing_is_said() -> None:
    """
    On quarters of an hour read as hours it is there at five closes: 0, 15, 30, 45 and 60 minutes.
    """
    rows = [(price, price, price) for price in (100,) * 8 + (90,) * 12]
    candles = candles_of(rows, interval=QUARTER)
    terms = SignalTerms(signal=PriceDrop(window=2, drop=Decimal("0.05")), weight=Decimal(1))

    readings = heard(candles, timeframe=HOUR, built_in={"price_drop": terms})

    valid = ["price_drop" in readings.at(index).events for index in range(len(candles))]
    assert valid == [False] * 11 + [True] * 5 + [False] * 4


def test_a_signal_whose_candles_stopped_is_stale() -> None:
    """
    After a gap its level is gone and its score is 0 with its weight kept, until an hour closes.
    """
    rows = [(price, price, price) for price in (100, 100, 100, 100, 90, 80, 70, 60, *(60,) * 8)]
    places = [0, 1, 2, 3, 4, 5, 6, 7, *range(30, 38)]
    candles = candles_of(rows, interval=QUARTER, places=places)
    terms = SignalTerms(signal=PriceDrop(window=2), weight=Decimal("0.5"))

    readings = heard(
        candles,
        timeframe=HOUR,
        built_in={"price_drop": terms},
        external={"desk": ExternalTerms(weight=Decimal("0.5"), max_age=HOUR)},
    )

    # 02:00 closes 40 % down; the next close is 07:45, and the hour that ends at 08:00 is new.
    assert [readings.at(index).score for index in (6, 7, 8)] == [0, Decimal("0.5"), 0]
    assert [bool(readings.at(index).indicators) for index in (7, 8, 9)] == [True, False, True]
    assert readings.at(8).contributions == {"price_drop": 0, "desk": 0}


def test_an_outside_score_counts_until_it_is_too_old() -> None:
    """
    The last word counts, from its own time on, for max_age, inclusive; then nothing is said.
    """
    at = FIRST + timedelta(minutes=90)
    words = [
        OutsideSignal(at=at, name="desk", score=Decimal("0.9")),
        OutsideSignal(at=at, name="desk", score=Decimal("0.4")),
        OutsideSignal(at=FIRST, name="unheard", score=Decimal(-1)),
        OutsideSignal(at=FIRST + timedelta(hours=6), name="desk", score=Decimal(-1)),
    ]

    readings = heard(
        closing(*[100] * 6),
        external={"desk": ExternalTerms(weight=Decimal(1), max_age=timedelta(minutes=90))},
        outside=words,
    )

    assert [readings.at(index).score for index in range(6)] == [
        0,
        Decimal("0.4"),
        Decimal("0.4"),
        0,
        0,
        -1,
    ]


def test_weights_too_fine_for_a_machine_integer_are_exact_as_well() -> None:
    """
    Two weights of 20 decimals: the sum is decided in whole numbers of any length.
    """
    fine = Decimal("0.12345678901234567891")
    signals = BotSignals(
        built_in={
            "rsi": SignalTerms(signal=Rsi(period=2), weight=fine),
            "ma_cross": SignalTerms(signal=MaCross(fast=2, slow=3, atr=2), weight=Decimal(1)),
        }
    )
    candles = closing(100, 103, 101, 90, 95, 97, 91, 92)

    readings = readings_of(candles, signals)

    assert [readings.at(index) for index in range(8)] == expected(candles, signals)
    assert readings.score.any()


def test_a_bot_without_signals_reads_silence() -> None:
    """
    Weights of nothing divide nothing.
    """
    readings = readings_of(closing(100, 101), BotSignals())

    assert readings.at(1) == SILENT
    assert readings.array("score").tolist() == [0, 0]


def test_candles_that_do_not_make_the_timeframe_are_refused() -> None:
    """
    Signals of a quarter of an hour cannot be read off hours, nor those of 90 minutes.
    """
    built_in = {"rsi": SignalTerms(signal=Rsi(period=2), weight=Decimal(1))}

    with pytest.raises(InvalidInterval, match="found candles of 1h, expected 15m or finer"):
        heard(closing(100, 101), timeframe=QUARTER, built_in=built_in)
    with pytest.raises(InvalidInterval, match="found candles of 1h, expected some that divide"):
        heard(closing(100, 101), timeframe=timedelta(minutes=90), built_in=built_in)


@one_in(5)
@given(case=cases(), cut=st.integers(1, 25))
def test_no_reading_looks_ahead(case: tuple[Candles, BotSignals], cut: int) -> None:
    """
    A feed that ends early reads the same up to there.
    """
    candles, signals = case
    cut = min(cut, len(candles))
    early = part(candles, 0, cut)

    readings, whole = readings_of(early, signals), readings_of(candles, signals)

    assert [readings.at(i) for i in range(cut)] == [whole.at(i) for i in range(cut)]
