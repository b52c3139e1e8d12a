CREATE TABLE identity (
	id INTEGER NOT NULL,
	mode TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	CHECK (mode IN ('paper', 'live')),
	CHECK (typeof(created_at) = 'text' AND created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')
);

CREATE TABLE portfolio (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	quote TEXT NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	UNIQUE (name)
);

CREATE TABLE configuration (
	portfolio_id INTEGER NOT NULL,
	version INTEGER NOT NULL,
	hash TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, version),
	CHECK (portfolio_id >= 1),
	CHECK (version >= 1),
	CHECK (length(hash) = 64),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id)
);

CREATE TABLE run (
	portfolio_id INTEGER NOT NULL,
	id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	configuration_version INTEGER NOT NULL,
	cash TEXT NOT NULL,
	timezone TEXT NOT NULL,
	started_at TEXT NOT NULL,
	finished_at TEXT,
	entries INTEGER NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (id >= 1),
	CHECK (kind IN ('backtest', 'demo', 'run')),
	CHECK (configuration_version >= 1),
	CHECK (typeof(cash) = 'text' AND cash NOT GLOB '*[^0-9.]*' AND cash GLOB '[0-9]*' AND cash GLOB '*[0-9]' AND cash NOT GLOB '*.*.*' AND instr(cash || '.', '.') <= 16 AND cash GLOB '*[1-9]*'),
	CHECK (typeof(started_at) = 'text' AND started_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (finished_at IS NULL OR (typeof(finished_at) = 'text' AND finished_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (entries >= 1),
	CHECK (length(hash) = 64),
	UNIQUE (id),
	FOREIGN KEY(portfolio_id) REFERENCES portfolio (id),
	FOREIGN KEY(portfolio_id, configuration_version) REFERENCES configuration (portfolio_id, version)
);

CREATE TABLE bot (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	symbol TEXT NOT NULL,
	strategy TEXT NOT NULL,
	disposal TEXT NOT NULL,
	max_tranches INTEGER,
	instrument TEXT NOT NULL,
	mark_price TEXT,
	marked_at TEXT,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (id >= 1),
	CHECK (disposal IN ('fifo', 'lifo', 'hifo', 'average', 'specific')),
	CHECK (max_tranches IS NULL OR (max_tranches >= 0)),
	CHECK (mark_price IS NULL OR (typeof(mark_price) = 'text' AND mark_price NOT GLOB '*[^0-9.]*' AND mark_price GLOB '[0-9]*' AND mark_price GLOB '*[0-9]' AND mark_price NOT GLOB '*.*.*' AND instr(mark_price || '.', '.') <= 16 AND mark_price GLOB '*[1-9]*')),
	CHECK (marked_at IS NULL OR (typeof(marked_at) = 'text' AND marked_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	UNIQUE (portfolio_id, run_id, name),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id)
);

CREATE TABLE journal (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
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
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	bot_id INTEGER NOT NULL,
	position_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	reason TEXT NOT NULL,
	price TEXT NOT NULL,
	codes TEXT NOT NULL,
	first_at TEXT NOT NULL,
	last_at TEXT NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, number),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (bot_id >= 1),
	CHECK (kind IN ('entry', 'exit')),
	CHECK (typeof(price) = 'text' AND price NOT GLOB '*[^0-9.]*' AND price GLOB '[0-9]*' AND price GLOB '*[0-9]' AND price NOT GLOB '*.*.*' AND instr(price || '.', '.') <= 16 AND price GLOB '*[1-9]*'),
	CHECK (typeof(first_at) = 'text' AND first_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (typeof(last_at) = 'text' AND last_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (count >= 1),
	FOREIGN KEY(portfolio_id, run_id, bot_id) REFERENCES bot (portfolio_id, run_id, id)
);

CREATE INDEX decision_by_bot ON decision (portfolio_id, run_id, bot_id, number);

CREATE TABLE position (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	id TEXT NOT NULL,
	number INTEGER NOT NULL,
	bot_id INTEGER NOT NULL,
	state TEXT NOT NULL,
	open_quantity TEXT NOT NULL,
	open_cost TEXT NOT NULL,
	open_fee TEXT NOT NULL,
	dust_quantity TEXT NOT NULL,
	dust_cost TEXT NOT NULL,
	dust_fee TEXT NOT NULL,
	realized_gross TEXT NOT NULL,
	realized_pnl TEXT NOT NULL,
	fees_paid TEXT NOT NULL,
	cash_paid TEXT NOT NULL,
	cash_received TEXT NOT NULL,
	anchor_cost TEXT NOT NULL,
	peak_quantity TEXT NOT NULL,
	peak_cost TEXT NOT NULL,
	highest_mark TEXT,
	lowest_mark TEXT,
	orders_placed INTEGER NOT NULL,
	closing_reason TEXT,
	entered_at TEXT,
	last_entry_at TEXT,
	closed_at TEXT,
	document TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (bot_id >= 1),
	CHECK (state IN ('closed', 'building', 'open', 'reducing', 'closing')),
	CHECK (typeof(open_quantity) = 'text' AND open_quantity NOT GLOB '*[^0-9.]*' AND open_quantity GLOB '[0-9]*' AND open_quantity GLOB '*[0-9]' AND open_quantity NOT GLOB '*.*.*' AND instr(open_quantity || '.', '.') <= 41),
	CHECK (typeof(open_cost) = 'text' AND open_cost NOT GLOB '*[^0-9.]*' AND open_cost GLOB '[0-9]*' AND open_cost GLOB '*[0-9]' AND open_cost NOT GLOB '*.*.*' AND instr(open_cost || '.', '.') <= 41),
	CHECK (typeof(open_fee) = 'text' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) NOT GLOB '*[^0-9.]*' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) GLOB '[0-9]*' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) GLOB '*[0-9]' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) NOT GLOB '*.*.*' AND instr(iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) || '.', '.') <= 41),
	CHECK (typeof(dust_quantity) = 'text' AND dust_quantity NOT GLOB '*[^0-9.]*' AND dust_quantity GLOB '[0-9]*' AND dust_quantity GLOB '*[0-9]' AND dust_quantity NOT GLOB '*.*.*' AND instr(dust_quantity || '.', '.') <= 41),
	CHECK (typeof(dust_cost) = 'text' AND dust_cost NOT GLOB '*[^0-9.]*' AND dust_cost GLOB '[0-9]*' AND dust_cost GLOB '*[0-9]' AND dust_cost NOT GLOB '*.*.*' AND instr(dust_cost || '.', '.') <= 41),
	CHECK (typeof(dust_fee) = 'text' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) NOT GLOB '*[^0-9.]*' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) GLOB '[0-9]*' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) GLOB '*[0-9]' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) NOT GLOB '*.*.*' AND instr(iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) || '.', '.') <= 41),
	CHECK (typeof(realized_gross) = 'text' AND iif(realized_gross GLOB '-*', substr(realized_gross, 2), realized_gross) NOT GLOB '*[^0-9.]*' AND iif(realized_gross GLOB '-*', substr(realized_gross, 2), realized_gross) GLOB '[0-9]*' AND iif(realized_gross GLOB '-*', substr(realized_gross, 2), realized_gross) GLOB '*[0-9]' AND iif(realized_gross GLOB '-*', substr(realized_gross, 2), realized_gross) NOT GLOB '*.*.*' AND instr(iif(realized_gross GLOB '-*', substr(realized_gross, 2), realized_gross) || '.', '.') <= 41),
	CHECK (typeof(realized_pnl) = 'text' AND iif(realized_pnl GLOB '-*', substr(realized_pnl, 2), realized_pnl) NOT GLOB '*[^0-9.]*' AND iif(realized_pnl GLOB '-*', substr(realized_pnl, 2), realized_pnl) GLOB '[0-9]*' AND iif(realized_pnl GLOB '-*', substr(realized_pnl, 2), realized_pnl) GLOB '*[0-9]' AND iif(realized_pnl GLOB '-*', substr(realized_pnl, 2), realized_pnl) NOT GLOB '*.*.*' AND instr(iif(realized_pnl GLOB '-*', substr(realized_pnl, 2), realized_pnl) || '.', '.') <= 41),
	CHECK (typeof(fees_paid) = 'text' AND iif(fees_paid GLOB '-*', substr(fees_paid, 2), fees_paid) NOT GLOB '*[^0-9.]*' AND iif(fees_paid GLOB '-*', substr(fees_paid, 2), fees_paid) GLOB '[0-9]*' AND iif(fees_paid GLOB '-*', substr(fees_paid, 2), fees_paid) GLOB '*[0-9]' AND iif(fees_paid GLOB '-*', substr(fees_paid, 2), fees_paid) NOT GLOB '*.*.*' AND instr(iif(fees_paid GLOB '-*', substr(fees_paid, 2), fees_paid) || '.', '.') <= 41),
	CHECK (typeof(cash_paid) = 'text' AND iif(cash_paid GLOB '-*', substr(cash_paid, 2), cash_paid) NOT GLOB '*[^0-9.]*' AND iif(cash_paid GLOB '-*', substr(cash_paid, 2), cash_paid) GLOB '[0-9]*' AND iif(cash_paid GLOB '-*', substr(cash_paid, 2), cash_paid) GLOB '*[0-9]' AND iif(cash_paid GLOB '-*', substr(cash_paid, 2), cash_paid) NOT GLOB '*.*.*' AND instr(iif(cash_paid GLOB '-*', substr(cash_paid, 2), cash_paid) || '.', '.') <= 41),
	CHECK (typeof(cash_received) = 'text' AND iif(cash_received GLOB '-*', substr(cash_received, 2), cash_received) NOT GLOB '*[^0-9.]*' AND iif(cash_received GLOB '-*', substr(cash_received, 2), cash_received) GLOB '[0-9]*' AND iif(cash_received GLOB '-*', substr(cash_received, 2), cash_received) GLOB '*[0-9]' AND iif(cash_received GLOB '-*', substr(cash_received, 2), cash_received) NOT GLOB '*.*.*' AND instr(iif(cash_received GLOB '-*', substr(cash_received, 2), cash_received) || '.', '.') <= 41),
	CHECK (typeof(anchor_cost) = 'text' AND anchor_cost NOT GLOB '*[^0-9.]*' AND anchor_cost GLOB '[0-9]*' AND anchor_cost GLOB '*[0-9]' AND anchor_cost NOT GLOB '*.*.*' AND instr(anchor_cost || '.', '.') <= 41),
	CHECK (typeof(peak_quantity) = 'text' AND peak_quantity NOT GLOB '*[^0-9.]*' AND peak_quantity GLOB '[0-9]*' AND peak_quantity GLOB '*[0-9]' AND peak_quantity NOT GLOB '*.*.*' AND instr(peak_quantity || '.', '.') <= 41),
	CHECK (typeof(peak_cost) = 'text' AND peak_cost NOT GLOB '*[^0-9.]*' AND peak_cost GLOB '[0-9]*' AND peak_cost GLOB '*[0-9]' AND peak_cost NOT GLOB '*.*.*' AND instr(peak_cost || '.', '.') <= 41),
	CHECK (highest_mark IS NULL OR (typeof(highest_mark) = 'text' AND highest_mark NOT GLOB '*[^0-9.]*' AND highest_mark GLOB '[0-9]*' AND highest_mark GLOB '*[0-9]' AND highest_mark NOT GLOB '*.*.*' AND instr(highest_mark || '.', '.') <= 16 AND highest_mark GLOB '*[1-9]*')),
	CHECK (lowest_mark IS NULL OR (typeof(lowest_mark) = 'text' AND lowest_mark NOT GLOB '*[^0-9.]*' AND lowest_mark GLOB '[0-9]*' AND lowest_mark GLOB '*[0-9]' AND lowest_mark NOT GLOB '*.*.*' AND instr(lowest_mark || '.', '.') <= 16 AND lowest_mark GLOB '*[1-9]*')),
	CHECK (orders_placed >= 0),
	CHECK (entered_at IS NULL OR (typeof(entered_at) = 'text' AND entered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (last_entry_at IS NULL OR (typeof(last_entry_at) = 'text' AND last_entry_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (closed_at IS NULL OR (typeof(closed_at) = 'text' AND closed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	UNIQUE (portfolio_id, run_id, number),
	FOREIGN KEY(portfolio_id, run_id, bot_id) REFERENCES bot (portfolio_id, run_id, id)
);

CREATE INDEX position_by_bot ON position (portfolio_id, run_id, bot_id, number);

CREATE TABLE orders (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	position_id TEXT NOT NULL,
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	size TEXT,
	quantity TEXT,
	limit_price TEXT,
	rungs TEXT NOT NULL,
	reason TEXT NOT NULL,
	decided_at TEXT NOT NULL,
	filled TEXT NOT NULL,
	state TEXT NOT NULL,
	ended_at TEXT,
	end_reason TEXT,
	PRIMARY KEY (portfolio_id, run_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (kind IN ('entry', 'exit')),
	CHECK (size IS NULL OR (typeof(size) = 'text' AND size NOT GLOB '*[^0-9.]*' AND size GLOB '[0-9]*' AND size GLOB '*[0-9]' AND size NOT GLOB '*.*.*' AND instr(size || '.', '.') <= 16 AND size GLOB '*[1-9]*')),
	CHECK (quantity IS NULL OR (typeof(quantity) = 'text' AND quantity NOT GLOB '*[^0-9.]*' AND quantity GLOB '[0-9]*' AND quantity GLOB '*[0-9]' AND quantity NOT GLOB '*.*.*' AND instr(quantity || '.', '.') <= 16 AND quantity GLOB '*[1-9]*')),
	CHECK (limit_price IS NULL OR (typeof(limit_price) = 'text' AND limit_price NOT GLOB '*[^0-9.]*' AND limit_price GLOB '[0-9]*' AND limit_price GLOB '*[0-9]' AND limit_price NOT GLOB '*.*.*' AND instr(limit_price || '.', '.') <= 16 AND limit_price GLOB '*[1-9]*')),
	CHECK (typeof(decided_at) = 'text' AND decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (typeof(filled) = 'text' AND filled NOT GLOB '*[^0-9.]*' AND filled GLOB '[0-9]*' AND filled GLOB '*[0-9]' AND filled NOT GLOB '*.*.*' AND instr(filled || '.', '.') <= 41),
	CHECK (state IN ('working', 'ended')),
	CHECK (ended_at IS NULL OR (typeof(ended_at) = 'text' AND ended_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'))
);

CREATE TABLE tranche (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	position_id TEXT NOT NULL,
	id TEXT NOT NULL,
	number INTEGER NOT NULL,
	order_id TEXT NOT NULL,
	entry_trade_id TEXT NOT NULL,
	reason TEXT NOT NULL,
	status TEXT NOT NULL,
	opened_at TEXT NOT NULL,
	closed_at TEXT,
	quantity TEXT NOT NULL,
	cost TEXT NOT NULL,
	entry_fee TEXT NOT NULL,
	open_quantity TEXT NOT NULL,
	open_cost TEXT NOT NULL,
	open_fee TEXT NOT NULL,
	dust_quantity TEXT NOT NULL,
	dust_cost TEXT NOT NULL,
	dust_fee TEXT NOT NULL,
	highest_mark TEXT NOT NULL,
	lowest_mark TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, position_id, id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (number >= 1),
	CHECK (status IN ('open', 'partly_sold', 'closed')),
	CHECK (typeof(opened_at) = 'text' AND opened_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (closed_at IS NULL OR (typeof(closed_at) = 'text' AND closed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')),
	CHECK (typeof(quantity) = 'text' AND quantity NOT GLOB '*[^0-9.]*' AND quantity GLOB '[0-9]*' AND quantity GLOB '*[0-9]' AND quantity NOT GLOB '*.*.*' AND instr(quantity || '.', '.') <= 41),
	CHECK (typeof(cost) = 'text' AND cost NOT GLOB '*[^0-9.]*' AND cost GLOB '[0-9]*' AND cost GLOB '*[0-9]' AND cost NOT GLOB '*.*.*' AND instr(cost || '.', '.') <= 41),
	CHECK (typeof(entry_fee) = 'text' AND iif(entry_fee GLOB '-*', substr(entry_fee, 2), entry_fee) NOT GLOB '*[^0-9.]*' AND iif(entry_fee GLOB '-*', substr(entry_fee, 2), entry_fee) GLOB '[0-9]*' AND iif(entry_fee GLOB '-*', substr(entry_fee, 2), entry_fee) GLOB '*[0-9]' AND iif(entry_fee GLOB '-*', substr(entry_fee, 2), entry_fee) NOT GLOB '*.*.*' AND instr(iif(entry_fee GLOB '-*', substr(entry_fee, 2), entry_fee) || '.', '.') <= 41),
	CHECK (typeof(open_quantity) = 'text' AND open_quantity NOT GLOB '*[^0-9.]*' AND open_quantity GLOB '[0-9]*' AND open_quantity GLOB '*[0-9]' AND open_quantity NOT GLOB '*.*.*' AND instr(open_quantity || '.', '.') <= 41),
	CHECK (typeof(open_cost) = 'text' AND open_cost NOT GLOB '*[^0-9.]*' AND open_cost GLOB '[0-9]*' AND open_cost GLOB '*[0-9]' AND open_cost NOT GLOB '*.*.*' AND instr(open_cost || '.', '.') <= 41),
	CHECK (typeof(open_fee) = 'text' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) NOT GLOB '*[^0-9.]*' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) GLOB '[0-9]*' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) GLOB '*[0-9]' AND iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) NOT GLOB '*.*.*' AND instr(iif(open_fee GLOB '-*', substr(open_fee, 2), open_fee) || '.', '.') <= 41),
	CHECK (typeof(dust_quantity) = 'text' AND dust_quantity NOT GLOB '*[^0-9.]*' AND dust_quantity GLOB '[0-9]*' AND dust_quantity GLOB '*[0-9]' AND dust_quantity NOT GLOB '*.*.*' AND instr(dust_quantity || '.', '.') <= 41),
	CHECK (typeof(dust_cost) = 'text' AND dust_cost NOT GLOB '*[^0-9.]*' AND dust_cost GLOB '[0-9]*' AND dust_cost GLOB '*[0-9]' AND dust_cost NOT GLOB '*.*.*' AND instr(dust_cost || '.', '.') <= 41),
	CHECK (typeof(dust_fee) = 'text' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) NOT GLOB '*[^0-9.]*' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) GLOB '[0-9]*' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) GLOB '*[0-9]' AND iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) NOT GLOB '*.*.*' AND instr(iif(dust_fee GLOB '-*', substr(dust_fee, 2), dust_fee) || '.', '.') <= 41),
	CHECK (typeof(highest_mark) = 'text' AND highest_mark NOT GLOB '*[^0-9.]*' AND highest_mark GLOB '[0-9]*' AND highest_mark GLOB '*[0-9]' AND highest_mark NOT GLOB '*.*.*' AND instr(highest_mark || '.', '.') <= 16 AND highest_mark GLOB '*[1-9]*'),
	CHECK (typeof(lowest_mark) = 'text' AND lowest_mark NOT GLOB '*[^0-9.]*' AND lowest_mark GLOB '[0-9]*' AND lowest_mark GLOB '*[0-9]' AND lowest_mark NOT GLOB '*.*.*' AND instr(lowest_mark || '.', '.') <= 16 AND lowest_mark GLOB '*[1-9]*')
);

CREATE TABLE fill (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	position_id TEXT NOT NULL,
	trade_id TEXT NOT NULL,
	order_id TEXT NOT NULL,
	side TEXT NOT NULL,
	price TEXT NOT NULL,
	quantity TEXT NOT NULL,
	fee TEXT NOT NULL,
	fee_asset TEXT NOT NULL,
	fee_rate TEXT,
	at TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, position_id, trade_id),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id),
	CHECK (side IN ('buy', 'sell')),
	CHECK (typeof(price) = 'text' AND price NOT GLOB '*[^0-9.]*' AND price GLOB '[0-9]*' AND price GLOB '*[0-9]' AND price NOT GLOB '*.*.*' AND instr(price || '.', '.') <= 16 AND price GLOB '*[1-9]*'),
	CHECK (typeof(quantity) = 'text' AND quantity NOT GLOB '*[^0-9.]*' AND quantity GLOB '[0-9]*' AND quantity GLOB '*[0-9]' AND quantity NOT GLOB '*.*.*' AND instr(quantity || '.', '.') <= 16 AND quantity GLOB '*[1-9]*'),
	CHECK (typeof(fee) = 'text' AND iif(fee GLOB '-*', substr(fee, 2), fee) NOT GLOB '*[^0-9.]*' AND iif(fee GLOB '-*', substr(fee, 2), fee) GLOB '[0-9]*' AND iif(fee GLOB '-*', substr(fee, 2), fee) GLOB '*[0-9]' AND iif(fee GLOB '-*', substr(fee, 2), fee) NOT GLOB '*.*.*' AND instr(iif(fee GLOB '-*', substr(fee, 2), fee) || '.', '.') <= 41),
	CHECK (fee_rate IS NULL OR (typeof(fee_rate) = 'text' AND fee_rate NOT GLOB '*[^0-9.]*' AND fee_rate GLOB '[0-9]*' AND fee_rate GLOB '*[0-9]' AND fee_rate NOT GLOB '*.*.*' AND instr(fee_rate || '.', '.') <= 16 AND fee_rate GLOB '*[1-9]*')),
	CHECK (typeof(at) = 'text' AND at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	FOREIGN KEY(portfolio_id, run_id, order_id) REFERENCES orders (portfolio_id, run_id, id)
);

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is insert-only');
END;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is insert-only');
END;

CREATE TRIGGER fill_no_update BEFORE UPDATE ON fill
BEGIN
    SELECT RAISE(ABORT, 'fill is insert-only');
END;

CREATE TRIGGER fill_no_delete BEFORE DELETE ON fill
BEGIN
    SELECT RAISE(ABORT, 'fill is insert-only');
END;

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
ORDER BY b.id
