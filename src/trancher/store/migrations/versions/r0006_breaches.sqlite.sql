CREATE TEMPORARY TABLE held AS SELECT * FROM halt;

DROP TABLE halt;

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
	CHECK (action IN ('pause', 'freeze', 'cancel', 'reduce', 'flatten', 'breach')),
	CHECK (share IS NULL OR (typeof(share) = 'text' AND iif(share GLOB '-*', substr(share, 2), share) NOT GLOB '*[^0-9.]*' AND iif(share GLOB '-*', substr(share, 2), share) GLOB '[0-9]*' AND iif(share GLOB '-*', substr(share, 2), share) GLOB '*[0-9]' AND iif(share GLOB '-*', substr(share, 2), share) NOT GLOB '*.*.*' AND instr(iif(share GLOB '-*', substr(share, 2), share) || '.', '.') <= 2 AND (iif(share GLOB '-*', substr(share, 2), share) GLOB '0*' OR rtrim(iif(share GLOB '-*', substr(share, 2), share), '.0') = '1'))),
	CHECK (typeof(at) = 'text' AND at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'),
	CHECK (lifted_at IS NULL OR (typeof(lifted_at) = 'text' AND lifted_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z'))
);

INSERT INTO halt (portfolio_id, number, scope, bot, target, action, share, reason, at, lifted_at) SELECT portfolio_id, number, scope, bot, target, action, share, reason, at, lifted_at FROM held ORDER BY portfolio_id, number;

DROP TABLE held
