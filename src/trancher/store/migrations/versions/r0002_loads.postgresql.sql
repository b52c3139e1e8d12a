CREATE TABLE loading (
	portfolio_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	version BIGINT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	payload TEXT NOT NULL,
	previous_hash TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (portfolio_id, number),
	CHECK (portfolio_id >= 1),
	CHECK (number >= 1),
	CHECK (version >= 1),
	CHECK (at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'),
	CHECK (length(previous_hash) = 64),
	CHECK (length(hash) = 64),
	FOREIGN KEY(portfolio_id, version) REFERENCES configuration (portfolio_id, version)
);

CREATE TABLE loaded_bot (
	portfolio_id BIGINT NOT NULL,
	load BIGINT NOT NULL,
	id BIGINT NOT NULL,
	name TEXT NOT NULL,
	symbol TEXT NOT NULL,
	strategy TEXT NOT NULL,
	disposal TEXT NOT NULL,
	max_tranches BIGINT,
	PRIMARY KEY (portfolio_id, load, id),
	CHECK (portfolio_id >= 1),
	CHECK (load >= 1),
	CHECK (id >= 1),
	CHECK (disposal IN ('fifo', 'lifo', 'hifo', 'average', 'specific')),
	CHECK (max_tranches IS NULL OR (max_tranches >= 0)),
	UNIQUE (portfolio_id, load, name),
	FOREIGN KEY(portfolio_id, load) REFERENCES loading (portfolio_id, number)
);

CREATE TRIGGER loading_no_update BEFORE UPDATE ON loading FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER loading_no_delete BEFORE DELETE ON loading FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE TRIGGER loading_no_truncate BEFORE TRUNCATE ON loading FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

REVOKE DELETE, TRUNCATE ON loading FROM PUBLIC, CURRENT_USER
