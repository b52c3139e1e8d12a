"""`trancher plan`: the ladder of a bot before any money."""

import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.nearest import nearest
from trancher.app.new_file import check_new, write_new
from trancher.app.output import BadInput, print_json
from trancher.app.tables import console, table
from trancher.core.errors import InvalidNumber
from trancher.core.money import parse_decimal

if TYPE_CHECKING:
    from rich.console import Console

    from trancher.app.configured import BotSettings, Settings
    from trancher.app.plan_chart import Chart
    from trancher.app.plan_view import Planned


def plan(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    price: Annotated[str, typer.Option(help="Price of the first entry, quote per base.")],
    bot: Annotated[
        str | None, typer.Option(help="Name of the bot, where there are several.")
    ] = None,
    plot: Annotated[
        bool | None,
        typer.Option(
            "--plot/--no-plot",
            help="Draw the ladder below its table; a wide terminal always does.",
        ),
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Draw it into this file, too.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as a page, too.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace existing files of --png and --html.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a bot's ladder would buy, cost and need, and which limit binds first."""
    from trancher.app.plan_chart import NARROWEST, chart_of
    from trancher.app.plan_view import document
    from trancher.app.settings import load

    settings = load(config)
    chosen = _chosen(settings, bot)
    start = _price(price)
    if json and plot is not None:
        raise BadInput("--plot: found beside --json, expected one of them")
    if png is not None and png == html:
        raise BadInput(f"--html: found {html}, which --png names, expected another file")
    for file in (png, html):
        if file is not None:
            check_new(file, force=force)
    planned = _planned(settings, chosen, start)
    chart = chart_of(
        planned.told,
        title=f"{chosen.name}: {chosen.strategy} on {chosen.symbol} from {start:f}",
        currency=planned.currency,
    )
    _write(planned, chart, png=png, html=html, force=force)
    if json:
        print_json(document(planned))
        return
    out = console()
    _print(out, planned)
    wide = out.is_terminal and shutil.get_terminal_size().columns >= NARROWEST
    if wide if plot is None else plot:
        _draw(out, chart)


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


def _planned(settings: "Settings", chosen: "BotSettings", start: Decimal) -> "Planned":
    from trancher.app.backtesting import engine_portfolio
    from trancher.app.plan_view import Planned
    from trancher.backtest.rehearsal import rehearse

    made = chosen.bot(settings.instrument(chosen.symbol, price_tick=None))
    return Planned(
        settings=chosen,
        bot=made,
        told=rehearse(
            made, engine_portfolio(settings), price=start, slippage=settings.backtest.slippage
        ),
        assumed=settings.assumptions(chosen.symbol, price_tick=None),
    )


def _write(
    planned: "Planned", chart: "Chart", *, png: Path | None, html: Path | None, force: bool
) -> None:
    if png is not None:
        try:
            from trancher.app.plan_png import picture
        except ImportError:
            raise BadInput(
                "--png: found no matplotlib, expected it; pip install 'trancher[plots]'"
            ) from None
        write_new(png, picture(chart), force=force)
    if html is not None:
        from trancher.app.plan_html import page

        write_new(html, page(planned, chart).encode(), force=force)
    for file in (png, html):
        if file is not None:
            typer.echo(f"wrote {file}", err=True)


def _print(out: "Console", planned: "Planned") -> None:
    from trancher.app import plan_view

    named = planned.settings
    bought = table(
        f"{named.name}: {named.strategy} on {named.symbol}, sizes and costs in {planned.currency}",
        *plan_view.LADDER,
        words=2,
        tight=True,
    )
    for row in plan_view.ladder_rows(planned.told):
        bought.add_row(*row)
    out.print(bought)
    sold = table(
        f"Where it sells after each rung, net in {planned.currency}", *plan_view.SALES, tight=True
    )
    for row in plan_view.sale_rows(planned.told):
        sold.add_row(*row)
    if sold.row_count:
        out.print(sold)
    for line in plan_view.lines(planned):
        out.print(line)
    for note in plan_view.notes(planned):
        out.print(note, style="dim")


def _draw(out: "Console", chart: "Chart") -> None:
    from trancher.app.plan_chart import in_terminal

    out.print()
    for row in in_terminal(chart, width=out.width):
        out.print(row, no_wrap=True)
