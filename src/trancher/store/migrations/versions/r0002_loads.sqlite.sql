CREATE TABLE loading (
	portfolio_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	version INTEGER NOT NULL,
	at TEXT NOT NULL,
	payload TEXT NOT NULL,
	previous_hash TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	CHECK (number >= 1),
	CHECK (version >= 1),
	CHECK (typeof(at) = 'text' AND at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (length(previous_hash) = 64),
	CHECK (length(hash) = 64),
	FOREIGN KEY(portfolio_id, version) REFERENCES configuration (portfolio_id, version)
);

CREATE TABLE loaded_bot (
	portfolio_id INTEGER NOT NULL,
	load INTEGER NOT NULL,
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	symbol TEXT NOT NULL,
	strategy TEXT NOT NULL,
	disposal TEXT NOT NULL,
	max_tranches INTEGER,
	PRIMARY KEY (portfolio_id, load, id),
	CHECK (portfolio_id >= 1),
	CHECK (load >= 1),
	CHECK (id >= 1),
	CHECK (disposal IN ('fifo', 'lifo', 'hifo', 'average', 'specific')),
	CHECK (max_tranches IS NULL OR (max_tranches >= 0)),
	UNIQUE (portfolio_id, load, name),
	FOREIGN KEY(portfolio_id, load) REFERENCES loading (portfolio_id, number)
);

CREATE TRIGGER loading_no_update BEFORE UPDATE ON loading
BEGIN
    SELECT RAISE(ABORT, 'loading is insert-only');
END;

CREATE TRIGGER loading_no_delete BEFORE DELETE ON loading
BEGIN
    SELECT RAISE(ABORT, 'loading is insert-only');
END;

DROP VIEW bot_positions;

CREATE VIEW bot_positions AS
WITH active AS (
    SELECT
        p.*,
        CASE WHEN CAST(p.open_quantity AS REAL) > 0 THEN
            rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), instr(printf('%.14e', CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), '0'), '.')
        END AS entry_price,
        (
            SELECT json_group_array(json_object(
                'id', t.id,
                'entry_trade_id', t.entry_trade_id,
                'size_usd', t.cost,
                'size_quote', t.cost,
                'entry_price', rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), instr(printf('%.14e', CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), '0'), '.'),
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
ORDER BY b.id
