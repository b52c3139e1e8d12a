"""Draws the score of each built-in signal over a simulated market, for docs/reference/signals.md.

    python tools/plots.py            draw the pictures anew
    python tools/plots.py --check    fail where a picture differs from what the code says

A picture has the closes above and the score below; triangles are events, green to buy and red to
sell.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from trancher.market.indicators import bars_of
from trancher.market.levels import QUANTA
from trancher.market.signal_series import series_of
from trancher.market.signals import NAMES, Said, Signal
from trancher.market.simulated import simulated_candles

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "reference" / "signals"
SIGNALS: Final[Mapping[str, Signal]] = {name: make() for name, make in NAMES.items()}
SELLS: Final = {"rsi_overbought", "macd_bearish_cross", "ma_bearish_cross", "bollinger_upper"}
SHOWN: Final = 240  # candles, after those in which signals warm up
STEP: Final = 3  # pixels a candle
LEFT: Final = 44
WIDTH: Final = LEFT + SHOWN * STEP + 8
PRICES: Final = (12.0, 132.0)  # from the highest price down to the lowest
SCORES: Final = (150.0, 250.0)  # from 1 down to -1
GRAY: Final = "#808080"  # which is seen on white and on black
HEAD: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 262" '
    f'font-family="sans-serif" font-size="11" fill="{GRAY}">'
)


def pictures() -> Mapping[Path, str]:
    """Return every picture, by its path."""
    candles = simulated_candles(
        seed=21,
        count=SHOWN + 120,
        first_at=datetime(2025, 1, 1, tzinfo=UTC),
        start_price=Decimal(50000),
        tick=Decimal("0.01"),
        volatility=Decimal("0.6"),
    )
    closes = candles.close[-SHOWN:] / 100
    said = series_of(SIGNALS, bars_of(candles))
    return {
        FOLDER / f"{name}.svg": _picture(name, one, closes.tolist()) for name, one in said.items()
    }


def _picture(name: str, said: Said, closes: list[float]) -> str:
    low, high = min(closes), max(closes)
    prices = [_between(PRICES, (high - close) / (high - low)) for close in closes]
    scores = [_between(SCORES, (1 - unit / QUANTA) / 2) for unit in said.scores[-SHOWN:].tolist()]
    lines = (
        f"{HEAD}<title>{name}: closes, score and events</title>",
        _rule(PRICES[0], f"{high:.0f}"),
        _rule(PRICES[1], f"{low:.0f}"),
        *(_rule(_between(SCORES, (1 - score) / 2), f"{score:+d}") for score in (1, 0, -1)),
        _line(prices, GRAY),
        _line(scores, "#1f77b4"),
        *_events(said, prices),
        "</svg>\n",
    )
    return "\n".join(lines)


def _between(panel: tuple[float, float], share: float) -> float:
    top, bottom = panel
    return round(top + (bottom - top) * share, 1)


def _rule(height: float, text: str) -> str:
    return (
        f'<path d="M{LEFT} {height}H{WIDTH - 8}" stroke="{GRAY}" stroke-opacity=".3"/>'
        f'<text x="{LEFT - 4}" y="{height + 4}" text-anchor="end">{text}</text>'
    )


def _line(heights: Iterable[float], color: str) -> str:
    points = " ".join(f"{LEFT + STEP * place},{height:g}" for place, height in enumerate(heights))
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.2"/>'


def _events(said: Said, prices: list[float]) -> Iterable[str]:
    for event, came in said.events.items():
        sells = event in SELLS
        color, tip, foot = ("#d62728", -4, -11) if sells else ("#2ca02c", 4, 11)
        for place in np.flatnonzero(came[-SHOWN:]).tolist():
            x, y = LEFT + STEP * place, prices[place]
            yield (
                f'<path d="M{x} {y + tip:.1f}L{x - 4} {y + foot:.1f}H{x + 4}Z" fill="{color}">'
                f"<title>{event}</title></path>"
            )


def main() -> int:
    """Draw the pictures, or say which are wrong."""
    parser = argparse.ArgumentParser(description="Draw or check the pictures of the signals.")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    drawn = pictures()
    if parser.parse_args().check:
        wrong = [
            f"{path.relative_to(ROOT)} differs from the code: run tools/plots.py"
            for path, text in drawn.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        print("\n".join(wrong) or f"{len(drawn)} pictures are what the code draws")
        return 1 if wrong else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in drawn.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(drawn)} pictures drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
