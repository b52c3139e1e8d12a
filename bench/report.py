"""The report of a million candles and thousands of fills: written, opened, panned.

A simulated market, so that anybody measures the same: 1,000,000 candles of a minute, seeded. The
report is made in this process; Debian's chromium opens it and drags its largest chart about.

    python bench/report.py [--candles N] [--width RATIO] [--markdown] [--keep FILE]

Exit code 0 if the report was written and opened without a message on the console, otherwise 1.
"""

import argparse
import json
import sys
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from frequencies import laddered
from tables import as_lines, machine_in_words
from trancher.app.backtesting import Source, run_backtest
from trancher.app.report import write_report
from trancher.app.report_section import History, counted
from trancher.app.settings import parse
from trancher.files import Decimals
from trancher.market.candles import Candles
from work import SYMBOL

HEAD = ("candles", "fills", "writing, CPU s", "MB", "opened in s", "longest task, CPU ms")
CHROMIUM = Path("/usr/bin/chromium")
ALONE = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# From the start of navigation to the end of the script, and the next frame after it.
_OPENED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
  () => done(performance.now()))))"""


def walked(count: int) -> Candles:
    """Return candles of a minute around 30,000, a walk of whole cents that comes back."""
    dice = np.random.default_rng(seed=1)
    moves = dice.integers(-3000, 3001, size=count)
    walk = np.empty(count, dtype=np.int64)
    price = 3_000_000
    for place, move in enumerate(moves.tolist()):
        price += move - (price - 3_000_000) // 5000
        walk[place] = price
    opens = np.concatenate(([3_000_000], walk[:-1]))
    wicks = dice.integers(0, 1500, size=(2, count))
    minute = 60_000_000
    return Candles(
        interval=timedelta(minutes=1),
        opened_at=1_577_836_800_000_000 + minute * np.arange(count, dtype=np.int64),
        open=opens,
        high=np.maximum(opens, walk) + wicks[0],
        low=np.minimum(opens, walk) - wicks[1],
        close=walk,
        tick=Decimal("0.01"),
        volumes=Decimals(units=np.ones(count, dtype=np.int64), places=0),
    )


def measured(target: Path, *, candles: int, width: str) -> tuple[int, float]:
    """Write a report to `target`; return its fills, and the CPU seconds from replay to file."""
    market = walked(candles)
    settings = parse(laddered(width, "intracandle"), file="bench.toml")
    done = run_backtest(
        settings, {SYMBOL: Source(name="simulated", candles=market)}, progress=None
    )
    store = done.replayed.store
    events = [(one.position_id, one.event) for one in store.journal]
    history = History(events=events, records=store.records)
    fills = sum(len(one.fills) for bot in done.bots for one in bot.positions)
    began = process_time()
    write_report(target, done.outcome, counted(done.outcome, history, drawn=True), title="Walk")
    return fills, process_time() - began


def opened(target: Path) -> tuple[float, float, list[str]]:
    """Open a report; return the seconds to draw it, the longest task in CPU ms, and messages."""
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        shown = browser.new_page(viewport={"width": 1440, "height": 900})
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.goto(target.as_uri())
        seconds = shown.evaluate(_OPENED) / 1000
        longest = _panned(browser, shown)
        browser.close()
    return seconds, longest, said


def _panned(browser: Browser, shown: Page) -> float:
    """Zoom and drag the chart of all positions; return the CPU ms of its longest task."""
    box = shown.locator("#price").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    browser.start_tracing(page=shown, categories=["toplevel"])
    for _ in range(5):
        shown.locator("#price").press("+")
    for start, end in ((0.2, 0.8), (0.8, 0.2), (0.2, 0.8)):
        shown.mouse.move(box["x"] + start * box["width"], middle)
        shown.mouse.down()
        shown.mouse.move(box["x"] + end * box["width"], middle, steps=40)
        shown.mouse.up()
    shown.wait_for_timeout(500)
    return _longest_task(json.loads(browser.stop_tracing())["traceEvents"])


def _longest_task(events: list[dict[str, Any]]) -> float:
    """Return the CPU ms of the longest task of the thread that runs a page's scripts."""
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        float(one.get("tdur", 0)) / 1000
        for one in events
        if (one["pid"], one["tid"]) in mains and one["name"].endswith("RunTask")
    ]
    return max(tasks)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=1_000_000)
    parser.add_argument("--width", default="0.64%", help="how far apart the levels lie")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--keep", type=Path, help="where the report is left")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = (given.keep or Path(folder) / "report.html").resolve()
        fills, written = measured(target, candles=given.candles, width=given.width)
        seconds, longest, said = opened(target)
        size = target.stat().st_size
    row = (
        f"{given.candles:,}", f"{fills:,}", f"{written:.2f}", f"{size / 1e6:.2f}",
        f"{seconds:.2f}", f"{longest:.0f}",
    )  # fmt: skip
    print(machine_in_words())
    for line in as_lines([HEAD, row], words=0, markdown=given.markdown):
        print(line)
    for message in said:
        print(f"console: {message}")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
