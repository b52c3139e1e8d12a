"""What a load changes, as people and programs read it."""

from trancher.app.loading import Preview
from trancher.app.output import Json
from trancher.app.sentences import moment
from trancher.app.tables import console, table


def preview_document(preview: Preview) -> Json:
    """Return a load as a document."""
    before = preview.before
    return {
        "portfolio": preview.settings.portfolio.name,
        "version": preview.version,
        "load": preview.load,
        "config_hash": preview.settings.config_hash,
        "version_before": None if before is None else before.version,
        "written": preview.written,
        "added": list(preview.added),
        "removed": list(preview.removed),
        "changes": [
            {"bot": one.bot, "key": one.key, "old": one.old, "new": one.new}
            for one in preview.changes
        ],
        "untold": preview.untold,
        "effects": list(preview.effects),
        "open_positions": [
            {
                "bot": one.position.bot,
                "position_id": one.position.id,
                "position_status": one.position.state.value,
                "version": one.version,
            }
            for one in preview.held
        ],
        "warnings": list(preview.settings.warnings),
    }


def print_preview(preview: Preview, *, dry_run: bool) -> None:
    """Print what a load changes.

    Args:
        dry_run: whether it is only looked at, or asked about.
    """
    out = console()
    out.print(headline(preview, dry_run=dry_run), soft_wrap=True)
    common = [one for one in preview.changes if one.bot not in (*preview.added, *preview.removed)]
    if preview.before is not None and common:
        shown = table("What changes", "of", "key", "before", "after", words=4)
        for one in common:
            shown.add_row(one.bot or "all", one.key, one.old or "absent", one.new or "absent")
        out.print(shown)
    for sentence in _beside(preview):
        out.print(sentence, soft_wrap=True)
    for warning in preview.settings.warnings:
        out.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def headline(preview: Preview, *, dry_run: bool) -> str:
    """Return what comes into force, or would, in place of what."""
    before = preview.before
    named = f"Version {preview.version} of portfolio {preview.settings.portfolio.name}"
    if before is not None and before.at is not None and preview.repeated:
        since = f"in force already, since {moment(before.at)}"
        return f"{named} is {since}: nothing was written."
    instead = ""
    if before is not None:
        run_with = ", by which its bots run" if before.at is None else ""
        instead = f", in place of version {before.version}{run_with}"
    if dry_run:
        return f"{named} would be in force{instead}; nothing was written."
    return f"{named} is in force now{instead}."


def replaces(preview: Preview) -> str:
    """Return what a load would come into force in place of."""
    assert preview.before is not None
    version = preview.before.version
    what = f"version {version} in force"
    if preview.before.at is None:
        what = f"bots that run by version {version}"
    return f"{what}, which version {preview.version} would replace"


def _beside(preview: Preview) -> list[str]:
    """Return what is to be said beside the keys that change."""
    said = [
        f"New: {bot.name}, {bot.strategy} on {bot.symbol}."
        for bot in preview.settings.bots
        if bot.name in preview.added
    ]
    said += [f"Gone: {name}." for name in preview.removed]
    if preview.untold is not None:
        said.append(f"What changes cannot be told. {preview.untold}.")
    elif not preview.changes and not preview.repeated:
        said.append("It means the same as before.")
    if preview.repeated:
        return said
    for version in sorted({one.version for one in preview.held}):
        held = ", ".join(
            f"{one.position.id} ({one.position.state.name})"
            for one in preview.held
            if one.version == version
        )
        said.append(f"What is open stays with version {version}, by which it began: {held}.")
    return [*said, *preview.effects]
