"""What of the files given to a backtest explains why little happens in it."""

from pathlib import Path
from typing import Final

import pytest

from command_line import Said, candles, config, done, trancher
from trancher.app.file_notes import file_notes

BOT: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 0.01
[[bot]]
name = "b"
symbol = "BTC/USD"
[bot.signals]
external = {desk = {}, model = {}}
[bot.entry]
plan = "signals"
steps = [{signal = "breakout", size = 20}]
[bot.exit]
stop_loss = "9%"
"""
HEADER: Final = "time,name,score,event,bot"


def backtested(folder: Path, *rows: str, data: str = "btc.csv", text: str = BOT) -> Said:
    """Run a backtest, with a file of signals where there are rows for it."""
    config(folder / "c.toml", text)
    candles(folder / data, *["100 100 100 100"] * 4)
    (folder / "s.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    signals = ("--signals", "s.csv") if rows else ()
    return trancher("backtest", "c.toml", "--data", data, *signals, "--json", folder=folder)


@pytest.mark.parametrize(
    ("rows", "notes"),
    [
        ((), ["bot b listens to desk, model: the file of --signals is missing"]),
        (
            ("2024-01-01T01:00:00Z,desk,,breakout,",),
            ["bot b listens to model: the file of --signals has no row for it"],
        ),
        (
            (
                "2024-01-01T01:00:00Z,desk,,breakdown,b",
                "2024-01-01T01:00:00Z,model,0.5,,",
                "2024-01-01T02:00:00Z,desk,,breakout,",
            ),
            ["bot b: no rung waits for the event breakdown that --signals brings"],
        ),
        (("2024-01-01T01:00:00Z,desk,,breakout,", "2024-01-01T01:00:00Z,model,0.5,,"), []),
    ],
)
def test_what_nobody_says_and_nobody_hears_is_noted(
    tmp_path: Path, rows: tuple[str, ...], notes: list[str]
) -> None:
    """
    A bot that waits for a word that never comes looks like a market without a chance.
    """
    assert backtested(tmp_path, *rows).document["notes"] == notes


def test_a_person_reads_the_notes_below_the_tables(tmp_path: Path) -> None:
    """
    The same words as in the document.
    """
    backtested(tmp_path)

    said = done("backtest", "c.toml", "--data", "btc.csv", folder=tmp_path).words

    assert "note: bot b listens to desk, model: the file of --signals is missing" in said


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        (
            "2024-01-01T01:00:00Z,dask,0.5,,",
            "column name: found 'dask', expected a signal that a bot listens to (desk, model)",
        ),
        (
            "2024-01-01T01:00:00Z,desk,0.5,,c",
            "column bot: found 'c', expected one of b, or nothing",
        ),
    ],
)
def test_a_name_that_nobody_has_is_refused_with_its_line(
    tmp_path: Path, row: str, refused: str
) -> None:
    """
    Among thousands of rows the name alone is hard to find.
    """
    said = backtested(tmp_path, "2024-01-01T01:00:00Z,desk,0.5,,", row)

    assert (said.code, said.err) == (2, f"s.csv, line 3, {refused}\n")


def test_a_file_of_signals_for_nobody_says_where_to_list_them(tmp_path: Path) -> None:
    """
    The table that would have the name is named.
    """
    text = BOT.replace("external = {desk = {}, model = {}}", "rsi = {}")
    text = text.replace("breakout", "rsi_oversold")

    said = backtested(tmp_path, "2024-01-01T01:00:00Z,desk,0.5,,", text=text)

    assert "(none: [bot.signals.external] is empty)" in said.err


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("data/ETHUSDT-1h.csv", "ETH"),
        ("binance_spot_DOGEUSDT_1h_2019.parquet", "DOGE"),
        ("eth_usd.csv", "ETH"),
        ("Kraken-SOL-EUR-60.csv", "SOL"),
        ("BTCUSDT_1h.csv", None),
        ("btc-eur.csv", None),
        ("wbtcusd.csv", None),
        ("candles.csv", None),
        ("usd.csv", None),
        ("1h.csv", None),
    ],
)
def test_a_file_that_is_named_for_another_symbol_is_noted(file: str, named: str | None) -> None:
    """
    The wrong file gives a result that looks like one; another quote of the same base is common.
    """
    expected = f"{file} is named for {named}, and was read as the candles of BTC/USD"

    assert list(file_notes({"BTC/USD": file})) == ([] if named is None else [expected])
