"""Settings: what a configuration means once it is read."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from small_settings import settings_of
from trancher.app.configured import SignalSetting
from trancher.app.section import name_of, sections
from trancher.app.settings import load, parse
from trancher.app.signal_grammar import EVENTS
from trancher.core.conditions import All, AnyOf, Comparison, Elapsed, Flat, Indicator, Move, Origin
from trancher.core.exits import StopLoss, TakeProfit, TimeStop
from trancher.core.instrument import FeeIn
from trancher.core.limits import BotLimits, ExitReserve, PortfolioLimits, ReserveFunds
from trancher.core.rungs import EntryRung
from trancher.core.tranches import Disposal

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))

REFERENCE = """
[portfolio]
name = "reference"
quote = "USD"
cash = 10000
max_active_positions = "off"
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
min_notional = 0
maker_fee = "0.1%"
taker_fee = "0.1%"
[backtest]
evaluate = "close"
[[bot]]
name = "reference"
symbol = "BTC/USD"
timeframe = "1m"
[bot.limits]
max_position_size = 75
max_tranches = 3
tranche_cooldown = "15m"
reserve_funds = "none"
[bot.signals]
rsi = {weight = 1, period = 14}
[bot.entry]
plan = "rungs"
rebuild = true
rungs = [{when = {all = [{flat = true}, {indicator = {rsi = "<30"}}]}, size = 25},
         {when = {drop = "1%", from = "anchor"}, size = 25, repeat = 2}]
[bot.exit]
take_profit = [{gain = "1%", sell = "25%"}, {gain = "2%", sell = "50%"}, {gain = "3%", sell = "rest"}]
stop_loss = "5%"
disposal = "average"
"""  # noqa: E501  # quoted as the benchmark has it

SMALLEST = """
[portfolio]
quote = "USD"
cash = 1000
[[bot]]
name = "b"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
"""


def rungs_of(entry: str, *, limits: str = "", signals: str = "") -> tuple[EntryRung, ...]:
    return settings_of(entry=entry, limits=limits, signals=signals).bots[0].plan.entries


def test_the_reference_configuration_loads() -> None:
    """
    The work that all speed is measured by; every figure of it is the one written down.
    """
    settings = parse(REFERENCE, file="reference.toml")

    (bot,) = settings.bots
    assert bot.plan.entries == (
        EntryRung(
            label="rung 1",
            when=All(
                conditions=(
                    Flat(flat=True),
                    Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30)),
                )
            ),
            size=Decimal(25),
        ),
        EntryRung(
            label="rung 2",
            when=Move(by=Decimal("-0.01"), origin=Origin.ANCHOR),
            size=Decimal(25),
            repeat=2,
        ),
    )
    assert bot.plan.exits == (
        StopLoss(loss=Decimal("0.05")),
        TakeProfit(gain=Decimal("0.01"), share=Decimal("0.25")),
        TakeProfit(gain=Decimal("0.02"), share=Decimal("0.50")),
        TakeProfit(gain=Decimal("0.03"), share=None),
    )
    assert bot.plan.rebuild
    assert bot.signals.built_in == {
        "rsi": SignalSetting(
            parameters={"period": 14, "oversold": Decimal(30), "overbought": Decimal(70)},
            weight=Decimal(1),
            max_age=None,
        )
    }
    assert bot.signals.external == {}
    assert bot.timeframe == timedelta(minutes=1)
    assert bot.disposal is Disposal.AVERAGE
    assert bot.limits.reserve_funds is ReserveFunds.NONE
    assert settings.portfolio.limits == PortfolioLimits(
        max_active_positions=None, max_daily_trades=None
    )
    assert settings.backtest.evaluate == "close"
    assert settings.warnings == ()


def test_what_is_absent_is_the_default() -> None:
    """
    An absent key is the limit the design names, not no limit and not none allowed.
    """
    settings = parse(SMALLEST, file="c.toml")

    assert settings.portfolio.limits == PortfolioLimits()
    assert settings.portfolio.timezone.key == "UTC"
    assert settings.bots[0].limits == BotLimits()
    assert settings.bots[0].disposal is Disposal.FIFO
    assert settings.bots[0].timeframe is None
    assert settings.backtest.evaluate == "intracandle"
    assert settings.backtest.slippage == 0


def test_off_is_no_limit_and_zero_allows_none() -> None:
    """
    The two are opposite, and neither is the default.
    """
    off = settings_of(limits='max_position_size = "off"\nmin_tranche_size = "off"')
    none = settings_of(limits="max_position_size = 0", portfolio="max_active_positions = 0")

    assert off.bots[0].limits.max_position_size is None
    assert off.bots[0].limits.min_tranche_size is None
    assert none.bots[0].limits.max_position_size == 0
    assert none.portfolio.limits.max_active_positions == 0


def test_numbers_keep_every_digit() -> None:
    """
    A float would make 0.1 of it; a decimal keeps what was written.
    """
    settings = settings_of(portfolio="", limits="max_tranche_size = 50.123456789012345678901")

    assert settings.bots[0].limits.max_tranche_size == Decimal("50.123456789012345678901")


def test_a_size_may_be_a_share_of_the_position() -> None:
    """
    A ladder written in shares follows the limit when it is changed.
    """
    (first, _) = rungs_of('plan = "dca"\nsize = "12.5%"\nevery = "7d"')

    assert first.size == Decimal("12.5")


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("2w1d", timedelta(days=15)),
    ],
)
def test_durations_are_read_in_their_units(written: str, span: timedelta) -> None:
    """
    The unit is always written, so nobody has to know it.
    """
    assert settings_of(end=f'time_stop = "{written}"').bots[0].plan.exits == (
        TimeStop(after=span),
    )


def test_a_dca_plan_takes_its_tranches_from_the_limit() -> None:
    """
    Written once is enough: the plan's own key is only for fewer.
    """
    first, further = rungs_of('plan = "dca"\nsize = 20\nevery = "7d"\ndrop = "3%"')

    assert first.repeat + further.repeat == BotLimits().max_tranches
    assert further.when == All(
        conditions=(
            Elapsed(after=timedelta(days=7)),
            Move(by=Decimal("-0.03"), origin=Origin.LAST_ENTRY),
        )
    )


def test_a_start_waits_for_its_indicator() -> None:
    """
    The first entry is due when flat and the indicator says so, both.
    """
    first, *_ = rungs_of(
        'plan = "dca"\nsize = 20\nevery = "7d"\nstart = {indicator = {rsi = "<= 30"}}',
        signals="rsi = {}",
    )

    threshold = Indicator(name="rsi", comparison=Comparison.AT_MOST, threshold=Decimal(30))
    assert first.when == All(conditions=(Flat(flat=True), threshold))


def test_five_numbers_make_the_ladder_of_hosted_bots() -> None:
    """
    Base 10, safety 20, 2 %, step x 1.5, volume x 2: the worked example of the reference.
    """
    rungs = rungs_of(
        'plan = "ladder"\nbase_size = 10\nsafety_size = 20\ndeviation = "2%"\n'
        "step_scale = 1.5\nvolume_scale = 2\nmax_safety = 4",
        limits='max_position_size = "off"\nmax_tranche_size = "off"\nmax_tranches = "off"',
    )

    assert [rung.size for rung in rungs] == [10, 20, 40, 80, 160]
    moves = [rung.when.by for rung in rungs if isinstance(rung.when, Move)]
    assert moves == [Decimal(d) for d in ("-0.02", "-0.05", "-0.095", "-0.1625")]


def test_levels_may_lie_on_both_sides_of_the_base() -> None:
    """
    A negative drop is pyramiding up.
    """
    _, up, down = rungs_of(
        'plan = "ladder"\nbase_size = 10\n'
        'levels = [{drop = "-3%", size = 10}, {drop = 0.05, size = "20%"}]'
    )

    assert up.when == Move(by=Decimal("0.03"), origin=Origin.FIRST_ENTRY)
    assert down.when == Move(by=Decimal("-0.05"), origin=Origin.FIRST_ENTRY)
    assert down.size == 20


def test_conditions_combine() -> None:
    """
    The general form says whatever the plans say, and more.
    """
    rungs = rungs_of(
        'plan = "rungs"\nrungs = [{when = {flat = true}, size = 20},'
        ' {when = {any = [{elapsed = "1d"}, {rise = "2%", from = "first_entry"}]}, size = 20},'
        ' {when = {drop = "2%"}, size = 20}]'
    )

    assert rungs[1].when == AnyOf(
        conditions=(
            Elapsed(after=timedelta(days=1)),
            Move(by=Decimal("0.02"), origin=Origin.FIRST_ENTRY),
        )
    )
    assert rungs[2].when == Move(by=Decimal("-0.02"), origin=Origin.LAST_ENTRY)


def test_full_exits_go_before_the_ladder() -> None:
    """
    The order of the plan is the order of priority, whatever the order in the file.
    """
    settings = settings_of(
        end='take_profit = [{gain = 0.5, sell = "rest"}]\ntime_stop = "9d"\nstop_loss = "9%"'
    )

    kinds = [type(rule) for rule in settings.bots[0].plan.exits]
    assert kinds == [StopLoss, TimeStop, TakeProfit]


def test_an_absent_instrument_is_assumed_aloud() -> None:
    """
    Whoever reads a result must see which fees and steps nobody wrote down.
    """
    settings = parse(SMALLEST, file="c.toml")

    instrument = settings.instrument("BTC/USD", price_tick=Decimal("0.01"))
    said = settings.assumptions("BTC/USD", price_tick=Decimal("0.01"))

    assert instrument.price_tick == Decimal("0.01")
    assert instrument.quantity_step == Decimal("0.00000001")
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal("0.001"), Decimal("0.001"))
    assert instrument.fee_in is FeeIn.QUOTE
    assert instrument.min_quantity == 0
    assert instrument.min_notional == 0
    assert len(said) == 7
    assert "BTC/USD: price tick 0.01, read off the candles" in said


def test_a_written_tick_goes_before_the_candles() -> None:
    """
    The file knows what the exchange demands; candles only show what was traded.
    """
    settings = parse(REFERENCE, file="reference.toml")

    instrument = settings.instrument("BTC/USD", price_tick=Decimal(1))

    assert instrument.price_tick == Decimal("0.01")
    assert settings.assumptions("BTC/USD", price_tick=Decimal(1)) == (
        "BTC/USD: no minimum quantity",
        "BTC/USD: fee of a buy taken in quote",
    )


def test_a_bot_is_what_its_settings_say() -> None:
    """
    Only the instrument was missing.
    """
    settings = parse(REFERENCE, file="reference.toml")
    instrument = settings.instrument("BTC/USD", price_tick=None)

    bot = settings.bots[0].bot(instrument)

    assert (bot.name, bot.instrument) == ("reference", instrument)
    assert (bot.plan, bot.limits) == (settings.bots[0].plan, settings.bots[0].limits)


def test_the_hash_is_of_what_is_said_not_of_how() -> None:
    """
    A comment or another spelling is no new version; another number is.
    """
    spelled = SMALLEST.replace("1000", "1000.00 # cash").replace('"7d"', '"1w"')
    same = parse(f'{spelled}\n[exchange]\nname = "paper"\n', file="other.toml")
    other = parse(SMALLEST.replace("1000", "1001"), file="c.toml")
    plain = parse(SMALLEST, file="c.toml")

    assert same.config_hash == plain.config_hash
    assert other.config_hash != plain.config_hash
    assert replace(same, file="c.toml") == plain


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_load_without_a_warning(path: Path) -> None:
    """
    They are the first thing anybody copies, inside the limits the design starts with.
    """
    settings = load(path)

    assert settings.warnings == ()
    assert settings.portfolio.cash == 1000
    assert settings.portfolio.limits == PortfolioLimits(exit_reserve=ExitReserve.ONE)


def test_there_are_five_examples() -> None:
    """
    An empty folder would pass the test above.
    """
    assert [path.stem for path in EXAMPLES] == ["dca", "graduated", "ladder", "profit", "signal"]


def test_every_key_is_documented() -> None:
    """
    A key without a line in the reference is found by nobody.
    """
    reference = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    keys = {name_of(one, field) for one in sections() for field in one.model_fields}

    missing = {
        key
        for key in keys - {"portfolio", "exchange", "instrument", "backtest", "bot"}
        if f"`{key}`" not in reference and f".{key}`" not in reference
    }

    assert not missing


@pytest.mark.parametrize("name", EVENTS)
def test_every_parameter_and_event_of_a_signal_is_documented(name: str) -> None:
    """
    Two signals may have a key of one name, and mean something else by it.
    """
    reference = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    said = settings_of(signals=f"{name} = {{}}").bots[0].signals.built_in[name]

    assert [key for key in said.parameters if f"`{name}.{key}`" not in reference] == []
    assert [event for event in EVENTS[name] if f"`{event}`" not in reference] == []
