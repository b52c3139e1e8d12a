"""In force: the bots of the configurations that were loaded last, and how they stand.

How a bot stands is read from the latest run of its portfolio, whatever configuration that had.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.app.standing import where_is
from trancher.core.lifecycle import State
from trancher.core.position import Position
from trancher.store.database import Database
from trancher.store.entries import ConfigurationLoaded, LoadedBot
from trancher.store.loads import read_loads
from trancher.store.places import shown
from trancher.store.reading import Books, BotBooks, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class BotInForce:
    """A bot of a configuration that is in force.

    Attributes:
        run: the portfolio's latest; None where there was none.
        books: the bot's own in that run; None where the run does not have it.
    """

    loaded: ConfigurationLoaded
    bot: LoadedBot
    run: Run | None
    books: BotBooks | None

    @property
    def positions(self) -> tuple[Position, ...]:
        """All of its positions in that run, oldest first."""
        return () if self.books is None else self.books.positions

    @property
    def active(self) -> Position | None:
        """The position that is not CLOSED."""
        found = [one for one in self.positions if one.state is not State.CLOSED]
        return found[-1] if found else None

    @property
    def state(self) -> State:
        """That of its active position; CLOSED without one."""
        return State.CLOSED if self.active is None else self.active.state


def bots_in_force(database: Database) -> tuple[BotInForce, ...]:
    """Return the bots of every portfolio's configuration in force.

    Raises:
        StoreError: the database cannot be read.
    """
    return tuple(
        one for loaded in _in_force(read_loads(database)) for one in _bots(database, loaded)
    )


def named(bots: tuple[BotInForce, ...], name: str, *, portfolio: str | None) -> BotInForce:
    """Return a bot by its name.

    Args:
        portfolio: whose; None where only one has a bot of that name.

    Raises:
        BadInput: there is none, or several have one.
    """
    within = [one for one in bots if portfolio in (None, one.loaded.portfolio)]
    found = [one for one in within if one.bot.name == name]
    if len(found) > 1:
        portfolios = ", ".join(one.loaded.portfolio for one in found)
        raise BadInput(
            f"bot: found {name!r} in {portfolios}, expected --portfolio with one of them"
        )
    if found:
        return found[0]
    names = [one.bot.name for one in within]
    meant = nearest(name, names)
    hint = f"; did you mean {meant}?" if meant else ""
    whose = "" if portfolio is None else f" in portfolio {portfolio}"
    listed = ", ".join(dict.fromkeys(names)) or "none is"
    raise BadInput(f"bot: found {name!r}, expected one that is loaded{whose}: {listed}{hint}")


def history(database: Database, one: BotInForce) -> tuple[ConfigurationLoaded, ...]:
    """Return the loads that had a bot, newest first."""
    return tuple(
        loaded
        for loaded in reversed(read_loads(database))
        if loaded.portfolio_id == one.loaded.portfolio_id
        and any(bot.name == one.bot.name for bot in loaded.bots)
    )


def nothing_loaded(url: str) -> BadInput:
    """Return the problem of a database without loads, and what ends it."""
    return BadInput(
        f"{where_is(url)}: found no bots, expected some that are loaded; "
        f"`trancher bots load CONFIG --db {shown(url)}` loads them"
    )


def _in_force(loads: tuple[ConfigurationLoaded, ...]) -> tuple[ConfigurationLoaded, ...]:
    """Return the last load of each portfolio."""
    return tuple({loaded.portfolio_id: loaded for loaded in loads}.values())


def _bots(database: Database, loaded: ConfigurationLoaded) -> Iterator[BotInForce]:
    books = Books(database)
    run = books.latest_run(portfolio=loaded.portfolio)
    of_run = {} if run is None else {one.facts.name: one for one in books.bots(run)}
    for bot in loaded.bots:
        yield BotInForce(loaded=loaded, bot=bot, run=run, books=of_run.get(bot.name))
