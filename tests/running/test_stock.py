"""What people tell bots that run of what is there: the same, however often their processes die."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from backtest.cases import rows_from
from backtest.everything import OTHER, several, with_places
from backtest.replays import SYMBOL, candles_of
from running.company import Company
from running.floor import journal_of
from strategies import Dial
from trancher.app.settings import parse
from trancher.core.events import Adopted, Corrected, Event, Undone
from trancher.core.money import EXACT
from trancher.core.order import BotName, PositionId
from trancher.store import commands, tables
from trancher.store.commands import Answer, Command, Deed
from trancher.store.database import Database
from trancher.store.verify import verify


class Teller:
    """Somebody who tells bots of holdings, losses and mistakes, before steps that are drawn.

    What is told before a step is the same in every life: a step that did nothing is done again
    where a process died, and nobody says the same again then.
    """

    def __init__(self, company: Company, seed: int, *, deaths: float) -> None:
        self.company, self.answers = company, list[Answer]()
        self._seed, self._deaths = seed, deaths
        self._fate = Random(seed)  # noqa: S311 nothing secret is drawn
        self._told = set[str]()

    def meanwhile(self) -> None:
        """Tell something, or nothing; and let a process die, or none."""
        ahead = [one.next for one in self.company.actors.values() if one.next is not None]
        step = f"{self._seed} {min(ahead)}" if ahead else ""
        if ahead and step not in self._told:
            self._told.add(step)
            self._draw = Random(step)  # noqa: S311 likewise
            if self._draw.random() < 0.3:
                self._tell(self._draw.choice(sorted(self.company.actors)))
        if self._fate.random() < self._deaths:
            self.company.kill(self._fate.choice(sorted(self.company.actors)))

    def _tell(self, name: BotName) -> None:
        actor = self.company.actors[name]
        deed = self._draw.choice([Deed.ADOPT, Deed.CORRECT, Deed.CORRECT, Deed.UNDO])
        share = self._draw.choice(["0", "0.25", "0.7"])
        seat = self._draw.choice(actor.seats)
        held = seat.position.held
        if actor.at is None:
            return
        asked_of = PositionId(seat.position.id)
        quantity = EXACT.create_decimal("0.3")
        if deed is Deed.CORRECT:
            quantity = EXACT.multiply(held, EXACT.create_decimal(share))
        command = Command(
            deed=deed,
            reason="told",
            position=asked_of,
            quantity=None if deed is Deed.UNDO else quantity,
            cost=EXACT.create_decimal("21.7") if deed is Deed.ADOPT else None,
        )
        with self.company.database.writing() as connection:
            commands.ask(
                connection,
                portfolio_id=actor.keeper.owner.portfolio_id,
                bot=name,
                command=command,
                key=None,
                at=self.company.clock(),
            )
        (asked,) = actor.keeper.asked()
        self.answers.append(actor.obey(asked, at=actor.at))


def lived(
    url: str, text: str, rows: Sequence[int], *, seed: int, deaths: float
) -> tuple[dict[str, list[Event]], list[Answer]]:
    """Return the journals of bots that were told things, and what they answered."""
    said = parse(text, file="case.toml")
    half = len(rows) // 2
    candles = {
        symbol: candles_of(rows_from([Dial(one) for one in part]))
        for symbol, part in ((SYMBOL, rows[:half]), (OTHER, rows[half:]))
    }
    company = Company(url, said, candles)
    teller = Teller(company, seed, deaths=deaths)
    company.run(meanwhile=teller.meanwhile)
    assert verify(company.database).differences == ()
    sums_are_those_of_the_bots(company.database)
    journal = journal_of(company.database)
    company.database.close()
    return dict(journal), teller.answers


def sums_are_those_of_the_bots(database: Database) -> None:
    """
    Invariant 2 of sharing, with what was adopted and corrected in them.
    """
    with database.reading() as connection:
        sums = connection.execute(select(tables.portfolio_usage)).one()
        bots = connection.execute(select(tables.bot_usage)).all()
    assert sums.active == sum(one.active for one in bots)
    assert sums.worth == sum(one.worth for one in bots)


@pytest.mark.parametrize("of_kind", [several, with_places])
def test_what_was_told_survives_every_death(tmp_path: Path, of_kind: object) -> None:
    """
    Killed after any step, a bot says and does what it would have done; verify replays it all.
    """
    seed = 0
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    assert callable(of_kind)
    text = ""
    while not text or 'of = "equity"' in text:
        text = of_kind([Dial(random.getrandbits(192)) for _ in range(2)])
    rows = [random.getrandbits(24) for _ in range(60)]

    calm, killed = (
        lived(f"sqlite:///{tmp_path}/{deaths}.db", text, rows, seed=seed, deaths=deaths)
        for deaths in (0.0, 0.2)
    )

    assert killed == calm
    told = {type(event) for events in calm[0].values() for event in events}
    assert told >= {Adopted, Corrected, Undone}
    assert {one.problem is None for one in calm[1]} == {True, False}
