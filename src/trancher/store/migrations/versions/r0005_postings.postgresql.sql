CREATE TABLE posting (
	portfolio_id BIGINT NOT NULL,
	run_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	line BIGINT NOT NULL,
	position_id TEXT,
	trade_id TEXT,
	account TEXT NOT NULL,
	asset TEXT NOT NULL,
	amount NUMERIC NOT NULL,
	PRIMARY KEY (portfolio_id, run_id, number, line),
	CHECK (portfolio_id >= 1),
	CHECK (run_id >= 1),
	CHECK (number >= 1),
	CHECK (line >= 1),
	CHECK (account IN ('external', 'wallet', 'position', 'dust', 'fee')),
	CHECK (amount > -1e40 AND amount < 1e40),
	FOREIGN KEY(portfolio_id, run_id) REFERENCES run (portfolio_id, id),
	FOREIGN KEY(portfolio_id, run_id, position_id) REFERENCES position (portfolio_id, run_id, id)
);

CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

REVOKE UPDATE, DELETE, TRUNCATE ON posting FROM PUBLIC, CURRENT_USER
