"""Loading: a configuration becomes the one in force of its portfolio, and what that changes.

Validated completely, then compared with what is in force, then written as a new load. Positions
that are open keep the version that they began with: it is pinned to their run.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trancher.app.changes import Change, changes
from trancher.app.configured import Settings
from trancher.app.in_force import nothing_loaded
from trancher.app.keeping import books_to_read, books_to_write
from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.app.standing import LOADS, check_there, in_one_sentence
from trancher.app.versions import understood
from trancher.core.position import Position
from trancher.store.database import Database, holds_anything
from trancher.store.entries import ConfigurationLoaded, LoadedBot, Mode
from trancher.store.loads import NewLoad, draft, read_loads, write_load
from trancher.store.reading import Books, Run

_FIRST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What loading a configuration changes.

    Attributes:
        before: what is in force until then; None where it is the portfolio's first.
        load, version: what the configuration gets, or has where it is in force already.
        changes: all keys of a first load are new.
        untold: why the changes cannot be told, where this program does not understand `before`.
        held: positions that are not CLOSED, in the portfolio's latest run.
        run: that run.
    """

    settings: Settings
    before: ConfigurationLoaded | None
    load: int
    version: int
    changes: tuple[Change, ...]
    untold: str | None
    held: tuple[Position, ...]
    run: Run | None

    @property
    def repeated(self) -> bool:
        """Whether the very same text is in force already, so that nothing has to be written."""
        return self.before is not None and self.before.configuration_version == self.version

    @property
    def added(self) -> tuple[str, ...]:
        """The names of bots that were not there before."""
        before = () if self.before is None else [bot.name for bot in self.before.bots]
        return tuple(bot.name for bot in self.settings.bots if bot.name not in before)

    @property
    def removed(self) -> tuple[str, ...]:
        """The names of bots that are there no longer."""
        now = [bot.name for bot in self.settings.bots]
        before = () if self.before is None else self.before.bots
        return tuple(bot.name for bot in before if bot.name not in now)


def load_bots(settings: Settings, *, url: str, now: datetime, dry_run: bool) -> Preview:
    """Bring a configuration into force, unless its text is already.

    Args:
        dry_run: writes nothing, and makes no file.

    Raises:
        BadInput: the database cannot be used, or its portfolio has another quote currency.
        Failed: it cannot be read or written now.
    """
    new = new_load(settings, at=now)
    with in_one_sentence():
        if dry_run and not holds_anything(url):
            return _first(settings)
        if dry_run:
            with books_to_read(url, mode=Mode.PAPER) as database:
                return _preview(database, settings, draft(database, new))
        with books_to_write(url, mode=Mode.PAPER, now=now) as database:
            drafted = draft(database, new)
            preview = _preview(database, settings, drafted)
            if not preview.repeated:
                write_load(database, drafted, new)
            return preview


def earlier(url: str, *, version: int, portfolio: str | None) -> Settings:
    """Return a configuration that was in force before.

    Args:
        portfolio: whose; None where there is but one.

    Raises:
        BadInput: it never was, or this program does not understand it any more.
        Failed: the database cannot be read now.
    """
    with in_one_sentence():
        check_there(url, makers=LOADS)
        with books_to_read(url, mode=Mode.PAPER) as database:
            loads = _of_one_portfolio(read_loads(database), portfolio, url=url)
    for loaded in loads:
        if loaded.configuration_version == version:
            return understood(loaded)
    versions = sorted({loaded.configuration_version for loaded in loads})
    raise BadInput(
        f"version: found {version}, expected one that portfolio {loads[0].portfolio} has loaded: "
        f"{', '.join(map(str, versions))}"
    )


def new_load(settings: Settings, *, at: datetime) -> NewLoad:
    """Return what the load of a configuration is."""
    return NewLoad(
        at=at,
        portfolio=settings.portfolio.name,
        quote=settings.portfolio.quote,
        configuration_hash=settings.config_hash,
        configuration_text=settings.text,
        bots=[
            LoadedBot(
                id=number,
                name=bot.name,
                symbol=bot.symbol,
                strategy=bot.strategy_names,
                max_tranches=bot.limits.max_tranches,
                disposal=bot.disposal,
            )
            for number, bot in enumerate(settings.bots, start=1)
        ],
    )


def _first(settings: Settings) -> Preview:
    return Preview(
        settings=settings,
        before=None,
        load=_FIRST,
        version=_FIRST,
        changes=changes({"bot": []}, settings.meaning),
        untold=None,
        held=(),
        run=None,
    )


def _preview(database: Database, settings: Settings, drafted: ConfigurationLoaded) -> Preview:
    mine = [one for one in read_loads(database) if one.portfolio_id == drafted.portfolio_id]
    before = mine[-1] if mine else None
    found, untold = _changes(before, settings)
    books = Books(database)
    run = books.latest_run(portfolio=drafted.portfolio)
    held = () if run is None else [one for bot in books.bots(run) for one in bot.active]
    version = drafted.configuration_version
    repeated = before is not None and before.configuration_version == version
    return Preview(
        settings=settings,
        before=before,
        load=before.load if before is not None and repeated else drafted.load,
        version=version,
        changes=found,
        untold=untold,
        held=tuple(held),
        run=run,
    )


def _changes(
    before: ConfigurationLoaded | None, settings: Settings
) -> tuple[tuple[Change, ...], str | None]:
    """Return what changes, or why it cannot be told: that must not keep the new one out."""
    if before is None:
        return changes({"bot": []}, settings.meaning), None
    try:
        return changes(understood(before).meaning, settings.meaning), None
    except BadInput as problem:
        return (), str(problem)


def _of_one_portfolio(
    loads: tuple[ConfigurationLoaded, ...], portfolio: str | None, *, url: str
) -> list[ConfigurationLoaded]:
    names = list(dict.fromkeys(loaded.portfolio for loaded in loads))
    if not names:
        raise nothing_loaded(url)
    if portfolio is None and len(names) > 1:
        raise BadInput(
            f"portfolio: found several, {', '.join(names)}, expected --portfolio with one of them"
        )
    wanted = names[0] if portfolio is None else portfolio
    if wanted not in names:
        meant = nearest(wanted, names)
        hint = f"; did you mean {meant}?" if meant else ""
        raise BadInput(
            f"--portfolio: found {wanted!r}, expected one that is loaded: {', '.join(names)}{hint}"
        )
    return [loaded for loaded in loads if loaded.portfolio == wanted]
