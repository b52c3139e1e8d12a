"""`trancher bots`: configurations kept as bots in the database, version by version."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.books import AsJson, BotArgument, Db, Portfolio, url_of
from trancher.app.output import BadInput, Json, instant, print_json
from trancher.app.tables import console, table

if TYPE_CHECKING:
    from trancher.app.configured import Settings
    from trancher.app.in_force import BotInForce
    from trancher.app.loading import Preview
    from trancher.store.entries import ConfigurationLoaded

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]
Yes = Annotated[
    bool, typer.Option("--yes", help="Bring it into force in place of another, do not ask.")
]

bots = typer.Typer(
    help="Bots in the database: load, list, show, set, undo, revert.",
    no_args_is_help=True,
)


@bots.command()
def load(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Bring a configuration into force as the next version, and show what it changes."""
    from trancher.app.settings import load as read

    _bring_into_force(read(config), url=url_of(db), dry_run=dry_run, yes=yes, json=json)


@bots.command()
def revert(
    version: Annotated[int, typer.Argument(min=1, help="Version that was in force before.")],
    *,
    portfolio: Portfolio = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Bring an earlier version into force again, as a new load; nothing is deleted."""
    from trancher.app.loading import earlier

    url = url_of(db)
    settings = earlier(url, version=version, portfolio=portfolio)
    _bring_into_force(settings, url=url, dry_run=dry_run, yes=yes, json=json)


@bots.command()
def undo(
    *,
    portfolio: Portfolio = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Bring back what was in force before the last load; a second time it is that load again."""
    from trancher.app.loading import before_last

    url = url_of(db)
    settings = before_last(url, portfolio=portfolio)
    _bring_into_force(settings, url=url, dry_run=dry_run, yes=yes, json=json)


@bots.command("set")
def set_(
    names: Annotated[str, typer.Argument(help="Bots, with commas between them, or all.")],
    keys: Annotated[
        list[str],
        typer.Argument(help="KEY=VALUE, such as entry.size=30 or exit.stop_loss=20%."),
    ],
    *,
    portfolio: Portfolio = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Change keys of several bots at once, in what is in force, as the next version."""
    from trancher.app.edits import edited
    from trancher.app.loading import in_force

    url = url_of(db)
    settings = edited(in_force(url, portfolio=portfolio), names, keys)
    _bring_into_force(settings, url=url, dry_run=dry_run, yes=yes, json=json)


@bots.command("config")
def config_(
    *,
    version: Annotated[
        int | None, typer.Option(min=1, help="One that was in force before; else the present one.")
    ] = None,
    portfolio: Portfolio = None,
    db: Db = None,
) -> None:
    """Print the configuration in force as it was written, to keep or to run it."""
    from trancher.app.loading import text_of

    typer.echo(text_of(url_of(db), version=version, portfolio=portfolio), nl=False)


@bots.command("list")
def list_(*, db: Db = None, json: AsJson = False) -> None:
    """List the bots in force, with what each one holds in the latest run of its portfolio."""
    from trancher.app.in_force import bots_in_force, nothing_loaded
    from trancher.app.standing import LOADS, opened

    url = url_of(db)
    with opened(url, makers=LOADS) as database:
        found = bots_in_force(database)
    if not found:
        raise nothing_loaded(url)
    if json:
        print_json({"bots": [_bot_document(one) for one in found]})
    else:
        _print_list(found)


@bots.command()
def show(
    bot: BotArgument, *, portfolio: Portfolio = None, db: Db = None, json: AsJson = False
) -> None:
    """Show a bot's settings in force, the versions it had, and its position."""
    from trancher.app.in_force import bots_in_force, history, named, nothing_loaded
    from trancher.app.standing import LOADS, opened
    from trancher.app.versions import understood

    url = url_of(db)
    with opened(url, makers=LOADS) as database:
        found = bots_in_force(database)
        if not found:
            raise nothing_loaded(url)
        one = named(found, bot, portfolio=portfolio)
        loads = history(database, one)
    settings = understood(one.loaded)
    if json:
        print_json(_show_document(one, settings, loads))
    else:
        _print_show(one, settings, loads)


def _bring_into_force(
    settings: "Settings", *, url: str, dry_run: bool, yes: bool, json: bool
) -> None:
    """Show what a configuration changes, ask, and bring it into force.

    Raises:
        BadInput: it cannot come into force, or nobody can be asked whether it shall.
        Exit: somebody said no.
    """
    from trancher.app.load_words import headline, preview_document, print_preview, replaces
    from trancher.app.loading import load_bots

    asked = False

    def sure(preview: "Preview") -> bool:
        nonlocal asked
        if yes:
            return True
        if json or not sys.stdin.isatty():
            raise BadInput(
                f"bots: found {replaces(preview)}, expected --yes beside it, or --dry-run to look"
            )
        asked = True
        print_preview(preview, dry_run=True)
        return typer.confirm("Bring it into force?", err=True)

    preview = load_bots(settings, url=url, now=datetime.now(UTC), dry_run=dry_run, sure=sure)
    if json:
        print_json(preview_document(preview))
    elif not asked:
        print_preview(preview, dry_run=dry_run)
    elif preview.written:
        console().print(headline(preview, dry_run=False), soft_wrap=True)
    if asked and not preview.written:
        raise typer.Exit(1)


def _bot_document(one: "BotInForce") -> dict[str, Json]:
    run, books, active = one.run, one.books, one.active
    return {
        "bot": one.bot.name,
        "symbol": one.bot.symbol,
        "strategy": one.bot.strategy,
        "portfolio": one.loaded.portfolio,
        "version": one.loaded.configuration_version,
        "load": one.loaded.load,
        "loaded_at": instant(one.loaded.at),
        "config_hash": one.loaded.configuration_hash,
        "position_status": one.state.value,
        "position_id": None if active is None else active.id,
        "position_version": None if active is None or books is None else books.version,
        "open_tranches": 0 if active is None else len(active.book.open),
        "positions": len(one.positions),
        "run_id": None if run is None else run.id,
    }


def _show_document(
    one: "BotInForce", settings: "Settings", loads: "tuple[ConfigurationLoaded, ...]"
) -> Mapping[str, Json]:
    from trancher.app.changes import bot_table

    return {
        **_bot_document(one),
        "settings": bot_table(settings.meaning, one.bot.name),
        "history": [
            {
                "load": loaded.load,
                "version": loaded.configuration_version,
                "loaded_at": instant(loaded.at),
                "config_hash": loaded.configuration_hash,
            }
            for loaded in loads
        ],
    }


def _print_list(found: "tuple[BotInForce, ...]") -> None:
    from trancher.app.sentences import moment

    columns = ("bot", "symbol", "strategy", "loaded", "now", "version", "positions")
    shown = table("Bots in force", *columns, words=5)
    for one in found:
        shown.add_row(
            one.bot.name,
            one.bot.symbol,
            one.bot.strategy,
            moment(one.loaded.at),
            one.state.name,
            str(one.loaded.configuration_version),
            f"{len(one.positions):,}",
        )
    console().print(shown)


def _print_show(
    one: "BotInForce", settings: "Settings", loads: "tuple[ConfigurationLoaded, ...]"
) -> None:
    from trancher.app.commands.config import print_bot
    from trancher.app.sentences import moment

    out, loaded = console(), one.loaded
    out.print(
        f"Version {loaded.configuration_version} of portfolio {loaded.portfolio}, in force since "
        f"{moment(loaded.at)}, hash {loaded.configuration_hash[:12]}."
    )
    print_bot(out, settings, next(bot for bot in settings.bots if bot.name == one.bot.name))
    columns = ("loaded", "hash", "version", "load")
    shown = table("Versions it had, newest first", *columns, words=2)
    for past in loads:
        shown.add_row(
            moment(past.at),
            past.configuration_hash[:12],
            str(past.configuration_version),
            str(past.load),
        )
    out.print(shown)
    out.print(_position(one))


def _position(one: "BotInForce") -> str:
    """Return in one sentence how a bot stands."""
    if one.run is None or one.books is None:
        return f"CLOSED: no run of portfolio {one.loaded.portfolio} had it yet."
    where = f"in run {one.run.id}, by version {one.books.version}"
    count = len(one.positions)
    if one.active is None:
        return f"CLOSED {where}: none open, of {count:,} in all."
    return f"{one.state.name} {where}: {one.active.id}, its position {count:,}."
