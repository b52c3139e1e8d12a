"""The fold of a ledger: cycles, labels, order, repetition, refusal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trancher.core.errors import (
    AmbiguousTranche,
    ContradictoryFill,
    InvalidFill,
    OversoldPosition,
    TrancheInUse,
    UnknownTranche,
)
from trancher.core.ledger import (
    NO_TIME,
    NO_TRADE_ID,
    Ledger,
    Realized,
    RefusedRow,
    Row,
    fold,
    realized_by_tranche,
)
from trancher.core.order import Fill, Side, TradeId, TrancheId
from trancher.core.tranches import Disposal, TrancheStatus

START = datetime(2025, 9, 3, tzinfo=UTC)


def row(number: int, text: str) -> Row:
    """Read `buy 1 @ 100`, with `fee 0.1 base`, `id t1`, `label a+b`, `day 3` (none: no time)."""
    side, quantity, _, price, *rest = text.split()
    said = {"fee": "0"}
    asset = "quote"
    while rest:
        key, said[key], *rest = rest
        if key == "fee":
            asset, *rest = rest
    return Row(
        number=number,
        fill=Fill(
            trade_id=TradeId(said.get("id", NO_TRADE_ID)),
            side=Side(side),
            price=Decimal(price),
            quantity=Decimal(quantity),
            fee=Decimal(said["fee"]),
            fee_asset=asset,
            at=START + timedelta(days=int(said["day"])) if "day" in said else NO_TIME,
        ),
        labels=tuple(map(TrancheId, said["label"].split("+"))) if "label" in said else (),
        dated="day" in said,
    )


def book(*texts: str, rule: Disposal = Disposal.FIFO) -> Ledger:
    return fold(
        [row(number, text) for number, text in enumerate(texts, start=1)],
        disposal=rule,
        base="base",
        quote="quote",
    )


def ids(ledger: Ledger, cycle: int = -1) -> list[str]:
    return [tranche.id for tranche in ledger.cycles[cycle].book.tranches]


def sold_from(ledger: Ledger) -> list[list[str]]:
    return [
        [match.tranche_id for match in done.matches]
        for cycle in ledger.cycles
        for done in cycle.book.exits
    ]


def test_an_empty_ledger_is_flat() -> None:
    """
    A bot that has not traded yet has a ledger, and it says nothing.
    """
    ledger = book()

    assert ledger.cycles == ()
    assert ledger.current.open_quantity == 0
    assert ledger.fills == 0
    assert ledger.realized_pnl == ledger.fees_paid == 0


def test_flat_then_bought_again_begins_a_cycle() -> None:
    """
    The next position owes nothing to the last: its tranches count from one again.
    """
    ledger = book("buy 1 @ 100", "buy 1 @ 100", "sell 2 @ 110", "buy 1 @ 90", "sell 0.5 @ 100")

    assert [cycle.number for cycle in ledger.cycles] == [1, 2]
    assert (ids(ledger, 0), ids(ledger, 1)) == (["tranche_1", "tranche_2"], ["tranche_1"])
    assert ledger.current.open_quantity == Decimal("0.5")
    assert ledger.realized_pnl == 25


def test_figures_of_the_file_add_up_its_cycles() -> None:
    """
    What was earned stays earned when the next position begins.
    """
    ledger = book(
        "buy 1 @ 100 fee 1 quote",
        "sell 1 @ 110 fee 2 quote",
        "buy 1 @ 100 fee 4 quote",
        "sell 1 @ 90 fee 8 quote",
    )

    assert ledger.realized_gross == 0
    assert ledger.fees_paid == 15
    assert ledger.realized_pnl == -15


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["", "", ""], ["tranche_1", "tranche_2", "tranche_3"]),
        (["a", "", "b", ""], ["a", "tranche_2", "b", "tranche_4"]),
        (["tranche_2", "", ""], ["tranche_2", "tranche_3", "tranche_4"]),
        (["tranche_2", "tranche_3", "", ""], ["tranche_2", "tranche_3", "tranche_4", "tranche_5"]),
        (["tranche_3", "", ""], ["tranche_3", "tranche_2", "tranche_4"]),
    ],
)
def test_an_automatic_id_skips_labels_taken(labels: list[str], expected: list[str]) -> None:
    """
    A person may call a tranche what the program would have called another.
    """
    ledger = book(*(f"buy 1 @ 1 label {label}" if label else "buy 1 @ 1" for label in labels))

    assert ids(ledger) == expected


@pytest.mark.parametrize("between", [(), ("sell 1 @ 9 label a",)])
def test_a_label_is_used_once_in_a_cycle(between: tuple[str, ...]) -> None:
    """
    Two tranches of one name, the one closed, make every exit that names it a riddle.
    """
    tape = ("buy 1 @ 9 label a", "buy 1 @ 9 label b", *between, "buy 1 @ 9 label a")

    with pytest.raises(RefusedRow, match="tranche 'a' exists already") as refused:
        book(*tape)

    assert isinstance(refused.value.cause, TrancheInUse)
    assert refused.value.number == len(tape)


def test_a_new_cycle_has_all_labels_free() -> None:
    """
    People call the first buy of every position "base".
    """
    ledger = book("buy 1 @ 9 label a", "sell 1 @ 9", "buy 1 @ 9 label a")

    assert ids(ledger) == ["a"]


def test_time_decides_which_tranche_is_oldest() -> None:
    """
    Exports list fills in any order; the tax office asks for the first bought.
    """
    ledger = book("buy 1 @ 9 day 3 label late", "buy 1 @ 8 day 1 label early", "sell 1 @ 9 day 4")

    assert sold_from(ledger) == [["early"]]


def test_equal_times_keep_the_order_of_arrival() -> None:
    """
    An export with dates only says by its order what came first.
    """
    ledger = book("buy 1 @ 9 day 1 label a", "buy 1 @ 8 day 1 label b", "sell 1 @ 9 day 1")

    assert sold_from(ledger) == [["a"]]


def test_a_fill_without_time_is_older_than_any_with_one() -> None:
    """
    Rows before the first time arrived first, and nothing says otherwise.
    """
    ledger = book("buy 1 @ 9 label a", "buy 1 @ 8 day 1 label b", "sell 1 @ 9 day 2")

    assert sold_from(ledger) == [["a"]]
    assert ledger.current.closed[0].opened_at == NO_TIME


def test_a_sale_may_be_dated_before_the_buy_it_consumes() -> None:
    """
    Clocks of two exports differ; arrival decides what is there to be sold.
    """
    ledger = book("buy 1 @ 9 day 5", "sell 1 @ 10 day 1")

    assert ledger.realized_pnl == 1
    assert ledger.current.closed[0].status is TrancheStatus.CLOSED


def test_a_repeated_trade_is_booked_once() -> None:
    """
    Two exports overlap by a day, and a fill is a fill.
    """
    ledger = book("buy 1 @ 9 id t", "buy 1.0 @ 9.00 id t", "buy 1 @ 9", "buy 1 @ 9")

    assert (ledger.fills, ledger.repeated) == (3, 1)
    assert ledger.current.open_quantity == 3


def test_a_repetition_is_known_across_cycles() -> None:
    """
    The old fill that comes again when flat would open a position nobody has.
    """
    ledger = book("buy 1 @ 9 id t", "sell 1 @ 9 id u", "buy 1 @ 9 id t", "sell 1 @ 9 id u")

    assert len(ledger.cycles) == 1
    assert (ledger.fills, ledger.repeated) == (2, 2)


@pytest.mark.parametrize(
    "other",
    [
        "sell 1 @ 9 id t day 1 label a",
        "buy 2 @ 9 id t day 1 label a",
        "buy 1 @ 8 id t day 1 label a",
        "buy 1 @ 9 id t day 1 label a fee 1 quote",
        "buy 1 @ 9 id t day 1 label a fee 0 base",
        "buy 1 @ 9 id t day 2 label a",
        "buy 1 @ 9 id t day 1 label b",
        "buy 1 @ 9 id t day 1",
    ],
)
def test_a_trade_id_with_other_values_is_refused(other: str) -> None:
    """
    One of the two reports is wrong, and nobody here knows which.
    """
    with pytest.raises(RefusedRow) as refused:
        book("buy 1 @ 9 id t day 1 label a", other)

    assert isinstance(refused.value.cause, ContradictoryFill)


def test_a_time_taken_over_from_another_row_contradicts_nothing() -> None:
    """
    An empty time is the previous row's, which differs where the row comes again.
    """
    first = row(1, "buy 1 @ 9 id t day 1")
    again = replace(row(2, "buy 1 @ 9 id t day 7"), dated=False)

    ledger = fold([first, again], disposal=Disposal.FIFO, base="base", quote="quote")

    assert ledger.repeated == 1


@pytest.mark.parametrize("rule", list(Disposal))
def test_labels_of_a_repeated_sale_are_read_by_specific_only(rule: Disposal) -> None:
    """
    What no other rule reads cannot contradict anything there.
    """
    tape = ("buy 2 @ 9 label a", "sell 1 @ 9 id t label a", "sell 1 @ 9 id t")

    if rule is Disposal.SPECIFIC:
        with pytest.raises(RefusedRow):
            book(*tape, rule=rule)
    else:
        assert book(*tape, rule=rule).repeated == 1


def test_specific_consumes_in_the_order_named() -> None:
    """
    `b+a` empties b before it touches a.
    """
    tape = ("buy 1 @ 10 label a", "buy 1 @ 20 label b", "sell 1.5 @ 30 label b+a")

    ledger = book(*tape, rule=Disposal.SPECIFIC)

    assert [(m.tranche_id, m.quantity) for m in ledger.current.exits[0].matches] == [
        ("b", 1),
        ("a", Decimal("0.5")),
    ]
    assert ledger.realized_pnl == 20


def test_other_rules_do_not_read_labels_of_sales() -> None:
    """
    A file with labels can be laid under every rule, whatever the labels say.
    """
    assert book("buy 1 @ 10 label a", "sell 1 @ 11 label nobody").realized_pnl == 1


@pytest.mark.parametrize(
    ("tape", "cause", "number"),
    [
        (("sell 1 @ 9",), OversoldPosition, 1),
        (("buy 1 @ 9", "sell 1 @ 9", "sell 1 @ 9"), OversoldPosition, 3),
        (("buy 1 @ 9", "sell 1 @ 9 fee 0.1 base"), OversoldPosition, 2),
        (("buy 1 @ 9 fee 1 base",), InvalidFill, 1),
        (("buy 1 @ 9", "buy 1 @ 9", "sell 1 @ 9"), AmbiguousTranche, 3),
        (("buy 1 @ 9", "sell 1 @ 9 label x"), UnknownTranche, 2),
        (("buy 1 @ 9 label a", "buy 1 @ 9", "sell 2 @ 9 label a"), OversoldPosition, 3),
    ],
)
def test_the_first_refused_row_says_its_number_and_cause(
    tape: tuple[str, ...], cause: type[InvalidFill], number: int
) -> None:
    """
    A ledger of which a part is booked is worse than none, so an error is all that comes back.
    """
    with pytest.raises(RefusedRow, match=f"row {number}: ") as refused:
        book(*tape, rule=Disposal.SPECIFIC)

    assert type(refused.value.cause) is cause
    assert refused.value.number == number


def test_fees_in_third_assets_are_summed_per_asset() -> None:
    """
    Without a rate they cannot enter the P&L, and dropping them would flatter it.
    """
    ledger = book(
        "buy 1 @ 9 fee 0.1 BNB",
        "sell 1 @ 9 fee 0.2 BNB",
        "buy 1 @ 9 fee -0.5 KCS",
        "sell 1 @ 9 fee 0 CRO",
    )

    assert ledger.fees_other == {"BNB": Decimal("0.3"), "KCS": Decimal("-0.5")}
    assert [dict(cycle.fees_other) for cycle in ledger.cycles] == [
        {"BNB": Decimal("0.3")},
        {"KCS": Decimal("-0.5")},
    ]
    assert ledger.fees_paid == 0


def test_what_a_tranche_earned_is_the_sum_of_its_matches() -> None:
    """
    Two sales from one tranche and one sale from two: each amount lands where it belongs.
    """
    ledger = book("buy 2 @ 10", "buy 2 @ 20", "sell 1 @ 11 fee 1 quote", "sell 2 @ 30")

    assert realized_by_tranche(ledger.current.exits) == {
        "tranche_1": Realized(pnl=Decimal(20), gross=Decimal(21)),
        "tranche_2": Realized(pnl=Decimal(10), gross=Decimal(10)),
    }
