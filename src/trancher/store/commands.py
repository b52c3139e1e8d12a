"""Commands: what people ask of running bots, from any process, and what came of it.

A command is a row that the holder of the bot's lease carries out between two steps; its answer is
written in the transaction of what it did. The same key is one command, however often it is sent.

Invariants:
1. A command is carried out once, or not yet.
2. One key has one body: the same key with another one is refused.
3. No entry is carried out later than LASTS after it was asked, nor after it was withdrawn: it was
   asked for at the price of its time. What sells is carried out whenever somebody runs the bot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from trancher.core.decision import Decision
from trancher.core.lifecycle import State
from trancher.core.order import BotName, PositionId, TrancheId
from trancher.store import configurations, sharing, tables
from trancher.store.codec import LATER, Codec
from trancher.store.entries import plain
from trancher.store.errors import StoreError, UnreadableText

LASTS: Final = timedelta(seconds=10)
"""How long an entry may have been asked for, and whoever asks waits for an answer."""


class Deed(StrEnum):
    """What is asked of a bot."""

    ADD = "add"
    SELL = "sell"
    CANCEL = "cancel"
    FLATTEN = "flatten"
    REDUCE = "reduce"
    ADOPT = "adopt"
    CORRECT = "correct"
    UNDO = "undo"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A signal from outside, as it is handed to a bot.

    Attributes:
        name: of the signal, as the bot lists it.
        score: -1 to 1, in steps of 1e-9; None where it is an event.
        event: its name; None where it is a score.
        key: by which it is handed in once; None for one that has none.
        duplicate: whether another signal had that key, so that this one is refused.
    """

    name: str
    score: Decimal | None = None
    event: str | None = None
    key: str | None = None
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is asked of a bot, and by which words it is kept.

    Attributes:
        size: quote to buy for, before fees; of an add.
        share: of what is held, to sell, 0 < share <= 1; of a sale without a tranche, and of each
            position that is reduced.
        tranche: to sell.
        price: quote per base, at which the paper exchange fills it; None for the last known one.
        reason: in words.
        position: whose it is; None where the bot has but one that can be meant, and for all of
            them where that is asked.
        quantity: base; of an adoption what is there, of a correction what is left.
        cost: quote that an adopted holding had cost, fees included.
        said: the signal that is handed in, which is for all positions.
    """

    deed: Deed
    reason: str
    size: Decimal | None = None
    share: Decimal | None = None
    tranche: TrancheId | None = None
    price: Decimal | None = None
    position: PositionId | None = field(default=None, metadata=LATER)
    quantity: Decimal | None = field(default=None, metadata=LATER)
    cost: Decimal | None = field(default=None, metadata=LATER)
    said: Said | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a position without a trade.

    Attributes:
        state: after it.
        held, left: base before and after.
        cost, cost_left: quote, the cost basis of them.
    """

    position: PositionId
    state: State
    held: Decimal
    left: Decimal
    cost: Decimal
    cost_left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a command.

    Attributes:
        decisions: what was decided, in order; none where there was nothing to do.
        problem: why it could not be carried out at all, in one sentence.
        changed: what was adopted, corrected or undone; None for what is a trade.
    """

    decisions: tuple[Decision, ...] = ()
    problem: str | None = None
    changed: Changed | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command that waits.

    Attributes:
        number: counts the commands of the portfolio.
        at: when it was asked, by the database's time.
    """

    number: int
    command: Command
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A command that was asked.

    Attributes:
        number: by which its answer is found.
        again: whether it had been asked before, by the same key and in the same words.
    """

    number: int
    again: bool = False


class OtherCommand(StoreError):
    """The key of a command was used for another one."""


COMMANDS: Final = Codec[Command](Command, name="command")
ANSWERS: Final = Codec[Answer](Answer, name="answer to a command")


def ask(
    connection: Connection,
    *,
    portfolio_id: int,
    bot: BotName,
    command: Command,
    key: str | None,
    at: datetime,
) -> Placed:
    """Ask something of a bot.

    Args:
        key: names the command, so that it may be sent twice; None for one that is not.
        at: by the database's time.

    Raises:
        OtherCommand: the key was used for something else.
    """
    sharing.lock(connection, portfolio_id)
    table, payload = tables.command, COMMANDS.encode(command)
    of_bot = (table.c.portfolio_id == portfolio_id, table.c.bot == bot)
    if key is not None:
        known = connection.execute(select(table).where(*of_bot, table.c.key == key)).one_or_none()
        if known is not None:
            if known.payload != payload:
                raise OtherCommand(
                    where=f"bot {bot}, command {key}",
                    found="another command of that name",
                    expected="a name of its own",
                )
            assert isinstance(known.number, int)
            return Placed(number=known.number, again=True)
    highest = select(func.max(table.c.number)).where(table.c.portfolio_id == portfolio_id)
    number = configurations.next_number(connection, highest)
    row = {
        "portfolio_id": portfolio_id,
        "number": number,
        "bot": bot,
        "payload": payload,
        "key": key,
        "asked_at": at,
        "answered_at": None,
        "answer": None,
    }
    connection.execute(insert(table), row)
    return Placed(number=number)


def is_known(connection: Connection, *, portfolio_id: int, bot: BotName, key: str) -> bool:
    """Say whether something was asked of a bot by that name before."""
    table = tables.command
    known = select(table.c.number).where(
        table.c.portfolio_id == portfolio_id, table.c.bot == bot, table.c.key == key
    )
    return connection.execute(known).first() is not None


def waiting(
    connection: Connection, *, portfolio_id: int, bot: BotName
) -> tuple[tuple[Asked, ...], Mapping[int, UnreadableText]]:
    """Return what was asked of a bot and not answered yet, oldest first.

    Beside it stands, by its number, what this program does not understand: a newer one may know
    more deeds.
    """
    table = tables.command
    found = connection.execute(
        select(table.c.number, table.c.payload, table.c.asked_at)
        .where(
            table.c.portfolio_id == portfolio_id,
            table.c.bot == bot,
            table.c.answered_at.is_(None),
        )
        .order_by(table.c.number)
    )
    asked: list[Asked] = []
    strange: dict[int, UnreadableText] = {}
    for row in found:
        try:
            command = COMMANDS.decode(row.payload)
        except UnreadableText as problem:
            strange[row.number] = problem
        else:
            asked.append(Asked(number=row.number, command=command, at=row.asked_at))
    return tuple(asked), strange


def withdraw(
    connection: Connection, *, portfolio_id: int, number: int, said: Answer, at: datetime
) -> bool:
    """Take back a command that nobody has answered; say whether that was so.

    Its key is free again: whoever sends it once more asks for something new.
    """
    table = tables.command
    taken = connection.execute(
        update(table)
        .where(
            table.c.portfolio_id == portfolio_id,
            table.c.number == number,
            table.c.answered_at.is_(None),
        )
        .values(answer=ANSWERS.encode(said), answered_at=at, key=None)
    )
    return taken.rowcount == 1


def answer(
    connection: Connection, *, portfolio_id: int, number: int, said: Answer, at: datetime
) -> None:
    """Write what came of a command."""
    table = tables.command
    said = replace(said, decisions=tuple(map(plain, said.decisions)))
    connection.execute(
        update(table)
        .where(table.c.portfolio_id == portfolio_id, table.c.number == number)
        .values(answer=ANSWERS.encode(said), answered_at=at)
    )


def answer_of(connection: Connection, *, portfolio_id: int, number: int) -> Answer | None:
    """Return what came of a command; None while it waits."""
    table = tables.command
    text = connection.execute(
        select(table.c.answer).where(
            table.c.portfolio_id == portfolio_id, table.c.number == number
        )
    ).scalar_one()
    return None if text is None else ANSWERS.decode(text)
