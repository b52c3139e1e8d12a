"""Random backtests of one bot: the same case as a configuration with candles, and for the model.

Every candle price lies on the instrument's tick. Prices are small whole numbers of ticks, so that
candles touch levels exactly, gap over them and leave them between two ticks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from hypothesis import strategies as st

from backtest.model import Model
from backtest.model_words import (
    Candle,
    Rules,
    Rung,
    When,
    at_least_one,
    elapsed,
    every_one,
    flat,
    moved,
)
from backtest.replays import FIRST, INTERVAL, MINUTE, SYMBOL, Row, micros
from strategies import Dial


@dataclass(frozen=True)
class Case:
    """One backtest, twice.

    Attributes:
        text: the configuration.
        rules: the same for the model.
        rows: candles as (number on the grid of time, open, high, low, close), whole prices.
    """

    text: str
    rules: Rules
    rows: tuple[Row, ...]


def played(case: Case) -> Model:
    """Play a case on the model."""
    start = micros(FIRST)
    candles = [
        Candle(
            at=start + number * INTERVAL * MINUTE,
            open=Fraction(first),
            high=Fraction(high),
            low=Fraction(low),
            close=Fraction(last),
        )
        for number, first, high, low, last in case.rows
    ]
    model = Model(case.rules, candles)
    model.run()
    return model


def cases(*, longest: int = 40) -> st.SearchStrategy[Case]:
    """Return random cases of up to `longest` candles."""
    part = st.integers(0, 2**24 - 1)
    dial = st.lists(part, min_size=6, max_size=6).map(
        lambda parts: Dial(sum(one << 24 * place for place, one in enumerate(parts)))
    )
    shapes = st.lists(st.integers(0, 2**24 - 1).map(Dial), min_size=12, max_size=longest)
    return st.builds(_case, dial, shapes)


def rows_from(shapes: Sequence[Dial]) -> tuple[Row, ...]:
    """Return candles: small ones most of the time, wide ones, gaps in price and in time."""
    rows: list[Row] = []
    place, last = 0, 100
    for shape in shapes:
        first = max(last + shape.pick([0, 0, 0, 0, 1, -1, 3, -3, 9, -9]), 2)
        close = max(first + shape.pick([0, 1, -1, 2, -2, 4, -4, 7, -7]), 2)
        high = max(first, close) + shape.pick([0, 0, 1, 2, 5, 12])
        low = max(min(first, close) - shape.pick([0, 0, 1, 2, 5, 12]), 1)
        rows.append((place, first, high, low, close))
        place += shape.pick([1, 1, 1, 1, 1, 2, 5])
        last = close
    return tuple(rows)


def _case(dial: Dial, shapes: Sequence[Dial]) -> Case:
    size = dial.pick([30, 20, 50, 12])
    rungs, entry = _entry(dial, size)
    fields: dict[str, str] = {}
    rules = _rules(dial, rungs, fields)
    exit_ = _exit_text(rules)
    text = f"""
[portfolio]
quote = "USD"
cash = {fields["cash"]}
max_active_positions = {fields["max_active"]}
max_daily_trades = {fields["max_daily"]}
exit_reserve = "{rules.exit_reserve}"
[instrument."{SYMBOL}"]
price_tick = {fields["tick"]}
quantity_step = {fields["step"]}
min_quantity = {fields["min_quantity"]}
min_notional = {fields["min_notional"]}
maker_fee = "{fields["maker"]}"
taker_fee = "{fields["taker"]}"
fee_in = "{"base" if rules.fee_in_base else "quote"}"
[backtest]
evaluate = "{"intracandle" if rules.inside else "close"}"
slippage = {fields["slippage"]}
[[bot]]
name = "bot"
symbol = "{SYMBOL}"
[bot.limits]
max_position_size = {fields["max_position"]}
max_tranches = {fields["max_tranches"]}
min_tranche_size = {fields["min_tranche"]}
max_tranche_size = {fields["max_tranche"]}
tranche_cooldown = "{rules.cooldown // MINUTE}m"
reserve_funds = "{rules.reserve}"
[bot.entry]
rebuild = {str(rules.rebuild).lower()}
{entry}
{exit_}
"""
    return Case(text=text, rules=rules, rows=rows_from(shapes))


def _rules(dial: Dial, rungs: tuple[Rung, ...], fields: dict[str, str]) -> Rules:
    """Read the rest off the dial; `fields` receives the texts of the numbers."""

    def pick(name: str, *choices: str) -> Fraction | None:
        text = dial.pick(choices)
        fields[name] = '"off"' if text == "off" else text
        if text == "off":
            return None
        return Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)

    def sure(name: str, *choices: str) -> Fraction:
        value = pick(name, *choices)
        assert value is not None
        return value

    def whole(name: str, *choices: str) -> int | None:
        value = pick(name, *choices)
        return None if value is None else int(value)

    minute = MINUTE
    return Rules(
        inside=dial.pick([True, True, False]),
        slippage=sure("slippage", "0", "0", "0.005", "0.03"),
        interval=INTERVAL * minute,
        tick=sure("tick", "1", "0.5", "0.25"),
        step=sure("step", "0.00000001", "0.001", "0.03"),
        min_quantity=sure("min_quantity", "0", "0", "0", "0.11"),
        min_notional=sure("min_notional", "0", "0", "5", "11"),
        maker=sure("maker", "0%", "0.1%", "-0.02%"),
        taker=sure("taker", "0%", "0.1%", "0.75%", "3%"),
        fee_in_base=dial.pick([False, False, True]),
        cash=sure("cash", "1000", "120", "61.5"),
        max_active=whole("max_active", "off", "2", "1", "1", "1", "0"),
        max_daily=whole("max_daily", "off", "off", "8", "5", "3"),
        exit_reserve=dial.pick(["one", "ladder", "none"]),
        max_position=pick("max_position", "off", "100", "75"),
        max_tranches=whole("max_tranches", "4", "3", "2"),
        min_tranche=pick("min_tranche", "off", "10"),
        max_tranche=pick("max_tranche", "off", "off", "50"),
        cooldown=dial.pick([0, 0, 15, 45, 200]) * minute,
        reserve=dial.pick(["ladder", "next", "none"]),
        rebuild=dial.pick([False, True]),
        rungs=rungs,
        stop=dial.pick([None, Fraction(5, 100), Fraction(2, 100), Fraction(12, 100)]),
        time_stop=dial.pick([None, None, 120 * minute, 450 * minute]),
        gains=dial.pick(GAINS),
    )


def gains(*rungs: tuple[int, int | None]) -> tuple[tuple[Fraction, Fraction | None], ...]:
    """Return exit rungs from per cents."""
    return tuple(
        (Fraction(gain, 100), None if share is None else Fraction(share, 100))
        for gain, share in rungs
    )


GAINS: Final = (
    gains((3, 25), (5, 50), (8, None)),
    gains((2, None)),
    gains((1, 10), (2, 33), (10, 57)),
    gains((4, 50)),
    (),
)


def _exit_text(rules: Rules) -> str:
    lines = ["[bot.exit]"]
    if rules.gains:
        rungs = ", ".join(
            f'{{gain = "{gain * 100}%", sell = "{"rest" if part is None else f"{part * 100}%"}"}}'
            for gain, part in rules.gains
        )
        lines.append(f"take_profit = [{rungs}]")
    if rules.stop is not None:
        lines.append(f'stop_loss = "{rules.stop * 100}%"')
    if rules.time_stop is not None:
        lines.append(f'time_stop = "{rules.time_stop // MINUTE}m"')
    return "\n".join(lines)


# ---- entry plans: the text, and by the specification what it means


def _entry(dial: Dial, size: int) -> tuple[tuple[Rung, ...], str]:
    per_cent = dial.pick([2, 1, 3, 6])
    match dial.pick(["ladder", "levels", "dca", "rungs"]):
        case "ladder":
            return _ladder(dial, size, per_cent)
        case "levels":
            return _levels(dial, size, per_cent)
        case "dca":
            return _dca(dial, size, per_cent)
        case _:
            return _rungs(dial, size, per_cent)


def _ladder(dial: Dial, size: int, per_cent: int) -> tuple[tuple[Rung, ...], str]:
    step_scale, volume_scale = dial.pick(["1", "1.5"]), dial.pick(["1", "2", "0.8"])
    count = dial.pick([2, 1, 3])
    drop, rungs = Fraction(0), [Rung(when=flat(), size=Fraction(size))]
    for k in range(count):
        drop += Fraction(per_cent, 100) * Fraction(step_scale) ** k
        rungs.append(
            Rung(when=moved(-drop, "first_entry"), size=size * Fraction(volume_scale) ** k)
        )
    return tuple(rungs), (
        f'plan = "ladder"\nbase_size = {size}\nsafety_size = {size}\n'
        f'deviation = "{per_cent}%"\nmax_safety = {count}\n'
        f"step_scale = {step_scale}\nvolume_scale = {volume_scale}"
    )


def _levels(dial: Dial, size: int, per_cent: int) -> tuple[tuple[Rung, ...], str]:
    drops = [sign * per_cent for sign in dial.pick([(1, 3), (-1, 1, -2), (-1,)])]
    rungs = [Rung(when=flat(), size=Fraction(size))]
    rungs += [
        Rung(when=moved(Fraction(-drop, 100), "first_entry"), size=Fraction(size))
        for drop in drops
    ]
    listed = ", ".join(f'{{drop = "{drop}%", size = {size}}}' for drop in drops)
    return tuple(rungs), f'plan = "ladder"\nbase_size = {size}\nlevels = [{listed}]'


def _dca(dial: Dial, size: int, per_cent: int) -> tuple[tuple[Rung, ...], str]:
    every = dial.pick([30, 45, 100])
    kind, most = dial.pick(["every", "drop", "both"]), dial.pick([3, 2, 4])
    text = f'plan = "dca"\nsize = {size}\nmax_tranches = {most}'
    whens: list[When] = []
    if kind != "drop":
        whens.append(elapsed(every * MINUTE))
        text += f'\nevery = "{every}m"'
    if kind != "every":
        whens.append(moved(Fraction(-per_cent, 100), "last_entry"))
        text += f'\ndrop = "{per_cent}%"'
    first = Rung(when=flat(), size=Fraction(size))
    return (first, Rung(when=every_one(whens), size=Fraction(size), repeat=most - 1)), text


def _rungs(dial: Dial, size: int, per_cent: int) -> tuple[tuple[Rung, ...], str]:
    join, joined = dial.pick([("all", every_one), ("any", at_least_one)])
    one = dial.pick(_WORDS)(per_cent)
    # Two prices for one rung would be two levels; one beside a time is enough to tell them apart.
    two = dial.pick(_WORDS if join == "all" else _WORDS[:2])(per_cent + 1)
    more, repeat = dial.pick(_WORDS)(per_cent + 3), dial.pick([1, 3])
    rungs = (
        Rung(when=flat(), size=Fraction(size)),
        Rung(when=joined([one[0], two[0]]), size=Fraction(size), repeat=repeat),
        Rung(when=more[0], size=Fraction(size + 1)),
    )
    return (
        rungs,
        f"""plan = "rungs"
rungs = [
    {{when = {{flat = true}}, size = {size}}},
    {{when = {{{join} = [{one[1]}, {two[1]}]}}, size = {size}, repeat = {repeat}}},
    {{when = {more[1]}, size = {size + 1}}},
]""",
    )


def _move_words(per_cent: int, sign: int, origin: str) -> tuple[When, str]:
    word = "rise" if sign > 0 else "drop"
    text = f'{{{word} = "{per_cent}%", from = "{origin}"}}'
    return moved(Fraction(sign * per_cent, 100), origin), text


_WORDS: Final[tuple[Callable[[int], tuple[When, str]], ...]] = (
    lambda n: (elapsed(n * 20 * MINUTE), f'{{elapsed = "{n * 20}m"}}'),
    lambda _: (flat(Fraction(0)), "{flat = false}"),
    lambda n: _move_words(n, -1, "last_entry"),
    lambda n: _move_words(n, 1, "anchor"),
    lambda n: _move_words(n, -1, "anchor"),
    lambda n: _move_words(n, 1, "first_entry"),
)
