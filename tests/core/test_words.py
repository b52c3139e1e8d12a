"""Conditions and lengths of time in the words that people read."""

from datetime import timedelta
from decimal import Decimal

import pytest

from trancher.core.conditions import (
    ALWAYS,
    All,
    AnyOf,
    Comparison,
    Condition,
    Elapsed,
    Flat,
    Indicator,
    Move,
    Origin,
    Score,
    Signal,
)
from trancher.core.day import span

FLAT = Flat(flat=True)
DROP = Move(by=Decimal("-0.035"), origin=Origin.LAST_ENTRY)
RSI = Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (FLAT, "no position"),
        (Flat(flat=False), "a position"),
        (DROP, "3.5 % below the last entry"),
        (Move(by=Decimal("0.1"), origin=Origin.ANCHOR), "10 % above the anchor"),
        (Elapsed(after=timedelta(days=7)), "7d after the last entry"),
        (RSI, "rsi < 30"),
        (Score(least=Decimal("0.60")), "score >= 0.60"),
        (Signal(name="ma_support"), "signal ma_support"),
        (ALWAYS, "at once"),
        (AnyOf(conditions=()), "never"),
        (All(conditions=(FLAT, RSI)), "no position and rsi < 30"),
        (All(conditions=(DROP, AnyOf(conditions=(FLAT, RSI)))),
         "3.5 % below the last entry and (no position or rsi < 30)"),
        (AnyOf(conditions=(All(conditions=(RSI,)), DROP)),
         "rsi < 30 or 3.5 % below the last entry"),
    ],
)  # fmt: skip
def test_a_condition_says_what_it_waits_for(condition: Condition, words: str) -> None:
    """
    Who reads a check or a plan learns when a rung buys, in brackets where it could be misread.
    """
    assert condition.text == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=60), "60d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=15), "15m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=1500), "0:00:01.500000"),
    ],
)
def test_a_length_of_time_reads_as_it_is_written_in_a_configuration(
    length: timedelta, words: str
) -> None:
    """
    15m, and not 0:15:00.
    """
    assert span(length) == words
