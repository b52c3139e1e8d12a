from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, after, bought, ended, entry, filled, leave
from strategies import BTC, NOON, observed, opened
from trancher.core.claims import ALL, Claim, Over
from trancher.core.conditions import Comparison, Indicator, Look, Wait
from trancher.core.errors import InvalidPlan
from trancher.core.exits import (
    BreakEvenStop,
    ExitRule,
    Leveled,
    SignalExit,
    StopLoss,
    TakeProfit,
    TimeStop,
    TrailingStop,
)
from trancher.core.position import Position
from trancher.core.signals import Readings

D = Decimal
TENTH, HALF, TINY = D("0.1"), D("0.5"), D("0.0001")
# 1 @ 100 and 1 @ 200: the anchor is 150.
TWO = after((*HELD, *bought("b2", "1", "200", rung=1)))
# The same with 1 % of fees on both sides: 303 in all, of which a sale keeps 99 %.
FEES = after(
    (
        entry(),
        filled("b1", "1", "100", fee="1"),
        ended("b1"),
        entry("b2", rung=1),
        filled("b2", "1", "200", fee="2"),
    ),
    start=opened(instrument=replace(BTC, taker_fee=D("0.01"))),
)
LOSS = {Look.EVERYTHING, Look.LOSS_LEVEL}
GAIN = {Look.EVERYTHING, Look.GAIN_LEVEL}
CLOSE = {Look.EVERYTHING, Look.BESIDE_PRICES}


def claims(
    rule: ExitRule, price: str, *, peak: str | None = None, position: Position = TWO
) -> list[Claim]:
    """Return what a rule wants to sell at a price."""
    return list(rule.claims(position, observed(price, peak=peak)))


def quantities(found: list[Claim]) -> list[tuple[str | None, Decimal | None]]:
    """Return the tranche that each claim names, and how much it wants."""
    return [(None if one.tranche is None else one.tranche.id, one.quantity) for one in found]


# ---- what makes sense


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: StopLoss(loss=D(0)), "stop_loss is 0, expected a ratio between 0 and 1"),
        (lambda: StopLoss(loss=D(1)), "stop_loss is 1, expected a ratio between 0 and 1"),
        (lambda: StopLoss(loss=HALF, over=Over.BREAK_EVEN), "over the anchor or the tranche"),
        (lambda: TrailingStop(activate=D(0), trail=HALF), "trailing_stop activate is 0, expected"),
        (lambda: TrailingStop(activate=HALF, trail=D(1)), "trailing_stop trail is 1, expected"),
        (lambda: TrailingStop(activate=HALF, trail=D(0)), "trailing_stop trail is 0, expected"),
        (lambda: BreakEvenStop(after=D(0)), "break_even_after is 0, expected a ratio above 0"),
        (lambda: TimeStop(after=timedelta(0)), "time_stop must be longer than 0"),
        (lambda: SignalExit(score=D("-1.1"), share=None), "signal_exit score is -1.1, expected"),
        (lambda: SignalExit(score=D("1.1"), share=None), "signal_exit score is 1.1, expected"),
        (lambda: SignalExit(score=D(0), share=D(0)), "signal_exit sells 0, expected a share"),
        (lambda: TakeProfit(gain=D(0), share=None), "take_profit gain is 0, expected"),
        (lambda: TakeProfit(gain=TENTH, share=D(0)), "take_profit sells 0, expected"),
        (lambda: TakeProfit(gain=TENTH, share=D("1.01")), "take_profit sells 1.01, expected"),
        (
            lambda: TakeProfit(gain=TENTH, share=None, trail=D(1)),
            "trailing_take_profit is 1, expected a ratio between 0 and 1",
        ),
        (
            lambda: TakeProfit(gain=TENTH, share=None, over=Over.TRANCHE, trail=TENTH),
            "trailing_take_profit is for a gain over the anchor",
        ),
        (
            lambda: TakeProfit(gain=TENTH, share=None, over=Over.TRANCHE, one_tranche=True),
            "over the tranche sells a share of it, or its rest",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[[], object], text: str) -> None:
    """
    The settings ask the same classes, so a wrong one is found before it runs.
    """
    with pytest.raises(InvalidPlan, match=text):
        make()


def test_the_last_sensible_value_is_allowed() -> None:
    """
    The other side of each bound.
    """
    assert StopLoss(loss=TINY).loss == TakeProfit(gain=TINY, share=TINY).gain == TINY
    assert StopLoss(loss=1 - TINY, over=Over.TRANCHE).loss == 1 - TINY
    assert (
        TrailingStop(activate=D(50), trail=1 - TINY).activate == BreakEvenStop(after=D(50)).after
    )
    assert TakeProfit(gain=D(50), share=D(1), trail=TINY).share == 1
    assert SignalExit(score=D(-1), share=D(1)).share == SignalExit(score=D(1), share=None).score
    assert TimeStop(after=timedelta(microseconds=1)).after > timedelta(0)


@pytest.mark.parametrize(
    ("rule", "text", "sells", "looks"),
    [
        (StopLoss(loss=D("0.085")), "stop loss -8.5 %", "all", LOSS),
        (
            StopLoss(loss=TENTH, over=Over.TRANCHE),
            "stop loss -10 % of the tranche",
            "that tranche",
            LOSS,
        ),
        (
            TrailingStop(activate=HALF, trail=D("0.02")),
            "trailing stop -2 % from the peak, once +50 % was reached",
            "all",
            LOSS,
        ),
        (BreakEvenStop(after=TENTH), "break-even stop after +10 %", "all", LOSS),
        (TimeStop(after=timedelta(days=30)), "time stop after 30d", "all", CLOSE),
        (SignalExit(score=-HALF, share=None), "signal exit, score <= -0.5", "the rest", CLOSE),
        (SignalExit(score=-HALF, share=HALF), "signal exit, score <= -0.5", "50 %", CLOSE),
        (TakeProfit(gain=TENTH, share=HALF), "take profit +10 %", "50 %", GAIN),
        (
            TakeProfit(gain=TENTH, share=None, over=Over.BREAK_EVEN, one_tranche=True),
            "take profit +10 % of the break-even",
            "the next tranche",
            GAIN,
        ),
        (
            TakeProfit(gain=TENTH, share=None, over=Over.TRANCHE),
            "take profit +10 % of the tranche",
            "the rest of it",
            GAIN,
        ),
        (
            TakeProfit(gain=TENTH, share=None, trail=D("0.02")),
            "take profit +10 %, trailing 2 %",
            "the rest",
            LOSS,
        ),
    ],
)
def test_a_rule_says_what_it_is_what_it_sells_and_when_it_is_looked_at(
    rule: ExitRule, text: str, sells: str, looks: set[Look]
) -> None:
    """
    The words of a decision and of a plan; a rule that trails down from a peak is met like a loss.
    """
    assert (rule.text, rule.sells, set(rule.looks)) == (text, sells, looks)


# ---- levels

TRAILING = TrailingStop(activate=TENTH, trail=D("0.02"))
TRAILING_GAIN = TakeProfit(gain=TENTH, share=HALF, trail=D("0.02"))


@pytest.mark.parametrize(
    ("rule", "peak", "touched", "missed"),
    [
        (StopLoss(loss=TENTH), None, "135", "135.01"),
        (TRAILING, "165", "161.7", "161.71"),
        (TRAILING, "200", "196", "196.01"),
        (BreakEvenStop(after=TENTH), "165", "150", "150.01"),
        (TRAILING_GAIN, "165", "161.7", "161.71"),
        (TakeProfit(gain=TENTH, share=None), None, "165", "164.99"),
        (TakeProfit(gain=TENTH, share=None, over=Over.BREAK_EVEN), None, "165", "164.99"),
    ],
)
def test_a_rule_claims_from_its_level_on(
    rule: Leveled, peak: str | None, touched: str, missed: str
) -> None:
    """
    From the anchor, 150, or a peak that was 10 % above it: touching counts, and the level that is
    watched is the first tick at which it claims.
    """
    top = None if peak is None else D(peak)

    assert len(claims(rule, touched, peak=peak)) == 1
    assert claims(rule, missed, peak=peak) == []
    assert list(rule.levels(TWO, top)) == [(None, D(touched))]


@pytest.mark.parametrize("rule", [TRAILING, BreakEvenStop(after=TENTH), TRAILING_GAIN])
@pytest.mark.parametrize("peak", [None, "164.99"])
def test_a_rule_that_waits_for_a_gain_is_asleep_before_it(rule: Leveled, peak: str | None) -> None:
    """
    A tick below 165 it has no level, however far the price falls.
    """
    assert claims(rule, "0.01", peak=peak) == []
    assert list(rule.levels(TWO, None if peak is None else D(peak))) == []


def test_break_even_counts_the_fees_of_both_sides() -> None:
    """
    303 over 2 x 0.99 is 153.0303...: at 153.03 a sale of all nets no more than zero; 10 % above
    it is 168.3333...
    """
    stop = BreakEvenStop(after=TENTH)
    gain = TakeProfit(gain=TENTH, share=None, over=Over.BREAK_EVEN)

    assert claims(stop, "153.03", peak="165", position=FEES) == [ALL]
    assert claims(stop, "153.04", peak="165", position=FEES) == []
    assert list(stop.levels(FEES, D(165))) == [(None, D("153.03"))]
    assert [one.level for one in claims(gain, "168.34", position=FEES)] == [D("168.34")]
    assert claims(gain, "168.33", position=FEES) == []


def test_break_even_of_rebates_larger_than_the_cost_is_no_price() -> None:
    """
    Bought for 100 with a rebate of 150: at any price it has earned; nothing waits below zero.
    """
    gift = after([entry(), filled("b1", "1", "100", fee="-150")])
    stop = BreakEvenStop(after=TENTH)
    gain = TakeProfit(gain=TENTH, share=None, over=Over.BREAK_EVEN)

    assert claims(stop, "0.01", peak="110", position=gift) == []
    assert list(stop.levels(gift, D(110))) == [(None, D(0))]
    assert list(gain.levels(gift, None)) == [(None, D(0))]


def test_a_rebate_lowers_the_break_even_price() -> None:
    """
    100 less 1: at 99 what was bought has cost nothing.
    """
    cheap = after([entry(), filled("b1", "1", "100", fee="-1")])

    assert list(BreakEvenStop(after=TENTH).levels(cheap, D(110))) == [(None, D(99))]


@pytest.mark.parametrize("tick", ["0.01", "0.5", "7"])
@pytest.mark.parametrize(
    "rule",
    [
        StopLoss(loss=D("0.03")),
        StopLoss(loss=D("0.03"), over=Over.TRANCHE),
        TrailingStop(activate=TINY, trail=D("0.03")),
        BreakEvenStop(after=TINY),
        TakeProfit(gain=D("0.03"), share=None),
        TakeProfit(gain=D("0.03"), share=None, over=Over.BREAK_EVEN),
        TakeProfit(gain=D("0.03"), share=None, over=Over.TRANCHE),
        TakeProfit(gain=TINY, share=None, trail=D("0.03")),
    ],
)
def test_a_level_lies_on_the_tick_on_the_side_that_triggers(rule: Leveled, tick: str) -> None:
    """
    Bought 3 @ 33.33: at the level it claims, one tick before it does not.
    """
    coarse = replace(BTC, price_tick=D(tick), taker_fee=D("0.003"))
    position = after(bought("b1", "3", "33.33"), start=opened(instrument=coarse))

    ((_, level),) = rule.levels(position, D("36.01"))

    nearer = level + (coarse.price_tick if Look.LOSS_LEVEL in rule.looks else -coarse.price_tick)
    assert claims(rule, f"{level}", peak="36.01", position=position)
    assert not claims(rule, f"{nearer}", peak="36.01", position=position)
    assert level % coarse.price_tick == 0


# ---- times and scores


@pytest.mark.parametrize(("minutes", "expected"), [(59, []), (60, [ALL])])
def test_the_time_stop_counts_from_the_first_fill(minutes: int, expected: list[Claim]) -> None:
    """
    Inclusive at its end; before the first fill there is nothing to wait for.
    """
    rule = TimeStop(after=timedelta(hours=1))
    seen = observed("1", at=NOON + timedelta(minutes=minutes))

    assert list(rule.claims(TWO, seen)) == expected
    assert not [*rule.claims(opened(), seen), *rule.waits(opened())]
    assert list(rule.waits(TWO)) == [Wait(at=NOON + timedelta(hours=1))]


def test_a_signal_exit_sells_at_a_low_score() -> None:
    """
    -0.5 and below: all, or half of the peak of 2; the score alone counts, confirmed or not.
    """
    said = [
        observed("150", readings=Readings(score=D(score), confirmed_score=D(1)))
        for score in ("-0.499999999", "-0.5", "-1")
    ]
    whole, half = SignalExit(score=-HALF, share=None), SignalExit(score=-HALF, share=HALF)
    low = Indicator(name="score", comparison=Comparison.AT_MOST, threshold=-HALF)

    assert [list(whole.claims(TWO, seen)) for seen in said] == [[], [ALL], [ALL]]
    assert [quantities(list(half.claims(TWO, seen))) for seen in said] == [
        [],
        [(None, D(1))],
        [(None, D(1))],
    ]
    assert list(whole.waits(TWO)) == [Wait(indicators=(low,))]


# ---- how much


@pytest.mark.parametrize(
    ("share", "quantity"), [("0.25", "0.5"), ("0.5", "1"), ("1", "1.5"), (None, "1.5")]
)
def test_a_share_is_of_the_peak_and_never_more_than_is_held(
    share: str | None, quantity: str
) -> None:
    """
    2 at the peak, 1.5 held: a quarter is 0.5, all of the peak is what there is.
    """
    position = after((BUILT, leave("s1", "0.5"), filled("s1", "0.5", "200")), start=TWO)
    part = None if share is None else D(share)

    for rule, peak in (
        (TakeProfit(gain=TENTH, share=part), None),
        (TakeProfit(gain=TENTH, share=part, trail=D("0.02")), "500"),
    ):
        found = claims(rule, "170", peak=peak, position=position)
        assert quantities(found) == [(None, D(quantity))]


def test_a_share_is_floored_to_the_step() -> None:
    """
    A third of 1 on a step of 0.1.
    """
    coarse = opened(instrument=replace(BTC, quantity_step=TENTH))
    rule = TakeProfit(gain=TENTH, share=D("0.333"))

    assert quantities(claims(rule, "110", position=after(HELD, start=coarse))) == [
        (None, D("0.3"))
    ]


@pytest.mark.parametrize(
    "rule",
    [
        TrailingStop(activate=TENTH, trail=HALF),
        BreakEvenStop(after=TENTH),
        TakeProfit(gain=TENTH, share=None, trail=HALF),
    ],
)
def test_what_trails_says_which_price_arms_it(
    rule: TrailingStop | BreakEvenStop | TakeProfit,
) -> None:
    """
    165 is 10 % over the anchor of 150; once the peak was there, nothing is left to reach.
    """
    assert list(rule.arms(TWO, None)) == [D(165)]
    assert list(rule.arms(TWO, D("164.99"))) == [D(165)]
    assert list(rule.arms(TWO, D(165))) == []
