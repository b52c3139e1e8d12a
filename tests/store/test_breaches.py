"""Breaches: books that differ from their journal stop entries, as narrowly as can be said."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from store.booth import NOON, Booth, Fair, rented
from store.kept import keep, opened_at
from store.serving import taken_down
from trancher.core.decision import Decision
from trancher.core.limits import RefusalCode
from trancher.core.order import BotName
from trancher.store import breaches, stops
from trancher.store.database import Database, open_database, upgrade_database
from trancher.store.halts import Action, Halt, Scope
from trancher.store.verify import Difference, Whose, verify

FAIR = Fair()
BROKEN = [RefusalCode.RECONCILIATION_BREAK]
LATER = NOON + timedelta(hours=1)

BEYOND = """
INSERT INTO decision SELECT portfolio_id, run_id, 900, bot_id, 'bot-7', kind, reason, price, codes,
    first_at, last_at, count FROM decision LIMIT 1
"""


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield database
    database.close()


def spoil(database: Database, statement: str) -> None:
    """Change books behind everybody's back, by a statement that changes something."""
    with database.writing() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def spoil_tranches(database: Database, position: str) -> None:
    """Make the tranches of a position cost what no fill has cost."""
    spoil(database, f"UPDATE tranche SET open_cost = '7.5' WHERE position_id = '{position}'")  # noqa: S608 our own names


def freeze(database: Database) -> tuple[Halt, ...]:
    """Stop what verify finds."""
    found = verify(database).differences
    with database.writing() as connection:
        return breaches.freeze(connection, found, at=LATER)


def standing(database: Database) -> tuple[Halt, ...]:
    """Return what is stopped."""
    with database.reading() as connection:
        return stops.standing(connection, 1)


def placed(halts: tuple[Halt, ...]) -> list[tuple[Scope, str | None, str | None]]:
    """Return over what halts reach."""
    assert {one.action for one in halts} <= {Action.BREACH}
    return [(one.scope, one.bot, one.target) for one in halts]


def codes(decision: Decision) -> list[RefusalCode]:
    """Return why an entry was refused."""
    return [refusal.code for refusal in decision.refusals]


def traded_twice(booth: Booth) -> None:
    """Close a first position, and open a second one."""
    booth.buy(NOON)
    booth.sell(NOON)
    booth.buy(NOON)


def test_a_position_whose_books_differ_buys_nothing_and_sells(database: Database) -> None:
    """
    Other bots go on; a person lifts it with the words that it names.
    """
    one, other = rented(database, FAIR, "one"), rented(database, FAIR, "other")
    assert one.buy(NOON).accepted
    assert other.buy(NOON).accepted
    spoil_tranches(database, "one-1")

    (halt,) = freeze(database)

    assert placed((halt,)) == [(Scope.POSITION, "one", "one-1")]
    assert (halt.at, halt.lifted_by) == (LATER, "trancher resume --position one-1")
    assert halt.reason.startswith("tranche (1, 1, one-1, tranche_1), open_cost: found ")
    refused = one.buy(LATER)
    assert codes(refused) == BROKEN
    assert refused.refusals[0].unblocks_when == "somebody runs trancher resume --position one-1"
    assert other.buy(LATER).accepted
    assert one.sell(LATER).accepted
    with database.writing() as connection:
        stops.lift(connection, portfolio_id=1, bot=BotName("one"), target="one-1", at=LATER)
    assert one.buy(LATER).accepted


def test_books_that_agree_stop_nothing(database: Database) -> None:
    """
    Nobody pays for having looked.
    """
    booth = rented(database, FAIR)
    booth.buy(NOON)

    assert freeze(database) == ()
    assert booth.buy(LATER).accepted


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE position SET orders_placed = 9", (Scope.BOT, "bot", None)),
        ("UPDATE run SET timezone = 'Asia/Tokyo'", (Scope.BOT, "bot", None)),
        ("UPDATE bot SET mark_price = '3'", (Scope.BOT, "bot", None)),
        ("DELETE FROM tranche WHERE position_id = 'bot-2'", (Scope.POSITION, "bot", "bot-2")),
        (
            BEYOND,
            (Scope.BOT, "bot", None),
        ),
        ("UPDATE configuration SET text = text || ' '", (Scope.PORTFOLIO, None, None)),
    ],
    ids=["two positions", "the run", "the bot", "a row gone", "a row beyond", "the configuration"],
)
def test_what_differs_is_stopped_as_narrowly_as_it_can_be_named(
    database: Database, statement: str, place: tuple[Scope, str | None, str | None]
) -> None:
    """
    A row that no journal speaks of may name a position that nobody could resume.
    """
    booth = rented(database, FAIR)
    traded_twice(booth)
    spoil(database, statement)

    assert placed(freeze(database)) == [place]

    assert codes(booth.buy(LATER)) == BROKEN


def test_a_bot_and_its_portfolio_are_lifted_each_by_itself(database: Database) -> None:
    """
    Whoever has looked at one of them has not looked at the other.
    """
    booth = rented(database, FAIR)
    booth.buy(NOON)
    spoil_tranches(database, "bot-1")
    spoil(database, "UPDATE configuration SET text = text || ' '")

    assert placed(freeze(database)) == [
        (Scope.PORTFOLIO, None, None),
        (Scope.POSITION, "bot", "bot-1"),
    ]


def test_what_is_found_again_is_stopped_once(database: Database) -> None:
    """
    Whoever verifies every hour does not pile up halts, until more of the bot differs.
    """
    booth = rented(database, FAIR)
    traded_twice(booth)
    spoil_tranches(database, "bot-1")
    first = freeze(database)
    assert freeze(database) == first == standing(database)

    spoil_tranches(database, "bot-2")
    (wider,) = freeze(database)
    assert placed((wider,)) == [(Scope.BOT, "bot", None)]
    spoil(database, "DELETE FROM tranche WHERE position_id = 'bot-1'")

    assert freeze(database) == (wider,)
    assert standing(database) == (*first, wider)


def test_two_that_verify_at_once_stop_it_once(empty_url: str) -> None:
    """
    Each looks under the lock of the portfolio whether it stands already.
    """
    databases = [opened_at(empty_url) for _ in range(4)]
    rented(databases[0], FAIR).buy(NOON)
    spoil_tranches(databases[0], "bot-1")

    with ThreadPoolExecutor(4) as pool:
        halts = list(pool.map(freeze, databases * 3))

    assert len(set(halts)) == 1
    assert standing(databases[0]) == halts[0]
    for one in databases:
        one.close()


def test_what_was_stopped_stays_so_when_the_books_agree_again(database: Database) -> None:
    """
    Somebody has to say that he knows what it was.
    """
    booth = rented(database, FAIR)
    booth.buy(NOON)
    spoil(database, "UPDATE position SET orders_placed = orders_placed + 5")
    freeze(database)
    spoil(database, "UPDATE position SET orders_placed = orders_placed - 5")

    assert freeze(database) == ()
    assert codes(booth.buy(LATER)) == BROKEN


def test_a_backtest_that_differs_stops_nobody(database: Database) -> None:
    """
    It trades nothing; verify tells of it all the same.
    """
    booth = rented(database, FAIR)
    keep(database, hours=10)
    spoil(database, "UPDATE tranche SET open_cost = '7.5'")

    assert verify(database).differences != ()
    assert freeze(database) == ()
    assert booth.buy(LATER).accepted


def test_a_missing_guard_stops_nobody(database: Database) -> None:
    """
    It is of no bot, and nothing differs yet.
    """
    booth = rented(database, FAIR)
    booth.buy(NOON)
    on = "" if database.path is not None else " ON fill"
    with database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER fill_no_delete{on}"))

    assert [one.column for one in verify(database).differences] == ["trigger"]
    assert freeze(database) == ()


def test_a_reason_is_one_line_that_can_be_read(database: Database) -> None:
    """
    Whatever a damaged file holds where a text was.
    """
    rented(database, FAIR)
    odd = Difference(
        whose=Whose(portfolio_id=1, run_id=1),
        table="run",
        row="1, 1",
        column="timezone",
        stored="\x1b[2J\n" + "x" * 999,
        expected="'UTC'",
    )
    with database.writing() as connection:
        (halt,) = breaches.freeze(connection, [odd] * 1001, at=LATER)

    assert halt.reason.isprintable()
    assert len(halt.reason) < 250
    assert halt.reason.endswith("xxx...; and 1,000 more")


def test_halts_outlive_a_schema_that_knows_no_breach(empty_url: str) -> None:
    """
    Down and up again: each holds back what it held back; a breach is a freeze from then on.
    """
    database = opened_at(empty_url)
    rented(database, FAIR)
    with database.writing() as connection:
        for action in Action:
            stops.place(
                connection,
                portfolio_id=1,
                scope=Scope.POSITION,
                bot=BotName("bot"),
                target=f"bot-{action}",
                action=action,
                share=Decimal("0.25") if action is Action.REDUCE else None,
                reason="a test",
                at=NOON,
            )
        stops.lift(connection, portfolio_id=1, bot=BotName("bot"), target="bot-cancel", at=LATER)
    before = standing(database)
    database.close()

    taken_down(empty_url, to="0005")
    assert upgrade_database(empty_url, progress=None) == "0005"

    database = open_database(empty_url, mode=None)
    assert standing(database) == tuple(
        replace(one, action=Action.FREEZE) if one.action is Action.BREACH else one
        for one in before
    )
    spoil(database, "UPDATE halt SET action = 'breach' WHERE target = 'bot-cancel'")
    database.close()
