"""`trancher add`, `sell`, `stop`, `pause`, `resume`: what a person asks of bots that run."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.books import AsJson, BotArgument, Db, url_of
from trancher.app.option_values import above_zero, share_of_held
from trancher.app.output import BadInput, Failed, Json, instant, money, print_json
from trancher.app.tables import console, table

if TYPE_CHECKING:
    from trancher.app.running_bots import Running
    from trancher.store.commands import Answer, Command
    from trancher.store.halts import Halt, Scope
    from trancher.store.reading import BotBooks

Price = Annotated[
    str | None,
    typer.Option(metavar="P", help="Quote per base to fill at; else the last price seen."),
]
Reason = Annotated[str, typer.Option(help="Why, for the journal.")]
Key = Annotated[str | None, typer.Option("--id", metavar="KEY", help="The same key is done once.")]
OneBot = Annotated[str | None, typer.Option(metavar="B", help="This bot only.")]
OnePosition = Annotated[str | None, typer.Option(metavar="P", help="This position only.")]
OneTranche = Annotated[
    str | None, typer.Option(metavar="T", help="This tranche of the bot's position only.")
]


def add(
    bot: BotArgument,
    *,
    size: Annotated[str, typer.Option(metavar="Q", help="Quote to buy for, before fees.")],
    price: Price = None,
    reason: Reason = "by hand",
    key: Key = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Buy one more tranche now, as far as every limit lets it through."""
    from trancher.store.commands import Command, Deed

    command = Command(
        deed=Deed.ADD,
        reason=reason,
        size=above_zero("--size", size, what="an amount of quote"),
        price=_price(price),
    )
    _ask(bot, command, key=key, db=db, json=json)


def sell(
    bot: BotArgument,
    *,
    share: Annotated[
        str | None, typer.Option(metavar="S", help='Of what is held: "40%" or 0.4; else all.')
    ] = None,
    tranche: Annotated[
        str | None, typer.Option(metavar="T", help="The tranche to sell, in place of a share.")
    ] = None,
    price: Price = None,
    reason: Reason = "by hand",
    key: Key = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Sell all, a share or a tranche of a position now."""
    from trancher.core.order import TrancheId
    from trancher.store.commands import Command, Deed

    if share is not None and tranche is not None:
        raise BadInput("--share, --tranche: found both, expected one of them")
    command = Command(
        deed=Deed.SELL,
        reason=reason,
        share=None if tranche is not None else share_of_held("--share", share or "1"),
        tranche=None if tranche is None else TrancheId(tranche),
        price=_price(price),
    )
    _ask(bot, command, key=key, db=db, json=json)


def stop(
    *,
    action: Annotated[
        str, typer.Option(metavar="A", help="freeze, cancel, reduce or flatten; always said.")
    ],
    bot: OneBot = None,
    position: OnePosition = None,
    tranche: OneTranche = None,
    share: Annotated[
        str | None, typer.Option(metavar="S", help="What reduce leaves: 50% or 0.5.")
    ] = None,
    reason: Reason = "an emergency stop",
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Stop in an emergency: no entry any more, and what works canceled, or all of it sold."""
    from trancher.app.running_bots import halt, now, running
    from trancher.store.halts import Action

    if action not in ("freeze", "cancel", "reduce", "flatten"):
        raise BadInput(
            f"--action {action}: found no such action, expected freeze, cancel, reduce or flatten"
        )
    wanted = Action(action)
    if (wanted is Action.REDUCE) != (share is not None):
        raise BadInput("--share: expected with --action reduce, and with nothing else")
    left = None if share is None else share_of_held("--share", share)
    if left == 1:
        raise BadInput("--share 1: found all of it, expected less, for it is what is left")
    with running(url_of(db), clock=now) as found:
        scope, bots, target = _scope(found, bot, position, tranche)
        placed = halt(
            found,
            scope=scope,
            bot=bots[0].facts.name if bot or position else None,
            target=target,
            action=wanted,
            share=left,
            reason=reason,
            clock=now,
        )
        results = [_stopped(found, one, placed, tranche=tranche) for one in bots]
    _tell_stopped(placed, results, json=json)


def pause(
    *,
    bot: OneBot = None,
    reason: Reason = "a pause",
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Make no new entries until `resume`; exits go on."""
    from trancher.app.running_bots import halt, now, running
    from trancher.store.halts import Action

    with running(url_of(db), clock=now) as found:
        scope, bots, _ = _scope(found, bot, None, None)
        placed = halt(
            found,
            scope=scope,
            bot=bots[0].facts.name if bot else None,
            target=None,
            action=Action.PAUSE,
            share=None,
            reason=reason,
            clock=now,
        )
    _tell_stopped(placed, [], json=json)


def resume(
    *,
    bot: OneBot = None,
    position: OnePosition = None,
    tranche: OneTranche = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Lift what `stop` or `pause` has stopped, with the same words."""
    from trancher.app.running_bots import now, running, standing_halts
    from trancher.app.running_bots import resume as lift

    with running(url_of(db), clock=now) as found:
        _, bots, target = _scope(found, bot, position, tranche)
        name = bots[0].facts.name if bot or position else None
        lifted = lift(found, bot=name, target=target, clock=now)
        left = standing_halts(found)
    if not lifted:
        said = "; ".join(map(_halt_in_words, left)) or "nothing is stopped"
        raise BadInput(f"resume: found nothing stopped with these words, expected some: {said}")
    if json:
        print_json({"lifted": [_halt_document(one) for one in lifted],
                    "left": [_halt_document(one) for one in left]})  # fmt: skip
        return
    out = console()
    for one in lifted:
        out.print(f"Lifted: {_halt_in_words(one)}.", soft_wrap=True)
    for one in left:
        out.print(f"Still stopped: {_halt_in_words(one)}.", soft_wrap=True)


def _ask(bot: str, command: "Command", *, key: str | None, db: str | None, json: bool) -> None:
    from trancher.app.running_bots import ask, now, running

    with running(url_of(db), clock=now) as found:
        said = ask(found, found.named(bot), command, key=key, clock=now)
    if json:
        print_json({"bot": bot, **_answer_document(said)})
    elif said.problem is None:
        for line in _answer_in_words(bot, said, currency=found.run.quote):
            console().print(line, soft_wrap=True)
    if said.problem is not None:
        raise BadInput(said.problem)
    if any(not one.accepted for one in said.decisions):
        raise Failed(f"{bot}: refused")


def _stopped(
    found: "Running", bot: "BotBooks", placed: "Halt", *, tranche: str | None
) -> "tuple[str, Answer | str]":
    """Have done to a bot what a stop asks for; return what came of it, or why nothing did."""
    from trancher.app.running_bots import ask, now
    from trancher.core.order import TrancheId
    from trancher.store.commands import Command, Deed
    from trancher.store.halts import Action

    action, left = placed.action, placed.share
    name, reason = bot.facts.name, f"{placed.reason} (halt {placed.number})"
    deed = {Action.CANCEL: Deed.CANCEL, Action.REDUCE: Deed.SELL, Action.FLATTEN: Deed.FLATTEN}
    if action not in deed:
        return name, "no entries"
    if tranche is not None and action is Action.FLATTEN:
        command = Command(deed=Deed.SELL, reason=reason, tranche=TrancheId(tranche))
    else:
        share = None if left is None else 1 - left
        command = Command(deed=deed[action], reason=reason, share=share)
    try:
        return name, ask(found, bot, command, key=f"halt {placed.number}", clock=now)
    except Failed as problem:
        return name, str(problem)


def _scope(
    found: "Running", bot: str | None, position: str | None, tranche: str | None
) -> "tuple[Scope, list[BotBooks], str | None]":
    """Return what is meant, and the bots that it reaches."""
    from trancher.store.halts import Scope

    if tranche is not None and bot is None:
        raise BadInput(f"--tranche {tranche}: found no bot beside it, expected --bot")
    if position is not None and bot is not None:
        raise BadInput("--bot, --position: found both, expected one of them")
    if position is not None:
        return Scope.POSITION, [found.of_position(position)], position
    if bot is not None:
        scope = Scope.BOT if tranche is None else Scope.TRANCHE
        return scope, [found.named(bot)], tranche
    return Scope.PORTFOLIO, list(found.bots), None


def _tell_stopped(
    placed: "Halt", results: "list[tuple[str, Answer | str]]", *, json: bool
) -> None:
    if json:
        said: list[Json] = [
            {"bot": bot, "failed": came} if isinstance(came, str)
            else {"bot": bot, **_answer_document(came)}
            for bot, came in results
        ]  # fmt: skip
        print_json({"halt": _halt_document(placed), "results": said})
        return
    out = console()
    out.print(f"{_halt_in_words(placed)}: no entries until `trancher resume`.", soft_wrap=True)
    if not results:
        return
    shown = table("What was done", "bot", "came of it", words=2)
    for bot, came in results:
        lines = [came] if isinstance(came, str) else list(_answer_in_words(bot, came, currency=""))
        shown.add_row(bot, "\n".join(lines))
    out.print(shown)


def _answer_in_words(bot: str, said: "Answer", *, currency: str) -> list[str]:
    from trancher.app.sentences import outcome
    from trancher.core.order import EntryOrder

    if said.problem is not None:
        return [said.problem]
    lines: list[str] = []
    for one in said.decisions:
        lines += [f"canceled {order}" for order in one.cancels]
        refused = [outcome(reason, currency=currency) for reason in one.refusals]
        lines += [f"refused: {reason}" for reason in refused]
        order = one.order
        if isinstance(order, EntryOrder):
            lines.append(f"{bot} buys for {order.size:f} at {one.price:f}: {one.reason}")
        elif order is not None:
            lines.append(f"{bot} sells {order.quantity:f} at {one.price:f}: {one.reason}")
    return lines or ["nothing to do"]


def _answer_document(said: "Answer") -> dict[str, Json]:
    from trancher.app.book_documents import record_document
    from trancher.store.records import recorded

    return {
        "decisions": [record_document(recorded(one)) for one in said.decisions],
        "problem": said.problem,
    }


def _halt_document(one: "Halt") -> dict[str, Json]:
    return {
        "number": one.number,
        "scope": one.scope.value,
        "bot": one.bot,
        "target": one.target,
        "action": one.action.value,
        "share": money(one.share),
        "reason": one.reason,
        "at": instant(one.at),
    }


def _halt_in_words(one: "Halt") -> str:
    what = one.bot or "all bots"
    target = "" if one.target is None else f", {one.scope.value} {one.target}"
    return f"halt {one.number}: {one.action.value} of {what}{target}, because of {one.reason}"


def _price(text: str | None) -> Decimal | None:
    return None if text is None else above_zero("--price", text, what="a price")
