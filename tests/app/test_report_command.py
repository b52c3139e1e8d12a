"""`trancher backtest --report`: one file, whose every figure is that of `--json`."""

import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import candles, config, done, trancher
from processes import ended, started
from report_pages import Page
from sparing import one_in
from trancher.app.report_file import LIBRARY, LIBRARY_HASH, LIBRARY_VERSION, asset, page
from trancher.app.report_packing import packed, unpacked

HEAD = '[portfolio]\nname = "{name}"\nquote = "USD"\ncash = 1000\nmax_active_positions = 2\n'
BOT = """
[[bot]]
name = "{name}"
symbol = "{symbol}"
[bot.entry]
plan = "ladder"
base_size = 30
levels = [{{drop = "5%", size = 40}}]
[bot.exit]
take_profit = [{{gain = "5%", sell = "50%"}}, {{gain = "9%", sell = "rest"}}]
stop_loss = "20%"
disposal = "lifo"
"""
ROWS = (
    "100 100 100 100", "100 101 94 96", "96 106 95 105", "105 112 104 111",
    "111 112 100 101", "101 103 90 91", "91 95 90 94",
)  # fmt: skip


def report(folder: Path, *words: str, name: str = "main", rows: tuple[str, ...] = ROWS) -> Page:
    """Return the report of a bot over `rows`."""
    config(folder / "c.toml", HEAD.format(name=name), BOT.format(name="ladder", symbol="BTC/USD"))
    candles(folder / "up.csv", *rows)
    done("backtest", "c.toml", "--data", "up.csv", "--report", "out.html", *words, folder=folder)
    return Page((folder / "out.html").read_text(encoding="utf-8"))


def without_elapsed(document: Any) -> Any:
    return {
        key: value for key, value in document.items() if key not in {"elapsed", "db", "run_id"}
    }


def test_every_figure_is_that_of_the_document(tmp_path: Path) -> None:
    """
    The report holds the document that --json prints, key by key and digit by digit.
    """
    shown = report(tmp_path).data

    said = done("backtest", "c.toml", "--data", "up.csv", "--json", folder=tmp_path).document
    assert shown["document"] == without_elapsed(said)
    assert said["exits"] > 0
    assert said["positions"][-1]["closed_at"] is None


def test_what_is_counted_for_the_report_adds_up_to_the_document(tmp_path: Path) -> None:
    """
    Exits by rung, months, every grouping and the bot's own disposal rule give the same P&L.
    """
    shown = report(tmp_path).data
    said = shown["document"]
    counted = said["report"]

    for rows in (counted["exits_by_rung"], counted["months"], *counted["groups"].values()):
        assert sum(Decimal(row["realized_pnl"]) for row in rows) == Decimal(said["realized_pnl"])
        assert sum(Decimal(row["realized_gross"]) for row in rows) == Decimal(
            said["realized_gross"]
        )
    for rows in counted["groups"].values():
        assert sum(Decimal(row["unrealized_net"]) for row in rows) == Decimal(
            said["unrealized_net"]
        )
    kept = next(row for row in counted["disposal_rules"] if row["disposal"] == "lifo")
    for key in ("realized_pnl", "realized_gross", "unrealized_net", "open_cost", "dust_cost"):
        assert Decimal(kept[key]) == Decimal(said[key])
    assert sum(row["exits"] for row in counted["exits_by_rung"]) == said["exits"]
    assert shown["curve"]["equity"][-1] == counted["equity_at_end"]


def test_bars_unpack_to_the_candles(tmp_path: Path) -> None:
    """
    Few candles are drawn as they are: the differences add up to what the file says, in ticks.
    """
    bars = report(tmp_path).data["charts"]["BTC/USD"]["bars"]

    close, told = 0, list[str]()
    for above, high, low, by in zip(
        bars["open"], bars["high"], bars["low"], bars["close"], strict=True
    ):
        opened, close = close + above, close + by
        prices = (opened, max(opened, close) + high, min(opened, close) - low, close)
        told.append(" ".join(map(str, prices)))
    assert tuple(told) == ROWS
    assert (bars["at"], bars["interval"]) == (1_704_067_200_000, 3_600_000)
    assert bars["step"] is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@one_in(5)
@given(value=values)
def test_packing_loses_nothing(value: Any) -> None:
    """
    Whatever JSON is packed comes back, empty lists and objects and the order of keys included.
    """
    short = json.loads(json.dumps(packed(value)))

    assert json.dumps(unpacked(short["packed"], short["shapes"])) == json.dumps(value)


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    """
    No element names an address to load from, and the page forbids itself to load any.
    """
    shown = report(tmp_path)

    sources = [attrs.get("src") for _, attrs in shown.begun] + [
        attrs["href"] for tag, attrs in shown.begun if tag == "link"
    ]
    assert {one for one in sources if one is not None} == {"data:,"}
    policy = next(attrs["content"] for _, attrs in shown.begun if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert len(shown.scripts) == 3


@pytest.mark.parametrize(
    "words", ["</script><script>alert(1)</script>", "<!--<script>", "a & <b>"]
)
def test_words_of_others_stay_words(tmp_path: Path, words: str) -> None:
    """
    Whatever a comment of the configuration says, and a file of candles is called, the page has
    its own three scripts and no more elements, and reads the words back.
    """
    plain = report(tmp_path)
    file = words.replace("/", "") + ".csv"
    config(
        tmp_path / "c.toml",
        f"# {words}",
        HEAD.format(name="main"),
        BOT.format(name="ladder", symbol="BTC/USD"),
    )
    candles(tmp_path / file, *ROWS)
    done("backtest", "c.toml", "--data", file, "--report", "other.html", folder=tmp_path)

    shown = Page((tmp_path / "other.html").read_text(encoding="utf-8"))
    assert [tag for tag, _ in shown.begun] == [tag for tag, _ in plain.begun]
    assert shown.data["configuration"].startswith(f"# {words}\n")
    assert shown.data["document"]["assumptions"]["candles"]["BTC/USD"]["file"] == file


def test_a_title_stays_a_title() -> None:
    """
    Portfolios are named with letters and digits only; the page does not rely on it.
    """
    shown = Page(page({}, title="</title><script>alert(1)</script>"))

    assert len(shown.scripts) == 3
    assert shown.data == {}


def test_equal_runs_give_equal_reports(tmp_path: Path) -> None:
    """
    No clock and no chance in it: byte for byte the same, in memory or with a database.
    """
    report(tmp_path)
    first = (tmp_path / "out.html").read_bytes()

    report(tmp_path, "--force")
    assert (tmp_path / "out.html").read_bytes() == first
    report(tmp_path, "--force", "--db", "sqlite:///books.db")
    assert (tmp_path / "out.html").read_bytes() == first


def test_a_backtest_without_a_trade_has_a_report(tmp_path: Path) -> None:
    """
    Two candles: what is decided at the first close fills at the next open; with no trades allowed
    nothing is, and the report has no group, no exit, and one month.
    """
    config(
        tmp_path / "c.toml",
        HEAD.format(name="none"),
        "max_daily_trades = 0",
        BOT.format(name="ladder", symbol="BTC/USD"),
    )
    candles(tmp_path / "up.csv", *ROWS[:2])
    done("backtest", "c.toml", "--data", "up.csv", "--report", "out.html", folder=tmp_path)

    shown = Page((tmp_path / "out.html").read_text(encoding="utf-8")).data
    assert shown["document"]["entries"] == 0
    counted = shown["document"]["report"]
    assert (shown["positions"], shown["lines"], counted["exits_by_rung"]) == ({}, {}, [])
    assert shown["document"]["refusals"] == {"MAX_DAILY_TRADES": 1}
    assert [row["change"] for row in counted["months"]] == ["0"]
    assert counted["performance"]["sharpe"] is None


def test_bots_of_several_symbols_share_a_report(tmp_path: Path) -> None:
    """
    Each symbol has its candles, each position its close-up and its lines.
    """
    symbols = ("BTC/USD", "ETH/USD")
    parts = [BOT.format(name=one[:3].lower(), symbol=one) for one in symbols]
    config(tmp_path / "c.toml", HEAD.format(name="two"), *parts)
    candles(tmp_path / "b.csv", *ROWS)
    candles(tmp_path / "e.csv", *ROWS[2:])
    words = ("--data", "BTC/USD=b.csv", "--data", "ETH/USD=e.csv", "--report", "out.html")
    done("backtest", "c.toml", *words, folder=tmp_path)

    shown = Page((tmp_path / "out.html").read_text(encoding="utf-8")).data
    ids = {one["position_id"] for one in shown["document"]["positions"]}
    assert {one["symbol"] for one in shown["document"]["positions"]} == set(symbols)
    assert shown["charts"].keys() == set(symbols)
    assert shown["positions"].keys() == shown["lines"].keys() == ids


def refused(folder: Path, *words: str) -> str:
    """Return the sentence with which a report is refused, before any candle is read."""
    config(folder / "c.toml", HEAD.format(name="x"), BOT.format(name="b", symbol="BTC/USD"))
    said = trancher("backtest", "c.toml", "--data", "missing.csv", *words, folder=folder)
    assert (said.code, said.out) == (2, "")
    return said.err


def test_a_place_that_takes_no_report_is_told_first(tmp_path: Path) -> None:
    """
    A folder, a file that nobody said to overwrite, a folder that is missing, a flag alone: one
    sentence each, before the candles are read, and what stood there stands there still.
    """
    (tmp_path / "old.html").write_text("mine")

    assert refused(tmp_path, "--report", ".") == (
        ".: found a folder, expected the name of a file to write\n"
    )
    assert refused(tmp_path, "--report", "old.html") == (
        "old.html: found a file, expected a new name, or --force to overwrite it\n"
    )
    assert refused(tmp_path, "--report", "no/out.html") == (
        "no/out.html: found no folder no, expected one to write into\n"
    )
    assert refused(tmp_path, "--force") == (
        "--force: found no --report beside it, expected one to overwrite\n"
    )
    assert (tmp_path / "old.html").read_text() == "mine"


def test_a_disk_that_gives_up_leaves_the_old_report(tmp_path: Path) -> None:
    """
    Files may grow to 100,000 bytes, and a report is larger: the old one stays, and no draft.
    """
    config(tmp_path / "c.toml", HEAD.format(name="x"), BOT.format(name="b", symbol="BTC/USD"))
    candles(tmp_path / "up.csv", *ROWS)
    (tmp_path / "out.html").write_text("mine")
    words = ("backtest", "c.toml", "--data", "up.csv", "--report", "out.html", "--force")

    said = ended(started(*words, folder=tmp_path, largest=100_000))

    assert said.code == 2
    assert re.fullmatch(
        r"out\.html: found no way to write \(File too large\), expected a writable place\n",
        said.err,
    )
    assert (tmp_path / "out.html").read_text() == "mine"
    assert {one.name for one in tmp_path.iterdir()} == {"c.toml", "up.csv", "out.html"}


def test_the_charting_library_is_the_one_that_was_published() -> None:
    """
    The file in the package is byte for byte the recorded one, and cannot end its element.
    """
    text = asset(LIBRARY)

    assert hashlib.sha256(text.encode()).hexdigest() == LIBRARY_HASH
    assert f"Lightweight Charts™ v{LIBRARY_VERSION}" in text
    assert "</script" not in text.lower()
    assert "<!--" not in text
