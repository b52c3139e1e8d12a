"""Postings: debit and credit of every fill, and what accounts hold against what books say."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import (
    BUILT,
    HELD,
    adopted,
    after,
    bought,
    corrected,
    entry,
    filled,
    leave,
    leave_named,
)
from core.facts import ended as order_ended
from core.test_dust import LINE, held
from core.walk import CASH, Life, lives, walk
from strategies import BOT_RULES, NOON, opened
from trancher.core.book import dust_line
from trancher.core.events import DustBooked, Event, Filled, Undone
from trancher.core.evolve import evolve
from trancher.core.money import ZERO, exact
from trancher.core.order import Fill, PositionId, Side
from trancher.core.position import Position
from trancher.core.postings import (
    Account,
    Balances,
    Posting,
    balances_of,
    opening,
    posted,
    postings_of,
    totals,
)
from trancher.core.tranches import Disposal

D = Decimal


def moved(
    event: Event, *before: Event, start: Position | None = None
) -> dict[tuple[str, str], Decimal]:
    """Return what `event` moves after the others, once it is sure that every account is right."""
    postings: list[Posting] = []
    last: tuple[Posting, ...] = ()
    position = opened() if start is None else start
    begun = position
    for one in (*before, event):
        position = evolve(position, one)
        last = postings_of(one, position)
        assert totals(posted(last)) == {}
        assert all(posting.amount != 0 for posting in last)
        postings += last
        assert told(posted(postings), begun) == balances_of(position)
    return {(place.value, asset): amount for (place, asset), amount in posted(last).items()}


def told(moved: Balances, begun: Position) -> Balances:
    """Return what was moved since `begun`, with what had been moved until then."""
    sums = dict(balances_of(begun))
    for place, amount in moved.items():
        sums[place] = sums.get(place, ZERO) + amount
    return {place: amount for place, amount in sums.items() if amount != 0}


def in_third(fill: Filled, rate: str | None) -> Filled:
    """Return `fill` with its fee in a third asset, and what that is worth in quote."""
    priced = None if rate is None else D(rate)
    return replace(fill, fill=replace(fill.fill, fee_asset="BNB", fee_rate=priced))


# ---- what one event moves


def test_a_purchase_with_its_fee_in_quote() -> None:
    """
    0.5 @ 100 and a fee of 0.05: 50.05 left the wallet, 50 of it to whoever sold.
    """
    assert moved(filled("b1", "0.5", "100", fee="0.05"), entry()) == {
        ("position", "BTC"): D("0.5"),
        ("wallet", "USD"): D("-50.05"),
        ("external", "BTC"): D("-0.5"),
        ("external", "USD"): D(50),
        ("fee", "USD"): D("0.05"),
    }


def test_a_purchase_with_its_fee_in_base() -> None:
    """
    The other side gave 0.5 and got 50; the exchange kept 0.001 of it, and no quote.
    """
    assert moved(filled("b1", "0.5", "100", fee="0.001", asset="BTC"), entry()) == {
        ("position", "BTC"): D("0.499"),
        ("wallet", "USD"): D(-50),
        ("external", "BTC"): D("-0.5"),
        ("external", "USD"): D(50),
        ("fee", "BTC"): D("0.001"),
    }


@pytest.mark.parametrize("rate", [None, "600"])
def test_a_fee_in_a_third_asset_is_paid_in_that_asset(rate: str | None) -> None:
    """
    Whatever it is worth: no quote has left for it, though the P&L counts it where it has a rate.
    """
    fill = in_third(filled("b1", "0.5", "100", fee="0.0001"), rate)

    assert moved(fill, entry()) == {
        ("position", "BTC"): D("0.5"),
        ("wallet", "USD"): D(-50),
        ("wallet", "BNB"): D("-0.0001"),
        ("external", "BTC"): D("-0.5"),
        ("external", "USD"): D(50),
        ("fee", "BNB"): D("0.0001"),
    }


@pytest.mark.parametrize(
    ("asset", "position", "wallet"),
    [("USD", D("0.5"), D("-49.98")), ("BTC", D("0.52"), D(-50))],
)
def test_a_rebate_comes_from_the_fee_account(
    asset: str, position: Decimal, wallet: Decimal
) -> None:
    """
    What the exchange has taken becomes less, and may become less than nothing.
    """
    found = moved(filled("b1", "0.5", "100", fee="-0.02", asset=asset), entry())

    assert (found["position", "BTC"], found["wallet", "USD"]) == (position, wallet)
    assert found["fee", asset] == D("-0.02")


def test_a_fill_without_a_fee_says_nothing_of_one() -> None:
    """
    Two assets, each from one account to another.
    """
    found = moved(filled("b1", "1", "100"), entry())

    assert [account for account, _ in found] == ["position", "wallet", "external", "external"]


@pytest.mark.parametrize(
    ("asset", "position", "wallet"),
    [("USD", D("-0.4"), D("47.9")), ("BTC", D("-0.5"), D(48)), ("BNB", D("-0.4"), D(48))],
)
def test_a_sale_gives_base_and_brings_quote(
    asset: str, position: Decimal, wallet: Decimal
) -> None:
    """
    0.4 @ 120 and a fee of 0.1: in quote it comes off the 48, in base it is taken beside the 0.4.
    """
    sale = filled("s1", "0.4", "120", fee="0.1", asset=asset)

    found = moved(sale, *HELD, BUILT, leave("s1", "0.4"))

    assert (found["position", "BTC"], found["wallet", "USD"]) == (position, wallet)
    assert (found["external", "BTC"], found["external", "USD"]) == (D("0.4"), D(-48))
    assert found["fee", asset] == D("0.1")


@pytest.mark.parametrize("disposal", BOT_RULES)
@pytest.mark.parametrize("asset", ["USD", "BTC", "BNB"])
def test_which_tranche_a_sale_consumes_moves_no_posting(disposal: Disposal, asset: str) -> None:
    """
    Tranches are how the books explain a position; its account holds their sum.
    """
    story = (
        *bought("b1", "1", "100"),
        *bought("b2", "2", "90", rung=1),
        *bought("b3", "0.3", "80", rung=2),
        BUILT,
        leave("s1", "1.7"),
    )
    sale = filled("s1", "1.7", "120", fee="-0.01", asset=asset)

    found = moved(sale, *story, start=opened(disposal=disposal))

    assert found["position", "BTC"] == D("-1.69" if asset == "BTC" else "-1.7")
    assert found["external", "USD"] == D(-204)


def test_a_sale_that_names_its_tranches_is_a_sale() -> None:
    """
    What a person or a rule of one tranche picks out is base like any other.
    """
    story = (*bought("b1", "1", "100"), *bought("b2", "2", "90", rung=1), BUILT)

    found = moved(filled("s1", "0.5", "120"), *story, leave_named("s1", (0, 2, "0.5")))

    assert found["position", "BTC"] == D("-0.5")


def test_a_fill_in_parts_is_posted_part_by_part() -> None:
    """
    Each with the exchange's own id, by which it is found again.
    """
    parts = [filled("b1", "0.25", "100", trade=f"t{number}", fee="0.1") for number in (1, 2)]
    position = after([entry(), *parts])

    assert [{one.trade_id for one in postings_of(part, position)} for part in parts] == [
        {"t1"},
        {"t2"},
    ]
    assert moved(parts[1], entry(), parts[0])["position", "BTC"] == D("0.25")


def test_dust_goes_from_the_position_to_the_dust_line() -> None:
    """
    Nobody outside has given or got anything, and no fill did it.
    """
    booked = DustBooked(at=NOON)

    assert moved(booked, *HELD, BUILT) == {
        ("position", "BTC"): D(-1),
        ("dust", "BTC"): D(1),
    }
    (one, other) = postings_of(booked, after([*HELD, BUILT, booked]))
    assert (one.trade_id, other.trade_id) == (None, None)


def test_dust_of_nothing_is_no_posting() -> None:
    """
    A full exit that sold all of it and then closes has left nothing over.
    """
    assert postings_of(DustBooked(at=NOON), opened()) == ()


def test_what_a_full_exit_sweeps_up_comes_from_the_dust_line() -> None:
    """
    1.2 are sold where 1 is open: 0.2 of the line of 0.3 went with it.
    """
    sale = filled("s1", "1.2", "200", fee="0.5")

    found = moved(sale, BUILT, leave("s1", "1.2", full=True), start=held())

    assert (found["position", "BTC"], found["dust", "BTC"]) == (D(-1), D("-0.2"))
    assert (found["external", "BTC"], found["wallet", "USD"]) == (D("1.2"), D("239.5"))


def test_what_a_fill_moved_is_the_same_whenever_it_is_asked() -> None:
    """
    A store that writes late, and a replay, see the position after other events.
    """
    first, second = filled("s1", "0.4", "120"), filled("s2", "0.9", "200", fee="0.5")
    early = after([BUILT, leave("s1", "0.4"), first, order_ended("s1")], start=held())
    late = after([leave("s2", "0.9", full=True), second], start=early)

    assert postings_of(first, late) == postings_of(first, early)


def test_a_position_counts_what_it_added_to_the_line_and_not_what_it_found() -> None:
    """
    What an earlier position left there stands with that one.
    """
    assert (Account.DUST, "BTC") not in balances_of(held(LINE))


def test_what_comes_or_goes_without_a_trade_moves_base_and_no_quote() -> None:
    """
    What a holding had cost was paid before; what is missing fetched nothing.
    """
    came, went = adopted("0.5", cost="40"), corrected("1.5", "0.3")
    back = Undone(held=D("0.3"), left=D("1.5"), reason="no", at=NOON)

    assert moved(came, *HELD) == {("position", "BTC"): D("0.5"), ("external", "BTC"): D("-0.5")}
    assert moved(went, *HELD, came)["position", "BTC"] == D("-1.2")
    assert moved(went, *HELD, came)["external", "BTC"] == D("1.2")
    assert moved(back, *HELD, came, went)["position", "BTC"] == D("1.2")


def test_what_moves_no_asset_is_no_posting() -> None:
    """
    Orders, their ends and prices are told elsewhere.
    """
    events = (*HELD, BUILT, leave("s1", "0.4"), order_ended("s1"))

    assert [len(postings_of(event, after(HELD))) for event in events] == [0, 4, 0, 0, 0, 0]


def test_a_run_begins_with_its_cash() -> None:
    """
    It came from outside, so the sum over all accounts begins with nothing too.
    """
    postings = opening(D("500.00"), quote="USD")

    assert posted(postings) == {
        (Account.WALLET, "USD"): D("500.00"),
        (Account.EXTERNAL, "USD"): D("-500.00"),
    }
    assert totals(posted(postings)) == {}


def test_a_posting_that_is_missing_is_seen_in_the_totals_and_in_its_account() -> None:
    """
    The two sums would be no proof if they could not fail.
    """
    fill = filled("b1", "0.5", "100", fee="0.05")
    position = after([entry(), fill])
    *most, _ = postings_of(fill, position)

    assert totals(posted(most)) == {"USD": D("-0.05")}
    assert posted(most) != balances_of(position)


# ---- what holds at every step of a life


def as_it_is(fill: Fill) -> Fill:
    """Return `fill`."""
    return fill


def rebated(fill: Fill) -> Fill:
    """Return `fill` with its fee given instead of taken."""
    return replace(fill, fee=-fill.fee)


def charged(rate: str | None) -> Callable[[Fill], Fill]:
    """Return what puts the fee of a sale into a third asset."""
    priced = None if rate is None else D(rate)

    def charge(fill: Fill) -> Fill:
        buys = fill.side is Side.BUY
        return fill if buys else replace(fill, fee_asset="BNB", fee_rate=priced)

    return charge


@exact
def total(balances: Iterable[Balances], account: Account, asset: str) -> Decimal:
    """Return what lies in an account of all."""
    return sum((one.get((account, asset), ZERO) for one in balances), ZERO)


@given(
    life=lives,
    disposal=st.sampled_from(BOT_RULES),
    fee=st.sampled_from([as_it_is, rebated, charged(None), charged("600.01")]),
)
@exact
def test_debit_is_credit_and_accounts_are_books_at_every_step(
    life: Life, disposal: Disposal, fee: Callable[[Fill], Fill]
) -> None:
    """
    After every event of a life: nothing came from nowhere, each position's accounts hold what its
    book says, and all of them together the cash and the base that are there.
    """
    quote, base = life.bot.instrument.quote, life.bot.instrument.base
    accounts: dict[PositionId, Balances] = {}
    cash = {PositionId(""): posted(opening(CASH, quote=quote))}
    spent: dict[PositionId, Decimal] = {}
    position = None
    for one in walk(life, disposal=disposal).happened:
        if position is None or position.id != one.before.id:
            position = one.before
        event = one.event
        # Only a fee in quote may be moved: one in base makes another quantity, and another life.
        if isinstance(event, Filled) and event.fill.fee_asset == quote:
            event = replace(event, fill=fee(event.fill))
        position = evolve(position, event)
        moves = postings_of(event, position)
        assert totals(posted(moves)) == {}
        mine = [
            *moves,
            *(
                Posting(account=account, asset=asset, amount=amount)
                for (account, asset), amount in accounts.get(position.id, {}).items()
            ),
        ]
        accounts[position.id] = posted(mine)

        book = position.book
        assert accounts[position.id] == balances_of(position)
        every = (*cash.values(), *accounts.values())
        assert total(every, Account.POSITION, base) == book.open_quantity
        assert total(every, Account.DUST, base) == dust_line(book).quantity
        if fee in (as_it_is, rebated):
            spent[position.id] = book.cash_paid - book.cash_received
            assert total(every, Account.WALLET, quote) == CASH - sum(spent.values(), ZERO)
