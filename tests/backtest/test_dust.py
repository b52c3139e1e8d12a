"""Dust over several positions of a bot: left over, kept on its line, swept up by a later sale."""

from decimal import Decimal
from pathlib import Path
from typing import Final

from backtest.scripted import Prices, configuration, only_seat, run, tape
from command_line import candles, config, done
from trancher.backtest.summary import books_balance, summaries

TERMS: Final = 'fee_in = "base"\ntaker_fee = "4%"\nmaker_fee = 0\nquantity_step = 0.1'
ONCE: Final = 'plan = "dca"\nsize = 100\nmax_tranches = 1'
LEAVE: Final = 'take_profit = [{gain = "10%", sell = "rest"}]'
# The fee of 4 % leaves 0.96 of 1: 0.9 are sold and 0.06 are dust, at each round.
ROUND: Final[list[Prices]] = [(100, 100, 100, 100), (100, 100, 100, 100), (100, 120, 100, 100)]


def test_what_two_positions_left_over_the_next_one_sells() -> None:
    """
    0.06 are too little; with the 0.06 of the second position the step of 0.1 is reached: it sells
    1.0, and 0.02 stay on the line.
    """
    done_ = run(configuration(ONCE, LEAVE, terms=TERMS), ROUND * 2)

    sold = [line.split()[2] for line in tape(done_) if " sell " in line]
    assert sold == ["0.9", "1"]
    first, second = only_seat(done_).closed
    assert (first.book.dust_quantity, second.book.dust_quantity) == (Decimal("0.06"), Decimal(0))
    assert second.book.swept.quantity == Decimal("0.04")
    assert second.book.line.quantity == Decimal("0.02")
    assert only_seat(done_).position.book.line.quantity == Decimal("0.02")
    assert [match.tranche_id for match in second.book.exits[0].matches] == ["tranche_1", "dust"]


def test_the_books_balance_with_the_cash_over_all_positions() -> None:
    """
    Bought once, swept once: no cost is lost on the way, and none is counted twice.
    """
    done_ = run(configuration(ONCE, LEAVE, terms=TERMS), ROUND * 4)

    (bot,) = summaries(done_)
    assert books_balance((bot,), cash_before=Decimal(1000), cash_after=done_.engine.treasury.cash)
    line = only_seat(done_).position.book.line
    assert bot.figures.dust_cost == line.cost + line.fee
    assert 0 < line.quantity < Decimal("0.1")


def test_books_on_disk_prove_the_line_too(tmp_path: Path) -> None:
    """
    What a position may sweep up follows from the journal of those before it.
    """
    text = configuration(ONCE, LEAVE, terms=TERMS).replace("ACME/USD", "BTC/USD")
    config(tmp_path / "c.toml", text)
    candles(tmp_path / "c.csv", *(" ".join(map(str, row)) for row in ROUND * 5))
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///b.db", folder=tmp_path)

    proved = done("verify", "--db", "sqlite:///b.db", folder=tmp_path)
    said = done("backtest", "c.toml", "--data", "c.csv", "--json", folder=tmp_path).document

    assert "everything that is stored follows from the journal" in proved.words
    assert [one["dust_swept"]["quantity"] for one in said["positions"]][:2] == [
        "0",
        "0.040000000000",
    ]
