"""A small configuration whose tables take what a test says, and what comes of reading it."""

import re

import pytest

from trancher.app.output import BadInput
from trancher.app.settings import Settings, parse
from trancher.app.starter import STARTER

EVERYTHING = re.sub(r"^# (?=\[|[a-z_]+ = )", "", STARTER, flags=re.MULTILINE)
"""What init writes, with every line that is commented out."""
DCA = 'plan = "dca"\nsize = 25\nevery = "7d"'


def text_of(
    *,
    portfolio: str = "",
    instrument: str = "",
    limits: str = "",
    signals: str = "",
    entry: str = "",
    end: str = "",
) -> str:
    """Return a configuration of one bot with these lines in their tables."""
    return (
        f'[portfolio]\nquote = "USD"\ncash = 1000\n{portfolio}\n'
        f'[instrument."BTC/USD"]\n{instrument}\n'
        f'[[bot]]\nname = "b"\nsymbol = "BTC/USD"\n[bot.limits]\n{limits}\n'
        f"[bot.signals]\n{signals}\n[bot.entry]\n{entry or DCA}\n[bot.exit]\n{end}\n"
    )


def settings_of(**tables: str) -> Settings:
    """Return what `text_of` the same writes."""
    return parse(text_of(**tables), file="c.toml")


def problem_of(text: str) -> str:
    """Return the sentence with which a configuration is refused."""
    with pytest.raises(BadInput) as refused:
        parse(text, file="c.toml")
    return str(refused.value)


def told(**tables: str) -> str:
    """Return the sentence with which `text_of` the same is refused, from its key on."""
    said = problem_of(text_of(**tables))
    assert said.startswith("c.toml, line ")
    assert "\n" not in said
    return said.partition(", ")[2].partition(", ")[2]
