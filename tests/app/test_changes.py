"""What changes between two configurations, by what they mean."""

import pytest

from store.kept import TEXT, configured
from trancher.app.changes import Change, bot_table, changes

RENAMED = TEXT.replace('name = "seldom"', 'name = "never"')


def between(old: str, new: str) -> tuple[Change, ...]:
    """Return what changes from one text to another."""
    return changes(configured(old).meaning, configured(new).meaning)


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ("cash = 500", "cash = 600", (None, "portfolio.cash", "500", "600")),
        ("max_daily_trades = 40", "", (None, "portfolio.max_daily_trades", "40", "10")),
        (
            "max_daily_trades = 40",
            'max_daily_trades = "off"',
            (None, "portfolio.max_daily_trades", "40", "off"),
        ),
        ("min_notional = 5", "", (None, 'instrument."ETH/USD".min_notional', "5", None)),
        ("0.05%", "1%", (None, "backtest.slippage", "0.0005", "0.01")),
        ("size = 20", "size = 21", ("seldom", "entry.size", "20", "21")),
        ('tranche_cooldown = "4h"', "", ("seldom", "limits.tranche_cooldown", "4h", "15m")),
        ('stop_loss = "2%"', 'stop_loss = "3%"', ("often", "exit.stop_loss.loss", "0.02", "0.03")),
        ("0.7%", "8%", ("often", "exit.take_profit[2].gain", "0.007", "0.08")),
        ("33%", "50%", ("often", "exit.take_profit[1].sell", "0.33", "0.5")),
    ],
)
def test_a_changed_key_is_told_with_both_values(
    written: str, instead: str, expected: tuple[str | None, str, str | None, str | None]
) -> None:
    """
    And no other: what a person reads before money moves by it has to be short and whole.
    """
    (found,) = between(TEXT, TEXT.replace(written, instead))

    assert (found.bot, found.key, found.old, found.new) == expected


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("cash = 500", "cash = 500.00  # to begin with"),
        ('stop_loss = "2%"', "stop_loss = 0.02"),
        ('every = "2h"', 'every = "120m"'),
        ("max_position_size = 60\nmax_tranches = 9", "max_tranches = 9\nmax_position_size = 60"),
        ("[bot.exit]", "\n[bot.exit]"),
    ],
)
def test_another_spelling_is_no_change(written: str, instead: str) -> None:
    """
    Who only tidies up must not be told that something else will be bought.
    """
    assert written in TEXT
    assert between(TEXT, TEXT.replace(written, instead)) == ()


def test_bots_are_known_by_their_names() -> None:
    """
    Their order says nothing; one of another name is another bot, with all its keys.
    """
    head, first, second = TEXT.partition("[[bot]]")[0], *TEXT.split("[[bot]]")[1:]
    turned = f"{head}[[bot]]{second}\n[[bot]]{first}"

    found = between(TEXT, RENAMED)

    assert between(TEXT, turned) == ()
    assert {(one.bot, one.new is None) for one in found} == {("seldom", True), ("never", False)}
    assert sum(one.bot == "seldom" for one in found) == sum(one.bot == "never" for one in found)


def test_the_table_of_a_bot_has_its_defaults() -> None:
    """
    What is in force is all of it, not only what was written down.
    """
    table = bot_table(configured().meaning, "seldom")

    assert table["limits"] == {
        "max_position_size": "60",
        "max_tranches": 9,
        "min_tranche_size": "10",
        "max_tranche_size": "50",
        "tranche_cooldown": "4h",
        "reserve_funds": "ladder",
    }
