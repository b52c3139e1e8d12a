"""Settings: a TOML configuration, parsed once at the edge into values of the core.

Invariants:
1. A configuration is refused with one sentence, BadInput, or it is valid in every part.
2. Numbers are read as decimals from their text; no float ever stands between.
3. Two configurations that mean the same have the same hash, however they are written.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from trancher.app import problems
from trancher.app.advice import advice, notes
from trancher.app.amounts import Share
from trancher.app.configured import (
    BacktestSettings,
    BotSettings,
    InstrumentTerms,
    PortfolioSettings,
    Settings,
)
from trancher.app.expand import expand_bot, expand_terms
from trancher.app.grammar import Configuration, Portfolio
from trancher.app.locate import Path as KeyPath
from trancher.app.locate import Spot, locate
from trancher.app.output import BadInput, Json
from trancher.app.section import Section, name_of, none_of
from trancher.app.words import Mismatch
from trancher.core.conditions import Indicator
from trancher.core.day import span
from trancher.core.limits import ExitReserve, PortfolioLimits
from trancher.core.money import exact

__all__ = [
    "BacktestSettings",
    "BotSettings",
    "InstrumentTerms",
    "PortfolioSettings",
    "Settings",
    "load",
    "parse",
]

_SIZE_MAX: Final = 1_000_000
_DEPTH_MAX: Final = 20
_BARE_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_WORDS: Final = frozenset({"true", "false"})


def load(path: Path) -> Settings:
    """Return the settings that the file at `path` writes.

    Raises:
        BadInput: it cannot be read, or cannot be used.
    """
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        raise _whole(file, found="no such file") from None
    except IsADirectoryError:
        raise _whole(file, found="a folder") from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise _whole(file, found=f"no way to read it ({reason})") from None
    if len(content) > _SIZE_MAX:
        raise _whole(file, found=f"more than {_SIZE_MAX} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise problems.sentence(
            file=file,
            line=line,
            key="",
            found=f"the byte 0x{content[problem.start]:02x}",
            expected="text in UTF-8",
        ) from None
    return parse(text.removeprefix("\ufeff"), file=file)


def _whole(file: str, *, found: str) -> BadInput:
    return problems.sentence(
        file=file, line=None, key="", found=found, expected="a configuration in TOML"
    )


@exact
def parse(text: str, *, file: str) -> Settings:
    """Return the settings that `text` writes.

    Args:
        file: what a problem names as the place of the text.

    Raises:
        BadInput: it cannot be used.
    """
    text = text.replace("\r\n", "\n")
    try:
        document = tomllib.loads(text, parse_float=_Number)
        spots = locate(text)
    except RecursionError:
        raise _whole(file, found="lists or tables nested too deep") from None
    except ValueError as problem:
        raise problems.of_syntax(problem, text, file=file) from None
    if not document:
        raise problems.sentence(
            file=file,
            line=1,
            key="",
            found="an empty file",
            expected="[portfolio] and at least one [[bot]]",
        )
    try:
        plain = _plain(document, (), spots)
        configuration = Configuration.model_validate(plain)
        return _settings(configuration, file=file, text=text)
    except ValidationError as problem:
        raise problems.of_values(problem, document, spots, file=file) from None
    except _Misplaced as problem:
        mismatch, path = problem.mismatch, problem.path
        raise problems.of_mismatch(mismatch, path, document, spots, file=file) from None


class _Number(str):
    """The text of a number with a point or an exponent, read by `_plain`."""

    __slots__ = ()


class _Misplaced(Exception):
    """A mismatch, and where in the document it stands."""

    def __init__(self, mismatch: Mismatch, path: KeyPath) -> None:
        super().__init__(str(mismatch))
        self.mismatch = mismatch
        self.path = (*path, *mismatch.at)


def _plain(value: Any, path: KeyPath, spots: Mapping[KeyPath, Spot]) -> Any:
    """Return `value` with its numbers as decimals, once each is written in plain digits."""
    if len(path) > _DEPTH_MAX:
        expected = f"at most {_DEPTH_MAX} levels of lists and tables"
        raise _Misplaced(Mismatch(expected=expected, found="one more"), path)
    if isinstance(value, dict):
        return {key: _plain(item, (*path, key), spots) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, (*path, index), spots) for index, item in enumerate(value)]
    number = isinstance(value, _Number | int) and not isinstance(value, bool)
    if not number:
        return value
    spot = spots.get(path)
    text = str(value) if spot is None or spot.text is None else spot.text
    if _BARE_NUMBER.fullmatch(text) is None:
        raise _Misplaced(Mismatch(expected="a number in plain digits such as 0.25"), path)
    return Decimal(text) if isinstance(value, _Number) else value


def _settings(configuration: Configuration, *, file: str, text: str) -> Settings:
    portfolio = _portfolio(configuration.portfolio)
    instruments = _instruments(configuration)
    bots = _bots(configuration)
    backtest = BacktestSettings(
        evaluate=configuration.backtest.evaluate,
        same_candle=configuration.backtest.same_candle,
        slippage=configuration.backtest.slippage,
        participation=configuration.backtest.participation,
    )
    meaning = _canonical(configuration)
    assert isinstance(meaning, Mapping)
    return Settings(
        file=file,
        text=text,
        portfolio=portfolio,
        bots=bots,
        backtest=backtest,
        instruments=instruments,
        warnings=advice(configuration, portfolio, bots, instruments),
        notes=notes(bots, instruments),
        meaning=meaning,
        config_hash=_hash(meaning),
    )


def _portfolio(section: Portfolio) -> PortfolioSettings:
    for symbol in section.symbol_caps:
        _same_quote(symbol, section.quote, ("portfolio", "symbol_caps", symbol))
    return PortfolioSettings(
        name=section.name,
        quote=section.quote,
        cash=section.cash,
        timezone=section.timezone,
        limits=PortfolioLimits(
            max_active_positions=section.max_active_positions,
            max_daily_trades=section.max_daily_trades,
            exit_reserve=ExitReserve(section.exit_reserve),
            max_exposure=section.max_exposure,
            symbol_caps=dict(section.symbol_caps),
            max_daily_loss=section.max_daily_loss,
            max_losing_streak=section.max_losing_streak,
            max_drawdown=section.max_drawdown,
        ),
    )


def _instruments(configuration: Configuration) -> dict[str, InstrumentTerms]:
    instruments: dict[str, InstrumentTerms] = {}
    for symbol, section in configuration.instrument.items():
        _same_quote(symbol, configuration.portfolio.quote, ("instrument", symbol))
        try:
            instruments[symbol] = expand_terms(symbol, section)
        except Mismatch as problem:
            raise _Misplaced(problem, ("instrument", symbol)) from problem
    return instruments


def _bots(configuration: Configuration) -> tuple[BotSettings, ...]:
    bots: dict[str, BotSettings] = {}
    for index, section in enumerate(configuration.bot):
        _same_quote(section.symbol, configuration.portfolio.quote, ("bot", index, "symbol"))
        if section.name in bots:
            raise _Misplaced(
                Mismatch(expected="a name that no other bot has"), ("bot", index, "name")
            )
        try:
            bots[section.name] = expand_bot(section)
        except Mismatch as problem:
            raise _Misplaced(problem, ("bot", index)) from problem
    return tuple(bots.values())


def _same_quote(symbol: str, quote: str, path: KeyPath) -> None:
    if symbol.partition("/")[2] != quote:
        base, _, said = symbol.partition("/")
        # The same letters in another case are most likely a slip in both halves.
        meant = base.upper() if said.upper() == quote else base
        expected = f"a symbol in the portfolio's quote, such as {meant}/{quote}"
        raise _Misplaced(Mismatch(expected=expected, found=f'"{symbol}"'), path)


def _hash(meaning: Json) -> str:
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _canonical(value: Any) -> Json:
    """Return `value` in one spelling: defaults filled in, numbers without needless zeros.

    It speaks the words of the grammar, so that nothing inside the program can change a hash.
    """
    if isinstance(value, Section):
        kind = type(value)
        held = {
            name_of(kind, key): none_of(kind, key) if item is None else _canonical(item)
            for key, item in ((key, getattr(value, key)) for key in kind.model_fields)
        }
        return {key: item for key, item in held.items() if item is not None}
    if isinstance(value, Share | Indicator):
        return {field.name: _canonical(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, ZoneInfo):
        return value.key
    assert isinstance(value, str | int)
    return value
