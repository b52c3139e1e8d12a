"""`trancher add`, `sell`, `stop`, `pause`, `resume`: what a person asks of bots that run."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.answers import answer_document, answer_in_words, tell_stopped
from trancher.app.commands.books import AsJson, BotArgument, Db, Portfolio, url_of
from trancher.app.halt_words import halt_document, halt_in_words
from trancher.app.option_values import above_zero, reason_of, share_of_held
from trancher.app.output import BadInput, Failed, print_json
from trancher.app.tables import console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trancher.app.halting import Stopping
    from trancher.app.running_bots import Running
    from trancher.core.order import BotName
    from trancher.store.commands import Answer, Command
    from trancher.store.halts import Action, Halt
    from trancher.store.reading import BotBooks

Price = Annotated[
    str | None,
    typer.Option(metavar="P", help="Quote per base to fill at; else the last price seen."),
]
Reason = Annotated[
    str, typer.Option(metavar="WORDS", help="Why, for the journal.", callback=reason_of)
]
Key = Annotated[str | None, typer.Option("--id", metavar="KEY", help="The same key is done once.")]
OneBot = Annotated[str | None, typer.Option(metavar="B", help="This bot only.")]
OnePosition = Annotated[str | None, typer.Option(metavar="P", help="This position only.")]
MeantPosition = Annotated[
    str | None,
    typer.Option("--position", metavar="P", help="Which one, of a bot with several positions."),
]
OneTranche = Annotated[
    str | None, typer.Option(metavar="T", help="This tranche of the bot's position only.")
]


def add(
    bot: BotArgument,
    *,
    size: Annotated[str, typer.Option(metavar="Q", help="Quote to buy for, before fees.")],
    position: MeantPosition = None,
    price: Price = None,
    reason: Reason = "by hand",
    key: Key = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Buy one more tranche now, as far as every limit lets it through."""
    from trancher.core.order import PositionId
    from trancher.store.commands import Command, Deed

    command = Command(
        deed=Deed.ADD,
        reason=reason,
        size=above_zero("--size", size, what="an amount of quote"),
        price=price_of(price),
        position=None if position is None else PositionId(position),
    )
    _ask(bot, command, key=key, portfolio=portfolio, db=db, json=json)


def sell(
    bot: BotArgument,
    *,
    share: Annotated[
        str | None, typer.Option(metavar="S", help='Of what is held: "40%" or 0.4; else all.')
    ] = None,
    tranche: Annotated[
        str | None, typer.Option(metavar="T", help="The tranche to sell, in place of a share.")
    ] = None,
    position: MeantPosition = None,
    price: Price = None,
    reason: Reason = "by hand",
    key: Key = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Sell all, a share or a tranche of a position now."""
    from trancher.core.order import PositionId, TrancheId
    from trancher.store.commands import Command, Deed

    if share is not None and tranche is not None:
        raise BadInput("--share, --tranche: found both, expected one of them")
    command = Command(
        deed=Deed.SELL,
        reason=reason,
        share=None if tranche is not None else share_of_held("--share", share or "1"),
        tranche=None if tranche is None else TrancheId(tranche),
        price=price_of(price),
        position=None if position is None else PositionId(position),
    )
    _ask(bot, command, key=key, portfolio=portfolio, db=db, json=json)


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
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Stop in an emergency: no entry any more, and what works canceled, or all of it sold."""
    from trancher.app.halting import stop as stop_bots
    from trancher.app.running_bots import now, running

    wanted, left = _wanted(action, share, tranche)
    with running(url_of(db), portfolio=portfolio, bot=bot) as found:
        stopping, bots = _stopping(
            found, bot, position, tranche, action=wanted, share=left, reason=reason
        )
        placed, results = stop_bots(found, stopping, bots, command=_command, clock=now)
        idle = _idle(found, wanted, results)
    tell_stopped(placed, results, idle, json=json)


def pause(
    *,
    bot: OneBot = None,
    reason: Reason = "a pause",
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Make no new entries until `resume`; exits go on."""
    from trancher.app.halting import stop as stop_bots
    from trancher.app.running_bots import now, running
    from trancher.store.halts import Action

    with running(url_of(db), portfolio=portfolio, bot=bot) as found:
        stopping, bots = _stopping(
            found, bot, None, None, action=Action.PAUSE, share=None, reason=reason
        )
        placed, results = stop_bots(found, stopping, bots, command=_command, clock=now)
    tell_stopped(placed, results, {}, json=json)


def resume(
    *,
    bot: OneBot = None,
    position: OnePosition = None,
    tranche: OneTranche = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Lift what `stop` or `pause` has stopped, with the same words."""
    from trancher.app.halting import resume as lift
    from trancher.app.halting import standing_halts
    from trancher.app.running_bots import now, running
    from trancher.store.halts import target_of

    _check_scope(bot, position, tranche)
    with running(url_of(db), portfolio=portfolio, bot=bot) as found:
        halts = standing_halts(found)
        # A position that was flattened is no longer there, and its stop still is.
        of_target = {one.target: one.bot for one in halts if one.target is not None}
        target = target_of(position, tranche)
        name = of_target.get(target or "") if bot is None else found.named(bot).facts.name
        meant = position is None or target in of_target
        lifted = lift(found, bot=name, target=target, clock=now) if meant else ()
        left = standing_halts(found)
    if not lifted:
        named = [f"{halt_in_words(one)}: `{one.lifted_by}`" for one in left]
        said = "; ".join(named) or "nothing is stopped"
        raise BadInput(f"resume: found nothing stopped with these words, expected some: {said}")
    if json:
        print_json({"lifted": [halt_document(one) for one in lifted],
                    "left": [halt_document(one) for one in left]})  # fmt: skip
        return
    out = console()
    for one in lifted:
        out.print(f"Lifted: {halt_in_words(one)}.", soft_wrap=True)
    for one in left:
        out.print(f"Still stopped: {halt_in_words(one)}.", soft_wrap=True)


def _ask(
    bot: str,
    command: "Command",
    *,
    key: str | None,
    portfolio: str | None,
    db: str | None,
    json: bool,
) -> None:
    from trancher.app.running_bots import ask, nothing_to_do, now, running

    idle = None
    with running(url_of(db), portfolio=portfolio, bot=bot) as found:
        asked = found.named(bot)
        said, _ = ask(found, asked, command, key=key, clock=now)
        if said.problem is None and not said.decisions:
            name = asked.facts.name
            idle = nothing_to_do(found, [name], tranche=command.tranche)[name]
    if json:
        print_json({"bot": bot, **answer_document(said)})
    elif said.problem is None and idle is None:
        for line in answer_in_words(bot, said, currency=found.run.quote):
            console().print(line, soft_wrap=True)
    if said.problem is not None:
        raise BadInput(said.problem)
    if idle is not None:
        raise Failed(f"{bot}: found {idle}, expected something to sell")
    if any(not one.accepted for one in said.decisions):
        raise Failed(f"{bot}: refused")


def _wanted(
    action: str, share: str | None, tranche: str | None
) -> "tuple[Action, Decimal | None]":
    """Return what a stop does, and what it leaves of a position."""
    from trancher.store.halts import Action

    if action not in ("freeze", "cancel", "reduce", "flatten"):
        raise BadInput(
            f"--action {action}: found no such action, expected freeze, cancel, reduce or flatten"
        )
    wanted = Action(action)
    if wanted is Action.REDUCE and share is None:
        raise BadInput("--action reduce: found no --share beside it, expected what is left")
    if wanted is not Action.REDUCE and share is not None:
        raise BadInput(f"--share: found it with --action {action}, expected it with reduce")
    if tranche is not None and wanted in {Action.REDUCE, Action.CANCEL}:
        raise BadInput(
            f"--tranche: found it with --action {action}, expected flatten, for a tranche is "
            "sold whole, or freeze"
        )
    left = None if share is None else share_of_held("--share", share)
    if left == 1:
        raise BadInput(f"--share {share}: found all of it, expected less, for it is what is left")
    return wanted, left


def _command(placed: "Halt") -> "Command | None":
    """Return what a halt asks of each bot that it reaches; None where it only stops entries."""
    from trancher.core.order import PositionId, TrancheId
    from trancher.store.commands import Command, Deed
    from trancher.store.halts import Action, Scope, split_target

    deeds = {Action.CANCEL: Deed.CANCEL, Action.REDUCE: Deed.REDUCE, Action.FLATTEN: Deed.FLATTEN}
    if placed.action not in deeds:
        return None
    reason = f"{placed.reason} (halt {placed.number})"
    if placed.scope is Scope.TRANCHE and placed.target is not None:
        position, tranche = split_target(placed.target)
        return Command(
            deed=Deed.SELL, reason=reason, tranche=TrancheId(tranche), position=position
        )
    share = None if placed.share is None else 1 - placed.share
    of_one = placed.scope is Scope.POSITION and placed.target is not None
    return Command(
        deed=deeds[placed.action],
        reason=reason,
        share=share,
        position=PositionId(str(placed.target)) if of_one else None,
    )


def _check_scope(bot: str | None, position: str | None, tranche: str | None) -> None:
    if tranche is not None and bot is None and position is None:
        raise BadInput(f"--tranche {tranche}: found no bot beside it, expected --bot")
    if position is not None and bot is not None:
        raise BadInput("--bot, --position: found both, expected one of them")


def _stopping(
    found: "Running",
    bot: str | None,
    position: str | None,
    tranche: str | None,
    *,
    action: "Action",
    share: Decimal | None,
    reason: str,
) -> "tuple[Stopping, list[BotBooks]]":
    """Return what is meant, and the bots that it reaches."""
    from trancher.app.halting import Stopping
    from trancher.store.halts import Scope, target_of

    _check_scope(bot, position, tranche)
    if position is not None:
        scope, bots = Scope.POSITION, [found.of_position(position)]
    elif bot is not None:
        scope, bots = Scope.BOT, [found.named(bot)]
    else:
        scope, bots = Scope.PORTFOLIO, list(found.bots)
    if tranche is not None:
        scope = Scope.TRANCHE
        found.check_tranche(bots[0], tranche, position=position)
    stopping = Stopping(
        scope=scope,
        bot=None if scope is Scope.PORTFOLIO else bots[0].facts.name,
        target=target_of(position, tranche),
        action=action,
        share=share,
        reason=reason,
    )
    return stopping, bots


def _idle(
    found: "Running", action: "Action", results: "Mapping[BotName, Answer | str | None]"
) -> "Mapping[BotName, str]":
    """Return of each bot that had nothing to do why it had none."""
    from trancher.app.running_bots import nothing_to_do
    from trancher.store.commands import Answer
    from trancher.store.halts import Action

    bots = [bot for bot, came in results.items() if came == Answer()]
    if action is Action.CANCEL:
        return dict.fromkeys(bots, "no entry order working")
    return nothing_to_do(found, bots)


def price_of(text: str | None) -> Decimal | None:
    """Return the price that an option says.

    Raises:
        BadInput: it says none.
    """
    return None if text is None else above_zero("--price", text, what="a price")
