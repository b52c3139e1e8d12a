"""The ledger of a CSV: its rows folded under every rule, and told as one document.

Invariants:
1. One bad cell or one refused row, and nothing of the file is told.
2. The same file and the same options give the same document, to the last digit.
3. Every amount is computed under the exact context; only quotients are rounded, by core.money.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

from trancher.app.ledger_rows import cell_at, quoted, read_rows, shortened
from trancher.app.output import BadInput, Json, instant, money
from trancher.core.errors import (
    AmbiguousTranche,
    ContradictoryFill,
    OversoldPosition,
    TrancheInUse,
    UnknownTranche,
)
from trancher.core.ledger import (
    NO_TIME,
    Cycle,
    Ledger,
    Realized,
    RefusedRow,
    Row,
    fold,
    realized_by_tranche,
)
from trancher.core.money import exact, quotient
from trancher.core.order import TrancheId
from trancher.core.pnl import Figures, figures
from trancher.core.tranches import Disposal, Exit, Tranche

COMPARED: Final = (Disposal.FIFO, Disposal.LIFO, Disposal.HIFO, Disposal.AVERAGE)
"""The rules that can be laid side by side: they need no label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A ledger file, read and folded.

    Attributes:
        ledger: under the rule that was asked for.
        compared: the same fills under each rule of COMPARED; figures only.
        mark: quote per base, > 0, or None.
        taker_fee: ratio, 0 <= fee < 1.
        notes: what looks like a slip, although the file could be booked, in words.
    """

    ledger: Ledger
    compared: Mapping[Disposal, Ledger]
    mark: Decimal | None
    taker_fee: Decimal
    notes: tuple[str, ...]

    def figures(self, ledger: Ledger) -> Figures:
        """Return what is open of the current cycle, and what all cycles have realized."""
        current = figures(ledger.current, taker_fee=self.taker_fee, mark_price=self.mark)
        return replace(
            current,
            realized_pnl=ledger.realized_pnl,
            realized_gross=ledger.realized_gross,
            fees_paid=ledger.fees_paid,
        )


def read_report(
    path: Path,
    *,
    method: Disposal,
    mark: Decimal | None,
    taker_fee: Decimal,
    base: str | None,
    quote: str | None,
) -> Report:
    """Read the file and fold it under `method` and under every rule to compare it with.

    Raises:
        BadInput: a cell cannot be read, or a row cannot be booked.
    """
    rows = read_rows(path, base=base, quote=quote)
    try:
        ledger = fold(rows, disposal=method, base="base", quote="quote")
        compared = {
            rule: ledger
            if rule is method
            else fold(rows, disposal=rule, base="base", quote="quote")
            for rule in COMPARED
        }
    except RefusedRow as refused:
        raise _refusal(path, refused) from refused
    return Report(
        ledger=ledger,
        compared=compared,
        mark=mark,
        taker_fee=taker_fee,
        notes=tuple(_notes(rows, named=base is not None or quote is not None)),
    )


def _notes(rows: Sequence[Row], *, named: bool) -> Iterator[str]:
    """Yield what looks like a slip in a file that could be booked all the same.

    Args:
        named: whether the person has said how the file calls base and quote.
    """
    dated = [row.fill.at for row in rows if row.dated and row.fill.at != NO_TIME]
    back = sum(later < earlier for earlier, later in pairwise(dated))
    if back > len(dated) // 2:
        yield (
            "the times go back from row to row: rows are booked in the order in which they stand, "
            "so a file with the newest first has to be turned round"
        )
    assets = {row.fill.fee_asset for row in rows if row.fill.fee != 0} - {"base", "quote"}
    if assets and not named:
        listed = ", ".join(sorted(assets))
        yield (
            f"fees in {listed} are kept beside the P&L as fees in a third asset; where one of "
            "them is the base or the quote, say so with --base or --quote"
        )


def _refusal(path: Path, refused: RefusedRow) -> BadInput:
    """Return the sentence for a row that was read and cannot be booked."""
    match refused.cause:
        case OversoldPosition(asked=asked, held=held):
            told = "quantity", f"a sale of {asked:f}", f"at most {held:f}, which is open"
        case UnknownTranche(tranche_id=label, known=known):
            told = "tranche", quoted(label), f"an open tranche: {_listed(known)}"
        case AmbiguousTranche(known=known):
            told = "tranche", "nothing", f"what to sell, for several are open: {_listed(known)}"
        case TrancheInUse(tranche_id=label):
            told = "tranche", f"{quoted(label)} again", "a label that this position has not used"
        case ContradictoryFill(trade_id=trade_id):
            told = (
                "trade_id",
                f"{quoted(trade_id)} again with other values",
                "the values it had before",
            )
        case cause:
            told = "fee", str(cause), "a fee in base below the quantity"
    column, found, expected = told
    return cell_at(path, refused.number, column).bad(found=found, expected=expected)


def _listed(known: Sequence[str]) -> str:
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return ", ".join(map(shortened, known[:5])) + more if known else "none is"


@exact
def document(report: Report) -> dict[str, Json]:
    """Return the report as SPEC 13 has it: money as text with every digit."""
    ledger = report.ledger
    positions = [_position(cycle, report) for cycle in ledger.cycles]
    return {
        "method": str(ledger.disposal),
        "mark": money(report.mark),
        "taker_fee": money(report.taker_fee),
        "notes": list(report.notes),
        "fills": ledger.fills,
        "repeated": ledger.repeated,
        **_figures(report.figures(ledger)),
        "fees_other": _fees(ledger.fees_other),
        "tranches": positions[-1]["tranches"] if positions else [],
        "exits": [done for position in positions for done in _list(position["exits"])],
        "positions": positions,
        "methods": {
            str(rule): _figures(report.figures(kept)) for rule, kept in report.compared.items()
        },
    }


def _list(json: Json) -> Sequence[Json]:
    assert isinstance(json, list)
    return json


def _figures(told: Figures) -> dict[str, Json]:
    return {field.name: money(getattr(told, field.name)) for field in fields(told)}


def _fees(fees: Mapping[str, Decimal]) -> dict[str, Json]:
    return {asset: money(amount) for asset, amount in sorted(fees.items())}


def _position(cycle: Cycle, report: Report) -> dict[str, Json]:
    book = cycle.book
    earned = realized_by_tranche(book.exits)
    tranches = book.tranches
    prices = {tranche.id: entry_price(tranche) for tranche in tranches}
    return {
        "position": cycle.number,
        "status": "open" if book.open_quantity > 0 else "closed",
        **_figures(figures(book, taker_fee=report.taker_fee, mark_price=report.mark)),
        "fees_other": _fees(cycle.fees_other),
        "tranches": [
            _tranche(tranche, earned.get(tranche.id, Realized()), report.mark)
            for tranche in tranches
        ],
        "exits": [_exit(done, cycle.number, prices) for done in book.exits],
    }


def entry_price(tranche: Tranche) -> Decimal:
    """Return cost / quantity of a tranche, fees excluded: a quotient, for showing only."""
    return quotient(tranche.cost, tranche.quantity)


def _when(at: datetime | None) -> str | None:
    return None if at == NO_TIME else instant(at)


def _tranche(tranche: Tranche, earned: Realized, mark: Decimal | None) -> dict[str, Json]:
    unrealized = None if mark is None else tranche.open_quantity * mark - tranche.open_cost
    return {
        "id": tranche.id,
        "entry_trade_id": tranche.entry_trade_id or None,
        "entry_price": money(entry_price(tranche)),
        "entry_timestamp": _when(tranche.opened_at),
        "size_quote": money(tranche.cost),
        "quantity": money(tranche.quantity),
        "open_quantity": money(tranche.open_quantity),
        "open_cost": money(tranche.open_cost),
        "entry_fee": money(tranche.entry_fee),
        "cost_basis": money(tranche.open_cost + tranche.open_fee),
        "status": str(tranche.status),
        "closed_at": _when(tranche.closed_at),
        "realized_pnl": money(earned.pnl),
        "realized_gross": money(earned.gross),
        "unrealized_pnl": money(unrealized),
    }


def _exit(done: Exit, position: int, prices: Mapping[TrancheId, Decimal]) -> dict[str, Json]:
    return {
        "position": position,
        "trade_id": done.trade_id or None,
        "time": _when(done.at),
        "quantity": money(done.quantity),
        "price": money(done.price),
        "fee": money(done.fee),
        "realized_pnl": money(done.realized_pnl),
        "realized_gross": money(done.realized_gross),
        "cost_consumed": money(done.cost_consumed),
        "matches": [
            {
                "tranche": match.tranche_id,
                "quantity": money(match.quantity),
                "entry_price": money(prices[match.tranche_id]),
                "entry_cost": money(match.entry_cost),
                "entry_fee": money(match.entry_fee),
                "exit_fee": money(match.exit_fee),
                "realized_pnl": money(match.realized_pnl),
                "realized_gross": money(match.realized_gross),
            }
            for match in done.matches
        ],
    }
