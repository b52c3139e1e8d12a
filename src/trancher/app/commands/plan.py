"""`trancher plan`: the ladder of a bot before any money."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.nearest import nearest
from trancher.app.output import BadInput, Json, assumed_in_words, money, plain, print_json
from trancher.app.tables import console, quote, table
from trancher.app.tables import price as shown_price
from trancher.core.errors import InvalidNumber
from trancher.core.money import parse_decimal

if TYPE_CHECKING:
    from trancher.app.configured import BotSettings, Settings
    from trancher.backtest.rehearsal import Rehearsal, Step


def plan(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    price: Annotated[str, typer.Option(help="Price of the first entry, quote per base.")],
    bot: Annotated[
        str | None, typer.Option(help="Name of the bot, where there are several.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a bot's ladder would buy, cost and need, and which limit binds first."""
    from trancher.app.backtesting import engine_portfolio
    from trancher.app.settings import load
    from trancher.backtest.rehearsal import rehearse

    settings = load(config)
    chosen = _chosen(settings, bot)
    start = _price(price)
    made = chosen.bot(settings.instrument(chosen.symbol, price_tick=None))
    told = rehearse(
        made, engine_portfolio(settings), price=start, slippage=settings.backtest.slippage
    )
    assumed = settings.assumptions(chosen.symbol, price_tick=None)
    if json:
        print_json(_document(chosen, told, assumed))
    else:
        _print(settings, chosen, told, assumed)


def _chosen(settings: "Settings", name: str | None) -> "BotSettings":
    names = [bot.name for bot in settings.bots]
    if name is None and len(names) > 1:
        raise BadInput(f"--bot: found none, expected one of {', '.join(names)}")
    for bot in settings.bots:
        if name in {None, bot.name}:
            return bot
    assert name is not None
    meant = nearest(name, names) if len(names) > 1 else None
    hint = f"; did you mean {meant}?" if meant else ""
    raise BadInput(f"--bot: found {name!r}, expected one of {', '.join(names)}{hint}")


def _price(text: str) -> Decimal:
    try:
        number = parse_decimal(text)
    except InvalidNumber as problem:
        raise BadInput(f"--price: {problem}") from problem
    if number <= 0:
        raise BadInput(f"--price: found {text}, expected a price above 0")
    return number


def _document(bot: "BotSettings", told: "Rehearsal", assumed: tuple[str, ...]) -> Json:
    binding = told.binding
    return {
        "bot": bot.name,
        "symbol": bot.symbol,
        "strategy": bot.strategy,
        "rungs": [_step(step) for step in told.steps],
        "worst_case": {
            "cash": plain(told.admitted_cash),
            "cash_of_all_rungs": plain(told.planned_cash),
            "covered_drop": plain(told.covered_drop),
            "set_aside_after_first_entry": plain(told.set_aside),
        },
        "binds_first": None
        if binding is None
        else {
            "rung": binding.label,
            "codes": [refusal.code.value for refusal in binding.refusals],
        },
        "assumptions": list(assumed),
    }


def _step(step: "Step") -> Json:
    return {
        "label": step.label,
        "price": plain(step.price),
        "deviation": plain(step.deviation),
        "size": plain(step.size),
        "quantity": money(step.quantity),
        "cumulated_cost": money(step.cumulated_cost),
        "cumulated_cash": money(step.cumulated_cash),
        "average_entry_price": plain(step.average_entry_price),
        "break_even_price": plain(step.break_even_price),
        "needed_rise": plain(step.needed_rise),
        "fits": not step.refusals,
        "refused_by": [refusal.code.value for refusal in step.refusals],
    }


def _print(
    settings: "Settings", bot: "BotSettings", told: "Rehearsal", assumed: tuple[str, ...]
) -> None:
    out, currency = console(), settings.portfolio.quote
    shown = table(
        f"{bot.name}: {bot.strategy} on {bot.symbol}, sizes and costs in {currency}",
        *("rung", "fits", "drop", "price", "size", "so far", "average", "break-even", "rise"),
        words=2,
        tight=True,
    )
    for step in told.steps:
        shown.add_row(
            step.label,
            "no" if step.refusals else "yes",
            _percent(step.deviation),
            shown_price(step.price),
            quote(step.size),
            quote(step.cumulated_cost),
            shown_price(step.average_entry_price),
            shown_price(step.break_even_price),
            _percent(step.needed_rise),
        )
    out.print(shown)
    out.print(
        f"At most {quote(told.admitted_cash)} {currency} is spent, fees included, "
        f"down to {_percent(told.covered_drop)} below the start; after the first entry "
        f"{quote(told.set_aside)} is set aside for the rungs to come."
    )
    binding = told.binding
    if binding is not None:
        codes = ", ".join(refusal.code.value for refusal in binding.refusals)
        out.print(f"The first rung that does not fit is {binding.label}: {codes}.")
    out.print("Drop: below the first price. Rise: from the rung to its break-even.", style="dim")
    if assumed:
        out.print(assumed_in_words(bot.symbol, assumed), style="dim")


def _percent(ratio: Decimal | None) -> str:
    return "-" if ratio is None else f"{ratio * 100:.2f} %"
