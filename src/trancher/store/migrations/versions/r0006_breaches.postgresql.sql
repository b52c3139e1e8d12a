ALTER TABLE halt
	DROP CONSTRAINT halt_action_check,
	ADD CONSTRAINT halt_action_check CHECK (action IN ('pause', 'freeze', 'cancel', 'reduce', 'flatten', 'breach'))
