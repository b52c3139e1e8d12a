"""`trancher plan`: the ladder of a bot before any money."""

import os
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.nearest import nearest
from trancher.app.new_file import check_new, write_new
from trancher.app.option_values import above_zero, share_of_held
from trancher.app.output import BadInput, Json, one_line, print_json
from trancher.app.tables import console, table
from trancher.core.errors import InvalidPlan

if TYPE_CHECKING:
    from rich.console import Console

    from trancher.app.configured import BotSettings, Settings
    from trancher.app.plan_chart import Chart
    from trancher.app.plan_view import Planned
    from trancher.app.what_if_view import Asked


Config = Annotated[Path, typer.Argument(help="Configuration, TOML.")]
Price = Annotated[str, typer.Option(metavar="P", help="Price of the first entry, quote per base.")]
Bot = Annotated[
    str | None, typer.Option(metavar="B", help="Name of the bot, where there are several.")
]
OneStrategy = Annotated[
    str | None,
    typer.Option(
        "--strategy", metavar="S", help="Name of the strategy, where the bot has several."
    ),
]
Add = Annotated[
    str | None, typer.Option(metavar="Q", help="What if so much quote were bought at the price?")
]
Sell = Annotated[
    str | None,
    typer.Option(metavar="S", help="What if such a share of what is held were sold, as 25%?"),
]
Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="With --add or --sell: where the bot's position is; else TRANCHER_DB, else nothing "
        "is held.",
    ),
]
Plot = Annotated[
    bool | None,
    typer.Option(
        "--plot/--no-plot", help="Draw the ladder below its table; a wide terminal always does."
    ),
]
Png = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it into this file, too.")]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page, too.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace existing files of --png and --html.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def plan(
    config: Config,
    *,
    price: Price,
    bot: Bot = None,
    strategy: OneStrategy = None,
    add: Add = None,
    sell: Sell = None,
    db: Db = None,
    plot: Plot = None,
    png: Png = None,
    html: Html = None,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Show what a bot's ladder would buy, cost and need, and which limit binds first."""
    from trancher.app.plan_view import document
    from trancher.app.settings import load

    settings = load(config)
    chosen = _with_strategy(_chosen(settings, bot), strategy)
    start = _price(price)
    if json and plot is not None:
        raise BadInput("--plot: found beside --json, expected one of them")
    _check_files(png, html, force=force)
    planned = _planned(settings, chosen, start)
    asked = _asked(settings, chosen, start, add=add, sell=sell, db=db)
    chart = _chart(planned, start)
    _write(planned, chart, png=png, html=html, force=force)
    if json:
        print_json({**document(planned), **_answer(asked)})
        return
    out = console()
    if asked is None:
        _print(out, planned)
    else:
        _print_asked(out, asked)
    if (asked is None and _is_wide(out)) if plot is None else plot:
        _draw(out, chart)


def _with_strategy(bot: "BotSettings", strategy: str | None) -> "BotSettings":
    """Return a bot with the strategy that is meant; it may be left out where there is but one."""
    known = [one.strategy for one in bot.strategies]
    if strategy is None and bot.others:
        raise BadInput(f"--strategy: found none, expected one of {bot.name}: {', '.join(known)}")
    for one in bot.strategies:
        if strategy in {None, one.strategy}:
            return one
    raise BadInput(
        f"--strategy: found {strategy!r}, expected one of {bot.name}: {', '.join(known)}"
    )


def _answer(asked: "Asked | None") -> Mapping[str, Json]:
    if asked is None:
        return {}
    from trancher.app.what_if_view import document

    return {"what_if": document(asked)}


def _check_files(png: Path | None, html: Path | None, *, force: bool) -> None:
    if png is not None and png == html:
        raise BadInput(f"--html: found {html}, which --png names, expected another file")
    for file in (png, html):
        if file is not None:
            check_new(file, force=force)


def _chart(planned: "Planned", start: Decimal) -> "Chart":
    from trancher.app.plan_chart import chart_of

    named = planned.settings
    title = f"{named.name}: {named.strategy} on {named.symbol} from {start:f}"
    return chart_of(planned.told, title=title, currency=planned.currency)


def _is_wide(out: "Console") -> bool:
    from trancher.app.plan_chart import NARROWEST

    return out.is_terminal and shutil.get_terminal_size().columns >= NARROWEST


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
    return above_zero("--price", text, what="a price")


def _asked(
    settings: "Settings",
    chosen: "BotSettings",
    start: Decimal,
    *,
    add: str | None,
    sell: str | None,
    db: str | None,
) -> "Asked | None":
    """Return what one more trade would come to, where somebody asks."""
    if add is None and sell is None:
        if db is not None:
            raise BadInput(f"--db: found {db} alone, expected --add or --sell beside it")
        return None
    from trancher.app.asking import ask
    from trancher.app.keeping import VARIABLE

    return ask(
        settings,
        chosen,
        price=start,
        size=None if add is None else above_zero("--add", add, what="an amount of quote"),
        share=None if sell is None else share_of_held("--sell", sell),
        url=db or os.environ.get(VARIABLE),
    )


def _planned(settings: "Settings", chosen: "BotSettings", start: Decimal) -> "Planned":
    from trancher.app.backtesting import engine_portfolio
    from trancher.app.plan_view import Planned
    from trancher.backtest.rehearsal import rehearse

    made = chosen.bot(settings.instrument(chosen.symbol, price_tick=None))
    tick, slippage = made.instrument.price_tick, settings.backtest.slippage
    if start < tick:
        raise BadInput(f"--price: found {start:f}, expected one tick at least, {tick:f}")
    try:
        told = rehearse(made, engine_portfolio(settings), price=start, slippage=slippage)
    except InvalidPlan as problem:
        raise BadInput(f"--price: found {start:f}, expected a higher price: {problem}") from None
    return Planned(
        settings=chosen,
        bot=made,
        told=told,
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
            typer.echo(f"wrote {one_line(file)}", err=True)


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


def _print_asked(out: "Console", asked: "Asked") -> None:
    from trancher.app import what_if_view

    shown = table(what_if_view.title(asked), *what_if_view.FIGURES)
    for row in what_if_view.rows(asked):
        shown.add_row(*row)
    out.print(shown)
    for line in what_if_view.lines(asked):
        out.print(line)


def _draw(out: "Console", chart: "Chart") -> None:
    from trancher.app.plan_chart import in_terminal

    out.print()
    for row in in_terminal(chart, width=out.width):
        out.print(row, no_wrap=True)
