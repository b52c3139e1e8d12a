CREATE TABLE portfolio_usage (
	portfolio_id INTEGER NOT NULL,
	cash TEXT NOT NULL,
	peak_equity TEXT NOT NULL,
	active INTEGER NOT NULL,
	exits_reserved INTEGER NOT NULL,
	ordered TEXT NOT NULL,
	set_aside TEXT NOT NULL,
	worth TEXT NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (portfolio_id),
	CHECK (portfolio_id >= 1),
	CHECK (typeof(cash) = 'text' AND iif(cash GLOB '-*', substr(cash, 2), cash) NOT GLOB '*[^0-9.]*' AND iif(cash GLOB '-*', substr(cash, 2), cash) GLOB '[0-9]*' AND iif(cash GLOB '-*', substr(cash, 2), cash) GLOB '*[0-9]' AND iif(cash GLOB '-*', substr(cash, 2), cash) NOT GLOB '*.*.*' AND instr(iif(cash GLOB '-*', substr(cash, 2), cash) || '.', '.') <= 41),
	CHECK (typeof(peak_equity) = 'text' AND iif(peak_equity GLOB '-*', substr(peak_equity, 2), peak_equity) NOT GLOB '*[^0-9.]*' AND iif(peak_equity GLOB '-*', substr(peak_equity, 2), peak_equity) GLOB '[0-9]*' AND iif(peak_equity GLOB '-*', substr(peak_equity, 2), peak_equity) GLOB '*[0-9]' AND iif(peak_equity GLOB '-*', substr(peak_equity, 2), peak_equity) NOT GLOB '*.*.*' AND instr(iif(peak_equity GLOB '-*', substr(peak_equity, 2), peak_equity) || '.', '.') <= 41),
	CHECK (active >= 0),
	CHECK (exits_reserved >= 0),
	CHECK (typeof(ordered) = 'text' AND ordered NOT GLOB '*[^0-9.]*' AND ordered GLOB '[0-9]*' AND ordered GLOB '*[0-9]' AND ordered NOT GLOB '*.*.*' AND instr(ordered || '.', '.') <= 41),
	CHECK (typeof(set_aside) = 'text' AND set_aside NOT GLOB '*[^0-9.]*' AND set_aside GLOB '[0-9]*' AND set_aside GLOB '*[0-9]' AND set_aside NOT GLOB '*.*.*' AND instr(set_aside || '.', '.') <= 41),
	CHECK (typeof(worth) = 'text' AND worth NOT GLOB '*[^0-9.]*' AND worth GLOB '[0-9]*' AND worth GLOB '*[0-9]' AND worth NOT GLOB '*.*.*' AND instr(worth || '.', '.') <= 41),
	CHECK (version >= 0),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id)
);

CREATE TABLE command (
	portfolio_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	bot TEXT NOT NULL,
	payload TEXT NOT NULL,
	"key" TEXT,
	asked_at TEXT NOT NULL,
	answered_at TEXT,
	answer TEXT,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (number >= 1),
	CHECK (typeof(asked_at) = 'text' AND asked_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (answered_at IS NULL OR (typeof(answered_at) = 'text' AND answered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	UNIQUE (portfolio_id, bot, "key")
);

CREATE INDEX command_by_bot ON command (portfolio_id, bot, answered_at);

CREATE TABLE halt (
	portfolio_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	scope TEXT NOT NULL,
	bot TEXT,
	target TEXT,
	action TEXT NOT NULL,
	share TEXT,
	reason TEXT NOT NULL,
	at TEXT NOT NULL,
	lifted_at TEXT,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (number >= 1),
	CHECK (scope IN ('portfolio', 'bot', 'position', 'tranche')),
	CHECK (action IN ('pause', 'freeze', 'cancel', 'reduce', 'flatten')),
	CHECK (share IS NULL OR (typeof(share) = 'text' AND iif(share GLOB '-*', substr(share, 2), share) NOT GLOB '*[^0-9.]*' AND iif(share GLOB '-*', substr(share, 2), share) GLOB '[0-9]*' AND iif(share GLOB '-*', substr(share, 2), share) GLOB '*[0-9]' AND iif(share GLOB '-*', substr(share, 2), share) NOT GLOB '*.*.*' AND instr(iif(share GLOB '-*', substr(share, 2), share) || '.', '.') <= 2 AND (iif(share GLOB '-*', substr(share, 2), share) GLOB '0*' OR rtrim(iif(share GLOB '-*', substr(share, 2), share), '.0') = '1'))),
	CHECK (typeof(at) = 'text' AND at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (lifted_at IS NULL OR (typeof(lifted_at) = 'text' AND lifted_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'))
);

CREATE TABLE lease (
	portfolio_id INTEGER NOT NULL,
	bot TEXT NOT NULL,
	owner TEXT,
	epoch INTEGER NOT NULL,
	until TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (epoch >= 0),
	CHECK (typeof(until) = 'text' AND until GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')
);

CREATE TABLE paper_room (
	portfolio_id INTEGER NOT NULL,
	symbol TEXT NOT NULL,
	at TEXT NOT NULL,
	left_over TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, symbol),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (typeof(at) = 'text' AND at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (typeof(left_over) = 'text' AND left_over NOT GLOB '*[^0-9.]*' AND left_over GLOB '[0-9]*' AND left_over GLOB '*[0-9]' AND left_over NOT GLOB '*.*.*' AND instr(left_over || '.', '.') <= 41)
);

CREATE TABLE symbol_usage (
	portfolio_id INTEGER NOT NULL,
	symbol TEXT NOT NULL,
	exposure TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, symbol),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (typeof(exposure) = 'text' AND exposure NOT GLOB '*[^0-9.]*' AND exposure GLOB '[0-9]*' AND exposure GLOB '*[0-9]' AND exposure NOT GLOB '*.*.*' AND instr(exposure || '.', '.') <= 41)
);

CREATE TABLE trading_day (
	portfolio_id INTEGER NOT NULL,
	day TEXT NOT NULL,
	trades INTEGER NOT NULL,
	realized TEXT NOT NULL,
	streak INTEGER NOT NULL,
	PRIMARY KEY (portfolio_id, day),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (trades >= 0),
	CHECK (typeof(realized) = 'text' AND iif(realized GLOB '-*', substr(realized, 2), realized) NOT GLOB '*[^0-9.]*' AND iif(realized GLOB '-*', substr(realized, 2), realized) GLOB '[0-9]*' AND iif(realized GLOB '-*', substr(realized, 2), realized) GLOB '*[0-9]' AND iif(realized GLOB '-*', substr(realized, 2), realized) NOT GLOB '*.*.*' AND instr(iif(realized GLOB '-*', substr(realized, 2), realized) || '.', '.') <= 41),
	CHECK (streak >= 0)
);

CREATE TABLE bot_usage (
	portfolio_id INTEGER NOT NULL,
	bot TEXT NOT NULL,
	run_id INTEGER NOT NULL,
	symbol TEXT NOT NULL,
	active INTEGER NOT NULL,
	exits_reserved INTEGER NOT NULL,
	ordered TEXT NOT NULL,
	set_aside TEXT,
	worth TEXT NOT NULL,
	exposure TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (run_id >= 1),
	CHECK (active >= 0),
	CHECK (exits_reserved >= 0),
	CHECK (typeof(ordered) = 'text' AND ordered NOT GLOB '*[^0-9.]*' AND ordered GLOB '[0-9]*' AND ordered GLOB '*[0-9]' AND ordered NOT GLOB '*.*.*' AND instr(ordered || '.', '.') <= 41),
	CHECK (set_aside IS NULL OR (typeof(set_aside) = 'text' AND set_aside NOT GLOB '*[^0-9.]*' AND set_aside GLOB '[0-9]*' AND set_aside GLOB '*[0-9]' AND set_aside NOT GLOB '*.*.*' AND instr(set_aside || '.', '.') <= 41)),
	CHECK (typeof(worth) = 'text' AND worth NOT GLOB '*[^0-9.]*' AND worth GLOB '[0-9]*' AND worth GLOB '*[0-9]' AND worth NOT GLOB '*.*.*' AND instr(worth || '.', '.') <= 41),
	CHECK (typeof(exposure) = 'text' AND exposure NOT GLOB '*[^0-9.]*' AND exposure GLOB '[0-9]*' AND exposure GLOB '*[0-9]' AND exposure NOT GLOB '*.*.*' AND instr(exposure || '.', '.') <= 41),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id)
);

CREATE TABLE progress (
	portfolio_id INTEGER NOT NULL,
	bot TEXT NOT NULL,
	next_at TEXT,
	phase INTEGER NOT NULL,
	candle_at TEXT,
	seen_at TEXT,
	price TEXT,
	memory TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id, bot) REFERENCES bot_usage (portfolio_id, bot),
	CHECK (next_at IS NULL OR (typeof(next_at) = 'text' AND next_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (phase >= 0),
	CHECK (candle_at IS NULL OR (typeof(candle_at) = 'text' AND candle_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (seen_at IS NULL OR (typeof(seen_at) = 'text' AND seen_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (price IS NULL OR (typeof(price) = 'text' AND price NOT GLOB '*[^0-9.]*' AND price GLOB '[0-9]*' AND price GLOB '*[0-9]' AND price NOT GLOB '*.*.*' AND instr(price || '.', '.') <= 16 AND price GLOB '*[1-9]*'))
);

CREATE TABLE reservation (
	portfolio_id INTEGER NOT NULL,
	bot TEXT NOT NULL,
	order_id TEXT NOT NULL,
	cost TEXT NOT NULL,
	day TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot, order_id),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id, bot) REFERENCES bot_usage (portfolio_id, bot),
	CHECK (typeof(cost) = 'text' AND cost NOT GLOB '*[^0-9.]*' AND cost GLOB '[0-9]*' AND cost GLOB '*[0-9]' AND cost NOT GLOB '*.*.*' AND instr(cost || '.', '.') <= 41)
);

CREATE VIEW bot_positions AS
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, '0') AS current_position_size,
    CASE WHEN CAST(a.open_quantity AS REAL) > 0 THEN
        rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(a.open_cost AS REAL) / CAST(a.open_quantity AS REAL)), instr(printf('%.14e', CAST(a.open_cost AS REAL) / CAST(a.open_quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(a.open_cost AS REAL) / CAST(a.open_quantity AS REAL)), '0'), '.')
    END AS current_position_entry_price,
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
            SELECT * FROM tranche AS its
            WHERE its.portfolio_id = a.portfolio_id
                AND its.run_id = a.run_id AND its.position_id = a.id
            ORDER BY its.number
        ) AS t
    ) AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT json_group_array(json_object(
            'position_id', o.id,
            'size', o.open_cost,
            'entry_price', CASE WHEN CAST(o.open_quantity AS REAL) > 0 THEN
        rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(o.open_cost AS REAL) / CAST(o.open_quantity AS REAL)), instr(printf('%.14e', CAST(o.open_cost AS REAL) / CAST(o.open_quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(o.open_cost AS REAL) / CAST(o.open_quantity AS REAL)), '0'), '.')
    END,
            'status', upper(o.state),
            'tranches', json((
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
            SELECT * FROM tranche AS its
            WHERE its.portfolio_id = o.portfolio_id
                AND its.run_id = o.run_id AND its.position_id = o.id
            ORDER BY its.number
        ) AS t
    ))
        ))
        FROM (
            SELECT * FROM position AS one
            WHERE one.portfolio_id = b.portfolio_id AND one.run_id = b.run_id AND one.bot_id = b.id
            AND one.state <> 'closed'
            ORDER BY one.number
        ) AS o
    ) AS positions
FROM bot AS b
LEFT JOIN position AS a
    ON a.portfolio_id = b.portfolio_id AND a.run_id = b.run_id AND a.number = (
        SELECT one.number FROM position AS one
        WHERE one.portfolio_id = b.portfolio_id AND one.run_id = b.run_id AND one.bot_id = b.id
            AND one.state <> 'closed'
        ORDER BY one.number DESC LIMIT 1
    )
WHERE EXISTS (
    SELECT 1 FROM run AS l
    JOIN run AS r ON r.portfolio_id = b.portfolio_id AND r.id = b.run_id
    WHERE l.id = (SELECT max(id) FROM run) AND (
        r.id = l.id OR (
            l.kind = 'run' AND r.kind = 'run' AND r.finished_at IS NULL
            AND r.portfolio_id = l.portfolio_id
        )
    )
)
ORDER BY b.id
