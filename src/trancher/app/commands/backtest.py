"""`trancher backtest`: a configuration over candles, through the engine itself."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.candle_options import Columns, NewestFirst, OnBad
from trancher.app.output import BadInput, Json, print_json
from trancher.app.tables import console, progress, quote, table
from trancher.core.money import exact

if TYPE_CHECKING:
    from rich.table import Table

    from trancher.app.backtesting import Backtest, Source
    from trancher.app.configured import Settings
    from trancher.market.outside import OutsideSignal


Outside = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Signals from outside, CSV: time, name, score, event."),
]

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="Keep the books as a run in this database, such as sqlite:///trancher.db.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a report with charts, one HTML file, to look at."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the report.")]


def backtest(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    data: Annotated[
        list[str],
        typer.Option(
            metavar="[SYMBOL=]FILE",
            help="Candles, CSV or Parquet; once per symbol of the configuration.",
        ),
    ],
    signals: Outside = None,
    on_bad: OnBad = "fail",
    columns: Columns = None,
    newest_first: NewestFirst = False,
    close_at_end: Annotated[
        bool, typer.Option("--close-at-end", help="Sell at the last close what is still held.")
    ] = False,
    db: Database = None,
    report: Report = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run the bots of a configuration over candles and show what they bought, sold and earned."""
    from trancher.app.backtesting import document, read_sources
    from trancher.app.candle_words import parse_layout, parse_on_bad
    from trancher.app.file_notes import read_signals
    from trancher.app.settings import load

    began = perf_counter()
    _check_report(report, force=force)
    settings = load(config)
    sources = read_sources(
        data,
        settings,
        on_bad=parse_on_bad(on_bad),
        now=datetime.now(UTC),
        layout=parse_layout(columns, newest_first=newest_first),
    )
    outside = read_signals(signals, settings)
    with progress("candles") as moved:
        done, kept = run(
            settings,
            sources,
            url=db,
            kind="backtest",
            progress=moved,
            outside=outside,
            close_at_end=close_at_end,
        )
    if report is not None:
        _write_report(report, done, kept, url=db)
    elapsed = timedelta(seconds=perf_counter() - began)
    if json:
        print_json({**document(done, elapsed=elapsed), **kept})
        return
    print_backtest(done, elapsed=elapsed)
    if db is not None:
        console().print(f"Kept as run {kept['run_id']} in {kept['db']}.")
    if report is not None:
        console().print(f"Report: {report}", soft_wrap=True)


def _check_report(target: Path | None, *, force: bool) -> None:
    from trancher.app.report_file import check_target

    if target is not None:
        check_target(target, force=force)
    elif force:
        raise BadInput("--force: found no --report beside it, expected one to overwrite")


def _write_report(
    target: Path, done: "Backtest", kept: "Mapping[str, Json]", *, url: str | None
) -> None:
    from trancher.app.keeping import journal_of
    from trancher.app.report import report_data
    from trancher.app.report_file import page, write_page

    if url is not None:
        journal = journal_of(url, int(str(kept["run_id"])))
    else:
        journal = tuple((one.position_id, one.event) for one in done.replayed.store.journal)
    data = report_data(done, journal)
    write_page(target, page(data, title=f"Backtest of {done.settings.portfolio.name}"))


def run(
    settings: "Settings",
    sources: "Mapping[str, Source]",
    *,
    url: str | None,
    kind: str,
    progress: "Callable[[int, int], None]",
    outside: "Sequence[OutsideSignal]" = (),
    close_at_end: bool = False,
) -> "tuple[Backtest, Mapping[str, Json]]":
    """Run a backtest, as a run of its own where there is a database; return where it is kept."""
    from trancher.app.backtesting import run_backtest
    from trancher.app.keeping import keep_backtest
    from trancher.app.standing import in_one_sentence
    from trancher.store.entries import RunKind
    from trancher.store.places import shown

    if url is None:
        done = run_backtest(
            settings, sources, progress=progress, outside=outside, close_at_end=close_at_end
        )
        return done, {}
    with in_one_sentence():
        kept = keep_backtest(
            settings,
            sources,
            url=url,
            kind=RunKind(kind),
            clock=lambda: datetime.now(UTC),
            progress=progress,
            outside=outside,
            close_at_end=close_at_end,
        )
    return kept.backtest, {"db": shown(url), "run_id": kept.run_id}


def print_backtest(done: "Backtest", *, elapsed: timedelta) -> None:
    """Print the tables of a backtest."""
    from trancher.app.backtesting import assumptions

    out = console()
    out.print(_bots(done))
    out.print(_earned(done))
    if done.total.exits:
        out.print(_exits(done))
    if done.refusals:
        out.print(_refusals(done))
    for sentence in _beside(done):
        out.print(sentence)
    for sentence in assumptions(done):
        out.print(sentence, style="dim")
    for warning in done.settings.warnings:
        out.print(f"warning: {warning}", style="yellow")
    for note in done.notes:
        out.print(f"note: {note}", style="yellow")
    out.print(
        f"Books balance to the last digit. {done.replayed.candles:,} candles "
        f"in {elapsed.total_seconds():.1f} s."
    )


def _bots(done: "Backtest") -> "Table":
    columns = ("bot", "symbol", "now", "positions", "entries", "exits", "open cost")
    shown = table("Bots", *columns, words=3)
    for bot in done.bots:
        state = done.replayed.engine.seats[bot.name].position.state
        said = bot.figures
        shown.add_row(
            bot.name,
            done.settings_of(bot).symbol,
            state.name,
            f"{said.positions:,}",
            f"{said.entries:,}",
            f"{said.exits:,}",
            quote(said.open_cost),
        )
    return shown


def _earned(done: "Backtest") -> "Table":
    currency = done.settings.portfolio.quote
    shown = table(
        f"P&L in {currency}", "bot", "realized gross", "its fees", "realized net", "unrealized net"
    )
    for bot in done.bots:
        said = bot.figures
        shown.add_row(
            bot.name,
            quote(said.realized_gross),
            quote(said.realized_gross - said.realized_pnl),
            quote(said.realized_pnl),
            quote(said.unrealized_net),
        )
    if len(done.bots) > 1:
        shown.add_section()
        said = done.total
        shown.add_row(
            "all",
            quote(said.realized_gross),
            quote(said.realized_gross - said.realized_pnl),
            quote(said.realized_pnl),
            quote(said.unrealized_net),
        )
    return shown


@exact
def _exits(done: "Backtest") -> "Table":
    shown = table(
        f"Exits, P&L in {done.settings.portfolio.quote}",
        *("bot", "because of", "exits", "realized net"),
        words=2,
    )
    for bot in done.bots:
        orders: dict[str, set[str]] = defaultdict(set)
        earned: dict[str, Decimal] = defaultdict(Decimal)
        for sale in (sale for position in bot.positions for sale in position.book.exits):
            orders[sale.reason].add(sale.order_id)
            earned[sale.reason] += sale.realized_pnl
        for reason in sorted(orders, key=lambda one: -len(orders[one])):
            shown.add_row(bot.name, reason, f"{len(orders[reason]):,}", quote(earned[reason]))
    return shown


def _beside(done: "Backtest") -> Iterator[str]:
    """Yield what stands beside the P&L, where there is any."""
    said, currency = done.total, done.settings.portfolio.quote
    yield f"Fees paid in all, those of what is still held included: {quote(said.fees_paid)}."
    if said.dust_cost:
        yield (
            f"Left over as dust, too small to sell: what had cost {quote(said.dust_cost)} "
            f"{currency}; it makes no P&L."
        )


def _refusals(done: "Backtest") -> "Table":
    from trancher.core.limits import MEANINGS

    shown = table("Entries and steps not taken", "code", "meaning", "times", words=2)
    for code, count in done.refusals.most_common():
        shown.add_row(code.value, MEANINGS[code], f"{count:,}")
    return shown
