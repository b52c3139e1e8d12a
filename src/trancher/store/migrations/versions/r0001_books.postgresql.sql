CREATE TABLE identity (
	id BIGINT NOT NULL,
	mode TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	CHECK (mode IN ('paper', 'live')),
	CHECK (created_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')
);

CREATE TABLE portfolio (
	id BIGINT NOT NULL,
	name TEXT NOT NULL,
	quote TEXT NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	UNIQUE (name)
);

CREATE TABLE configuration (
	portfolio_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	hash TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, version),
	CHECK (portfolio_id >= 1),
	CHECK (version >= 1),
	CHECK (length(hash) = 64),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id)
);

CREATE TABLE run (
	portfolio_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	configuration_version BIGINT NOT NULL,
	cash NUMERIC NOT NULL,
	timezone TEXT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	finished_at TIMESTAMP WITH TIME ZONE,
	entries BIGINT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (id >= 1),
	CHECK (kind IN ('backtest', 'demo', 'run')),
	CHECK (configuration_version >= 1),
	CHECK (cash > 0 AND cash < 1e15),
	CHECK (started_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (finished_at IS NULL OR (finished_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (entries >= 1),
	CHECK (length(hash) = 64),
	UNIQUE (id),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id),
	FOREIGN KEY(portfolio_id, configuration_version) REFERENCES configuration (portfolio_id, version)
);

CREATE TABLE bot (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	name TEXT NOT NULL,
	symbol TEXT NOT NULL,
	strategy TEXT NOT NULL,
	disposal TEXT NOT NULL,
	max_tranches BIGINT,
	instrument TEXT NOT NULL,
	mark_price NUMERIC,
	marked_at TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (id >= 1),
	CHECK (disposal IN ('fifo', 'lifo', 'hifo', 'average', 'specific')),
	CHECK (max_tranches IS NULL OR (max_tranches >= 0)),
	CHECK (mark_price IS NULL OR (mark_price > 0 AND mark_price < 1e15)),
	CHECK (marked_at IS NULL OR (marked_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	UNIQUE (portfolio_id, run_id, name),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id)
);

CREATE TABLE journal (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	position_id TEXT,
	type TEXT NOT NULL,
	payload TEXT NOT NULL,
	previous_hash TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, number),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (length(previous_hash) = 64),
	CHECK (length(hash) = 64),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id)
);

CREATE INDEX journal_by_position ON journal (portfolio_id, run_id, position_id, number);

CREATE TABLE decision (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	bot_id BIGINT NOT NULL,
	position_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	reason TEXT NOT NULL,
	price NUMERIC NOT NULL,
	codes TEXT NOT NULL,
	first_at TIMESTAMP WITH TIME ZONE NOT NULL,
	last_at TIMESTAMP WITH TIME ZONE NOT NULL,
	count BIGINT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, number),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (bot_id >= 1),
	CHECK (kind IN ('entry', 'exit')),
	CHECK (price > 0 AND price < 1e15),
	CHECK (first_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (last_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (count >= 1),
	FOREIGN KEY(portfolio_id, run_id, bot_id) REFERENCES bot (portfolio_id, run_id, id)
);

CREATE INDEX decision_by_bot ON decision (portfolio_id, run_id, bot_id, number);

CREATE TABLE position (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	id TEXT NOT NULL,
	number BIGINT NOT NULL,
	bot_id BIGINT NOT NULL,
	state TEXT NOT NULL,
	open_quantity NUMERIC NOT NULL,
	open_cost NUMERIC NOT NULL,
	open_fee NUMERIC NOT NULL,
	dust_quantity NUMERIC NOT NULL,
	dust_cost NUMERIC NOT NULL,
	dust_fee NUMERIC NOT NULL,
	realized_gross NUMERIC NOT NULL,
	realized_pnl NUMERIC NOT NULL,
	fees_paid NUMERIC NOT NULL,
	cash_paid NUMERIC NOT NULL,
	cash_received NUMERIC NOT NULL,
	anchor_cost NUMERIC NOT NULL,
	peak_quantity NUMERIC NOT NULL,
	peak_cost NUMERIC NOT NULL,
	highest_mark NUMERIC,
	lowest_mark NUMERIC,
	orders_placed BIGINT NOT NULL,
	closing_reason TEXT,
	entered_at TIMESTAMP WITH TIME ZONE,
	last_entry_at TIMESTAMP WITH TIME ZONE,
	closed_at TIMESTAMP WITH TIME ZONE,
	document TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (bot_id >= 1),
	CHECK (state IN ('closed', 'building', 'open', 'reducing', 'closing')),
	CHECK (open_quantity >= 0 AND open_quantity < 1e40),
	CHECK (open_cost >= 0 AND open_cost < 1e40),
	CHECK (open_fee > -1e40 AND open_fee < 1e40),
	CHECK (dust_quantity >= 0 AND dust_quantity < 1e40),
	CHECK (dust_cost >= 0 AND dust_cost < 1e40),
	CHECK (dust_fee > -1e40 AND dust_fee < 1e40),
	CHECK (realized_gross > -1e40 AND realized_gross < 1e40),
	CHECK (realized_pnl > -1e40 AND realized_pnl < 1e40),
	CHECK (fees_paid > -1e40 AND fees_paid < 1e40),
	CHECK (cash_paid > -1e40 AND cash_paid < 1e40),
	CHECK (cash_received > -1e40 AND cash_received < 1e40),
	CHECK (anchor_cost >= 0 AND anchor_cost < 1e40),
	CHECK (peak_quantity >= 0 AND peak_quantity < 1e40),
	CHECK (peak_cost >= 0 AND peak_cost < 1e40),
	CHECK (highest_mark IS NULL OR (highest_mark > 0 AND highest_mark < 1e15)),
	CHECK (lowest_mark IS NULL OR (lowest_mark > 0 AND lowest_mark < 1e15)),
	CHECK (orders_placed >= 0),
	CHECK (entered_at IS NULL OR (entered_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (last_entry_at IS NULL OR (last_entry_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (closed_at IS NULL OR (closed_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	UNIQUE (portfolio_id, run_id, number),
	FOREIGN KEY(portfolio_id, run_id, bot_id) REFERENCES bot (portfolio_id, run_id, id)
);

CREATE INDEX position_by_bot ON position (portfolio_id, run_id, bot_id, number);

CREATE TABLE orders (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	position_id TEXT NOT NULL,
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	size NUMERIC,
	quantity NUMERIC,
	limit_price NUMERIC,
	rungs TEXT NOT NULL,
	reason TEXT NOT NULL,
	decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
	filled NUMERIC NOT NULL,
	state TEXT NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	end_reason TEXT,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (kind IN ('entry', 'exit')),
	CHECK (size IS NULL OR (size > 0 AND size < 1e15)),
	CHECK (quantity IS NULL OR (quantity > 0 AND quantity < 1e15)),
	CHECK (limit_price IS NULL OR (limit_price > 0 AND limit_price < 1e15)),
	CHECK (decided_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (filled >= 0 AND filled < 1e40),
	CHECK (state IN ('working', 'ended')),
	CHECK (ended_at IS NULL OR (ended_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'))
);

CREATE TABLE tranche (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	position_id TEXT NOT NULL,
	id TEXT NOT NULL,
	number BIGINT NOT NULL,
	order_id TEXT NOT NULL,
	entry_trade_id TEXT NOT NULL,
	reason TEXT NOT NULL,
	status TEXT NOT NULL,
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
	closed_at TIMESTAMP WITH TIME ZONE,
	quantity NUMERIC NOT NULL,
	cost NUMERIC NOT NULL,
	entry_fee NUMERIC NOT NULL,
	open_quantity NUMERIC NOT NULL,
	open_cost NUMERIC NOT NULL,
	open_fee NUMERIC NOT NULL,
	dust_quantity NUMERIC NOT NULL,
	dust_cost NUMERIC NOT NULL,
	dust_fee NUMERIC NOT NULL,
	highest_mark NUMERIC NOT NULL,
	lowest_mark NUMERIC NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, position_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (number >= 1),
	CHECK (status IN ('open', 'partly_sold', 'closed')),
	CHECK (opened_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (closed_at IS NULL OR (closed_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z')),
	CHECK (quantity >= 0 AND quantity < 1e40),
	CHECK (cost >= 0 AND cost < 1e40),
	CHECK (entry_fee > -1e40 AND entry_fee < 1e40),
	CHECK (open_quantity >= 0 AND open_quantity < 1e40),
	CHECK (open_cost >= 0 AND open_cost < 1e40),
	CHECK (open_fee > -1e40 AND open_fee < 1e40),
	CHECK (dust_quantity >= 0 AND dust_quantity < 1e40),
	CHECK (dust_cost >= 0 AND dust_cost < 1e40),
	CHECK (dust_fee > -1e40 AND dust_fee < 1e40),
	CHECK (highest_mark > 0 AND highest_mark < 1e15),
	CHECK (lowest_mark > 0 AND lowest_mark < 1e15)
);

CREATE TABLE fill (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	position_id TEXT NOT NULL,
	trade_id TEXT NOT NULL,
	order_id TEXT NOT NULL,
	side TEXT NOT NULL,
	price NUMERIC NOT NULL,
	quantity NUMERIC NOT NULL,
	fee NUMERIC NOT NULL,
	fee_asset TEXT NOT NULL,
	fee_rate NUMERIC,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, position_id, trade_id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (side IN ('buy', 'sell')),
	CHECK (price > 0 AND price < 1e15),
	CHECK (quantity > 0 AND quantity < 1e15),
	CHECK (fee > -1e40 AND fee < 1e40),
	CHECK (fee_rate IS NULL OR (fee_rate > 0 AND fee_rate < 1e15)),
	CHECK (at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	FOREIGN KEY(portfolio_id, run_id, order_id) REFERENCES orders (portfolio_id, run_id, id)
);

CREATE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = TG_TABLE_NAME || ' is insert-only';
END
$$;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TRIGGER fill_no_update BEFORE UPDATE ON fill FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER fill_no_delete BEFORE DELETE ON fill FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER fill_no_truncate BEFORE TRUNCATE ON fill FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

REVOKE UPDATE, DELETE, TRUNCATE ON journal FROM PUBLIC, CURRENT_USER;

REVOKE UPDATE, DELETE, TRUNCATE ON fill FROM PUBLIC, CURRENT_USER;

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
                'entry_timestamp', (to_json(t.opened_at AT TIME ZONE 'UTC') #>> '{}') || 'Z',
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
    WHERE p.state <> 'closed' AND p.run_id = (SELECT max(id) FROM run)
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
WHERE b.run_id = (SELECT max(id) FROM run)
ORDER BY b.id
