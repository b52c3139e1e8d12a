"""`trancher ledger` from file to document and table: the worked figures, to the digit."""

import json
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from trancher.app.commands.ledger import ledger
from trancher.app.ledger import document, read_report
from trancher.core.pnl import Figures
from trancher.core.tranches import Disposal

HEADER = "time,side,price,quantity,fee,fee_asset,trade_id,tranche"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fills.csv"
MAIN = [field.name for field in fields(Figures)]
app = typer.Typer()
app.command()(ledger)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fills.csv"


def run(file: Path, *options: str) -> dict[str, Any]:
    """Return the JSON that the command prints."""
    result = CliRunner().invoke(app, [str(file), "--json", *options], catch_exceptions=False)
    assert result.exit_code == 0
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def told_of(file: Path, rows: str, *options: str) -> dict[str, Any]:
    """Write `side,price,quantity,fee,fee_asset,tranche` rows and run the command."""
    lines = "\n".join(f",{line.strip()}" for line in rows.strip().splitlines())
    file.write_text(f"time,side,price,quantity,fee,fee_asset,tranche\n{lines}\n")
    return run(file, *options)


def number(text: str) -> Decimal:
    return Decimal(text)


def test_the_average_is_cost_by_quantity_not_the_mean_of_prices(file: Path) -> None:
    """
    $25 at 50000 and $35 at 49500: the mean 49750 would place every exit wrong.
    """
    told = told_of(file, "buy,50000,0.00050000,,,\nbuy,49500,0.00070707,,,")

    assert number(told["open_cost"]) == number("59.999965")
    assert told["average_entry_price"] == "49707.113092032773576"
    assert [t["size_quote"] for t in told["tranches"]] == ["25.00000000", "34.99996500"]


def test_three_buys_cost_what_was_paid(file: Path) -> None:
    """
    $25 at 50000, 49000 and 51000, floored to the step: not 50000 on average.
    """
    told = told_of(file, "buy,50000,0.0005,,,\nbuy,49000,0.0005102,,,\nbuy,51000,0.00049019,,,")

    assert number(told["open_cost"]) == number("74.99949")
    assert told["average_entry_price"].startswith("49986.6634674")


def test_conviction_entries_sold_at_three_targets(file: Path) -> None:
    """
    $20, $30, $50 at 100, sold 25 %, 50 %, 25 % at +10 %, +20 %, +30 %.
    """
    told = told_of(
        file,
        """buy,100,0.2,,,
        buy,100,0.3,,,
        buy,100,0.5,,,
        sell,110,0.25,,,
        sell,120,0.5,,,
        sell,130,0.25,,,""",
    )

    assert [number(e["realized_pnl"]) for e in told["exits"]] == [2.5, 10, 7.5]
    assert number(told["realized_pnl"]) == 20
    assert number(told["open_quantity"]) == 0
    assert told["average_entry_price"] is told["break_even_price"] is None


def test_fees_of_both_sides_enter_the_net(file: Path) -> None:
    """
    Buy 100 at 80, sell 40 at 82 and 60 at 84, fee 10 each.
    """
    rows = ["buy,80,100,10,quote,", "sell,82,40,10,,", "sell,84,60,10,,"]

    bought, once, twice = (told_of(file, "\n".join(rows[:n])) for n in (1, 2, 3))

    assert number(bought["break_even_price"]) == number("80.1")
    assert number(once["realized_pnl"]) == 66
    assert number(once["realized_gross"]) == 80
    assert number(once["break_even_price"]) == number("80.1")
    assert number(once["position_break_even_price"]) == 79
    assert number(twice["realized_pnl"]) == 290
    assert number(twice["realized_gross"]) == 320


def test_three_conventions_can_be_read_off(file: Path) -> None:
    """
    Other programs book the entry fee pro rata, when paid, or not at all; all three are here.
    """
    told = told_of(file, "buy,80,100,10,,\nsell,82,40,10,,")

    pro_rata = number(told["realized_pnl"])
    expensed = number(told["realized_gross"]) - number(told["fees_paid"])
    assert [pro_rata, expensed, number(told["realized_gross"])] == [66, 60, 80]


@pytest.mark.parametrize(
    ("method", "realized", "average"),
    [("fifo", 150, 200), ("lifo", 50, 100), ("hifo", 50, 100), ("average", 100, 150)],
)
def test_each_rule_has_its_own_result(
    file: Path, method: str, realized: int, average: int
) -> None:
    """
    Buy at 100 and 200, sell one at 250: which one was sold is a choice, and it is shown.
    """
    told = told_of(file, "buy,100,1,,,\nbuy,200,1,,,\nsell,250,1,,,", "--method", method)

    assert number(told["realized_pnl"]) == realized
    assert number(told["average_entry_price"]) == average
    assert told["methods"][method] == {key: told[key] for key in MAIN}
    assert {m: number(f["realized_pnl"]) for m, f in told["methods"].items()} == {
        "fifo": 150,
        "lifo": 50,
        "hifo": 50,
        "average": 100,
    }


def test_a_fee_in_base_leaves_dust_with_its_cost(file: Path) -> None:
    """
    0.1 % of 0.0005 taken in base: 0.00049 can be sold, and the rest is still owned.
    """
    told = told_of(
        file, "buy,50000,0.0005,0.0000005,base,\nsell,55000,0.00049,,,", "--mark", "55000"
    )

    assert number(told["open_quantity"]) == number("0.0000095")
    assert number(told["open_cost"]) == number("0.475")
    assert number(told["cost_basis"]) == number("0.4754754755")
    assert number(told["realized_pnl"]) - number(told["cost_basis"]) == number("1.95")
    assert number(told["fees_paid"]) == number("0.025")


def test_a_sale_with_a_fee_in_base_consumes_it_too(file: Path) -> None:
    """
    The exit's quantity is what was sold; its matches hold what left the tranche.
    """
    told = told_of(file, "buy,10,2,,,\nsell,20,1,0.5,BTC,", "--base", "btc", "--quote", "usd")

    (done,) = told["exits"]
    assert [number(done["quantity"]), number(done["matches"][0]["quantity"])] == [1, 1.5]
    assert number(done["fee"]) == 10
    assert number(done["realized_pnl"]) == 5
    assert number(told["open_quantity"]) == 0.5


def test_a_fee_in_a_third_asset_stands_beside_the_pnl(file: Path) -> None:
    """
    Nobody gave a rate for BNB, and a fee left out in silence would be a lie.
    """
    told = told_of(file, "buy,10,1,0.01,BNB,\nsell,11,1,0.02,BNB,")

    assert told["fees_other"] == told["positions"][0]["fees_other"] == {"BNB": "0.03"}
    assert number(told["fees_paid"]) == 0
    assert number(told["realized_pnl"]) == 1


def test_a_name_given_for_quote_is_the_quote(file: Path) -> None:
    """
    Exports say USDT, not quote; in whatever case.
    """
    told = told_of(file, "buy,10,1,0.5,usdt,", "--quote", "USDT")

    assert number(told["cost_basis"]) == 10.5
    assert told["fees_other"] == {}


def test_a_rebate_is_a_negative_fee(file: Path) -> None:
    """
    A maker may be paid for the order.
    """
    told = told_of(file, "buy,10,1,-0.5,,\nsell,10,1,-0.25,,")

    assert number(told["realized_pnl"]) == 0.75
    assert number(told["fees_paid"]) == -0.75


def test_open_figures_are_of_the_last_cycle_and_realized_ones_of_the_file(file: Path) -> None:
    """
    The position is what is held now; the earnings are what the account saw.
    """
    told = told_of(
        file,
        """buy,10,1,1,,
        sell,20,1,1,,
        buy,30,2,1,,core
        sell,40,1,1,,""",
        "--mark",
        "50",
    )

    assert [number(told["open_quantity"]), number(told["open_cost"])] == [1, 30]
    assert [number(told["realized_gross"]), number(told["realized_pnl"])] == [20, 16.5]
    assert number(told["fees_paid"]) == 4
    assert number(told["unrealized_pnl"]) == 20
    assert number(told["unrealized_net"]) == 19.5
    assert number(told["position_break_even_price"]) == 22
    assert [t["id"] for t in told["tranches"]] == ["core"]
    assert [e["position"] for e in told["exits"]] == [1, 2]
    assert [p["status"] for p in told["positions"]] == ["closed", "open"]
    assert [number(p["realized_pnl"]) for p in told["positions"]] == [8, 8.5]
    assert [t["id"] for t in told["positions"][0]["tranches"]] == ["tranche_1"]


def test_without_a_mark_nothing_is_said_about_what_is_open(file: Path) -> None:
    """
    A price nobody gave cannot be guessed.
    """
    told = told_of(file, "buy,10,1,,,")

    keys = ("unrealized_pnl", "unrealized_net", "unrealized_return", "pnl_percentage", "mark")
    assert {told[key] for key in keys} == {None}
    assert told["tranches"][0]["unrealized_pnl"] is None


def test_a_mark_and_a_taker_fee_give_the_rest(file: Path) -> None:
    """
    The break-even price includes what selling costs; a ratio may be written as percent.
    """
    one, other = (
        told_of(file, "buy,100,2,,,", "--mark", "110", "--taker-fee", fee)
        for fee in ("0.2%", "0.002")
    )

    assert one == other
    assert one["break_even_price"] == "100.20040080160320641"
    assert number(one["unrealized_return"]) == number("0.1")
    assert number(one["pnl_percentage"]) == 10


def test_specific_follows_the_labels(file: Path) -> None:
    """
    `b+a` on a sale: b first, and of a what is missing.
    """
    told = told_of(file, "buy,10,1,,,a\nbuy,20,1,,,b\nsell,30,1.5,,,b+a", "--method", "specific")

    (done,) = told["exits"]
    assert [(m["tranche"], m["quantity"]) for m in done["matches"]] == [("b", "1"), ("a", "0.5")]
    assert number(told["realized_pnl"]) == 20
    assert [(t["id"], t["status"]) for t in told["tranches"]] == [
        ("a", "partly_sold"),
        ("b", "closed"),
    ]
    assert set(told["methods"]) == {"fifo", "lifo", "hifo", "average"}


def test_an_exit_says_what_it_took_and_what_that_had_cost(file: Path) -> None:
    """
    The truth about each buy: per match price, cost, both fees, net and gross.
    """
    file.write_text(
        f"{HEADER}\n2025-09-03,buy,10,2,1,,t1,\n2025-09-04T01:00:00+01:00,sell,20,1,2,,t2,\n"
    )

    told = run(file)

    assert told["tranches"][0]["entry_trade_id"] == "t1"
    assert told["tranches"][0]["entry_timestamp"] == "2025-09-03T00:00:00Z"
    assert told["exits"] == [
        {
            "position": 1,
            "trade_id": "t2",
            "time": "2025-09-04T00:00:00Z",
            "quantity": "1",
            "price": "20",
            "fee": "2",
            "realized_pnl": "7.5000000000",
            "realized_gross": "10.0000000000",
            "cost_consumed": "10.0000000000",
            "matches": [
                {
                    "tranche": "tranche_1",
                    "quantity": "1",
                    "entry_price": "10",
                    "entry_cost": "10.0000000000",
                    "entry_fee": "0.5000000000",
                    "exit_fee": "2",
                    "realized_pnl": "7.5000000000",
                    "realized_gross": "10.0000000000",
                }
            ],
        }
    ]


def test_a_repeated_trade_is_counted_and_skipped(file: Path) -> None:
    """
    Two exports overlap; the document says how many rows it did not book.
    """
    file.write_text(f"{HEADER}\n1,buy,1,1,,,t,\n,buy,1.0,1,0,quote,t,\n")

    told = run(file)

    assert (told["fills"], told["repeated"]) == (1, 1)
    assert number(told["open_quantity"]) == 1


def test_a_header_alone_is_a_flat_ledger(file: Path) -> None:
    """
    A bot that has not traded yet has nothing to hide.
    """
    file.write_text(f"{HEADER}\n")

    told = run(file, "--mark", "1")

    assert (told["fills"], told["tranches"], told["exits"], told["positions"]) == (0, [], [], [])
    assert number(told["open_quantity"]) == number(told["unrealized_pnl"]) == 0


def test_the_same_input_gives_the_same_json() -> None:
    """
    A document that can be compared by its bytes can be kept under version control.
    """
    options = [str(EXAMPLE), "--json", "--mark", "52000", "--method", "specific"]

    one, other = (CliRunner().invoke(app, options).stdout for _ in range(2))

    assert one == other


def test_the_library_gives_what_the_command_prints() -> None:
    """
    Two ways to one truth.
    """
    report = read_report(
        EXAMPLE,
        method=Disposal.HIFO,
        mark=None,
        taker_fee=Decimal(0),
        base=None,
        quote=None,
    )

    assert document(report) == run(EXAMPLE, "--method", "hifo")


def test_amounts_are_exact_beyond_the_usual_digits(file: Path) -> None:
    """
    The decimal module rounds to 28 digits where nobody watches; this product has 36 decimals.
    """
    told = told_of(file, "buy,1.000000000000000001,999999999.000000000000000001,,,")

    units = 1_000000000_000000001 * 999999999_000000000_000000001
    assert told["open_cost"].replace(".", "") == str(units)


def lines_of(*options: str) -> Iterator[str]:
    result = CliRunner().invoke(app, list(options), catch_exceptions=False, env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return iter(result.stdout.splitlines())


def test_the_table_fits_a_terminal_and_shows_gross_fees_and_net(file: Path) -> None:
    """
    Eighty columns, whatever the labels are called, brackets and all.
    """
    file.write_text(
        f"{HEADER}\n,buy,0.06,100,0.1,BNB,,[red]a\n,buy,0.07,200,,,,\n,sell,0.05,150,,,,\n"
        "2025-01-01,sell,0.08,150,0.1,,,\n,buy,62000.5,0.00000001,,,,\n"
    )

    shown = list(lines_of(str(file), "--mark", "63000", "--taker-fee", "0.1%"))

    assert all(len(line) <= 80 for line in shown)
    text = "\n".join(shown)
    for words in ("gross", "fees", "net", "[red]a", "average entry price", "Positions"):
        assert words in text
    assert text.endswith("Not in the P&L: fees of 0.1 BNB, not converted.")


def test_the_example_is_read_under_every_method() -> None:
    """
    What the docs show must run.
    """
    for method in Disposal:
        assert any("net" in line for line in lines_of(str(EXAMPLE), "--method", method))
