"""`trancher status`, `position`, `decisions`, `journal`, `why`: the books on disk, read.

All of them are about the latest run in the database. A look never trades, and never writes.
"""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.output import BadInput, print_json
from trancher.app.tables import console, counted, exactly, price, quote, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from rich.console import Console

    from trancher.app.bot_standing import BotStanding
    from trancher.app.standing import Standing
    from trancher.core.position import Position
    from trancher.store.reading import JournalLine, Run
    from trancher.store.records import Record

Db = Annotated[
    str | None,
    typer.Option(
        "--db", metavar="URL", help="Database; else TRANCHER_DB, else sqlite:///trancher.db."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
BotArgument = Annotated[str, typer.Argument(help="Name of the bot.")]
AnyBot = Annotated[
    str | None,
    typer.Argument(help="Name of the bot; may be left out where there is one only."),
]
Portfolio = Annotated[
    str | None,
    typer.Option("--portfolio", metavar="P", help="Whose, where the database has several."),
]
OnePosition = Annotated[
    str | None, typer.Option("--position", metavar="P", help="One of its positions, by its id.")
]


def status(*, portfolio: Portfolio = None, db: Db = None, json: AsJson = False) -> None:
    """Show what the latest run holds, what each bot waits for, and what is in its way."""
    from trancher.app.book_documents import status_document
    from trancher.app.standing import standing

    found = standing(url_of(db), portfolio=portfolio)
    if json:
        print_json(status_document(found))
    else:
        _print_status(found)


def position(
    bot: AnyBot = None,
    *,
    position: OnePosition = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Show the current position of a bot, or else its last one."""
    from trancher.app.book_documents import bot_position_document
    from trancher.app.run_words import numbers
    from trancher.app.standing import standing

    found = standing(url_of(db), portfolio=portfolio)
    one = found.named(bot, position)
    held = one.shown if position is None else one.stood(position)
    assert held is not None
    if one.price is None:
        raise BadInput(
            f"{numbers(found.run)}: found no price of {one.settings.symbol} yet, expected a run "
            "that has come past some of its candles"
        )
    if json:
        print_json(bot_position_document(found, one, held))
        return
    _print_position(found, one, held)
    places = found.places(one.settings.name)
    others = [each for each in places if each.seat.active and each is not one]
    if position is None and others:
        listed = ", ".join(each.label for each in others)
        console().print(f"Open beside it, and shown by --position: {listed}.", soft_wrap=True)


def why(
    bot: AnyBot = None,
    *,
    position: OnePosition = None,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Say why a bot is not buying now, and when that ends."""
    from trancher.app import sentences
    from trancher.app.book_documents import why_document
    from trancher.app.bot_standing import shown_of
    from trancher.app.outlook import outlook
    from trancher.app.run_words import so_far
    from trancher.app.standing import standing

    found = standing(url_of(db), portfolio=portfolio)
    one = found.named(bot, position)
    places = shown_of(found.places(bot)) if position is None else (one,)
    if json:
        print_json(why_document(found, one, places))
        return
    out = console()
    out.print(f"As of {sentences.moment(found.at)}, {so_far(found.run)}:", style="dim")
    for each in places:
        # A program that reads it line by line gets the sentence as one line.
        out.print(sentences.why(found, each, outlook(found, each)), soft_wrap=not out.is_terminal)


def decisions(
    bot: AnyBot = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Show what was decided for a bot, newest first, each refusal with all its reasons."""
    from trancher.app.book_documents import decisions_document
    from trancher.app.standing import latest, opened, standing_of
    from trancher.store.reading import Books

    url = url_of(db)
    with opened(url) as database:
        books = Books(database)
        found = standing_of(books, latest(books, url=url, portfolio=portfolio))
        name = found.places(bot)[0].settings.name
        records = books.decisions(found.run, name, limit=limit)
    if json:
        print_json(decisions_document(found, name, records))
    else:
        _print_decisions(found, name, records)


def journal(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 20,
    portfolio: Portfolio = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Show the journal of the latest run, newest last."""
    from trancher.app.book_documents import journal_document
    from trancher.app.standing import latest, opened
    from trancher.store.latest import latest_entries, runs_of
    from trancher.store.reading import Books

    url = url_of(db)
    with opened(url) as database:
        books = Books(database)
        run = latest(books, url=url, portfolio=portfolio)
        entries = sum(one.entries for one in runs_of(books, run))
        lines = latest_entries(books, run, limit=limit)
    if json:
        print_json(journal_document(run, entries, lines))
    else:
        _print_journal(run, entries, lines)


def url_of(db: str | None) -> str:
    """Return the database that is meant."""
    from trancher.app.keeping import database_url

    return database_url(db, os.environ)


def print_run(out: "Console", run: "Run") -> None:
    """Say which run a look is about."""
    from trancher.app.run_words import going_in_words, numbers
    from trancher.app.sentences import moment

    several = ", one for each bot," if len(run.together) > 1 else ""
    # Of a backtest that came to its end nobody expects anything else.
    going = "" if run.finished_at is not None else f"; {going_in_words(run)}"
    out.print(
        f"{numbers(run).capitalize()} ({run.kind}){several} of {moment(run.started_at)}: "
        f"configuration {run.configuration_version} of portfolio {run.portfolio}, "
        f"hash {run.configuration_hash[:12]}{going}.",
        style="dim",
    )


def _print_status(found: "Standing") -> None:
    from trancher.app.bot_standing import shown_of
    from trancher.app.halt_words import halt_in_words
    from trancher.app.outlook import outlook
    from trancher.app.sentences import moment
    from trancher.app.sentences import why as sentence
    from trancher.core.pnl import figures

    out, limits = console(), found.settings.portfolio.limits
    print_run(out, found.run)
    out.print(
        f"As of {moment(found.at)}: {_of(len(found.active), limits.max_active_positions)} "
        f"positions active; {_of(found.trades[found.day], limits.max_daily_trades)} trades on "
        f"{found.day}; cash {quote(found.cash)} {found.run.quote}, of which "
        f"{quote(found.free_cash)} is free."
    )
    for halt in found.halts:
        lifted = f"no entries until `{halt.lifted_by}`."
        out.print(f"{halt_in_words(halt)}: {lifted}", style="red", soft_wrap=True)
    busy = {one.settings.name for one in found.active}
    for bot, version in found.keeping.items():
        until = "it holds nothing" if bot in busy else "somebody runs it"
        out.print(
            f"{bot} keeps version {version} until {until}; version {found.version} is in force.",
            soft_wrap=True,
        )
    columns = ("bot", "symbol", "now", "average", "price", "unrealized net")
    shown = table("Bots", *columns, words=3)
    places = [one for of_bot in found.by_bot for one in shown_of(of_bot)]
    for one in places:
        book, fee = one.position.book, one.position.instrument.taker_fee
        said = figures(book, taker_fee=fee, mark_price=one.price)
        shown.add_row(
            one.label,
            one.settings.symbol,
            one.position.state.name,
            price(said.average_entry_price),
            price(one.price),
            quote(said.unrealized_net),
        )
    out.print(shown)
    for one in places:
        out.print(sentence(found, one, outlook(found, one)))


def _of(count: int, most: int | None) -> str:
    return f"{count}" if most is None else f"{count} of at most {most}"


def _print_position(found: "Standing", one: "BotStanding", held: "Position") -> None:
    from trancher.app.sentences import moment
    from trancher.app.views import anchor_price
    from trancher.core.money import quotient
    from trancher.core.pnl import figures, pnl_by_tranche

    out = console()
    assert one.price is not None
    instrument, book = held.instrument, held.book
    said = figures(book, taker_fee=instrument.taker_fee, mark_price=one.price)
    print_run(out, found.run)
    scored = any(tranche.evidence is not None for tranche in book.tranches)
    shown = table(
        f"{held.id}: {held.state.name}",
        *("tranche", "opened, UTC", "because of"),
        *(["score"] if scored else []),
        *("price", "bought", "left", "unrealized", "realized"),
        words=3,
        tight=True,
    )
    by_tranche = pnl_by_tranche(book, mark_price=one.price)
    for tranche in book.tranches:
        earned = by_tranche[tranche.id]
        evidence = tranche.evidence
        shown.add_row(
            tranche.id,
            moment(tranche.opened_at).removesuffix(" UTC"),
            tranche.reason,
            *([exactly(evidence.score) if evidence else "-"] if scored else []),
            price(quotient(tranche.cost, tranche.quantity)),
            exactly(tranche.quantity),
            exactly(tranche.open_quantity),
            quote(earned.unrealized_net),
            quote(earned.realized_pnl),
        )
    out.print(shown)
    currency, anchor = instrument.quote, anchor_price(held)
    measured = f"; {_measured(one, anchor)}" if anchor else ""
    out.print(
        f"Open: {exactly(said.open_quantity)} {instrument.base} for {quote(said.open_cost)} "
        f"{currency}, average {price(said.average_entry_price)}, break-even "
        f"{price(said.break_even_price)}{measured}."
    )
    if book.adopted.quantity > 0:
        out.print(
            f"Adopted: {exactly(book.adopted.quantity)} {instrument.base} that had cost "
            f"{quote(book.adopted.cost)} {currency}."
        )
    if book.corrected.quantity > 0:
        out.print(
            f"Corrected: {exactly(book.corrected.quantity)} {instrument.base} that had cost "
            f"{quote(book.corrected.cost + book.corrected.fee)} {currency} are not there; they "
            "earned and lost nothing."
        )
    out.print(
        f"P&L in {currency}: realized {quote(said.realized_pnl)} net in "
        f"{counted(len(book.exits), 'exit')}; unrealized {quote(said.unrealized_net)} net at "
        f"{price(one.price)} ({moment(found.at)})."
    )


def _measured(one: "BotStanding", anchor: "Decimal") -> str:
    """Return what each kind of stop and gain of a bot is measured from."""
    from trancher.core.claims import Over
    from trancher.core.exits import StopLoss, TakeProfit, Trailing

    rules = [rule for rule in one.bot.plan.exits if isinstance(rule, StopLoss | Trailing)]
    overs = {
        rule.over if isinstance(rule, StopLoss | TakeProfit) else Over.ANCHOR for rule in rules
    }
    words = {
        Over.ANCHOR: f"the anchor, {price(anchor)}",
        Over.BREAK_EVEN: "the break-even price",
        Over.TRANCHE: "the price of each tranche",
    }
    said = " and ".join(words[over] for over in words if over in overs)
    return f"stops and gains are measured from {said}" if said else f"anchor {price(anchor)}"


def _print_decisions(found: "Standing", bot: str, records: "tuple[Record, ...]") -> None:
    from trancher.app.sentences import moment, outcome

    out = console()
    print_run(out, found.run)
    if not records:
        out.print(f"{bot} has decided nothing yet.")
        return
    shown = table(
        f"Decisions of {bot}, newest first", "last", "times", "what", "because of", "outcome",
        words=5,
    )  # fmt: skip
    for record in records:
        last = record.last
        refused = [outcome(one, currency=found.run.quote) for one in last.refusals]
        shown.add_row(
            moment(last.at),
            f"{record.count:,}",
            last.kind.value,
            last.reason,
            "\n".join(refused) or "accepted",
        )
    out.print(shown)


def _print_journal(run: "Run", entries: int, lines: "Sequence[tuple[int, JournalLine]]") -> None:
    from trancher.app.journal_words import in_words
    from trancher.app.sentences import moment
    from trancher.store.latest import happened_at

    out = console()
    print_run(out, run)
    of_run = ["run"] if len(run.together) > 1 else []
    columns = (*of_run, "no.", "at", "position", "what")
    shown = table(f"Journal, {entries:,} entries", *columns, words=len(columns))
    for run_id, line in lines:
        shown.add_row(
            *[str(run_id) for _ in of_run],
            f"{line.number:,}",
            moment(happened_at(line)),
            line.position_id or "",
            in_words(line.entry),
        )
    out.print(shown)
