"""The tables that commands print of a run: what it earned, by whom and by what.

They round, as all tables for people do; realized and unrealized never share a column.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trancher.app.backtesting import Outcome
from trancher.app.tables import quote, table
from trancher.backtest.report_groups import Group, exits_by_rung
from trancher.backtest.report_months import Month
from trancher.core.money import ZERO, exact

if TYPE_CHECKING:
    from rich.table import Table

_GROUPS: Final = {
    "number": ("by tranche number", "tranche"),
    "signal": ("by the signal that added most to the score at entry", "signal"),
    "temperature": ("by temperature at entry", "temperature"),
    "reason": ("by entry rung", "because of"),
    "hour": ("by hour of entry", "hour"),
}


def held(outcome: Outcome) -> "Table":
    """Return how each bot stands, and how often it has traded."""
    columns = ("bot", "symbol", "now", "positions", "entries", "exits", "open cost")
    shown = table("Bots", *columns, words=3)
    for bot in outcome.bots:
        said = bot.figures
        shown.add_row(
            bot.name,
            outcome.settings_of(bot).symbol,
            bot.state.name,
            f"{said.positions:,}",
            f"{said.entries:,}",
            f"{said.exits:,}",
            quote(said.open_cost),
        )
    return shown


def earned(outcome: Outcome) -> "Table":
    """Return what each bot earned, and all of them."""
    currency = outcome.settings.portfolio.quote
    shown = table(
        f"P&L in {currency}", "bot", "realized gross", "its fees", "realized net", "unrealized net"
    )
    for bot in outcome.bots:
        said = bot.figures
        shown.add_row(
            bot.name,
            quote(said.realized_gross),
            quote(said.realized_gross - said.realized_pnl),
            quote(said.realized_pnl),
            quote(said.unrealized_net),
        )
    if len(outcome.bots) > 1:
        shown.add_section()
        said = outcome.total
        shown.add_row(
            "all",
            quote(said.realized_gross),
            quote(said.realized_gross - said.realized_pnl),
            quote(said.realized_pnl),
            quote(said.unrealized_net),
        )
    return shown


def exits(outcome: Outcome) -> "Table":
    """Return who sold of each bot, how often, and what that earned."""
    currency = outcome.settings.portfolio.quote
    shown = table(
        f"Exits, P&L in {currency}", "bot", "because of", "exits", "realized net", words=2
    )
    for rung in exits_by_rung(outcome.bots):
        shown.add_row(rung.bot, rung.reason, f"{rung.exits:,}", quote(rung.realized_pnl))
    return shown


def grouped(kind: str, rows: Sequence[Group], *, currency: str, timezone: str) -> "Table":
    """Return what tranches earned that have something in common.

    Args:
        kind: one of the groups of a report's section.
        timezone: whose hours they are.
    """
    title, heading = _GROUPS[kind]
    where = f" ({timezone})" if kind == "hour" else ""
    shown = table(
        f"P&L in {currency} {title}{where}",
        *(heading, "tranches", "cost", "realized gross", "realized net", "unrealized net"),
    )
    for row in rows:
        shown.add_row(
            f"{row.key}:00" if kind == "hour" and row.tranches else row.key,
            f"{row.tranches:,}",
            quote(row.cost),
            quote(row.realized_gross),
            quote(row.realized_pnl),
            quote(row.unrealized_net),
        )
    return shown


def monthly(rows: Sequence[Month], *, currency: str, timezone: str) -> "Table":
    """Return what each month realized, and its equity where candles tell it."""
    known = any(row.equity is not None for row in rows)
    columns = ("month", "entries", "exits", "realized gross", "realized net")
    equity = ("equity at end", "change") if known else ()
    shown = table(f"P&L in {currency} by month ({timezone})", *columns, *equity)
    for row in rows:
        shown.add_row(
            row.month,
            f"{row.entries:,}",
            f"{row.exits:,}",
            quote(row.realized_gross),
            quote(row.realized_pnl),
            *((quote(row.equity), quote(row.change)) if known else ()),
        )
    return shown


def beside(outcome: Outcome) -> Iterator[str]:
    """Yield what stands beside the P&L, where there is any."""
    said, currency = outcome.total, outcome.settings.portfolio.quote
    yield f"Fees paid in all, those of what is still held included: {quote(said.fees_paid)}."
    if said.dust_cost:
        yield (
            f"Left over as dust, too small to sell: what had cost {quote(said.dust_cost)} "
            f"{currency}; it makes no P&L."
        )
    adopted, corrected = _without_trade(outcome)
    if adopted:
        yield f"Adopted without a trade: what had cost {quote(adopted)} {currency}."
    if corrected:
        yield (
            f"Corrected away without a trade: what had cost {quote(corrected)} {currency}; it "
            "makes no P&L."
        )


@exact
def _without_trade(outcome: Outcome) -> tuple[Decimal, Decimal]:
    """Return what had been paid, fees included, for what came and what went without a trade."""
    books = [position.book for bot in outcome.bots for position in bot.positions]
    portions = ([one.adopted for one in books], [one.corrected for one in books])
    adopted, corrected = (sum((one.cost + one.fee for one in each), ZERO) for each in portions)
    return adopted, corrected
