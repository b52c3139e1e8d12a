"""Views: what a person reads in the database itself, in the words of SQLite.

bot_positions has one row for each bot of the latest run, CLOSED ones too (SPEC 12). Amounts have
every digit. SQLite has no exact division, so the prices there have 16 significant digits, for
people; a program divides for itself.
"""

from typing import Final

BOT_POSITIONS: Final = """\
CREATE VIEW bot_positions AS
WITH active AS (
    SELECT
        p.*,
        CASE WHEN CAST(p.open_quantity AS REAL) > 0 THEN
            rtrim(rtrim(printf('%.24f',
                CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), '0'), '.')
        END AS entry_price,
        (
            SELECT json_group_array(json_object(
                'id', t.id,
                'entry_trade_id', t.entry_trade_id,
                'size_usd', t.cost,
                'size_quote', t.cost,
                'entry_price', rtrim(rtrim(printf('%.24f',
                    CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), '0'), '.'),
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
    WHERE p.state <> 'closed' AND p.run_id = (SELECT max(id) FROM run)
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
WHERE b.run_id = (SELECT max(id) FROM run)
ORDER BY b.id"""
