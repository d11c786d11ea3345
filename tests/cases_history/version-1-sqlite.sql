BEGIN TRANSACTION;
CREATE TABLE count_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	equipment TEXT NOT NULL,
	counter TEXT NOT NULL,
	kind TEXT NOT NULL,
	delta FLOAT NOT NULL,
	total FLOAT NOT NULL,
	raw FLOAT,
	unit TEXT,
	anomaly TEXT NOT NULL,
	refused FLOAT NOT NULL,
	window_from TEXT,
	time TEXT NOT NULL,
	hour_local TEXT NOT NULL,
	day_local TEXT NOT NULL,
	shift TEXT,
	production_date TEXT,
	order_no TEXT,
	product TEXT,
	batch TEXT,
	origin TEXT NOT NULL,
	PRIMARY KEY (source, id)
);
INSERT INTO "count_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-2','t5k2m0-9f3a',2,'press-03','good','good',0.0,0.0,0.0,'1','baseline',0.0,NULL,'2026-03-20T01:00:00.000Z','2026-03-20T09:00+08:00','2026-03-20',NULL,NULL,NULL,NULL,NULL,'device');
CREATE TABLE dead_letter (
	number INTEGER NOT NULL,
	at TEXT NOT NULL,
	topic TEXT NOT NULL,
	payload BLOB NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (number)
);
INSERT INTO "dead_letter" VALUES(1,'2026-03-20T01:41:00.000Z','plant/stamping/line-2/press-03',X'7B22636F6465223A357D','fault t5k2m0-9f3a-11: KeyError(''fault_id'')');
CREATE TABLE equipment (
	source TEXT NOT NULL,
	equipment TEXT NOT NULL,
	subject TEXT NOT NULL,
	name_zh TEXT,
	name_en TEXT,
	birth TEXT NOT NULL,
	PRIMARY KEY (source, equipment)
);
CREATE TABLE event (
	number INTEGER NOT NULL,
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	type TEXT NOT NULL,
	equipment TEXT NOT NULL,
	subject TEXT NOT NULL,
	streamseq INTEGER NOT NULL,
	time TEXT NOT NULL,
	recordedtime TEXT NOT NULL,
	replay BOOLEAN NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (number)
);
INSERT INTO "event" VALUES(1,'/plant/gateways/gw-01','t5k2m0-9f3a-1','t5k2m0-9f3a',1,'status','press-03','plant/stamping/line-2/press-03',1,'2026-03-20T01:00:00.000Z','2026-03-20T01:00:00.000Z',0,'{"state":"running","state_code":1,"since":"2026-03-20T01:00:00.000Z","cause":"sample","repeat":false,"mode":"auto","reason":null,"quality":"good","prev_state":null,"prev_duration_ms":null,"order":{"order_no":"WO-1","product":"A-77","batch":"B9","ideal_cycle_ms":2000},"shift":null}');
INSERT INTO "event" VALUES(2,'/plant/gateways/gw-01','t5k2m0-9f3a-2','t5k2m0-9f3a',2,'count','press-03','plant/stamping/line-2/press-03',1,'2026-03-20T01:00:00.000Z','2026-03-20T01:00:00.000Z',0,'{"counter":"good","kind":"good","delta":0,"total":0,"raw":0,"unit":"1","anomaly":"baseline","refused":0,"window":{"from":null,"to":"2026-03-20T01:00:00.000Z"},"origin":"device","order":null,"shift":null}');
INSERT INTO "event" VALUES(3,'/plant/gateways/gw-01','t5k2m0-9f3a-3','t5k2m0-9f3a',3,'fault','press-03','plant/stamping/line-2/press-03',1,'2026-03-20T01:05:00.000Z','2026-03-20T01:05:00.000Z',0,'{"fault_id":"f1","transition":"raised","code":"E17","text":{"zh":"防护门打开","en":"Guard open"},"severity":700,"category":"safety","stops_machine":true,"active":true,"acked":false,"raised_at":"2026-03-20T01:00:00.000Z","cleared_at":null,"duration_ms":null,"raises":1,"quality":"good","order":{"order_no":"WO-1","product":"A-77","batch":"B9","ideal_cycle_ms":2000},"shift":{"code":"A","production_date":"2026-03-20"},"first_up":true,"flood":false,"acked_at":null,"acked_by":null,"shelved_until":null}');
INSERT INTO "event" VALUES(4,'/plant/gateways/gw-01','t5k2m0-9f3a-4','t5k2m0-9f3a',4,'status','press-03','plant/stamping/line-2/press-03',2,'2026-03-20T01:05:00.000Z','2026-03-20T01:05:00.000Z',0,'{"state":"fault","state_code":4,"since":"2026-03-20T01:05:00.000Z","cause":"sample","repeat":false,"mode":"auto","reason":null,"quality":"good","prev_state":null,"prev_duration_ms":null,"order":null,"shift":null}');
INSERT INTO "event" VALUES(5,'/plant/gateways/gw-01','t5k2m0-9f3a-5','t5k2m0-9f3a',5,'fault','press-03','plant/stamping/line-2/press-03',2,'2026-03-20T01:07:00.000Z','2026-03-20T01:07:00.000Z',0,'{"fault_id":"f1","transition":"acked","code":"E17","text":{"zh":"防护门打开","en":"Guard open"},"severity":700,"category":"safety","stops_machine":true,"active":true,"acked":true,"raised_at":"2026-03-20T01:00:00.000Z","cleared_at":null,"duration_ms":null,"raises":1,"quality":"good","order":null,"acked_by":"li","acked_at":"2026-03-20T01:07:00.000Z","first_up":true,"flood":false}');
INSERT INTO "event" VALUES(6,'/plant/gateways/gw-01','t5k2m0-9f3a-6','t5k2m0-9f3a',6,'fault','press-03','plant/stamping/line-2/press-03',3,'2026-03-20T01:09:00.000Z','2026-03-20T01:09:00.000Z',0,'{"fault_id":"f1","transition":"cleared","code":"E17","text":{"zh":"防护门打开","en":"Guard open"},"severity":700,"category":"safety","stops_machine":true,"active":false,"acked":true,"raised_at":"2026-03-20T01:00:00.000Z","cleared_at":"2026-03-20T01:09:00.000Z","duration_ms":540000,"raises":1,"quality":"good","order":null,"acked_by":"li","acked_at":"2026-03-20T01:07:00.000Z","first_up":true,"flood":false}');
INSERT INTO "event" VALUES(7,'/plant/gateways/gw-01','t5k2m0-9f3a-7','t5k2m0-9f3a',7,'status','press-03','plant/stamping/line-2/press-03',3,'2026-03-20T01:09:00.000Z','2026-03-20T01:09:00.000Z',0,'{"state":"idle","state_code":2,"since":"2026-03-20T01:09:00.000Z","cause":"sample","repeat":false,"mode":"auto","reason":{"code":"lunch","category":"break","text":{},"planned":true},"quality":"good","prev_state":null,"prev_duration_ms":null,"order":null,"shift":null}');
INSERT INTO "event" VALUES(8,'/plant/gateways/gw-01','t5k2m0-9f3a-8','t5k2m0-9f3a',8,'status','press-03','plant/stamping/line-2/press-03',4,'2026-03-20T01:30:00.000Z','2026-03-20T01:30:00.000Z',0,'{"state":"running","state_code":1,"since":"2026-03-20T01:30:00.000Z","cause":"sample","repeat":false,"mode":"auto","reason":null,"quality":"good","prev_state":null,"prev_duration_ms":null,"order":null,"shift":null}');
INSERT INTO "event" VALUES(9,'/plant/gateways/gw-01','t5k2m0-9f3a-9','t5k2m0-9f3a',9,'note','press-03','plant/stamping/line-2/press-03',1,'2026-03-20T01:31:00.000Z','2026-03-20T01:31:00.000Z',0,'{"about":"t5k2m0-9f3a-8","by":"li","comment":null,"reason":{"code":"lunch","category":"break","text":{},"planned":true}}');
INSERT INTO "event" VALUES(10,'/plant/gateways/gw-01','t5k2m0-9f3a-10','t5k2m0-9f3a',10,'reading','press-03','plant/stamping/line-2/press-03',1,'2026-03-20T01:40:00.000Z','2026-03-20T01:40:00.000Z',0,'{"group":"plc","values":{"t":1.5},"bad":{},"full":false,"order":{"order_no":"WO-1","product":"A-77","batch":"B9","ideal_cycle_ms":2000}}');
INSERT INTO "event" VALUES(11,'/plant/gateways/gw-01','t5k2m0-9f3a-11','t5k2m0-9f3a',11,'fault','press-03','plant/stamping/line-2/press-03',4,'2026-03-20T01:41:00.000Z','2026-03-20T01:41:00.000Z',0,'{"code":5}');
CREATE TABLE fault_occurrence (
	source TEXT NOT NULL,
	fault_id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	transition TEXT NOT NULL,
	equipment TEXT NOT NULL,
	code TEXT NOT NULL,
	text_zh TEXT,
	text_en TEXT,
	severity INTEGER,
	category TEXT,
	stops_machine BOOLEAN,
	raised_at TEXT NOT NULL,
	cleared_at TEXT,
	duration_ms INTEGER,
	raises INTEGER NOT NULL,
	acked BOOLEAN NOT NULL,
	quality TEXT,
	order_no TEXT,
	PRIMARY KEY (source, fault_id)
);
INSERT INTO "fault_occurrence" VALUES('/plant/gateways/gw-01','f1','t5k2m0-9f3a',6,'cleared','press-03','E17','防护门打开','Guard open',700,'safety',1,'2026-03-20T01:00:00.000Z','2026-03-20T01:09:00.000Z',540000,1,1,'good','WO-1');
CREATE TABLE feed (
	name TEXT NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE gap_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	equipment TEXT NOT NULL,
	time TEXT NOT NULL,
	stream TEXT NOT NULL,
	from_streamseq INTEGER,
	to_streamseq INTEGER,
	count INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (source, id)
);
CREATE TABLE health_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	equipment TEXT NOT NULL,
	time TEXT NOT NULL,
	link TEXT NOT NULL,
	state TEXT NOT NULL,
	last_ok TEXT,
	rtt_ms FLOAT,
	failures INTEGER NOT NULL,
	error_class TEXT,
	error_text TEXT,
	PRIMARY KEY (source, id)
);
CREATE TABLE loss (
	source TEXT NOT NULL,
	epoch TEXT NOT NULL,
	equipment TEXT NOT NULL,
	type TEXT NOT NULL,
	from_streamseq INTEGER NOT NULL,
	to_streamseq INTEGER NOT NULL,
	reason TEXT NOT NULL,
	noticed_at TEXT NOT NULL,
	PRIMARY KEY (source, epoch, equipment, type, from_streamseq)
);
CREATE TABLE mark (
	source TEXT NOT NULL,
	epoch TEXT NOT NULL,
	equipment TEXT NOT NULL,
	type TEXT NOT NULL,
	streamseq INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	runs TEXT NOT NULL,
	PRIMARY KEY (source, epoch, equipment, type)
);
INSERT INTO "mark" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a','press-03','status',4,8,'[[1,4,1,8]]');
INSERT INTO "mark" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a','press-03','count',1,2,'[[1,1,2,2]]');
INSERT INTO "mark" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a','press-03','fault',4,11,'[[1,4,3,11]]');
INSERT INTO "mark" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a','press-03','note',1,9,'[[1,1,9,9]]');
INSERT INTO "mark" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a','press-03','reading',1,10,'[[1,1,10,10]]');
CREATE TABLE note_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	equipment TEXT NOT NULL,
	time TEXT NOT NULL,
	about TEXT NOT NULL,
	"by" TEXT NOT NULL,
	comment TEXT,
	reason_code TEXT,
	reason_category TEXT,
	PRIMARY KEY (source, id)
);
INSERT INTO "note_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-9','t5k2m0-9f3a',9,'press-03','2026-03-20T01:31:00.000Z','t5k2m0-9f3a-8','li',NULL,'lunch','break');
CREATE TABLE position (
	source TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	PRIMARY KEY (source, epoch)
);
INSERT INTO "position" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a',11);
CREATE TABLE reading (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	tag TEXT NOT NULL,
	equipment TEXT NOT NULL,
	"group" TEXT NOT NULL,
	time TEXT NOT NULL,
	value FLOAT,
	text_value TEXT,
	quality TEXT NOT NULL,
	PRIMARY KEY (source, id, tag)
);
INSERT INTO "reading" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-10','t','press-03','plc','2026-03-20T01:40:00.000Z',1.5,NULL,'good');
CREATE TABLE schema_version (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE status_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	epoch TEXT NOT NULL,
	seq INTEGER NOT NULL,
	equipment TEXT NOT NULL,
	streamseq INTEGER NOT NULL,
	state TEXT NOT NULL,
	state_code INTEGER NOT NULL,
	since TEXT NOT NULL,
	day_local TEXT NOT NULL,
	prev_duration_ms INTEGER,
	cause TEXT NOT NULL,
	repeat BOOLEAN NOT NULL,
	mode TEXT,
	reason_code TEXT,
	reason_category TEXT,
	order_no TEXT,
	product TEXT,
	batch TEXT,
	PRIMARY KEY (source, id)
);
INSERT INTO "status_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-1','t5k2m0-9f3a',1,'press-03',1,'running',1,'2026-03-20T01:00:00.000Z','2026-03-20',NULL,'sample',0,'auto',NULL,NULL,'WO-1','A-77','B9');
INSERT INTO "status_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-4','t5k2m0-9f3a',4,'press-03',2,'fault',4,'2026-03-20T01:05:00.000Z','2026-03-20',NULL,'sample',0,'auto',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "status_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-7','t5k2m0-9f3a',7,'press-03',3,'idle',2,'2026-03-20T01:09:00.000Z','2026-03-20',NULL,'sample',0,'auto','lunch','break',NULL,NULL,NULL);
INSERT INTO "status_event" VALUES('/plant/gateways/gw-01','t5k2m0-9f3a-8','t5k2m0-9f3a',8,'press-03',4,'running',1,'2026-03-20T01:30:00.000Z','2026-03-20',NULL,'sample',0,'auto',NULL,NULL,NULL,NULL,NULL);
CREATE UNIQUE INDEX event_key ON event (source, id);
CREATE INDEX status_event_order ON status_event (source, equipment, epoch, seq);
CREATE INDEX count_event_order ON count_event (source, equipment, counter, epoch, seq);
CREATE INDEX fault_occurrence_time ON fault_occurrence (equipment, raised_at);
CREATE INDEX reading_time ON reading (equipment, tag, time);
CREATE VIEW status_interval AS
WITH ordered AS (
  SELECT s.*, LEAD(since) OVER w AS next_since, LEAD(prev_duration_ms) OVER w AS measured_ms
  FROM status_event AS s WHERE NOT s.repeat
  WINDOW w AS (PARTITION BY source, equipment ORDER BY epoch, seq)
)
SELECT source, id, epoch, seq, equipment, state, state_code, since, next_since AS until,
  COALESCE(measured_ms, CAST(ROUND((julianday(next_since) - julianday(since)) * 86400000) AS INTEGER)) AS duration_ms, cause, mode, reason_code, reason_category,
  order_no, product, batch, day_local
FROM ordered;
CREATE VIEW current_state AS
WITH newest AS (
  SELECT s.*, ROW_NUMBER() OVER (
    PARTITION BY source, equipment ORDER BY epoch DESC, seq DESC) AS place
  FROM status_event AS s
)
SELECT n.source, n.equipment, e.name_zh, e.name_en, n.state, n.state_code, n.since, n.mode,
  n.reason_code, n.reason_category, n.order_no, n.product, n.batch
FROM newest AS n
LEFT JOIN equipment AS e ON e.source = n.source AND e.equipment = n.equipment
WHERE n.place = 1;
CREATE VIEW production_per_hour AS
WITH booked AS (
  SELECT c.*, COALESCE(total - LAG(total) OVER (
    PARTITION BY source, epoch, equipment, counter ORDER BY seq), delta) AS quantity
  FROM count_event AS c
)
SELECT source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit, SUM(quantity) AS quantity, SUM(refused) AS refused,
  SUM(CASE WHEN anomaly IN ('none', 'baseline', 'rollover') THEN 0 ELSE 1 END) AS anomalies
FROM booked
GROUP BY source, equipment, hour_local, shift, production_date, order_no, product, batch, counter,
  kind, unit;
CREATE VIEW time_per_state AS
SELECT source, equipment, day_local, state, SUM(duration_ms) AS duration_ms, COUNT(*) AS intervals
FROM status_interval WHERE until IS NOT NULL
GROUP BY source, equipment, day_local, state;
CREATE VIEW fault_pareto AS
SELECT source, equipment, code, MAX(text_zh) AS text_zh, MAX(text_en) AS text_en,
  MAX(severity) AS severity, COUNT(*) AS occurrences, SUM(raises) AS raises,
  SUM(duration_ms) AS duration_ms,
  SUM(CASE WHEN cleared_at IS NULL THEN 1 ELSE 0 END) AS active, MAX(raised_at) AS last_raised_at
FROM fault_occurrence
GROUP BY source, equipment, code;
COMMIT;
