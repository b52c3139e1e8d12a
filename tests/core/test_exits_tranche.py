"""Exit rules that speak of tranches: over each of them, or the next one."""

from dataclasses import replace

import pytest

from core.facts import BUILT, HELD, after, bought, leave_named, sold
from core.test_exits import HALF, TENTH, TWO, D, claims, quantities
from strategies import BOT_RULES, BTC, opened
from trancher.core.claims import Over
from trancher.core.exits import Leveled, StopLoss, TakeProfit
from trancher.core.tranches import Disposal


@pytest.mark.parametrize(
    ("rule", "price", "expected"),
    [
        (StopLoss(loss=TENTH, over=Over.TRANCHE), "180.01", []),
        (StopLoss(loss=TENTH, over=Over.TRANCHE), "180", [("tranche_2", "1")]),
        (
            StopLoss(loss=TENTH, over=Over.TRANCHE),
            "90",
            [("tranche_1", "1"), ("tranche_2", "1")],
        ),
        (TakeProfit(gain=TENTH, share=None, over=Over.TRANCHE), "109.99", []),
        (TakeProfit(gain=TENTH, share=None, over=Over.TRANCHE), "110", [("tranche_1", "1")]),
        (
            TakeProfit(gain=TENTH, share=D("0.25"), over=Over.TRANCHE),
            "220",
            [("tranche_1", "0.25"), ("tranche_2", "0.25")],
        ),
    ],
)
def test_over_the_tranche_each_has_its_own_target(
    rule: Leveled, price: str, expected: list[tuple[str, str]]
) -> None:
    """
    1 @ 100 and 1 @ 200: losses at 90 and 180, gains at 110 and 220, each by name.
    """
    assert quantities(claims(rule, price)) == [(name, D(amount)) for name, amount in expected]
    ratio = D("0.9") if isinstance(rule, StopLoss) else D("1.1")
    assert [(t and t.number, level) for t, level in rule.levels(TWO, None)] == [
        (1, 100 * ratio),
        (2, 200 * ratio),
    ]


def test_a_share_over_the_tranche_is_of_what_it_bought() -> None:
    """
    0.7 of the first is sold: a half of it is more than the 0.3 left, and the rest is those 0.3.
    """
    position = after((BUILT, *sold(leave_named("s1", (0, 1, "0.7")), "110")), start=TWO)

    for share in (HALF, None):
        rule = TakeProfit(gain=TENTH, share=share, over=Over.TRANCHE)
        assert quantities(claims(rule, "110", position=position)) == [("tranche_1", D("0.3"))]


@pytest.mark.parametrize(
    ("disposal", "name"),
    [
        (Disposal.FIFO, "tranche_1"),
        (Disposal.LIFO, "tranche_3"),
        (Disposal.HIFO, "tranche_2"),
        (Disposal.AVERAGE, "tranche_1"),
    ],
)
def test_the_next_tranche_is_the_one_that_the_disposal_rule_takes_first(
    disposal: Disposal, name: str
) -> None:
    """
    1 @ 100, 2 @ 300, 1 @ 200: the oldest, the newest, the dearest; of all alike the oldest.
    """
    three = after(
        (*HELD, *bought("b2", "2", "300"), *bought("b3", "1", "200")),
        start=opened(disposal=disposal),
    )
    rule = TakeProfit(gain=TENTH, share=None, one_tranche=True)

    (claim,) = claims(rule, "999", position=three)

    assert claim.tranche is not None
    assert (claim.tranche.id, claim.quantity) == (name, claim.tranche.quantity)


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_a_crumb_is_never_the_next_tranche(disposal: Disposal) -> None:
    """
    0.004 of a tranche is left, below the step of 0.01: no order could sell it, so whatever the
    rule the next one is that which can be sold; where there are only crumbs, they have to wait.
    """
    start = opened(disposal=disposal, instrument=replace(BTC, quantity_step=D("0.01")))
    crumbs = [*bought("b1", "0.104", "300"), BUILT, *sold(leave_named("s1", (0, 1, "0.1")), "310")]
    alone = after(crumbs, start=start)
    more = after([*bought("b2", "1", "100")], start=alone)
    rule = TakeProfit(gain=TENTH, share=None, one_tranche=True)

    assert quantities(claims(rule, "999", position=alone)) == [("tranche_1", D(0))]
    assert quantities(claims(rule, "999", position=more)) == [("tranche_2", D(1))]
