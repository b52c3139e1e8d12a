"""Versions: what bots that run go by, each of them by the configuration that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from trancher.app.configured import Settings
from trancher.app.settings import parse
from trancher.core.order import BotName
from trancher.store import versions
from trancher.store.database import Database
from trancher.store.entries import ConfigurationLoaded
from trancher.store.reading import Books, BotBooks, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesBy:
    """What a run goes by.

    Attributes:
        settings: of bots that run, those in force, whose limits hold over all of them, with each
            bot as it is in the configuration that it keeps.
        version: of the configuration in force.
        keeping: the version of each bot that keeps one of another meaning.
    """

    settings: Settings
    version: int
    keeping: Mapping[BotName, int]


def goes_by(
    books: Books, run: Run, bots: tuple[BotBooks, ...], *, new: Settings | None = None
) -> GoesBy:
    """Return what a run goes by.

    Args:
        new: what may come into force; then the run goes by it as bots that run would.

    Raises:
        BadInput: this program does not understand a configuration.
        StoreError: the database cannot be read.
    """
    if not run.together:
        said = parsed(run.configuration_text, run.configuration_version, run.portfolio)
        return GoesBy(settings=said, version=run.configuration_version, keeping={})
    texts, loaded = books.configurations(run), books.in_force(run)
    kept = {version: parsed(text, version, run.portfolio) for version, text in texts.items()}
    version = run.configuration_version if loaded is None else loaded.configuration_version
    common = new or (kept[version] if loaded is None else understood(loaded))
    of_bots = {number: {one.name: one for one in read.bots} for number, read in kept.items()}
    if new is not None:
        taken = {one.name: one for one in new.bots}
        free = [one.facts.name for one in bots if not one.active and one.facts.name in taken]
        for names in of_bots.values():
            names |= {name: taken[name] for name in free}
    return GoesBy(
        settings=replace(common, bots=tuple(of_bots[one.version][one.facts.name] for one in bots)),
        version=version,
        keeping={
            one.facts.name: one.version
            for one in bots
            if kept[one.version].config_hash != common.config_hash
        },
    )


def settings_in_force(database: Database, settings: Settings) -> Settings:
    """Return the configuration that came into force in place of another one.

    Raises:
        BadInput: this program does not understand it.
        StoreError: the database cannot be read.
    """
    books = Books(database)
    run = books.latest_run(portfolio=settings.portfolio.name)
    loaded = None if run is None else books.in_force(run)
    assert loaded is not None, settings.portfolio.name
    return understood(loaded)


def understood(loaded: ConfigurationLoaded) -> Settings:
    """Return what a load says.

    Raises:
        BadInput: this program does not understand it.
    """
    return parsed(loaded.configuration_text, loaded.configuration_version, loaded.portfolio)


def load_number(database: Database, run: Run) -> int:
    """Return the number of the load in force; 0 where there is none."""
    with database.reading() as connection:
        return versions.number(connection, run.portfolio_id)


def parsed(text: str, version: int, portfolio: str) -> Settings:
    """Return what a configuration in the database means.

    Raises:
        BadInput: this program does not understand it.
    """
    return parse(text, file=f"configuration {version} of portfolio {portfolio}")
