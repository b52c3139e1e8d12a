"""Answers: what bots did with what they were asked, in words and as documents."""

from typing import TYPE_CHECKING

from trancher.app.halt_words import halt_document, halt_in_words
from trancher.app.output import Failed, Json, print_json
from trancher.app.tables import console, exactly, price, quote, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trancher.core.order import BotName
    from trancher.store.commands import Answer
    from trancher.store.halts import Halt


def tell_stopped(
    placed: "Halt",
    results: "Mapping[BotName, Answer | str | None]",
    idle: "Mapping[BotName, str]",
    *,
    json: bool,
) -> None:
    """Print what a stop came to, bot by bot.

    Raises:
        Failed: not all of it was done.
    """
    if json:
        said = [_result_document(bot, came) for bot, came in results.items()]
        print_json({"halt": halt_document(placed), "results": said})
    else:
        _print_stopped(placed, results, idle)
    failed = [bot for bot, came in results.items() if came is not None and not _is_done(came)]
    if failed:
        raise Failed(
            f"halt {placed.number}: no entries, but not all was done of {', '.join(failed)}"
        )


def _is_done(came: "Answer | str") -> bool:
    return (
        not isinstance(came, str)
        and came.problem is None
        and all(one.accepted for one in came.decisions)
    )


def _result_document(bot: str, came: "Answer | str | None") -> Json:
    if isinstance(came, str):
        return {"bot": bot, "decisions": [], "problem": came}
    if came is None:
        return {"bot": bot, "decisions": [], "problem": None}
    return {"bot": bot, **answer_document(came)}


def _print_stopped(
    placed: "Halt",
    results: "Mapping[BotName, Answer | str | None]",
    idle: "Mapping[BotName, str]",
) -> None:
    out = console()
    out.print(f"{halt_in_words(placed)}: no entries until `{placed.lifted_by}`.", soft_wrap=True)
    if all(came is None for came in results.values()):
        return
    shown = table("What was done", "bot", "came of it", words=2)
    for bot, came in results.items():
        said = [came] if isinstance(came, str) else answer_in_words(bot, came, currency="")
        shown.add_row(bot, "\n".join(said) or idle[bot])
    out.print(shown)


def answer_in_words(bot: str, said: "Answer | None", *, currency: str) -> list[str]:
    """Return what came of a command, a line for each thing that was decided."""
    from trancher.app.sentences import outcome
    from trancher.core.order import EntryOrder

    if said is None:
        return ["no entries"]
    if said.problem is not None:
        return [said.problem]
    lines: list[str] = []
    for one in said.decisions:
        lines += [f"canceled {order}" for order in one.cancels]
        refused = [outcome(reason, currency=currency) for reason in one.refusals]
        lines += [f"refused: {reason}" for reason in refused]
        order = one.order
        if isinstance(order, EntryOrder):
            lines.append(f"{bot} buys for {quote(order.size)} at {price(one.price)}: {one.reason}")
        elif order is not None:
            sold = exactly(order.quantity)
            lines.append(f"{bot} sells {sold} at {price(one.price)}: {one.reason}")
    return lines


def answer_document(said: "Answer") -> dict[str, Json]:
    """Return what came of a command, with each decision as it is on record."""
    from trancher.app.book_documents import record_document
    from trancher.store.records import recorded

    return {
        "decisions": [record_document(recorded(one)) for one in said.decisions],
        "problem": said.problem,
    }
