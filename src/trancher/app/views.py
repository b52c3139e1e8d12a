"""Documents: what a position, a tranche, an exit and a decision look like as JSON (SPEC 12).

The design's keys keep their names; what was added stands beside them. Money is text.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from trancher.app.output import Json, instant, money
from trancher.core.money import exact, quotient
from trancher.core.pnl import TranchePnl, figures, pnl_by_tranche
from trancher.core.position import Position
from trancher.core.tranches import Exit, Match, Portion, Tranche


@exact
def position_document(
    position: Position,
    *,
    strategy: str,
    max_tranches: int | None,
    mark_price: Decimal,
    now: datetime,
) -> Mapping[str, Json]:
    """Return the document of a position.

    Args:
        strategy: name of its entry plan.
        mark_price: what it is valued at, quote per base.
        now: the end of the time held, where it is still open; UTC.
    """
    book, put_in = position.book, position.book.money_put_in
    said = figures(book, taker_fee=position.instrument.taker_fee, mark_price=mark_price)
    earned = pnl_by_tranche(book, mark_price=mark_price)
    return {
        "bot": position.bot,
        "symbol": position.instrument.symbol,
        "position_id": position.id,
        "strategy": strategy,
        "position_tranches": [_tranche(tranche, earned[tranche.id]) for tranche in book.tranches],
        "average_entry_price": money(said.average_entry_price),
        "total_position_size": money(said.open_cost),
        "position_status": position.state.value,
        "max_position_tranches": max_tranches,
        "unrealized_pnl": money(said.unrealized_pnl),
        "realized_pnl": money(said.realized_pnl),
        "break_even_price": money(said.break_even_price),
        "position_break_even_price": money(said.position_break_even_price),
        "open_quantity": money(said.open_quantity),
        "cost_basis": money(said.cost_basis),
        "realized_gross": money(said.realized_gross),
        "fees_paid": money(said.fees_paid),
        "fees_other": {asset: money(fee) for asset, fee in position.unpriced_fees.items()},
        "unrealized_net": money(said.unrealized_net),
        "unrealized_return": money(said.unrealized_return),
        "pnl_percentage": money(said.pnl_percentage),
        "money_put_in": money(put_in),
        "realized_return_on_money_put_in": money(quotient(said.realized_pnl, put_in)),
        "mark_price": money(mark_price),
        **_course(position, now),
        "exits": [_exit(done) for done in book.exits],
    }


def anchor_price(position: Position) -> Decimal | None:
    """Return what stops and gains are measured from, quote per base; None while flat."""
    return quotient(position.anchor_cost, position.held) if position.held > 0 else None


def _course(position: Position, now: datetime) -> dict[str, Json]:
    """Return how the position went: its anchor, its extremes, its time."""
    entered = position.entered_at
    held = None if entered is None else (position.closed_at or now) - entered
    book = position.book
    return {
        "anchor_price": money(anchor_price(position)),
        "peak_quantity": money(position.peak_quantity),
        "peak_cost": money(position.peak_cost),
        "highest_mark": money(position.highest_mark),
        "lowest_mark": money(position.lowest_mark),
        "entered_at": instant(entered),
        "closed_at": instant(position.closed_at),
        "seconds_held": None if held is None else int(held.total_seconds()),
        "closing_reason": position.closing_reason,
        "disposal": book.disposal.value,
        "dust": {"quantity": money(book.dust_quantity), "cost": money(book.dust_cost)},
        "dust_swept": {"quantity": money(book.swept.quantity), "cost": money(book.swept.cost)},
        "adopted": {"quantity": money(book.adopted.quantity), "cost": money(book.adopted.cost)},
        "corrected": _corrected(book.corrected),
    }


def _corrected(portion: Portion) -> Json:
    """Return what corrections took out; it had this cost basis, and earned nothing."""
    return {
        "quantity": money(portion.quantity),
        "cost_basis": money(portion.cost + portion.fee),
    }


def _tranche(tranche: Tranche, earned: TranchePnl) -> Json:
    return {
        "id": tranche.id,
        "entry_trade_id": tranche.entry_trade_id,
        "size_usd": money(tranche.cost),
        "size_quote": money(tranche.cost),
        "entry_price": money(quotient(tranche.cost, tranche.quantity)),
        "entry_timestamp": instant(tranche.opened_at),
        "status": tranche.status.value,
        "reason": tranche.reason,
        **_evidence(tranche),
        "quantity": money(tranche.quantity),
        "open_quantity": money(tranche.open_quantity),
        "corrected_quantity": money(tranche.corrected.quantity),
        "open_cost": money(tranche.open_cost),
        "entry_fee": money(tranche.entry_fee),
        "cost_basis": money(tranche.open_cost + tranche.open_fee),
        "closed_at": instant(tranche.closed_at),
        "realized_pnl": money(earned.realized_pnl),
        "realized_gross": money(earned.realized_gross),
        "unrealized_pnl": money(earned.unrealized_pnl),
        "unrealized_net": money(earned.unrealized_net),
        "highest_mark": money(tranche.highest_mark),
        "lowest_mark": money(tranche.lowest_mark),
    }


def _evidence(tranche: Tranche) -> dict[str, Json]:
    """Return what the signals said when the tranche was decided; null for a bot without any."""
    said = tranche.evidence
    if said is None:
        return {"score": None, "temperature": None, "contributions": {}}
    added = {name: money(part) for name, part in said.contributions.items()}
    return {
        "score": money(said.score),
        "temperature": said.temperature.value,
        "contributions": added,
    }


def _exit(done: Exit) -> Json:
    return {
        "trade_id": done.trade_id,
        "timestamp": instant(done.at),
        "reason": done.reason,
        "quantity": money(done.quantity),
        "price": money(done.price),
        "fee": money(done.fee),
        "realized_pnl": money(done.realized_pnl),
        "realized_gross": money(done.realized_gross),
        "cost_consumed": money(done.cost_consumed),
        "return_on_cost_consumed": money(quotient(done.realized_pnl, done.cost_consumed)),
        "matches": [_match(match) for match in done.matches],
    }


def _match(match: Match) -> Json:
    return {
        "tranche": match.tranche_id,
        "quantity": money(match.quantity),
        "entry_cost": money(match.entry_cost),
        "entry_fee": money(match.entry_fee),
        "exit_fee": money(match.exit_fee),
        "realized_pnl": money(match.realized_pnl),
        "realized_gross": money(match.realized_gross),
    }
