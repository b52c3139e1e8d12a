"""A crew: the bots that one process runs, step by step, beside those of other processes.

Bots that replay candles keep step with each other: a bot does its next step once every other bot
of the configuration has come past it, wherever that one runs. So what bots decide by what others
have left is the same however many processes there are, and however often they begin anew.

Invariants:
1. Of all bots that keep step, the one whose step is earliest goes first; of equal steps, the first
   in the configuration.
2. A bot whose lease is lost, or whose step could not be kept, is made anew from the database.
3. What people ask of a bot is done before its next step; a signal is heard before its next candle.
4. A bot that holds something keeps the configuration that it has; after a step that leaves it
   nothing it is given up, and taken with the one in force.

Where candles are followed as they come, no bot waits for those of other processes: their candles
need not come at one time, and one that comes late is no reason to hold up the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from trancher.backtest.feed import Feed
from trancher.backtest.passage import Phase, Step
from trancher.backtest.times import micros
from trancher.core.order import BotName
from trancher.running.actor import Actor
from trancher.running.host import Host, News, Part, Tell
from trancher.store import progress
from trancher.store.database import Database
from trancher.store.enrolling import Taken, enroll, take
from trancher.store.errors import ReadOnly, StoreError, StoreFailure
from trancher.store.leases import LeaseLost
from trancher.store.progress import Progress
from trancher.store.sharing import Owner

_PAUSE: Final = 0.005
"""Seconds between two looks at whether others have come past."""
_LISTENING: Final = timedelta(milliseconds=50)
"""Between two looks at what people have asked for."""
_LOOKING: Final = timedelta(seconds=1)
"""Between two looks at whether there are more candles."""
_PATIENCE: Final = 1.0
"""Seconds before a bot whose database failed is made anew."""
_WORTH_SAYING: Final = timedelta(seconds=1)
"""How long a bot waits for others before anybody is told."""


@dataclass(slots=True)
class _Member:
    part: Part
    owner: Owner
    actor: Actor | None = None
    keeps: bool = False
    too_few: int = 0
    waits_since: datetime | None = None
    told: set[News] = field(default_factory=set)


class Crew:
    """Runs bots until they have come to the end of their candles, or somebody says so."""

    def __init__(
        self, database: Database, parts: Sequence[Part], host: Host, *, tell: Tell
    ) -> None:
        """Enroll bots; none has begun.

        Raises:
            StoreError: it cannot be written.
        """
        self._database, self._host, self._tell = database, host, tell
        self._members = [
            _Member(
                part,
                enroll(database, part.new, zone=part.portfolio.zone, clock=host.clock),
            )
            for part in parts
        ]
        self._portfolio_id = self._members[0].owner.portfolio_id
        self._others: dict[BotName, Progress] = {}
        self._held_at = self._obeyed_at = self._looked_at = host.clock()

    @property
    def is_over(self) -> bool:
        """Whether all bots have come to the end of their candles."""
        return all(one.actor is not None and one.actor.is_over for one in self._members)

    def run(self, *, going_on: Callable[[], bool], moved: Callable[[datetime], None]) -> None:
        """Run until all is over.

        Args:
            going_on: asked between steps; after it has said no, the bots are given up.
            moved: told the market's time of each step.

        Raises:
            NewVersion: another configuration came into force; the bots are given up.
            StoreError: what is written of a bot cannot be read. A database that fails, or lets
                nobody write for a while, is waited for.
        """
        try:
            while going_on():
                try:
                    self._round(moved)
                except (StoreFailure, ReadOnly) as problem:
                    # It was only looked at, so nothing in memory is wrong; it may come back.
                    self._say(self._members[0], News.DATABASE, str(problem))
                    self._host.sleep(_PATIENCE)
                if self.is_over:
                    return
        finally:
            self._give_up()

    def _round(self, moved: Callable[[datetime], None]) -> None:
        """Do what is due now: leases, what people ask, a step; or wait for a moment."""
        self._look_for_more()
        self._hire()
        self._obey()
        self._hold()
        self._let_go()
        ready = [one for one in self._members if one.actor is not None]
        if not self.is_over and not self._step(ready, moved):
            waits = all(one.actor is not None and one.actor.waits for one in self._members)
            self._host.sleep(_LISTENING.total_seconds() if waits else _PAUSE)

    def _look_for_more(self) -> None:
        """Give the bots the candles that have come; looked for now and then."""
        now, more = self._host.clock(), self._host.more
        if more is None or not _is_due(now, self._looked_at, _LOOKING):
            return
        self._looked_at = now
        for symbol, feed in more().items():
            for member in self._members:
                if member.part.feed.symbol == symbol:
                    member.part = replace(member.part, feed=feed)
                    if member.actor is not None:
                        member.actor.extend(feed)

    def _step(self, ready: Sequence[_Member], moved: Callable[[datetime], None]) -> bool:
        """Do the earliest step, if it is the earliest of all; say whether one was done."""
        running = [
            one for one in ready if one.actor and not (one.actor.is_over or one.actor.waits)
        ]
        if not running:
            return False
        member = min(running, key=_place)
        actor = member.actor
        assert actor is not None
        if not self._is_first(member, actor):
            return False
        member.waits_since = None
        step = actor.next
        self._try(member, actor.do)
        if step is not None:
            moved(member.part.feed.time(step.at))
        if actor.is_over or actor.waits:
            self._say(member, News.OVER if actor.is_over else News.FOLLOWS)
        return True

    def _is_first(self, member: _Member, actor: Actor) -> bool:
        """Say whether every bot that keeps step has come past the next step of `member`."""
        if actor.next is None:
            return True
        mine = {one.part.name for one in self._members if one.actor is not None}
        behind = self._behind(actor.next, mine)
        if behind:
            # What is known of others may be old; it only ever grows.
            with self._database.reading() as connection:
                self._others = progress.load_all(connection, portfolio_id=self._portfolio_id)
            behind = self._behind(actor.next, mine)
        if behind:
            self._waits(member, behind)
        return not behind

    def _waits(self, member: _Member, behind: Sequence[BotName]) -> None:
        """Tell whom a bot waits for, where that is longer than bots in step always wait."""
        now = self._host.clock()
        member.waits_since = member.waits_since or now
        if now - member.waits_since >= _WORTH_SAYING:
            self._say(member, News.WAITS, ", ".join(behind))

    def _behind(self, step: Step, mine: set[BotName]) -> list[BotName]:
        return [
            name
            for name, order in self._host.together.items()
            if name not in mine
            and not _is_past(self._others.get(name), order, step, last=self._host.last[name])
        ]

    def _let_go(self) -> None:
        """Give up each bot that keeps another configuration and has no reason to any more."""
        for member in self._members:
            actor = member.actor
            if actor is None or not member.keeps or not actor.is_idle:
                continue
            # Where it stands is written first: steps that did nothing need not have been.
            self._try(member, actor.publish)
            if member.actor is not None:
                self._try(member, actor.keeper.give_up)
                member.actor = None

    def _hire(self) -> None:
        """Make an actor of every bot that has none and whose lease is free."""
        for member in self._members:
            part, host = member.part, self._host
            if member.actor is not None or member.too_few == len(part.feed):
                continue
            taken = take(
                self._database,
                member.owner,
                name=host.name,
                clock=host.clock,
                length=host.lease,
                new=part.new,
            )
            if taken is None:
                self._say(member, News.TAKEN)
                continue
            if _stands_beyond(taken.done, part.feed):
                # Its files are looked at now and then; those of the process before were newer.
                taken.keeper.give_up()
                member.too_few = len(part.feed)
                self._say(member, News.SHORT)
                continue
            own = self._own(part, taken)
            member.keeps = own is not part
            member.actor = Actor(
                taken,
                own.strategies,
                part.feed,
                portfolio=part.portfolio,
                terms=own.terms,
                order=part.order,
                paper=own.paper,
                every_step=len(host.together) > 1,
                stopped=host.stopped,
            )
            self._say(member, News.OVER if member.actor.is_over else News.RUNS)
            if not member.actor.is_over:
                self._try(member, member.actor.publish)

    def _own(self, part: Part, taken: Taken) -> Part:
        """Return what a bot is run with: it may keep another configuration."""
        started = taken.resumed.started
        if started.configuration_hash == part.new.configuration_hash:
            return part
        assert self._host.kept is not None, started.configuration_version
        return self._host.kept(part, started)

    def _obey(self) -> None:
        """Do what people have asked of the bots; looked for now and then."""
        now = self._host.clock()
        if not _is_due(now, self._obeyed_at, _LISTENING):
            return
        postponed = False
        for member in self._members:
            actor = member.actor
            if actor is None:
                continue
            for asked in actor.keeper.asked():
                if asked.command.said is not None and not self._between_candles(actor):
                    postponed = True
                    continue
                at = self._market_at(actor) if asked.command.said is not None else actor.at
                self._try(member, partial(actor.obey, asked, at=at or now))
                if member.actor is None:
                    break
        if not postponed:
            self._obeyed_at = now

    def _between_candles(self, actor: Actor) -> bool:
        """Say whether a bot is, and whoever of them comes first."""
        steps = [one.actor.next for one in self._members if one.actor is not None]
        first = min((step for step in steps if step is not None), default=None)
        return actor.between_candles and (first is None or first.phase is Phase.OPEN)

    def _market_at(self, actor: Actor) -> datetime | None:
        """Return the time that the market has come to for all bots that keep step."""
        with self._database.reading() as connection:
            known = progress.load_all(connection, portfolio_id=self._portfolio_id)
        others = [known[name].next_at for name in self._host.together if name in known]
        times = [at for at in (actor.at, *others) if at is not None]
        return min(times, default=None)

    def _hold(self) -> None:
        """Renew the leases that no step has renewed, well before they run out."""
        now = self._host.clock()
        if not _is_due(now, self._held_at, self._host.lease / 4):
            return
        self._held_at = now
        for member in self._members:
            if member.actor is not None:
                self._try(member, member.actor.keeper.hold)

    def _try(self, member: _Member, act: Callable[[], object]) -> None:
        """Let an actor act; one that could not keep what it did is of no use any more."""
        try:
            act()
        except LeaseLost:
            member.actor = None
            self._say(member, News.LOST)
        except (StoreFailure, ReadOnly) as problem:
            member.actor = None
            self._say(member, News.ANEW, str(problem))
            self._host.sleep(_PATIENCE)

    def _give_up(self) -> None:
        for member in self._members:
            if member.actor is not None:
                try:
                    member.actor.keeper.give_up()
                except StoreError:
                    continue  # the lease runs out by itself

    def _say(self, member: _Member, news: News, more: str = "") -> None:
        """Tell what has changed, each thing once until something else was told."""
        if news in member.told:
            return
        member.told = {news} if news is not News.WAITS else member.told | {news}
        self._tell(member.part.name, news, more)


def _is_due(now: datetime, last: datetime, pause: timedelta) -> bool:
    """Say whether what was done at `last` is to be done again, also where a clock was set back."""
    return not timedelta() <= now - last < pause


def _place(member: _Member) -> tuple[int, ...]:
    step = None if member.actor is None else member.actor.next
    # Who has only its end to do goes first: others wait for it, and it for nobody.
    return () if step is None else tuple(step)


def _stands_beyond(done: Progress, feed: Feed) -> bool:
    """Say whether a bot stands in a candle that has not come here yet."""
    return done.stands_at is not None and micros(done.stands_at) > feed.opened_at(len(feed) - 1)


def _is_past(other: Progress | None, order: int, step: Step, *, last: datetime) -> bool:
    """Say whether another bot's next step comes after `step`.

    Args:
        last: when its last candle opens; who has come to the end of fewer candles goes on.
    """
    if other is None:
        return False
    if other.next_at is None:
        seen_to = other.seen_to
        return other.phase == progress.OVER and seen_to is not None and seen_to >= last
    return (micros(other.next_at), other.phase, order) > (step.at, step.phase, step.order)
