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
END

