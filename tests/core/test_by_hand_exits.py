"""What somebody sells by hand: a share, a tranche, or the whole."""

from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, bought, ended, entry, filled, leave, leave_named
from core.test_decide_exit import LADDER, bot, held, order_of
from strategies import observed
from trancher.core.bot import Bot
from trancher.core.by_hand import decide_sale
from trancher.core.decide_exit import decide_close
from trancher.core.decision import Decision, Kind
from trancher.core.errors import InvalidRequest, UnknownTranche
from trancher.core.events import BuildingEnded, DustBooked, Event, ExitAccepted
from trancher.core.lifecycle import State
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.order import BY_HAND, TrancheId, rule_id

D = Decimal
SHORT: tuple[Event, ...] = (*OPEN, leave("s1", "1", full=True), filled("s1", "0.4", "90"))
PART = leave("s1", "0.25", targets={1: "0.25"})
# 1 @ 100 and 2 @ 200 on a step of 0.01.
TWO: tuple[Event, ...] = (*bought("b1", "1", "100"), *bought("b2", "2", "200", rung=1))
SOLD_FIRST: tuple[Event, ...] = (
    BUILT,
    leave_named("s1", (BY_HAND, 1, "1")),
    filled("s1", "1", "100"),
    ended("s1"),
)
FIRST, SECOND = TrancheId("tranche_1"), TrancheId("tranche_2")


def sold(
    part: str | Decimal, *events: Event, price: str = "100", by: Bot = LADDER
) -> Decision | None:
    """Decide a sale by hand."""
    wanted = part if isinstance(part, Decimal) else TrancheId(part)
    seen = observed(price, at=LATER)
    return decide_sale(by, held(*events), seen, wanted, reason="by hand")


def test_a_share_by_hand_is_sold_of_what_is_held() -> None:
    """
    A third of 1, floored to the step. It ends building, and no rule of the plan has fired.
    """
    decision = sold(D(1) / D(3), *HELD)

    order = order_of(decision)
    assert (order.quantity, order.full, order.limit_price) == (D("0.33"), False, None)
    assert (order.rungs, order.named, order.reason) == ((BY_HAND,), (), "by hand")
    assert decision is not None
    assert decision.events == (
        BuildingEnded(reason="an exit begins", at=LATER),
        ExitAccepted(order=order, targets={rule_id(BY_HAND): D("0.33")}, at=LATER),
    )


def test_a_share_by_hand_cancels_what_still_buys() -> None:
    """
    Like every exit.
    """
    decision = sold(D("0.5"), *HELD, entry("b2", rung=1))

    assert decision is not None
    assert (decision.cancels, order_of(decision).quantity) == (("b2",), D("0.5"))


def test_a_remainder_that_nobody_could_sell_is_sold_along() -> None:
    """
    0.04 of 1 would be left, worth 4 of at least 5.
    """
    order = order_of(sold(D("0.96"), *OPEN))

    assert (order.quantity, order.full) == (D(1), True)


def test_a_part_too_small_for_the_exchange_says_by_how_much() -> None:
    """
    0.04 at 100 is 4 of 5; what ends it can be brought about.
    """
    decision = sold(D("0.04"), *OPEN)

    assert decision is not None
    assert (decision.kind, decision.events) == (Kind.EXIT, ())
    assert decision.refusals == (
        Refusal(
            code=RefusalCode.MIN_NOTIONAL,
            measured=D(4),
            limit=D(5),
            missing=D(1),
            unit=Unit.QUOTE,
            unblocks_when="more is to be sold at once, or the price is higher",
        ),
    )
    assert order_of(sold(D("0.05"), *OPEN)).quantity == D("0.05")
    assert order_of(sold(D("0.04"), *OPEN, price="125")).quantity == D("0.04")


def test_the_whole_by_hand_is_a_close() -> None:
    """
    A share of 1 is every rule of a full exit: what cannot be sold is dust, and the position over.
    """
    tiny = (entry(), filled("b1", "0.04", "100"), ended("b1"))

    assert sold(D(1), *OPEN) == decide_close(
        LADDER, held(*OPEN), observed("100", at=LATER), reason="by hand"
    )
    whole = sold(D(1), *tiny)

    assert whole is not None
    assert whole.events[1:] == (DustBooked(at=LATER),)


def test_a_share_by_hand_joins_a_part_that_works() -> None:
    """
    0.25 of 1 works: half of what is held goes beside it. Four fifths would leave nothing, so that
    waits for the end of what works, and is four fifths again once it has ended.
    """
    beside = sold(D("0.5"), *OPEN, PART)
    waits = sold(D("0.8"), *OPEN, PART)
    again = sold(D("0.8"), *OPEN, PART, ended("s1"))

    assert order_of(beside).quantity == D("0.5")
    assert waits is not None
    assert (waits.order, waits.cancels, waits.events) == (None, ("s1",), ())
    assert order_of(again).quantity == D("0.8")


def test_a_position_that_is_closing_sells_all() -> None:
    """
    There is no way back from CLOSING: a part asked for is a further attempt, unless one works.
    """
    assert sold(D("0.1"), *SHORT) is None
    assert order_of(sold(D("0.1"), *SHORT, ended("s1"))).quantity == D("0.6")
    assert order_of(sold("tranche_1", *SHORT, ended("s1"))).quantity == D("0.6")


def test_of_nothing_nothing_is_sold() -> None:
    """
    Whatever is named.
    """
    assert sold(D("0.5")) is None
    assert sold("tranche_1", entry()) is None


@pytest.mark.parametrize("share", ["0", "-0.1", "1.01"])
def test_a_share_that_is_none_cannot_be_meant(share: str) -> None:
    """
    A ratio above 0 and of at most 1; percents are for configurations.
    """
    with pytest.raises(InvalidRequest, match=r"is to be sold, expected above 0 and at most 1$"):
        sold(D(share), *OPEN)


def test_a_tranche_by_hand_is_sold_by_name() -> None:
    """
    All of the second, whatever the disposal rule takes first; no rule of the plan has fired.
    """
    decision = sold("tranche_2", *TWO)
    order = order_of(decision)

    assert decision is not None
    accepted = ExitAccepted(order=order, targets={rule_id(BY_HAND, SECOND): D(2)}, at=LATER)
    assert decision.events[-1] == accepted
    assert (order.quantity, order.full, order.rungs) == (D(2), False, (BY_HAND,))
    assert [(one.rule, one.tranche_id, one.quantity) for one in order.named] == [
        (BY_HAND, SECOND, D(2))
    ]


def test_a_tranche_sold_by_hand_is_sold_out() -> None:
    """
    As by a rule that names it: it counts for max_tranches no more.
    """
    position = held(*TWO, *SOLD_FIRST)

    assert (set(position.sold), position.tranches_counted) == ({FIRST}, 1)
    assert position.rung_left == {rule_id(BY_HAND, FIRST): 0}
    assert position.state is State.OPEN


def test_the_last_tranche_by_hand_is_a_full_exit() -> None:
    """
    It is the whole, so it waits for the part that works, and needs no name.
    """
    order = order_of(sold("tranche_1", *OPEN))
    waits = sold("tranche_1", *OPEN, PART)

    assert (order.full, order.quantity, order.named) == (True, D(1), ())
    assert waits is not None
    assert waits.cancels == ("s1",)


def test_a_tranche_that_is_sold_already_is_sold_once() -> None:
    """
    By an order that works, or long ago.
    """
    assert sold("tranche_1", *TWO, *SOLD_FIRST[:2]) is None
    assert sold("tranche_1", *TWO, *SOLD_FIRST) is None


def test_a_tranche_of_crumbs_is_too_small() -> None:
    """
    0.005 is less than a step: no order could name it.
    """
    crumbs = (*bought("b1", "0.005", "100"), *bought("b2", "2", "200", rung=1))

    decision = sold("tranche_1", *crumbs)

    assert decision is not None
    assert (decision.kind, decision.reason) == (Kind.EXIT, "by hand")
    assert [(one.code, one.unblocks_when) for one in decision.refusals] == [
        (RefusalCode.MIN_QUANTITY, "more is to be sold at once"),
        (RefusalCode.MIN_NOTIONAL, "more is to be sold at once, or the price is higher"),
    ]


def test_a_tranche_that_never_was_is_unknown() -> None:
    """
    A slip of the pen sells nothing, and the names that are open are told.
    """
    with pytest.raises(UnknownTranche) as raised:
        sold("tranche_3", *TWO)

    assert (raised.value.tranche_id, raised.value.known) == ("tranche_3", (FIRST, SECOND))


def test_a_sale_by_hand_is_no_stop() -> None:
    """
    The cooldown after a stop is for stops: the last rule of this plan is one, and did not fire.
    """
    by = bot(*reversed(LADDER.plan.exits))
    decision = sold(D("0.5"), *OPEN, by=by)

    assert decision is not None
    assert not by.plan.was_stopped(held(*OPEN, *decision.events))
