"""`trancher ledger`: what each buy of a CSV of fills has earned, under every disposal rule."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app import tables
from trancher.app.ledger import Report, document, entry_price, read_report
from trancher.app.ledger_rows import Place, read_number
from trancher.app.nearest import nearest
from trancher.app.output import print_json
from trancher.core.ledger import NO_TIME, Cycle, Realized, realized_by_tranche
from trancher.core.money import ONE, exact
from trancher.core.tranches import Disposal, Exit, Tranche

if TYPE_CHECKING:
    from rich.table import Table


def ledger(
    file: Annotated[Path, typer.Argument(help="CSV of fills, in order of arrival.")],
    *,
    method: Annotated[
        str,
        typer.Option(
            metavar="M", help="fifo, lifo, hifo, average, or specific (sales name their buys)."
        ),
    ] = "fifo",
    mark: Annotated[
        str | None,
        typer.Option(metavar="P", help="Price to value at what is open, quote per base."),
    ] = None,
    taker_fee: Annotated[
        str,
        typer.Option(
            metavar="F", help="Fee of a later sale, for the break-even prices: 0.001 or 0.1%."
        ),
    ] = "0",
    base: Annotated[
        str | None, typer.Option(metavar="A", help="How fee_asset calls the base asset.")
    ] = None,
    quote: Annotated[
        str | None, typer.Option(metavar="A", help="How fee_asset calls the quote asset.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Book a CSV of fills: each buy, each sale, the P&L, and every disposal rule side by side."""
    _check_assets(base, quote)
    report = read_report(
        file,
        method=_method(method),
        mark=None if mark is None else read_number(mark, Place(where="--mark"), positive=True),
        taker_fee=_ratio(taker_fee, Place(where="--taker-fee")),
        base=base,
        quote=quote,
    )
    if json:
        print_json(document(report))
    else:
        _print_tables(report)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)


def _method(text: str) -> Disposal:
    try:
        return Disposal(text)
    except ValueError as problem:
        near = nearest(text, Disposal)
        hint = f"; the nearest is {near}" if near else ""
        raise Place(where="--method").bad(
            found=repr(text), expected=f"one of {', '.join(Disposal)}{hint}"
        ) from problem


@exact
def _ratio(text: str, place: Place) -> Decimal:
    number = read_number(text.removesuffix("%"), place)
    ratio = number.scaleb(-2) if text.endswith("%") else number
    if not 0 <= ratio < ONE:
        raise place.bad(found=repr(text), expected="a ratio from 0 to below 1, such as 0.1%")
    return ratio


def _check_assets(base: str | None, quote: str | None) -> None:
    for option, name, other in (("--base", base, "quote"), ("--quote", quote, "base")):
        if name is not None and name.lower() in {"", other}:
            raise Place(where=option).bad(
                found=repr(name), expected=f"the name of an asset, not the word {other!r}"
            )
    if base is not None and quote is not None and base.lower() == quote.lower():
        raise Place(where="--quote").bad(found=repr(quote), expected="another asset than --base")


# Tables. They round, and nothing else does.


@exact
def _print_tables(report: Report) -> None:
    console = tables.console()
    console.print(_summary(report))
    if len(report.ledger.cycles) > 1:
        console.print(_positions(report.ledger.cycles))
    for cycle in report.ledger.cycles[-1:]:
        number = f" of position {cycle.number}" if cycle.number > 1 else ""
        console.print(_tranches(cycle, f"Tranches{number}"))
    if any(cycle.book.exits for cycle in report.ledger.cycles):
        console.print(_exits(report.ledger.cycles))
    console.print(_methods(report))
    for asset, amount in sorted(report.ledger.fees_other.items()):
        console.print(f"Not in the P&L: fees of {tables.exactly(amount)} {asset}, not converted.")


def _summary(report: Report) -> "Table":
    told = report.figures(report.ledger)
    table = tables.table(f"Ledger by {report.ledger.disposal}", "", "gross", "fees", "net")
    in_realized = told.realized_gross - told.realized_pnl
    table.add_row(
        "realized",
        tables.quote(told.realized_gross),
        tables.quote(in_realized),
        tables.quote(told.realized_pnl),
    )
    if told.unrealized_pnl is not None and told.unrealized_net is not None:
        open_fee = told.cost_basis - told.open_cost
        table.add_row(
            f"unrealized at {tables.price(report.mark)}",
            tables.quote(told.unrealized_pnl),
            tables.quote(open_fee),
            tables.quote(told.unrealized_net),
        )
    table.add_section()
    table.add_row("open quantity", "", "", tables.exactly(told.open_quantity))
    table.add_row(
        "open cost, fees, cost basis",
        tables.quote(told.open_cost),
        tables.quote(told.cost_basis - told.open_cost),
        tables.quote(told.cost_basis),
    )
    table.add_row("average entry price", "", "", tables.price(told.average_entry_price))
    table.add_row("break-even price", "", "", tables.price(told.break_even_price))
    table.add_row(
        "position break-even price", "", "", tables.price(told.position_break_even_price)
    )
    table.add_row("fees paid, all fills", "", tables.quote(told.fees_paid), "")
    return table


def _positions(cycles: Sequence[Cycle]) -> "Table":
    table = tables.table("Positions", "", "tranches", "exits", "open", "gross", "fees", "net")
    for cycle in cycles:
        book = cycle.book
        table.add_row(
            str(cycle.number),
            str(book.tranche_count),
            str(len(book.exits)),
            tables.exactly(book.open_quantity),
            tables.quote(book.realized_gross),
            tables.quote(book.realized_gross - book.realized_pnl),
            tables.quote(book.realized_pnl),
        )
    return table


def _tranches(cycle: Cycle, title: str) -> "Table":
    columns = ("tranche", "status", "price", "bought", "open", "open cost", "realized net")
    table = tables.table(title, *columns, words=2)
    earned = realized_by_tranche(cycle.book.exits)
    for tranche in cycle.book.tranches:
        table.add_row(*_tranche_cells(tranche, earned.get(tranche.id, Realized())))
    return table


def _tranche_cells(tranche: Tranche, earned: Realized) -> Iterable[str]:
    return (
        tranche.id,
        str(tranche.status).replace("_", " "),
        tables.price(entry_price(tranche)),
        tables.exactly(tranche.quantity),
        tables.exactly(tranche.open_quantity),
        tables.quote(tranche.open_cost),
        tables.quote(earned.pnl),
    )


def _exits(cycles: Sequence[Cycle]) -> "Table":
    table = tables.table(
        "Exits", "time", "sold from", "sold", "price", "gross", "fees", "net", words=2
    )
    for cycle in cycles:
        for done in cycle.book.exits:
            table.add_row(*_exit_cells(done))
    return table


def _exit_cells(done: Exit) -> Iterable[str]:
    names = [match.tranche_id for match in done.matches]
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    return (
        "-" if done.at == NO_TIME else f"{done.at:%Y-%m-%d %H:%M}",
        ", ".join(names[:2]) + more,
        tables.exactly(done.quantity),
        tables.price(done.price),
        tables.quote(done.realized_gross),
        tables.quote(done.realized_gross - done.realized_pnl),
        tables.quote(done.realized_pnl),
    )


def _methods(report: Report) -> "Table":
    table = tables.table("All methods", "", *map(str, report.compared))
    told = [report.figures(kept) for kept in report.compared.values()]
    table.add_row("realized net", *(tables.quote(one.realized_pnl) for one in told))
    table.add_row("realized gross", *(tables.quote(one.realized_gross) for one in told))
    if report.mark is not None:
        table.add_row("unrealized net", *(tables.quote(one.unrealized_net) for one in told))
    table.add_row("open cost", *(tables.quote(one.open_cost) for one in told))
    table.add_row("average entry price", *(tables.price(one.average_entry_price) for one in told))
    table.add_row("break-even price", *(tables.price(one.break_even_price) for one in told))
    return table
