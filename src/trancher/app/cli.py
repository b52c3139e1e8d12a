"""The command line. Each command lives in a module of its own under commands/.

Exit codes: 0 done, 1 failed, 2 bad input (one sentence on stderr for either).
"""

import sys
from inspect import getdoc
from io import TextIOWrapper
from typing import Annotated

import typer

from trancher.app.commands import books, by_hand, config, stock
from trancher.app.commands.backtest import backtest
from trancher.app.commands.bots import bots
from trancher.app.commands.data import data
from trancher.app.commands.database import db, verify
from trancher.app.commands.demo import demo
from trancher.app.commands.ledger import ledger
from trancher.app.commands.plan import plan
from trancher.app.commands.report import report
from trancher.app.commands.run import run
from trancher.app.commands.signal import signal
from trancher.app.output import BadInput, Failed, one_line

app = typer.Typer(
    name="trancher",
    help="A position engine for spot trading bots: tranches in, tranches out, limits, exact P&L.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.command("init")(config.init)
app.command("check")(config.check)
app.command("schema")(config.schema)
app.command()(plan)
app.command()(backtest)
app.command()(ledger)
app.command()(run)
app.command()(by_hand.add)
app.command()(by_hand.sell)
app.command()(stock.adopt)
app.command()(stock.correct)
app.command()(signal)
app.command()(by_hand.stop)
app.command()(by_hand.pause)
app.command()(by_hand.resume)
app.command()(books.status)
app.command()(books.position)
app.command()(books.decisions)
app.command()(books.why)
app.command()(books.journal)
app.command()(report)
app.command()(verify)
app.add_typer(bots, name="bots")
app.add_typer(db, name="db")
app.add_typer(data, name="data")
for _group in (app, bots, db, data):
    for _one in _group.registered_commands:
        # In a list of commands each is told whole; left alone it would be cut to one line.
        _one.short_help = getdoc(_one.callback)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"trancher {version('trancher')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; bad input and failures become one sentence and their exit code."""
    if not __debug__:
        # Assertions guard the books; without them a broken program would go on.
        sys.stderr.write("python runs with -O: found no assertions, expected them to be on\n")
        sys.exit(2)
    if isinstance(sys.stdout, TextIOWrapper):
        # The name of a file may hold what the terminal's encoding does not; stderr does the same.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except BadInput as problem:
        sys.stderr.write(f"{one_line(problem)}\n")
        sys.exit(2)
    except Failed as problem:
        sys.stderr.write(f"{one_line(problem)}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
