"""The configuration that `trancher init` writes: small, commented, and ready to be checked.

It stands in starter.toml, a line for every key that a bot may have.
"""

from importlib.resources import files
from typing import Final

STARTER: Final = files("trancher.app").joinpath("starter.toml").read_text(encoding="utf-8")
