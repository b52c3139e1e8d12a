"""`trancher backtest`, as a person and a program call it: figures, documents, tables, streams."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command_line import candles, config, done, trancher

PORTFOLIO = '[portfolio]\nquote = "USD"\ncash = 1000\n'
# 20, 30 and 50 are bought at 100, an hour apart; a quarter of the peak is sold 10 % above, half
# of it 20 % above, the rest 30 % above.
STEPS = """
[[bot]]
name = "{name}"
symbol = "{symbol}"
[bot.entry]
plan = "rungs"
rungs = [
  {{when = {{flat = true}}, size = 20}},
  {{when = {{elapsed = "1h"}}, size = 30}},
  {{when = {{elapsed = "1h"}}, size = 50}},
]
[bot.exit]
take_profit = [
  {{gain = "10%", sell = "25%"}}, {{gain = "20%", sell = "50%"}}, {{gain = "30%", sell = "rest"}},
]
"""
BTC = STEPS.format(name="steps", symbol="BTC/USD")
TERMS = '[instrument."BTC/USD"]\nmaker_fee = "{fee}"\ntaker_fee = "{fee}"\n'
FREE = TERMS.format(fee="0%")
FLAT = "100 100 100 100"
UP = (FLAT, FLAT, FLAT, FLAT, "100 110 100 110", "110 120 110 120", "120 130 120 130")


def elsewhere(document: Any) -> Any:
    """Return the document without the one figure that no two runs share."""
    return {key: value for key, value in document.items() if key != "elapsed"}


def backtest(folder: Path, *parts: str, rows: tuple[str, ...] = UP) -> Any:
    """Return the document of a run of the configuration `parts` over `rows`."""
    config(folder / "c.toml", PORTFOLIO, *parts)
    candles(folder / "up.csv", *rows)
    return done("backtest", "c.toml", "--data", "up.csv", "--json", folder=folder).document


def test_three_tranches_and_three_exits_earn_what_paper_says(tmp_path: Path) -> None:
    """
    One unit is bought at 100: 0.25 x 10 + 0.5 x 20 + 0.25 x 30 = 2.5 + 10 + 7.5 = 20.
    """
    said = backtest(tmp_path, FREE, BTC)

    (position,) = said["positions"]
    assert (said["entries"], said["exits"]) == (3, 3)
    assert [Decimal(one["realized_pnl"]) for one in position["exits"]] == [
        Decimal("2.5"),
        Decimal(10),
        Decimal("7.5"),
    ]
    assert [one["price"] for one in position["exits"]] == ["110", "120", "130"]
    assert {key: Decimal(said[key]) for key in ("realized_pnl", "net_pnl", "realized_gross")} == {
        "realized_pnl": Decimal(20),
        "net_pnl": Decimal(20),
        "realized_gross": Decimal(20),
    }
    assert Decimal(said["fees_paid"]) == 0
    assert Decimal(said["cash"]) == 1020


def test_fees_of_both_sides_are_in_the_net_figure(tmp_path: Path) -> None:
    """
    0.1 % of 20 + 30 + 50 bought and of 27.5 + 60 + 32.5 sold is 0.1 + 0.12; 20 less 0.22 is net.
    """
    said = backtest(tmp_path, TERMS.format(fee="0.1%"), BTC)

    assert Decimal(said["realized_gross"]) == 20
    assert Decimal(said["fees_paid"]) == Decimal("0.22")
    assert Decimal(said["realized_pnl"]) == Decimal(said["net_pnl"]) == Decimal("19.78")


def test_what_is_held_is_valued_at_the_last_close(tmp_path: Path) -> None:
    """
    A quarter is sold at 110, and 0.75 is left at a close of 108: 2.5 made, 6 on paper.
    """
    said = backtest(tmp_path, FREE, BTC, rows=(*UP[:4], "100 110 100 108"))

    (position,) = said["positions"]
    assert Decimal(said["realized_pnl"]) == Decimal("2.5")
    assert Decimal(said["unrealized_net"]) == 6
    assert Decimal(said["net_pnl"]) == Decimal("8.5")
    assert (position["position_status"], said["bots"][0]["position_status"]) == ("open", "open")
    assert Decimal(position["open_quantity"]) == Decimal("0.75")
    assert Decimal(position["total_position_size"]) == Decimal(said["open_cost"]) == 75
    assert Decimal(position["pnl_percentage"]) == 8


def test_the_document_has_every_key(tmp_path: Path) -> None:
    """
    Programs read these names, and a name that goes missing is an error in theirs.
    """
    said = backtest(tmp_path, FREE, BTC)

    assert said.keys() >= {
        "entries", "exits", "realized_pnl", "unrealized_net", "net_pnl", "fees_paid", "refusals",
        "bots", "positions", "assumptions", "elapsed", "warnings",
    }  # fmt: skip
    assert said["bots"][0].keys() >= {
        "bot", "symbol", "strategy", "position_status", "positions", "entries", "exits",
        "realized_pnl", "unrealized_net", "net_pnl", "fees_paid", "mark_price", "refusals",
    }  # fmt: skip
    assert said["assumptions"].keys() >= {"evaluate", "same_candle", "slippage", "config_hash"}
    assert said["assumptions"]["candles"]["BTC/USD"] == {
        "file": "up.csv",
        "candles": 7,
        "interval_seconds": 3600,
        "first_at": "2024-01-01T00:00:00Z",
        "last_at": "2024-01-01T06:00:00Z",
        "missing": 0,
        "dropped": 0,
    }


def test_a_position_is_the_document_of_the_design(tmp_path: Path) -> None:
    """
    The design's keys keep their names, and size_usd its name whatever the quote currency is.
    """
    (position,) = backtest(tmp_path, FREE, BTC, rows=UP[:5])["positions"]

    assert position.keys() >= {
        "bot", "symbol", "position_id", "strategy", "position_tranches", "average_entry_price",
        "total_position_size", "position_status", "max_position_tranches", "unrealized_pnl",
        "realized_pnl", "break_even_price", "position_break_even_price", "pnl_percentage",
    }  # fmt: skip
    assert (position["position_id"], position["strategy"]) == ("steps-1", "rungs")
    assert (position["position_status"], position["max_position_tranches"]) == ("open", 3)
    first, second, third = position["position_tranches"]
    assert first.keys() >= {
        "id", "entry_trade_id", "size_usd", "size_quote", "entry_price", "entry_timestamp",
        "status", "quantity", "open_quantity", "open_cost",
    }  # fmt: skip
    assert [one["id"] for one in (first, second, third)] == ["tranche_1", "tranche_2", "tranche_3"]
    assert [one["status"] for one in (first, second, third)] == ["closed", "partly_sold", "open"]
    assert [Decimal(one["size_usd"]) for one in (first, second, third)] == [20, 30, 50]
    assert all(one["size_usd"] == one["size_quote"] for one in (first, second, third))
    assert first["entry_timestamp"] == "2024-01-01T01:00:00Z"
    assert Decimal(second["open_quantity"]) == Decimal("0.25")


def test_a_closed_position_has_its_course(tmp_path: Path) -> None:
    """
    Bought at the second opening, sold out just before the seventh close: an instant short of 6 h.
    """
    (position,) = backtest(tmp_path, FREE, BTC)["positions"]

    assert (position["position_status"], position["average_entry_price"]) == ("closed", None)
    assert (position["entered_at"], position["closed_at"]) == (
        "2024-01-01T01:00:00Z",
        "2024-01-01T06:59:59.999999Z",
    )
    assert position["seconds_held"] == 6 * 3600 - 1
    assert Decimal(position["highest_mark"]) == 130
    assert Decimal(position["lowest_mark"]) == Decimal(position["peak_cost"]) == 100
    assert Decimal(position["peak_quantity"]) == 1
    assert position["closing_reason"] == "take profit +30 %"


def numbers(value: Any) -> Iterator[object]:
    """Yield every bare number of a document."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def test_money_is_text(tmp_path: Path) -> None:
    """
    A number of JSON becomes a float in most readers, so only counts and seconds are numbers.
    """
    said = elsewhere(backtest(tmp_path, FREE, BTC, rows=UP[:5]))

    assert [one for one in numbers(said) if isinstance(one, float)] == []
    assert isinstance(said["positions"][0]["unrealized_pnl"], str)
    assert isinstance(said["bots"][0]["mark_price"], str)


def test_the_same_input_gives_the_same_document(tmp_path: Path) -> None:
    """
    In another process with another hash seed, down to the order of the keys.
    """
    here = backtest(tmp_path, FREE, BTC)

    there = subprocess.run(
        [
            sys.executable,
            "-m",
            "trancher.app.cli",
            "backtest",
            "c.toml",
            "--data",
            "up.csv",
            "--json",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "42"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stderr == ""
    assert json.dumps(elsewhere(json.loads(there.stdout))) == json.dumps(elsewhere(here))


def test_two_symbols_have_a_file_each(tmp_path: Path) -> None:
    """
    The configuration's order counts, and not that of the options; the sums are of both.
    """
    eth = STEPS.format(name="other", symbol="ETH/USD")
    config(tmp_path / "c.toml", PORTFOLIO, "max_daily_trades = 20", FREE, BTC, eth)
    candles(tmp_path / "btc.csv", *UP)
    candles(tmp_path / "eth.csv", *UP[:4], "100 100 90 90")
    btc_data, eth_data = ("--data", "BTC/USD=btc.csv"), ("--data", "ETH/USD=eth.csv")

    said = done("backtest", "c.toml", *eth_data, *btc_data, "--json", folder=tmp_path).document
    turned = done("backtest", "c.toml", *btc_data, *eth_data, "--json", folder=tmp_path).document

    assert elsewhere(said) == elsewhere(turned)
    assert [(bot["bot"], bot["symbol"]) for bot in said["bots"]] == [
        ("steps", "BTC/USD"),
        ("other", "ETH/USD"),
    ]
    # The other bot holds 1 bought at 100 with 0.1 % of fee, at a close of 90.
    assert [Decimal(bot["net_pnl"]) for bot in said["bots"]] == [20, Decimal("-10.1")]
    assert Decimal(said["net_pnl"]) == Decimal("9.9")
    assert said["entries"] == sum(bot["entries"] for bot in said["bots"]) == 6


def test_two_bots_of_one_symbol_share_its_file(tmp_path: Path) -> None:
    """
    One market has one history, whoever trades it.
    """
    said = backtest(
        tmp_path,
        "max_daily_trades = 20",
        FREE,
        BTC,
        STEPS.format(name="twin", symbol="BTC/USD"),
    )

    assert [Decimal(bot["net_pnl"]) for bot in said["bots"]] == [20, 20]
    assert [one["position_id"] for one in said["positions"]] == ["steps-1", "twin-1"]


def test_refusals_are_counted_by_code(tmp_path: Path) -> None:
    """
    With room for one position the second bot asks in vain at each of the six closes looked at.
    """
    said = backtest(
        tmp_path,
        "max_active_positions = 1",
        FREE,
        BTC,
        STEPS.format(name="twin", symbol="BTC/USD"),
    )

    assert said["refusals"] == {"MAX_ACTIVE_POSITIONS": 6}
    assert [bot["refusals"] for bot in said["bots"]] == [{}, {"MAX_ACTIVE_POSITIONS": 6}]
    assert [bot["entries"] for bot in said["bots"]] == [3, 0]


def test_a_faulty_row_stops_the_run_unless_it_is_to_be_dropped(tmp_path: Path) -> None:
    """
    What was left out is counted and said, because the result rests on the rest.
    """
    config(tmp_path / "c.toml", PORTFOLIO, FREE, BTC)
    candles(tmp_path / "up.csv", *UP, "130 NaN 130 130")
    words = ("backtest", "c.toml", "--data", "up.csv", "--json")

    stopped = trancher(*words, folder=tmp_path)
    dropped = done(*words, "--on-bad", "drop", folder=tmp_path).document

    assert (stopped.code, stopped.out) == (2, "")
    assert stopped.err.startswith("up.csv, line 9, column high: found 'NaN', expected ")
    assert dropped["assumptions"]["candles"]["BTC/USD"]["dropped"] == 1
    assert "dropped: 1 number unreadable" in " ".join(dropped["assumptions"]["sentences"])
    assert Decimal(dropped["realized_pnl"]) == 20


def test_the_table_shows_gross_fees_and_net_side_by_side(tmp_path: Path) -> None:
    """
    A profit without its fees beside it is half the story.
    """
    config(tmp_path / "c.toml", PORTFOLIO, TERMS.format(fee="0.1%"), BTC)
    candles(tmp_path / "up.csv", *UP)

    said = done("backtest", "c.toml", "--data", "up.csv", folder=tmp_path).words

    assert "bot realized gross its fees realized net unrealized net" in said
    assert "steps 20.00 0.22 19.78 0.00" in said
    assert "steps BTC/USD CLOSED 1 3 3 0.00" in said
    assert "Books balance to the last digit. 7 candles in" in said


def test_the_table_says_what_it_rests_on(tmp_path: Path) -> None:
    """
    Nobody can judge a backtest without its candles, its assumptions and its refusals.
    """
    config(
        tmp_path / "c.toml",
        PORTFOLIO,
        "max_active_positions = 1",
        BTC,
        STEPS.format(name="twin", symbol="BTC/USD"),
    )
    candles(tmp_path / "up.csv", *UP)

    said = done("backtest", "c.toml", "--data", "up.csv", folder=tmp_path).words

    assert "BTC/USD: 7 candles of 1h from 2024-01-01 to 2024-01-01, none missing." in said
    assert "price tick 1, read off the candles" in said
    assert "taker fee 0.1 %" in said
    assert re.search(r"MAX_ACTIVE_POSITIONS as many positions as allowed .* 6\b", said)
    assert re.search(r"\ball 20\.00 0\.22 19\.78 0\.00", said)


def test_missing_candles_are_counted_and_never_filled(tmp_path: Path) -> None:
    """
    A gap is a fact about the data, and belongs beside the result.
    """
    file = candles(tmp_path / "up.csv", *UP)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")
    config(tmp_path / "c.toml", PORTFOLIO, BTC)

    said = done("backtest", "c.toml", "--data", "up.csv", "--json", folder=tmp_path).document

    assert said["assumptions"]["candles"]["BTC/USD"]["missing"] == 1
    assert "6 candles of 1h" in " ".join(said["assumptions"]["sentences"])
    assert "1 missing and not filled" in " ".join(said["assumptions"]["sentences"])


def test_progress_is_on_stderr_and_only_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A program that reads stdout must find one document there, whoever watches the other stream.
    """
    backtest(tmp_path, FREE, BTC)  # in a pipe: stderr is empty, as `done` demands
    monkeypatch.setenv("FORCE_COLOR", "1")

    watched = trancher("backtest", "c.toml", "--data", "up.csv", "--json", folder=tmp_path)

    assert "7/7" in watched.err
    assert watched.document["entries"] == 3
    assert watched.code == 0


def test_the_assumptions_say_what_the_volume_allows_and_what_was_sold_at_the_end(
    tmp_path: Path,
) -> None:
    """
    Whoever reads only the document can tell how the figures came about.
    """
    config(tmp_path / "c.toml", PORTFOLIO, FREE, '[backtest]\nparticipation = "50%"', BTC)
    candles(tmp_path / "flat.csv", *[FLAT] * 4)

    said = done(
        *("backtest", "c.toml", "--data", "flat.csv", "--close-at-end", "--json"), folder=tmp_path
    ).document

    assert said["assumptions"]["participation"] == "0.50"
    assert said["assumptions"]["close_at_end"] is True
    sentences = " ".join(said["assumptions"]["sentences"])
    assert "at most 50 % of a candle's volume" in sentences
    assert "last close is sold there, as far as its volume allows" in sentences
