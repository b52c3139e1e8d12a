"""What people ask of bots with several positions: which one is meant, and what is left alone."""

from pathlib import Path

import pytest

from command_line import candles, config, done, trancher
from running.asking import BOOKS, asked
from running.floor import copied

TEXT = """
[portfolio]
quote = "USD"
cash = 1000
max_active_positions = "off"
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
maker_fee = 0
taker_fee = 0
[[bot]]
name = "both"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = 0
[[bot.strategy]]
name = "hold"
entry = {plan = "dca", size = 20, every = "9d", max_tranches = 2}
exit = {take_profit = [{gain = "50%", sell = "rest"}]}
[[bot.strategy]]
name = "swing"
entry = {plan = "dca", size = 30, max_tranches = 1}
exit = {trailing_stop = {activate = "10%", trail = "5%"}}
[[bot]]
name = "late"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = 0
[bot.signals]
macd = {max_age = "12h"}
[bot.entry]
plan = "signals"
steps = [{signal = "macd_bullish_cross", size = 20}]
[bot.exit]
trailing_stop = {activate = "10%", trail = "5%"}
"""
EARLY = ("100 100 100 100", "100 100 100 100", "100 130 100 100", "100 100 100 100")
RUN = ("run", "c.toml", "--db", BOOKS, "--replay")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end: one holds in two places, one nothing."""
    folder = tmp_path_factory.mktemp("kept")
    config(
        folder / "c.toml",
        TEXT.replace('trailing_stop = {activate = "10%"', 'trailing_stop = {activate = "40%"', 1),
    )
    candles(folder / "c.csv", *EARLY)
    candles(folder / "more.csv", *EARLY, *["100 100 100 100"] * 5)
    assert trancher(*RUN, "c.csv", folder=folder).code == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return copied(kept, tmp_path)


def held(folder: Path, bot: str = "both") -> dict[str, str]:
    """Return what each open position of a bot holds."""
    document = done("status", "--json", "--db", BOOKS, folder=folder).document
    return {
        one["position_id"]: one["open_quantity"]
        for place in document["bots"]
        if place["bot"] == bot
        for one in place.get("positions", [place])
        if one["open_quantity"] != "0"
    }


AMBIGUOUS = ("sell both", "add both --size 20", "sell both --share 50%")


@pytest.mark.parametrize("words", AMBIGUOUS)
def test_where_several_can_be_meant_the_person_is_asked(folder: Path, words: str) -> None:
    """
    A guess could sell the wrong one: nothing is done, and the choices are listed.
    """
    before = held(folder)

    said = asked(folder, words)

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "bot both: found several positions, expected one of them by --position: both-1, both-2\n"
    )
    assert held(folder) == before == {"both-1": "0.20000000", "both-2": "0.30000000"}


def test_a_position_is_sold_and_bought_by_its_name(folder: Path) -> None:
    """
    The other one is left as it is; once it is alone it need not be named.
    """
    assert asked(folder, "sell both --position both-2 --share 50%").code == 0
    assert held(folder) == {"both-1": "0.20000000", "both-2": "0.15000000"}
    assert asked(folder, "add both --position both-1 --size 10").code == 0
    assert held(folder) == {"both-1": "0.30000000", "both-2": "0.15000000"}
    assert asked(folder, "sell both --position both-2").code == 0

    assert asked(folder, "sell both").code == 0

    assert held(folder) == {}
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_a_purchase_opens_the_next_position_where_it_is_named_so(folder: Path) -> None:
    """
    Without a name the first one opens, and more is bought into it; max_positions holds.
    """
    codes = [
        asked(folder, f"add late --size 20{more}").code
        for more in ("", "", " --position late-2", " --position late-3", " --position late-9")
    ]

    assert codes == [0, 0, 0, 1, 2]
    assert held(folder, "late") == {"late-1": "0.40000000", "late-2": "0.20000000"}


def test_a_stop_of_a_position_sells_that_one(folder: Path) -> None:
    """
    By its id, or a tranche of it; one of the bot sells all of them.
    """
    unclear = asked(folder, "stop --action flatten --bot both --tranche tranche_1")
    assert unclear.code == 2
    assert "expected one of them by --position: both-1, both-2" in unclear.err
    assert asked(folder, "stop --action flatten --position both-1 --tranche tranche_1").code == 0
    assert held(folder) == {"both-2": "0.30000000"}
    assert asked(folder, "resume --position both-1 --tranche tranche_1").code == 0
    assert asked(folder, "stop --action reduce --share 50% --position both-2").code == 0
    assert held(folder) == {"both-2": "0.15000000"}
    assert asked(folder, "resume --position both-2").code == 0

    assert asked(folder, "stop --action flatten --bot both").code == 0

    assert held(folder) == {}


@pytest.mark.parametrize("action", ["flatten", "reduce --share 50%"])
def test_a_stop_of_all_reaches_every_position(folder: Path, action: str) -> None:
    """
    An emergency asks nobody which of them is meant.
    """
    assert asked(folder, f"stop --action {action}").code == 0

    left = {"both-1": "0.10000000", "both-2": "0.15000000"}
    assert held(folder) == ({} if action == "flatten" else left)


def test_what_was_bought_by_hand_knows_nothing_of_the_candles_before_it(folder: Path) -> None:
    """
    A price of 130 was before it, so no trailing stop has fallen from there when the bot goes on.
    """
    assert asked(folder, "add late --size 20").code == 0

    assert trancher(*RUN, "more.csv", folder=folder).code == 0

    assert held(folder, "late") == {"late-1": "0.20000000"}
    shown = done("position", "late", "--json", "--db", BOOKS, folder=folder).document
    assert shown["position_id"] == "late-1"
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_a_holding_goes_to_the_position_that_is_named(folder: Path) -> None:
    """
    Where several are open the person is asked; a bot that has as many as it may takes no more.
    """
    holding = "--quantity 1 --price 50"
    unclear = asked(folder, f"adopt both {holding}")
    full = asked(folder, f"adopt both {holding} --position both-3")
    gone = asked(folder, "correct both --quantity 0.1 --reason x --yes")

    assert asked(folder, f"adopt both {holding} --position both-2").code == 0
    assert held(folder) == {"both-1": "0.20000000", "both-2": "1.30000000"}
    assert asked(folder, "correct both --undo --yes").code == 0
    less = "correct both --quantity 0.1 --reason x --position both-1 --yes"
    assert asked(folder, less).code == 0
    assert held(folder) == {"both-1": "0.10000000", "both-2": "0.30000000"}
    several = "found several positions, expected one of them by --position: both-1, both-2\n"
    assert [unclear.err, gone.err] == [f"bot both: {several}"] * 2
    assert full.err.startswith(
        "bot both: found no position both-3, expected one of both-1, both-2"
    )
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_a_holding_opens_the_next_position_as_far_as_there_is_room(folder: Path) -> None:
    """
    One more by the number that comes next; what max_positions says holds for holdings too.
    """
    holding = "adopt late --quantity 1 --price 50"
    said = [
        asked(folder, f"{holding}{more}")
        for more in ("", " --position late-2", " --position late-3", " --position late-9")
    ]

    assert [one.code for one in said] == [0, 0, 2, 2]
    assert held(folder, "late") == {"late-1": "1", "late-2": "1"}
    assert said[2].err == ("bot late: found 2 positions, expected fewer than max_positions, 2\n")
