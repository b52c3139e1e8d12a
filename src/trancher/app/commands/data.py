"""`trancher data`: look at a file of candles, and write it in another form."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.candle_options import Columns, Interval, NewestFirst, OnBad
from trancher.app.output import BadInput, Json, instant, is_there, money, one_line, print_json
from trancher.app.tables import console, table
from trancher.core.day import span

if TYPE_CHECKING:
    from trancher.market.candles import CandleReport

data = typer.Typer(help="Candle files: check, convert.", no_args_is_help=True)


@data.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV, JSON or Parquet file of candles.")],
    *,
    interval: Interval = None,
    columns: Columns = None,
    newest_first: NewestFirst = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at every row and say what is wrong; exit code 2 where something is."""
    from trancher.app.candle_words import in_words, parse_interval, parse_layout
    from trancher.market import candles

    report = in_words(
        lambda: candles.check(
            file,
            datetime.now(UTC),
            parse_interval(interval),
            layout=parse_layout(columns, newest_first=newest_first),
        )
    )
    if json:
        print_json(_document(report))
    else:
        _print(report)
    if report.problems:
        raise typer.Exit(2)


@data.command()
def convert(
    source: Annotated[Path, typer.Argument(help="CSV, JSON or Parquet file of candles.")],
    target: Annotated[Path, typer.Argument(help="File to write: .csv, .csv.gz or .parquet.")],
    *,
    on_bad: OnBad = "fail",
    interval: Interval = None,
    columns: Columns = None,
    newest_first: NewestFirst = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the target.")] = False,
) -> None:
    """Write the same candles, to the last digit, in another form."""
    from trancher.app.candle_words import (
        dropped_in_words,
        in_words,
        parse_interval,
        parse_layout,
        parse_on_bad,
    )
    from trancher.market import candles

    if is_there(target) and target.is_dir():
        raise BadInput(f"{target}: found a folder, expected the name of a file to write")
    if is_there(target) and not force:
        raise BadInput(f"{target}: found a file, expected a new name, or --force to overwrite it")
    written = in_words(
        lambda: candles.convert(
            source,
            target,
            on_bad=parse_on_bad(on_bad),
            now=datetime.now(UTC),
            interval=parse_interval(interval),
            layout=parse_layout(columns, newest_first=newest_first),
        )
    )
    console().print(f"{one_line(target)}: {len(written):,} candles{dropped_in_words(written)}")


def _document(report: "CandleReport") -> Json:
    gap = report.biggest_gap
    return {
        "file": report.file,
        "rows": report.rows,
        "sound": report.sound,
        "first_at": instant(report.first_at),
        "last_at": instant(report.last_at),
        "interval_seconds": None
        if report.interval is None
        else int(report.interval.total_seconds()),
        "price_tick": money(report.tick),
        "missing": report.gaps,
        "gap_runs": report.gap_runs,
        "biggest_gap": None
        if gap is None
        else {"after": instant(gap.after), "missing": gap.missing},
        "zero_volume": report.zero_volume,
        "problems": [
            {
                "fault": one.fault.value,
                "count": one.count,
                "first": [
                    {
                        "place": row.place,
                        "column": row.column,
                        "found": row.found,
                        "expected": row.expected,
                    }
                    for row in one.first
                ],
            }
            for one in report.problems
        ],
    }


def _print(report: "CandleReport") -> None:
    out, gap = console(), report.biggest_gap
    shown = table(one_line(report.file), "", "", words=2)
    shown.add_row("rows", f"{report.rows:,}, sound {report.sound:,}")
    shown.add_row("from", instant(report.first_at) or "-")
    shown.add_row("to", instant(report.last_at) or "-")
    shown.add_row("interval", "-" if report.interval is None else span(report.interval))
    shown.add_row("finest price", money(report.tick) or "-")
    biggest = "" if gap is None else f", biggest {gap.missing:,} after {instant(gap.after)}"
    shown.add_row("missing", f"{report.gaps:,} in {report.gap_runs:,} gaps{biggest}")
    shown.add_row("no volume", f"{report.zero_volume:,}")
    out.print(shown)
    for one in report.problems:
        out.print(f"{one.count:,} x {one.fault}")
        for row in one.first:
            out.print(f"    {row.place}, {row.column}: {row.found}, expected {row.expected}")
    if report.upside_down:
        out.print("Most rows are older than the row above: --newest-first is for such a file.")
    if not report.problems:
        out.print("Every row is sound.")
