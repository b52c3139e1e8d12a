"""Entries by score, signal and temperature; their size clipped or of equity; at a limit."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.facts import HELD, LATER, after
from core.test_decide_entry import FREE, codes, usage
from core.test_decide_exit import COARSE
from strategies import BOT_NAME, NOON, observed, opened
from trancher.core.bot import NO_PAST, Bot, Past
from trancher.core.conditions import All, AnyOf, Condition, Flat, Look, Move, Origin, Score, Signal
from trancher.core.decide_entry import decide_entry
from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.limits import (
    BotLimits,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    ReserveFunds,
    Unit,
    Usage,
)
from trancher.core.order import EntryOrder
from trancher.core.rungs import EntryRung, Of, Plan
from trancher.core.signals import Evidence, Readings, Temperature
from trancher.core.tranches import Disposal

D = Decimal
SURE = Score(least=D("0.6"))
HOUR = timedelta(hours=1)


def bot(
    when: Condition = SURE,
    *,
    size: str = "20",
    of: Of = Of.QUOTE,
    warm: Temperature | None = None,
    plan: Plan | None = None,
    limits: BotLimits | None = None,
) -> Bot:
    """Return a bot with one rung that is used any number of times."""
    rung = EntryRung(label="sure", when=when, size=D(size), of=of, repeat=99, min_temperature=warm)
    return Bot(
        name=BOT_NAME,
        instrument=COARSE,
        plan=replace(plan or PLAIN, entries=(rung,)),
        limits=limits
        or BotLimits(
            tranche_cooldown=timedelta(0),
            max_tranches=None,
            confirm=timedelta(minutes=5),
            reserve_funds=ReserveFunds.NONE,
        ),
        disposal=Disposal.FIFO,
    )


PLAIN = Plan(entries=(EntryRung(label="any", when=SURE, size=D(1)),), exits=(), rebuild=False)


def said(
    score: str,
    *,
    confirmed: str | None = None,
    temperature: Temperature = Temperature.HOT,
    **events: datetime,
) -> Readings:
    """Return readings; the score is confirmed unless another is."""
    return Readings(
        score=D(score),
        confirmed_score=D(score if confirmed is None else confirmed),
        temperature=temperature,
        events=events,
        contributions={"rsi": D(score)},
    )


def decide(
    by: Bot,
    readings: Readings,
    *events: Event,
    price: str = "100",
    look: Look = Look.EVERYTHING,
    used: Usage | None = None,
    limits: PortfolioLimits = FREE,
    past: Past = NO_PAST,
) -> Decision | None:
    """Decide the entry of a position."""
    return decide_entry(
        by,
        after(events, start=opened(instrument=by.instrument)),
        observed(price, look=look, at=LATER, readings=readings),
        past=past,
        usage=used or usage(),
        limits=limits,
    )


def order_of(decision: Decision | None) -> EntryOrder:
    """Return the entry order that was decided."""
    assert decision is not None
    assert isinstance(decision.order, EntryOrder)
    return decision.order


# ---- score, confirmation, temperature


def test_an_entry_by_score_keeps_what_the_signals_said() -> None:
    """
    So that P&L can be shown by signal and by temperature.
    """
    order = order_of(decide(bot(), said("0.6")))

    assert order.evidence == Evidence(
        score=D("0.6"), temperature=Temperature.HOT, contributions={"rsi": D("0.6")}
    )
    assert decide(bot(), said("0.599999999")) is None


def test_a_bot_without_signals_keeps_nothing_of_them() -> None:
    """
    There is nothing to show, and a score of 0 would be a lie.
    """
    assert order_of(decide(bot(Flat(flat=True)), Readings())).evidence is None


@pytest.mark.parametrize(
    ("when", "confirmed", "refused"),
    [
        (SURE, "0.6", False),
        (SURE, "0.599999999", True),
        (All(conditions=(SURE, Flat(flat=True))), "0.5", True),
        (AnyOf(conditions=(SURE, Signal(name="dip"))), "-1", False),
        (AnyOf(conditions=(SURE, Signal(name="other"))), "-1", True),
        (AnyOf(conditions=(SURE, Score(least=D("0.2")))), "0.3", False),
        (Flat(flat=True), "-1", False),
    ],
)
def test_a_score_has_to_have_held(when: Condition, confirmed: str, refused: bool) -> None:  # noqa: FBT001 - a table
    """
    The rung must be due by the lowest score of the last five minutes too; what is due without
    the score waits for no confirmation.
    """
    decision = decide(bot(when), said("0.7", confirmed=confirmed, dip=NOON))

    assert codes(decision) == ([RefusalCode.UNCONFIRMED] if refused else [])


def test_an_unconfirmed_entry_says_what_it_waits_for() -> None:
    """
    The lowest score of that time, what is wanted, and how long it has to hold.
    """
    decision = decide(bot(), said("0.7", confirmed="0.4"))

    assert decision is not None
    assert decision.refusals == (
        Refusal(
            code=RefusalCode.UNCONFIRMED,
            measured=D("0.4"),
            limit=D("0.6"),
            missing=D("0.2"),
            unit=Unit.SCORE,
            unblocks_when="the score has been 0.6 or more for 5m",
        ),
    )


@pytest.mark.parametrize(
    ("temperature", "least", "refused"),
    [
        (Temperature.WARM, Temperature.WARM, False),
        (Temperature.COOL, Temperature.WARM, True),
        (Temperature.HOT, Temperature.WARM, False),
        (Temperature.FROZEN, Temperature.FROZEN, False),
        (Temperature.FROZEN, None, False),
        (Temperature.WARM, Temperature.HOT, True),
    ],
)
def test_a_rung_refuses_below_its_temperature(
    temperature: Temperature,
    least: Temperature | None,
    refused: bool,  # noqa: FBT001 - a table
) -> None:
    """
    The band counts, which falls later than the score.
    """
    decision = decide(bot(Flat(flat=True), warm=least), said("0.1", temperature=temperature))

    assert codes(decision) == ([RefusalCode.MIN_TEMPERATURE] if refused else [])


def test_a_cold_entry_says_which_score_would_warm_it() -> None:
    """
    WARM begins at 0.15 and the score is 0.1.
    """
    cold = said("0.1", temperature=Temperature.COOL)
    decision = decide(bot(Flat(flat=True), warm=Temperature.WARM), cold)

    assert decision is not None
    assert decision.refusals == (
        Refusal(
            code=RefusalCode.MIN_TEMPERATURE,
            measured=D("0.1"),
            limit=D("0.15"),
            missing=D("0.05"),
            unit=Unit.SCORE,
            unblocks_when="the temperature, COOL now, is WARM or higher: a score of 0.15",
        ),
    )


def test_an_event_that_an_earlier_position_has_lived_through_begins_no_new_one() -> None:
    """
    Invariant 3: it came before, or just when, the last position was closed.
    """
    dip = bot(Signal(name="dip"))
    came = said("0", dip=NOON)

    assert codes(decide(dip, came)) == []
    assert codes(decide(dip, came, past=Past(closed_at=NOON - timedelta(seconds=1)))) == []
    assert decide(dip, came, past=Past(closed_at=NOON)) is None


def test_a_score_and_a_price_together_wait_for_both_and_for_the_confirmation() -> None:
    """
    10 % below the anchor at a touched level: the price tips it, the score has to have held.
    """
    both = bot(All(conditions=(SURE, Move(by=D("-0.1"), origin=Origin.ANCHOR))))
    roomy = replace(both, limits=replace(both.limits, max_position_size=None))

    for confirmed, expected in (("0.6", []), ("0.5", [RefusalCode.UNCONFIRMED])):
        readings = said("0.7", confirmed=confirmed)
        decision = decide(roomy, readings, *HELD, price="90", look=Look.ENTRY_LEVEL)
        assert codes(decision) == expected
    assert decide(roomy, said("0.5"), *HELD, price="90", look=Look.ENTRY_LEVEL) is None
    assert decide(roomy, said("0.7"), *HELD, price="90.01", look=Look.ENTRY_LEVEL) is None
