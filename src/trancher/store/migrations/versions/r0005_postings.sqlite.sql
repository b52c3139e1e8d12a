CREATE TABLE posting (
	portfolio_id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	line INTEGER NOT NULL,
	position_id TEXT,
	trade_id TEXT,
	account TEXT NOT NULL,
	asset TEXT NOT NULL,
	amount TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, number, line),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (line >= 1),
	CHECK (account IN ('external', 'wallet', 'position', 'dust', 'fee')),
	CHECK (typeof(amount) = 'text' AND iif(amount GLOB '-*', substr(amount, 2), amount) NOT GLOB '*[^0-9.]*' AND iif(amount GLOB '-*', substr(amount, 2), amount) GLOB '[0-9]*' AND iif(amount GLOB '-*', substr(amount, 2), amount) GLOB '*[0-9]' AND iif(amount GLOB '-*', substr(amount, 2), amount) NOT GLOB '*.*.*' AND instr(iif(amount GLOB '-*', substr(amount, 2), amount) || '.', '.') <= 41),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id)
);

CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting
BEGIN
    SELECT RAISE(ABORT, 'posting is insert-only');
END;

CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting
BEGIN
    SELECT RAISE(ABORT, 'posting is insert-only');
END
