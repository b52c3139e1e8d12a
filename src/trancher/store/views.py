"""Views: what a person reads in the database itself, in the words of each dialect.

bot_positions has one row for each bot of the latest run, CLOSED ones too (SPEC 12); bots that run
have a run each, and all of a portfolio's are shown together. Amounts have every digit. SQLite has
no exact division, so the prices there have the 15 significant digits that its own one is good for,
and those of PostgreSQL have 16 or more; they are for people, and a program divides for itself.
What is text with JSON in it on SQLite is JSON on PostgreSQL.
"""

from collections.abc import Mapping
from typing import Final

_SHOWN: Final = """\
(
        SELECT r.id FROM run AS r
        JOIN (SELECT * FROM run ORDER BY id DESC LIMIT 1) AS l
            ON r.id = l.id OR (
                l.kind = 'run' AND r.kind = 'run' AND r.finished_at IS NULL
                AND r.portfolio_id = l.portfolio_id
            )
    )"""


def price(cost: str, quantity: str) -> str:
    """Return what divides two columns of amounts, the second above 0, in plain digits."""
    quotient = f"CAST({cost} AS REAL) / CAST({quantity} AS REAL)"
    # Sixteen digits would show 6845.38 as 6845.380000000001.
    scientific = f"printf('%.14e', {quotient})"
    power = f"CAST(substr({scientific}, instr({scientific}, 'e') + 1) AS INTEGER)"
    return f"rtrim(rtrim(printf('%.*f', max(14 - {power}, 1), {quotient}), '0'), '.')"


_SQLITE: Final = f"""\
CREATE VIEW bot_positions AS
WITH active AS (
    SELECT
        p.*,
        CASE WHEN CAST(p.open_quantity AS REAL) > 0 THEN
            {price("p.open_cost", "p.open_quantity")}
        END AS entry_price,
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
                SELECT * FROM tranche AS one
                WHERE one.portfolio_id = p.portfolio_id AND one.run_id = p.run_id
                    AND one.position_id = p.id
                ORDER BY one.number
            ) AS t
        ) AS tranches
    FROM position AS p
    WHERE p.state <> 'closed' AND p.run_id IN {_SHOWN}
),
latest AS (
    SELECT * FROM active AS a
    WHERE NOT EXISTS (
        SELECT 1 FROM active AS later
        WHERE later.bot_id = a.bot_id AND later.number > a.number
    )
)
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, '0') AS current_position_size,
    a.entry_price AS current_position_entry_price,
    coalesce(a.tranches, '[]') AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT json_group_array(json_object(
            'position_id', o.id,
            'size', o.open_cost,
            'entry_price', o.entry_price,
            'status', upper(o.state),
            'tranches', json(o.tranches)
        ))
        FROM (SELECT * FROM active AS one WHERE one.bot_id = b.id ORDER BY one.number) AS o
    ) AS positions
FROM bot AS b
LEFT JOIN latest AS a ON a.bot_id = b.id
WHERE b.run_id IN {_SHOWN}
ORDER BY b.id"""  # noqa: S608 our own words

_POSTGRESQL: Final = f"""\
CREATE VIEW bot_positions AS
WITH active AS (
    SELECT
        p.bot_id,
        p.id,
        p.number,
        p.state,
        p.open_cost,
        CASE WHEN p.open_quantity > 0 THEN
            trim_scale(p.open_cost / p.open_quantity)
        END AS entry_price,
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
            WHERE t.portfolio_id = p.portfolio_id AND t.run_id = p.run_id
                AND t.position_id = p.id
        ) AS tranches
    FROM position AS p
    WHERE p.state <> 'closed' AND p.run_id IN {_SHOWN}
),
latest AS (
    SELECT DISTINCT ON (bot_id) * FROM active ORDER BY bot_id, number DESC
)
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, 0) AS current_position_size,
    a.entry_price AS current_position_entry_price,
    coalesce(a.tranches, '[]') AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT coalesce(json_agg(json_build_object(
            'position_id', o.id,
            'size', o.open_cost::text,
            'entry_price', o.entry_price::text,
            'status', upper(o.state),
            'tranches', o.tranches
        ) ORDER BY o.number), '[]')
        FROM active AS o
        WHERE o.bot_id = b.id
    ) AS positions
FROM bot AS b
LEFT JOIN latest AS a ON a.bot_id = b.id
WHERE b.run_id IN {_SHOWN}
ORDER BY b.id"""  # noqa: S608 our own words

BOT_POSITIONS: Final[Mapping[str, str]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""What makes the view, by dialect."""
