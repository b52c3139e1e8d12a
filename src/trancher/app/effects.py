"""Effects: what a configuration that is to come into force would change for bots that run."""

from collections.abc import Iterator

from trancher.app.bot_standing import BotStanding
from trancher.app.configured import Settings
from trancher.app.outlook import outlook
from trancher.app.sentences import reason
from trancher.app.standing import Standing, standing_of
from trancher.core.limits import Refusal
from trancher.store.reading import Books, Run


def effects(books: Books, run: Run, settings: Settings) -> tuple[str, ...]:
    """Return in sentences whose next entry would be refused that is not now, or the other way.

    The limits themselves are asked, about how the bots stand, with what each would go by.

    Raises:
        BadInput: this program does not understand what the bots go by now.
        StoreError: the database cannot be read.
    """
    if not run.together:
        return ()
    before, after = standing_of(books, run), standing_of(books, run, new=settings)
    was = {(one.settings.name, one.seat.place): one for one in before.bots}
    return tuple(
        sentence
        for one in after.bots
        for sentence in _of_bot(was.get((one.settings.name, one.seat.place)), before, one, after)
    )


def _of_bot(
    known: BotStanding | None, before: Standing, one: BotStanding, after: Standing
) -> Iterator[str]:
    old = {} if known is None else {each.code: each for each in _refused(before, known)}
    new = {each.code: each for each in _refused(after, one)}
    for code, refusal in new.items():
        if code not in old:
            said = reason(after, one, refusal)
            yield f"{one.label}: its next entry would be refused because {said}."
    for code in old:
        if code not in new:
            yield f"{one.label}: its next entry would no longer be refused for {code}."


def _refused(standing: Standing, one: BotStanding) -> tuple[Refusal, ...]:
    entry = outlook(standing, one).entry
    return () if entry is None else entry.refusals
