"""Postings: every event that moves an asset, in double entry.

A fill takes from one account what it gives to another. So what the books hold can be added up a
second way, without tranches, exits or P&L, and both ways have to agree.

Invariants:
1. The amounts of one event add up to zero for each asset.
2. The accounts of a position hold what its book says (balances_of), to the last digit.
3. A fee stands in the asset that it was taken in, whatever the P&L makes of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trancher.core.events import Adopted, Corrected, DustBooked, Event, Filled, Undone
from trancher.core.instrument import Instrument
from trancher.core.money import ZERO, exact
from trancher.core.order import Fill, Side, TradeId
from trancher.core.position import Position
from trancher.core.tranches import SWEPT


class Account(StrEnum):
    """Where an asset lies.

    EXTERNAL is everybody else, the other side of a trade too, and what of the account no bot has;
    FEE what the exchange has taken.
    The rest is ours: WALLET the quote that is in no position, and what third assets have paid in
    fees; POSITION the base that a position has open; DUST what it has added to its bot's dust
    line, less what it swept up from there.
    """

    EXTERNAL = "external"
    WALLET = "wallet"
    POSITION = "position"
    DUST = "dust"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """An amount came into an account, or left it where it is negative; never zero.

    Attributes:
        trade_id: of the fill that moved it; None where none did.
    """

    account: Account
    asset: str
    amount: Decimal
    trade_id: TradeId | None = None


Balances = Mapping[tuple[Account, str], Decimal]
"""What lies in each account of each asset; what is empty is not named."""


@exact
def opening(cash: Decimal, *, quote: str) -> tuple[Posting, ...]:
    """Return the postings of what a run begins with, quote, > 0."""
    return (
        Posting(account=Account.WALLET, asset=quote, amount=cash),
        Posting(account=Account.EXTERNAL, asset=quote, amount=-cash),
    )


@exact
def postings_of(event: Event, position: Position) -> tuple[Posting, ...]:
    """Return what `event` moved; nothing for one that moves no asset.

    Args:
        event: not a fill that comes a second time.
        position: as it is once the event has happened, or at any later time.
    """
    match event:
        case Filled():
            return _of_fill(event.fill, position)
        case DustBooked():
            return _of_dust(position)
        case Adopted():
            return _from_outside(position, event.quantity)
        case Corrected() | Undone():
            return _from_outside(position, event.left - event.held)
        case _:
            return ()


def _of_fill(fill: Fill, position: Position) -> tuple[Posting, ...]:
    instrument = position.instrument
    sign = 1 if fill.side is Side.BUY else -1
    base, quote = sign * fill.quantity, -sign * fill.price * fill.quantity
    ours = {instrument.base: base, instrument.quote: quote}
    ours[fill.fee_asset] = ours.get(fill.fee_asset, ZERO) - fill.fee
    swept = _swept(position, fill.trade_id)
    moved = [
        (Account.POSITION, instrument.base, ours.pop(instrument.base) + swept),
        (Account.DUST, instrument.base, -swept),
        *((Account.WALLET, asset, amount) for asset, amount in ours.items()),
        (Account.EXTERNAL, instrument.base, -base),
        (Account.EXTERNAL, instrument.quote, -quote),
        (Account.FEE, fill.fee_asset, fill.fee),
    ]
    return tuple(
        Posting(account=account, asset=asset, amount=amount, trade_id=fill.trade_id)
        for account, asset, amount in moved
        if amount != 0
    )


def _swept(position: Position, trade_id: TradeId) -> Decimal:
    """Return the base that a sale took from the dust line; 0 for a purchase."""
    for done in reversed(position.book.exits):
        if done.trade_id == trade_id:
            return sum((m.quantity for m in done.matches if m.tranche_id == SWEPT), ZERO)
    return ZERO


def _of_dust(position: Position) -> tuple[Posting, ...]:
    # A position books dust once: it is over then.
    base, quantity = position.instrument.base, position.book.dust_quantity
    if quantity == 0:
        return ()
    return (
        Posting(account=Account.POSITION, asset=base, amount=-quantity),
        Posting(account=Account.DUST, asset=base, amount=quantity),
    )


def _from_outside(position: Position, quantity: Decimal) -> tuple[Posting, ...]:
    """Return the postings of base that came without a trade, or went where it is negative.

    What it had cost was paid before the books knew of it, so no quote is moved.
    """
    base = position.instrument.base
    return (
        Posting(account=Account.POSITION, asset=base, amount=quantity),
        Posting(account=Account.EXTERNAL, asset=base, amount=-quantity),
    )


@exact
def posted(postings: Iterable[Posting]) -> Balances:
    """Return what `postings` come to in each account."""
    sums = defaultdict[tuple[Account, str], Decimal](lambda: ZERO)
    for one in postings:
        sums[one.account, one.asset] += one.amount
    return _without_empty(sums)


@exact
def totals(balances: Balances) -> Mapping[str, Decimal]:
    """Return what all accounts together hold of each asset: nothing, where all is posted twice."""
    sums = defaultdict[str, Decimal](lambda: ZERO)
    for (_, asset), amount in balances.items():
        sums[asset] += amount
    return {asset: amount for asset, amount in sums.items() if amount != 0}


@exact
def balances_of(position: Position) -> Balances:
    """Return what the accounts of a position hold, by its book and its fees, without a posting.

    The book counts a converted fee of a third asset as quote that was paid; in truth the asset
    was, and so it stands here.
    """
    book, instrument = position.book, position.instrument
    fees = defaultdict[str, Decimal](lambda: ZERO)
    converted = ZERO
    for filled in position.fills.values():
        fees[filled.fill.fee_asset] += filled.fill.fee
        converted += _converted(filled.fill, instrument)
    ours = {(Account.WALLET, asset): -fee for asset, fee in fees.items()}
    ours[Account.POSITION, instrument.base] = book.open_quantity
    ours[Account.DUST, instrument.base] = book.dust_quantity - book.swept.quantity
    ours.pop((Account.WALLET, instrument.base), None)
    ours[Account.WALLET, instrument.quote] = book.cash_received - book.cash_paid + converted
    ours |= {(Account.FEE, asset): fee for asset, fee in fees.items()}
    return with_external(ours)


@exact
def with_external(ours: Balances) -> Balances:
    """Return `ours` with what everybody else must have given for it."""
    theirs = {(Account.EXTERNAL, asset): -amount for asset, amount in totals(ours).items()}
    return _without_empty({**ours, **theirs})


def _converted(fill: Fill, instrument: Instrument) -> Decimal:
    if fill.fee_rate is None or fill.fee_asset in (instrument.base, instrument.quote):
        return ZERO
    return fill.fee * fill.fee_rate


def _without_empty(balances: Balances) -> Balances:
    return {place: amount for place, amount in balances.items() if amount != 0}
