"""`trancher bots`: configurations kept as bots in the database, version by version."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.books import AsJson, BotArgument, Db, url_of
from trancher.app.output import Json, instant, print_json
from trancher.app.tables import console, table

if TYPE_CHECKING:
    from trancher.app.configured import Settings
    from trancher.app.in_force import BotInForce
    from trancher.app.loading import Preview
    from trancher.store.entries import ConfigurationLoaded

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]
Portfolio = Annotated[
    str | None,
    typer.Option("--portfolio", metavar="P", help="Whose, where the database has several."),
]

bots = typer.Typer(
    help="Bots in the database: load a configuration, list, show, revert.", no_args_is_help=True
)


@bots.command()
def load(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Bring a configuration into force as the next version, and show what it changes."""
    from trancher.app.settings import load as read

    _bring_into_force(read(config), url=url_of(db), dry_run=dry_run, json=json)


@bots.command()
def revert(
    version: Annotated[int, typer.Argument(min=1, help="Version that was in force before.")],
    *,
    portfolio: Portfolio = None,
    dry_run: DryRun = False,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Bring an earlier version into force again, as a new load; nothing is deleted."""
    from trancher.app.loading import earlier

    url = url_of(db)
    settings = earlier(url, version=version, portfolio=portfolio)
    _bring_into_force(settings, url=url, dry_run=dry_run, json=json)


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


def _bring_into_force(settings: "Settings", *, url: str, dry_run: bool, json: bool) -> None:
    from trancher.app.loading import load_bots

    preview = load_bots(settings, url=url, now=datetime.now(UTC), dry_run=dry_run)
    if json:
        print_json(_preview_document(preview, dry_run=dry_run))
    else:
        _print_preview(preview, dry_run=dry_run)


def _preview_document(preview: "Preview", *, dry_run: bool) -> Json:
    before, run = preview.before, preview.run
    return {
        "portfolio": preview.settings.portfolio.name,
        "version": preview.version,
        "load": preview.load,
        "config_hash": preview.settings.config_hash,
        "version_before": None if before is None else before.configuration_version,
        "written": not dry_run and not preview.repeated,
        "added": list(preview.added),
        "removed": list(preview.removed),
        "changes": [
            {"bot": one.bot, "key": one.key, "old": one.old, "new": one.new}
            for one in preview.changes
        ],
        "untold": preview.untold,
        "open_positions": [
            {
                "bot": one.bot,
                "position_id": one.id,
                "position_status": one.state.value,
                "version": None if run is None else run.configuration_version,
            }
            for one in preview.held
        ],
        "warnings": list(preview.settings.warnings),
    }


def _print_preview(preview: "Preview", *, dry_run: bool) -> None:
    out = console()
    out.print(_headline(preview, dry_run=dry_run), soft_wrap=True)
    common = [one for one in preview.changes if one.bot not in (*preview.added, *preview.removed)]
    if preview.before is not None and common:
        shown = table("What changes", "of", "key", "before", "after", words=4)
        for one in common:
            shown.add_row(one.bot or "all", one.key, one.old or "absent", one.new or "absent")
        out.print(shown)
    for sentence in _beside(preview):
        out.print(sentence, soft_wrap=True)
    for warning in preview.settings.warnings:
        out.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def _headline(preview: "Preview", *, dry_run: bool) -> str:
    from trancher.app.sentences import moment

    before = preview.before
    named = f"Version {preview.version} of portfolio {preview.settings.portfolio.name}"
    if before is not None and preview.repeated:
        since = f"in force already, since {moment(before.at)}"
        return f"{named} is {since}: nothing was written."
    instead = "" if before is None else f", in place of version {before.configuration_version}"
    if dry_run:
        return f"{named} would be in force{instead}; nothing was written."
    return f"{named} is in force now{instead}."


def _beside(preview: "Preview") -> list[str]:
    """Return what is to be said beside the keys that change."""
    said = [
        f"New: {bot.name}, {bot.strategy} on {bot.symbol}."
        for bot in preview.settings.bots
        if bot.name in preview.added
    ]
    said += [f"Gone: {name}." for name in preview.removed]
    if preview.untold is not None:
        said.append(f"What changes cannot be told. {preview.untold}.")
    elif not preview.changes and not preview.repeated:
        said.append("It means the same as before.")
    if preview.held and preview.run is not None and not preview.repeated:
        held = ", ".join(f"{one.id} ({one.state.name})" for one in preview.held)
        version = preview.run.configuration_version
        said.append(f"What is open stays with version {version}, by which it began: {held}.")
    return said


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
