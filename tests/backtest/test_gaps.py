"""The first candle after a gap: what the signals said before it has grown old meanwhile."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from backtest.replays import Row, replay_of
from backtest.replays import candles_of as candles_on
from backtest.scripted import MIDNIGHT, SYMBOL, configuration, tape
from trancher.app.settings import parse
from trancher.market.outside import OutsideSignal

TWO: Final = MIDNIGHT + timedelta(hours=2)
SAID: Final = (
    OutsideSignal(at=TWO, name="desk", event="breakout"),
    OutsideSignal(at=TWO, name="desk", score=Decimal("0.9")),
)
ENTRY: Final = """plan = "rungs"
rungs = [{when = {flat = true}, size = 100}, {when = {all = [{drop = "2%"}, WHEN]}, size = 98}]
[bot.signals]
price_drop = {weight = 0.1, window = 2, max_age = "1h"}
external = {desk = {weight = 0.9, max_age = "1h"}}
"""


@pytest.mark.parametrize(
    "when",
    ['{signal = "breakout"}', "{score = 0.8}", '{indicator = {price_drop = "<1"}}'],
    ids=["event", "score", "level"],
)
@pytest.mark.parametrize(("opens", "bought"), [(2, True), (3, True), (4, False), (9, False)])
@pytest.mark.parametrize("jump", [True, False])
def test_what_is_stale_at_the_opening_buys_nothing_inside_the_candle(
    when: str, opens: int, *, bought: bool, jump: bool
) -> None:
    """
    Said at the close of 02:00 and good for an hour, inclusive: a fall inside the candle that opens
    at 02:00 or at 03:00 meets it, one inside a later candle does not.
    """
    settings = parse(configuration(ENTRY.replace("WHEN", when)), file="test.toml")
    rows: list[Row] = [(place, 100, 100, 100, 100) for place in (0, 1)]
    rows += [(opens, 99, 99, 97, 99), (opens + 1, 99, 99, 99, 99)]
    candles = {SYMBOL: candles_on(rows, interval=timedelta(hours=1), first=MIDNIGHT)}

    found = replay_of(settings, candles, outside=SAID, jump=jump).run()

    second = f"{opens:02}:59:59.999999 buy 1 @ 98 fee 0"
    assert tape(found) == ["01:00:00.000000 buy 1 @ 100 fee 0", *[second] * bought]
