"""How many examples a property is asked for: few at the desk, more in `make test`, many in CI.

Most in a campaign. Fewest against mutants: each of thousands gets all the tests, and a run is the
same every time, as it is in `make test` and in CI. And an empty database on a server, for whoever
asks for one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("test", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("ci", max_examples=1_000, deadline=None, derandomize=True)
settings.register_profile("campaign", max_examples=100_000, deadline=None)
settings.register_profile("mutation", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("dev")


@pytest.fixture
def server_url() -> Iterator[str]:
    """Return an empty database of PostgreSQL."""
    from postgres import empty_database

    with empty_database() as url:
        yield url


@pytest.fixture(params=["file", "server"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place without books, of each kind in turn."""
    if request.param == "file":
        return f"sqlite:///{tmp_path}/books.db"
    url = request.getfixturevalue("server_url")
    assert isinstance(url, str)
    return url
