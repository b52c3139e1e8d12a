"""The configuration that `trancher init --from-ladder` writes: a ladder in a hosted bot's numbers.

It stands in starter_ladder.toml. The limits are set so that every rung fits; whoever wants a
smaller ladder narrows them.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from string import Template
from typing import Final

from trancher.app import amounts
from trancher.app.nearest import nearest
from trancher.app.output import BadInput, plain
from trancher.app.settings import parse
from trancher.app.words import Kind, Mismatch
from trancher.core.errors import InvalidNumber
from trancher.core.money import ONE, ZERO, ceil_to, exact, parse_decimal

OPTION: Final = "--from-ladder"
_LADDER: Final = Template(
    files("trancher.app").joinpath("starter_ladder.toml").read_text(encoding="utf-8")
)
_CASH: Final = Decimal(1000)
_HUNDRED: Final = Decimal(100)
_FEE: Final = Decimal("0.001")
_TRADES: Final = 10
_SMALLEST: Final = Decimal(10)
_KINDS: Final[Mapping[str, Kind]] = {
    "base": amounts.number(above=0),
    "safety": amounts.number(above=0),
    "deviation": amounts.ratio(above=0, below=100),
    "step_scale": amounts.number(above=0, most=100),
    "volume_scale": amounts.number(above=0, most=100),
    "max_safety": amounts.count(least=1, most=100),
    "target": amounts.ratio(above=0),
    "stop": amounts.ratio(above=0, below=100),
}
_UNLIMITED: Final = {
    **dict.fromkeys(("total", "count", "smallest", "largest"), '"off"'),
    "cash": "1000",
    "trades": '"off"',
}
_OTHERWISE: Final = {"step_scale": "1", "volume_scale": "1", "target": '"3%"', "stop": '"20%"'}


def ladder_text(option: str) -> str:
    """Return the configuration of a ladder.

    Args:
        option: `key=value,...` with the keys of _KINDS; each scale is 1 where it is missing, and
            without target or stop the line that would have it is a comment.

    Raises:
        BadInput: it is no ladder.
    """
    values = _values(option)
    said = {
        **_OTHERWISE,
        **values,
        "no_target": "" if "target" in values else "# ",
        "no_stop": "" if "stop" in values else "# ",
    }
    unlimited = parse(_LADDER.substitute({**said, **_UNLIMITED}), file=OPTION)
    sizes = [rung.size for rung in unlimited.bots[0].plan.entries]
    text = _LADDER.substitute({**said, **_limits(sizes)})
    parse(text, file=OPTION)
    return text


@exact
def _limits(sizes: Sequence[Decimal]) -> Mapping[str, str]:
    """Return the limits, as they are written, under which rungs of these sizes all fit."""
    total = sum(sizes, ZERO)
    return {
        "cash": _written(max(_CASH, ceil_to(total * (ONE + _FEE), _HUNDRED))),
        # One trade is kept back for the way out.
        "trades": str(max(_TRADES, len(sizes) + 1)),
        "total": _written(total),
        "count": str(len(sizes)),
        "smallest": _written(min(_SMALLEST, *sizes)),
        "largest": _written(max(sizes)),
    }


def _values(option: str) -> Mapping[str, str]:
    """Return the values of a ladder as a configuration writes them."""
    found: dict[str, str] = {}
    for pair in option.split(","):
        key, sign, text = (part.strip() for part in pair.partition("="))
        if key not in _KINDS or not sign:
            meant = None if key in _KINDS else nearest(key, _KINDS)
            hint = f"; did you mean {meant}?" if meant else ""
            words = f"key=value with one of {', '.join(_KINDS)}{hint}"
            raise BadInput(f"{OPTION}: found {pair!r}, expected {words}")
        if key in found:
            raise BadInput(f"{OPTION}: found {key} twice, expected it once")
        found[key] = _value(key, text)
    missing = [key for key in _KINDS if key not in {**_OTHERWISE, **found}]
    if missing:
        raise BadInput(f"{OPTION}: found no {' and no '.join(missing)}, expected each of them")
    return found


def _value(key: str, text: str) -> str:
    """Return a value as a configuration writes it, once its kind has read it."""
    value: int | str | Decimal = text
    if re.fullmatch("[0-9]{1,15}", text, re.ASCII):
        value = int(text)
    elif not text.endswith("%"):
        try:
            value = parse_decimal(text)
        except InvalidNumber as problem:
            raise BadInput(f"{OPTION} {key}: {problem}") from None
    try:
        _KINDS[key].read(value)
    except Mismatch as problem:
        hint = f"; {problem.hint}" if problem.hint else ""
        raise BadInput(
            f"{OPTION} {key}: found {text!r}, expected {problem.expected}{hint}"
        ) from None
    return f'"{value}"' if isinstance(value, str) else _written(Decimal(value))


def _written(number: Decimal) -> str:
    text = plain(number)
    assert text is not None
    return text
