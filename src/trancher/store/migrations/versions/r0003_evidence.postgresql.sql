ALTER TABLE position
	ADD COLUMN anchor_fee NUMERIC NOT NULL DEFAULT 0 CHECK (anchor_fee > -1e40 AND anchor_fee < 1e40),
	ADD COLUMN anchor_realized NUMERIC NOT NULL DEFAULT 0 CHECK (anchor_realized > -1e40 AND anchor_realized < 1e40);

ALTER TABLE position
	ALTER COLUMN anchor_fee DROP DEFAULT,
	ALTER COLUMN anchor_realized DROP DEFAULT;

ALTER TABLE orders
	ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE CHECK (expires_at IS NULL OR (expires_at BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'));

ALTER TABLE tranche
	ADD COLUMN rung BIGINT CHECK (rung >= -1),
	ADD COLUMN score NUMERIC CHECK (score IS NULL OR (score >= -1 AND score <= 1)),
	ADD COLUMN temperature TEXT CHECK (temperature IS NULL OR (temperature IN ('frozen', 'cool', 'warm', 'hot'))),
	ADD COLUMN contributions TEXT;

UPDATE tranche SET rung = (
	SELECT CAST(o.rungs AS BIGINT) FROM orders AS o
	WHERE o.id = tranche.order_id AND o.portfolio_id = tranche.portfolio_id AND o.run_id = tranche.run_id
);

ALTER TABLE tranche ALTER COLUMN rung SET NOT NULL
