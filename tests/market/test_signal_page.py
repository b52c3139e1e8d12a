"""The page of the signals is true: names, parameters, defaults, events and pictures."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from market.signal_cases import USUAL, simulated
from trancher.market.indicators import bars_of
from trancher.market.signal_series import series_of

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = ROOT / "docs" / "reference" / "signals.md"


def section(name: str) -> str:
    found = re.search(
        rf"^## `{name}`$(.*?)^## ", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", USUAL)
def test_a_signal_is_documented_with_parameters_defaults_and_events(name: str) -> None:
    """
    What is not written down is found by nobody, and a wrong default by everybody.
    """
    said = section(name)
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in said.splitlines()
        if row.startswith("| `")
    ]
    defaults = {
        parameter.strip(" `"): default.strip()
        for parameters, _, values in rows
        for parameter, default in zip(parameters.split(","), values.split(","), strict=True)
    }

    assert defaults == {one.name: str(one.default) for one in fields(USUAL[name])}
    for event in series_of(USUAL, bars_of(simulated()))[name].events:
        assert f"`{event}`" in said
    assert f"![{name}](signals/{name}.svg)" in said


def test_the_pictures_are_what_the_code_draws() -> None:
    """
    A picture of an old formula would teach it for ever.
    """
    checked = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "tools" / "plots.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == f"{len(USUAL)} pictures are what the code draws\n"
