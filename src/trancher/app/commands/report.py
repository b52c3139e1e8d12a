"""`trancher report`: what the latest run in a database earned, in tables, JSON or a page."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trancher.app.commands.books import AsJson, Db, print_run, url_of
from trancher.app.commands.candle_options import Columns, NewestFirst, OnBad, sources_of
from trancher.app.output import BadInput, print_json
from trancher.app.tables import console, progress

if TYPE_CHECKING:
    from trancher.app.backtesting import Outcome
    from trancher.app.report_section import Counted
    from trancher.store.reading import Run

_EVENTS: Final = "events of the report"


def report(
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SYMBOL=]FILE",
            help="Candles of the run, which no books hold; once per symbol of its configuration.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it with charts as one HTML file; needs --data."),
    ] = None,
    on_bad: OnBad = "fail",
    columns: Columns = None,
    newest_first: NewestFirst = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file of --html.")] = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Show what the latest run earned: by bot, tranche, signal, temperature, hour and month."""
    from trancher.app.report import write_report
    from trancher.app.report_file import check_target
    from trancher.app.report_section import counted
    from trancher.app.run_books import outcome_of, read_run
    from trancher.app.run_document import document
    from trancher.app.run_words import going_document, title_of
    from trancher.store.places import shown

    began = perf_counter()
    check_target(html, option="--html", force=force)
    if not data:
        _check_options(html, on_bad=on_bad, columns=columns, newest_first=newest_first)
    with progress("entries of the run") as moved:
        kept = read_run(url_of(db), progress=moved)
    read = partial(sources_of, option="--data", on_bad=on_bad, columns=columns)
    sources = read(data, kept.settings, newest_first=newest_first) if data else {}
    outcome = outcome_of(kept, sources)
    with progress(_EVENTS) as moved:
        counts = counted(outcome, kept.history, drawn=html is not None, progress=moved)
    if html is not None:
        write_report(html, outcome, counts, title=title_of(kept.run))
    if json:
        elapsed = timedelta(seconds=perf_counter() - began)
        said = document(outcome, counts.section, elapsed=elapsed)
        print_json(
            {
                **said,
                "db": shown(url_of(db)),
                "run_id": kept.run.id,
                "run": going_document(kept.run),
            }
        )
        return
    _print(kept.run, outcome, counts)
    if html is not None:
        console().print(f"Report: {html}", soft_wrap=True)


def _check_options(
    html: Path | None, *, on_bad: str, columns: str | None, newest_first: bool
) -> None:
    """Refuse what says something about candles where there are none."""
    if html is not None:
        raise BadInput("--html: found no --data beside it, expected the candles of the run")
    given = {
        "--on-bad": on_bad != "fail",
        "--columns": columns is not None,
        "--newest-first": newest_first,
    }
    for option, is_given in given.items():
        if is_given:
            raise BadInput(
                f"{option}: found no --data beside it, expected a file that it tells of"
            )


def _print(run: "Run", outcome: "Outcome", counts: "Counted") -> None:
    from trancher.app.run_tables import beside, earned, exits, grouped, monthly
    from trancher.app.run_words import going
    from trancher.app.sentences import moment
    from trancher.store.under_way import Going

    out, said = console(), outcome.settings.portfolio
    print_run(out, run)
    ends = max(outcome.marked_at.values())
    prices = "last closes" if going(run) is Going.OVER else "last prices it has seen so far"
    out.print(f"What is held is valued at the {prices}, of {moment(ends)} at the latest.")
    out.print(earned(outcome))
    if not outcome.total.entries:
        out.print("Nothing was bought.")
    else:
        for kind, rows in counts.groups.items():
            out.print(grouped(kind, rows, currency=said.quote, timezone=said.timezone.key))
        if outcome.total.exits:
            out.print(exits(outcome))
        out.print(monthly(counts.months, currency=said.quote, timezone=said.timezone.key))
    for sentence in beside(outcome):
        out.print(sentence)
