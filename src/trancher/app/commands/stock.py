"""`trancher adopt`, `correct`: what is really there, told to bots that run."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.books import AsJson, BotArgument, Db, Portfolio, url_of
from trancher.app.commands.by_hand import Key, MeantPosition
from trancher.app.option_values import above_zero, reason_of, zero_or_more
from trancher.app.output import BadInput, Json, money, print_json
from trancher.app.tables import console

if TYPE_CHECKING:
    from decimal import Decimal

    from trancher.app.foreseen import Foreseen
    from trancher.core.order import PositionId
    from trancher.store.commands import Answer, Changed, Command

Yes = Annotated[bool, typer.Option("--yes", help="Do it, do not ask.")]


def adopt(
    bot: BotArgument,
    *,
    quantity: Annotated[str, typer.Option(metavar="Q", help="Base that is there.")],
    price: Annotated[
        str | None, typer.Option(metavar="P", help="Quote per base that it had cost.")
    ] = None,
    cost: Annotated[
        str | None, typer.Option(metavar="C", help="Quote that all of it had cost, fees included.")
    ] = None,
    position: MeantPosition = None,
    reason: Annotated[
        str, typer.Option(metavar="WORDS", help="Why, for the journal.")
    ] = "held before",
    key: Key = None,
    yes: Yes = False,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Take a holding of the account in as a tranche: no order, no trade, no cash."""
    from trancher.store.commands import Command, Deed

    held = above_zero("--quantity", quantity, what="an amount of base")
    command = Command(
        deed=Deed.ADOPT,
        reason=_told(reason),
        quantity=held,
        cost=_cost(held, price, cost),
        position=_position(position),
    )
    sure = yes or not sys.stdin.isatty()
    _take_stock(bot, command, key=key, portfolio=portfolio, sure=sure, db=db, json=json)


def correct(
    bot: BotArgument,
    *,
    quantity: Annotated[
        str | None, typer.Option(metavar="Q", help="Base that is really there, less than held.")
    ] = None,
    tranche: Annotated[
        str | None, typer.Option(metavar="T", help="What is missing is missing of this tranche.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last adoption or correction back.")
    ] = False,
    position: MeantPosition = None,
    reason: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Why, for the journal.")
    ] = None,
    key: Key = None,
    yes: Yes = False,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Tell a bot that less is there than its books say, or take the last such word back."""
    from trancher.core.order import TrancheId
    from trancher.store.commands import Command, Deed

    if undo and (quantity is not None or tranche is not None):
        raise BadInput("--undo: found --quantity or --tranche beside it, expected it alone")
    if not undo and quantity is None:
        raise BadInput("correct: found no --quantity, expected what is there, or --undo")
    if not undo and reason is None:
        raise BadInput("correct: found no --reason, expected why less is there")
    command = Command(
        deed=Deed.UNDO if undo else Deed.CORRECT,
        reason=_told(reason or "a mistake"),
        quantity=None
        if quantity is None
        else zero_or_more("--quantity", quantity, what="an amount of base"),
        tranche=None if tranche is None else TrancheId(tranche),
        position=_position(position),
    )
    _take_stock(bot, command, key=key, portfolio=portfolio, sure=yes, db=db, json=json)


def _told(reason: str) -> str:
    if not reason.strip():
        raise BadInput("--reason: found nothing, expected why, in words")
    return reason_of(reason)


def _cost(quantity: "Decimal", price: str | None, cost: str | None) -> "Decimal":
    from trancher.core.money import exact

    if (price is None) is (cost is None):
        found = "neither" if price is None else "both"
        raise BadInput(f"--price, --cost: found {found}, expected one of them")
    if cost is not None:
        return above_zero("--cost", cost, what="an amount of quote")
    each = above_zero("--price", str(price), what="a price")
    return exact(lambda: quantity * each)()


def _position(text: str | None) -> "PositionId | None":
    from trancher.core.order import PositionId

    return None if text is None else PositionId(text)


def _take_stock(
    bot: str,
    command: "Command",
    *,
    key: str | None,
    portfolio: str | None,
    sure: bool,
    db: str | None,
    json: bool,
) -> None:
    from trancher.app.foreseen import foresee, is_done
    from trancher.app.running_bots import ask, now, running

    with running(url_of(db), portfolio=portfolio, bot=bot) as found:
        asked = found.named(bot)
        name = asked.facts.name
        foreseen = None
        if not is_done(found, name, key):
            foreseen = foresee(found, name, command, clock=now)
            _check_sure(foreseen, sure=sure)
        said, _ = ask(found, asked, command, key=key, clock=now)
    if json:
        print_json({"bot": bot, **_document(said), "over": _over(foreseen)})
    if said.problem is not None:
        raise BadInput(said.problem)
    if not json:
        _tell(said, foreseen)


def _check_sure(foreseen: "Foreseen", *, sure: bool) -> None:
    """Ask whoever sits at a terminal.

    Raises:
        BadInput: nobody does.
    """
    from trancher.app.foreseen import in_words

    if sure:
        return
    told = in_words(foreseen.changed)
    if not sys.stdin.isatty():
        raise BadInput(f"correct: found {told}, expected --yes beside it")
    typer.echo(told, err=True)
    typer.confirm("Is that so?", abort=True, err=True)


def _tell(said: "Answer", foreseen: "Foreseen | None") -> None:
    from trancher.app.foreseen import in_words

    out = console()
    assert said.changed is not None
    out.print(in_words(said.changed), soft_wrap=True)
    for limit in _over(foreseen):
        out.print(f"No entries while it is over {limit}.", soft_wrap=True, style="yellow")


def _over(foreseen: "Foreseen | None") -> list[str]:
    return [] if foreseen is None else list(foreseen.over)


def _document(said: "Answer") -> dict[str, Json]:
    return {
        "changed": None if said.changed is None else _changed(said.changed),
        "problem": said.problem,
    }


def _changed(one: "Changed") -> Json:
    return {
        "position_id": one.position,
        "position_status": one.state.value,
        "quantity_before": money(one.held),
        "quantity": money(one.left),
        "cost_basis_before": money(one.cost),
        "cost_basis": money(one.cost_left),
    }
