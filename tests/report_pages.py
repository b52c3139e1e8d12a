"""Reads the page of a report without a browser, and makes the run of one that shows everything."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from command_line import HOUR, candles, config, done
from trancher.app.report_packing import unpacked


class Page(HTMLParser):
    """Reads a page as a browser does: what elements begin, and what stands in the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.begun: list[tuple[str, dict[str, str | None]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.begun.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    @property
    def data(self) -> Any:
        """The value that the page shows, with its document unpacked."""
        value = json.loads(self.scripts[0])
        if "document" in value:
            document = value["document"]
            value["document"] = unpacked(document["packed"], document["shapes"])
        return value


def page_in(file: Path) -> Page:
    """Return the page that a file holds."""
    return Page(file.read_text(encoding="utf-8"))


def without_what_differs(document: Any) -> Any:
    """Return a document without the keys that say when and where it was made."""
    kept = {"elapsed", "db", "run_id", "run"}
    return {key: value for key, value in document.items() if key not in kept}


WALK: Final = """
[portfolio]
name = "walk"
quote = "USD"
cash = 1000
max_active_positions = 2
max_daily_trades = 8
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.0001
taker_fee = "0.2%"
[instrument."ETH/USD"]
price_tick = 0.01
quantity_step = 0.0001
taker_fee = "0.2%"
"""
WALK_BOT: Final = """
[[bot]]
name = "{name}"
symbol = "{symbol}"
[bot.limits]
max_tranches = {most}
tranche_cooldown = "1h"
[bot.signals]
rsi = {{weight = 0.5, period = 3}}
price_drop = {{weight = 0.5, window = 3, drop = "4%"}}
[bot.entry]
plan = "ladder"
base_size = 30
levels = [{{drop = "3%", size = 30}}, {{drop = "6%", size = 40}}]
[bot.exit]
take_profit = [{{gain = "3%", sell = "50%"}}, {{gain = "6%", sell = "rest"}}]
stop_loss = "9%"
disposal = "{disposal}"
"""
WALK_DATA: Final = ("--data", "BTC/USD=b.csv", "--data", "ETH/USD=e.csv")
_WALK_FROM: Final = datetime(2024, 1, 29, tzinfo=UTC)


def walk(folder: Path) -> Path:
    """Write the configuration and the candles of a run in which everything happens.

    Three bots over two symbols, and two months: partial exits, stops, refusals by the limit of
    tranches, of trades and of positions, and a position that is open at the end.
    """
    bots = (("one", "BTC/USD", 3, "lifo"), ("two", "ETH/USD", 2, "average"),
            ("three", "ETH/USD", 3, "hifo"))  # fmt: skip
    config(
        folder / "c.toml",
        WALK,
        *(
            WALK_BOT.format(name=name, symbol=symbol, most=most, disposal=disposal)
            for name, symbol, most, disposal in bots
        ),
    )
    for file, phase, fall in (("b.csv", 0, 3), ("e.csv", 13, -2)):
        lines, close = ["timestamp,open,high,low,close,volume"], 100
        for hour in range(133):
            opened, close = close, 100 + abs((hour + phase) % 40 - 20) - hour // 40 * fall
            at = _WALK_FROM + hour * HOUR
            high, low = max(opened, close) + 1, min(opened, close) - 1
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{opened},{high},{low},{close},1")
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


WAVES: Final = """
# </script><script>alert(1)</script>
[portfolio]
name = "main"
quote = "USD"
cash = 1000
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
[[bot]]
name = "ladder"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = "0s"
[bot.signals]
rsi = {weight = 1, period = 5}
[bot.entry]
plan = "ladder"
base_size = 30
levels = [{drop = "3%", size = 30}, {drop = "6%", size = 40}]
[bot.exit]
take_profit = [{gain = "2%", sell = "50%"}, {gain = "4%", sell = "rest"}]
trailing_stop = {activate = "3%", trail = "1%"}
stop_loss = "9%"
"""


def waves(folder: Path) -> Path:
    """Make the report of twelve days of waves: several positions closed, the last one open."""
    config(folder / "c.toml", WAVES)
    rows: list[str] = []
    close = 100
    for hour in range(290):
        opened, close = close, 100 + abs(hour % 40 - 20) - hour // 40
        rows.append(f"{opened} {max(opened, close) + 1} {min(opened, close) - 1} {close}")
    candles(folder / "<b>.csv", *rows)
    done("backtest", "c.toml", "--data", "<b>.csv", "--report", "out.html", folder=folder)
    return folder / "out.html"
