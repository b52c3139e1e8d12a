-- Books as a program of schema 0002 wrote them: two tranches, a partial exit, refusals, a load.
-- They stand for those that people have, so nothing is ever changed here.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
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
INSERT INTO "bot" VALUES(1,1,1,'steps','BTC/USD','rungs','fifo',3,'{"symbol":"BTC/USD","price_tick":"0.01","quantity_step":"0.00000001","min_quantity":"0","min_notional":"0","maker_fee":"0.001","taker_fee":"0.001","fee_in":"base"}','110','2024-01-01T12:00:00Z');
INSERT INTO "bot" VALUES(1,1,2,'late','BTC/USD','dca','fifo',3,'{"symbol":"BTC/USD","price_tick":"0.01","quantity_step":"0.00000001","min_quantity":"0","min_notional":"0","maker_fee":"0.001","taker_fee":"0.001","fee_in":"base"}','110','2024-01-01T12:00:00Z');
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
INSERT INTO "configuration" VALUES(1,1,'7d1a02ef5579ddf7f41ea3b630d202bb4b5accd6a7c9632797c8d2f21ee95700','
[portfolio]
name = "kept"
quote = "USD"
cash = 1000
max_active_positions = 1
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
fee_in = "base"
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = "3h"
[bot.entry]
plan = "rungs"
rungs = [{when = {flat = true}, size = 20}, {when = {elapsed = "2h"}, size = 30}]
[bot.exit]
take_profit = [{gain = "10%", sell = "50%"}, {gain = "30%", sell = "rest"}]
[[bot]]
name = "late"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
[bot.exit]
time_stop = "2h"
');
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
INSERT INTO "decision" VALUES(1,1,2,1,'steps-1','entry','rung 1','100','','2024-01-01T01:00:00Z','2024-01-01T01:00:00Z',1);
INSERT INTO "decision" VALUES(1,1,7,1,'steps-1','entry','rung 2','100','COOLDOWN','2024-01-01T03:00:00Z','2024-01-01T03:00:00Z',1);
INSERT INTO "decision" VALUES(1,1,8,1,'steps-1','entry','rung 2','100','','2024-01-01T04:00:00Z','2024-01-01T04:00:00Z',1);
INSERT INTO "decision" VALUES(1,1,15,1,'steps-1','exit','take profit +10 %','110.00','','2024-01-01T05:59:59.999999Z','2024-01-01T05:59:59.999999Z',1);
INSERT INTO "decision" VALUES(1,1,21,2,'late-1','entry','first entry','100','MAX_ACTIVE_POSITIONS','2024-01-01T01:00:00Z','2024-01-01T11:00:00Z',11);
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
INSERT INTO "fill" VALUES(1,1,'steps-1','steps-1-1-fill','steps-1-1','buy','100.00','0.20000000','0.000200000000','BTC',NULL,'2024-01-01T01:00:00Z');
INSERT INTO "fill" VALUES(1,1,'steps-1','steps-1-2-fill','steps-1-2','buy','100.00','0.30000000','0.000300000000','BTC',NULL,'2024-01-01T04:00:00Z');
INSERT INTO "fill" VALUES(1,1,'steps-1','steps-1-3-fill','steps-1-3','sell','110.00','0.24975000','0.0274725000','USD',NULL,'2024-01-01T05:59:59.999999Z');
CREATE TABLE identity (
	id INTEGER NOT NULL,
	mode TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	CHECK (mode IN ('paper', 'live')),
	CHECK (typeof(created_at) = 'text' AND created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*Z')
);
INSERT INTO "identity" VALUES(1,'paper','2026-11-25T23:24:58.568986Z');
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
INSERT INTO "journal" VALUES(1,1,1,NULL,'RunStarted','{"type":"RunStarted","mode":"paper","created_at":"2026-11-25T23:24:58.568986Z","run_id":1,"kind":"backtest","at":"2026-11-25T23:24:59.327898Z","portfolio_id":1,"portfolio":"kept","quote":"USD","cash":"1000","timezone":"UTC","configuration_version":1,"configuration_hash":"7d1a02ef5579ddf7f41ea3b630d202bb4b5accd6a7c9632797c8d2f21ee95700","configuration_text":"\n[portfolio]\nname = \"kept\"\nquote = \"USD\"\ncash = 1000\nmax_active_positions = 1\n[instrument.\"BTC/USD\"]\nprice_tick = 0.01\nquantity_step = 0.00000001\nfee_in = \"base\"\n[[bot]]\nname = \"steps\"\nsymbol = \"BTC/USD\"\n[bot.limits]\ntranche_cooldown = \"3h\"\n[bot.entry]\nplan = \"rungs\"\nrungs = [{when = {flat = true}, size = 20}, {when = {elapsed = \"2h\"}, size = 30}]\n[bot.exit]\ntake_profit = [{gain = \"10%\", sell = \"50%\"}, {gain = \"30%\", sell = \"rest\"}]\n[[bot]]\nname = \"late\"\nsymbol = \"BTC/USD\"\n[bot.entry]\nplan = \"dca\"\nsize = 25\nevery = \"7d\"\n[bot.exit]\ntime_stop = \"2h\"\n","bots":[{"id":1,"name":"steps","strategy":"rungs","max_tranches":3,"disposal":"fifo","instrument":{"symbol":"BTC/USD","price_tick":"0.01","quantity_step":"0.00000001","min_quantity":"0","min_notional":"0","maker_fee":"0.001","taker_fee":"0.001","fee_in":"base"}},{"id":2,"name":"late","strategy":"dca","max_tranches":3,"disposal":"fifo","instrument":{"symbol":"BTC/USD","price_tick":"0.01","quantity_step":"0.00000001","min_quantity":"0","min_notional":"0","maker_fee":"0.001","taker_fee":"0.001","fee_in":"base"}}]}','0000000000000000000000000000000000000000000000000000000000000000','cf02768f8e6218f2769918374e04d9ad5db4386b39e5cbdfb4b59a59f892424f');
INSERT INTO "journal" VALUES(1,1,2,NULL,'Decided','{"type":"Decided","first":{"kind":"entry","bot":"steps","position_id":"steps-1","at":"2024-01-01T01:00:00Z","reason":"rung 1","price":"100","anchor_price":null,"refusals":[],"order":{"type":"EntryOrder","client_order_id":"steps-1-1","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"20","rung":0,"reason":"rung 1","decided_at":"2024-01-01T01:00:00Z"},"cancels":[],"events":[{"type":"EntryAccepted","order":{"client_order_id":"steps-1-1","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"20","rung":0,"reason":"rung 1","decided_at":"2024-01-01T01:00:00Z"},"at":"2024-01-01T01:00:00Z"}]},"last":null,"count":1}','cf02768f8e6218f2769918374e04d9ad5db4386b39e5cbdfb4b59a59f892424f','f1de8660c307fa9bf53be39388cc40e425a53db92e6c22b08905b1a66ec7b9d9');
INSERT INTO "journal" VALUES(1,1,3,'steps-1','EntryAccepted','{"type":"EntryAccepted","order":{"client_order_id":"steps-1-1","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"20","rung":0,"reason":"rung 1","decided_at":"2024-01-01T01:00:00Z"},"at":"2024-01-01T01:00:00Z"}','f1de8660c307fa9bf53be39388cc40e425a53db92e6c22b08905b1a66ec7b9d9','a4f50ffc028bcc060332d44e49d167fb2a8a8f0503bc07f535c02bb98eb24bc8');
INSERT INTO "journal" VALUES(1,1,4,'steps-1','Filled','{"type":"Filled","order_id":"steps-1-1","fill":{"trade_id":"steps-1-1-fill","side":"buy","price":"100.00","quantity":"0.20000000","fee":"0.000200000000","fee_asset":"BTC","fee_rate":null,"at":"2024-01-01T01:00:00Z"}}','a4f50ffc028bcc060332d44e49d167fb2a8a8f0503bc07f535c02bb98eb24bc8','8fd7ed99433cf8f6345f95a3d8d2c21a1b4f5bd8e8dcc4dd547f95bbdc8d1b78');
INSERT INTO "journal" VALUES(1,1,5,'steps-1','OrderEnded','{"type":"OrderEnded","order_id":"steps-1-1","reason":"filled","at":"2024-01-01T01:00:00Z"}','8fd7ed99433cf8f6345f95a3d8d2c21a1b4f5bd8e8dcc4dd547f95bbdc8d1b78','4269fe9380d9bff7320b311faad6074e5b5dd08c346b121d5beecd6d4efad320');
INSERT INTO "journal" VALUES(1,1,6,'steps-1','Marked','{"type":"Marked","highest":"100","lowest":"100","last":"100","since":"2024-01-01T01:00:00Z","at":"2024-01-01T02:00:00Z"}','4269fe9380d9bff7320b311faad6074e5b5dd08c346b121d5beecd6d4efad320','dfd8792df183542a82c3e5e38ba8c494e947c7234dd763ae3ad321400eac9588');
INSERT INTO "journal" VALUES(1,1,7,NULL,'Decided','{"type":"Decided","first":{"kind":"entry","bot":"steps","position_id":"steps-1","at":"2024-01-01T03:00:00Z","reason":"rung 2","price":"100","anchor_price":"100","refusals":[{"code":"COOLDOWN","measured":"7200.000000","limit":"10800.000000","missing":"3600.000000","unit":"seconds","unblocks_at":"2024-01-01T04:00:00Z","unblocks_when":null}],"order":null,"cancels":[],"events":[]},"last":null,"count":1}','dfd8792df183542a82c3e5e38ba8c494e947c7234dd763ae3ad321400eac9588','52862acd582dbaa5e38e0dd5a6c4c5d19bed6efd77e8fcf62b12245c831ed5a1');
INSERT INTO "journal" VALUES(1,1,8,NULL,'Decided','{"type":"Decided","first":{"kind":"entry","bot":"steps","position_id":"steps-1","at":"2024-01-01T04:00:00Z","reason":"rung 2","price":"100","anchor_price":"100","refusals":[],"order":{"type":"EntryOrder","client_order_id":"steps-1-2","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"30","rung":1,"reason":"rung 2","decided_at":"2024-01-01T04:00:00Z"},"cancels":[],"events":[{"type":"EntryAccepted","order":{"client_order_id":"steps-1-2","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"30","rung":1,"reason":"rung 2","decided_at":"2024-01-01T04:00:00Z"},"at":"2024-01-01T04:00:00Z"}]},"last":null,"count":1}','52862acd582dbaa5e38e0dd5a6c4c5d19bed6efd77e8fcf62b12245c831ed5a1','5264e32f54f8bd1eca09514f0e41d617648bf141f3eeab4f4dd3d840d23535d0');
INSERT INTO "journal" VALUES(1,1,9,'steps-1','Marked','{"type":"Marked","highest":"100","lowest":"100","last":"100","since":"2024-01-01T02:00:00Z","at":"2024-01-01T04:00:00Z"}','5264e32f54f8bd1eca09514f0e41d617648bf141f3eeab4f4dd3d840d23535d0','1a39ab7f6299b3bc5d6355e4fcf15f1dfac07b11f0ef439f18930878abbf2db8');
INSERT INTO "journal" VALUES(1,1,10,'steps-1','EntryAccepted','{"type":"EntryAccepted","order":{"client_order_id":"steps-1-2","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","size":"30","rung":1,"reason":"rung 2","decided_at":"2024-01-01T04:00:00Z"},"at":"2024-01-01T04:00:00Z"}','1a39ab7f6299b3bc5d6355e4fcf15f1dfac07b11f0ef439f18930878abbf2db8','ceeb94ba32c722eb77c9f0c42ab33fa616120728fca4f7a635c4c89461c66ced');
INSERT INTO "journal" VALUES(1,1,11,'steps-1','Filled','{"type":"Filled","order_id":"steps-1-2","fill":{"trade_id":"steps-1-2-fill","side":"buy","price":"100.00","quantity":"0.30000000","fee":"0.000300000000","fee_asset":"BTC","fee_rate":null,"at":"2024-01-01T04:00:00Z"}}','ceeb94ba32c722eb77c9f0c42ab33fa616120728fca4f7a635c4c89461c66ced','bf94b0b1206c0d0dcadc2a1b1dc0001cd826e002627fe53a8414f916c67936be');
INSERT INTO "journal" VALUES(1,1,12,'steps-1','OrderEnded','{"type":"OrderEnded","order_id":"steps-1-2","reason":"filled","at":"2024-01-01T04:00:00Z"}','bf94b0b1206c0d0dcadc2a1b1dc0001cd826e002627fe53a8414f916c67936be','ae6b9711a93ec165d20f4c7b307f8970fa0135c0240bca62a57023ee34ed960c');
INSERT INTO "journal" VALUES(1,1,13,'steps-1','BuildingEnded','{"type":"BuildingEnded","reason":"the entry ladder is used up","at":"2024-01-01T04:00:00Z"}','ae6b9711a93ec165d20f4c7b307f8970fa0135c0240bca62a57023ee34ed960c','3aa1cf89d6d9f414cf729e70dd7f6203d33db5d9f658b8b7b2aabc4d2f67fd83');
INSERT INTO "journal" VALUES(1,1,14,'steps-1','Marked','{"type":"Marked","highest":"100","lowest":"100","last":"100","since":"2024-01-01T04:00:00Z","at":"2024-01-01T05:00:00Z"}','3aa1cf89d6d9f414cf729e70dd7f6203d33db5d9f658b8b7b2aabc4d2f67fd83','9bc6278d0dfa88488a4cbf752a035ab91d69e0dd19901a34df620d79c508b4c5');
INSERT INTO "journal" VALUES(1,1,15,NULL,'Decided','{"type":"Decided","first":{"kind":"exit","bot":"steps","position_id":"steps-1","at":"2024-01-01T05:59:59.999999Z","reason":"take profit +10 %","price":"110.00","anchor_price":"100","refusals":[],"order":{"type":"ExitOrder","client_order_id":"steps-1-3","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","quantity":"0.24975000","limit_price":"110.00","full":false,"rungs":[0],"reason":"take profit +10 %","decided_at":"2024-01-01T05:59:59.999999Z"},"cancels":[],"events":[{"type":"ExitAccepted","order":{"client_order_id":"steps-1-3","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","quantity":"0.24975000","limit_price":"110.00","full":false,"rungs":[0],"reason":"take profit +10 %","decided_at":"2024-01-01T05:59:59.999999Z"},"targets":{"0":"0.24975000"},"at":"2024-01-01T05:59:59.999999Z"}]},"last":null,"count":1}','9bc6278d0dfa88488a4cbf752a035ab91d69e0dd19901a34df620d79c508b4c5','e768d96731ae2277ec1804f80176eac3e162d04a91c2b938c7453cfa251429c8');
INSERT INTO "journal" VALUES(1,1,16,'steps-1','ExitAccepted','{"type":"ExitAccepted","order":{"client_order_id":"steps-1-3","position_id":"steps-1","bot":"steps","symbol":"BTC/USD","quantity":"0.24975000","limit_price":"110.00","full":false,"rungs":[0],"reason":"take profit +10 %","decided_at":"2024-01-01T05:59:59.999999Z"},"targets":{"0":"0.24975000"},"at":"2024-01-01T05:59:59.999999Z"}','e768d96731ae2277ec1804f80176eac3e162d04a91c2b938c7453cfa251429c8','f5e3b16dd7b3ccfb61bf3f4832c97c5a4003c027d76d96a90c6549e6416d74dc');
INSERT INTO "journal" VALUES(1,1,17,'steps-1','Filled','{"type":"Filled","order_id":"steps-1-3","fill":{"trade_id":"steps-1-3-fill","side":"sell","price":"110.00","quantity":"0.24975000","fee":"0.0274725000","fee_asset":"USD","fee_rate":null,"at":"2024-01-01T05:59:59.999999Z"}}','f5e3b16dd7b3ccfb61bf3f4832c97c5a4003c027d76d96a90c6549e6416d74dc','9308124df3827246962ed2203cb08517489405e666001288f323f61f03c45987');
INSERT INTO "journal" VALUES(1,1,18,'steps-1','OrderEnded','{"type":"OrderEnded","order_id":"steps-1-3","reason":"filled","at":"2024-01-01T05:59:59.999999Z"}','9308124df3827246962ed2203cb08517489405e666001288f323f61f03c45987','6378510a93b2ee3f82d30464e24cd823be928b6dba68a34b360272374a97aa87');
INSERT INTO "journal" VALUES(1,1,19,'steps-1','Marked','{"type":"Marked","highest":"110","lowest":"100","last":"110","since":"2024-01-01T05:00:00Z","at":"2024-01-01T06:00:00Z"}','6378510a93b2ee3f82d30464e24cd823be928b6dba68a34b360272374a97aa87','46e643e9ca83062a992b1c97015877db8dd1138f30a95030d04df912c415e4cf');
INSERT INTO "journal" VALUES(1,1,20,'steps-1','Marked','{"type":"Marked","highest":"112","lowest":"108","last":"110","since":"2024-01-01T06:00:00Z","at":"2024-01-01T12:00:00Z"}','46e643e9ca83062a992b1c97015877db8dd1138f30a95030d04df912c415e4cf','6c03f839511488a88a372b7aa5402ce1c1607975ec52036f6074a907a59af91f');
INSERT INTO "journal" VALUES(1,1,21,NULL,'Decided','{"type":"Decided","first":{"kind":"entry","bot":"late","position_id":"late-1","at":"2024-01-01T01:00:00Z","reason":"first entry","price":"100","anchor_price":null,"refusals":[{"code":"MAX_ACTIVE_POSITIONS","measured":"2","limit":"1","missing":"1","unit":"positions","unblocks_at":null,"unblocks_when":"a position of any bot is closed"}],"order":null,"cancels":[],"events":[]},"last":{"kind":"entry","bot":"late","position_id":"late-1","at":"2024-01-01T11:00:00Z","reason":"first entry","price":"110","anchor_price":null,"refusals":[{"code":"MAX_ACTIVE_POSITIONS","measured":"2","limit":"1","missing":"1","unit":"positions","unblocks_at":null,"unblocks_when":"a position of any bot is closed"}],"order":null,"cancels":[],"events":[]},"count":11}','6c03f839511488a88a372b7aa5402ce1c1607975ec52036f6074a907a59af91f','cf3795736e1c7b93a3de59e48aae372889884fa13c8a2c4a3726f9b5e5e4a28a');
INSERT INTO "journal" VALUES(1,1,22,NULL,'RunFinished','{"type":"RunFinished","at":"2026-11-25T23:24:59.346044Z","marks":{"BTC/USD":{"price":"110","at":"2024-01-01T12:00:00Z"}}}','cf3795736e1c7b93a3de59e48aae372889884fa13c8a2c4a3726f9b5e5e4a28a','b394ad94780e9b0ff032d9d4229f7bcb5eeea8288003690f1abb003cfb037891');
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
INSERT INTO "loaded_bot" VALUES(1,1,1,'steps','BTC/USD','rungs','fifo',3);
INSERT INTO "loaded_bot" VALUES(1,1,2,'late','BTC/USD','dca','fifo',3);
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
INSERT INTO "loading" VALUES(1,1,1,'2026-11-25T23:24:59.425978Z','{"mode":"paper","created_at":"2026-11-25T23:24:58.568986Z","load":1,"at":"2026-11-25T23:24:59.425978Z","portfolio_id":1,"portfolio":"kept","quote":"USD","configuration_version":1,"configuration_hash":"7d1a02ef5579ddf7f41ea3b630d202bb4b5accd6a7c9632797c8d2f21ee95700","configuration_text":"\n[portfolio]\nname = \"kept\"\nquote = \"USD\"\ncash = 1000\nmax_active_positions = 1\n[instrument.\"BTC/USD\"]\nprice_tick = 0.01\nquantity_step = 0.00000001\nfee_in = \"base\"\n[[bot]]\nname = \"steps\"\nsymbol = \"BTC/USD\"\n[bot.limits]\ntranche_cooldown = \"3h\"\n[bot.entry]\nplan = \"rungs\"\nrungs = [{when = {flat = true}, size = 20}, {when = {elapsed = \"2h\"}, size = 30}]\n[bot.exit]\ntake_profit = [{gain = \"10%\", sell = \"50%\"}, {gain = \"30%\", sell = \"rest\"}]\n[[bot]]\nname = \"late\"\nsymbol = \"BTC/USD\"\n[bot.entry]\nplan = \"dca\"\nsize = 25\nevery = \"7d\"\n[bot.exit]\ntime_stop = \"2h\"\n","bots":[{"id":1,"name":"steps","symbol":"BTC/USD","strategy":"rungs","max_tranches":3,"disposal":"fifo"},{"id":2,"name":"late","symbol":"BTC/USD","strategy":"dca","max_tranches":3,"disposal":"fifo"}]}','0000000000000000000000000000000000000000000000000000000000000000','89452c87b074aec2b598805e6aae001a42bd06052e09e79ea8d9d91df09428a3');
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
INSERT INTO "orders" VALUES(1,1,'steps-1','steps-1-1','entry','20',NULL,NULL,'0','rung 1','2024-01-01T01:00:00Z','0.20000000','ended','2024-01-01T01:00:00Z','filled');
INSERT INTO "orders" VALUES(1,1,'steps-1','steps-1-2','entry','30',NULL,NULL,'1','rung 2','2024-01-01T04:00:00Z','0.30000000','ended','2024-01-01T04:00:00Z','filled');
INSERT INTO "orders" VALUES(1,1,'steps-1','steps-1-3','exit',NULL,'0.24975000','110.00','0','take profit +10 %','2024-01-01T05:59:59.999999Z','0.24975000','ended','2024-01-01T05:59:59.999999Z','filled');
CREATE TABLE portfolio (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	quote TEXT NOT NULL,
	PRIMARY KEY (id),
	CHECK (id >= 1),
	UNIQUE (name)
);
INSERT INTO "portfolio" VALUES(1,'kept','USD');
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
INSERT INTO "position" VALUES(1,1,'steps-1',1,1,'open','0.249750000000','24.97500000000000','0.02500000000000','0','0','0','2.49750000000000','2.44502750000000','0.07747250000000','50.00000000000000','27.4450275000','24.97500000000000','0.499500000000','49.95000000000000','112','100',3,NULL,'2024-01-01T01:00:00Z','2024-01-01T04:00:00Z',NULL,'{"id":"steps-1","bot":"steps","instrument":{"symbol":"BTC/USD","price_tick":"0.01","quantity_step":"0.00000001","min_quantity":"0","min_notional":"0","maker_fee":"0.001","taker_fee":"0.001","fee_in":"base"},"book":{"disposal":"fifo","open":[{"id":"tranche_2","number":2,"order_id":"steps-1-2","entry_trade_id":"steps-1-2-fill","reason":"rung 2","opened_at":"2024-01-01T04:00:00Z","closed_at":null,"quantity":"0.299700000000","cost":"29.97000000000000","entry_fee":"0.03000000000000","open_quantity":"0.249750000000","open_cost":"24.97500000000000","open_fee":"0.02500000000000","dust_quantity":"0","dust_cost":"0","dust_fee":"0","highest_mark":"112","lowest_mark":"100.00"}],"closed":[{"id":"tranche_1","number":1,"order_id":"steps-1-1","entry_trade_id":"steps-1-1-fill","reason":"rung 1","opened_at":"2024-01-01T01:00:00Z","closed_at":"2024-01-01T05:59:59.999999Z","quantity":"0.199800000000","cost":"19.98000000000000","entry_fee":"0.02000000000000","open_quantity":"0.000000000000","open_cost":"0.00000000000000","open_fee":"0.00000000000000","dust_quantity":"0","dust_cost":"0","dust_fee":"0","highest_mark":"110.00","lowest_mark":"100.00"}],"exits":[{"trade_id":"steps-1-3-fill","order_id":"steps-1-3","reason":"take profit +10 %","at":"2024-01-01T05:59:59.999999Z","quantity":"0.24975000","price":"110.00","fee":"0.0274725000","matches":[{"tranche_id":"tranche_1","quantity":"0.199800000000","entry_cost":"19.98000000000000","entry_fee":"0.02000000000000","price":"110.00","proceeds":"21.97800000000000","exit_fee":"0.0219780000"},{"tranche_id":"tranche_2","quantity":"0.049950000000","entry_cost":"4.9950000000","entry_fee":"0.0050000000","price":"110.00","proceeds":"5.49450000000000","exit_fee":"0.0054945000"}]}],"open_quantity":"0.249750000000","open_cost":"24.97500000000000","open_fee":"0.02500000000000","dust_quantity":"0","dust_cost":"0","dust_fee":"0","realized_gross":"2.49750000000000","realized_pnl":"2.44502750000000","fees_paid":"0.07747250000000","cash_paid":"50.00000000000000","cash_received":"27.4450275000"},"state":"open","anchor_cost":"24.97500000000000","working":[],"orders_placed":3,"rung_uses":{"0":1,"1":1},"rung_left":{"0":"0.00000000"},"closing_reason":null,"peak_quantity":"0.499500000000","peak_cost":"49.95000000000000","highest_mark":"112","lowest_mark":"100","entered_at":"2024-01-01T01:00:00Z","last_entry_at":"2024-01-01T04:00:00Z","closed_at":null,"fills":{"steps-1-1-fill":{"order_id":"steps-1-1","fill":{"trade_id":"steps-1-1-fill","side":"buy","price":"100.00","quantity":"0.20000000","fee":"0.000200000000","fee_asset":"BTC","fee_rate":null,"at":"2024-01-01T01:00:00Z"}},"steps-1-2-fill":{"order_id":"steps-1-2","fill":{"trade_id":"steps-1-2-fill","side":"buy","price":"100.00","quantity":"0.30000000","fee":"0.000300000000","fee_asset":"BTC","fee_rate":null,"at":"2024-01-01T04:00:00Z"}},"steps-1-3-fill":{"order_id":"steps-1-3","fill":{"trade_id":"steps-1-3-fill","side":"sell","price":"110.00","quantity":"0.24975000","fee":"0.0274725000","fee_asset":"USD","fee_rate":null,"at":"2024-01-01T05:59:59.999999Z"}}},"unpriced_fees":{}}');
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
INSERT INTO "run" VALUES(1,1,'backtest',1,'1000','UTC','2026-11-25T23:24:59.327898Z','2026-11-25T23:24:59.346044Z',22,'b394ad94780e9b0ff032d9d4229f7bcb5eeea8288003690f1abb003cfb037891');
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
INSERT INTO "tranche" VALUES(1,1,'steps-1','tranche_1',1,'steps-1-1','steps-1-1-fill','rung 1','closed','2024-01-01T01:00:00Z','2024-01-01T05:59:59.999999Z','0.199800000000','19.98000000000000','0.02000000000000','0.000000000000','0.00000000000000','0.00000000000000','0','0','0','110.00','100.00');
INSERT INTO "tranche" VALUES(1,1,'steps-1','tranche_2',2,'steps-1-2','steps-1-2-fill','rung 2','partly_sold','2024-01-01T04:00:00Z',NULL,'0.299700000000','29.97000000000000','0.03000000000000','0.249750000000','24.97500000000000','0.02500000000000','0','0','0','112','100.00');
CREATE INDEX journal_by_position ON journal (portfolio_id, run_id, position_id, number);
CREATE INDEX decision_by_bot ON decision (portfolio_id, run_id, bot_id, number);
CREATE INDEX position_by_bot ON position (portfolio_id, run_id, bot_id, number);
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
CREATE TRIGGER loading_no_update BEFORE UPDATE ON loading
BEGIN
    SELECT RAISE(ABORT, 'loading is insert-only');
END;
CREATE TRIGGER loading_no_delete BEFORE DELETE ON loading
BEGIN
    SELECT RAISE(ABORT, 'loading is insert-only');
END;
CREATE VIEW bot_positions AS
WITH active AS (
    SELECT
        p.*,
        CASE WHEN CAST(p.open_quantity AS REAL) > 0 THEN
            rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), instr(printf('%.14e', CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(p.open_cost AS REAL) / CAST(p.open_quantity AS REAL)), '0'), '.')
        END AS entry_price,
        (
            SELECT json_group_array(json_object(
                'id', t.id,
                'entry_trade_id', t.entry_trade_id,
                'size_usd', t.cost,
                'size_quote', t.cost,
                'entry_price', rtrim(rtrim(printf('%.*f', max(14 - CAST(substr(printf('%.14e', CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), instr(printf('%.14e', CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), 'e') + 1) AS INTEGER), 1), CAST(t.cost AS REAL) / CAST(t.quantity AS REAL)), '0'), '.'),
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
ORDER BY b.id;
COMMIT;
