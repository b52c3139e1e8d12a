"""`trancher plan --add` and `--sell`: a position before and after one more trade, by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command_line import candles, config, done, trancher

# One unit at 100 and one at 200: a ladder that climbs, on a market that doubles.
CLIMB = """
[portfolio]
quote = "USD"
cash = 1000
max_daily_trades = 5
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
maker_fee = 0
taker_fee = 0
[[bot]]
name = "climb"
symbol = "BTC/USD"
[bot.limits]
max_position_size = 500
max_tranches = 4
max_tranche_size = 300
tranche_cooldown = "90m"
reserve_funds = "none"
[bot.entry]
plan = "ladder"
base_size = 100
levels = [{drop = "-100%", size = 200}, {drop = "-200%", size = 50}]
[bot.exit]
take_profit = [{gain = "200%", sell = "rest"}]
stop_loss = "50%"
disposal = "fifo"
"""
BOOKS = "sqlite:///books.db"
DOUBLES = ("100 100 100 100", "100 100 100 100", "100 200 100 200", "200 200 200 200")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with books of a position that holds one unit at 100 and one at 200."""
    config(tmp_path / "c.toml", CLIMB)
    candles(tmp_path / "candles.csv", *DOUBLES)
    said = trancher("backtest", "c.toml", "--data", "candles.csv", "--db", BOOKS, folder=tmp_path)
    assert said.code == 0
    return tmp_path


def asked(folder: Path, *options: str, price: str = "250") -> Any:
    """Return what is answered about one more trade."""
    words = ("plan", "c.toml", "--price", price, "--json", *options)
    return done(*words, folder=folder).document["what_if"]


def test_a_sale_is_shown_under_every_rule_and_booked_by_that_of_the_bot(place: Path) -> None:
    """
    The worked case of SPEC 4: +150, +50, +50, +100. Under fifo the unit at 200 is left.
    """
    said = asked(place, "--sell", "50%", "--db", BOOKS)

    sale = said["sell"]
    realized = {rule: Decimal(pnl) for rule, pnl in sale["realized_pnl"].items()}
    assert realized == {"fifo": 150, "lifo": 50, "hifo": 50, "average": 100}
    assert (sale["quantity"], sale["disposal"], sale["refusals"]) == ("1", "fifo", [])
    assert [Decimal(said[when]["quantity"]) for when in ("before", "after")] == [2, 1]
    assert [Decimal(said[when]["open_cost"]) for when in ("before", "after")] == [300, 200]
    assert [said[when]["average_entry_price"] for when in ("before", "after")] == ["150", "200"]
    assert Decimal(said["after"]["realized_pnl"]) == 150


def test_a_sale_leaves_the_anchor_and_what_is_measured_from_it(place: Path) -> None:
    """
    A bookkeeping choice never moves a stop: the anchor stays at 150 though the average does not.
    """
    said = asked(place, "--sell", "0.5", "--db", BOOKS)

    for when in ("before", "after"):
        assert said[when]["anchor_price"] == "150"
        assert said[when]["stop_price"] == "75"
        assert said[when]["target_price"] == "450"


def test_an_entry_moves_the_average_the_anchor_and_the_levels(place: Path) -> None:
    """
    1.2 more units at 250 are 300: 600 paid for 3.2 units are 187.50 each, and the stop half of it.
    """
    said = asked(place, "--add", "300", "--db", BOOKS)

    after = said["after"]
    assert Decimal(after["quantity"]) == Decimal("3.2")
    assert after["average_entry_price"] == after["anchor_price"] == "187.5"
    assert (after["stop_price"], after["target_price"]) == ("93.75", "562.5")
    # The ladder goes on from where it is: its next order waits at three times the first.
    assert said["before"]["next_entry_price"] == after["next_entry_price"] == "300"


def test_a_limit_that_refuses_the_entry_is_told_with_all_others(place: Path) -> None:
    """
    600 is above 500; and the 90 minutes after the last entry at 2:59:59 are not over at 4.
    """
    add = asked(place, "--add", "300", "--db", BOOKS)["add"]

    assert (add["size"], add["fits"]) == ("300", False)
    told = {one["code"]: one for one in add["refusals"]}
    assert set(told) == {"MAX_POSITION_SIZE", "COOLDOWN"}
    assert told["MAX_POSITION_SIZE"]["missing"] == "100"
    assert told["COOLDOWN"]["unblocks_at"] == "2024-01-01T04:29:59.999999Z"


def test_a_refusal_is_no_failure_of_the_question(place: Path) -> None:
    """
    Nobody has asked to buy: it is said, and the exit code is 0.
    """
    said = done("plan", "c.toml", "--price", "250", "--add", "300", "--db", BOOKS, folder=place)

    assert "Refused: 300.00 USD at 250.00, shown as if it were let through." in said.words
    assert "MAX_POSITION_SIZE: 600.00 against 500.00 USD, 100.00 over, until" in said.words
    assert "climb-1: as run 1 left it, at 250.00" in said.words
    assert "average 150.00 187.50" in said.words


def test_both_are_asked_in_that_order(place: Path) -> None:
    """
    100 buys 0.4 units at 250; half of the 2.4 are sold, the unit at 100 first.
    """
    said = asked(place, "--add", "100", "--sell", "50%", "--db", BOOKS)

    assert Decimal(said["sell"]["quantity"]) == Decimal("1.2")
    assert Decimal(said["sell"]["realized_pnl"]["fifo"]) == 150 + 10
    assert Decimal(said["after"]["quantity"]) == Decimal("1.2")


def test_without_books_it_begins_with_nothing(place: Path) -> None:
    """
    What a first purchase would come to, the limits asked as for any other.
    """
    said = asked(place, "--add", "250")

    assert said["position"] == "from nothing"
    assert said["add"] == {"size": "250", "fits": True, "refusals": []}
    assert Decimal(said["before"]["quantity"]) == 0
    assert said["before"]["average_entry_price"] is None
    assert Decimal(said["after"]["quantity"]) == 1
    assert said["after"]["stop_price"] == "125"


def test_the_environment_names_the_books_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As for every command that reads them; a plan alone reads none.
    """
    monkeypatch.setenv("TRANCHER_DB", BOOKS)

    assert asked(place, "--sell", "50%")["position"] == "as run 1 left it"
    monkeypatch.setenv("TRANCHER_DB", "sqlite:///gone.db")
    assert trancher("plan", "c.toml", "--price", "100", folder=place).code == 0


def test_a_look_writes_nothing(place: Path) -> None:
    """
    Books, folder and all are as they were, to the byte.
    """
    before = {path.name: path.read_bytes() for path in place.iterdir()}

    asked(place, "--add", "100", "--sell", "50%", "--db", BOOKS)

    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_another_configuration_is_said_to_be_another(place: Path) -> None:
    """
    Its limits are asked, and the position has been built under other ones.
    """
    config(place / "c.toml", CLIMB.replace("max_position_size = 500", "max_position_size = 700"))

    said = asked(place, "--add", "300", "--db", BOOKS)

    assert said["position"] == "as run 1 left it, under another configuration"
    assert [one["code"] for one in said["add"]["refusals"]] == ["COOLDOWN"]


def test_a_sale_takes_a_remainder_along_that_could_not_be_sold(place: Path) -> None:
    """
    Two units at 250 are 500: 99 % would leave 5, and the exchange takes 6 at least.
    """
    least = CLIMB.replace("taker_fee = 0\n", "taker_fee = 0\nmin_notional = 6\n")
    config(place / "c.toml", least)
    trancher("backtest", "c.toml", "--data", "candles.csv", "--db", BOOKS, folder=place)

    said = asked(place, "--sell", "99%", "--db", BOOKS)

    assert Decimal(said["sell"]["quantity"]) == 2
    assert Decimal(said["after"]["quantity"]) == 0


def test_a_sale_that_the_exchange_does_not_take_changes_nothing(place: Path) -> None:
    """
    1 % of two units at 250 is worth 5.
    """
    least = CLIMB.replace("taker_fee = 0\n", "taker_fee = 0\nmin_notional = 6\n")
    config(place / "c.toml", least)
    trancher("backtest", "c.toml", "--data", "candles.csv", "--db", BOOKS, folder=place)

    said = asked(place, "--sell", "1%", "--db", BOOKS)

    assert [one["code"] for one in said["sell"]["refusals"]] == ["MIN_NOTIONAL"]
    assert said["sell"]["realized_pnl"] == {}
    assert said["after"] == said["before"]
    words = ("plan", "c.toml", "--price", "250", "--sell", "1%", "--db", BOOKS)
    assert "The exchange takes no sale of 0.02 BTC at 250.00. MIN_NOTIONAL: 5.00 against" in (
        done(*words, folder=place).words
    )


def test_slippage_and_fees_are_those_of_the_configuration(tmp_path: Path) -> None:
    """
    101 is paid for what costs 100, and 1 % on top: 100 buy 0.99009900 for 99.999999 + 0.99999999;
    sold at 99 they bring 98.019801 - 0.98019801, which is 3.96039600 less than was paid.
    """
    fees = CLIMB.replace("taker_fee = 0\n", 'taker_fee = "1%"\n')
    config(tmp_path / "c.toml", fees, '[backtest]\nslippage = "1%"')

    said = asked(tmp_path, "--add", "100", "--sell", "100%", price="100")

    assert Decimal(said["after"]["realized_pnl"]) == Decimal("-3.96039600")
    assert Decimal(said["after"]["quantity"]) == 0


def test_a_position_that_is_being_closed_is_not_traded(tmp_path: Path) -> None:
    """
    A tenth of the last candle's volume of 1 may be sold: the rest of the unit is still to go.
    """
    config(tmp_path / "c.toml", CLIMB, '[backtest]\nparticipation = "10%"')
    file = candles(tmp_path / "candles.csv", *DOUBLES[:2], "100 100 40 40")
    quiet = file.read_text(encoding="utf-8")
    file.write_text(quiet.replace("100,100,100,100,1\n", "100,100,100,100,50\n"))
    trancher("backtest", "c.toml", "--data", "candles.csv", "--db", BOOKS, folder=tmp_path)

    words = ("plan", "c.toml", "--price", "40", "--sell", "50%", "--db", BOOKS)
    said = trancher(*words, folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "--db: found climb-1 selling all, expected a position that is not being closed\n"
    )


BAD = [
    (["--add", "0"], "--add: found 0, expected an amount of quote above 0"),
    (["--add", "-5"], "--add: found -5, expected an amount of quote above 0"),
    (["--add", "nan"], "--add: found 'nan', expected a plain decimal number"),
    (["--add", "<script>"], "--add: found '<script>', expected a plain decimal number"),
    (
        ["--sell", "0"],
        "--sell: found '0', expected a share of what is held, above 0 % and at most",
    ),
    (["--sell", "-1%"], "--sell: found '-1%', expected a share of what is held"),
    (["--sell", "101%"], "--sell: found '101%', expected a share of what is held"),
    (["--sell", "2"], "--sell: found '2', expected a share of what is held"),
    (["--sell", "all"], "--sell: found 'all', expected a plain decimal number"),
    (["--sell", "50%"], "--sell: found nothing held, expected a position; --db names its books"),
    (["--db", BOOKS], f"--db: found {BOOKS} alone, expected --add or --sell beside it"),
    (["--add", "50", "--db", "sqlite:///gone.db"], "gone.db: found no such file, expected"),
    (["--add", "50", "--db", "books.db"], "database: found 'books.db', expected a URL"),
]


@pytest.mark.parametrize(("options", "sentence"), BAD, ids=[" ".join(one[0]) for one in BAD])
def test_a_bad_question_is_told_in_one_sentence(
    place: Path, options: list[str], sentence: str
) -> None:
    """
    Nothing can be answered about a trade that was misread.
    """
    said = trancher("plan", "c.toml", "--price", "250", *options, folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "climb"', 'name = "clim"', "bot: found 'clim', expected one of run 1: climb"),
        ("BTC/USD", "ETH/USD", "--db: found climb on BTC/USD, expected it on ETH/USD"),
    ],
)
def test_the_position_of_somebody_else_is_not_taken_for_the_bots(
    place: Path, old: str, new: str, sentence: str
) -> None:
    """
    A name or a symbol that has changed means another bot.
    """
    config(place / "c.toml", CLIMB.replace(old, new))

    said = trancher("plan", "c.toml", "--price", "9", "--add", "50", "--db", BOOKS, folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(sentence)
