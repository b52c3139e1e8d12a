"""`trancher backtest`: a configuration over candles, through the engine itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.candle_options import Columns, NewestFirst, OnBad, sources_of
from trancher.app.output import Json, print_json
from trancher.app.tables import console, progress, table

if TYPE_CHECKING:
    from rich.table import Table

    from trancher.app.backtesting import Backtest, Source
    from trancher.app.configured import Settings
    from trancher.app.report_section import Counted, History
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
    from trancher.app.file_notes import read_signals
    from trancher.app.report_file import check_target
    from trancher.app.run_document import document
    from trancher.app.settings import load

    began = perf_counter()
    check_target(report, option="--report", force=force)
    settings = load(config)
    sources = sources_of(
        data,
        settings,
        option="--data",
        on_bad=on_bad,
        columns=columns,
        newest_first=newest_first,
    )
    with progress("candles") as moved:
        done, kept = run(
            settings,
            sources,
            url=db,
            kind="backtest",
            progress=moved,
            outside=read_signals(signals, settings),
            close_at_end=close_at_end,
        )
    counts = _counted(done, kept, report, url=db) if json or report is not None else None
    elapsed = timedelta(seconds=perf_counter() - began)
    if json and counts is not None:
        print_json({**document(done.outcome, counts.section, elapsed=elapsed), **kept})
        return
    print_backtest(done, elapsed=elapsed)
    if db is not None:
        console().print(f"Kept as run {kept['run_id']} in {kept['db']}.")
    if report is not None:
        console().print(f"Report: {report}", soft_wrap=True)


def _counted(
    done: "Backtest", kept: "Mapping[str, Json]", target: Path | None, *, url: str | None
) -> "Counted":
    """Count what a report shows, and write its page where one is wanted."""
    from trancher.app.report import write_report
    from trancher.app.report_section import counted

    with progress("entries of the run") as moved:
        history = history_of(done, kept, url=url, progress=moved)
    with progress("events of the report") as moved:
        counts = counted(done.outcome, history, drawn=target is not None, progress=moved)
    if target is not None:
        title = f"Backtest of {done.outcome.settings.portfolio.name}"
        write_report(target, done.outcome, counts, title=title)
    return counts


def history_of(
    done: "Backtest",
    kept: "Mapping[str, Json]",
    *,
    url: str | None,
    progress: "Callable[[int, int], None] | None" = None,
) -> "History":
    """Return what a backtest has written down, from the database where it was kept in one."""
    from trancher.app.report_section import History
    from trancher.app.run_books import read_run

    if url is not None:
        run_id = int(str(kept["run_id"]))
        return read_run(url, run_id=run_id, progress=progress).history
    store = done.replayed.store
    events = [(one.position_id, one.event) for one in store.journal]
    return History(events=events, records=store.records)


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
    from trancher.app.run_document import assumptions
    from trancher.app.run_tables import beside, earned, exits, held

    out = console()
    out.print(held(done.outcome))
    out.print(earned(done.outcome))
    if done.total.exits:
        out.print(exits(done.outcome))
    if done.refusals:
        out.print(_refusals(done))
    for sentence in beside(done.outcome):
        out.print(sentence)
    for sentence in assumptions(done.outcome):
        out.print(sentence, style="dim")
    for warning in done.settings.warnings:
        out.print(f"warning: {warning}", style="yellow")
    for note in done.outcome.notes:
        out.print(f"note: {note}", style="yellow")
    out.print(
        f"Books balance to the last digit. {done.replayed.candles:,} candles "
        f"in {elapsed.total_seconds():.1f} s."
    )


def _refusals(done: "Backtest") -> "Table":
    from trancher.core.limits import MEANINGS

    shown = table("Entries and steps not taken", "code", "meaning", "times", words=2)
    for code, count in done.refusals.items():
        shown.add_row(code.value, MEANINGS[code], f"{count:,}")
    return shown
