"""`trancher signal`: hands a bot one signal from outside, and tells what it decided by it."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.answers import answer_document, answer_in_words
from trancher.app.commands.books import AsJson, BotArgument, Db, Portfolio, url_of
from trancher.app.commands.by_hand import Price, price_of
from trancher.app.output import BadInput, Failed, print_json
from trancher.app.tables import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trancher.app.running_bots import Running
    from trancher.store.commands import Answer, Command, Placed, Said
    from trancher.store.reading import BotBooks


def signal(
    bot: BotArgument,
    *,
    name: Annotated[
        str, typer.Option(metavar="N", help="Of the signal, as [bot.signals.external] lists it.")
    ],
    score: Annotated[
        str | None, typer.Option(metavar="S", help="What it says, -1 (sell) to 1 (buy).")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="E", help="What has happened, in place of a score.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--id", metavar="KEY", help="The same key is heard and decided once."),
    ] = None,
    price: Price = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Hand a bot one signal from outside; it hears it, and decides at once."""
    from trancher.app.running_bots import running
    from trancher.store.commands import Command, Deed, Said

    if (score is None) is (event is None):
        found = "neither" if score is None else "both"
        raise BadInput(f"--score, --event: found {found}, expected one of them")
    said = Said(
        name=name,
        score=None if score is None else _score(score),
        event=None if event is None else _event(event),
        key=key,
    )
    command = Command(deed=Deed.SIGNAL, reason=f"signal {name}", price=price_of(price), said=said)
    with running(url_of(db), portfolio=portfolio, bot=bot) as found_running:
        asked = found_running.named(bot)
        _check_listens(found_running, bot, name)
        came, placed = _hand_in(found_running, asked, command, said)
        currency = found_running.run.quote
    _tell(bot, said, came, placed, currency=currency, json=json)


def _score(text: str) -> Decimal:
    """Return a score; its digits after the ninth decimal are cut off, as those of a file."""
    from trancher.core.errors import InvalidNumber
    from trancher.core.money import parse_decimal
    from trancher.market.outside import cut_score

    try:
        number = parse_decimal(text)
    except InvalidNumber as problem:
        raise BadInput(f"--score: {problem}") from problem
    if not -1 <= number <= 1:
        raise BadInput(f"--score: found {text}, expected -1 (sell) to 1 (buy)")
    return cut_score(number)


def _event(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        raise BadInput(f"--event: found {text!r}, expected a plain name, without blanks around it")
    return text


def _check_listens(found: "Running", bot: str, name: str) -> None:
    """Check that a bot listens to a signal from outside.

    Raises:
        BadInput: it does not.
    """
    from trancher.app.nearest import nearest

    (settings,) = (one for one in found.settings.bots if one.name == bot)
    known: Sequence[str] = list(settings.signals.external)
    if name in known:
        return
    listed = (
        f"one of {', '.join(known)}" if known else "one of [bot.signals.external], which has none"
    )
    meant = nearest(name, known)
    hint = f"; did you mean {meant}?" if meant else ""
    raise BadInput(
        f"--name: found {name!r}, to which {bot} does not listen, expected {listed}{hint}"
    )


def _hand_in(
    found: "Running", bot: "BotBooks", command: "Command", said: "Said"
) -> "tuple[Answer, Placed]":
    """Hand a signal in; one with the key of another one is handed in as such, and refused."""
    from trancher.app.running_bots import ask, now
    from trancher.store.commands import OtherCommand

    try:
        return ask(found, bot, command, key=said.key, clock=now)
    except OtherCommand:
        duplicate = replace(command, said=replace(said, duplicate=True))
        return ask(found, bot, duplicate, key=None, clock=now)


def _tell(
    bot: str, said: "Said", came: "Answer", placed: "Placed", *, currency: str, json: bool
) -> None:
    if json:
        print_json(
            {
                "bot": bot,
                "signal": said.name,
                "score": None if said.score is None else f"{said.score:f}",
                "event": said.event,
                "id": said.key,
                "decided_before": placed.again,
                **answer_document(came),
            }
        )
    elif came.problem is None:
        out = console()
        if placed.again:
            out.print(f"{bot} decided before, by the same --id {said.key}:", soft_wrap=True)
        for line in answer_in_words(bot, came, currency=currency):
            out.print(line, soft_wrap=True)
        if not came.decisions:
            word = f"score {said.score:f}" if said.event is None else f"event {said.event}"
            out.print(
                f"{bot} heard {said.name}, {word}: nothing it waits for has come", soft_wrap=True
            )
    if came.problem is not None:
        raise BadInput(came.problem)
    if any(not one.accepted for one in came.decisions):
        raise Failed(f"{bot}: refused")
