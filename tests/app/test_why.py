"""`trancher why`: one sentence that says why a bot is not buying now, and when that ends.

Each case is a small run over hourly candles at a price of 100. The first entry is decided at 01:00
and filled at once; the run ends with the last candle, and what is asked is asked then.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from command_line import candles, config, done
from trancher.app.sentences import WORDS
from trancher.core.limits import RefusalCode

FLAT: Final = "100 100 100 100"
PORTFOLIO: Final = '[portfolio]\nquote = "USD"\ncash = {cash}\n{limits}\n'
TERMS: Final = '[instrument."BTC/USD"]\nprice_tick = 0.01\n'
BOT: Final = """
[[bot]]
name = "{name}"
symbol = "BTC/USD"
timeframe = "1h"
{limits}
[bot.entry]
plan = "rungs"
rungs = [{{when = {{flat = true}}, size = 20}}, {second}]
[bot.exit]
stop_loss = "10%"
"""
HOURLY: Final = '{when = {elapsed = "1h"}, size = 30}'


def run(
    folder: Path,
    *,
    portfolio: str = "",
    cash: int = 1000,
    limits: str = "",
    second: str = HOURLY,
    bots: tuple[str, ...] = ("first",),
    rows: tuple[str, ...] = (FLAT,) * 5,
) -> None:
    """Keep the books of a run in `folder`."""
    limits = f"[bot.limits]\n{limits}"
    each = [BOT.format(name=name, limits=limits, second=second) for name in bots]
    told = PORTFOLIO.format(cash=cash, limits=portfolio)
    config(folder / "c.toml", told, TERMS, *each)
    candles(folder / "c.csv", *rows)
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///trancher.db", folder=folder)


def why(folder: Path, bot: str = "first") -> Any:
    """Return the document of why, whose sentence is what a person reads last."""
    document = done("why", bot, "--json", folder=folder).document
    assert document["sentence"] in done("why", bot, folder=folder).words
    return document


HOLDING: Final = "first holds 0.2 BTC, bought for 20.00 USD in 1 tranche; "
SELLS: Final = "; it sells at or below 90.00 (-10.0 %)."
BLOCKS: Final = {
    "COOLDOWN": (
        {"limits": 'tranche_cooldown = "6h"'},
        (
            "it does not buy 30.00 USD (rung 2) because its cooldown of 6h after an entry "
            "began 4h before, until 2024-01-01 07:00 UTC"
        ),
    ),
    "MAX_DAILY_TRADES": (
        {"portfolio": "max_daily_trades = 2"},
        (
            "it does not buy 30.00 USD (rung 2) because with it and the exits kept back the day "
            "would have 3 trades of at most 2, until 2024-01-02 00:00 UTC"
        ),
    ),
    "INSUFFICIENT_FUNDS": (
        {"cash": 40, "limits": 'reserve_funds = "none"'},
        (
            "it does not buy 30.00 USD (rung 2) because 30.03 USD is needed, its fee and the "
            "rungs to come included, and 19.98 is free, until free cash reaches 30.03 USD"
        ),
    ),
    "MAX_POSITION_SIZE": (
        {"limits": "max_position_size = 40"},
        (
            "it does not buy 30.00 USD (rung 2) because it would bring the position to 50.00 USD, "
            "10.00 above the limit of 40.00, until the anchor cost falls to 10 USD"
        ),
    ),
    "MAX_TRANCHES": (
        {"limits": "max_tranches = 1"},
        (
            "it does not buy 30.00 USD (rung 2) because it would be tranche 2 of at most 1, "
            "until the position is closed"
        ),
    ),
    "MAX_DRAWDOWN": (
        {
            "portfolio": 'max_drawdown = "0.5%"',
            "second": '{when = {elapsed = "3h"}, size = 30}',
            "rows": (FLAT, FLAT, "100 150 100 150", "150 150 100 100", FLAT, FLAT),
        },
        (
            "it does not buy 30.00 USD (rung 2) because equity is 0.99 % below its peak, of at "
            "most 0.5 %, until equity rises above 1004.9301 USD"
        ),
    ),
}


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_is_told_with_its_end(tmp_path: Path, code: str) -> None:
    """
    A block, a sentence. The core is asked anew, and agrees with the decision on record.
    """
    given, expected = BLOCKS[code]
    run(tmp_path, **given)  # type: ignore[arg-type]

    said = why(tmp_path)

    assert said["sentence"] == HOLDING + expected + SELLS
    assert said["next_entry"]["due"] is True
    (now,), (last,) = said["blocked_by"], said["last_refusal"]["refusals"]
    assert now["code"] == last["code"] == code
    for key in ("limit", "unblocks_at", "unblocks_when"):
        assert now[key] == last[key]


def test_a_bot_that_finds_no_room_names_who_is_there(tmp_path: Path) -> None:
    """
    The limit is over all bots, so whoever asks wants to know which ones are in.
    """
    run(tmp_path, portfolio="max_active_positions = 1", bots=("first", "second"))

    said = why(tmp_path, "second")

    assert said["sentence"] == (
        "second holds nothing; it does not buy 20.00 USD (rung 1) because it would be active "
        "position 2 of at most 1 beside first, until a position of any bot is closed."
    )
    assert [one["code"] for one in said["blocked_by"]] == ["MAX_ACTIVE_POSITIONS"]


def test_two_reasons_are_both_told(tmp_path: Path) -> None:
    """
    Who hears of one only waits for it, and is refused again.
    """
    run(tmp_path, limits='max_tranches = 1\ntranche_cooldown = "6h"')

    said = why(tmp_path)

    assert [one["code"] for one in said["blocked_by"]] == ["MAX_TRANCHES", "COOLDOWN"]
    assert (
        "until the position is closed; and its cooldown of 6h after an entry began 4h"
        in said["sentence"]
    )


WAITS: Final = [
    (
        {"second": '{when = {drop = "5%"}, size = 30}'},
        HOLDING + "it waits to buy 30.00 USD (rung 2) at or below 95.00 (-5.0 %)" + SELLS,
    ),
    (
        {"second": '{when = {rise = "5%"}, size = 30}'},
        HOLDING + "it waits to buy 30.00 USD (rung 2) at or above 105.00 (+5.0 %)" + SELLS,
    ),
    (
        {"second": '{when = {elapsed = "8h"}, size = 30}'},
        HOLDING + "it waits to buy 30.00 USD (rung 2) from 2024-01-01 09:00 UTC on" + SELLS,
    ),
    (
        {"second": '{when = {any = [{elapsed = "8h"}, {drop = "5%"}]}, size = 30}'},
        HOLDING + "it waits to buy 30.00 USD (rung 2) from 2024-01-01 09:00 UTC on, "
        "or at or below 95.00 (-5.0 %)" + SELLS,
    ),
    (
        {"rows": (FLAT,) * 2},
        HOLDING + "it buys 30.00 USD (rung 2) at the next candle" + SELLS,
    ),
    (
        {},
        "first holds 0.5 BTC, bought for 50.00 USD in 2 tranches; it buys no more until "
        "this position is closed, because its ladder is used up (2 of 2)" + SELLS,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), WAITS, ids=[case[1][-90:-35] for case in WAITS])
def test_a_bot_that_waits_says_for_what(
    tmp_path: Path, given: dict[str, Any], expected: str
) -> None:
    """
    Nothing is in the way, so the sentence gives the level or the time, and how far it is.
    """
    run(tmp_path, **given)

    said = why(tmp_path)

    assert said["sentence"] == expected
    assert said["blocked_by"] == []


def test_a_limit_that_will_be_in_the_way_is_told_before(tmp_path: Path) -> None:
    """
    At the level it would be refused; better to hear of it while there is time.
    """
    run(tmp_path, limits="max_position_size = 40", second='{when = {drop = "5%"}, size = 30}')

    said = why(tmp_path)

    assert "at or below 95.00 (-5.0 %); as things stand it would be refused" in said["sentence"]
    assert said["next_entry"]["due"] is False


def test_a_cooldown_that_ends_before_the_wait_is_no_block(tmp_path: Path) -> None:
    """
    What is over by then is asked at the time of the entry, and is not in its way.
    """
    run(tmp_path, limits='tranche_cooldown = "6h"', second='{when = {elapsed = "8h"}, size = 30}')

    assert why(tmp_path)["blocked_by"] == []


def test_an_indicator_that_is_awaited_is_told_with_its_threshold(tmp_path: Path) -> None:
    """
    Its value now is not in the books, so nothing is said about how far away it is.
    """
    second = BOT.format(name="dip", limits="[bot.signals]\nrsi = {period = 2}", second=HOURLY)
    dip = second.replace("{flat = true}", '{all = [{flat = true}, {indicator = {rsi = "<30"}}]}')
    config(tmp_path / "c.toml", PORTFOLIO.format(cash=1000, limits=""), TERMS, dip)
    candles(tmp_path / "c.csv", *(f"{p} {p + 1} {p} {p + 1}" for p in range(100, 110)))
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///trancher.db", folder=tmp_path)

    said = why(tmp_path, "dip")

    assert (
        said["sentence"] == "dip holds nothing; it waits to buy 20.00 USD (rung 1) once rsi < 30."
    )
    assert said["next_entry"]["waits"][0]["indicators"] == [
        {"name": "rsi", "comparison": "<", "threshold": "30"}
    ]


def test_every_code_has_its_words() -> None:
    """
    A refusal that nobody can put into words is a refusal that nobody can end.
    """
    assert set(WORDS) == set(RefusalCode)


@pytest.mark.parametrize(
    ("rule", "sells", "arms"),
    [
        (
            'trailing_stop = {activate = "10%", trail = "5%"}',
            "it sells on the way down once 110.00 (+4.8 %) was reached",
            ["110"],
        ),
        ('break_even_after = "5%"', "it sells at or below 100.20 (-4.6 %)", []),
        (
            'take_profit = [{gain = "8%", sell = "rest"}]\ntrailing_take_profit = "2%"',
            "it sells on the way down once 108.00 (+2.9 %) was reached",
            ["108"],
        ),
    ],
)
@pytest.mark.parametrize("evaluate", ["intracandle", "close"])
def test_a_rule_that_trails_says_from_where_on(
    tmp_path: Path, rule: str, sells: str, arms: list[str], evaluate: str
) -> None:
    """
    105 is no gain of 8 % or 10 % yet, but one of 5 %. At closes the high of 120 does not count.
    """
    high = "120" if evaluate == "close" else "105"
    bot = BOT.format(name="first", limits="", second=HOURLY).replace('stop_loss = "10%"', rule)
    each = (
        PORTFOLIO.format(cash=1000, limits=""),
        TERMS,
        f'[backtest]\nevaluate = "{evaluate}"\n',
    )
    config(tmp_path / "c.toml", *each, bot)
    candles(tmp_path / "c.csv", FLAT, FLAT, FLAT, f"100 {high} 100 105")
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///trancher.db", folder=tmp_path)

    document = why(tmp_path)

    assert sells in document["sentence"]
    assert [price.rstrip("0").rstrip(".") for price in document["next_exits"]["arms"]] == arms
