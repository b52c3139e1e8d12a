"""check, schema and init: what a configuration means, how it may be written, and a first one."""

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.output import BadInput, Json, is_there, money, plain, print_json
from trancher.app.starter import STARTER
from trancher.app.tables import console, quote, table
from trancher.core.day import span
from trancher.core.money import percent

if TYPE_CHECKING:
    from rich.console import Console

    from trancher.app.configured import BotSettings, Settings
    from trancher.core.conditions import Condition
    from trancher.core.rungs import ExitRule

DEFAULT_PATH = Path("trancher.toml")


def check(
    config: Annotated[Path, typer.Argument(help="The configuration, TOML.")] = DEFAULT_PATH,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Validate a configuration, show what it means, and warn of what may surprise."""
    from trancher.app.settings import load

    settings = load(config)
    if json:
        print_json(_document(settings))
    else:
        _print_people(settings)


def schema() -> None:
    """Print the JSON schema of a configuration, for editors."""
    from trancher.app.schema import json_schema

    print_json(json_schema())


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = DEFAULT_PATH,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented configuration to begin with; never over an existing file unless told."""
    if path.is_dir():
        raise BadInput(f"{path}: found a folder, expected the name of a file to write")
    if is_there(path) and not force:
        raise BadInput(f"{path}: found a file, expected none; --force replaces it")
    try:
        _write_whole(path, STARTER, replace=force)
    except FileExistsError:
        raise BadInput(f"{path}: found a file, expected none; --force replaces it") from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise BadInput(
            f"{path}: found no way to write ({reason}), expected a writable place"
        ) from None
    typer.echo(f"wrote {path}; next: trancher check {path}", err=True)


def _write_whole(path: Path, text: str, *, replace: bool) -> None:
    """Write `text` beside `path` and move it there, so nobody ever reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not replace:
            path.open("x").close()  # fails where a file has appeared meanwhile
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _document(settings: "Settings") -> Json:
    portfolio = settings.portfolio
    return {
        "file": settings.file,
        "config_hash": settings.config_hash,
        "portfolio": {
            "name": portfolio.name,
            "quote": portfolio.quote,
            "cash": money(portfolio.cash),
            "timezone": portfolio.timezone.key,
            "max_active_positions": portfolio.limits.max_active_positions,
            "max_daily_trades": portfolio.limits.max_daily_trades,
            "exit_reserve": portfolio.limits.exit_reserve.value,
        },
        "backtest": {
            "evaluate": settings.backtest.evaluate,
            "same_candle": settings.backtest.same_candle,
            "slippage": money(settings.backtest.slippage),
        },
        "bots": [_bot(settings, bot) for bot in settings.bots],
        "warnings": list(settings.warnings),
    }


def _bot(settings: "Settings", bot: "BotSettings") -> Json:
    from trancher.app.fitting import fit

    limits = bot.limits
    fits = fit(bot.plan.entries, limits)
    return {
        "name": bot.name,
        "symbol": bot.symbol,
        "timeframe_seconds": None if bot.timeframe is None else int(bot.timeframe.total_seconds()),
        "signals": dict(bot.signals),
        "rungs": [
            {
                "label": one.rung.label,
                "size": money(one.rung.size),
                "repeat": one.rung.repeat,
                "uses": one.uses,
                "cumulated": money(one.total),
                "bound": one.bound,
            }
            for one in fits
        ],
        "limits": {
            "max_position_size": money(limits.max_position_size),
            "max_tranches": limits.max_tranches,
            "min_tranche_size": money(limits.min_tranche_size),
            "max_tranche_size": money(limits.max_tranche_size),
            "tranche_cooldown_seconds": int(limits.tranche_cooldown.total_seconds()),
            "reserve_funds": limits.reserve_funds.value,
        },
        "rebuild": bot.plan.rebuild,
        "exits": [_exit_in_words(rule) for rule in bot.plan.exits],
        "disposal": bot.disposal.value,
        "worst_case_capital": plain(_worst_case(settings, bot)),
        "assumptions": list(settings.assumptions(bot.symbol, price_tick=None)),
    }


def _worst_case(settings: "Settings", bot: "BotSettings") -> Decimal:
    """Return the quote that one position can tie up at most, taker fees included."""
    from trancher.app.fitting import fit

    total = fit(bot.plan.entries, bot.limits)[-1].total
    return settings.instrument(bot.symbol, price_tick=None).with_taker_fee(total)


def _exit_in_words(rule: "ExitRule") -> str:
    from trancher.core.rungs import TakeProfit

    if not isinstance(rule, TakeProfit):
        return f"{rule.text}: sells all"
    return f"{rule.text}: sells {'the rest' if rule.share is None else percent(rule.share)}"


def _print_people(settings: "Settings") -> None:
    shown = console()
    portfolio = settings.portfolio
    shown.print(
        f"{settings.file} is valid: portfolio {portfolio.name}, {quote(portfolio.cash)} "
        f"{portfolio.quote}, bots: {len(settings.bots)}, hash {settings.config_hash[:12]}\n",
        soft_wrap=True,
    )
    for bot in settings.bots:
        print_bot(shown, settings, bot)
    for warning in settings.warnings:
        shown.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def print_bot(shown: "Console", settings: "Settings", bot: "BotSettings") -> None:
    """Print what a bot's settings mean."""
    from trancher.app.fitting import fit

    frame = (
        "the file's own candles" if bot.timeframe is None else f"candles of {span(bot.timeframe)}"
    )
    rungs = table(
        f"{bot.name}: {bot.strategy} on {bot.symbol}, {frame}",
        *("rung", "buys when", "limited by", "size", "uses", "sum"),
        words=3,
    )
    for one in fit(bot.plan.entries, bot.limits):
        uses = f"{one.uses} of {one.rung.repeat}"
        rungs.add_row(
            one.rung.label,
            _when(one.rung.when),
            one.bound or "-",
            quote(one.rung.size),
            uses,
            quote(one.total),
        )
    shown.print(rungs)
    limits = bot.limits
    assumed = settings.assumptions(bot.symbol, price_tick=None)
    said = {
        "position at most": _or_off(limits.max_position_size),
        "tranches": _or_off(limits.max_tranches),
        "tranche from": _or_off(limits.min_tranche_size),
        "to": _or_off(limits.max_tranche_size),
        "cooldown": span(limits.tranche_cooldown),
        "reserve": limits.reserve_funds.value,
    }
    terms = settings.instrument(bot.symbol, price_tick=None)
    exits = ", ".join(_exit_in_words(rule) for rule in bot.plan.exits) or "none"
    until = "entries go on" if bot.plan.rebuild else "no entry until the position is closed"
    lines = (
        f"fees: maker {percent(terms.maker_fee)}, taker {percent(terms.taker_fee)}",
        f"after a partial exit: {until}",
        "limits: " + ", ".join(f"{name} {value}" for name, value in said.items()),
        f"exits, measured from the anchor (the average cost of the entries): {exits}",
        f"books: {bot.disposal.value}",
        f"worst case: {quote(_worst_case(settings, bot))} {settings.portfolio.quote}, with fees",
        "assumed: " + (", ".join(assumed).replace(f"{bot.symbol}: ", "") or "nothing"),
    )
    for line in lines:
        shown.print(line, soft_wrap=True)
    shown.print()


def _when(condition: "Condition") -> str:
    return condition.text.removeprefix("no position and ").replace("no position", "at once")


def _or_off(limit: Decimal | int | None) -> str:
    return "off" if limit is None else f"{limit:f}" if isinstance(limit, Decimal) else str(limit)
