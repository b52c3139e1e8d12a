"""Books built by hand, and paths of trades for the laws that hold for every book."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from strategies import NOON, Dial, order_id
from trancher.core.book import Book, buy, sell
from trancher.core.money import ZERO, exact, floor_to
from trancher.core.order import TradeId, TrancheId
from trancher.core.tranches import Disposal, Sale, Tranche

STEP = Decimal("1e-8")


def bought(
    book: Book,
    quantity: Decimal | str,
    price: Decimal | str,
    *,
    fee: Decimal | str = "0",
    number: int | None = None,
    at: datetime | None = None,
) -> Book:
    """Return `book` with one tranche more, by default the next one, a minute later."""
    number = book.tranche_count + 1 if number is None else number
    quantity, price, fee = Decimal(quantity), Decimal(price), Decimal(fee)
    tranche = Tranche(
        id=TrancheId(f"tranche_{number}"),
        number=number,
        order_id=order_id(f"b{number}"),
        entry_trade_id=TradeId(f"t{number}"),
        rung=number - 1,
        reason="rung",
        opened_at=at or NOON + timedelta(minutes=number),
        quantity=quantity,
        cost=quantity * price,
        entry_fee=fee,
        open_quantity=quantity,
        open_cost=quantity * price,
        open_fee=fee,
        highest_mark=price,
        lowest_mark=price,
    )
    return buy(book, tranche)


def sold(
    book: Book, quantity: Decimal | str, price: Decimal | str, *, fee: Decimal | str = "0"
) -> Book:
    """Return `book` after a sale that names every open tranche."""
    return sell(book, sale_of(book, Decimal(quantity), Decimal(price), fee=Decimal(fee)))


def sale_of(book: Book, quantity: Decimal, price: Decimal, *, fee: Decimal = ZERO) -> Sale:
    """Return a sale that names every open tranche, which only `specific` reads."""
    return Sale(
        trade_id=TradeId(f"s{len(book.exits) + 1}"),
        order_id=order_id(f"s{len(book.exits) + 1}"),
        reason="test exit",
        at=NOON + timedelta(hours=1),
        quantity=quantity,
        consumed=quantity,
        price=price,
        fee=fee,
        tranche_ids=tuple(tranche.id for tranche in book.open),
    )


def empty(rule: Disposal = Disposal.FIFO) -> Book:
    """Return a book without a fill."""
    return Book(disposal=rule)


@dataclass(frozen=True)
class Trade:
    """A purchase of `quantity`, or a sale of so many thousandths of what is open."""

    quantity: Decimal
    price: Decimal
    fee: Decimal
    thousandths: int | None


def trade_from(dial: Dial) -> Trade:
    """Return a trade; digits that have no end in a third come up as often as round ones."""
    return Trade(
        thousandths=dial.pick([None, None, 500, 1000, 333, 1, 999, 250]),
        quantity=Decimal(dial.pick(_MANTISSAS)).scaleb(dial.pick([-8, -4, -2])),
        price=Decimal(dial.pick(_MANTISSAS)).scaleb(dial.pick([-2, 0])),
        fee=Decimal(dial.pick(["0", "1", "0.3333333333", "1e-10", "-0.0000000007", "70"])),
    )


_MANTISSAS = (1, 3, 7, 33, 100, 4999, 70707, 99999999)
trades = st.lists(st.integers(0, 2**19 - 1).map(Dial).map(trade_from), min_size=1, max_size=7)


@exact
def played(rule: Disposal, path: list[Trade], *, flat: bool = False) -> list[Book]:
    """Return the book after each trade; a sale of less than a step is left out."""
    book = bought(empty(rule), "0.00000001", "1")
    books = [book]
    for trade in path:
        if trade.thousandths is None:
            book = bought(book, trade.quantity, trade.price, fee=trade.fee)
        else:
            quantity = floor_to(book.open_quantity * trade.thousandths / 1000, STEP)
            if quantity > 0:
                book = sold(book, quantity, trade.price, fee=trade.fee)
        books.append(book)
    if flat and book.open_quantity > 0:
        books.append(sold(book, book.open_quantity, "50"))
    return books
