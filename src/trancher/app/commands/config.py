"""check, schema and init: what a configuration means, how it may be written, and a first one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.new_file import write_new
from trancher.app.output import one_line, print_json
from trancher.app.starter import STARTER
from trancher.app.tables import console, quote, table
from trancher.core.day import span

if TYPE_CHECKING:
    from rich.console import Console

    from trancher.app.configured import BotSettings, Settings

DEFAULT_PATH = Path("trancher.toml")


def check(
    config: Annotated[Path, typer.Argument(help="The configuration, TOML.")] = DEFAULT_PATH,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Validate a configuration, show what it means, and warn of what may surprise."""
    from trancher.app.meaning import document
    from trancher.app.settings import load

    settings = load(config)
    if json:
        print_json(document(settings))
    else:
        _print_people(settings)


def schema() -> None:
    """Print the JSON schema of a configuration, for editors."""
    from trancher.app.schema import json_schema

    print_json(json_schema())


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = DEFAULT_PATH,
    *,
    from_ladder: Annotated[
        str | None,
        typer.Option(
            metavar="KEY=VALUE,...",
            help="A ladder in the numbers of a hosted bot: base=10,safety=20,deviation=2%,"
            "step_scale=1.5,volume_scale=2,max_safety=4 and, if wanted, target=3%,stop=20%.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented configuration to begin with; never over an existing file unless told."""
    text = STARTER
    if from_ladder is not None:
        from trancher.app.starter_ladder import ladder_text

        text = ladder_text(from_ladder)
    write_new(path, text.encode(), force=force)
    shown = one_line(path)
    typer.echo(f"wrote {shown}; next: trancher check {shown}", err=True)


def _print_people(settings: "Settings") -> None:
    from trancher.app.meaning import limits_over_all

    shown = console()
    portfolio = settings.portfolio
    shown.print(
        f"{one_line(settings.file)} is valid: portfolio {portfolio.name}, {quote(portfolio.cash)} "
        f"{portfolio.quote}, bots: {len(settings.bots)}, hash {settings.config_hash[:12]}",
        soft_wrap=True,
    )
    shown.print(f"{limits_over_all(settings)}\n", soft_wrap=True)
    for bot in settings.bots:
        print_bot(shown, settings, bot)
    for warning in settings.warnings:
        shown.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    for note in settings.notes:
        shown.print(f"note: {note}", style="dim", soft_wrap=True)


def print_bot(shown: "Console", settings: "Settings", bot: "BotSettings") -> None:
    """Print what a bot's settings mean."""
    from trancher.app.meaning import lines_of_all

    for one in bot.strategies:
        _print_strategy(shown, settings, one)
    for line in lines_of_all(settings, bot):
        shown.print(f"{bot.name}: {line}\n", soft_wrap=True)


def _print_strategy(shown: "Console", settings: "Settings", bot: "BotSettings") -> None:
    from trancher.app.meaning import fits_of, lines_of, rung_in_words

    frame = (
        "the file's own candles" if bot.timeframe is None else f"candles of {span(bot.timeframe)}"
    )
    rungs = table(
        f"{bot.name}: {bot.strategy} on {bot.symbol}, {frame}",
        *("rung", "buys when", "limited by", "size", "uses", "sum"),
        words=3,
    )
    for one in fits_of(settings, bot):
        rungs.add_row(
            one.rung.label,
            rung_in_words(one.rung),
            one.bound or "-",
            quote(one.size),
            f"{one.uses} of {one.rung.repeat}",
            quote(one.total),
        )
    shown.print(rungs)
    for line in lines_of(settings, bot):
        shown.print(line, soft_wrap=True)
    shown.print()
