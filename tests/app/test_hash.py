"""The hash of a configuration: one for one meaning, another for another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_settings import DCA, settings_of
from sparing import one_in
from trancher.core.signals import Temperature

# By table, what a key may be written as; all spellings of a line mean the same.
SPELLINGS: dict[str, list[tuple[str, ...]]] = {
    "portfolio": [
        ("max_exposure = 200", "max_exposure = 200.00"),
        (
            'symbol_caps = {"BTC/USD" = 60, "ETH/USD" = 50}',
            'symbol_caps = {"ETH/USD" = 50.0, "BTC/USD" = 60}',
        ),
        ("max_daily_loss = 20", "max_daily_loss = 20.0"),
        ("max_losing_streak = 3", "max_losing_streak=3"),
        ('max_drawdown = "20%"', "max_drawdown = 0.2", "max_drawdown = 0.20"),
        ('exit_reserve = "ladder"', "exit_reserve = 'ladder'"),
    ],
    "limits": [
        ('min_temperature = "off"', "min_temperature = 'off'"),
        ('tranche_cooldown = "1h"', 'tranche_cooldown = "60m"'),
    ],
    "signals": [
        ("rsi = {weight = 0.5}", 'rsi = {period = 14, weight = "50%"}'),
        ("macd = {fast = 5}", "macd.fast = 5"),
        ("ma_cross = {atr = 10}", "ma_cross = {atr = 10, slow = 20, fast = 10}"),
        ("ma_support = {}", "ma_support = {period = 50, weight = 1}"),
        ("bollinger = {width = 2.5}", "bollinger = {width = 2.50}"),
        ('price_drop = {drop = "7%"}', "price_drop = {drop = 0.07, window = 24}"),
        ("external = {news = {}}", 'external = {news = {max_age = "60m"}}'),
        ("temperature = {hot = 0.4}", "temperature = {hot = 0.40, warm = 0.15}"),
        ("hysteresis = 0.05", "hysteresis = 0.050"),
        ('confirm = "5m"', 'confirm = "300s"'),
    ],
    "entry": [
        ('on_excess = "clip"', "on_excess = 'clip'"),
        ("rearm = true\nrearm_max = 2", "rearm_max = 2\nrebuild = true\nrearm = true"),
        ('order = "limit"\nttl = "4h"', 'ttl = "240m"\noffset = "0%"\norder = "limit"'),
        ('start = {indicator = {rsi = "<30"}}', 'start = {indicator = {rsi = "< 30.0"}}'),
    ],
    "end": [
        ('stop_loss = {loss = "5%", over = "tranche"}', "stop_loss = {over='tranche', loss=0.05}"),
        (
            'take_profit = [{gain = "9%", sell = "rest"}]',
            'take_profit = [{gain = 0.09, sell = "rest", over = "anchor"}]',
        ),
        ('trailing_take_profit = "2%"', "trailing_take_profit = 0.02"),
        (
            'trailing_stop = {activate = "5%", trail = "2%"}',
            "trailing_stop = {trail = 0.020, activate = 0.05}",
        ),
        ("break_even_after = 0.1", 'break_even_after = "10%"'),
        ('time_stop = "1w"', 'time_stop = "7d"'),
        ("signal_exit = {score = -0.5}", 'signal_exit = {score = -0.50, sell = "rest"}'),
        ('reentry_cooldown = "1d"', 'reentry_cooldown = "24h"'),
    ],
}
NEEDED = {
    "signals": "rsi = {weight = 0.5}",
    "end": 'stop_loss = {loss = "5%", over = "tranche"}\n'
    'take_profit = [{gain = "9%", sell = "rest"}]',
}
"""Lines without which others are refused; they are written wherever nothing else says so."""


def lines_of(choice: dict[str, list[str]]) -> dict[str, str]:
    """Return the tables with the chosen lines, and those that other lines need."""
    tables = {table: "\n".join(lines) for table, lines in choice.items()}
    tables["entry"] = f"{DCA}\n{tables['entry']}"
    for table, needed in NEEDED.items():
        for line in needed.split("\n"):
            if f"\n{line.partition(' ')[0]} =" not in f"\n{tables[table]}":
                tables[table] = f"{line}\n{tables[table]}"
    return tables


@st.composite
def spelled_twice(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return lines, and the same in another order, each in a spelling of its own."""
    one: dict[str, list[str]] = {}
    other: dict[str, list[str]] = {}
    for table, keys in SPELLINGS.items():
        chosen = draw(st.lists(st.sampled_from(keys), unique=True))
        one[table] = [draw(st.sampled_from(spellings)) for spellings in chosen]
        other[table] = [
            draw(st.sampled_from(spellings)) for spellings in draw(st.permutations(chosen))
        ]
    return one, other


@one_in(5)
@given(spelled_twice())
def test_one_meaning_has_one_hash(
    spelled: tuple[dict[str, list[str]], dict[str, list[str]]],
) -> None:
    """
    Whatever is chosen, in whatever order and spelling: the same values, and the same hash.
    """
    one, other = (settings_of(**lines_of(choice)) for choice in spelled)

    assert one.config_hash == other.config_hash
    assert replace(one, warnings=()) == replace(other, warnings=())


@pytest.mark.parametrize(
    ("table", "line"),
    [(table, spellings[0]) for table, keys in SPELLINGS.items() for spellings in keys],
)
def test_every_key_counts(table: str, line: str) -> None:
    """
    A key that the hash overlooks would let two strategies pass for one.
    """
    without: dict[str, list[str]] = {name: [] for name in SPELLINGS}
    if line in NEEDED.get(table, "").split("\n"):
        line = line.replace("0.5", "0.4").replace("5%", "6%").replace("9%", "8%")

    one, other = (settings_of(**lines_of({**without, table: lines})) for lines in ([], [line]))

    assert one.config_hash != other.config_hash


def test_a_stop_loss_may_be_a_number_or_a_table() -> None:
    """
    The short form is the long one over the anchor.
    """
    short, long = (settings_of(end=f"stop_loss = {text}") for text in ('"5%"', '{loss = "5%"}'))

    assert short.config_hash == long.config_hash
    assert short.bots == long.bots


def test_no_minimum_is_not_the_usual_minimum() -> None:
    """
    Absent, a rung that asks for a score needs WARM; "off" lets it buy at any temperature.
    """
    tables = {
        "signals": "rsi = {}",
        "entry": 'plan = "graduated"\nsteps = [{score = 0.1, size = 20}]',
    }

    usual, off = (settings_of(limits=line, **tables) for line in ("", 'min_temperature = "off"'))

    (warm,), (free,) = (settings.bots[0].plan.entries for settings in (usual, off))
    assert (warm.min_temperature, free.min_temperature) == (Temperature.WARM, None)
    assert usual.config_hash != off.config_hash
