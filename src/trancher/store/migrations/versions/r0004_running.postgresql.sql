CREATE TABLE portfolio_usage (
	portfolio_id BIGINT NOT NULL,
	cash NUMERIC NOT NULL,
	peak_equity NUMERIC NOT NULL,
	active BIGINT NOT NULL,
	exits_reserved BIGINT NOT NULL,
	ordered NUMERIC NOT NULL,
	set_aside NUMERIC NOT NULL,
	worth NUMERIC NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (portfolio_id),
	CHECK (portfolio_id >= 1),
	CHECK (cash > -1e40 AND cash < 1e40),
	CHECK (peak_equity > -1e40 AND peak_equity < 1e40),
	CHECK (active >= 0),
	CHECK (exits_reserved >= 0),
	CHECK (ordered >= 0 AND ordered < 1e40),
	CHECK (set_aside >= 0 AND set_aside < 1e40),
	CHECK (worth >= 0 AND worth < 1e40),
	CHECK (version >= 0),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id)
);

CREATE TABLE command (
	portfolio_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	bot TEXT NOT NULL,
	payload TEXT NOT NULL,
	key TEXT,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	answered_at TIMESTAMP WITH TIME ZONE,
	answer TEXT,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (number >= 1),
	CHECK (asked_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (answered_at IS NULL OR (answered_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	UNIQUE (portfolio_id, bot, key)
);

CREATE INDEX command_by_bot ON command (portfolio_id, bot, answered_at);

CREATE TABLE halt (
	portfolio_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	scope TEXT NOT NULL,
	bot TEXT,
	target TEXT,
	action TEXT NOT NULL,
	share NUMERIC,
	reason TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	lifted_at TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (number >= 1),
	CHECK (scope IN ('portfolio', 'bot', 'position', 'tranche')),
	CHECK (action IN ('pause', 'freeze', 'cancel', 'reduce', 'flatten')),
	CHECK (share IS NULL OR (share >= -1 AND share <= 1)),
	CHECK (at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (lifted_at IS NULL OR (lifted_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'))
);

CREATE TABLE lease (
	portfolio_id BIGINT NOT NULL,
	bot TEXT NOT NULL,
	owner TEXT,
	epoch BIGINT NOT NULL,
	until TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (epoch >= 0),
	CHECK (until BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')
);

CREATE TABLE paper_room (
	portfolio_id BIGINT NOT NULL,
	symbol TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	left_over NUMERIC NOT NULL,
	PRIMARY KEY (portfolio_id, symbol),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (left_over >= 0 AND left_over < 1e40)
);

CREATE TABLE symbol_usage (
	portfolio_id BIGINT NOT NULL,
	symbol TEXT NOT NULL,
	exposure NUMERIC NOT NULL,
	PRIMARY KEY (portfolio_id, symbol),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (exposure >= 0 AND exposure < 1e40)
);

CREATE TABLE trading_day (
	portfolio_id BIGINT NOT NULL,
	day TEXT NOT NULL,
	trades BIGINT NOT NULL,
	realized NUMERIC NOT NULL,
	streak BIGINT NOT NULL,
	PRIMARY KEY (portfolio_id, day),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (trades >= 0),
	CHECK (realized > -1e40 AND realized < 1e40),
	CHECK (streak >= 0)
);

CREATE TABLE bot_usage (
	portfolio_id BIGINT NOT NULL,
	bot TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	symbol TEXT NOT NULL,
	active BIGINT NOT NULL,
	exits_reserved BIGINT NOT NULL,
	ordered NUMERIC NOT NULL,
	set_aside NUMERIC,
	worth NUMERIC NOT NULL,
	exposure NUMERIC NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio_usage (portfolio_id),
	CHECK (run_id >= 1),
	CHECK (active >= 0),
	CHECK (exits_reserved >= 0),
	CHECK (ordered >= 0 AND ordered < 1e40),
	CHECK (set_aside IS NULL OR (set_aside >= 0 AND set_aside < 1e40)),
	CHECK (worth >= 0 AND worth < 1e40),
	CHECK (exposure >= 0 AND exposure < 1e40),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id)
);

CREATE TABLE progress (
	portfolio_id BIGINT NOT NULL,
	bot TEXT NOT NULL,
	next_at TIMESTAMP WITH TIME ZONE,
	phase BIGINT NOT NULL,
	candle_at TIMESTAMP WITH TIME ZONE,
	seen_at TIMESTAMP WITH TIME ZONE,
	price NUMERIC,
	memory TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id, bot) REFERENCES bot_usage (portfolio_id, bot),
	CHECK (next_at IS NULL OR (next_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (phase >= 0),
	CHECK (candle_at IS NULL OR (candle_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (seen_at IS NULL OR (seen_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (price IS NULL OR (price > 0 AND price < 1e15))
);

CREATE TABLE reservation (
	portfolio_id BIGINT NOT NULL,
	bot TEXT NOT NULL,
	order_id TEXT NOT NULL,
	cost NUMERIC NOT NULL,
	day TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, bot, order_id),
	CHECK (portfolio_id >= 1),
	FOREIGN KEY(portfolio_id, bot) REFERENCES bot_usage (portfolio_id, bot),
	CHECK (cost >= 0 AND cost < 1e40)
);

CREATE VIEW bot_positions AS
SELECT
    b.id AS bot_id,
    b.name AS bot,
    coalesce(a.open_cost, 0) AS current_position_size,
    CASE WHEN a.open_quantity > 0 THEN
        trim_scale(a.open_cost / a.open_quantity)
    END AS current_position_entry_price,
    (
        SELECT coalesce(json_agg(json_build_object(
            'id', t.id,
            'entry_trade_id', t.entry_trade_id,
            'size_usd', t.cost::text,
            'size_quote', t.cost::text,
            'entry_price', trim_scale(t.cost / t.quantity)::text,
            'entry_timestamp', (to_json(t.opened_at AT TIME ZONE 'UTC') #>> '{}') || 'Z',
            'status', t.status,
            'quantity', t.quantity::text,
            'open_quantity', t.open_quantity::text,
            'open_cost', t.open_cost::text
        ) ORDER BY t.number), '[]')
        FROM tranche AS t
        WHERE t.portfolio_id = a.portfolio_id
            AND t.run_id = a.run_id AND t.position_id = a.id
    ) AS position_tranches,
    b.max_tranches AS max_position_tranches,
    upper(coalesce(a.state, 'closed')) AS position_status,
    (
        SELECT coalesce(json_agg(json_build_object(
            'position_id', one.id,
            'size', one.open_cost::text,
            'entry_price', (CASE WHEN one.open_quantity > 0 THEN
        trim_scale(one.open_cost / one.open_quantity)
    END)::text,
            'status', upper(one.state),
            'tranches', (
        SELECT coalesce(json_agg(json_build_object(
            'id', t.id,
            'entry_trade_id', t.entry_trade_id,
            'size_usd', t.cost::text,
            'size_quote', t.cost::text,
            'entry_price', trim_scale(t.cost / t.quantity)::text,
            'entry_timestamp', (to_json(t.opened_at AT TIME ZONE 'UTC') #>> '{}') || 'Z',
            'status', t.status,
            'quantity', t.quantity::text,
            'open_quantity', t.open_quantity::text,
            'open_cost', t.open_cost::text
        ) ORDER BY t.number), '[]')
        FROM tranche AS t
        WHERE t.portfolio_id = one.portfolio_id
            AND t.run_id = one.run_id AND t.position_id = one.id
    )
        ) ORDER BY one.number), '[]')
        FROM position AS one
        WHERE one.portfolio_id = b.portfolio_id AND one.run_id = b.run_id AND one.bot_id = b.id
            AND one.state <> 'closed'
    ) AS positions
FROM bot AS b
LEFT JOIN LATERAL (
    SELECT one.portfolio_id, one.run_id, one.id, one.state, one.open_quantity, one.open_cost
    FROM position AS one
    WHERE one.portfolio_id = b.portfolio_id AND one.run_id = b.run_id AND one.bot_id = b.id
            AND one.state <> 'closed'
    ORDER BY one.number DESC LIMIT 1
) AS a ON true
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
