"""Views: what a person reads in the database itself, in the words of each dialect.

bot_positions has one row for each bot of the latest run, CLOSED ones too (SPEC 12); bots that run
have a run each, and all of a portfolio's are shown together. Amounts have every digit. SQLite has
no exact division, so the prices there have the 15 significant digits that its own one is good for,
and those of PostgreSQL have 16 or more; they are for people, and a program divides for itself.
What is text with JSON in it on SQLite is JSON on PostgreSQL.

Every part of a row is looked up by the key of its bot, so one bot's row costs the same however
many others there are.
"""

from collections.abc import Mapping
from typing import Final

_SHOWN: Final = """\
EXISTS (
    SELECT 1 FROM run AS l
    JOIN run AS r ON r.portfolio_id = b.portfolio_id AND r.id = b.run_id
    WHERE l.id = (SELECT max(id) FROM run) AND (
        r.id = l.id OR (
            l.kind = 'run' AND r.kind = 'run' AND r.finished_at IS NULL
            AND r.portfolio_id = l.portfolio_id
        )
    )
)"""
_OF_BOT: Final = """\
one.portfolio_id = b.portfolio_id AND one.run_id = b.run_id AND one.bot_id = b.id
            AND one.state <> 'closed'"""


def price(cost: str, quantity: str) -> str:
    """Return what divides two columns of amounts, the second above 0, in plain digits."""
    quotient = f"CAST({cost} AS REAL) / CAST({quantity} AS REAL)"
    # Sixteen digits would show 6845.38 as 6845.380000000001.
    scientific = f"printf('%.14e', {quotient})"
    power = f"CAST(substr({scientific}, instr({scientific}, 'e') + 1) AS INTEGER)"
    return f"rtrim(rtrim(printf('%.*f', max(14 - {power}, 1), {quotient}), '0'), '.')"


def _tranches_as_text(position: str) -> str:
    return f"""\
(
        SELECT json_group_array(json_object(
            'id', t.id,
            'entry_trade_id', t.entry_trade_id,
            'size_usd', t.cost,
            'size_quote', t.cost,
            'entry_price', {price("t.cost", "t.quantity")},
            'entry_timestamp', t.opened_at,
            'status', t.status,
            'quantity', t.quantity,
            'open_quantity', t.open_quantity,
            'open_cost', t.open_cost
        ))
        FROM (
            SELECT * FROM tranche AS its
            WHERE its.portfolio_id = {position}.portfolio_id
                AND its.run_id = {position}.run_id AND its.position_id = {position}.id
            ORDER BY its.number
        ) AS t
    )"""  # noqa: S608 our own words


def _entry_price_as_text(position: str) -> str:
    return f"""\
CASE WHEN CAST({position}.open_quantity AS REAL) > 0 THEN
        {price(f"{position}.open_cost", f"{position}.open_quantity")}
    END"""


_SQLITE: Final = f"""\
CREATE VIEW bot_positions AS
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, '0') AS current_position_size,
    {_entry_price_as_text("a")} AS current_position_entry_price,
    {_tranches_as_text("a")} AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT json_group_array(json_object(
            'position_id', o.id,
            'size', o.open_cost,
            'entry_price', {_entry_price_as_text("o")},
            'status', upper(o.state),
            'tranches', json({_tranches_as_text("o")})
        ))
        FROM (
            SELECT * FROM position AS one
            WHERE {_OF_BOT}
            ORDER BY one.number
        ) AS o
    ) AS positions
FROM bot AS b
LEFT JOIN position AS a
    ON a.portfolio_id = b.portfolio_id AND a.run_id = b.run_id AND a.number = (
        SELECT one.number FROM position AS one
        WHERE {_OF_BOT}
        ORDER BY one.number DESC LIMIT 1
    )
WHERE {_SHOWN}
ORDER BY b.id"""  # noqa: S608 our own words


def _tranches_as_json(position: str) -> str:
    return f"""\
(
        SELECT coalesce(json_agg(json_build_object(
            'id', t.id,
            'entry_trade_id', t.entry_trade_id,
            'size_usd', t.cost::text,
            'size_quote', t.cost::text,
            'entry_price', trim_scale(t.cost / t.quantity)::text,
            'entry_timestamp', (to_json(t.opened_at AT TIME ZONE 'UTC') #>> '{{}}') || 'Z',
            'status', t.status,
            'quantity', t.quantity::text,
            'open_quantity', t.open_quantity::text,
            'open_cost', t.open_cost::text
        ) ORDER BY t.number), '[]')
        FROM tranche AS t
        WHERE t.portfolio_id = {position}.portfolio_id
            AND t.run_id = {position}.run_id AND t.position_id = {position}.id
    )"""  # noqa: S608 our own words


def _entry_price(position: str) -> str:
    return f"""\
CASE WHEN {position}.open_quantity > 0 THEN
        trim_scale({position}.open_cost / {position}.open_quantity)
    END"""


_POSTGRESQL: Final = f"""\
CREATE VIEW bot_positions AS
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, 0) AS current_position_size,
    {_entry_price("a")} AS current_position_entry_price,
    {_tranches_as_json("a")} AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT coalesce(json_agg(json_build_object(
            'position_id', one.id,
            'size', one.open_cost::text,
            'entry_price', ({_entry_price("one")})::text,
            'status', upper(one.state),
            'tranches', {_tranches_as_json("one")}
        ) ORDER BY one.number), '[]')
        FROM position AS one
        WHERE {_OF_BOT}
    ) AS positions
FROM bot AS b
LEFT JOIN LATERAL (
    SELECT one.portfolio_id, one.run_id, one.id, one.state, one.open_quantity, one.open_cost
    FROM position AS one
    WHERE {_OF_BOT}
    ORDER BY one.number DESC LIMIT 1
) AS a ON true
WHERE {_SHOWN}
ORDER BY b.id"""  # noqa: S608 our own words

BOT_POSITIONS: Final[Mapping[str, str]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""What makes the view, by dialect."""
