"""Loading: a configuration becomes the one in force of its portfolio, and what that changes.

Validated completely, then compared with what is in force, then written as a new load. Positions
that are open keep the version that they began with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from trancher.app.changes import Change, changes
from trancher.app.configured import Settings
from trancher.app.effects import effects
from trancher.app.in_force import nothing_loaded
from trancher.app.keeping import books_to_read, books_to_write
from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.app.standing import LOADS, check_there, in_one_sentence
from trancher.app.versions import parsed, understood
from trancher.core.position import Position
from trancher.store.database import Database, holds_anything
from trancher.store.entries import ConfigurationLoaded, LoadedBot, Mode
from trancher.store.loads import NewLoad, draft, read_loads, write_load
from trancher.store.reading import Books, BotBooks, Run

_FIRST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a configuration comes into force in place of.

    Attributes:
        at: since when it was; None where bots run with it that nobody has loaded.
        text: as it was written.
        bots: their names.
    """

    version: int
    at: datetime | None
    text: str
    bots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position that is not CLOSED, and the version that it keeps."""

    position: Position
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What loading a configuration changes.

    Attributes:
        before: what is in force until then; None where it is the portfolio's first.
        load, version: what the configuration gets, or has where it is in force already.
        changes: all keys of a first load are new.
        untold: why the changes cannot be told, where this program does not understand `before`.
        held: in the portfolio's latest run, or of its bots that run.
        effects: what it would mean for bots that run, in sentences.
        written: whether it is in force now because of this.
    """

    settings: Settings
    before: Before | None
    load: int
    version: int
    changes: tuple[Change, ...]
    untold: str | None
    held: tuple[Held, ...]
    effects: tuple[str, ...]
    written: bool = False

    @property
    def repeated(self) -> bool:
        """Whether the very same text is in force already, so that nothing has to be written."""
        before = self.before
        return before is not None and before.at is not None and before.version == self.version

    @property
    def added(self) -> tuple[str, ...]:
        """The names of bots that were not there before."""
        before = () if self.before is None else self.before.bots
        return tuple(bot.name for bot in self.settings.bots if bot.name not in before)

    @property
    def removed(self) -> tuple[str, ...]:
        """The names of bots that are there no longer."""
        now = [bot.name for bot in self.settings.bots]
        before = () if self.before is None else self.before.bots
        return tuple(name for name in before if name not in now)


def load_bots(
    settings: Settings,
    *,
    url: str,
    now: datetime,
    dry_run: bool,
    sure: Callable[[Preview], bool],
) -> Preview:
    """Bring a configuration into force, unless its text is already.

    Args:
        dry_run: writes nothing, and makes no file.
        sure: says whether it shall come into force in place of another one.

    Raises:
        BadInput: the database cannot be used, its portfolio has another quote currency, or bots
            that run cannot go on with it.
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
            if preview.repeated or (preview.before is not None and not sure(preview)):
                return preview
            write_load(database, drafted, new)
            return replace(preview, written=True)


def earlier(url: str, *, version: int, portfolio: str | None) -> Settings:
    """Return a configuration that was in force before.

    Args:
        portfolio: whose; None where there is but one.

    Raises:
        BadInput: it never was, or this program does not understand it any more.
        Failed: the database cannot be read now.
    """
    return understood(_of_version(_loads(url, portfolio), version))


def before_last(url: str, *, portfolio: str | None) -> Settings:
    """Return the configuration that was in force before the last load.

    Raises:
        BadInput: there was none, or this program does not understand it any more.
        Failed: the database cannot be read now.
    """
    loads = _loads(url, portfolio)
    if len(loads) == 1:
        raise BadInput(
            f"bots undo: found one load of portfolio {loads[0].portfolio}, expected one before it"
        )
    return understood(loads[-2])


def in_force(url: str, *, portfolio: str | None) -> ConfigurationLoaded:
    """Return what is in force.

    Raises:
        BadInput: nothing is.
        Failed: the database cannot be read now.
    """
    return _loads(url, portfolio)[-1]


def text_of(url: str, *, version: int | None, portfolio: str | None) -> str:
    """Return a configuration as it was written.

    Args:
        version: that was in force once; None for what is in force.

    Raises:
        BadInput: it never was, or nothing is.
        Failed: the database cannot be read now.
    """
    loads = _loads(url, portfolio)
    return (loads[-1] if version is None else _of_version(loads, version)).configuration_text


def _loads(url: str, portfolio: str | None) -> list[ConfigurationLoaded]:
    """Return the loads of a portfolio, oldest first, at least one."""
    with in_one_sentence():
        check_there(url, makers=LOADS)
        with books_to_read(url, mode=Mode.PAPER) as database:
            return _of_one_portfolio(read_loads(database), portfolio, url=url)


def _of_version(loads: Sequence[ConfigurationLoaded], version: int) -> ConfigurationLoaded:
    for loaded in loads:
        if loaded.configuration_version == version:
            return loaded
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
        cash=settings.portfolio.cash,
        timezone=settings.portfolio.timezone.key,
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
        effects=(),
    )


def _preview(database: Database, settings: Settings, drafted: ConfigurationLoaded) -> Preview:
    mine = [one for one in read_loads(database) if one.portfolio_id == drafted.portfolio_id]
    books = Books(database)
    run = books.latest_run(portfolio=drafted.portfolio)
    bots = () if run is None else books.bots(run)
    before = _loaded(mine[-1]) if mine else _running(run, bots)
    found, untold = _changes(before, settings, portfolio=drafted.portfolio)
    preview = Preview(
        settings=settings,
        before=before,
        load=drafted.load,
        version=drafted.configuration_version,
        changes=found,
        untold=untold,
        held=tuple(Held(position=one, version=bot.version) for bot in bots for one in bot.active),
        effects=() if run is None or untold is not None else effects(books, run, settings),
    )
    return replace(preview, load=mine[-1].load) if preview.repeated else preview


def _loaded(loaded: ConfigurationLoaded) -> Before:
    return Before(
        version=loaded.configuration_version,
        at=loaded.at,
        text=loaded.configuration_text,
        bots=tuple(bot.name for bot in loaded.bots),
    )


def _running(run: Run | None, bots: Sequence[BotBooks]) -> Before | None:
    """Return what bots run with that nobody has loaded; None where none do."""
    if run is None or not run.together:
        return None
    return Before(
        version=run.configuration_version,
        at=None,
        text=run.configuration_text,
        bots=tuple(one.facts.name for one in bots),
    )


def _changes(
    before: Before | None, settings: Settings, *, portfolio: str
) -> tuple[tuple[Change, ...], str | None]:
    """Return what changes, or why it cannot be told: that must not keep the new one out."""
    if before is None:
        return changes({"bot": []}, settings.meaning), None
    try:
        known = parsed(before.text, before.version, portfolio)
    except BadInput as problem:
        return (), str(problem)
    return changes(known.meaning, settings.meaning), None


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
